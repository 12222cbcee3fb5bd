"""The judge of what we compute for money: genai-prices reads the wire's own object and prices it by its own data.

It shares nothing with our path: neither our dialects' reading of usage nor our compiled prices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, cast

import msgspec
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider, UsageExtractor

from tests.wire.binary_frames import binary_frames
from tests.wire.recordings import Exchange, stream_bytes, target_for

__all__ = ["Judgement", "asked_at", "judge"]

_Json = dict[str, Any]

PROVIDERS = {
    "anthropic": "anthropic",
    "azure": "azure",
    "bedrock": "aws",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google": "google",
    "groq": "groq",
    "mistral": "mistral",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together",
    "vertex": "google",
    "voyage": "voyageai",
    "xai": "x-ai",
    "zai": "zai",
}
"""The judge's id of a recorded provider; one that is not here is found by its address, or has no prices there."""

_FLAVOURS = {
    "openai.chat_completions": ("chat", "default"),
    "openai.responses": ("responses", "default"),
    "openai.embeddings": ("embeddings", "default"),
    "anthropic.messages": ("anthropic", "default"),
    "google.generate_content": ("default",),
    "google.embeddings": ("default",),
    "mistral.chat": ("default",),
    "mistral.embeddings": ("default",),
    "cohere.chat": ("default",),
    "cohere.embeddings": ("embeddings",),
    "bedrock.converse": ("default",),
}

_FALLBACK_TIME = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge makes of an answer: its price in USD, or why it has none."""

    amount: Decimal | None
    reason: str = ""


def asked_at(exchange: Exchange) -> datetime:
    """When the answer was given, by its own head; a fixed time where it does not say."""
    date = exchange.response.headers.get("date")
    try:
        moment = parsedate_to_datetime(date) if date else _FALLBACK_TIME
    except ValueError:
        return _FALLBACK_TIME
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def judge(exchange: Exchange) -> Judgement:
    """The judge's price of a recorded answer, from the raw object of its usage."""
    told = _usage_object(exchange)
    if told is None:
        return Judgement(None, "no usage on the wire")
    try:
        provider = _provider(exchange)
        extractor = _extractor(provider, exchange.api)
        if extractor is None:
            return Judgement(None, f"the judge reads no {exchange.api} of {provider.id}")
        model_name, usage = extractor.extract(told)
        model = _model(provider, model_name, target_for(exchange).model)
    except (LookupError, ValueError) as error:
        return Judgement(None, str(error))
    if model is None or not _has_prices(model):
        return Judgement(None, "the judge knows no price of the model")
    try:
        price = model.calc_price(
            usage,
            provider,
            genai_request_timestamp=asked_at(exchange),
            price_context=_context(told),
        )
    except ValueError as error:
        return Judgement(None, f"the judge refuses the usage: {error}")
    return Judgement(price.total_price)


def _provider(exchange: Exchange) -> Provider:
    named = PROVIDERS.get(exchange.provider)
    return get_snapshot().find_provider(None, named, None if named else exchange.request.url)


def _extractor(provider: Provider, api: str) -> UsageExtractor | None:
    """The judge's reader of an API: the provider's own, else OpenAI's of the APIs that are OpenAI's."""
    parties = [provider]
    if api.startswith("openai."):
        parties.append(get_snapshot().find_provider(None, "openai", None))
    for party in parties:
        readers = {reader.api_flavor: reader for reader in party.extractors or ()}
        for flavour in _FLAVOURS.get(api, ()):
            if flavour in readers and _fits(readers[flavour], api):
                return readers[flavour]
    return None


def _fits(reader: UsageExtractor, api: str) -> bool:
    """A "default" reader may be one of another API (AWS's reads Converse, Perplexity's chat completions)."""
    first = reader.mappings[0].path
    names = {"openai.responses": "input_tokens", "openai.chat_completions": "prompt_tokens"}
    return api not in names or first == names[api]


def _model(provider: Provider, *names: str | None) -> ModelInfo | None:
    """The first of the names that the judge knows: the one in the answer, else the one that was asked for."""
    every = get_snapshot().providers
    known = (provider.find_model(name, all_providers=every) for name in names if name)
    return next((model for model in known if model is not None), None)


def _has_prices(model: ModelInfo) -> bool:
    prices = model.prices
    return bool(prices) if isinstance(prices, list) else bool(vars(prices))


def _context(told: _Json) -> dict[str, str] | None:
    """What the answer says of the conditions of its price, in the judge's words."""
    usage = told.get("usage")
    tier = told.get("service_tier")
    if not isinstance(tier, str) and isinstance(usage, dict):
        tier = cast("_Json", usage).get("service_tier")
    if isinstance(tier, str):
        return {"processing": "batch"} if tier == "batch" else {"service_tier": tier}
    return None


# -- the wire's object -------------------------------------------------------------------------------------------------


def _usage_object(exchange: Exchange) -> _Json | None:
    """The object with the usage, as the judge reads it: the answer, or what a stream says of it, put together."""
    if not exchange.is_stream:
        content = exchange.response.content
        return _in_words(cast("_Json", content)) if isinstance(content, dict) else None
    merged: _Json = {}
    for item in _items(exchange):
        _merge(merged, item)
    return _in_words(merged) if merged.get("usage") or merged.get("usageMetadata") else None


_MODALITIES = {1: "TEXT", 2: "IMAGE", 3: "VIDEO", 4: "AUDIO", 5: "DOCUMENT"}


def _in_words(told: Any) -> Any:
    """Gemini's enumerations as words: the judge takes them for such, and some recordings have numbers."""
    if isinstance(told, list):
        return [_in_words(item) for item in cast("list[Any]", told)]
    if not isinstance(told, dict):
        return told
    members = cast("_Json", told)
    return {
        name: _MODALITIES.get(value, value) if name == "modality" and isinstance(value, int) else _in_words(value)
        for name, value in members.items()
    }


def _items(exchange: Exchange) -> Iterator[_Json]:
    data = stream_bytes(exchange)
    if exchange.is_event_stream:
        for frame in binary_frames(data):
            yield msgspec.json.decode(frame.payload)
        return
    for line in data.decode().splitlines():
        text = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if exchange.response.kind == "ndjson":
            text = line.strip()
        if text.startswith("{"):
            yield msgspec.json.decode(text)


def _merge(merged: _Json, item: _Json) -> None:
    """What an item of a stream says of model, tier and usage; a later one replaces what it says again."""
    inner = [cast("_Json", item[name]) for name in ("response", "message", "delta") if isinstance(item.get(name), dict)]
    for source in (*inner[:1], item):
        for name in ("model", "modelVersion", "service_tier"):
            if source.get(name):
                merged[name] = source[name]
        for name in ("usage", "usageMetadata"):
            told = source.get(name)
            if isinstance(told, dict):
                # Anthropic's later events leave out what the first has said; others say everything each time.
                before: _Json = merged.get(name) or {} if item.get("type") == "message_delta" else {}
                known = {key: value for key, value in cast("_Json", told).items() if value is not None}
                merged[name] = {**before, **known}
