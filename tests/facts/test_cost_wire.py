"""Any usage on any wire: what our dialect reads of it costs what the judge's own reading of it costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman import facts
from dragoman.catalogue import find
from dragoman.dialects import load
from dragoman.facts.costing import list_cost
from dragoman.values import Target

_Json = dict[str, Any]
_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


class _Counts:
    """Draws counts that agree with each other; None is a member that is left out."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self._draw = draw

    def some(self, least: int, most: int) -> int:
        return self._draw(st.integers(least, most))

    def part(self, whole: int) -> int | None:
        return self._draw(st.none() | st.integers(0, whole))

    def yes(self) -> bool:
        return self._draw(st.booleans())

    def word(self, *words: str) -> str:
        return self._draw(st.sampled_from(words))


def _told(**members: Any) -> _Json:
    return {name: value for name, value in members.items() if value is not None}


def _openai_chat(counts: _Counts) -> _Json:
    prompt, answer = counts.some(0, 400_000), counts.some(0, 9_000)
    read = counts.part(prompt // 2)
    return _told(
        prompt_tokens=prompt,
        completion_tokens=answer,
        total_tokens=prompt + answer,
        prompt_tokens_details=_told(cached_tokens=read) if counts.yes() else None,
        completion_tokens_details=_told(reasoning_tokens=counts.part(answer)) if counts.yes() else None,
    )


def _xai(counts: _Counts) -> _Json:
    usage = _openai_chat(counts)
    thoughts = counts.some(0, 5_000)
    usage["completion_tokens_details"] = {"reasoning_tokens": thoughts}
    usage["total_tokens"] += thoughts
    return usage


def _perplexity(counts: _Counts) -> _Json:
    usage = _openai_chat(counts)
    for name in ("prompt_tokens_details", "completion_tokens_details"):
        usage.pop(name, None)
    beside = _told(reasoning_tokens=counts.part(200_000), citation_tokens=counts.part(40_000))
    return {**usage, **beside, "num_search_queries": counts.some(0, 30)}


def _responses(counts: _Counts) -> _Json:
    prompt, answer = counts.some(0, 400_000), counts.some(0, 9_000)
    read, written = counts.part(prompt // 2), counts.part(prompt // 2)
    details = _told(cached_tokens=read, cache_write_tokens=written)
    return _told(
        input_tokens=prompt,
        output_tokens=answer,
        total_tokens=prompt + answer,
        input_tokens_details=details if counts.yes() else None,
        output_tokens_details=_told(reasoning_tokens=counts.part(answer)) if counts.yes() else None,
    )


def _anthropic(counts: _Counts) -> _Json:
    written, answer = counts.part(90_000), counts.some(0, 9_000)
    for_an_hour = counts.some(0, written or 0)
    by_time = {
        "ephemeral_1h_input_tokens": for_an_hour,
        "ephemeral_5m_input_tokens": (written or 0) - for_an_hour,
    }
    return _told(
        input_tokens=counts.some(0, 300_000),
        output_tokens=answer,
        cache_creation_input_tokens=written,
        cache_read_input_tokens=counts.part(90_000),
        cache_creation=by_time if written is not None and counts.yes() else None,
        server_tool_use={"web_search_requests": counts.some(0, 3)} if counts.yes() else None,
    )


def _gemini(counts: _Counts) -> _Json:
    prompt, answer = counts.some(1, 300_000), counts.some(1, 9_000)
    kind, of_kind = counts.word("AUDIO", "IMAGE", "VIDEO", "DOCUMENT"), counts.some(0, prompt)
    cached = counts.part(prompt)
    cached_of_kind = min(counts.some(0, of_kind), cached or 0)
    drawn, tools, thoughts = counts.some(0, answer), counts.part(4_000), counts.part(5_000)
    given_out = counts.word("IMAGE", "AUDIO", "VIDEO")
    return _told(
        promptTokenCount=prompt,
        candidatesTokenCount=answer,
        thoughtsTokenCount=thoughts,
        toolUsePromptTokenCount=tools,
        cachedContentTokenCount=cached,
        totalTokenCount=prompt + answer + (thoughts or 0) + (tools or 0),
        promptTokensDetails=_modalities(prompt, kind, of_kind),
        cacheTokensDetails=_modalities(cached, kind, cached_of_kind) if cached is not None else None,
        candidatesTokensDetails=_modalities(answer, given_out, drawn) if counts.yes() else None,
    )


def _modalities(total: int, kind: str, count: int) -> list[_Json]:
    return [{"modality": "TEXT", "tokenCount": total - count}, {"modality": kind, "tokenCount": count}]


def _bedrock(counts: _Counts) -> _Json:
    written, fresh, answer = counts.part(9_000), counts.some(0, 300_000), counts.some(0, 9_000)
    for_an_hour = counts.some(0, written or 0)
    details = [{"ttl": "1h", "inputTokens": for_an_hour}, {"ttl": "5m", "inputTokens": (written or 0) - for_an_hour}]
    return _told(
        inputTokens=fresh,
        outputTokens=answer,
        totalTokens=fresh + answer + (written or 0),
        cacheWriteInputTokens=written,
        cacheReadInputTokens=counts.part(90_000),
        cacheDetails=details if written is not None and counts.yes() else None,
    )


def _cohere(counts: _Counts) -> _Json:
    pair = [{"input_tokens": counts.some(0, 900), "output_tokens": counts.some(0, 900)} for _ in range(2)]
    return _told(billed_units=pair[0], tokens=pair[1], cached_tokens=counts.part(100))


def _chat_body(model: str, usage: _Json) -> _Json:
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
    return {"id": "x", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}


def _responses_body(model: str, usage: _Json) -> _Json:
    head = {"id": "x", "object": "response", "created_at": 1, "status": "completed"}
    return {**head, "model": model, "output": [], "usage": usage}


def _anthropic_body(model: str, usage: _Json) -> _Json:
    head = {"id": "x", "type": "message", "role": "assistant", "stop_reason": "end_turn"}
    return {**head, "model": model, "content": [], "usage": usage}


def _gemini_body(model: str, usage: _Json) -> _Json:
    candidate = {"content": {"parts": [{"text": "x"}], "role": "model"}, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "modelVersion": model, "usageMetadata": usage}


def _bedrock_body(_model: str, usage: _Json) -> _Json:
    message = {"role": "assistant", "content": [{"text": "x"}]}
    return {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}


def _cohere_body(_model: str, usage: _Json) -> _Json:
    message = {"role": "assistant", "content": [{"type": "text", "text": "x"}]}
    return {"id": "x", "finish_reason": "COMPLETE", "message": message, "usage": usage}


class _Wire(NamedTuple):
    """A provider, the judge's names of it and of its API, our dialect, its usage, and the answer around that."""

    provider: str
    judged_as: str
    flavour: str
    dialect: str
    usage: Callable[[_Counts], _Json]
    body: Callable[[str, _Json], _Json]


_WIRES = (
    _Wire("openai", "openai", "chat", "openai-chat", _openai_chat, _chat_body),
    _Wire("openai", "openai", "responses", "openai-responses", _responses, _responses_body),
    _Wire("azure", "azure", "chat", "openai-chat", _openai_chat, _chat_body),
    _Wire("azure", "azure", "responses", "openai-responses", _responses, _responses_body),
    _Wire("groq", "groq", "default", "openai-chat", _openai_chat, _chat_body),
    _Wire("deepseek", "deepseek", "chat", "openai-chat", _openai_chat, _chat_body),
    _Wire("mistral", "mistral", "default", "openai-chat", _openai_chat, _chat_body),
    _Wire("openrouter", "openrouter", "chat", "openai-chat", _openai_chat, _chat_body),
    _Wire("openrouter", "openrouter", "default", "openai-responses", _responses, _responses_body),
    _Wire("zai", "zai", "chat", "openai-chat", _openai_chat, _chat_body),
    _Wire("xai", "x-ai", "chat", "openai-chat", _xai, _chat_body),
    _Wire("perplexity", "perplexity", "default", "openai-chat", _perplexity, _chat_body),
    _Wire("anthropic", "anthropic", "default", "anthropic", _anthropic, _anthropic_body),
    _Wire("google", "google", "default", "gemini", _gemini, _gemini_body),
    _Wire("vertex", "google", "default", "gemini", _gemini, _gemini_body),
    _Wire("bedrock", "aws", "default", "bedrock", _bedrock, _bedrock_body),
    _Wire("cohere", "cohere", "default", "cohere", _cohere, _cohere_body),
)


def _has_prices(model: ModelInfo) -> bool:
    return bool(model.prices) if isinstance(model.prices, list) else bool(vars(model.prices))


@cache
def _priced(name: str) -> tuple[Provider, list[ModelInfo]]:
    """A provider of the judge's, and its models that have a price and are found by their own names."""
    party = get_snapshot().find_provider(None, name, None)
    return party, [model for model in party.models if _has_prices(model) and party.find_model(model.id) is model]


@pytest.mark.parametrize("wire", _WIRES, ids=lambda wire: f"{wire.provider}-{wire.dialect}")
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_the_wire_says_costs_what_the_judge_says(wire: _Wire, data: st.DataObject) -> None:
    party, priced = _priced(wire.judged_as)
    model = data.draw(st.sampled_from(priced))
    body = wire.body(model.id, wire.usage(_Counts(data.draw)))
    try:
        _, judges = party.extract_usage(body, api_flavor=wire.flavour)
        expected = model.calc_price(judges, party, genai_request_timestamp=_AT).total_price
    except ValueError:  # crossing counts of which the wire does not say what both hold
        return
    target = Target(provider=wire.provider, issuer=wire.provider, model=model.id, quirks=find(wire.provider).quirks)
    response = load(wire.dialect).decode_response(body, target)
    prices = facts.prices(wire.provider, model.id)
    assert prices is not None
    cost = list_cost(response.usage, prices, at=_AT.timestamp())
    assert cost is not None
    assert cost.amount == expected
