"""The ledger's rows held against what the provider saw and what clients were given."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import func, select

from dragoman.ledger import find_spools
from dragoman.storage import open_database
from dragoman.storage.ledger_queries import latest_attempts, sums
from dragoman.storage.tables import open_attempts, spools
from tests.gateway.witness import cost_of, input_tokens, output_tokens

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from dragoman.ledger import Intent, Settlement

__all__ = ["Audit", "audit"]

MOST_ROWS = 10_000_000


class Audit(msgspec.Struct, frozen=True):
    """What was found: rows by their outcome, and what they come to."""

    rows: int
    outcomes: dict[str, int]
    total: Decimal


def audit(folder: Path, seen: Counter[str], delivered: AbstractSet[str]) -> Audit:
    """Fails at the first thing that is not as it has to be, once nothing serves any more."""
    assert find_spools(folder / "spool") == []
    engine = open_database(f"sqlite:///{folder}/ledger.db")
    try:
        with engine.connect() as connection:
            for table in (open_attempts, spools):
                assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0, table
        rows, _ = latest_attempts(engine, most=MOST_ROWS)
        by_key = sums(engine, "key")
    finally:
        engine.dispose()
    by_model: dict[str, list[tuple[Intent, Settlement]]] = {}
    for intent, settlement in rows:
        by_model.setdefault(intent.model, []).append((intent, settlement))
        _check(intent, settlement)
    for model in seen.keys() | by_model.keys() | delivered:
        _check_model(model, by_model.get(model, []), seen[model], model in delivered)
    outcomes = Counter(settlement.outcome for _, settlement in rows)
    total = sum((Decimal(settlement.cost) for _, settlement in rows if settlement.cost is not None), Decimal(0))
    if rows:
        (told,) = by_key
        assert (told.group, told.attempts) == ("ci", len(rows))
        assert Decimal(told.cost or "0") == total
    return Audit(len(rows), dict(sorted(outcomes.items())), total)


def _check(intent: Intent, settlement: Settlement) -> None:
    model = intent.model
    assert intent.bound is not None, intent
    match settlement.outcome:
        case "ok":
            assert (settlement.input_tokens, settlement.output_tokens) == (input_tokens(model), output_tokens(model))
            assert (Decimal(settlement.cost or "-1"), settlement.basis) == (cost_of(model), "computed"), settlement
            assert Decimal(intent.bound) >= cost_of(model)
        case "unknown":
            assert (settlement.cost, settlement.basis) == (intent.bound, "bound"), settlement
        case "error" | "cancelled":
            assert settlement.cost is None or Decimal(settlement.cost) <= Decimal(intent.bound), settlement
        case "abandoned":
            assert settlement.cost == "0", settlement


def _check_model(model: str, rows: list[tuple[Intent, Settlement]], seen: int, delivered: bool) -> None:
    """`seen` requests reached the provider under this name, which one client's request alone had."""
    outcomes = [settlement.outcome for _, settlement in rows]
    told = f"{model}: seen {seen}, delivered {delivered}, rows {[msgspec.to_builtins(row[1]) for row in rows]}"
    # Whoever was cut off while it sent may or may not have been heard; all others were heard, or have sent nothing.
    heard = sum(
        outcome == "ok" or (outcome == "error" and row.sent == "yes")
        for (_, row), outcome in zip(rows, outcomes, strict=True)
    )
    possible = sum(row.sent != "no" for _, row in rows)
    assert heard <= seen <= possible, told
    assert outcomes.count("ok") == 1 if delivered else outcomes.count("ok") <= 1, told
    assert len({intent.request_id for intent, _ in rows}) <= 1, told
    numbers = [intent.number for intent, _ in rows]
    assert sorted(numbers) == list(range(1, len(rows) + 1)), told
