"""Opening the database: SQLite on one machine, in the settings that its callers rely on."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from dragoman.errors import ConfigError
from dragoman.ledger.money import ExactSum
from dragoman.storage.tables import SCHEMA_VERSION, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["bind_quickly", "open_database"]

_BUSY_SECONDS = 10
_CHECKPOINT_PAGES = 4000
"""Of the log, before it is copied into the database: at SQLite's 1000 (4 MiB) a batch of the drain has hardly been
written before its pages are written again, which costs as much as adding the rows (benchmarks/spool.py)."""


def open_database(url: str, *, durable: bool = True) -> Engine:
    """The database at a URL such as `sqlite:///dragoman.db`, its tables made if they are missing.

    Write-ahead logging lets readers read while the drain writes. Every commit waits for the disk (`synchronous=FULL`):
    after it a segment of the spool is deleted, and then the row is all there is. The drain commits in batches, so that
    this costs little. In SQL, `exact_sum(cost)` adds amounts up without rounding.

    Raises `ConfigError` for another kind of database, and for one that a newer version wrote.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(f"{url!r} is no database URL; write sqlite:/// and the path of a file") from None
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise ConfigError(f"{parsed.render_as_string()} is no SQLite file; write sqlite:/// and the path of a file")
    Path(str(parsed.database)).absolute().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed.set(drivername="sqlite"), connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare if durable else _prepare_quick)
    with engine.connect() as connection:
        found = _version(connection)
    if found > SCHEMA_VERSION:
        engine.dispose()
        raise ConfigError(
            f"{parsed.database} was written by a newer version (schema {found}, this one knows {SCHEMA_VERSION})"
        )
    if found < SCHEMA_VERSION:
        _make_tables(engine)
    return engine


def bind_quickly() -> None:
    """Spares this process a search for each value of None, a boolean or bytes: a fifth of the time of a drain.

    Python's module asks of all of them whether somebody wants them adapted. Told that they stay as they are, it goes on
    at once. It is told for the whole process, so this is for one that does nothing else.
    """
    sqlite3.register_adapter(type(None), {None: None}.get)
    sqlite3.register_adapter(bool, int)
    sqlite3.register_adapter(bytes, bytes)


def _version(connection: Connection) -> int:
    return connection.exec_driver_sql("PRAGMA user_version").scalar_one()


def _make_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        # Several processes, and threads of each, open a new database at once: one of them makes its tables.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        if _version(connection) < SCHEMA_VERSION:
            metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # Its stub knows aggregates of integers only; SQLite takes any of its types.
    connection.create_aggregate("exact_sum", 1, ExactSum)  # pyright: ignore[reportArgumentType]
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")


def _prepare_quick(connection: sqlite3.Connection, record: object) -> None:
    _prepare(connection, record)
    connection.execute("PRAGMA synchronous = NORMAL")
