"""What a benchmark says: a titled table with the conditions of its measurement, printed as Markdown."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Table", "is_quick", "ratio"]


@dataclass(frozen=True, slots=True)
class Table:
    """`heads` over `rows` of texts; the first column holds words, the others figures."""

    title: str
    about: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table with its title and its conditions."""
        rule = ["---", *["---:"] * (len(self.heads) - 1)]
        lines = [_row(self.heads), _row(rule), *map(_row, self.rows)]
        return f"### {self.title}\n\n{self.about}\n\n" + "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def ratio(other: float, ours: float) -> str:
    """How many times ours the other's figure is."""
    return f"{other / ours:.1f} ×" if ours > 0 else "–"


def is_quick(description: str | None) -> bool:
    """Whether the command line asks for the least that shows that a benchmark runs, whose figures mean nothing."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="the least that runs everything; the figures mean nothing")
    return parser.parse_args().quick
