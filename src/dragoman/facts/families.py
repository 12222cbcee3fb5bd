"""Families: names by declared patterns, evaluated as the data say and in their order; nothing is guessed.

A clause is an object whose members each hold a text or a list of them; it holds for a name where any member does:
`equals`, `starts_with`, `ends_with`, `contains` (letters of either case), `regex` (searched in the name in lower case),
`or` (a list of clauses, one holds), `and` (all hold).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dragoman.facts.form import Family

__all__ = [
    "FamilyIndex",
    "check_clause",
    "clause_holds",
    "compact_clause",
    "compiled_pattern",
    "with_dashed_date",
]


def clause_holds(clause: Mapping[str, Any], name: str) -> bool:
    """Whether a clause holds for a name that is in lower case. Raises `ValueError` for a kind that does not exist."""
    for kind, told in clause.items():
        if kind == "and":
            if all(clause_holds(inner, name) for inner in _clauses(told)):
                return True
        elif kind == "or":
            if any(clause_holds(inner, name) for inner in _clauses(told)):
                return True
        else:
            test = _TESTS.get(kind)
            if test is None:
                raise ValueError(f"{kind!r} is no kind of clause; they are {', '.join(sorted((*_TESTS, 'and', 'or')))}")
            if any(test(name, text) for text in _texts(told)):
                return True
    return False


def check_clause(clause: Mapping[str, Any]) -> None:
    """Raises `ValueError` or `TypeError` for a clause that cannot be evaluated."""
    for kind, told in clause.items():
        if kind in ("and", "or"):
            for inner in _clauses(told):
                check_clause(inner)
        elif kind not in _TESTS:
            clause_holds({kind: told}, "")
        elif not all(isinstance(text, str) for text in _texts(told)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"{kind!r} holds a text or a list of them, and not {told!r}")
        elif kind == "regex":
            for text in _texts(told):
                compiled_pattern(text)


def compiled_pattern(text: str) -> re.Pattern[str]:
    """A regular expression of the data; raises `ValueError` for a wrong one."""
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "equals": lambda name, text: name == text.lower(),
    "starts_with": lambda name, text: name.startswith(text.lower()),
    "ends_with": lambda name, text: name.endswith(text.lower()),
    "contains": lambda name, text: text.lower() in name,
    "regex": lambda name, text: re.search(text, name) is not None,
}


def _texts(told: Any) -> Sequence[str]:
    return (told,) if isinstance(told, str) else cast("list[str]", told)


def _clauses(told: Any) -> Iterable[Mapping[str, Any]]:
    return cast("list[Mapping[str, Any]]", told)


class FamilyIndex:
    """The families of one provider, in order. A name is looked up in one step unless patterns must be tried."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families
        self._equal: dict[str, int] = {}
        self._patterns: list[int] = []
        for number, family in enumerate(families):
            for text in _texts(family.clause.get("equals", ())):
                self._equal.setdefault(text.lower(), number)
            if set(family.clause) - {"equals"}:
                self._patterns.append(number)

    @property
    def ids(self) -> tuple[str, ...]:
        """The families' ids, in their order."""
        return tuple(family.id for family in self._families)

    def first(self, name: str) -> Family | None:
        """The first family whose clause holds; a date written without dashes is tried with them last."""
        lower = name.lower()
        found = self._first(lower)
        if found is None:
            dashed = with_dashed_date(lower)
            if dashed != lower:
                found = self._first(dashed)
        return found

    def named(self, name: str) -> Family | None:
        """The first family that lists a name itself, and not only by a pattern."""
        number = self._equal.get(name.lower())
        return None if number is None else self._families[number]

    def _first(self, lower: str) -> Family | None:
        equal = self._equal.get(lower)
        for number in self._patterns:
            if equal is not None and number > equal:
                break
            if clause_holds(self._families[number].clause, lower):
                return self._families[number]
        return None if equal is None else self._families[equal]


_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


def with_dashed_date(name: str) -> str:
    """`…-20251211` as `…-2025-12-11`: two ways in which hosts write the same version of a model."""
    return _DATE.sub(r"-\1-\2-\3", name)


def compact_clause(clause: Mapping[str, Any]) -> dict[str, Any]:
    """A clause with the alternatives of one kind gathered into a list; it holds for the same names."""
    if set(clause) != {"or"}:
        return {kind: _compact_member(kind, told) for kind, told in clause.items()}
    gathered: dict[str, Any] = {}
    for inner in _clauses(clause["or"]):
        for kind, told in compact_clause(inner).items():
            if kind == "and":
                gathered.setdefault("or", []).append({"and": told})
            elif kind == "or":
                gathered.setdefault("or", []).extend(told)
            else:
                gathered.setdefault(kind, []).extend(_texts(told))
    return {kind: _single(gathered[kind]) for kind in sorted(gathered)}


def _compact_member(kind: str, told: Any) -> Any:
    if kind in ("and", "or"):
        return [compact_clause(inner) for inner in _clauses(told)]
    return told


def _single(told: list[Any]) -> Any:
    return told[0] if len(told) == 1 and isinstance(told[0], str) else told
