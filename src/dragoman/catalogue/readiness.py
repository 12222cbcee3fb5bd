"""Readiness: which providers could be called now, and what the others lack; for people and for the gateway's start."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from dragoman.catalogue.access import backend_of
from dragoman.catalogue.connection import connect
from dragoman.catalogue.credentials import first_set
from dragoman.catalogue.lookup import find, names
from dragoman.catalogue.row import ProviderRow
from dragoman.catalogue.shapes import IncompleteAddress
from dragoman.errors import ConfigError, MissingKey
from dragoman.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.catalogue.connection import Connection

__all__ = ["Readiness", "check_provider", "check_providers"]


class Readiness(Value, frozen=True, kw_only=True):
    """What a provider would do with the environment as it is.

    `state`: ready; no key (`variables` would be read for one); no address (`variables` would be read for it); wrong,
    where something that is set cannot work. `keyless` tells a ready provider that is called without a key, such as a
    local server, of which nothing says that it runs. `source` names the variable that gives the
    key, or what calls are signed with. `detail` is a
    sentence.
    """

    provider: str
    state: Literal["ready", "key missing", "address missing", "wrong"]
    detail: str
    variables: tuple[str, ...] = ()
    base_url: str | None = None
    dialects: tuple[str, ...] = ()
    keyless: bool = False
    source: str = ""

    @property
    def ready(self) -> bool:
        return self.state == "ready"


def check_provider(provider: str | ProviderRow, environ: Mapping[str, str] | None = None) -> Readiness:
    """How one provider stands. Raises `UnknownProvider` for a name that is not in the catalogue."""
    environ = os.environ if environ is None else environ
    row = find(provider) if isinstance(provider, str) else provider
    name, row = row.name, backend_of(row, None)
    if not row.shapes and row.base_url is None and not first_set(row.base_url_variables, environ)[0]:
        return _without_address(name, row, row.base_url_variables)
    try:
        found = connect(row, row.dialects[0], base_url=None, api_key=None, configured=None, options={}, environ=environ)
    except IncompleteAddress as error:
        return _without_address(name, row, error.variables)
    except MissingKey as error:
        return _without_key(name, row, f"set {' or '.join(error.variables)}" if error.variables else "pass api_key")
    except ConfigError as error:
        return Readiness(provider=name, state="wrong", detail=error.message, dialects=row.dialects)
    if found.signing_looked:
        # Whether this machine has credentials of its own is known when it is asked, which nothing here does.
        return _without_key(name, row, f"unless this machine has its own: {', '.join(found.signing_looked)}")
    return _ready(name, row, found)


def _without_address(name: str, row: ProviderRow, variables: tuple[str, ...]) -> Readiness:
    return Readiness(
        provider=name,
        state="address missing",
        detail="pass base_url" + (f" or set {' or '.join(variables)}" if variables else ""),
        variables=variables,
        dialects=row.dialects,
    )


def _without_key(name: str, row: ProviderRow, detail: str) -> Readiness:
    return Readiness(
        provider=name,
        state="key missing",
        detail=detail,
        variables=row.key_variables,
        base_url=row.base_url,
        dialects=row.dialects,
    )


def _ready(name: str, row: ProviderRow, found: Connection) -> Readiness:
    base_url = found.location.bases[row.dialects[0]]
    keyless = found.credential.secret is None and found.signer is None
    carried = "signed with" if found.signer is not None else "key from"
    return Readiness(
        provider=name,
        state="ready",
        detail=f"without a key, at {base_url}" if keyless else f"{carried} {found.credential.source}",
        base_url=base_url,
        dialects=row.dialects,
        keyless=keyless,
        source=found.credential.source,
    )


def check_providers(environ: Mapping[str, str] | None = None) -> list[Readiness]:
    """How every provider stands, sorted by name. A broken installed package is reported as wrong, not raised."""
    found: list[Readiness] = []
    for name in names():
        try:
            found.append(check_provider(name, environ))
        except ConfigError as error:
            found.append(Readiness(provider=name, state="wrong", detail=error.message))
    return found
