"""Compiling: the tables, and what is declared beside them, as one document in the form of our data file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from dragoman.facts.families import compact_clause
from dragoman.facts.form import FORM, Family, Row, packed
from dragoman.facts.tables.genai_prices import genai_fields
from dragoman.facts.tables.litellm import litellm_fields, litellm_name
from dragoman.facts.tables.merging import Disagreement, Told, merged
from dragoman.facts.tables.models_dev import models_dev_fields
from dragoman.facts.tables.price_tables import GENAI, LITELLM, MODELS_DEV, Listed, price_lists
from dragoman.facts.tables.providers import ALIASES, PROVIDERS
from dragoman.values.profile import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.facts.tables.providers import CacheManner, Party

__all__ = ["Declared", "Report", "Tables", "compiled"]

_Json = dict[str, Any]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_TALKING = frozenset({"chat", "responses", "completion", "embedding", "image_generation", "rerank", "moderation"})
"""Modes of LiteLLM's map that have to do with what is called here: no films, no speech, no search engines."""


class Tables(NamedTuple):
    """The tables as parsed JSON (numbers as decimals), each with its source; one that is not there is empty."""

    genai_prices: list[_Json]
    litellm: Mapping[str, _Json]
    models_dev: Mapping[str, _Json]
    genai_source: Source
    litellm_source: Source
    models_dev_source: Source


class Declared(NamedTuple):
    """What the project itself says, each with its source: corrections by provider and model, and ids of weights."""

    corrections: Mapping[tuple[str, str], list[tuple[Mapping[str, Any], Source]]] = {}
    weights: Mapping[tuple[str, str], tuple[str, Source]] = {}


_NOTHING_DECLARED = Declared()


class Report(NamedTuple):
    """Where tables disagreed: provider, model, and what each said."""

    disagreements: list[tuple[str, str, Disagreement]]
    counts: dict[str, tuple[int, int]]
    """Models and families per provider."""


def compiled(tables: Tables, declared: Declared = _NOTHING_DECLARED) -> tuple[bytes, Report]:
    """The document as bytes, the same for the same tables; and the report."""
    report = Report([], {})
    prices = price_lists(tables.genai_prices, tables.litellm, tables.models_dev)
    rows: dict[str, tuple[dict[str, Row], list[tuple[Family, Row]]]] = {}
    for provider in sorted(PROVIDERS):
        party = PROVIDERS[provider]
        priced = [_from(tables, listed) for listed in prices.get(provider, ())] if party.priced else []
        told = _told(tables, party)
        stated = _stated(tables, party)
        families = [_family(entry, stated.get(entry.model, {}), tables) for entry in priced if entry.match is not None]
        models = _models(provider, told, priced, families, declared, report)
        if models or families:
            rows[provider] = (models, families)
            report.counts[provider] = (len(models), len(families))
    return _written(rows), report


def _told(tables: Tables, party: Party) -> dict[str, list[Told]]:
    """What the tables say of each model of a provider, by the provider's own name of it."""
    found: dict[str, list[Told]] = {}
    for name in party.models_dev:
        for model, entry in tables.models_dev.get(name, {}).get("models", {}).items():
            _add(found, model, Told("models.dev", models_dev_fields(entry), tables.models_dev_source))
    for litellm_provider in party.litellm:
        for key, entry in tables.litellm.items():
            if entry.get("litellm_provider") != litellm_provider or entry.get("mode") not in _TALKING:
                continue
            model = litellm_name(key, party)
            if model is not None:
                source = _with_url(tables.litellm_source, entry.get("source"))
                fields = litellm_fields(entry, _manner(party, litellm_provider, model))
                _add(found, model, Told("litellm", fields, source))
    return found


def _manner(party: Party, litellm_provider: str, model: str) -> CacheManner | None:
    manner = party.cache
    if manner is None or (manner.litellm and litellm_provider not in manner.litellm):
        return None
    return manner if not manner.names or re.fullmatch(manner.names, model) else None


def _from(tables: Tables, listed: Listed) -> Listed:
    """The prices with the source that the tables were said to be from."""
    if listed.prices is None or listed.prices.source is None:
        return listed
    named = {GENAI: tables.genai_source, LITELLM: tables.litellm_source, MODELS_DEV: tables.models_dev_source}
    source = named.get(listed.prices.source, listed.prices.source)
    return Listed(listed.model, replace(listed.prices, source=source), listed.match)


def _add(found: dict[str, list[Told]], model: str, told: Told) -> None:
    """The first provider id of a table that has a model speaks for the table."""
    before = found.setdefault(model, [])
    if told.table not in {other.table for other in before}:
        before.append(told)


def _with_url(source: Source, url: Any) -> Source:
    if isinstance(url, str) and url.startswith("https://"):
        return Source(name=source.name, date=source.date, url=url)
    return source


