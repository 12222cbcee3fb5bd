"""The tables. Those of the ledger are only ever added to: what was wrong is put right by a row of `corrections`.

`attempts` holds one row for each attempt that has ended, with the columns of its intent and of its settlement under
the names of `ledger.records`; two of them, the times, are `started_at` and `ended_at` here. `open_attempts` and
`spools` are the drain's own: how far each spool was carried over, and what was open there. `states` is no part of the
ledger: what providers keep for clients, with its owner (`state_store`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, MetaData, Table, Text

__all__ = ["SCHEMA_VERSION", "attempts", "corrections", "metadata", "open_attempts", "requests", "spools", "states"]

SCHEMA_VERSION = 2
metadata = MetaData()


def _columns(kind: type[Text | Integer | Float[float]], names: str) -> list[Column[Any]]:
    return [Column(name, kind) for name in names.split()]


attempts = Table(
    "attempts",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("attempt_id", LargeBinary(16), nullable=False, unique=True),
    Column("request_id", Text, nullable=False, index=True),
    *_columns(Text, "key team route deployment provider model dialect_in dialect_out mode"),
    Column("stream", Boolean),
    Column("number", Integer),
    Column("reason", Text),
    Column("started_at", Float),
    *_columns(Text, "bound bound_reason price"),
    Column("ended_at", Float),
    Column("outcome", Text),
    Column("status", Integer),
    *_columns(Text, "error message sent"),
    *_columns(Integer, "input_tokens output_tokens cache_read_tokens cache_write_tokens reasoning_tokens"),
    *_columns(Text, "cost currency basis"),
    *_columns(Float, "first_byte_seconds duration_seconds"),
    Column("upstream_request_id", Text),
    Column("adaptations", Integer),
    Column("service_tier", Text),
    Column("cache_hit", Boolean),
    Column("usage_details", Text),
)

corrections = Table(
    "corrections",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("correction_id", LargeBinary(16), nullable=False, unique=True),
    Column("attempt_id", LargeBinary(16), nullable=False, index=True),
    Column("at", Float),
    *_columns(Text, "amount basis reason currency"),
)

requests = Table(
    "requests",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("at", Float),
    *_columns(Text, "key team route"),
    Column("status", Integer),
    Column("adaptations", Text),
)

open_attempts = Table(
    "open_attempts",
    metadata,
    Column("attempt_id", LargeBinary(16), primary_key=True),
    Column("spool", Text, nullable=False, index=True),
    Column("intent", LargeBinary, nullable=False),
)

spools = Table(
    "spools",
    metadata,
    Column("name", Text, primary_key=True),
    Column("segment", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("finished", Boolean, nullable=False),
)

states = Table(
    "states",
    metadata,
    Column("name", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    *_columns(Text, "key team"),
    Column("expires_at", Float, nullable=False, index=True),
    sqlite_with_rowid=False,
)
