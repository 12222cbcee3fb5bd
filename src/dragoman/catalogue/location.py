"""Location: where a provider is reached, and whether its own credential from the environment may go there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dragoman.catalogue.address import Base, address_for, is_own, read_base, read_host
from dragoman.catalogue.credentials import first_set
from dragoman.catalogue.shapes import is_shaped, shape_address, slots_set
from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.catalogue.row import ProviderRow
    from dragoman.catalogue.shapes import Shaped
    from dragoman.transport.target import Origin

__all__ = ["Location", "locate", "locate_shaped"]


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
    issuer = _issuer(row, base, own_host)
    paths = [read_base(own).path for own in _own_addresses(row)]
    bases = {dialect: str(_address(row, base, dialect, paths)) for dialect in row.dialects}
    return Location(bases, trusted, own_host, issuer, source)


def _address(row: ProviderRow, base: Base, dialect: str, paths: list[str]) -> Base:
    """The address of a dialect; one of a provider's own means all of its own, on whichever host each lies."""
    own = row.base_for(dialect)
    found = address_for(base, dialect, own, paths)
    if own is not None and any(base.origin == read_base(address).origin for address in _own_addresses(row)):
        ours = read_base(own)
        return ours if found.path == ours.path else found
    return found


def locate_shaped(
    row: ProviderRow,
    base_url: str | None,
    environ: Mapping[str, str],
    find: Callable[[bool, str], tuple[str, Mapping[str, str]]],
    given: Mapping[str, str],
) -> tuple[Location, Shaped]:
    """As `locate`, for a row with shapes: its address depends on options, and on whose credentials are used.

    `find(trusted, address)` says whether a "key" or a "signed" call is made, and which slots its credentials know.
    `given` are the slots that the caller fills; variables fill slots only where a key from the environment may go.
    """
    base, source = _chosen(row, base_url, environ)
    own_host = base is None or is_shaped(row, base)
    trusted = base is None or own_host or source != "base_url" or _is_named(row, base, environ)
    credential, known = find(trusted, "" if base is None else str(base))
    ambient = {**known, **slots_set(row, environ)} if trusted else known
    shaped = shape_address(row, base, given, ambient, credential)
    bases = dict.fromkeys(row.dialects, str(shaped.base))
    return Location(bases, trusted, own_host, _issuer(row, shaped.base, own_host), source), shaped


def _issuer(row: ProviderRow, base: Base, own_host: bool) -> str:
    # Another server speaks for itself: state that it issued means nothing to the provider whose row it borrows.
    return row.issuer if own_host and not row.issuer_per_host else f"{row.issuer}@{base.origin.authority}"


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
