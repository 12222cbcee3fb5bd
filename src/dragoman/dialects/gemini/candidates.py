"""What answers and their chunks have in common: members of the answer, of a candidate, and why it ended.

responseId → id    modelVersion → model    createTime → created    usageMetadata → usage (and its service tier)
candidate.index, finishReason (raw), finishMessage (detail); all other members stay in the choice's extras
promptFeedback and the like stay in the answer's extras
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dragoman.dialects.gemini.members import read, shape
from dragoman.dialects.gemini.words import FINISH_WORDS, REASONS, finish_word
from dragoman.dialects.reading import integer, text
from dragoman.values import Finish, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.dialects.gemini.members import Reading
    from dragoman.values import AdaptationLog, JsonObject, Part, Target

__all__ = [
    "ANSWER",
    "BLOCKED",
    "CANDIDATE",
    "UNFINISHED",
    "blocked_finish",
    "created_text",
    "finish_members",
    "read_answer_members",
    "read_finish",
    "seconds",
    "unsaid_finish",
]

ANSWER = shape("candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId", "createTime")
CANDIDATE = shape("content", "index", "finishReason", "finishMessage")

BLOCKED = ":blocked"
"""The note of a choice that stands for an answer without candidates: its prompt was blocked, or nothing is told."""

UNFINISHED = ":unfinished"
"""The note of a candidate that is over without a reason of its own: the finish that it was given."""


def read_answer_members(body: JsonObject, path: str) -> Reading:
    """The members of an answer; `promptFeedback` is among the rest too, since it is written back as it is."""
    reading = read(body, ANSWER, path)
    if "promptFeedback" in reading.found:
        reading.rest["promptFeedback"] = reading.found["promptFeedback"]
    return reading


def seconds(stamp: str | None) -> int | None:
    """Unix time of an RFC 3339 time; None for what is none."""
    if stamp is None:
        return None
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())


def created_text(created: int) -> str:
    """RFC 3339 of a Unix time."""
    return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_finish(found: JsonObject, notes: JsonObject, target: Target, path: str) -> Finish | None:
    """Why a candidate ended; "stop" with calls to run becomes "tool_calls" once the parts are known."""
    value = found.get("finishReason")
    detail = text(found, "finishMessage", path)
    if value is None:
        if detail is not None:
            notes[":finishMessage"] = detail
        return None
    raw = finish_word(value, target, f"{path}.finishReason")
    if not isinstance(value, str):
        notes[":finishReason"] = value
    return Finish(reason=REASONS.get(raw, "other"), raw=raw, detail=detail)


def unsaid_finish(blocked: Finish | None, notes: JsonObject, target: Target) -> Finish:
    """The finish of a candidate that is over without a reason: what blocked the answer, or what its own words leave."""
    reason = "stop" if target.quirks.gemini.finish_optional else "other"
    finish = blocked or Finish(reason=reason, detail=notes.get(":finishMessage"))
    notes[UNFINISHED] = _told(finish)
    return finish


def _told(finish: Finish) -> list[Any]:
    return ["stop" if finish.reason == "tool_calls" else finish.reason, finish.raw, finish.detail]


def with_calls(finish: Finish, parts: Iterable[Part]) -> Finish:
    """The finish of a message with these parts."""
    if finish.reason == "stop" and any(isinstance(part, ToolCall) and part.runner == "client" for part in parts):
        return Finish(reason="tool_calls", raw=finish.raw, stop_sequence=finish.stop_sequence, detail=finish.detail)
    return finish


def blocked_finish(feedback: Any) -> Finish | None:
    """The finish of an answer without candidates because its prompt was blocked."""
    if not isinstance(feedback, dict):
        return None
    found, _, _ = read(feedback, _FEEDBACK, "promptFeedback")  # pyright: ignore[reportUnknownArgumentType]
    reason: Any = found.get("blockReason")
    if reason is None or reason == "":
        return None
    return Finish(reason="content_filter", raw=str(reason), detail=text(found, "blockReasonMessage", "promptFeedback"))


_FEEDBACK = shape("blockReason", "blockReasonMessage")


def finish_members(
    finish: Finish, notes: JsonObject, target: Target, log: AdaptationLog, path: str, *, native: bool
) -> JsonObject:
    """`finishReason` and `finishMessage`. `native`: the raw word is one of this wire."""
    members: JsonObject = {}
    number = notes.get(":finishReason")
    if notes.get(UNFINISHED) == _told(finish):  # the wire did not say why, and nobody has said it since
        return {"finishMessage": notes[":finishMessage"]} if ":finishMessage" in notes else {}
    if number is not None and finish_word(number, target, path) == finish.raw:
        members["finishReason"] = number
    elif finish.raw is not None and native and _says_so(finish):
        members["finishReason"] = finish.raw
    else:
        members["finishReason"] = FINISH_WORDS[finish.reason]
        if native or finish.reason in ("refusal", "paused", "error"):
            log.substituted(f"{path}.finish", "the wire has no such reason", finish.reason, members["finishReason"])
    if isinstance(finish.detail, str):
        members["finishMessage"] = finish.detail
    elif finish.detail is not None:
        log.dropped(f"{path}.finish.detail", "details of a finish are text here", finish.detail)
    if finish.stop_sequence is not None:
        log.dropped(f"{path}.finish.stop_sequence", "the wire does not tell which", finish.stop_sequence)
    return members


def _says_so(finish: Finish) -> bool:
    """Whether the raw word says the reason; it would not after someone changed the reason."""
    ours = REASONS.get(finish.raw or "", "other")
    return ours == finish.reason or (ours == "stop" and finish.reason == "tool_calls")


def candidate_index(found: JsonObject, path: str) -> int:
    """Which choice a candidate is of; the wire leaves zero out."""
    return integer(found, "index", path) or 0
