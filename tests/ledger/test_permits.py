"""The permits of a call: an intent before each attempt, and what the attempt came to after it."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import dragoman
from dragoman.engine import Deployment
from dragoman.errors import AllAttemptsFailed, SpoolFull
from dragoman.ledger import CallPermits, CallScope, Intent, Settlement, Spool, Terms, read_records
from dragoman.values import Attempt, Cost, Usage
from tests.ledger.records import SMALL

SCOPE = CallScope(request_id="req_1", key="ci", team="core", route="fast", dialect_in="anthropic", stream=True)


@pytest.fixture
def spool(tmp_path: Path) -> Generator[Spool]:
    spool = Spool.open(tmp_path, instance="w", segment_bytes=SMALL)
    yield spool
    spool.close()


def deployment() -> Deployment:
    model = dragoman.get_model("groq/llama", api_key="k")
    return model._route.candidates[0].deployment  # pyright: ignore[reportPrivateUsage] - nothing public shows it


def attempt(**fields: Any) -> Attempt:
    given: dict[str, Any] = {"provider": "groq", "model": "llama", "dialect": "openai-chat", "outcome": "ok"}
    return Attempt(**given | fields)


def settled(spool: Spool, **fields: Any) -> Settlement:
    """What an attempt is written down as."""
    permit = asyncio.run(CallPermits(spool, SCOPE).acquire(deployment(), "first choice"))
    permit.settle(attempt(**fields))
    *_, last = read_records(spool.path)
    assert isinstance(last, Settlement)
    return last


def test_what_an_attempt_tells_of_its_answer_is_written(spool: Spool) -> None:
    written = settled(spool, service_tier="flex", adaptations=3)
    assert (written.service_tier, written.adaptations, written.cache_hit) == ("flex", 3, False)


def test_the_intent_tells_who_asks_for_what_and_where(spool: Spool) -> None:
    terms = Terms(
        deployment="groq-eu/llama", mode="relay", bound=Decimal("0.5000"), bound_reason="max_tokens", price="0.1/0.2"
    )
    permits = CallPermits(spool, SCOPE, lambda _: terms)

    async def twice() -> None:
        (await permits.acquire(deployment(), "first choice")).abandon()
        await permits.acquire(deployment(), "the first choice is ill")

    asyncio.run(twice())
    first, _, second = read_records(spool.path)
    assert isinstance(first, Intent)
    assert isinstance(second, Intent)
    assert (first.request_id, first.key, first.team, first.route) == ("req_1", "ci", "core", "fast")
    assert (first.deployment, first.provider, first.model) == ("groq-eu/llama", "groq", "llama")
    assert (first.dialect_in, first.dialect_out, first.mode, first.stream) == (
        "anthropic",
        "openai-chat",
        "relay",
        True,
    )
    assert (first.bound, first.bound_reason, first.price) == ("0.5", "max_tokens", "0.1/0.2")
    assert [(each.number, each.reason) for each in (first, second)] == [
        (1, "first choice"),
        (2, "the first choice is ill"),
    ]
    assert first.attempt_id < second.attempt_id


def test_without_terms_the_deployment_names_itself_and_the_bound_is_unknown(spool: Spool) -> None:
    CallPermits(spool, SCOPE).write(deployment(), "first choice")
    (begun,) = read_records(spool.path)
    assert isinstance(begun, Intent)
    assert (begun.deployment, begun.bound) == ("groq/llama", None)


def test_a_settlement_tells_what_it_came_to(spool: Spool) -> None:
    usage = Usage(
        input_tokens=100,
        output_tokens=20,
        cache_read_tokens=60,
        reasoning_tokens=5,
        input_audio_tokens=7,
        tool_uses={"web_search": 2},
    )
    found = settled(
        spool,
        status=200,
        usage=usage,
        cost=Cost(amount=Decimal("1E-7"), basis="computed"),
        duration_seconds=1.5,
        first_byte_seconds=0.5,
        request_id="chatcmpl-1",
    )
    assert (found.outcome, found.status, found.sent) == ("ok", 200, "yes")
    assert (found.input_tokens, found.output_tokens, found.cache_read_tokens) == (100, 20, 60)
    assert (found.cache_write_tokens, found.reasoning_tokens) == (None, 5)
    assert (found.cost, found.currency, found.basis) == ("0.0000001", "USD", "computed")
    assert found.usage_details == '{"input_audio_tokens":7,"tool_uses":{"web_search":2}}'
    assert (found.duration_seconds, found.first_byte_seconds, found.upstream_request_id) == (1.5, 0.5, "chatcmpl-1")


@pytest.mark.parametrize(
    ("fields", "cost", "basis"),
    [
        ({"outcome": "ok"}, None, "unknown"),
        ({"outcome": "cancelled", "sent": "maybe"}, None, "unknown"),
        ({"outcome": "error", "sent": "no", "error": "ConnectFailed"}, "0", "computed"),
        ({"cost": Cost(amount=Decimal("NaN"))}, None, "unknown"),
        ({"cost": Cost(amount=Decimal("1E+400"))}, None, "unknown"),
        ({"cost": Cost(amount=Decimal("0.1"), basis="reported")}, "0.1", "reported"),
    ],
)
def test_an_unknown_cost_stays_unknown_and_what_was_not_sent_cost_nothing(
    spool: Spool, fields: dict[str, Any], cost: str | None, basis: str
) -> None:
    found = settled(spool, **fields)
    assert (found.cost, found.basis) == (cost, basis)


def test_counts_beyond_counting_are_not_kept(spool: Spool) -> None:
    usage = Usage(input_tokens=10**30, output_tokens=1, input_audio_tokens=10**30, tool_uses={"search": 10**30})
    found = settled(spool, usage=usage)
    assert (found.input_tokens, found.output_tokens, found.usage_details) == (None, 1, '{"tool_uses":{}}')


def test_what_was_never_made_is_abandoned_at_no_cost(spool: Spool) -> None:
    asyncio.run(CallPermits(spool, SCOPE).acquire(deployment(), "first choice")).abandon()
    _, last = read_records(spool.path)
    assert isinstance(last, Settlement)
    assert (last.outcome, last.sent, last.cost) == ("abandoned", "no", "0")


def test_a_disk_that_fails_lets_no_attempt_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    spool = Spool.open(tmp_path, instance="w", segment_bytes=SMALL, sync="group")
    try:
        monkeypatch.setattr(os, "fdatasync", fail)
        with pytest.raises(SpoolFull):
            asyncio.run(CallPermits(spool, SCOPE).acquire(deployment(), "first choice"))
        assert [type(record) for record in read_records(spool.path)] == [Intent, Settlement]
        assert spool.state().open_intents == 0
    finally:
        spool.close()


def test_being_cancelled_while_the_disk_is_waited_for_abandons(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, instance="w", segment_bytes=SMALL, sync="group")

    async def cancelled() -> None:
        waiting = asyncio.ensure_future(CallPermits(spool, SCOPE).acquire(deployment(), "first choice"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    try:
        asyncio.run(cancelled())
        assert spool.state().open_intents == 0
    finally:
        spool.close()


def test_they_are_the_permits_of_a_real_call(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Routing acquires and settles them: two targets that do not answer are two rows of what was tried."""
    from dragoman.routing import CallSettings, run
    from dragoman.values import Request, user

    both = dragoman.fallback(
        dragoman.get_model("groq/llama", api_key="k", base_url="http://127.0.0.1:9/v1", max_retries=0),
        dragoman.get_model("openai/gpt", api_key="k", base_url="http://127.0.0.1:9/v1", max_retries=0),
    )
    route = both._route  # pyright: ignore[reportPrivateUsage] - nothing public shows it
    settings = CallSettings(permits=CallPermits(spool, SCOPE))
    request = Request(model="fast", messages=(user("hello"),))
    with pytest.raises(AllAttemptsFailed):
        asyncio.run(run(route, request, settings))
    records = list(read_records(spool.path))
    intents = [record for record in records if isinstance(record, Intent)]
    assert [(each.number, each.provider) for each in intents] == [(1, "groq"), (2, "openai")]
    assert intents[0].reason != intents[1].reason
    ended = [record for record in records if isinstance(record, Settlement)]
    assert [(each.outcome, each.error, each.sent, each.cost) for each in ended] == [
        ("error", "ConnectFailed", "no", "0")
    ] * 2
