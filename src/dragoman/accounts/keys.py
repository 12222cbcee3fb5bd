"""KeyRing: from a secret to its principal, by digest; no secret is kept."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.accounts.principals import Principal

__all__ = ["KeyRing", "digest_of"]


def digest_of(secret: str | bytes) -> bytes:
    """The SHA-256 digest under which a secret is kept."""
    return sha256(secret.encode() if isinstance(secret, str) else secret).digest()


class KeyRing:
    """All principals of one configuration.

    `keyless` is who calls without a secret; None where everybody needs one. Equal times for known and unknown
    secrets: one digest and one look-up among digests, which tell an attacker nothing of a secret.
    """

    __slots__ = ("_principals", "keyless")

    def __init__(self, principals: Mapping[bytes, Principal], keyless: Principal | None = None) -> None:
        """`principals` by the digest of their secrets."""
        self._principals = dict(principals)
        self.keyless = keyless

    # Most of its time is the digest's; benchmarks/accounts.py measures it.
    def find(self, secret: str | bytes | None) -> Principal | None:
        """Whose secret it is; None for an unknown one. Without a secret it is `keyless`.

        Where nobody has a key, a secret that is sent all the same (official clients want one) is not looked at.
        """
        if secret is None:
            return self.keyless
        if isinstance(secret, str):
            secret = secret.encode("utf-8", "surrogateescape")
        found = self._principals.get(sha256(secret).digest())
        return self.keyless if found is None else found

    def principals(self) -> Iterable[Principal]:
        """Everybody, each once."""
        named = {principal.name: principal for principal in self._principals.values()}
        if self.keyless is not None:
            named.setdefault(self.keyless.name, self.keyless)
        return named.values()

    def __len__(self) -> int:
        return len(self._principals)

    def __repr__(self) -> str:
        return f"KeyRing({len(self)} keys{', keyless' if self.keyless is not None else ''})"
