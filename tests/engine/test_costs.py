"""What answers and attempts say of their cost, on every way through the engine."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

import dragoman
from dragoman import Cost, facts
from dragoman.errors import DragomanError
from dragoman.facts.price_lists import Price, PriceList, PriceTable
from dragoman.transport import FakeTransport, HttpResponse
from dragoman.transport.fake import HANG, Chunk
from dragoman.values import Usage, replace
from tests.face.dialect_wire import said, streamed, whole

PRICES = {"input": 1, "output": "10", "cache_read": "0.1"}
COMPUTED = Cost(amount=Decimal("0.000037"), basis="computed")  # 7 in, 3 out


def model_over(script: Any, provider: str = "openai", model: str = "m", **options: Any) -> dragoman.ChatModel:
    told: dict[str, Any] = {"max_retries": 0, "dialect": "openai-chat", **options}
    return dragoman.ProviderRegistry.get_provider(
        provider, model=model, api_key="k", transport=FakeTransport(script), **told
    )


def answered(model: str = "m", **fields: Any) -> HttpResponse:
    return whole("openai-chat", replace(said("Hello."), model=model, **fields))


def test_an_answer_costs_what_the_deployments_own_prices_say() -> None:
    model = model_over([answered()], prices=PRICES)
    response = model.chat("Hi")
    assert response.cost == COMPUTED
    assert response.attempts[0].cost == COMPUTED
    assert response.metadata["cost"] == {"amount": "0.000037", "basis": "computed"}


def test_a_streamed_answer_costs_the_same() -> None:
    with (
        dragoman.usage() as used,
        model_over([streamed("openai-chat", said("Hello."))], prices=PRICES).stream("Hi") as stream,
    ):
        for _ in stream:
            pass
    assert stream.response.cost == COMPUTED
    assert stream.response.attempts[0].cost == COMPUTED
    assert (used.cost, used.unpriced) == (COMPUTED, 0)


def test_own_prices_may_be_a_whole_list() -> None:
    euros = PriceList(
        tables=(PriceTable(prices={"input": Price(Decimal(1)), "output": Price(Decimal(2))}),), currency="EUR"
    )
    assert model_over([answered()], prices=euros).chat("Hi").cost == Cost(
        amount=Decimal(13), currency="EUR", basis="computed"
    )
    with pytest.raises(dragoman.ConfigError, match="inputs"):
        model_over([], prices={"inputs": 1})


def test_the_answers_own_name_of_the_model_is_priced_before_the_one_asked_for() -> None:
    model = model_over([answered("gpt-4.1-mini-2025-04-14"), answered("a name nobody knows")], model="gpt-4.1-nano")
    assert model.chat("Hi").cost == Cost(amount=Decimal("0.0000076"), basis="computed")
    assert model.chat("Hi").cost == Cost(amount=Decimal("0.0000019"), basis="computed")


def test_what_the_program_says_of_a_model_stands_before_what_is_known_of_the_one_that_answered() -> None:
    facts.override("openai", "gpt-4.1-nano", prices=PRICES)
    try:
        assert model_over([answered("gpt-4.1-mini")], model="gpt-4.1-nano").chat("Hi").cost == COMPUTED
    finally:
        facts.forget()


def test_a_tier_that_the_answer_tells_has_its_own_price() -> None:
    model = model_over(
        [answered("gpt-5", service_tier="flex"), answered("gpt-5", service_tier="default")], model="gpt-5"
    )
    assert model.chat("Hi").cost == Cost(amount=Decimal("0.000019375"), basis="computed")
    assert model.chat("Hi").cost == Cost(amount=Decimal("0.00003875"), basis="computed")


def test_what_the_provider_reports_is_taken() -> None:
    usage = Usage(input_tokens=7, output_tokens=3, reported_cost=Decimal("0.5"))
    response = model_over([answered(usage=usage)], prices=PRICES).chat("Hi")
    assert response.cost == Cost(amount=Decimal("0.5"), basis="reported")
    assert response.attempts[0].cost == response.cost


def test_without_facts_or_a_known_model_there_is_no_cost() -> None:
    with dragoman.usage() as used:
        assert model_over([answered("gpt-4o")], model="gpt-4o", facts=False).chat("Hi").cost is None
        assert model_over([answered()]).chat("Hi").cost is None
    assert (used.cost, used.unpriced) == (None, 2)


def test_the_place_is_read_from_the_name_where_the_host_writes_it_there() -> None:
    name = "Qwen/Qwen2.5-VL-72B-Instruct"
    model = model_over([answered(name)], provider="huggingface", model=f"{name}:nebius")
    assert model.chat("Hi").cost == Cost(amount=Decimal("0.000004"), basis="computed")
    assert model_over([answered(name)], provider="huggingface", model=name).chat("Hi").cost is None


def test_vectors_have_a_cost() -> None:
    told = {"object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 50, "total_tokens": 50}}
    body = json.dumps({**told, "data": [{"index": 0, "embedding": [0.5]}]}).encode()
    model = model_over([HttpResponse(200, {"content-type": "application/json"}, body)], model="text-embedding-3-small")
    response = model.embed(["Hi"])
    assert response.cost == Cost(amount=Decimal("0.000001"), basis="computed")
    assert response.attempts[0].cost == response.cost


def _cut(*then: Chunk) -> Any:
    """An answer of the Anthropic wire that tells its usage at the start and breaks off, or goes on so."""
    frames = (
        '{"type":"message_start","message":{"id":"a","type":"message","role":"assistant","content":[],"model":"m",'
        '"stop_reason":null,"usage":{"input_tokens":7,"output_tokens":3}}}',
        '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Hel"}}',
    )
    return FakeTransport.streamed(
        [*(f"data: {frame}\n\n".encode() for frame in frames), *then], headers={"content-type": "text/event-stream"}
    )


def test_a_stream_that_breaks_off_is_booked_with_what_was_counted() -> None:
    model = model_over([_cut()], "anthropic", prices=PRICES, dialect="anthropic")
    with dragoman.usage() as used, pytest.raises(DragomanError) as failed, model.stream("Hi", max_tokens=5) as stream:
        for _ in stream:
            pass
    (attempt,) = failed.value.attempts
    assert (attempt.outcome, attempt.cost) == ("error", Cost(amount=Decimal("0.000037"), basis="estimated"))
    assert used.cost == attempt.cost


def test_a_stream_that_is_left_is_booked_with_what_was_counted() -> None:
    model = model_over([_cut(HANG)], "anthropic", prices=PRICES, dialect="anthropic")
    with dragoman.usage() as used, model.stream("Hi", max_tokens=5) as stream:
        next(iter(stream))
    assert (used.cancelled, used.cost) == (1, Cost(amount=Decimal("0.000037"), basis="estimated"))


def test_making_a_model_loads_no_facts() -> None:
    program = (
        "import sys, dragoman; dragoman.get_model('openai/gpt-4o', api_key='k'); "
        "print([name for name in sys.modules if name.startswith('dragoman.facts')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
