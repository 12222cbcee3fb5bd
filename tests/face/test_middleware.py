"""Middleware: one path for all verbs, around a model, inside a fallback, in sync calls on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

import pytest

import dragoman
from dragoman import fallback, wrap
from dragoman.transport.fake import HANG
from dragoman.values import Finished, TextDelta, replace
from tests.face.chat_wire import answer, failure, frame, model_over, sent, stream_of, streamed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dragoman.values import Event, Request

    Next = Callable[[Request], AsyncIterator[Event]]


async def shout(request: Request, next: Next) -> AsyncIterator[Event]:
    """Upper-case every piece of text, also in the whole answer."""
    async for event in next(request):
        if isinstance(event, TextDelta):
            yield TextDelta(event.index, event.text.upper(), event.choice)
        elif isinstance(event, Finished):
            yield Finished(replace(event.response, id="shouted"))
        else:
            yield event


def test_one_middleware_serves_all_four_verbs() -> None:
    model, _ = model_over(lambda request: streamed("a", "b") if b'"stream":true' in request.body else answer("ab"))
    loud = wrap(model, shout)
    assert loud.chat("Hi").id == "shouted"
    assert asyncio.run(loud.achat("Hi")).id == "shouted"
    stream = loud.stream("Hi")
    assert "".join(chunk.delta for chunk in stream) == "AB"
    assert stream.response.id == "shouted"

    async def there() -> str:
        return "".join([chunk.delta async for chunk in loud.astream("Hi")])

    assert asyncio.run(there()) == "AB"


def test_the_first_listed_is_outermost_and_may_change_the_request() -> None:
    order: list[str] = []

    def named(name: str) -> Callable[[Request, Next], AsyncIterator[Event]]:
        async def layer(request: Request, next: Next) -> AsyncIterator[Event]:
            order.append(name)
            async for event in next(replace(request, seed=len(order))):
                yield event

        return layer

    model, transport = model_over([answer()])
    wrap(model, named("outer"), named("inner")).chat("Hi")
    assert order == ["outer", "inner"]
    assert sent(transport)["seed"] == 2


def test_around_a_fallback_it_sees_the_call_and_inside_one_its_own_models_attempts() -> None:
    seen: list[str] = []

    def counting(name: str) -> Callable[[Request, Next], AsyncIterator[Event]]:
        async def layer(request: Request, next: Next) -> AsyncIterator[Event]:
            seen.append(name)
            async for event in next(request):
                yield event

        return layer

    first, _ = model_over(lambda _request: failure(500), max_retries=1)
    second, _ = model_over([answer("ok")])
    whole = wrap(fallback(wrap(first, counting("first")), wrap(second, counting("second"))), counting("whole"))
    assert whole.chat("Hi").content == "ok"
    assert seen == ["whole", "first", "first", "second"]


def test_it_may_answer_itself() -> None:
    async def canned(request: Request, next: Next) -> AsyncIterator[Event]:
        yield Finished(dragoman.Response(id="canned"))

    model, transport = model_over([])
    assert wrap(model, canned).chat("Hi").id == "canned"
    assert transport.requests == []


def test_ending_the_events_without_a_finish_is_truncation() -> None:
    async def silent(request: Request, next: Next) -> AsyncIterator[Event]:
        return
        yield

    model, _ = model_over([])
    with pytest.raises(dragoman.StreamTruncated, match="middleware"):
        wrap(model, silent).chat("Hi")
    with pytest.raises(dragoman.StreamTruncated, match="middleware"):
        list(wrap(model, silent).stream("Hi"))


def test_its_own_error_reaches_the_caller_and_leaves_nothing_open() -> None:
    async def clumsy(request: Request, next: Next) -> AsyncIterator[Event]:
        async for event in next(request):
            yield event
            raise RuntimeError("my own bug")

    model, transport = model_over(lambda _request: stream_of(frame({"content": "a"}), HANG))
    with pytest.raises(RuntimeError, match="my own bug"):
        list(wrap(model, clumsy).stream("Hi"))
    assert transport.open_streams == 0


NAME: ContextVar[str] = ContextVar("NAME", default="nobody")


def test_in_a_sync_call_it_runs_on_its_own_thread_with_the_callers_context() -> None:
    seen: list[tuple[str, str]] = []

    async def looking(request: Request, next: Next) -> AsyncIterator[Event]:
        seen.append((threading.current_thread().name, NAME.get()))
        token = NAME.set("inside")
        async for event in next(request):
            yield event
        NAME.reset(token)

    model, _ = model_over(lambda request: streamed("a") if b'"stream":true' in request.body else answer("a"))
    token = NAME.set("caller")
    wrap(model, looking).chat("Hi")
    list(wrap(model, looking).stream("Hi"))
    assert seen == [("dragoman-user", "caller"), ("dragoman-user", "caller")]
    assert NAME.get() == "caller"
    NAME.reset(token)


def test_a_sync_call_from_middleware_raises_instead_of_waiting_for_itself() -> None:
    model, _ = model_over(lambda _request: answer())

    async def recursive(request: Request, next: Next) -> AsyncIterator[Event]:
        model.chat("Hi")
        async for event in next(request):
            yield event

    with pytest.raises(dragoman.StreamStateError, match="achat"):
        wrap(model, recursive).chat("Hi")


def test_closing_a_layered_stream_closes_the_connection() -> None:
    model, transport = model_over(lambda _request: stream_of(frame({"content": "a"}), HANG))
    with wrap(model, shout).stream("Hi") as stream:
        for chunk in stream:
            if chunk.delta:
                break
    assert transport.open_streams == 0

    async def there() -> None:
        async with wrap(model, shout).astream("Hi") as stream:
            async for chunk in stream:
                if chunk.delta:
                    break
        assert transport.open_streams == 0

    asyncio.run(there())


def test_middleware_that_gives_no_events_is_told_how_to() -> None:
    def nothing(request: Request, next: Next) -> None:
        return None

    model, _ = model_over([])
    with pytest.raises(dragoman.ConfigError, match="async generator"):
        wrap(model, nothing).chat("Hi")  # pyright: ignore[reportArgumentType]
