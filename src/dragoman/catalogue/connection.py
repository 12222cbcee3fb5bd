"""Connection: where a row is reached and as whom, worked out together, for either may depend on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dragoman.catalogue.credentials import Credential, find_credential
from dragoman.catalogue.location import Location, locate, locate_shaped
from dragoman.catalogue.shapes import Shaped, slots_given
from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.catalogue.row import ProviderRow
    from dragoman.catalogue.secret import Secret
    from dragoman.catalogue.signing import Signer, Signing

__all__ = ["Connection", "connect"]


class Connection(NamedTuple):
    """`shaped` is there for rows with shapes, `signer` for calls that are signed.

    `signing_looked` names the places where credentials are looked for, if only a call can tell whether there are any.
    """

    location: Location
    credential: Credential
    shaped: Shaped | None = None
    signer: Signer | None = None
    signing_looked: tuple[str, ...] = ()


def connect(
    row: ProviderRow,
    dialect: str,
    *,
    base_url: str | None,
    api_key: Secret | str | None,
    configured: Secret | str | None,
    options: Mapping[str, Any],
    environ: Mapping[str, str],
) -> Connection:
    """Where and as whom. Raises `ConfigError` and `MissingKey`; files are read, nothing is sent."""
    if row.shapes:
        return _connect_shaped(row, base_url, api_key, configured, options, environ)
    location = locate(row, base_url, environ)
    finding = _Finding(row, api_key, configured, options, environ)
    finding.look(location.trusted, location.bases[dialect])
    return Connection(location, finding.credential, None, *finding.signed({}))


def _connect_shaped(
    row: ProviderRow,
    base_url: str | None,
    api_key: Secret | str | None,
    configured: Secret | str | None,
    options: Mapping[str, Any],
    environ: Mapping[str, str],
) -> Connection:
    finding = _Finding(row, api_key, configured, options, environ)
    location, shaped = locate_shaped(row, base_url, environ, finding.look, slots_given(row, options))
    return Connection(location, finding.credential, shaped, *finding.signed(shaped.slots))


class _Finding:
    """One search for a credential: a plain key by the key law, else what requests are signed with."""

    def __init__(
        self,
        row: ProviderRow,
        api_key: Secret | str | None,
        configured: Secret | str | None,
        options: Mapping[str, Any],
        environ: Mapping[str, str],
    ) -> None:
        self._row = row
        self._passed = (api_key, configured)
        self._options = options
        self._environ = environ
        self._signing: Signing | None = None
        self.credential = Credential(None)

    def look(self, trusted: bool, address: str) -> tuple[str, Mapping[str, str]]:
        """See `locate_shaped`."""
        row = self._row
        if row.signing is not None:
            from dragoman.catalogue.signing import credentials_given, find_signing

            own = credentials_given(row, self._options)
            passed = any(key is not None for key in self._passed)
            if own and passed:
                raise ConfigError(f"{row.name}: pass api_key or {' and '.join(own)}, not both.")
            if not passed:
                signing = find_signing(row, own, self._environ, ambient=trusted)
                if own and signing is not None:
                    self._signing, self.credential = signing, Credential(None, signing.source)
                    return "signed", signing.defaults
                self._signing = signing
        found = self._find(trusted, address)
        if found.secret is not None or self._signing is None:
            self._signing = None
            return "key", {}
        return "signed", self._signing.defaults

    def _find(self, trusted: bool, address: str) -> Credential:
        signing = self._signing
        self.credential = find_credential(
            self._row,
            given=self._passed[0],
            configured=self._passed[1],
            environ=self._environ,
            trusted=trusted,
            address=address,
            signed=(signing.source or "the machine's own credentials") if signing is not None else "",
        )
        return self.credential

    def signed(self, slots: Mapping[str, str]) -> tuple[Signer | None, tuple[str, ...]]:
        """The signer, and where it will look if that is not known yet."""
        if self._signing is None:
            return None, ()
        return self._signing.make(slots), () if self._signing.source else self._signing.looked
