"""Type hints as they are written: every hint that a type is made of, and what is said about the fields of classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, cast, get_args, get_origin, get_type_hints, is_typeddict

import msgspec

from dragoman.face.docstrings import read_docstring

__all__ = ["descriptions", "field_names", "hints_of", "mentions_pydantic", "own_doc", "reached", "said_of"]


def field_names(kind: Any) -> dict[str, str] | None:
    """The fields of a dataclass, TypedDict or msgspec struct, with their names in JSON; None for other types."""
    if not isinstance(kind, type):
        return None
    owner: type[Any] = kind  # pyright: ignore[reportUnknownVariableType] - any class at all
    if issubclass(owner, msgspec.Struct):
        return {field.name: field.encode_name for field in msgspec.structs.fields(owner)}
    if dataclasses.is_dataclass(owner):
        return {field.name: field.name for field in dataclasses.fields(owner)}
    if is_typeddict(owner):
        return {name: name for name in owner.__annotations__}
    return None


def hints_of(owner: Any) -> dict[str, Any]:
    """The hints of a class or function, with what they are annotated with."""
    return get_type_hints(owner, include_extras=True)


def reached(hint: Any) -> list[Any]:
    """The hint and every hint within it, the fields of its classes among them, each once."""
    found: list[Any] = []
    seen: set[int] = set()
    waiting = [hint]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        found.append(one)
        waiting.extend(_within(one))
    return found


def _within(hint: Any) -> Iterator[Any]:
    yield from get_args(hint)
    origin = get_origin(hint)
    fields = field_names(origin if isinstance(origin, type) else hint)
    if fields:
        hints = hints_of(origin if isinstance(origin, type) else hint)
        yield from (hints[name] for name in fields if name in hints)


def said_of(hint: Any) -> str | None:
    """What an annotation says about its field: a text, or a description as pydantic's and msgspec's carry."""
    while get_origin(hint) is not None and get_origin(hint) is not Annotated:
        inner = get_args(hint)
        if len(inner) != 1:  # Required[…] and NotRequired[…] of TypedDicts hold one
            return None
        hint = inner[0]
    if get_origin(hint) is not Annotated:
        return None
    for said in get_args(hint)[1:]:
        if isinstance(said, str):
            return said
        for name in ("description", "documentation"):
            words: Any = getattr(said, name, None)
            if isinstance(words, str):
                return words
    return None


def mentions_pydantic(hint: Any) -> bool:
    """Whether the type, or anything within it, is pydantic's to validate."""
    return any(_is_pydantic(one) for one in reached(hint))


def _is_pydantic(hint: Any) -> bool:
    if isinstance(hint, type):
        return hasattr(cast("Any", hint), "__pydantic_validator__")
    return type(hint).__module__.partition(".")[0] in ("pydantic", "annotated_types")


def descriptions(kind: type) -> dict[str, str]:
    """What is said about each field of a class, by its docstring and its annotations; names as they are in JSON."""
    names = field_names(kind) or {}
    told = {names[name]: words for name, words in read_docstring(own_doc(kind)).parameters.items() if name in names}
    hints = hints_of(kind)
    for name, encoded in names.items():
        words = said_of(hints.get(name))
        if words is not None:
            told[encoded] = words
    return told


def own_doc(kind: type) -> str | None:
    """A class's own docstring; None for the signature that dataclasses write themselves."""
    text = kind.__dict__.get("__doc__")
    if not isinstance(text, str) or (dataclasses.is_dataclass(kind) and text.startswith(f"{kind.__name__}(")):
        return None
    return text
