"""Prices of the three sources as our price lists: genai-prices first, LiteLLM's map and models.dev for what it lacks.

Each source is read under its own provider ids (`genai_lists`, `litellm_lists`, `models_dev_lists`); `price_lists`
joins them per provider of the catalogue by a table of ids. Amounts are exact decimals of the sources' own digits, per
unit: no number here is ever a float (`read_json` reads them as decimals).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from dragoman.facts.price_lists import Condition, Meter, Price, PriceList, PriceTable, Step
from dragoman.facts.tables.litellm_prices import litellm_list
from dragoman.values.profile import Source

__all__ = [
    "GENAI",
    "LITELLM",
    "MODELS_DEV",
    "PRICE_SOURCES",
    "Listed",
    "PriceSources",
    "genai_lists",
    "litellm_lists",
    "matches",
    "models_dev_lists",
    "price_lists",
    "read_json",
]

_Json = dict[str, Any]

GENAI: Final = Source(name="genai-prices 0.2.3", date="2026-11", url="https://github.com/pydantic/genai-prices")
LITELLM: Final = Source(name="litellm 1.109.1", date="2026-11", url="https://github.com/BerriAI/litellm")
MODELS_DEV: Final = Source(name="models.dev", date="2026-07-02", url="https://github.com/anomalyco/models.dev")


@dataclass(frozen=True, slots=True)
class PriceSources:
    """The ids of one provider in each source, in order of preference; `places` are ids whose prices hold at a place.

    `places` maps the host's own word for the place to the id in genai-prices.
    """

    genai: tuple[str, ...] = ()
    litellm: tuple[str, ...] = ()
    models_dev: tuple[str, ...] = ()
    places: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A model's prices; `match` is the clause of the source by which names belong to it, None: its own name alone.

    `prices` is None for a model that a source knows without a price: its names are not another model's.
    """

    model: str
    prices: PriceList | None
    match: _Json | None = None


_HUGGING_FACE_PLACES: Final = (
    "cerebras fireworks-ai groq hyperbolic nebius novita nscale ovhcloud publicai sambanova together".split()
)

_GOOGLE: Final = PriceSources(("google",), ("gemini",), ("google",))
_VERTEX_LITELLM: Final = (
    "vertex_ai vertex_ai-language-models vertex_ai-anthropic_models vertex_ai-mistral_models vertex_ai-llama_models "
    "vertex_ai-embedding-models vertex_ai-deepseek_models vertex_ai-qwen_models vertex_ai-zai_models "
    "vertex_ai-openai_models vertex_ai-minimax_models vertex_ai-moonshot_models vertex_ai-ai21_models"
)

PRICE_SOURCES: Final[Mapping[str, PriceSources]] = {
    "anthropic": PriceSources(("anthropic",), ("anthropic",), ("anthropic",)),
    "azure": PriceSources(("azure",), ("azure", "azure_ai"), ("azure",)),
    "bedrock": PriceSources(("aws",), ("bedrock_converse", "bedrock"), ("amazon-bedrock",)),
    "bedrock_mantle": PriceSources((), ("bedrock_mantle",), ()),
    "cerebras": PriceSources(("cerebras",), ("cerebras",), ("cerebras",)),
    "cohere": PriceSources(("cohere",), ("cohere_chat", "cohere"), ("cohere",)),
    "crusoe": PriceSources((), ("crusoe",), ()),
    "deepseek": PriceSources(("deepseek",), ("deepseek",), ("deepseek",)),
    "fireworks": PriceSources(("fireworks",), ("fireworks_ai", "fireworks_ai-embedding-models"), ("fireworks-ai",)),
    "gemini": _GOOGLE,
    "google": _GOOGLE,
    "groq": PriceSources(("groq",), ("groq",), ("groq",)),
    "heroku": PriceSources((), ("heroku",), ()),
    "huggingface": PriceSources(
        (), (), ("huggingface",), {place: f"huggingface_{place}" for place in _HUGGING_FACE_PLACES}
    ),
    "llama": PriceSources(("meta",), ("meta_llama", "meta"), ("llama",)),
    "mistral": PriceSources(("mistral",), ("mistral",), ("mistral",)),
    # No row of the catalogue, but Azure serves its models under their own names.
    "moonshotai": PriceSources(("moonshotai",), ("moonshot",), ("moonshotai",)),
    "ollama_cloud": PriceSources((), (), ("ollama-cloud",)),
    "openai": PriceSources(("openai",), ("openai",), ("openai",)),
    "openrouter": PriceSources(("openrouter",), (), ("openrouter",)),
    "perplexity": PriceSources(("perplexity",), ("perplexity",), ("perplexity",)),
    "qwen": PriceSources((), ("dashscope",), ("alibaba",)),
    "sambanova": PriceSources((), ("sambanova",), ()),
    "snowflake": PriceSources((), ("snowflake",), ()),
    "together": PriceSources(("together",), ("together_ai",), ("togetherai",)),
    "vertex": PriceSources(("google",), tuple(_VERTEX_LITELLM.split()), ("google-vertex", "google-vertex-anthropic")),
    "voyage": PriceSources(("voyageai",), ("voyage",), ()),
    "xai": PriceSources(("x-ai",), ("xai",), ("xai",)),
    "zai": PriceSources(("zai",), ("zai",), ("zai",)),
}
"""The provider rows whose prices somebody lists. Rows that are not here (servers of one's own, gateways) have none."""


