"""Finish: the wire's stop reasons and ours. `stop_details` is the finish's detail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.reading import text
from dragoman.values import Finish, Refusal

if TYPE_CHECKING:
    from dragoman.dialects.anthropic.forms import Writing
    from dragoman.values import FinishReason, JsonObject, Message

__all__ = ["decode_finish", "encode_finish"]

_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "pause_turn": "paused",
    "compaction": "paused",  # the turn stops after its context was compacted and goes on when it is sent back
    "refusal": "refusal",
}
_STOP_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "paused": "pause_turn",
    "error": "end_turn",
    "other": "end_turn",
}
_APPROXIMATE: frozenset[FinishReason] = frozenset({"content_filter", "error", "other"})


def decode_finish(wire: JsonObject, path: str = "") -> Finish | None:
    """The finish of a message object, or None while it has no stop reason."""
    raw, sequence = wire.get("stop_reason"), wire.get("stop_sequence")
    if not isinstance(raw, str):
        raw = text(wire, "stop_reason", path)
        if raw is None:
            return None
    if sequence is not None:
        sequence = text(wire, "stop_sequence", path)
    reason = _REASONS.get(raw, "other")
    return Finish(reason=reason, raw=raw, stop_sequence=sequence, detail=wire.get("stop_details"))


def encode_finish(finish: Finish | None, message: Message, writing: Writing) -> JsonObject:
    """`stop_reason` and, once there is one, `stop_sequence` and the `stop_details` that there are."""
    if finish is None:
        return {"stop_reason": None}
    if not writing.mend and finish.raw is not None and _REASONS.get(finish.raw, "other") == finish.reason:
        wire: JsonObject = {"stop_reason": finish.raw, "stop_sequence": finish.stop_sequence}
        if finish.detail is not None:
            wire["stop_details"] = finish.detail
        return wire
    refused = finish.reason == "stop" and any(isinstance(part, Refusal) for part in message.parts)
    reason = "refusal" if refused else _STOP_REASONS[finish.reason]
    if finish.reason in _APPROXIMATE:
        path = "choices[0].finish.reason"
        writing.log.substituted(path, "the wire has no such stop reason", finish.raw or finish.reason, reason)
    if finish.reason == "stop" and finish.stop_sequence is not None:
        reason = "stop_sequence"
    return {"stop_reason": reason, "stop_sequence": finish.stop_sequence, "stop_details": _details(reason, finish)}


def _details(reason: str, finish: Finish) -> Any:
    if reason != "refusal":
        return None
    detail: Any = finish.detail
    if isinstance(detail, dict) and cast("JsonObject", detail).get("type") == "refusal":
        return cast("JsonObject", detail)
    return {"type": "refusal", "category": None, "explanation": None}
