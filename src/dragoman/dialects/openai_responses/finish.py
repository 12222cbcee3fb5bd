"""`status`, `incomplete_details` and `error` of a response ↔ `Finish`.

| status | details | reason |
| --- | --- | --- |
| completed | | `tool_calls` if the caller has calls to run, `refusal` if the model declined, else `stop` |
| incomplete | max_output_tokens | `length` |
| incomplete | content_filter | `content_filter` |
| incomplete, cancelled | anything else | `other` |
| queued, in_progress | | none yet: a background answer that is still being made |
| failed | | no answer: a `ProviderError` |

An object without a status (a compaction) is complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.values import Finish, FinishReason, Refusal

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Message

__all__ = ["decode_finish", "encode_finish"]

_DETAILS: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
_RAW_OF: dict[str, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}
_UNDER_WAY = frozenset({"queued", "in_progress"})


def decode_finish(status: str | None, details: Any, message: Message) -> Finish | None:
    """Why the answer ended; None while it has not."""
    if status in _UNDER_WAY:
        return None
    if status == "incomplete":
        told = cast("JsonObject", details) if isinstance(details, dict) else {}
        raw = told.get("reason")
        word = raw if isinstance(raw, str) else None
        more = told if len(told) > 1 else None
        return Finish(reason=_DETAILS.get(word or "", "other"), raw=word or status, detail=more)
    if status not in (None, "completed"):
        return Finish(reason="error" if status == "failed" else "other", raw=status)
    if message.tool_calls:
        return Finish(reason="tool_calls", raw=status)
    declined = any(isinstance(part, Refusal) for part in message.parts)
    return Finish(reason="refusal" if declined else "stop", raw=status)


def encode_finish(finish: Finish | None) -> JsonObject:
    """The members `status` and `incomplete_details` (and `error` for an answer that failed)."""
    reason = "stop" if finish is None else finish.reason
    if reason in _RAW_OF:
        return {"status": "incomplete", "incomplete_details": {"reason": _RAW_OF[reason]}, "error": None}
    if reason == "error":
        error = {"code": "server_error", "message": "The model failed."}
        return {"status": "failed", "incomplete_details": None, "error": error}
    return {"status": "completed", "incomplete_details": None, "error": None}