def read_json(file: Path) -> Any:
    """A JSON file with every number that has a fraction as the decimal that is written there."""
    return json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)


def price_lists(
    genai: Any, litellm: Any, models_dev: Any, rows: Mapping[str, PriceSources] = PRICE_SOURCES
) -> dict[str, list[Listed]]:
    """All lists per provider row, the preferred source's first; a model's name occurs once.

    The order is that of the sources: where clauses match a name, the first one that does counts. A name that a clause
    of genai-prices matches (of the provider, or of one that it falls back to) is not listed from another source.
    """
    by_genai, by_litellm, by_dev = genai_lists(genai), litellm_lists(litellm), models_dev_lists(models_dev)
    falls_back: dict[str, list[str]] = {entry["id"]: entry.get("fallback_model_providers") or [] for entry in genai}
    lists: dict[str, list[Listed]] = {}
    for row, ids in rows.items():
        found = {listed.model: listed for name in ids.genai for listed in by_genai.get(name, ())}
        reached = [*ids.genai, *(other for name in ids.genai for other in falls_back.get(name, ()))]
        clauses = [listed for name in reached for listed in by_genai.get(name, ())]
        if ids.places:
            _add_places(found, {place: by_genai.get(name, []) for place, name in ids.places.items()})
        for source, names in ((by_litellm, ids.litellm), (by_dev, ids.models_dev)):
            for listed in (listed for name in names for listed in source.get(name, ())):
                known = _known(clauses, listed.model)
                if known is None:
                    found.setdefault(listed.model, listed)
                elif known.prices is None and found.get(known.model) is known and known.model == listed.model:
                    found[known.model] = Listed(known.model, listed.prices, known.match)
        if found:
            lists[row] = list(found.values())
    return lists


def _known(clauses: Iterable[Listed], name: str) -> Listed | None:
    return next((own for own in clauses if own.match is not None and matches(own.match, name)), None)


def matches(clause: _Json, name: str) -> bool:
    """Whether a clause of genai-prices takes a model's name; letters' case says nothing there."""
    ((kind, told),) = clause.items()
    lower = name.lower()
    if kind == "or":
        return any(matches(inner, name) for inner in told)
    if kind == "and":
        return all(matches(inner, name) for inner in told)
    if kind == "regex":
        return re.search(told, lower) is not None
    text = cast("str", told).lower()
    simple = {"equals": lower == text, "contains": text in lower}
    return simple[kind] if kind in simple else getattr(lower, kind.replace("_", ""))(text)


def _add_places(found: dict[str, Listed], places: Mapping[str, Iterable[Listed]]) -> None:
    """Joins what a model costs at each place; what another source says of it without a place gives way."""
    joined: dict[str, tuple[list[PriceTable], list[_Json]]] = {}
    for place, lists in places.items():
        for listed in lists:
            tables, clauses = joined.setdefault(listed.model, ([], []))
            tables.extend(_at(table, place) for table in (listed.prices.tables if listed.prices else ()))
            if listed.match is not None and listed.match not in clauses:
                clauses.append(listed.match)
    for model, (tables, clauses) in joined.items():
        if not tables:
            continue
        match = {"or": clauses} if len(clauses) > 1 else clauses[0] if clauses else None
        found[model] = Listed(model, PriceList(tables=tuple(tables), source=GENAI), match)


def _at(table: PriceTable, place: str) -> PriceTable:
    given = table.condition or Condition()
    return PriceTable(prices=table.prices, condition=_condition(given, place=place))


# -- genai-prices ------------------------------------------------------------------------------------------------------

