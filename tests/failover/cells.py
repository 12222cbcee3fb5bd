"""The cells of the proof: a fault, a caller's dialect, whole or streamed, and the dialects of the deployments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dragoman.errors import Remedy
from dragoman.testing import Stall, Status
from tests.failover.faults import ROWS, Law, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.testing import Passage, Seen
    from tests.failover.callers import Saw

__all__ = ["CLIENTS", "DIALECTS", "SHAPES", "Cell", "Outcome", "Shape", "all_cells"]

CLIENTS = ("openai-chat", "openai-responses", "anthropic", "gemini")
DIALECTS = (*CLIENTS, "bedrock", "cohere", "ollama")

Shape = Literal["pair", "alone", "again", "acts"]
SHAPES: Mapping[Shape, str] = {
    "pair": "a faulty deployment and a healthy one",
    "alone": "the faulty deployment alone, tried twice at most",
    "again": "the same, where the second try meets no fault",
    "acts": "a pair, and a request that may act on the world",
}


@dataclass(frozen=True)
class Cell:
    """One call to make. `upstream` is the faulty deployment's dialect, `healthy` the other one's, if there is one."""

    number: int
    shape: Shape
    row: Row
    client: str
    upstream: str
    healthy: str | None
    streamed: bool

    @property
    def law(self) -> Law:
        """Who may be asked after the fault."""
        return self.row.law_in(self.upstream)

    @property
    def kills_credential(self) -> bool:
        """Whether the fault says that the credential is of no use."""
        return isinstance(self.row.fault, Status) and self.row.fault.error().remedy is Remedy.CREDENTIAL

    @property
    def mark(self) -> str:
        """What the call is known by, everywhere."""
        return f"cell-{self.number:05d}"

    @property
    def place(self) -> str:
        """The provider of the faulty deployment."""
        if self.row.fault is None:
            return f"refused-{self.upstream}"
        if not self.row.slow:
            return f"faulty-{self.upstream}"
        # Only the limit that the fault is about is short, so that no other one is reached on a busy machine.
        stalls = self.streamed and isinstance(self.row.fault, Stall) and self.row.fault.after > 0
        return f"{'stalled' if stalls else 'slow'}-{self.upstream}"

    @property
    def pattern(self) -> str:
        """The public model, but for its last letters; those with retries have a share of retries for each fault.

        A credential that was refused is dead wherever it is used, so each of those calls has one of its own.
        """
        known = f"{self.shape}-{self.place}"
        if self.kills_credential:
            return f"by-{self.number}-{known}-"
        if self.healthy is not None:
            return f"{known}-to-{self.healthy}-"
        return f"{known}-{ROWS.index(self.row)}-"

    @property
    def model(self) -> str:
        return f"{self.pattern}{self.number:05d}"

    def __str__(self) -> str:
        how = "streamed" if self.streamed else "whole"
        return f"{self.shape}: {self.row.name}, {self.client} to {self.upstream} ({self.healthy}), {how}"


@dataclass
class Outcome:
    """What came of a cell: what the caller saw, what the two servers were asked, what the ledger holds."""

    cell: Cell
    saw: Saw
    faulty: list[Passage] = field(default_factory=list["Passage"])
    healthy: list[Seen] = field(default_factory=list["Seen"])
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def all_cells() -> list[Cell]:
    """Every fault × streamed or not × each public dialect, with the deployments' dialects in pairs.

    A pair is asked once in the caller's own dialect, where bytes pass, and once in two others, which change from row to
    row, so that each dialect is once the faulty and once the healthy one for every caller.
    """
    cells: list[Cell] = []

    def add(shape: Shape, row: Row, client: str, upstream: str, healthy: str | None, streamed: bool) -> None:
        cells.append(Cell(len(cells), shape, row, client, upstream, healthy, streamed))

    for place, row in enumerate(ROWS):
        for streamed in (False, True):
            if row.streams and not streamed:
                continue
            for turn, client in enumerate(CLIENTS):
                others = [dialect for dialect in DIALECTS if dialect != client]
                other = others[(place + turn) % len(others)]
                add("pair", row, client, client, client, streamed)
                add("pair", row, client, other, DIALECTS[(place + 2 * turn + streamed) % len(DIALECTS)], streamed)
                alone = client if (place + turn) % 2 else other
                add("alone", row, client, alone, None, streamed)
                if row.law == "any" and row.fault is not None:
                    add("again", row, client, alone, None, streamed)
                if not row.slow:
                    add("acts", row, client, client, client, streamed)
    return cells
