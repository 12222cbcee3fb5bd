"""Retry and ordered fallback through the public names: what is tried, what is told, what is never glued together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import dragoman
from dragoman import AllAttemptsFailed, Bounds, Overloaded, RateLimited, ServerFault, fallback
from dragoman.routing import CallSettings, InFlight, Permit, RoutedStream, run
from dragoman.transport import FakeTransport, HttpResponse
from dragoman.values import AttemptFailed, Event, Finished, Request, replace, user
from tests.face.chat_wire import answer, failure, frame, model_over, sent, stream_of, streamed

if TYPE_CHECKING:
    from dragoman import ChatModel
    from dragoman.engine import Deployment


class VirtualClock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


def ask(model: ChatModel, clock: VirtualClock | None = None) -> dragoman.Response:
    """A call on a virtual clock, with the longest waits that the rules allow."""
    settings = CallSettings(clock=clock or VirtualClock(), random=lambda: 1.0)
    return asyncio.run(run(model.route, Request(model="m", messages=(user("Hi"),)), settings))


def read(model: ChatModel, clock: VirtualClock | None = None) -> list[Event]:
    """A streamed call on a virtual clock."""
    settings = CallSettings(clock=clock or VirtualClock(), random=lambda: 1.0)

    async def collect() -> list[Event]:
        stream = RoutedStream(model.route, Request(model="m", messages=(user("Hi"),)), settings)
        return [event async for event in stream]

    return asyncio.run(collect())


def test_an_ill_provider_is_asked_three_times_in_all() -> None:
    model, transport = model_over([failure(500), failure(503), answer("At last.")])
    clock = VirtualClock()
    response = ask(model, clock)
    assert response.content == "At last."
    assert clock.waits == [0.5, 1.0]
    assert [(attempt.outcome, attempt.status) for attempt in response.attempts] == [
        ("error", 500),
        ("error", 503),
        ("ok", 200),
    ]
    assert len(transport.requests) == 3


def test_whoever_says_that_asking_again_is_no_use_is_asked_once_and_others_take_over() -> None:
    final = failure(503, headers={"x-should-retry": "false"})
    first, asked = model_over([final])
    second, _ = model_over([answer("Here.")])
    response = ask(fallback(first, second))
    assert response.content == "Here."
    assert len(asked.requests) == 1
    alone, asked = model_over([final])
    with pytest.raises(Overloaded) as caught:
        ask(alone)
    assert caught.value.final
    assert len(asked.requests) == 1


def test_a_single_targets_own_error_is_raised_with_its_attempts() -> None:
    model, _ = model_over(lambda _request: failure(500, message="boom"))
    with pytest.raises(ServerFault, match="boom") as caught:
        ask(model)
    assert len(caught.value.attempts) == 3


def test_retry_after_is_waited_for() -> None:
    model, _ = model_over([failure(429, headers={"retry-after": "3"}), answer()])
    clock = VirtualClock()
    ask(model, clock)
    assert clock.waits == [3.0]


def test_a_wrong_request_is_sent_once() -> None:
    first, asked = model_over(lambda _request: failure(400))
    second, spared = model_over([])
    with pytest.raises(dragoman.BadRequest):
        ask(fallback(first, second))
    assert len(asked.requests) == 1
    assert spared.requests == []


def test_the_next_model_answers_when_the_first_cannot() -> None:
    first, asked = model_over(lambda _request: failure(500))
    second, _ = model_over([answer("From the second.")], model="other")
    response = ask(fallback(first, second))
    assert response.content == "From the second."
    assert len(asked.requests) == 3
    assert [attempt.model for attempt in response.attempts] == ["m", "m", "m", "other"]
    assert response.attempts[-1].reason == "after ServerFault"


def test_a_dead_credential_moves_on_at_once() -> None:
    first, asked = model_over(lambda _request: failure(401))
    second, _ = model_over([answer("ok")])
    assert ask(fallback(first, second)).content == "ok"
    assert len(asked.requests) == 1


def test_when_all_fail_each_ones_error_is_there() -> None:
    first, _ = model_over(lambda _request: failure(500, message="first down"), max_retries=0)
    second, _ = model_over(lambda _request: failure(429, message="second busy"), max_retries=0)
    with pytest.raises(AllAttemptsFailed, match=r"first down.*second busy") as caught:
        ask(fallback(first, second))
    assert [type(error) for error in caught.value.errors] == [ServerFault, RateLimited]
    assert len(caught.value.attempts) == 2


def test_nested_fallbacks_are_one_plan_with_one_bound() -> None:
    asked = [model_over(lambda _request: failure(500)) for _ in range(4)]
    a, b, c, d = (model for model, _ in asked)
    model = fallback(fallback(a, b), fallback(c, d), bounds=Bounds(attempts=7))
    assert len(model.route.candidates) == 4
    with pytest.raises(AllAttemptsFailed) as caught:
        ask(model)
    assert len(caught.value.attempts) == 7
    # Retries leave an attempt for each that had none.
    assert [len(transport.requests) for _, transport in asked] == [3, 2, 1, 1]


def test_each_model_keeps_its_own_tools_in_a_fallback() -> None:
    first, asked = model_over(lambda _request: failure(500), max_retries=0)
    second, answered = model_over([answer()])
    tool = dragoman.ToolDefinition(name="f", input_schema={"type": "object"})
    fallback(first.bind_tools([tool]), second).chat("Hi")
    assert "tools" in sent(asked)
    assert "tools" not in sent(answered)


def test_a_stream_fails_over_before_anything_was_shown() -> None:
    cut = stream_of(frame({"role": "assistant", "content": ""}))
    first, _ = model_over(lambda _request: cut, max_retries=0)
    second, _ = model_over([streamed("All ", "mine")], model="other")
    events = read(fallback(first, second))
    (failed,) = [event for event in events if isinstance(event, AttemptFailed)]
    assert failed.attempt.error == "StreamTruncated"
    assert sum(type(event).__name__ == "Started" for event in events) == 1
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.response.content == "All mine"
    assert [attempt.outcome for attempt in last.response.attempts] == ["error", "ok"]


def test_a_stream_never_fails_over_after_something_was_shown() -> None:
    first, _ = model_over(lambda _request: streamed("Half", ending=False))
    second, spared = model_over([])
    shown: list[str] = []
    with pytest.raises(dragoman.StreamTruncated) as caught:
        shown.extend(chunk.delta for chunk in fallback(first, second).stream("Hi"))
    assert caught.value.partial.content == "Half"
    assert spared.requests == []


def test_permits_are_given_back_however_an_attempt_ends() -> None:
    for script in ([answer()], [failure(400)], [ConnectionResetError("a bug")], [HttpResponse(200, {}, b"?")]):
        model, _ = model_over(script, max_retries=0)
        permits = model.route.permits
        assert isinstance(permits, InFlight)
        try:
            ask(model)
        except (dragoman.DragomanError, ConnectionResetError):
            pass
        assert permits.total == 0


def test_a_request_that_acts_on_the_world_is_not_repeated() -> None:
    model, transport = model_over(lambda _request: failure(500))
    with pytest.raises(ServerFault):
        model.chat("Hi", store=True)
    assert len(transport.requests) == 1


def test_max_retries_of_a_call_win() -> None:
    model, transport = model_over(lambda _request: failure(500))
    with pytest.raises(ServerFault):
        model.chat("Hi", max_retries=0)
    assert len(transport.requests) == 1


def test_a_fallback_of_nothing_is_refused() -> None:
    with pytest.raises(dragoman.ConfigError, match="at least one"):
        fallback()


def test_a_fallback_of_names_is_refused_and_says_what_makes_a_model() -> None:
    with pytest.raises(dragoman.ConfigError, match="get_model makes one"):
        fallback("openai/gpt-4o")  # pyright: ignore[reportArgumentType]


def test_targets_of_different_dialects_stand_in_for_each_other() -> None:
    first, _ = model_over(lambda _request: failure(500), max_retries=0)
    body: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "Bonjour."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 2},
    }
    import json

    transport = FakeTransport([HttpResponse(200, {"content-type": "application/json"}, json.dumps(body).encode())])
    second = dragoman.get_model("anthropic/claude", api_key="k", transport=transport)
    response = fallback(first, second).chat([dragoman.system("Be brief."), user("Hi")])
    assert response.content == "Bonjour."
    assert response.dialect == "anthropic"
    assert sent(transport)["system"] in ("Be brief.", [{"type": "text", "text": "Be brief."}])
    assert [entry.path for entry in response.adaptations] == ["max_tokens"]


class OneEach:
    """Permits for one attempt, and a refusal ever after."""

    def __init__(self) -> None:
        self.given = InFlight()
        self.asked = 0

    async def acquire(self, deployment: Deployment, reason: str) -> Permit:
        self.asked += 1
        if self.asked > 1:
            raise RateLimited("no leave", provider="here")
        return await self.given.acquire(deployment, reason)


def test_a_permit_that_is_refused_is_no_attempt() -> None:
    """The target moves on as for any error, and only what was tried is told, whole and streamed."""
    for streamed_too in (False, True):
        model, transport = model_over(lambda _request: failure(500), max_retries=1)
        permits = OneEach()
        route = replace(model.route, permits=permits)
        settings = CallSettings(clock=VirtualClock(), random=lambda: 1.0)
        request = Request(model="m", messages=(user("Hi"),))

        async def there() -> None:
            if streamed_too:  # noqa: B023 - called within the turn of the loop that makes it
                async for _ in RoutedStream(route, request, settings):  # noqa: B023
                    pass
            else:
                await run(route, request, settings)  # noqa: B023

        with pytest.raises(RateLimited, match="no leave") as caught:
            asyncio.run(there())
        assert [attempt.error for attempt in caught.value.attempts] == ["ServerFault"]
        assert len(transport.requests) == 1
        assert permits.given.total == 0
