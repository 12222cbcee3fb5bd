"""Questions to the ledger: one request, the latest rows, sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec
from sqlalchemy import func, select

from dragoman.ledger import Found, Intent, RequestRecord, Settlement, amount_text, exact_sum, find_in_spools
from dragoman.ledger.identity import id_at
from dragoman.storage.tables import attempts, corrections, open_attempts, requests

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Engine, Row

__all__ = ["Grouping", "Sum", "find_request", "latest_attempts", "sums"]

Grouping = Literal["key", "team", "route", "deployment", "provider", "model", "outcome"]
_SumRow = tuple[str | None, str | None, int, int, int, str | None, str | None, int]
_INTENT = len(Intent.__struct_fields__)
"""Row of `attempts` without its sequence: the fields of an intent, then those of a settlement but its id."""


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """What a group of attempts came to. `cost` includes corrections; None: no cost of them is known.

    `unknown_costs` counts attempts without a cost, which `cost` therefore lacks.
    """

    group: str
    currency: str
    attempts: int
    input_tokens: int
    output_tokens: int
    cost: str | None
    unknown_costs: int


def find_request(engine: Engine, directory: str | Path, request_id: str) -> Found:
    """A request's attempts, wherever they are: in the spools, in the database, or on the way.

    Records travel from the spools, some through `open_attempts`, to `attempts`. They are asked in an order in which
    what travels meanwhile may be found twice, but never not at all. Blocks on files: call it in a thread.
    """
    with engine.connect() as connection:
        spooled = find_in_spools(directory, request_id, _held(connection, request_id))
        held = _held(connection, request_id)
        rows = connection.execute(select(attempts).where(attempts.c.request_id == request_id)).all()
        answered = connection.execute(select(requests).where(requests.c.request_id == request_id)).first()
    found: dict[bytes, tuple[Intent, Settlement | None]] = {intent.attempt_id: (intent, None) for intent in held}
    found.update((intent.attempt_id, (intent, settlement)) for intent, settlement in spooled.attempts)
    found.update((row.attempt_id, _attempt(row)) for row in rows)
    request = spooled.request if answered is None else RequestRecord(**answered._mapping)  # pyright: ignore[reportPrivateUsage] - SQLAlchemy's public name
    return Found([found[attempt_id] for attempt_id in sorted(found)], request)


def _held(connection: Connection, request_id: str) -> list[Intent]:
    payloads = connection.execute(select(open_attempts.c.intent)).scalars().all()
    held = [msgspec.msgpack.decode(payload, type=Intent) for payload in payloads]
    return [intent for intent in held if intent.request_id == request_id]


def latest_attempts(
    engine: Engine, *, most: int, key: str | None = None, since: float | None = None, after: int = 0
) -> tuple[list[tuple[Intent, Settlement]], int]:
    """Up to `most` of the attempts that were carried over last, oldest first, and the last sequence number there is.

    `since` (Unix seconds) is when they began at the earliest; `after` leaves out those up to that sequence number.
    """
    query = select(attempts).where(attempts.c.sequence > after)
    if key is not None:
        query = query.where(attempts.c.key == key)
    if since is not None:
        query = query.where(attempts.c.attempt_id >= id_at(since))
    with engine.connect() as connection:
        last = connection.execute(select(func.max(attempts.c.sequence))).scalar() or 0
        rows = connection.execute(query.order_by(attempts.c.sequence.desc()).limit(most)).all()
    return [_attempt(row) for row in reversed(rows)], last


def sums(engine: Engine, by: Grouping, *, since: float | None = None) -> list[Sum]:
    """What was spent by key, team, …: one row for each group and currency, exact to the last decimal."""
    of_group, of_cost = attempts.c[by], attempts.c.cost
    corrected = select(
        corrections.c.attempt_id, func.exact_sum(corrections.c.amount).label("amount"), func.count().label("rows")
    ).group_by(corrections.c.attempt_id)
    added = corrected.subquery()
    query = (
        select(
            of_group,
            attempts.c.currency,
            func.count(),
            func.coalesce(func.sum(attempts.c.input_tokens), 0),
            func.coalesce(func.sum(attempts.c.output_tokens), 0),
            func.exact_sum(of_cost),
            func.exact_sum(added.c.amount),
            func.count().filter(of_cost.is_(None), added.c.amount.is_(None)),
        )
        .join_from(attempts, added, attempts.c.attempt_id == added.c.attempt_id, isouter=True)
        .group_by(of_group, attempts.c.currency)
        .order_by(of_group)
    )
    if since is not None:
        query = query.where(attempts.c.attempt_id >= id_at(since))
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [_sum(cast("_SumRow", tuple(row))) for row in rows]


def _sum(row: _SumRow) -> Sum:
    group, currency, count, input_tokens, output_tokens, cost, corrected, unknown = row
    total = None if cost is None and corrected is None else amount_text(exact_sum([cost, corrected]))
    return Sum(
        group=group or "",
        currency=currency or "",
        attempts=count,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost=total,
        unknown_costs=unknown,
    )


def _attempt(row: Row[Any]) -> tuple[Intent, Settlement]:
    values = tuple(row)[1:]
    intent = Intent(**dict(zip(Intent.__struct_fields__, values[:_INTENT], strict=True)))
    settled = (values[0], *values[_INTENT:])
    return intent, Settlement(**dict(zip(Settlement.__struct_fields__, settled, strict=True)))
