"""Cost by rule: what each kind of token, step, tier, time and fee comes to, and what cannot be known."""

from __future__ import annotations

import decimal
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from dragoman import facts
from dragoman.facts.costing import list_cost
from dragoman.facts.price_lists import Condition, Price, PriceList, PriceTable, Step
from dragoman.values import Cost, Usage

MILLION = Decimal(1_000_000)


def listing(*tables: PriceTable, **prices: str) -> PriceList:
    """A list of one table of prices per million tokens (per piece for requests and searches), then those given."""
    pieces = ("request", "web_search", "storage_search")
    table = {
        meter: Price(Decimal(amount) if meter in pieces else Decimal(amount) / MILLION)
        for meter, amount in prices.items()
    }
    return PriceList(tables=((PriceTable(prices=table),) if table else ()) + tables)


def at_condition(condition: Condition, amount: str) -> PriceTable:
    prices = {"input": Price(Decimal(amount) / MILLION), "output": Price(Decimal(0))}
    return PriceTable(prices=prices, condition=condition)


def dollars(usage: Usage, prices: PriceList, **options: object) -> str | None:
    """The amount as text; None where the cost is not known."""
    cost = facts.cost(usage, "nobody", "nothing", listing=prices, **options)  # pyright: ignore[reportArgumentType]
    return None if cost is None else f"{cost.amount.normalize():f}"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(input_tokens=1000, output_tokens=100), "0.0015"),
        # 400 cached at 0.1, 100 written for 5 minutes at 1.25, 50 for an hour at 2, the rest at 1.
        (
            Usage(
                input_tokens=1000,
                output_tokens=0,
                cache_read_tokens=400,
                cache_write_tokens=150,
                cache_write_1h_tokens=50,
            ),
            "0.000715",
        ),
        # Of 300 tokens of audio 100 are cached: 100 at 0.3, 200 at 3, 300 other cached ones at 0.1, 400 at 1.
        (
            Usage(
                input_tokens=1000,
                output_tokens=0,
                cache_read_tokens=400,
                input_audio_tokens=300,
                cache_read_audio_tokens=100,
            ),
            "0.00106",
        ),
        # 40 thoughts at 8, 10 tokens of audio at 20, 50 at 5.
        (Usage(input_tokens=0, output_tokens=100, reasoning_tokens=40, output_audio_tokens=10), "0.00077"),
        (Usage(input_tokens=0, output_tokens=0, tool_uses={"web_search": 3, "web_fetch": 9}), "0.03"),
        (Usage(input_tokens=0, output_tokens=0, tool_uses={"file_search": 2}), "0.005"),
    ],
)
def test_each_token_is_charged_by_the_narrowest_meter(usage: Usage, expected: str) -> None:
    prices = listing(
        input="1",
        output="5",
        cache_read="0.1",
        cache_write="1.25",
        cache_write_1h="2",
        input_audio="3",
        cache_read_audio="0.3",
        output_reasoning="8",
        output_audio="20",
        web_search="0.01",
        storage_search="0.0025",
    )
    assert dollars(usage, prices) == expected


def test_a_subset_without_a_price_belongs_to_the_wider_one() -> None:
    usage = Usage(input_tokens=10, output_tokens=10, cache_read_tokens=5, reasoning_tokens=5, cache_write_1h_tokens=0)
    assert dollars(usage, listing(input="1", output="2")) == "0.00003"


def test_a_request_has_its_fee() -> None:
    assert (
        dollars(Usage(input_tokens=1, output_tokens=1), listing(request="0.012", input="1", output="1")) == "0.012002"
    )


def test_the_step_is_that_of_the_whole_prompt_and_holds_for_all_of_it() -> None:
    steps = (Step(200_000, Decimal(2) / MILLION), Step(400_000, Decimal(4) / MILLION))
    prices = PriceList(
        tables=(
            PriceTable(
                prices={
                    "input": Price(Decimal(1) / MILLION, steps),
                    "cache_read": Price(Decimal("0.1") / MILLION, (Step(200_000, Decimal("0.2") / MILLION),)),
                    "output": Price(Decimal(10) / MILLION, (Step(200_000, Decimal(15) / MILLION),)),
                }
            ),
        )
    )
    assert dollars(Usage(input_tokens=200_000, output_tokens=10), prices) == "0.2001"
    assert dollars(Usage(input_tokens=200_001, output_tokens=10), prices) == "0.400152"
    assert dollars(Usage(input_tokens=400_001, output_tokens=10, cache_read_tokens=400_001), prices) == "0.0801502"


def test_a_tier_has_its_own_table_and_standard_words_have_none() -> None:
    prices = listing(at_condition(Condition(tier="flex"), "0.5"), input="1", output="0")
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    for word in (None, "default", "standard", "auto", "on_demand"):
        assert facts.cost(usage, "", "", service_tier=word, listing=prices) == Cost(amount=Decimal(1), basis="computed")
    assert facts.cost(usage, "", "", service_tier="FLEX", listing=prices) == Cost(
        amount=Decimal("0.5"), basis="computed"
    )


def test_a_tier_without_a_price_is_estimated_at_the_standard_one() -> None:
    cost = facts.cost(
        Usage(input_tokens=1, output_tokens=0), "", "", service_tier="priority", listing=listing(input="1")
    )
    assert cost == Cost(amount=Decimal("0.000001"), basis="estimated")


