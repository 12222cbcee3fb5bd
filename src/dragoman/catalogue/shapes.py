"""Shapes: addresses worked out from templates, for providers whose hosts and paths depend on an account's settings.

A base URL that a caller gives is read against the templates first: `https://r.openai.azure.com/openai/deployments/d`
says what the resource and the deployment are. What is still unknown comes from options, variables and the signing
scheme's own knowledge, in this order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from dragoman.catalogue.address import Base, read_base
from dragoman.catalogue.credentials import first_set
from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dragoman.catalogue.row import Option, PathRule, ProviderRow, Shape

__all__ = [
    "IncompleteAddress",
    "Shaped",
    "fill_rules",
    "is_shaped",
    "place",
    "rule_for",
    "shape_address",
    "slots_given",
    "slots_set",
]

_SLOT = re.compile(r"\{(\w+)\}")
_SLASHES = re.compile(r"/{2,}")
_MODEL = "{model}"


class Shaped(NamedTuple):
    """An address that was worked out: `base` is complete, `rules` still hold `{model}`; `slots` are what filled it."""

    base: Base
    rules: tuple[PathRule, ...]
    query: str
    slots: Mapping[str, str]

    def named_model(self, slot: str) -> str | None:
        """The model that the address itself names, in this slot."""
        value = self.slots.get(slot)
        return None if value == _MODEL else value


class IncompleteAddress(ConfigError):
    """A `ConfigError` for an address that lacks something; `variables` would be read for it."""

    def __init__(self, message: str, *, variables: tuple[str, ...]) -> None:
        super().__init__(message)
        self.variables = variables


def is_shaped(row: ProviderRow, base: Base) -> bool:
    """Whether a base lies on one of the provider's own hosts."""
    return any(found is not None for found in _origin_matches(row, base))


def slots_given(row: ProviderRow, given: Mapping[str, Any]) -> dict[str, str]:
    """The slots that options fill. Raises `ConfigError` for a value that cannot stand in an address."""
    found: dict[str, str] = {}
    for name, option in row.options.items():
        value = given.get(name)
        if option.slot and value is not None:
            found[option.slot] = _checked(row, name, option, value)
    return found


def slots_set(row: ProviderRow, environ: Mapping[str, str]) -> dict[str, str]:
    """The slots that variables fill."""
    found: dict[str, str] = {}
    for option in row.options.values():
        variable, text = first_set(option.all_variables, environ) if option.slot else ("", "")
        if variable:
            found[option.slot] = _checked(row, variable, option, text)
    return found


def shape_address(
    row: ProviderRow, base: Base | None, given: Mapping[str, str], ambient: Mapping[str, str], credential: str
) -> Shaped:
    """The address for slots that were `given` and those that the surroundings say.

    Raises `ConfigError` where something is missing, contradicts the base, or has no place in the address.
    """
    reading = _read(row, base)
    for slot, value in given.items():
        written = reading.slots.get(slot, value)
        if written != value:
            raise ConfigError(f"{row.name}: {_option_of(row, slot)} is {value!r}, but base_url says {written!r}.")
    defaults = {option.slot: option.default for option in row.options.values() if option.slot and option.default}
    known = {**defaults, **ambient, **reading.slots, **given, "credential": credential}
    shape = _choose(row, base, reading.shapes, known)
    known = {**shape.defaults, **known}
    _refuse_unused(row, base, shape, given, reading.slots)
    if base is None:
        whole = read_base(_filled(shape.base_url, known), row.name)
    else:
        whole = Base(base.origin, reading.prefix + _filled(_path_of(shape.base_url), known))
    known["origin"] = f"{whole.origin}{reading.prefix}"
    rules = tuple(_filled_rule(rule, known) for rule in shape.paths)
    return Shaped(whole, rules, _filled(shape.query, known), known)


# -- reading a base URL ------------------------------------------------------------------------------------------------


class _Reading(NamedTuple):
    shapes: tuple[Shape, ...]
    prefix: str
    slots: dict[str, str]


def _read(row: ProviderRow, base: Base | None) -> _Reading:
    """What a base says: the shapes that it may be of, what stands before their path, and the slots in it."""
    if base is None:
        return _Reading(row.shapes, "", {})
    slots: dict[str, str] = {}
    for found in _origin_matches(row, base):
        slots |= found or {}
    path = _SLASHES.sub("/", base.path)
    matches = [(shape, match) for shape in row.shapes for match in _path_matches(row, shape, path)]
    if not path or not matches:
        return _Reading(row.shapes, path, slots)
    start = min(match.start() for _, match in matches)
    best = [(shape, match) for shape, match in matches if match.start() == start]
    for _, match in best:
        slots |= match.groupdict()
    shapes = tuple(shape for shape in row.shapes if any(shape is one for one, _ in best))
    return _Reading(shapes, path[:start], slots)


def _origin_matches(row: ProviderRow, base: Base) -> Iterator[dict[str, str] | None]:
    for shape in row.shapes:
        for template in (_origin_of(shape.base_url), *shape.origins):
            match = re.fullmatch(_pattern(row, template), str(base.origin))
            yield match and match.groupdict()


def _path_matches(row: ProviderRow, shape: Shape, path: str) -> Iterator[re.Match[str]]:
    for template in (_path_of(shape.base_url), *shape.written):
        match = re.search(_pattern(row, template) + r"\Z", path)
        if match is not None:
            yield match


