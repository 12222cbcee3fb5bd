"""Comparison of JSON, strict about types, and of values apart from notes of form."""

from __future__ import annotations

from typing import Any, cast

import msgspec

__all__ = ["differences", "first_difference", "told"]


def first_difference(expected: Any, actual: Any) -> str | None:
    """Where two JSON values first differ, with both sides; None when they are equal.

    1, 1.0 and true are three different things; the order of an object's members is not compared.
    """
    found = differences(expected, actual, limit=1)
    return found[0] if found else None


def differences(expected: Any, actual: Any, *, limit: int = 50) -> list[str]:
    """Every place where two JSON values differ, up to `limit`."""
    found: list[str] = []
    _compare(expected, actual, "", found, limit)
    return found


def _compare(expected: Any, actual: Any, path: str, found: list[str], limit: int) -> None:
    if len(found) >= limit:
        return
    if type(expected) is not type(actual):
        found.append(f"{path or '.'}: {_short(expected)} became {_short(actual)}")
    elif isinstance(expected, dict):
        _compare_objects(cast("dict[str, Any]", expected), actual, path, found, limit)
    elif isinstance(expected, list):
        _compare_lists(cast("list[Any]", expected), actual, path, found, limit)
    elif expected != actual:
        found.append(f"{path or '.'}: {_short(expected)} became {_short(actual)}")


def _compare_objects(expected: dict[str, Any], actual: dict[str, Any], path: str, found: list[str], limit: int) -> None:
    for name, value in expected.items():
        where = f"{path}.{name}" if path else name
        if name in actual:
            _compare(value, actual[name], where, found, limit)
        elif len(found) < limit:
            found.append(f"{where}: {_short(value)} is lost")
    found.extend(
        f"{f'{path}.{name}' if path else name}: {_short(actual[name])} was added"
        for name in actual
        if name not in expected and len(found) < limit
    )


def _compare_lists(expected: list[Any], actual: list[Any], path: str, found: list[str], limit: int) -> None:
    if len(expected) != len(actual):
        found.append(f"{path}: {len(expected)} items became {len(actual)}")
        return
    for index, (before, after) in enumerate(zip(expected, actual, strict=True)):
        _compare(before, after, f"{path}[{index}]", found, limit)


def _short(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.120}"


def told(value: Any, *, spelling: bool = True) -> Any:
    """A value as plain JSON without the notes of form (extras whose names begin with ":"), for comparison.

    With `spelling` False, tool calls' arguments are compared as the JSON that they are: a wire that holds them as
    objects cannot keep the spaces of their text.
    """
    return _without_notes(msgspec.to_builtins(value), spelling)


def _without_notes(value: Any, spelling: bool) -> Any:
    if isinstance(value, (list, tuple)):
        return [_without_notes(item, spelling) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    members = cast("dict[str, Any]", value)
    kept = {name: _without_notes(item, spelling) for name, item in members.items() if name != "extras"}
    if not spelling and members.get("type") == "tool_call":
        kept["arguments_text"] = _parsed(kept.get("arguments_text", ""))
    extras = _meant(members.get("extras"))
    if extras:
        kept["extras"] = extras
    return kept


def _parsed(text: Any) -> Any:
    try:
        return msgspec.json.decode(text) if text.strip() else {}
    except msgspec.DecodeError:
        return text


def _meant(extras: Any) -> Any:
    if not isinstance(extras, dict):
        return extras
    kept: dict[str, Any] = {}
    for dialect, members in cast("dict[str, Any]", extras).items():
        meant: dict[str, Any] = {name: item for name, item in members.items() if not name.startswith(":")}
        if meant:
            kept[dialect] = meant
    return kept
