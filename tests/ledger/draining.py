"""Draining to the end, and what the database then holds. Apart from `records`, for programs that are to start fast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dragoman.ledger import Drain
from dragoman.storage import LedgerStore, open_database


def url(directory: Path) -> str:
    return f"sqlite:///{directory / 'dragoman.db'}"


def drained(directory: Path) -> list[tuple[Any, ...]]:
    """Drain all there is, and return the rows of `attempts` as tuples of id, request, outcome, basis and cost."""
    engine = open_database(url(directory))
    drain = Drain(directory / "spool", LedgerStore(engine))
    try:
        drain.run_dry()
        with engine.connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT attempt_id, request_id, outcome, basis, cost FROM attempts ORDER BY sequence"
            ).all()
        return [tuple(row) for row in found]
    finally:
        drain.close()
        engine.dispose()
