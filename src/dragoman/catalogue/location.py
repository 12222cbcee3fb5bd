"""Location: where a provider is reached, and whether its own credential from the environment may go there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dragoman.catalogue.address import Base, address_for, is_own, read_base, read_host
from dragoman.catalogue.credentials import first_set
from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.catalogue.row import ProviderRow
    from dragoman.transport.target import Origin

__all__ = ["Location", "locate"]


class Location(NamedTuple):
    """`bases` holds the address of each dialect.

    `trusted`: a key from the environment may go there. `own_host`: it is one of the provider's own hosts. `issuer` is
    who answers there, for replay state. `source` is `base_url`, the variable that said so, or empty for the row's own.
    """

    bases: Mapping[str, str]
    trusted: bool
    own_host: bool
    issuer: str
    source: str


def locate(row: ProviderRow, base_url: str | None, environ: Mapping[str, str]) -> Location:
    """Where to reach a provider: a base URL that was passed, else its variable, else its own address.

    Raises `ConfigError` for an address that cannot be used, or if there is none.
    """
    base, source = _chosen(row, base_url, environ)
    if base is None:
        if row.base_url is None:
            raise _missing(row)
        own = {dialect: str(read_base(row.base_for(dialect) or "", row.name)) for dialect in row.dialects}
        return Location(own, trusted=True, own_host=True, issuer=row.issuer, source="")
    own_host = is_own(base.origin, _own_origins(row))
    trusted = own_host or source != "base_url" or _is_named(row, base, environ)
    # Another server speaks for itself: state that it issued means nothing to the provider whose row it borrows.
    issuer = row.issuer if own_host else f"{row.issuer}@{base.origin.authority}"
    paths = [read_base(own).path for own in _own_addresses(row)]
    bases = {dialect: str(address_for(base, dialect, row.base_for(dialect), paths)) for dialect in row.dialects}
    return Location(bases, trusted, own_host, issuer, source)


def _chosen(row: ProviderRow, base_url: str | None, environ: Mapping[str, str]) -> tuple[Base | None, str]:
    if base_url is not None:
        return read_base(base_url), "base_url"
    variable, text = first_set(row.base_url_variables, environ)
    if variable:
        return read_base(text, variable), variable
    variable, text = first_set(row.host_variables, environ)
    if variable:
        default_port = read_base(row.base_url, row.name).origin.port if row.base_url is not None else 80
        return read_host(text, default_port, variable), variable
    return None, ""


def _is_named(row: ProviderRow, base: Base, environ: Mapping[str, str]) -> bool:
    variable, text = first_set(row.base_url_variables, environ)
    if not variable:
        return False
    try:
        return read_base(text, variable) == base
    except ConfigError:
        return False  # the variable is not what this call uses, so its mistake is not this call's


def _own_addresses(row: ProviderRow) -> list[str]:
    places = [place.base_url for place in row.places.values() if place.base_url is not None]
    return [row.base_url, *places] if row.base_url is not None else places


def _own_origins(row: ProviderRow) -> list[Origin]:
    return [read_base(own, row.name).origin for own in (*_own_addresses(row), *row.hosts)]


def _missing(row: ProviderRow) -> ConfigError:
    variable = f", or set {row.base_url_variables[0]}" if row.base_url_variables else ""
    return ConfigError(f"{row.name} has no address of its own: pass base_url=…{variable}.")
