"""Options: a provider's own settings, checked and made into headers and body members."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from dragoman.catalogue.credentials import first_set
from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.catalogue.row import Option, ProviderRow

__all__ = ["apply_options", "refuse_unknown"]

_HEADER_TEXT = re.compile(r"[ -~]*[!-~]")


def apply_options(
    row: ProviderRow, given: Mapping[str, Any], environ: Mapping[str, str], *, own_host: bool
) -> tuple[tuple[tuple[str, str], ...], dict[str, Any]]:
    """Header pairs and body members for the options given; None leaves one out.

    Variables that set options are read for calls to the provider's own hosts alone: they name accounts there.
    """
    headers: list[tuple[str, str]] = []
    members: dict[str, Any] = {}
    for name, option in row.options.items():
        if option.slot or option.credential:
            continue  # a part of the address, or of the signature
        value = given.get(name)
        if value is None and own_host:
            value = first_set(option.all_variables, environ)[1] or None
        if value is None:
            continue
        if option.member:
            members[option.member] = _member(row, name, option, value)
        else:
            headers.append((option.header, _header(row, name, option, value)))
    return tuple(headers), members


def refuse_unknown(row: ProviderRow, given: Iterable[str], parameters: Iterable[str]) -> None:
    """Raise `ConfigError`, with the nearest valid name, for an option that the provider does not have."""
    unknown = [name for name in given if name not in row.options]
    if not unknown:
        return
    from difflib import get_close_matches

    valid = [*row.options, *parameters]
    near = get_close_matches(unknown[0], valid, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    own = f" Its own options: {', '.join(sorted(row.options))}." if row.options else " It has no options of its own."
    raise ConfigError(f"{row.name} has no option {unknown[0]!r}.{hint}{own}")


def _member(row: ProviderRow, name: str, option: Option, value: Any) -> Any:
    match option.shape:
        case "object" if isinstance(value, dict):
            return cast("dict[str, Any]", value)
        case "list" if isinstance(value, (list, tuple)):
            return list(cast("list[Any]", value))
        case "text" if isinstance(value, str) and value:
            return value
        case _:
            raise _misshapen(row, name, option, value)


def _header(row: ProviderRow, name: str, option: Option, value: Any) -> str:
    if option.shape == "document" and isinstance(value, dict):
        import json

        return json.dumps(value, separators=(",", ":"))  # escapes what a header cannot hold
    if not isinstance(value, str) or not value:
        raise _misshapen(row, name, option, value)
    if _HEADER_TEXT.fullmatch(value) is None:
        # The value is not shown: it may be a credential.
        raise ConfigError(f"{row.name}: {name} must be one line of ASCII text, since it travels as a header.")
    return value if value.startswith(option.prefix) else option.prefix + value


def _misshapen(row: ProviderRow, name: str, option: Option, value: Any) -> ConfigError:
    wanted = {"text": "a text", "object": "a dict", "list": "a list", "document": "a text or a dict"}[option.shape]
    found = "an empty text" if value == "" else f"{type(value).__name__}"
    return ConfigError(f"{row.name}: {name} must be {wanted}, not {found}.")
