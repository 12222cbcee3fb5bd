"""Signing: authentication that has to look at a request, or at the clock, before each call.

A plain key is a header and needs none of this. A `Signer` is asked where an `Access` holds one; a `Signing` is what
could be found out about it without a network, when the access was made.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from dragoman.catalogue.secret import Secret
from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from dragoman.catalogue.row import ProviderRow
    from dragoman.transport.seam import HttpRequest, Transport

__all__ = ["Signer", "Signing", "TokenSigner", "credentials_given", "find_signing", "with_headers"]


_SHARED: dict[tuple[object, ...], Signing | None] = {}
_SHARED_LIMIT = 32
_SHARED_LOCK = Lock()


class Signer(Protocol):
    """Authenticates requests. Shared between calls, tasks and threads; never changes the request it is given."""

    async def sign(self, request: HttpRequest, transport: Transport) -> HttpRequest:
        """The request with its credentials; `transport` fetches them where they have to be fetched.

        Raises `MissingKey` naming all places looked at, `ProviderError` where whoever gives the credentials refuses,
        `TransportError` (with `sent` "no", for the request itself was not sent) where nobody could be asked.
        """
        ...


class Signing(NamedTuple):
    """What is known before the first call.

    `source` names where the credentials are ("" if only a call can tell), `looked` every place that was or will be
    looked at. `defaults` are slots of the address that the credentials know (a project, a region). `make` gives the
    signer for the slots that the address ended up with.
    """

    source: str
    looked: tuple[str, ...]
    defaults: Mapping[str, str]
    make: Callable[[Mapping[str, str]], Signer]


def credentials_given(row: ProviderRow, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options given that are credentials of the row's signing scheme."""
    return {
        name: given[name] for name, option in row.options.items() if option.credential and given.get(name) is not None
    }


def find_signing(
    row: ProviderRow, given: Mapping[str, Any], environ: Mapping[str, str], *, ambient: bool
) -> Signing | None:
    """How calls of a row are signed: with the credentials given, else (if `ambient`) with what the surroundings hold.

    None where there is nothing to sign with and nobody to ask. Raises `ConfigError` for credentials that cannot be.
    """
    assert row.signing is not None  # asked of rows that sign
    kind = row.signing.kind
    if kind == "token":
        return _find_token(row, given, environ, ambient)
    if kind == "aws":
        from dragoman.catalogue.clouds import aws as cloud
    else:
        from dragoman.catalogue.clouds import google as cloud
    if given or not ambient or environ is not os.environ:
        return cloud.find(row, given, environ, ambient=ambient)
    # The process's own credentials are one thing, however many models are made: fetched once, and kept for all.
    key = (row.name, row.signing, cloud.fingerprint(environ))
    with _SHARED_LOCK:
        if key not in _SHARED:
            while len(_SHARED) >= _SHARED_LIMIT:
                del _SHARED[next(iter(_SHARED))]
            _SHARED[key] = cloud.find(row, given, environ, ambient=True)
        return _SHARED[key]


def with_headers(request: HttpRequest, headers: list[tuple[str, str]]) -> HttpRequest:
    """The request with headers that replace those of the same name."""
    from dragoman.transport.seam import HttpRequest

    names = {name.lower() for name, _ in headers}
    kept = [pair for pair in request.headers if pair[0].lower() not in names]
    return HttpRequest(request.method, request.url, [*kept, *headers], request.body, request.timeout)


# -- a token of the caller's -------------------------------------------------------------------------------------------


class TokenSigner:
    """Sends a bearer token that the caller gives, or has a function give before each call.

    The function may be async; it is called on the loop that runs the call, so it must not block, and it keeps its own
    cache (Microsoft's `get_bearer_token_provider` does both).
    """

    def __init__(self, provider: str, token: object) -> None:
        self._provider = provider
        self._fixed = None if callable(token) else _token(provider, token)
        self._ask = cast("Callable[[], object]", token) if callable(token) else None

    async def sign(self, request: HttpRequest, transport: Transport) -> HttpRequest:
        """The request with its `authorization` header; `transport` is not used."""
        token = self._fixed
        if token is None:
            assert self._ask is not None
            given = self._ask()
            if hasattr(given, "__await__"):
                given = await cast("Awaitable[object]", given)
            token = _token(self._provider, given)
        return with_headers(request, [("authorization", f"Bearer {token.reveal()}")])

    def __repr__(self) -> str:
        return f"TokenSigner({self._provider})"


def _find_token(
    row: ProviderRow, given: Mapping[str, Any], environ: Mapping[str, str], ambient: bool
) -> Signing | None:
    for name, option in row.options.items():
        if not option.credential:
            continue
        value, source = given.get(name), name
        if value is None and ambient:
            for variable in option.all_variables:
                text = environ.get(variable, "").strip()
                if text:
                    value, source = text, variable
                    break
        if value is not None:
            return Signing(source, (source,), {}, _always(TokenSigner(row.name, value)))
    return None


def _always(signer: Signer) -> Callable[[Mapping[str, str]], Signer]:
    return lambda _slots: signer


def _token(provider: str, value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str) or not value.strip():
        found = "an empty text" if isinstance(value, str) else type(value).__name__
        raise ConfigError(f"{provider}: a token is a text, or a function that returns one, and not {found}.")
    text = value.strip().removeprefix("Bearer ").strip()
    if not text.isascii() or any(not "!" <= letter <= "~" for letter in text):
        raise ConfigError(f"{provider}: the token holds letters that no token has.")
    return Secret(text)
