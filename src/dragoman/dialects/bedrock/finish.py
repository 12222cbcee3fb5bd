"""Finish: the wire's stop reasons and ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.reading import text
from dragoman.values import Finish, Refusal

if TYPE_CHECKING:
    from dragoman.dialects.bedrock.forms import Writing
    from dragoman.values import FinishReason, JsonObject, Message

__all__ = ["decode_finish", "encode_finish"]

_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "refusal",
    "pause_turn": "paused",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}
_STOP_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
    "refusal": "content_filtered",
    "paused": "end_turn",
    "error": "malformed_model_output",
    "other": "end_turn",
}
_APPROXIMATE: frozenset[FinishReason] = frozenset({"refusal", "paused", "error", "other"})


def decode_finish(wire: JsonObject) -> Finish | None:
    """The finish of an answer, or None while it has no stop reason."""
    raw = text(wire, "stopReason")
    if raw is None:
        return None
    # Models that were asked to (additionalModelResponseFieldPaths) tell which stop sequence it was: in a stream as a
    # member of the model's own last event.
    fields: Any = wire.get("additionalModelResponseFields")
    stop = _stop_sequence(fields) or _stop_sequence(_member(fields, "delta"))
    return Finish(reason=_REASONS.get(raw, "other"), raw=raw, stop_sequence=stop)


def _stop_sequence(fields: Any) -> str | None:
    stop = _member(fields, "stop_sequence")
    return stop if stop and isinstance(stop, str) else None


def _member(holder: Any, name: str) -> Any:
    return cast("JsonObject", holder).get(name) if isinstance(holder, dict) else None


def encode_finish(finish: Finish, message: Message, writing: Writing) -> JsonObject:
    """`stopReason`, and a stop sequence of another wire's answer."""
    if not writing.mend and finish.raw is not None and _REASONS.get(finish.raw, "other") == finish.reason:
        return {"stopReason": finish.raw}
    refused = finish.reason == "stop" and any(isinstance(part, Refusal) for part in message.parts)
    reason = "content_filtered" if refused else _STOP_REASONS[finish.reason]
    if finish.reason in _APPROXIMATE or refused:
        path = "choices[0].finish.reason"
        writing.log.substituted(path, "the wire has no such stop reason", finish.raw or finish.reason, reason)
    if finish.reason == "stop" and finish.stop_sequence is not None:
        fields = {"stop_sequence": finish.stop_sequence}
        return {"stopReason": "stop_sequence", "additionalModelResponseFields": fields}
    return {"stopReason": reason}
