"""Why an answer ended: the wire's `finish_reason`, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.values import Finish, Refusal, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.values import AdaptationLog, FinishReason, Part

__all__ = ["read_finish", "write_finish"]

_REASONS: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "error": "error",
    "abort": "error",  # vLLM and SGLang, where the host itself gave the request up
    "eos": "stop",  # Together
    "model_length": "length",  # Mistral
    "max_tokens": "length",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "insufficient_system_resource": "error",  # DeepSeek
    "sensitive": "content_filter",  # Z.ai
    "network_error": "error",  # Z.ai
    "model_context_window_exceeded": "length",  # Z.ai
}
_WORDS: Final[dict[FinishReason, str]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
}


def read_finish(word: str | None, parts: Iterable[Part]) -> Finish:
    """An empty word (Snowflake sends one) says nothing: then what the message holds decides.

    So it does for "stop", which some say whatever they stopped for: OpenAI where a function was forced, Gemini's
    compatible endpoint in every stream.
    """
    reason = _REASONS.get(word, "other") if word else "stop"
    if reason == "stop":
        for part in parts:
            if isinstance(part, ToolCall) and part.runner == "client":
                reason = "tool_calls"
                break
            if isinstance(part, Refusal):
                reason = "refusal"
    return Finish(reason=reason, raw=word)


def write_finish(
    finish: Finish, parts: tuple[Part, ...], log: AdaptationLog, path: str, *, foreign: bool
) -> str | None:
    """The wire's word: its own, where it came over this dialect and still means the same."""
    if not foreign and read_finish(finish.raw, parts) == finish:
        return finish.raw
    word = _WORDS.get(finish.reason)
    if word is None:
        refused = finish.reason == "refusal"
        spoken = any(isinstance(part, Refusal) for part in parts)
        word = "content_filter" if refused and not spoken else "stop"
        if not (refused and spoken):
            log.substituted(f"{path}.reason", "the wire has no such word", finish.reason, word)
    if finish.stop_sequence is not None:
        log.dropped(f"{path}.stop_sequence", "the wire does not tell which sequence was met", finish.stop_sequence)
    if finish.detail is not None:
        log.dropped(f"{path}.detail", "the wire has no place for details", finish.detail)
    return word
