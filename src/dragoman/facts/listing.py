"""Listings: what a provider says of its own models where it lists them, as facts; a layer over our data.

Hosts list models in a few shapes (OpenRouter, Mistral, Gemini, Anthropic, Together, Groq, Cohere, vLLM, and plain
OpenAI's, which says nothing beyond names). A member means the same wherever it occurs, so one table of members reads
them all; what is not in the table is passed over.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.errors import ConfigError
from dragoman.facts.form import Row
from dragoman.facts.price_lists import Condition, Price, PriceList, PriceTable, Step
from dragoman.values.profile import ReasoningFacts, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["listed", "rows_of_listing"]

_Json = dict[str, Any]

_COUNTS = {
    "context_length": "context_tokens",
    "max_context_length": "context_tokens",
    "context_window": "context_tokens",
    "max_model_len": "context_tokens",
    "inputTokenLimit": "input_tokens",
    "max_input_tokens": "input_tokens",
    "outputTokenLimit": "output_tokens",
    "max_completion_tokens": "output_tokens",
    "max_tokens": "output_tokens",
}
_TEXTS = {
    "display_name": "name",
    "displayName": "name",
    "hugging_face_id": "weights",
    "knowledge_cutoff": "knowledge_until",
}
_DAYS = {"expiration_date": "retired", "deprecation": "retired"}
_TYPES = {
    "chat": "chat",
    "embedding": "embedding",
    "image": "image",
    "audio": "audio",
    "rerank": "rerank",
    "moderation": "moderation",
}
_MODALITIES = {"text": "text", "image": "image", "audio": "audio", "video": "video", "file": "document"}

# `supported_parameters` is a whole list: what is not in it is not supported.
_PARAMETERS = {
    "tools": "tools",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tools",
    "structured_outputs": "schema_output",
    "response_format": "json_output",
    "reasoning": "reasoning",
}
_SAMPLING = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop": "stop",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "logprobs": "logprobs",
}
_CAPABILITIES = {
    "function_calling": "tools",
    "reasoning": "reasoning",
    "structured_outputs": "schema_output",
    "thinking": "reasoning",
}
_SEEN = {"vision": "image", "image_input": "image", "pdf_input": "document", "audio": "audio"}

_PER_UNIT = {
    "prompt": "input",
    "completion": "output",
    "input_cache_read": "cache_read",
    "input_cache_write": "cache_write",
    "input_cache_write_1h": "cache_write_1h",
    "internal_reasoning": "output_reasoning",
    "audio": "input_audio",
    "audio_output": "output_audio",
    "input_audio_cache": "cache_read_audio",
    "image_token": "input_image",
    "request": "request",
    "web_search": "web_search",
}
_PER_MILLION = {"input": "input", "output": "output", "cached_input": "cache_read"}


def listed(provider: str, models: bytes | str | Mapping[str, Any] | Sequence[Any], *, date: str | None = None) -> int:
    """Takes in a provider's own listing, and returns the number of its models; it counts more than our data.

    `models` is the body of the answer to the provider's request for its models, or the parsed JSON of it. `date` (ISO
    8601) is the day it was got, today unless said otherwise. It replaces an earlier listing of the provider. Raises
    `ConfigError` for what is no listing; the earlier one then stays.
    """
    from dragoman.facts.lookup import FACTS

    day = date or f"{datetime.now(UTC):%Y-%m-%d}"
    rows = rows_of_listing(models, Source(name=f"the listing of {provider}", date=day))
    FACTS.set_listing(provider, rows)
    return len(rows)


def rows_of_listing(models: bytes | str | Mapping[str, Any] | Sequence[Any], source: Source) -> dict[str, Row]:
    """The rows of a listing by the provider's names of the models. Raises `ConfigError`."""
    told: Any = models
    if isinstance(models, (bytes, str)):
        try:
            told = msgspec.json.decode(models)
        except msgspec.DecodeError as error:
            raise ConfigError(f"{source.name.capitalize()} is not JSON: {error}") from None
    if isinstance(told, dict):
        members = cast("_Json", told)
        told = next((members[name] for name in ("data", "models") if isinstance(members.get(name), list)), None)
    if not isinstance(told, list):
        raise ConfigError(f"{source.name.capitalize()} holds no list of models (under 'data' or 'models', or itself)")
    rows: dict[str, Row] = {}
    for entry in cast("list[Any]", told):
        name = _name(entry)
        if name is None:
            raise ConfigError(f"{source.name.capitalize()} has an entry without the name of a model: {entry!r:.80}")
        try:
            fields = {field: value for field, value in _fields(entry).items() if value is not None}
            prices = _prices(entry.get("pricing"), source)
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            raise ConfigError(f"{source.name.capitalize()} cannot be read at {name}: {error}") from None
        rows[name] = Row(fields, dict.fromkeys(fields, source), prices)
    return rows