_PER_UNIT: Final[Mapping[str, tuple[Meter, int]]] = {
    "input_mtok": ("input", 6),
    "output_mtok": ("output", 6),
    "cache_read_mtok": ("cache_read", 6),
    "cache_write_mtok": ("cache_write", 6),
    "cache_write_1h_mtok": ("cache_write_1h", 6),
    "input_audio_mtok": ("input_audio", 6),
    "input_image_mtok": ("input_image", 6),
    "input_video_mtok": ("input_video", 6),
    "cache_audio_read_mtok": ("cache_read_audio", 6),
    "cache_image_read_mtok": ("cache_read_image", 6),
    "cache_video_read_mtok": ("cache_read_video", 6),
    "output_audio_mtok": ("output_audio", 6),
    "output_image_mtok": ("output_image", 6),
    "output_video_mtok": ("output_video", 6),
    "output_reasoning_mtok": ("output_reasoning", 6),
    "output_citation_mtok": ("output_citation", 6),
    "requests_kcount": ("request", 3),
    "web_searches_kcount": ("web_search", 3),
    "storage_searches_kcount": ("storage_search", 3),
    "input_text_messages_kcount": ("message", 3),
    "input_document_kpages": ("page", 3),
    "input_annotated_document_kpages": ("annotated_page", 3),
    "input_mchars": ("character_in", 6),
    "audio_hours": ("audio_hour", 0),
    "input_audio_hours": ("audio_hour_in", 0),
    "output_audio_hours": ("audio_hour_out", 0),
}

_WHEN: Final[Mapping[str, str]] = {"service_tier": "tier", "processing": "tier", "speed": "tier", "route": "place"}
"""What a variant of genai-prices depends on, and the member of a condition that says it.

A variant of another kind (Perplexity's `search_type`) is left out: no answer tells which of them it was.
"""


def genai_lists(providers: Any) -> dict[str, list[Listed]]:
    """The price lists of genai-prices, per provider of its own, in its order (its clauses are tried in it)."""
    return {
        provider["id"]: [Listed(model["id"], _genai_list(model), model["match"]) for model in provider["models"]]
        for provider in providers
    }


def _genai_list(model: _Json) -> PriceList | None:
    tables = tuple(_genai_tables(model))
    return PriceList(tables=tables, source=GENAI) if tables else None


def _genai_tables(model: _Json) -> Iterable[PriceTable]:
    """The base tables, then those of each variant, each a whole table: the last one whose condition is met holds.

    The source lays a variant over whichever base table holds, and of several variants the first one that holds gives
    each price; so there is a table for each base and each stretch of time between two starts of variants.
    """
    bases = _bases(model["prices"])
    for prices, condition in bases:
        if prices:
            yield PriceTable(prices=prices, condition=condition)
    for member, word, variants in _variants(model.get("price_variants") or ()):
        starts = sorted({start for start, _ in variants if start is not None})
        stretches = list(zip([None, *starts], [*starts, None], strict=True))
        for base, condition in bases:
            for start, until in stretches:
                over = _overlay(variants, start)
                if over:
                    met = _condition(condition or Condition(), start=start, until=until, **{member: word})
                    yield PriceTable(prices={**base, **over}, condition=met)


def _bases(prices: Any) -> list[tuple[dict[Meter, Price], Condition | None]]:
    if isinstance(prices, dict):
        return [(_genai_prices(cast("_Json", prices)), None)]
    bases: list[tuple[dict[Meter, Price], Condition | None]] = []
    for entry in cast("list[_Json]", prices):
        limits = entry.get("constraint")
        condition = None
        if limits and bases:  # the first holds where no other does, whatever its own constraint
            hours = (_hour(limits["start_time"]), _hour(limits["end_time"])) if "start_time" in limits else None
            condition = Condition(start=limits.get("start_date"), hours=hours)
        bases.append((_genai_prices(entry["prices"]), condition))
    return bases


def _hour(time: str) -> str:
    if not time.endswith(("+00:00", "Z")):
        raise ValueError(f"a time of the day is not in UTC: {time}")
    return time[:8]


def _genai_prices(prices: _Json) -> dict[Meter, Price]:
    return {
        _PER_UNIT[name][0]: _genai_price(price, _PER_UNIT[name][1])
        for name, price in prices.items()
        if price is not None
    }


def _genai_price(price: Any, digits: int) -> Price:
    if isinstance(price, dict):
        tiers = sorted(cast("_Json", price)["tiers"], key=lambda tier: tier["start"])
        steps = tuple(Step(tier["start"], _per_unit(tier["price"], digits)) for tier in tiers)
        return Price(_per_unit(cast("_Json", price)["base"], digits), steps)
    return Price(_per_unit(price, digits))


