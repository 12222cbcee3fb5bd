"""One test for all dialects that a thing is said in: a test costs more than such a check of a millisecond."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["in_each"]


def in_each(dialects: Iterable[str], check: Callable[[str], None]) -> None:
    """Checks every dialect, also behind one that failed.

    What failed first is raised, with its dialect's name, and with the names and the words of all others that failed.
    """
    failed: dict[str, Exception] = {}
    for dialect in dialects:
        try:
            check(dialect)
        except Exception as error:  # noqa: BLE001  # raised below, whatever it is
            failed[dialect] = error
    if failed:
        (first, error), *others = failed.items()
        error.add_note(f"in {first}")
        for other, beside in others:
            error.add_note(f"and in {other}: {type(beside).__name__}: {beside}")
        raise error
