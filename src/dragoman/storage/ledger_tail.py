"""The latest attempts as they come: from the spools at once, from the database what a look at the spools missed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from dragoman.ledger import Intent, Settlement, SpoolReader, find_spools
from dragoman.storage.ledger_queries import latest_attempts
from dragoman.storage.tables import open_attempts

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

__all__ = ["LedgerTail"]

_REMEMBERED = 20_000
_AT_ONCE = 5_000

Line = tuple[Intent, Settlement | None]


class LedgerTail:
    """Reads the spools of a directory and the database, which may come into being later; for one reader.

    A segment that is written, drained and removed between two looks is not missed: its rows are in the database.
    """

    def __init__(self, directory: str | Path, database: Callable[[], Engine | None]) -> None:
        self._directory = Path(directory)
        self._database = database
        self._readers: dict[str, SpoolReader] = {}
        self._open: dict[bytes, Intent] = {}
        self._told: dict[bytes, None] = {}
        self._sequence = 0

    def first(self, most: int) -> list[Line]:
        """Up to `most` of the attempts that began last, oldest first; those without a settlement are still open."""
        ended = self.more(most)
        lines: list[Line] = [*ended, *((intent, None) for intent in self._open.values())]
        return sorted(lines, key=lambda line: line[0].attempt_id)[-most:] if most > 0 else []

    def more(self, most: int = _AT_ONCE) -> list[Line]:
        """The attempts that have ended since the last look."""
        engine = self._database()
        if engine is not None:
            self._hold(engine)
        lines = self._spooled()
        if engine is not None:
            rows, self._sequence = latest_attempts(engine, most=most, after=self._sequence)
            lines += [row for row in rows if self._is_new(row[0].attempt_id)]
        return lines

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()

    def _hold(self, engine: Engine) -> None:
        """Learns of the intents whose segments may be gone."""
        with engine.connect() as connection:
            for payload in connection.execute(select(open_attempts.c.intent)).scalars():
                intent = msgspec.msgpack.decode(payload, type=Intent)
                if intent.attempt_id not in self._told:
                    self._open[intent.attempt_id] = intent

    def _spooled(self) -> list[Line]:
        lines: list[Line] = []
        paths = {path.name: path for path in find_spools(self._directory)}
        for name in self._readers.keys() - paths.keys():
            self._readers.pop(name).close()
        for name, path in paths.items():
            reader = self._readers.setdefault(name, SpoolReader(path))
            while records := reader.read(1000, dead=False):
                for record in records:
                    if isinstance(record, Intent):
                        self._open[record.attempt_id] = record
                    elif isinstance(record, Settlement):
                        intent = self._open.get(record.attempt_id)
                        if intent is not None and self._is_new(record.attempt_id):
                            lines.append((intent, record))
        return lines

    def _is_new(self, attempt_id: bytes) -> bool:
        self._open.pop(attempt_id, None)
        if attempt_id in self._told:
            return False
        self._told[attempt_id] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        return True
