"""The committed data file: whole, of its form, and what the script makes of the tables."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from dragoman import catalogue
from dragoman.facts.compiled import OWN_FILE, Compiled
from dragoman.facts.form import Row, packed, unpacked
from dragoman.facts.lookup import Facts
from dragoman.facts.price_lists import Condition, Price, PriceList, PriceTable, Step
from dragoman.facts.tables.compiling import compiled
from dragoman.facts.tables.providers import ALIASES, PROVIDERS
from dragoman.values.profile import CacheFacts, Profile, ReasoningFacts, Source
from tests.facts.tables_here import compiled_now, require_tables, tables_now
from tests.wire.recordings import exchanges, target_for

FILE = Path(OWN_FILE)
_SOURCE = Source(name="a table", date="2026-11")


def test_the_file_is_what_the_script_compiles() -> None:
    require_tables()
    content, _ = compiled_now()
    assert FILE.read_bytes() == content, "run `python -m scripts.facts`"


def test_compiling_again_gives_the_same_bytes() -> None:
    require_tables()
    assert compiled(tables_now())[0] == compiled(tables_now())[0]


def test_everything_in_the_file_can_be_decoded() -> None:
    assert Compiled.own().check() > 3000


def test_the_file_is_readable_and_small() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 3000  # a model a line
    assert FILE.stat().st_size < 900_000


def test_every_field_of_every_model_has_a_source_and_a_date_or_an_address() -> None:
    facts = Facts()
    for provider, model in facts.names():
        profile = facts.profile(provider, model)
        named = {"provider", "model", "family", "sources"}
        known = {
            field for field in Profile.__struct_fields__ if field not in named and getattr(profile, field) is not None
        }
        assert known == set(profile.sources), (provider, model)
        assert all(source.date or source.url or "recorded" in source.name for source in profile.sources.values())


def test_prices_say_where_they_are_from() -> None:
    facts = Facts()
    lists = [found for pair in facts.names() if (found := facts.prices(*pair)) is not None]
    assert len(lists) > 2000
    assert all(found.source is not None and found.source.date for found in lists)
    assert all(price.amount >= 0 for found in lists for table in found.tables for price in table.prices.values())


def test_providers_are_names_of_the_catalogue() -> None:
    names = set(catalogue.names())
    assert set(PROVIDERS) - names == {"moonshotai"}  # served by Azure under its own names
    assert set(Compiled.own().providers()) <= set(PROVIDERS)


def test_aliases_are_those_of_the_rows() -> None:
    rows = [catalogue.find(name) for name in catalogue.names()]
    assert {row.name: row.facts for row in rows if row.facts} == ALIASES


@pytest.mark.parametrize(
    "row",
    [
        Row(),
        Row({"tools": True, "prefill": False, "mode": "chat", "sampling": ("temperature",)}, {}),
        Row({"mode": "embedding", "refused": ("temperature", "top_p"), "output_modalities": ()}, {}),
        Row({"input_modalities": ("text", "image"), "context_tokens": 5, "name": "A name", "weights": "a/B"}, {}),
        Row({"reasoning_facts": ReasoningFacts(efforts=("low", "high"), form="both", least_budget_tokens=0)}, {}),
        Row({"reasoning_facts": ReasoningFacts(efforts=(), optional=False), "status": "preview"}, {}),
        Row({"cache": CacheFacts(kinds=("marks",), least_tokens=1024, most_marks=4, ttls=("5m", "1h"))}, {}),
        Row({"cache": CacheFacts(kinds=()), "retired": "2026-01-01", "knowledge_until": "2025-01"}, {}),
    ],
)
def test_a_row_survives_being_written_and_read(row: Row) -> None:
    sourced = Row(row.fields, dict.fromkeys(row.fields, _SOURCE))
    written = msgspec.json.Encoder(decimal_format="number").encode(packed(sourced, {_SOURCE: 0}))
    assert unpacked(written, (_SOURCE,)) == sourced


def test_prices_survive_to_the_last_digit() -> None:
    prices = PriceList(
        tables=(
            PriceTable(
                prices={
                    "input": Price(Decimal("0.00000012345678901"), (Step(200_000, Decimal("0.0000005")),)),
                    "web_search": Price(Decimal("0.01")),
                    "audio_hour": Price(Decimal("0.111")),
                }
            ),
            PriceTable(
                prices={"input": Price(Decimal("10"))},
                condition=Condition(tier="flex", start="2026-01-01", hours=("16:30:00", "00:30:00")),
            ),
        ),
        source=_SOURCE,
        currency="EUR",
    )
    written = msgspec.json.Encoder(decimal_format="number").encode(packed(Row(prices=prices), {_SOURCE: 0}))
    assert unpacked(written, (_SOURCE,)).prices == prices


def test_most_models_that_recordings_name_are_known() -> None:
    """No rule for any one name: the share would show that names are resolved worse than before."""
    if not exchanges():
        pytest.skip("the recordings of providers' traffic are not here (../shared/wire, or set DRAGOMAN_WIRE)")
    facts = Facts()
    answered = [target_for(exchange) for exchange in exchanges() if exchange.dialect and not exchange.is_error]
    asked = {(target.provider, target.model) for target in answered if target.model and target.provider in PROVIDERS}
    known = {pair for pair in asked if facts.profile(*pair).window_tokens is not None}
    assert len(known) >= 0.85 * len(asked), sorted(asked - known)
