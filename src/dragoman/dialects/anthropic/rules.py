"""Rules: what the API refuses in combination, mended in requests that came from elsewhere and recorded.

With thinking on, the API takes no temperature but 1, no top_k, no top_p below 0.95; enabled thinking (a budget) also
takes no forced tool, wants a budget of at least 1024 that stays below max_tokens, and wants the assistant's turn of an
open round of tools to begin with the thoughts of that turn. The last holds for requests of this wire's own clients too:
thoughts may have been left out because another party signed them.
Sources: the vendor's guides to extended thinking, tool use and the Messages reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.anthropic.reasoning import MINIMUM_BUDGET
from dragoman.values import Reasoning

if TYPE_CHECKING:
    from dragoman.dialects.anthropic.forms import Writing
    from dragoman.values import JsonObject, Request

__all__ = ["keep_rules"]

_THOUGHTS = ("thinking", "redacted_thinking")
_LEAST_TOP_P = 0.95


def keep_rules(body: JsonObject, request: Request, writing: Writing) -> None:
    """Changes `body` where the API would refuse it, and records each change."""
    thinking: JsonObject | None = body.get("thinking")
    if thinking is None:
        if writing.mend:
            _fit_numbers(body, writing)
        return
    if thinking.get("type") == "enabled":
        lost = writing.mend or _thoughts(body["messages"]) < _said_thoughts(request)
        if lost and _open_round_without_thoughts(body["messages"]):
            reason = "the open round of tools lacks its signed thoughts, without which this wire refuses to think on"
            writing.log.dropped("reasoning", reason, thinking)
            del body["thinking"]
            thinking = None
    if not writing.mend:
        return
    if thinking is not None and thinking.get("type") == "enabled":
        thinking = _fit_budget(body, request, thinking, writing)
    if thinking is not None and thinking.get("type") != "disabled":
        _fit_sampling(body, thinking, writing)
    _fit_numbers(body, writing)


def _thoughts(turns: list[JsonObject]) -> int:
    return sum(block.get("type") in _THOUGHTS for turn in turns for block in _blocks(turn))


def _said_thoughts(request: Request) -> int:
    return sum(isinstance(part, Reasoning) for message in request.messages for part in message.parts)


def _blocks(turn: JsonObject) -> list[JsonObject]:
    content: Any = turn.get("content")
    return cast("list[JsonObject]", content) if isinstance(content, list) else []


def _open_round_without_thoughts(turns: list[JsonObject]) -> bool:
    """Whether the last assistant's turn called tools without thinking, and what follows it are results alone."""
    for turn in reversed(turns):
        blocks = _blocks(turn)
        if turn["role"] == "assistant":
            calls = any(block.get("type") == "tool_use" for block in blocks)
            return calls and blocks[0].get("type") not in _THOUGHTS
        if not any(block.get("type") == "tool_result" for block in blocks):
            return False
    return False


def _fit_budget(body: JsonObject, request: Request, thinking: JsonObject, writing: Writing) -> JsonObject | None:
    budget: int = thinking["budget_tokens"]
    fitted = max(budget, MINIMUM_BUDGET)
    if request.max_tokens is None:
        body["max_tokens"] += fitted - budget
    elif fitted >= request.max_tokens:
        fitted = request.max_tokens - 1
    if fitted < MINIMUM_BUDGET:
        writing.log.dropped("reasoning", "max_tokens leaves no room for thinking, which takes 1024 at least", budget)
        del body["thinking"]
        return None
    if fitted != budget:
        reason = "this wire thinks within max_tokens, and with 1024 tokens at least"
        writing.log.clamped("reasoning.budget_tokens", reason, budget, fitted)
        body["thinking"] = thinking = {**thinking, "budget_tokens": fitted}
    return thinking


def _fit_sampling(body: JsonObject, thinking: JsonObject, writing: Writing) -> None:
    reason = "this wire does not take it beside thinking"
    if body.get("temperature") not in (None, 1):
        writing.log.dropped("temperature", reason, body.pop("temperature"))
    if "top_k" in body:
        writing.log.dropped("top_k", reason, body.pop("top_k"))
    if body.get("top_p", 1) < _LEAST_TOP_P:
        writing.log.dropped("top_p", reason, body.pop("top_p"))
    choice: JsonObject = body.get("tool_choice", {})
    if thinking.get("type") == "enabled" and choice.get("type") in ("any", "tool"):
        applied = {name: value for name, value in choice.items() if name != "name"} | {"type": "auto"}
        writing.log.substituted("tool_choice", "this wire forces no tool beside a thinking budget", choice, applied)
        body["tool_choice"] = applied


def _fit_numbers(body: JsonObject, writing: Writing) -> None:
    temperature = body.get("temperature")
    if temperature is not None and temperature > 1:
        writing.log.clamped("temperature", "this wire's range is 0 to 1", temperature, 1)
        body["temperature"] = 1
    stops: list[str] | None = body.get("stop_sequences")
    if stops is not None and not all(stop.strip() for stop in stops):
        writing.log.dropped("stop", "this wire takes no stop of white space alone", [s for s in stops if not s.strip()])
        body["stop_sequences"] = [stop for stop in stops if stop.strip()]
        if not body["stop_sequences"]:
            del body["stop_sequences"]