def _stated(tables: Tables, party: Party) -> dict[str, _Json]:
    """What genai-prices says of its models beside their prices, by its own ids."""
    return {
        entry["id"]: genai_fields(entry)
        for provider in tables.genai_prices
        if provider["id"] in party.genai_prices
        for entry in provider["models"]
    }


def _family(priced: Listed, fields: _Json, tables: Tables) -> tuple[Family, Row]:
    assert priced.match is not None
    row = Row(fields, dict.fromkeys(fields, tables.genai_source), priced.prices)
    clause = compact_clause(priced.match)
    if set(clause) == {"equals"}:
        names = [clause["equals"]] if isinstance(clause["equals"], str) else clause["equals"]
        if priced.model in names:
            also = tuple(name for name in names if name != priced.model)
            return Family(priced.model, also=also), row
    return Family(priced.model, clause), row


def _models(
    provider: str,
    told: dict[str, list[Told]],
    priced: list[Listed],
    families: list[tuple[Family, Row]],
    declared: Declared,
    report: Report,
) -> dict[str, Row]:
    alone = {entry.model: entry.prices for entry in priced if entry.match is None}
    models: dict[str, Row] = {}
    named = {model for name, model in (*declared.corrections, *declared.weights) if name == provider}
    for model in sorted({*told, *alone, *named}):
        saying = list(told.get(model, ()))
        for fields, source in declared.corrections.get((provider, model), ()):
            saying.append(Told("correction", fields, source))
        row, disagreements = merged(saying)
        report.disagreements.extend((provider, model, found) for found in disagreements)
        fields, sources = dict(row.fields), dict(row.sources)
        weights = declared.weights.get((provider, model))
        if weights is not None:
            fields["weights"], sources["weights"] = weights
        models[model] = Row(fields, sources, alone.get(model))
    return _without_repeats(models, PROVIDERS[provider])


def _without_repeats(models: dict[str, Row], party: Party) -> dict[str, Row]:
    """Leaves out what would be found anyway, under the listed name that it is another way to write."""
    forms = [re.compile(pattern) for pattern, _ in party.forms]
    kept: dict[str, Row] = {}
    for name, row in models.items():
        meant = next((match.group(1) for form in forms if (match := form.fullmatch(name))), None)
        other = models.get(meant) if meant is not None else None
        if other is None or row.prices is not None or not _same_but_name(row, other):
            kept[name] = row
    return kept


def _same_but_name(row: Row, other: Row) -> bool:
    told = {field: value for field, value in row.fields.items() if field != "name"}
    return told == {field: value for field, value in other.fields.items() if field != "name"}


def _written(rows: Mapping[str, tuple[dict[str, Row], list[tuple[Family, Row]]]]) -> bytes:
    sources = _sources(rows)
    index_of = {source: index for index, source in enumerate(sources)}
    lines = ["{", f'"form":{FORM},', f'"aliases":{_encode(ALIASES)},', '"sources":[']
    lines += _joined(_encode(source) for source in sources)
    lines += ["],", '"providers":{']
    parties: list[str] = []
    written: dict[str, list[str]] = {}
    for provider, (models, families) in rows.items():
        party = PROVIDERS[provider]
        inner = [f'"fallbacks":{_encode(party.fallbacks)},', f'"forms":{_encode(party.forms)},']
        lines_of_families = [_encode(_family_line(family, row, index_of)) for family, row in families]
        like = next((other for other, told in written.items() if families and told == lines_of_families), None)
        if like is not None:
            inner.append(f'"families_of":{_encode(like)},')
        elif families:
            written[provider] = lines_of_families
            inner += ['"families":[', *_joined(lines_of_families), "],"]
        inner.append('"models":{')
        inner += _joined(f"{_encode(name)}:{_encode(packed(row, index_of))}" for name, row in models.items())
        parties.append("\n".join([f"{_encode(provider)}:{{", *inner, "}}"]))
    return "\n".join([*lines, ",\n".join(parties), "}}", ""]).encode()


def _family_line(family: Family, row: Row, index_of: Mapping[Source, int]) -> _Json:
    told: _Json = {"id": family.id}
    if family.match is not None:
        told["match"] = family.match
    if family.also:
        told["also"] = family.also
    of = packed(row, index_of)
    return {**told, "of": of} if of else told


def _encode(value: Any) -> str:
    return _ENCODER.encode(value).decode()


def _joined(entries: Iterable[str]) -> list[str]:
    """Entries one a line, with commas between them."""
    lines = list(entries)
    return [f"{line}," for line in lines[:-1]] + lines[-1:]


def _sources(rows: Mapping[str, tuple[dict[str, Row], list[tuple[Family, Row]]]]) -> list[Source]:
    """Every source that something is from; those without an address first, for they are the most used."""
    used: set[Source] = set()
    for models, families in rows.values():
        for row in (*models.values(), *(row for _, row in families)):
            used.update(row.sources.values())
            if row.prices is not None and row.prices.source is not None:
                used.add(row.prices.source)
    return sorted(used, key=lambda source: (source.name, source.url or "", source.date or ""))
