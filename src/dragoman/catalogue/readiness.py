"""Readiness: which providers could be called now, and what the others lack; for people and for the gateway's start."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from dragoman.catalogue.access import backend_of
from dragoman.catalogue.credentials import find_credential
from dragoman.catalogue.location import locate
from dragoman.catalogue.lookup import find, names
from dragoman.catalogue.row import ProviderRow
from dragoman.errors import ConfigError, MissingKey
from dragoman.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Readiness", "check_provider", "check_providers"]


class Readiness(Value, frozen=True, kw_only=True):
    """What a provider would do with the environment as it is.

    `state`: ready; no key (`variables` would be read for one); no address (`variables` would be read for it); wrong,
    where something that is set cannot work. `keyless` tells a ready provider that is called without a key, such as a
    local server, of which nothing says that it runs. `source` names the variable that gives the key. `detail` is a
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
    if row.base_url is None and not any(environ.get(variable, "").strip() for variable in row.base_url_variables):
        needed = f" or set {' or '.join(row.base_url_variables)}" if row.base_url_variables else ""
        return Readiness(
            provider=name,
            state="address missing",
            detail=f"pass base_url{needed}",
            variables=row.base_url_variables,
            dialects=row.dialects,
        )
    try:
        location = locate(row, None, environ)
        base_url = location.bases[row.dialects[0]]
        found = find_credential(
            row, given=None, configured=None, environ=environ, trusted=location.trusted, address=base_url
        )
    except MissingKey as error:
        return Readiness(
            provider=name,
            state="key missing",
            detail=f"set {' or '.join(error.variables)}" if error.variables else "pass api_key",
            variables=error.variables,
            base_url=row.base_url,
            dialects=row.dialects,
        )
    except ConfigError as error:
        return Readiness(provider=name, state="wrong", detail=error.message, dialects=row.dialects)
    keyless = found.secret is None
    return Readiness(
        provider=name,
        state="ready",
        detail=f"without a key, at {base_url}" if keyless else f"key from {found.source}",
        base_url=base_url,
        dialects=row.dialects,
        keyless=keyless,
        source=found.source,
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