def test_a_place_has_its_own_table_and_nowhere_has_none() -> None:
    prices = PriceList(tables=(at_condition(Condition(place="here"), "3"),))
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    assert dollars(usage, prices, place="here") == "3"
    assert dollars(usage, prices) is None
    assert dollars(usage, prices, place="there") is None


def test_the_last_table_that_holds_at_the_time() -> None:
    prices = listing(
        at_condition(Condition(start="2026-06-01", until="2026-07-01"), "2"),
        at_condition(Condition(start="2026-07-01T12:00:00+02:00"), "3"),
        at_condition(Condition(hours=("22:00:00", "04:30:00")), "9"),
        input="1",
        output="0",
    )
    usage = Usage(input_tokens=1_000_000, output_tokens=0)

    def asked(*moment: int, zone: timezone | None = UTC) -> str | None:
        return dollars(usage, prices, at=datetime(*moment, tzinfo=zone))  # pyright: ignore[reportArgumentType]

    assert asked(2026, 5, 31, 20) == "1"
    assert asked(2026, 6, 1, 5) == "2"
    assert asked(2026, 6, 1, 5, zone=None) == "2"  # without a zone it is UTC
    assert asked(2026, 7, 1, 5) == "1"
    assert asked(2026, 7, 1, 10) == "3"
    assert asked(2026, 7, 1, 22) == "9"
    assert asked(2026, 7, 2, 4, 29, 59) == "9"
    assert asked(2026, 7, 2, 4, 30) == "3"
    assert asked(2026, 7, 2, 1, zone=timezone(timedelta(hours=-4))) == "3"


def test_what_is_billed_stands_before_what_was_taken() -> None:
    usage = Usage(input_tokens=500, output_tokens=7, billed_input_tokens=6, billed_output_tokens=5)
    assert dollars(usage, listing(input="1", output="10")) == "0.000056"


def test_what_the_provider_reports_is_the_cost() -> None:
    usage = Usage(input_tokens=1, output_tokens=1, reported_cost=Decimal("0.25"))
    assert facts.cost(usage, "", "", listing=listing(input="1", output="1")) == Cost(amount=Decimal("0.25"))


@pytest.mark.parametrize("usage", [Usage(), Usage(output_tokens=5), Usage(input_tokens=5), Usage(cache_read_tokens=5)])
def test_a_count_that_has_a_price_and_is_missing_is_no_cost(usage: Usage) -> None:
    assert dollars(usage, listing(input="1", output="1", cache_read="1")) is None


def test_of_a_call_that_did_not_end_what_was_counted_is_charged_and_said_to_be_estimated() -> None:
    cost = facts.cost(Usage(input_tokens=5), "", "", listing=listing(input="1", output="1"), partial=True)
    assert cost == Cost(amount=Decimal("0.000005"), basis="estimated")
    assert facts.cost(Usage(), "", "", listing=listing(input="1", output="1", request="1"), partial=True) is None


def test_an_answer_without_output_costs_its_input_where_output_has_no_price() -> None:
    assert dollars(Usage(input_tokens=5), listing(input="1")) == "0.000005"
    assert dollars(Usage(input_tokens=5), listing(input="1", output="0")) == "0.000005"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        # A subset above its total: the subset is charged whole, the rest at nothing.
        (Usage(input_tokens=10, output_tokens=0, cache_read_tokens=50), "0.000005"),
        (Usage(input_tokens=10, output_tokens=0, cache_read_tokens=8, input_audio_tokens=9), "0.0000278"),
        (Usage(input_tokens=-3, output_tokens=0), "0"),
        # Cached and audio, and nobody says how much of the audio is cached.
        (Usage(input_tokens=100, output_tokens=0, cache_read_tokens=10, input_audio_tokens=20), "0.000131"),
    ],
)
def test_a_usage_that_contradicts_itself_is_charged_and_said_to_be_estimated(usage: Usage, expected: str) -> None:
    prices = listing(input="1", output="1", cache_read="0.1", input_audio="3")
    assert dollars(usage, prices) == expected
    cost = facts.cost(usage, "", "", listing=prices)
    assert cost is not None
    assert cost.basis == "estimated"


def test_a_model_nobody_knows_has_no_cost() -> None:
    assert facts.cost(Usage(input_tokens=1, output_tokens=1), "openai", "no-such-model") is None
    assert facts.cost(Usage(input_tokens=1, output_tokens=1), "no-such-provider", "gpt-4o") is None


def test_the_cost_of_a_known_model_in_its_own_currency() -> None:
    cost = facts.cost(Usage(input_tokens=1_000_000, output_tokens=0), "openai", "gpt-4.1-mini")
    assert cost == Cost(amount=Decimal("0.4"), basis="computed")
    euros = PriceList(tables=listing(input="1", output="1").tables, currency="EUR")
    cost = facts.cost(Usage(input_tokens=1, output_tokens=0), "", "", listing=euros)
    assert cost is not None
    assert cost.currency == "EUR"


def test_no_setting_of_the_callers_changes_a_sum() -> None:
    usage = Usage(input_tokens=123_457, output_tokens=98_765)
    with decimal.localcontext() as context:
        context.prec = 3
        cost = list_cost(usage, PRICES)
    assert cost is not None
    assert cost.amount == Decimal("0.123457") + Decimal("0.493825")


PRICES = listing(input="1", output="5")


def test_many_lists_are_made_ready_without_end() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    for number in range(1_500):
        assert dollars(usage, listing(input=str(number))) == str(number)
