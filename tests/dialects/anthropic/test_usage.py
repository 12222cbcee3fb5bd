"""Usage: totals include the cache, and go back as they came or as the fields say."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dragoman.dialects.anthropic.dialect import DIALECT
from dragoman.errors import ProtocolViolation
from dragoman.values import Choice, Finish, Message, Response, Usage, replace
from tests.dialects.anthropic.bodies import ANSWERS
from tests.dialects.anthropic.wire import TARGET, answer, paths


def _usage(raw: object) -> Usage:
    usage = DIALECT.decode_response(answer(usage=raw), TARGET).usage
    assert usage is not None
    return usage


def test_totals_include_the_cache() -> None:
    usage = _usage(ANSWERS["full usage"]["usage"])
    assert (usage.input_tokens, usage.output_tokens) == (18, 9)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (5, 3)
    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (1, 2)
    assert (usage.reasoning_tokens, usage.tool_uses) == (4, {"web_search": 2, "web_fetch": 0})
    assert (usage.reported_cost, usage.dialect) == (Decimal("0.25"), "anthropic")
    assert usage.raw == ANSWERS["full usage"]["usage"]


def test_what_is_not_reported_is_none() -> None:
    usage = _usage({"input_tokens": 4, "output_tokens": 0, "cache_read_input_tokens": None})
    assert (usage.input_tokens, usage.output_tokens) == (4, 0)
    assert (usage.cache_read_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (None, None, None)
    assert _usage({"output_tokens": 1}).input_tokens is None
    assert _usage({"cache_creation": {"ephemeral_5m_input_tokens": 7}, "input_tokens": 1}).cache_write_tokens == 7


def test_a_compaction_on_the_way_is_counted_and_an_advisor_is_not() -> None:
    iteration = {"input_tokens": 100, "cache_creation_input_tokens": 50, "output_tokens": 20}
    usage = _usage(
        {
            "input_tokens": 10,
            "cache_read_input_tokens": 1,
            "output_tokens": 5,
            "iterations": [
                {"type": "compaction", **iteration},
                {"type": "message", **iteration},
                {"type": "advisor_message", "model": "m", **iteration},
            ],
        }
    )
    assert (usage.input_tokens, usage.output_tokens) == (161, 25)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (1, 50)


@pytest.mark.parametrize(
    ("short", "long", "total", "told"),
    [
        (3, 2, 5, (3, 2)),
        (3, 0, 5, (5, 0)),
        (0, 3, 5, (0, 5)),
        (0, 0, 5, (None, None)),
        (1, 3, 5, (2, 3)),
        (1, 3, 2, (0, 2)),
        (4, 0, 0, (0, 0)),
    ],
)
def test_what_was_written_for_how_long_adds_up_to_what_was_written(
    short: int, long: int, total: int, told: tuple[int | None, int | None]
) -> None:
    """A stream's end repeats the total alone, which may have grown, or shrunk by a compaction, since its start."""
    by_duration = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}
    usage = _usage({"input_tokens": 1, "cache_creation_input_tokens": total, "cache_creation": by_duration})
    assert (usage.cache_write_tokens, usage.input_tokens) == (total, total + 1)
    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == told


@pytest.mark.parametrize(
    "raw",
    [
        {"input_tokens": True},
        {"cache_creation": 1},
        {"server_tool_use": []},
        {"iterations": {}},
        {"output_tokens_details": 3},
        {"cost": "much"},
    ],
)
def test_wrong_counts_are_named(raw: dict[str, object]) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        _usage(raw)
    assert caught.value.path.startswith("usage")


def _answered(usage: Usage, tier: str | None = None) -> Response:
    choice = Choice(message=Message("assistant", "Hi"), finish=Finish(reason="stop"))
    return Response(id="r", model="m", dialect="openai-chat", choices=(choice,), usage=usage, service_tier=tier)


def test_foreign_usage_is_built_with_its_sums_right() -> None:
    usage = Usage(
        input_tokens=100,
        output_tokens=20,
        cache_read_tokens=60,
        cache_write_tokens=30,
        cache_write_1h_tokens=30,
        reasoning_tokens=5,
        tool_uses={"web_search": 1},
        input_audio_tokens=7,
        raw={"prompt_tokens": 100},
        dialect="openai-chat",
    )
    encoded = DIALECT.encode_response(_answered(usage, "default"), TARGET)
    assert encoded.body["usage"] == {
        "input_tokens": 10,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 60,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 30},
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 5},
        "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
        "service_tier": "standard",
        "inference_geo": None,
    }
    assert paths(encoded.adaptations) == [("usage.input_audio_tokens", "dropped")]
    again = _usage(encoded.body["usage"])
    assert (again.input_tokens, again.output_tokens, again.reasoning_tokens) == (100, 20, 5)


def test_an_edited_count_wins_over_the_raw_object() -> None:
    response = DIALECT.decode_response(ANSWERS["full usage"], TARGET)
    edited = replace(response, usage=replace(response.usage, output_tokens=99))
    assert DIALECT.encode_response(edited, TARGET).body["usage"]["output_tokens"] == 99


def test_a_tier_that_the_wire_does_not_name_is_recorded() -> None:
    encoded = DIALECT.encode_response(_answered(Usage(input_tokens=1, output_tokens=1), "flex"), TARGET)
    assert encoded.body["usage"]["service_tier"] is None
    assert paths(encoded.adaptations) == [("service_tier", "dropped")]
