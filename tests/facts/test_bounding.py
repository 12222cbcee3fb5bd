"""Bounds: what they are made of, and why there is none."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from dragoman import facts
from dragoman.facts.price_lists import Condition, Price, PriceList, PriceTable, Step
from dragoman.values import CacheHint, Media, Opaque, Request, Text, ToolDefinition, assistant, replace, user

PROVIDER, MODEL = "somebody", "model-1"
TEXT = "Grüße, 世界! " * 50
REQUEST = Request(model=MODEL, messages=(user(TEXT),), max_tokens=100)
LIST = PriceList(
    tables=(PriceTable(prices={"input": Price(Decimal("0.000001")), "output": Price(Decimal("0.00001"))}),)
)


def _bound(request: Request, listing: PriceList = LIST) -> facts.Bound:
    return facts.bound(request, PROVIDER, MODEL, listing=listing)


def _listed(*tables: PriceTable) -> PriceList:
    return PriceList(tables=tables)


def _table(condition: Condition | None = None, **prices: str | Price) -> PriceTable:
    return PriceTable(
        prices={name: each if isinstance(each, Price) else Price(Decimal(each)) for name, each in prices.items()},
        condition=condition,
    )


def test_a_prompt_is_its_bytes_and_what_a_template_adds() -> None:
    found = _bound(REQUEST)
    assert found.holds
    assert found.input_tokens is not None
    assert 0 < found.input_tokens - len(TEXT.encode()) < 1000
    assert found.output_tokens == 100
    assert found.amount == found.input_tokens * Decimal("0.000001") + 100 * Decimal("0.00001")


def test_everything_that_is_said_counts() -> None:
    plain = _bound(REQUEST).input_tokens or 0
    tool = ToolDefinition(name="weather", description="x" * 500, input_schema={"type": "object"})
    for more, least in (
        (replace(REQUEST, tools=(tool,)), 500),
        (replace(REQUEST, messages=(*REQUEST.messages, assistant("y" * 700))), 700),
        (replace(REQUEST, messages=(user(Media(kind="document", text="z" * 300)), *REQUEST.messages)), 300),
        (replace(REQUEST, extra_body={"documents": ["d" * 400]}), 400),
    ):
        assert (_bound(more).input_tokens or 0) >= plain + least


def test_choices_multiply_the_answer() -> None:
    assert _bound(replace(REQUEST, choices=3)).output_tokens == 300


@pytest.mark.parametrize(
    "laid", [{"max_tokens": 900}, {"max_completion_tokens": 900}, {"generationConfig": {"maxOutputTokens": 900}}]
)
def test_a_cap_that_is_laid_over_the_body_counts(laid: dict[str, object]) -> None:
    assert _bound(replace(REQUEST, extra_body=laid)).output_tokens == 900


SEARCH = Opaque(dialect="anthropic", kind="web_search_20250305", data={"type": "web_search_20250305"})


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"tools": (SEARCH,)}, "tools"),
        ({"tools": (Opaque(dialect="openai-responses", kind="a_tool_of_tomorrow", data={}),)}, "tools"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"extras": {"openai-responses": {"conversation": "conv_1"}}}, "conversation"),
        ({"extras": {"gemini": {"cachedContent": "cachedContents/1"}}}, "cachedContent"),
        ({"extra_body": {"tools": [{"type": "web_search"}]}}, "extra_body.tools"),
        ({"extra_body": {"plugins": [{"id": "web"}]}}, "plugins"),
        ({"messages": (user(Media(kind="video", url="https://example.org/a.mp4")),)}, "messages"),
        ({"messages": (user(Media(kind="document", file_id="file_1")),)}, "messages"),
    ],
)
def test_what_nobody_can_bound_is_named_with_the_setting(changes: dict[str, object], setting: str) -> None:
    found = _bound(replace(REQUEST, **changes))
    assert not found.holds
    assert setting in [each.setting for each in found.unbounded]
    assert all(each.reason for each in found.unbounded)


def test_an_unknown_price_is_no_bound() -> None:
    found = facts.bound(REQUEST, PROVIDER, MODEL)
    assert found.amount is None
    assert found.output_tokens == 100
    assert [each.setting for each in found.unbounded] == ["prices"]
    by_the_page = _listed(_table(page="0.001"))
    assert [each.setting for each in _bound(REQUEST, by_the_page).unbounded] == ["prices"]


def test_the_window_bounds_what_is_read_once_and_each_use_of_a_tool() -> None:
    facts.override(PROVIDER, MODEL, profile={"context_tokens": 10_000, "output_tokens": 2_000})
    try:
        held = _bound(replace(REQUEST, previous_response_id="resp_1"))
        assert (held.input_tokens, held.by_window, held.holds) == (10_000, True, True)
        assert _bound(replace(REQUEST, max_tokens=None)).output_tokens == 2_000
        search = replace(SEARCH, data={"type": "web_search_20250305", "max_uses": 3})
        listing = _listed(_table(input="0.000001", output="0.00001", web_search="0.01"))
        thrice = _bound(replace(REQUEST, tools=(search,)), listing)
        assert (thrice.input_tokens, thrice.output_tokens) == (40_000, 400)
        assert thrice.amount is not None
        assert thrice.amount >= Decimal("0.04") + Decimal("0.03") + Decimal("0.004")
    finally:
        facts.forget()


def test_money_is_the_dearest_that_may_apply() -> None:
    tokens = _bound(REQUEST).input_tokens or 0
    out = 100 * Decimal("0.00001")
    one = Decimal("0.000001")
    plain = _table(input="0.000001", output="0.00001")
    stepped = _table(input=Price(one, (Step(10, 3 * one), Step(10**9, 9 * one))), output="0.00001")
    cached = _table(input="0.000001", cache_write="0.000002", cache_write_1h="0.000007", output="0.00001")
    dear = _table(Condition(tier="priority"), input="0.000005", output="0.00001")
    over = _table(Condition(until="2020-01-01"), input="0.000008", output="0.00001")
    to_come = _table(Condition(start="2999-01-01"), input="0.000008", output="0.00001")
    hourly = _table(Condition(hours=("00:00:00", "00:00:01")), input="0.000004", output="0.00001")
    fee = _table(input="0.000001", output="0.00001", request="0.5")
    hour = replace(REQUEST, messages=(user(Text(text=TEXT, cache=CacheHint(ttl="1h"))),))
    for request, listing, times, more in (
        (REQUEST, _listed(stepped), 3, 0),
        (REQUEST, _listed(cached), 2, 0),
        (hour, _listed(cached), 7, 0),
        (REQUEST, _listed(plain, dear), 5, 0),
        (replace(REQUEST, service_tier="default"), _listed(plain, dear), 1, 0),
        (replace(REQUEST, service_tier="priority"), _listed(plain, dear), 5, 0),
        (REQUEST, _listed(plain, over, to_come), 1, 0),
        (REQUEST, _listed(plain, hourly), 4, 0),
        (REQUEST, _listed(fee), 1, Decimal("0.5")),
    ):
        assert _bound(request, listing).amount == tokens * times * one + out + more


def test_tokens_that_somebody_else_bounded_are_priced() -> None:
    found = facts.bound_of_tokens(1000, 10, PROVIDER, MODEL, listing=LIST)
    assert found.amount == Decimal("0.0011")


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b.png"}}]}]}',
        b'{"messages":[{"role":"user","content":[{"type":"file","file":{"file_id" : "f"}}]}]}',
        b'{"messages":[{"role":"user","content":[{"type":"file","file":{"\\u0066ile_id":"f"}}]}]}',
        b'{"input":"a","previous_response_id":"resp_1"}',
        b'{"input":"a","tools":[{"type":"web_search"}]}',
        b'{"contents":[],"tools":[{"googleSearch":{}}]}',
        b'{"contents":[],"tools":[{"functionDeclarations":[],"urlContext":{}}]}',
        b'{"contents":[{"parts":[{"inlineData":{"data":"AA=="}}]}]}',
        b'{"messages":[],"tools":"not a list"}',
        b'{"messages":[],"tools":[{"name":"bash","type":"bash_20250124"}]}',
        b'{"messages":[],"tools":',
    ],
)
def test_a_body_that_may_stand_for_more_is_not_bounded_by_its_bytes(body: bytes) -> None:
    assert facts.bound_bytes(body, "openai", "gpt-4o") is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"Gr\\u00fc\\u00dfe"}]}',
        b'{"messages":[],"tools":[{"type":"function","function":{"name":"a"}}]}',
        b'{"messages":[],"tools":[{"name":"a","input_schema":{"type":"object"}}]}',
        b'{"contents":[],"tools":[{"functionDeclarations":[{"name":"a"}]}]}',
        b'{"messages":[],"toolConfig":{"tools":[{"toolSpec":{}},{"cachePoint":{}}]}}',
    ],
)
def test_a_body_of_texts_and_functions_is(body: bytes) -> None:
    found = facts.bound_bytes(body, "openai", "gpt-4o")
    assert found is not None
    assert len(body) <= found <= len(body) + 2000
    assert facts.bound_bytes(body, "perplexity", "sonar") is None


def test_a_tools_argument_may_be_called_what_stands_for_more_elsewhere() -> None:
    function = b'{"type":"function","function":{"name":"fetch","parameters":{"properties":{"url":{"type":"string"}}}}}'
    tools = msgspec.Raw(b"[" + function + b"]")
    plain = b'{"messages":[],"tools":' + bytes(tools) + b"}"
    assert facts.bound_bytes(plain, "openai", "gpt-4o") is None  # nobody told which bytes are the tools
    found = facts.bound_bytes(plain, "openai", "gpt-4o", None, tools)
    assert found is not None
    assert found >= len(plain)
    for other in (b'{"image_url":{"url":"https://a/b.png"}}', b'{"type":"file","file_id":"f"}'):
        for body in (
            b'{"messages":[{"content":[' + other + b']}],"tools":' + bytes(tools) + b"}",
            b'{"tools":' + bytes(tools) + b',"messages":[{"content":[' + other + b"]}]}",
        ):
            assert facts.bound_bytes(body, "openai", "gpt-4o", None, tools) is None


@pytest.mark.parametrize(
    "tools",
    [
        b'[{"type":"web_search"}]',
        b'[{"googleSearch":{}}]',
        b'[{"functionDeclarations":[],"urlContext":{}}]',
        b'"not a list"',
        b'[{"name":"bash","type":"bash_20250124"}]',
        b'[{"type":"function","function":{"name":"a"}},{"type":"web_search"}]',
        b"[7]",
    ],
)
def test_tools_that_the_provider_runs_are_seen_among_those_told_apart(tools: bytes) -> None:
    body = b'{"messages":[],"tools":' + tools + b"}"
    assert facts.bound_bytes(body, "openai", "gpt-4o", None, msgspec.Raw(tools)) is None