def _pattern(row: ProviderRow, template: str) -> str:
    """A template as a regular expression; a slot that comes again must say the same."""
    forms = {option.slot: option.form for option in row.options.values() if option.slot}
    pieces: list[str] = []
    seen: set[str] = set()
    for place_in_template, piece in enumerate(_SLOT.split(template)):
        if place_in_template % 2 == 0:
            pieces.append(re.escape(piece))
        elif piece in seen:
            pieces.append(f"(?P={piece})")
        else:
            seen.add(piece)
            pieces.append(f"(?P<{piece}>{forms[piece]})")
    return "".join(pieces)


def _origin_of(template: str) -> str:
    scheme, mark, rest = template.partition("://")
    return scheme + mark + rest.partition("/")[0]


def _path_of(template: str) -> str:
    _, slash, path = template.partition("://")[2].partition("/")
    return slash + path


# -- choosing and filling ----------------------------------------------------------------------------------------------


def _choose(row: ProviderRow, base: Base | None, shapes: tuple[Shape, ...], known: Mapping[str, str]) -> Shape:
    missing: list[str] = []
    for shape in shapes:
        if all(_holds(known.get(slot), values) for slot, values in shape.when.items()):
            lacking = [slot for slot in _needed(shape, base) if slot not in known and slot not in shape.defaults]
            if not lacking:
                return shape
            missing = missing or lacking
    if missing:
        raise _incomplete(row, missing)
    raise ConfigError(f"{row.name}: the options given do not go together with the base_url or with each other.")


def _holds(value: str | None, allowed: tuple[str, ...]) -> bool:
    if value is None:
        return False
    return any(value.startswith(one[:-1]) if one.endswith("*") else value == one for one in allowed)


def _needed(shape: Shape, base: Base | None) -> list[str]:
    address = shape.base_url if base is None else _path_of(shape.base_url)
    return list(dict.fromkeys(_SLOT.findall(address + shape.query)))


def _refuse_unused(
    row: ProviderRow, base: Base | None, shape: Shape, given: Mapping[str, str], read: Mapping[str, str]
) -> None:
    """An option that was passed and would change nothing is a mistake that must not stay hidden."""
    address = shape.base_url if base is None else _path_of(shape.base_url)
    rules = [text for rule in shape.paths for text in (rule.to, *map(str, rule.members.values()))]
    used = {*_SLOT.findall(" ".join([address, shape.query, *rules])), *shape.when, *read}
    if row.signing is not None:
        used |= set(row.signing.slots)
    for slot in given:
        if slot not in used:
            rival = "beside the base_url" if base is not None else "in this form of its address"
            raise ConfigError(f"{row.name}: {_option_of(row, slot)} has no place {rival}.")


def _filled(template: str, known: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda found: known.get(found[1], found[0]), template)


def _filled_rule(rule: PathRule, known: Mapping[str, str]) -> PathRule:
    members = {name: _filled(value, known) if isinstance(value, str) else value for name, value in rule.members.items()}
    return replace(rule, to=_filled(rule.to, known), members=members)


def _checked(row: ProviderRow, name: str, option: Option, value: object) -> str:
    if not isinstance(value, str) or re.fullmatch(option.form, value.strip()) is None:
        raise ConfigError(f"{row.name}: {name} cannot be {value!r}: it becomes a part of the address.")
    return value.strip()


def _option_of(row: ProviderRow, slot: str) -> str:
    return next((name for name, option in row.options.items() if option.slot == slot), slot)


def _incomplete(row: ProviderRow, missing: list[str]) -> IncompleteAddress:
    wishes: list[str] = []
    known = row.base_url_variables
    for name, option in row.options.items():
        if option.slot in missing:
            variables = f" or set {' or '.join(option.all_variables)}" if option.all_variables else ""
            wishes.append(f"{name} (pass {name}=…{variables})")
            known = (*option.all_variables, *known)
    base = f", or base_url (or {' or '.join(row.base_url_variables)})" if row.base_url_variables else ""
    message = f"{row.name} has no address without {' and '.join(wishes)}{base}."
    return IncompleteAddress(message, variables=known)


# -- a call's path -----------------------------------------------------------------------------------------------------


def fill_rules(rules: tuple[PathRule, ...], model: str) -> tuple[PathRule, ...]:
    """The rules for one model: its name is percent-encoded in paths, and plain in members."""
    from urllib.parse import quote

    written = quote(model, safe="-._~@")
    return tuple(
        replace(
            rule,
            to=rule.to.replace(_MODEL, written),
            members={
                name: value.replace(_MODEL, model) if isinstance(value, str) else value
                for name, value in rule.members.items()
            },
        )
        for rule in rules
    )


def rule_for(rules: tuple[PathRule, ...], path: str, stream: bool) -> PathRule | None:
    """The first rule that names the path (without its query)."""
    for rule in rules:
        named = path.startswith(rule.path) if rule.path.endswith("/") else path == rule.path
        if named and (rule.stream is None or rule.stream == stream):
            return rule
    return None


def place(base: str, path: str, rule: PathRule | None, query: str) -> str:
    """The absolute address of a dialect's path at a base, as a rule says."""
    bare, mark, own_query = path.partition("?")
    moved = bare if rule is None else rule.to + (bare[len(rule.path) :] if rule.path.endswith("/") else "")
    address = moved if "://" in moved else base + moved
    queries = "&".join(piece for piece in (own_query, query) if piece)
    return f"{address}?{queries}" if queries else address + mark
