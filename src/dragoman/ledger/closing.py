"""What an attempt is booked at whose process died before it was settled."""

from __future__ import annotations

from dragoman.ledger.records import Intent, Settlement

__all__ = ["close_at_bound", "lost_intent"]


def close_at_bound(intent: Intent, at: float) -> Settlement:
    """The settlement of an orphan: outcome `unknown`, booked at its bound, without a cost where none was known.

    Nobody can tell how far it got: the intent is written before the first byte goes upstream, and whether one went
    the dead process alone knew.
    """
    return Settlement(
        attempt_id=intent.attempt_id,
        at=at,
        outcome="unknown",
        message="the process ended before the attempt was settled",
        sent="maybe",
        cost=intent.bound,
        basis="unknown" if intent.bound is None else "bound",
        duration_seconds=max(0.0, at - intent.at),
    )


def lost_intent(settlement: Settlement) -> Intent:
    """Stands for an intent that a power failure destroyed, so that its settlement is booked all the same."""
    return Intent(
        attempt_id=settlement.attempt_id,
        request_id="",
        key="",
        team="",
        route="",
        deployment="",
        provider="",
        model="",
        dialect_in="",
        dialect_out="",
        mode="relay",
        stream=False,
        number=0,
        reason="",
        at=settlement.at - settlement.duration_seconds,
        bound_reason="the intent was lost on the disk",
    )
