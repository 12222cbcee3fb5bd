"""Where the drain writes: a batch in one transaction, its place in the spool with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.dialects import sqlite

from dragoman.ledger import Place, Standing
from dragoman.storage.tables import attempts, corrections, open_attempts, requests, spools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

    from dragoman.ledger import Batch

__all__ = ["LedgerStore"]


def _insertion(table: Table) -> str:
    """The statement that adds a row of all columns, in order, but `sequence`, which the database counts.

    A row that is there already is left alone: places in the spool keep that from happening, and if it did, a drain that
    stands still would be worse.
    """
    names = [column.name for column in table.columns if column.name != "sequence"]
    statement = insert(table).prefix_with("OR IGNORE").values(dict.fromkeys(names))
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="qmark")))


_ATTEMPT, _CORRECTION, _REQUEST, _OPEN = map(_insertion, (attempts, corrections, requests, open_attempts))


class LedgerStore:
    """The ledger's part of a database. One drain at a time; `ledger.Drain` elects it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def standing(self, spool: str) -> Standing:
        """How far a spool was carried over."""
        with self._engine.connect() as connection:
            found = connection.execute(
                select(spools.c.segment, spools.c.position, spools.c.finished).where(spools.c.name == spool)
            ).first()
            if found is None:
                return Standing()
            held = connection.execute(select(open_attempts.c.intent).where(open_attempts.c.spool == spool)).scalars()
            return Standing(Place(found.segment, found.position), held.all(), found.finished)

    def apply(self, batch: Batch) -> None:
        """Adds a batch; on the disk when this returns. Raises SQLAlchemy's errors, and then nothing was added."""
        with self._engine.begin() as connection:
            self._move(connection, batch)
            # The rows are tuples in the order of the columns and go to the driver as they are: the expression language
            # costs about twice as much (benchmarks/spool.py).
            _add(connection, _ATTEMPT, batch.attempts)
            _add(connection, _CORRECTION, batch.corrections)
            _add(connection, _REQUEST, batch.requests)
            _add(connection, _OPEN, [(attempt_id, batch.spool, payload) for attempt_id, payload in batch.opened])
            _add(connection, "DELETE FROM open_attempts WHERE attempt_id = ?", [(closed,) for closed in batch.closed])

    def close(self) -> None:
        """Closes the database's connections; others are opened when they are needed."""
        self._engine.dispose()

    def forget(self, spool: str) -> None:
        """Drops a finished spool's standing."""
        with self._engine.begin() as connection:
            connection.execute(delete(spools).where(spools.c.name == spool, spools.c.finished))

    def finished(self) -> list[str]:
        """The finished spools whose standing was not dropped yet."""
        with self._engine.connect() as connection:
            return list(connection.execute(select(spools.c.name).where(spools.c.finished)).scalars())

    def _move(self, connection: Connection, batch: Batch) -> None:
        """Moves the spool's place on, from where it must be: no two drains can carry one batch over."""
        after = {"segment": batch.after.segment, "position": batch.after.offset, "finished": batch.finished}
        moved = connection.execute(
            update(spools)
            .where(
                spools.c.name == batch.spool,
                spools.c.segment == batch.before.segment,
                spools.c.position == batch.before.offset,
                ~spools.c.finished,
            )
            .values(after)
        )
        if moved.rowcount == 0:
            connection.execute(insert(spools).values(name=batch.spool, **after))  # fails if the place was another one


def _add(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        connection.exec_driver_sql(statement, rows)  # pyright: ignore[reportArgumentType] - its stub wants a list
