"""Middleware: `(request, next) -> events`, one path for all verbs.

A layer is an async generator function (or a coroutine function that returns an async iterator). It may change the
request, call `next(request)` once, several times or not at all, and pass, change or add events.
"""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from dragoman.engine import attempt, open_stream
from dragoman.errors import ConfigError, StreamTruncated
from dragoman.values import Finished
from dragoman.values.unrolled import events_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from dragoman.engine import AttemptStream, Deployment, Meter
    from dragoman.routing.route import Attempting, Layer
    from dragoman.routing.settings import CallSettings
    from dragoman.values import Event, Request, Response, Usage

__all__ = ["AttemptEvents", "close", "collect", "layered", "truncated_by_layer"]


class AttemptEvents:
    """The events of one attempt, opened at the first `anext`: the innermost `next` that a layer calls.

    No generator, so that closing it closes the connection at once, however the layers above are finalised.
    """

    def __init__(self, deployment: Deployment, meter: Meter, settings: CallSettings, *, stream: bool) -> None:
        self._deployment = deployment
        self._meter = meter
        self._settings = settings
        self._streamed = stream
        self._request: Request | None = None
        self._source: AttemptStream | None = None
        self._whole: Iterator[Event] | None = None

    def open(self, request: Request) -> AttemptEvents:
        """Takes the request; a second call (a layer that asks again) begins a new exchange in the same attempt."""
        if self._request is None:
            self._request = request
            return self
        return AttemptEvents(self._deployment, self._meter, self._settings, stream=self._streamed).open(request)

    def __aiter__(self) -> AttemptEvents:
        return self

    async def __anext__(self) -> Event:
        if self._source is not None:
            return await anext(self._source)
        if self._whole is None:
            await self._begin()
            return await anext(self)
        event = next(self._whole, None)
        if event is None:
            raise StopAsyncIteration
        return event

    async def _begin(self) -> None:
        request = self._request
        assert request is not None  # set by open()
        adapt, timeout = self._settings.adapt, self._settings.timeout
        if self._streamed:
            self._source = await open_stream(self._deployment, request, self._meter, adapt=adapt, timeout=timeout)
        else:
            response = await attempt(self._deployment, request, self._meter, adapt=adapt, timeout=timeout)
            self._whole = iter(events_of(response))

    def take_ready(self) -> list[Event]:
        """The events that are there already."""
        return self._source.take_ready() if self._source is not None else []

    @property
    def usage(self) -> Usage | None:
        """What the provider has reported so far."""
        return self._source.usage if self._source is not None else None

    def partial(self) -> Response | None:
        """The answer as far as it came; None before anything did."""
        return self._source.partial() if self._source is not None else None

    async def aclose(self) -> None:
        if self._source is not None:
            await self._source.aclose()


def layered(layers: Sequence[Layer], innermost: Attempting) -> Attempting:
    """`innermost` with the layers around it, the first listed outermost."""
    for layer in reversed(layers):
        innermost = _around(layer, innermost)
    return innermost


def _around(layer: Layer, inner: Attempting) -> Attempting:
    def outer(request: Request) -> AsyncIterator[Event]:
        made: Any = layer(request, inner)
        if isawaitable(made):
            return _Awaited(made)
        if not hasattr(made, "__anext__"):
            name = getattr(layer, "__name__", repr(layer))
            raise ConfigError(
                f"middleware {name} gave {made!r:.80} and no events: write it as an async generator, "
                "`async for event in next(request): yield event`"
            )
        return made

    return outer


class _Awaited:
    """The events of a layer that is a coroutine function: awaited at the first `anext`."""

    def __init__(self, made: Any) -> None:
        self._made = made
        self._events: AsyncIterator[Event] | None = None

    def __aiter__(self) -> _Awaited:
        return self

    async def __anext__(self) -> Event:
        if self._events is None:
            made: AsyncIterator[Event] = await self._made
            self._events = aiter(made)
        return await anext(self._events)

    async def aclose(self) -> None:
        if self._events is None:
            self._made.close()
        else:
            await close(self._events)


async def close(events: AsyncIterator[object]) -> None:
    """Closes an async iterator that can be closed."""
    aclose = getattr(events, "aclose", None)
    if aclose is not None:
        await aclose()


async def collect(events: AsyncIterator[Event]) -> Response:
    """The whole answer of a stream of events. Raises `StreamTruncated` when they end without `Finished`."""
    try:
        async for event in events:
            if isinstance(event, Finished):
                return event.response
    finally:
        await close(events)
    raise truncated_by_layer()


def truncated_by_layer() -> StreamTruncated:
    """The error for a layer that ended the events itself, without a finish."""
    return StreamTruncated("a middleware ended the events without Finished; pass the events of next(request) through")