def _name(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return None
    told = cast("_Json", entry)
    name = told.get("id") or told.get("name")
    return name.removeprefix("models/") if isinstance(name, str) and name else None


def _fields(entry: _Json) -> _Json:
    fields: _Json = {}
    for members in (entry, _object(entry.get("top_provider"))):
        for member, field in _COUNTS.items():
            count = members.get(member)
            if field not in fields and isinstance(count, int) and not isinstance(count, bool) and count > 0:
                fields[field] = count
    for member, field in _TEXTS.items():
        if isinstance(entry.get(member), str) and entry[member]:
            fields[field] = entry[member]
    for member, field in _DAYS.items():
        if isinstance(entry.get(member), str):
            fields[field] = entry[member][:10]
    if "name" not in fields and isinstance(entry.get("name"), str) and "id" in entry:
        fields["name"] = entry["name"]
    if isinstance(entry.get("type"), str) and entry["type"] in _TYPES:
        fields["mode"] = _TYPES[entry["type"]]
    if isinstance(entry.get("thinking"), bool):
        fields["reasoning"] = entry["thinking"]
    _take_modalities(fields, _object(entry.get("architecture")))
    _take_capabilities(fields, _object(entry.get("capabilities")))
    _take_parameters(fields, entry.get("supported_parameters"))
    fields["reasoning_facts"] = _reasoning(_object(entry.get("reasoning")))
    return fields


def _object(told: Any) -> _Json:
    return cast("_Json", told) if isinstance(told, dict) else {}


def _take_modalities(fields: _Json, architecture: _Json) -> None:
    for member in ("input_modalities", "output_modalities"):
        told = architecture.get(member)
        if isinstance(told, list):
            words = cast("list[Any]", told)
            fields[member] = tuple(meant for word, meant in _MODALITIES.items() if word in words)


def _take_capabilities(fields: _Json, told: _Json) -> None:
    """Flags, or objects that say `supported`."""
    said = {name: _object(value).get("supported", value) for name, value in told.items()}
    for name, field in _CAPABILITIES.items():
        if isinstance(said.get(name), bool):
            fields[field] = said[name]
    if said.get("completion_chat") is True:
        fields["mode"] = "chat"
    seen = tuple(meant for name, meant in _SEEN.items() if said.get(name) is True)
    if seen and "input_modalities" not in fields:
        fields["some_input_modalities"] = tuple(dict.fromkeys(seen))


def _take_parameters(fields: _Json, told: Any) -> None:
    if not isinstance(told, list) or not told:
        return
    words = set(cast("list[str]", told))
    for word, field in _PARAMETERS.items():
        fields[field] = word in words
    fields["sampling"] = tuple(meant for word, meant in _SAMPLING.items() if word in words)
    fields["refused"] = tuple(meant for word, meant in _SAMPLING.items() if word not in words)


def _reasoning(told: _Json) -> ReasoningFacts | None:
    efforts = told.get("supported_efforts")
    mandatory = told.get("mandatory")
    if not isinstance(efforts, list) and not isinstance(mandatory, bool):
        return None
    return ReasoningFacts(
        efforts=tuple(cast("list[str]", efforts)) if isinstance(efforts, list) else None,
        optional=not mandatory if isinstance(mandatory, bool) else None,
    )


# -- prices ------------------------------------------------------------------------------------------------------------


def _prices(told: Any, source: Source) -> PriceList | None:
    """Prices per unit (OpenRouter's names of them) or per million (Together's); None where they are not definite."""
    pricing = _object(told)
    if "prompt" in pricing:
        return _per_unit(pricing, source)
    base = {meter: _amount(pricing.get(name), -6) for name, meter in _PER_MILLION.items()}
    known = {meter: Price(amount) for meter, amount in base.items() if amount is not None}
    if not {"input", "output"} <= set(known) or not any(price.amount for price in known.values()):
        return None  # nothing at all is charged by the token here, or it is not said what
    return PriceList(tables=(PriceTable(prices=known),), source=source, basis="listing")


def _per_unit(pricing: _Json, source: Source) -> PriceList | None:
    base = {meter: _amount(pricing.get(name)) for name, meter in _PER_UNIT.items()}
    amounts = {meter: amount for meter, amount in base.items() if amount is not None}
    if any(amount < 0 for amount in amounts.values()) or "input" not in amounts or "output" not in amounts:
        return None  # a router's price depends on whom it picks, and is listed as -1
    # A fee of nothing is listed of every model, and says only that there is none.
    kept = {meter: amount for meter, amount in amounts.items() if amount or meter in ("input", "output")}
    steps: dict[str, list[Step]] = {}
    timed: list[PriceTable] = []
    for override in cast("list[_Json]", pricing.get("overrides") or ()):
        changed = {meter: amount for name, meter in _PER_UNIT.items() if (amount := _amount(override.get(name)))}
        above = override.get("min_prompt_tokens")
        if "utc_start" in override:
            hours = (_clock(override["utc_start"]), _clock(override["utc_end"]))
            prices = {meter: Price(amount) for meter, amount in {**kept, **changed}.items()}
            timed.append(PriceTable(prices=prices, condition=Condition(hours=hours)))
        elif above is not None:
            for meter, amount in changed.items():
                steps.setdefault(meter, []).append(Step(int(above), amount))
    prices = {meter: Price(amount, tuple(steps.get(meter, ()))) for meter, amount in kept.items()}
    return PriceList(tables=(PriceTable(prices=prices), *timed), source=source, basis="listing")


def _clock(number: Any) -> str:
    """A clock number (400 is four o'clock) as a time of the day."""
    return f"{int(number) // 100:02d}:{int(number) % 100:02d}:00"


def _amount(told: Any, scale: int = 0) -> Decimal | None:
    if told is None or isinstance(told, bool):
        return None
    try:
        amount = Decimal(str(told))
    except InvalidOperation:
        return None
    return amount.scaleb(scale) if amount.is_finite() else None
