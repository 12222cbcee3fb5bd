"""Usage: inclusive totals, subsets within them, and the wire's own object given back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dragoman.dialects.openai_chat.usage import decode_usage, encode_usage
from dragoman.values import Usage, replace
from tests.dialects.openai_chat.wire import JSON, OPENAI, target

TOTALS: JSON = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


@pytest.mark.parametrize(
    ("wire", "fields"),
    [
        (TOTALS, {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}),
        ({}, {}),
        (
            TOTALS | {"prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2, "audio_tokens": 1}},
            {"cache_read_tokens": 3, "cache_write_tokens": 2, "input_audio_tokens": 1},
        ),
        (
            TOTALS
            | {
                "completion_tokens_details": {
                    "reasoning_tokens": 2,
                    "audio_tokens": 1,
                    "accepted_prediction_tokens": 1,
                    "rejected_prediction_tokens": 0,
                }
            },
            {
                "reasoning_tokens": 2,
                "output_audio_tokens": 1,
                "accepted_prediction_tokens": 1,
                "rejected_prediction_tokens": 0,
            },
        ),
        (TOTALS | {"prompt_tokens_details": None, "completion_tokens_details": None}, {"output_tokens": 5}),
        (TOTALS | {"prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 6}, {"cache_read_tokens": 4}),
        (TOTALS | {"cached_tokens": 4}, {"cache_read_tokens": 4}),
        (TOTALS | {"cost": 0.00123}, {"reported_cost": Decimal("0.00123")}),
        (TOTALS | {"cost": 0}, {"reported_cost": Decimal(0)}),
        (TOTALS | {"cost": {"total_cost": 0.005, "request_cost": 0.005}}, {"reported_cost": Decimal("0.005")}),
        (TOTALS | {"cost_in_usd_ticks": 37_756_000}, {"reported_cost": Decimal("0.0037756")}),
        (
            TOTALS | {"server_side_tool_usage_details": {"web_search_calls": 2, "x_search_calls": 0, "other": 1}},
            {"tool_uses": {"web_search": 2, "x_search": 0}},
        ),
        (TOTALS | {"num_sources_used": 2}, {"tool_uses": {"web_search": 2}}),
        (TOTALS | {"server_tool_use_details": {"web_search_requests": 1}}, {"tool_uses": {"web_search": 1}}),
        # A subset is never more than its total.
        (TOTALS | {"completion_tokens_details": {"reasoning_tokens": 11}}, {"reasoning_tokens": 5}),
        # Thoughts beside the completion, and in the total alone.
        (
            {
                "prompt_tokens": 32,
                "completion_tokens": 40,
                "total_tokens": 696,
                "completion_tokens_details": {"reasoning_tokens": 624},
            },
            {"output_tokens": 664, "reasoning_tokens": 624},
        ),
        ({"prompt_tokens": -1, "completion_tokens": 5}, {"input_tokens": None, "output_tokens": 5}),
    ],
)
def test_what_hosts_report(wire: JSON, fields: dict[str, Any]) -> None:
    usage = decode_usage(wire, OPENAI)
    assert {name: getattr(usage, name) for name in fields} == fields
    assert (usage.raw, usage.dialect) == (wire, "openai-chat")
    assert encode_usage(usage, OPENAI) is wire


def test_unreported_is_none_and_never_zero() -> None:
    usage = decode_usage(TOTALS, OPENAI)
    assert usage == Usage(input_tokens=10, output_tokens=5, total_tokens=15, dialect="openai-chat", raw=TOTALS)


def test_a_host_whose_total_alone_counts_thoughts() -> None:
    usage = decode_usage(TOTALS | {"total_tokens": 115}, target(output_from_total=True))
    assert usage.output_tokens == 105
    assert decode_usage(TOTALS | {"total_tokens": 115}, OPENAI).output_tokens == 5


def test_changed_usage_is_written_anew() -> None:
    usage = replace(decode_usage(TOTALS, OPENAI), output_tokens=6)
    assert encode_usage(usage, OPENAI) == {"prompt_tokens": 10, "completion_tokens": 6, "total_tokens": 16}


def test_usage_of_another_dialect_adds_up() -> None:
    usage = Usage(
        input_tokens=10,
        output_tokens=5,
        cache_read_tokens=4,
        cache_write_tokens=1,
        reasoning_tokens=2,
        dialect="anthropic",
        raw={"input_tokens": 5},
    )
    assert encode_usage(usage, OPENAI) == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