def _per_unit(amount: Any, digits: int) -> Decimal:
    return Decimal(amount).scaleb(-digits).normalize()


_Variants = list[tuple[str | None, dict[Meter, Price]]]


def _variants(entries: Iterable[_Json]) -> Iterable[tuple[str, str, _Variants]]:
    """The variants by what they depend on: the start of each and its prices, in the source's order."""
    by_word: dict[tuple[str, str], _Variants] = {}
    for entry in entries:
        ((kind, word),) = entry["when"].items()
        limits: _Json = entry.get("constraint") or {}
        if kind in _WHEN:
            variant = (limits.get("start_date"), _genai_prices(entry["prices"]))
            by_word.setdefault((_WHEN[kind], word), []).append(variant)
    return [(member, word, variants) for (member, word), variants in by_word.items()]


def _overlay(variants: _Variants, start: str | None) -> dict[Meter, Price]:
    """What the variants that hold from `start` on lay over the base; of two, the one listed first."""
    over: dict[Meter, Price] = {}
    for begins, prices in variants:
        if begins is None or (start is not None and begins <= start):
            over = {**prices, **over}
    return over


def _condition(given: Condition, **more: Any) -> Condition:
    """Both conditions at once: the later start, the earlier end."""
    start = max(filter(None, (given.start, more.pop("start", None))), default=None)
    until = min(filter(None, (given.until, more.pop("until", None))), default=None)
    told: dict[str, Any] = {"hours": given.hours, "tier": given.tier, "place": given.place, **more}
    return Condition(start=start, until=until, **told)


# -- the others --------------------------------------------------------------------------------------------------------


def litellm_lists(entries: Any) -> dict[str, list[Listed]]:
    """The price lists of LiteLLM's map, per provider of its own, under the names that the provider gives its models."""
    lists: dict[str, list[Listed]] = {}
    for name, entry in cast("dict[str, _Json]", entries).items():
        provider = entry.get("litellm_provider")
        tables = litellm_list(entry)
        if name == "sample_spec" or not isinstance(provider, str) or not tables:
            continue
        model = _own_name(name, provider)
        if model is not None:
            lists.setdefault(provider, []).append(Listed(model, PriceList(tables=tables, source=LITELLM)))
    return lists


_PREFIXED: Final = ("azure", "bedrock", "vertex_ai", "cohere", "fireworks_ai")


def _own_name(name: str, provider: str) -> str | None:
    """The model's name without LiteLLM's own prefix; None for the price of a region, a size or a commitment."""
    prefixes = [provider, *(short for short in _PREFIXED if provider.startswith(short))]
    for prefix in prefixes:
        if name.startswith(f"{prefix}/"):
            name = name.removeprefix(f"{prefix}/")
            break
    regional = provider.startswith(("azure", "bedrock", "vertex_ai", "openai")) and "/" in name
    return None if regional and not name.startswith(("openai/", "meta/", "deepseek-ai/", "qwen/", "zai-org/")) else name


_DEV: Final[Mapping[str, Meter]] = {
    "input": "input",
    "output": "output",
    "cache_read": "cache_read",
    "cached_input": "cache_read",
    "cache_write": "cache_write",
    "input_audio": "input_audio",
    "output_audio": "output_audio",
    "reasoning": "output_reasoning",
}


def models_dev_lists(providers: Any) -> dict[str, list[Listed]]:
    """The price lists of models.dev, per provider of its own; a price of nothing says there "not known"."""
    return {
        name: [
            Listed(model, PriceList(tables=(PriceTable(prices=prices),), source=MODELS_DEV))
            for model, entry in provider["models"].items()
            if (prices := _dev_prices(entry.get("cost") or {}))
        ]
        for name, provider in providers.items()
    }


def _dev_prices(cost: _Json) -> dict[Meter, Price]:
    if "input" not in cost or not any(cost.get(name) for name in ("input", "output")):
        return {}
    prices: dict[Meter, Price] = {}
    for name, meter in _DEV.items():
        if cost.get(name) is not None and meter not in prices:
            steps = tuple(
                Step(int(tier["tier"]["size"]), _per_unit(tier[name], 6))
                for tier in sorted(cost.get("tiers") or (), key=lambda tier: tier["tier"]["size"])
                if tier.get(name) is not None
            )
            prices[meter] = Price(_per_unit(cost[name], 6), steps)
    thoughts, output = prices.get("output_reasoning"), prices.get("output")
    if thoughts is not None and output is not None and thoughts.amount == output.amount and not thoughts.steps:
        del prices["output_reasoning"]  # the same as the rest of the answer, at every step of it
    return prices
