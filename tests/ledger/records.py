"""Records to write in tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dragoman.ledger import Intent, Settlement, Spool, new_attempt_id
from dragoman.ledger.births import claim_if_dead

SMALL = 64 * 1024  # the smallest segment there may be


def intent(request_id: str = "req_1", **fields: Any) -> Intent:
    given: dict[str, Any] = {
        "attempt_id": new_attempt_id(),
        "request_id": request_id,
        "key": "ci",
        "team": "core",
        "route": "fast",
        "deployment": "groq/llama",
        "provider": "groq",
        "model": "llama",
        "dialect_in": "openai-chat",
        "dialect_out": "openai-chat",
        "mode": "relay",
        "stream": False,
        "number": 1,
        "reason": "first choice",
        "at": 1_800_000_000.0,
        "bound": "0.25",
        "bound_reason": "max_tokens",
        "price": "0.59/0.79",
    }
    return Intent(**given | fields)


def settlement(of: Intent, **fields: Any) -> Settlement:
    given: dict[str, Any] = {
        "attempt_id": of.attempt_id,
        "at": 1_800_000_001.5,
        "outcome": "ok",
        "status": 200,
        "input_tokens": 10,
        "output_tokens": 5,
        "cost": "0.1",
        "basis": "computed",
        "duration_seconds": 1.5,
    }
    return Settlement(**given | fields)


def write(spool: Spool, request_id: str = "req_1", **fields: Any) -> Intent:
    """Write an attempt and its settlement."""
    begun = intent(request_id, **fields)
    spool.intent(begun)
    spool.settle(settlement(begun))
    return begun


def is_dead(spool: Path) -> bool:
    claim = claim_if_dead(spool)
    if claim is not None:
        claim.release()
    return claim is not None
