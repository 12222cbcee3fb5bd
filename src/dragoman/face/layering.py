"""Middleware around a whole model: its events, the stream of them, and its place on the user thread in sync calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from dragoman.errors import StreamStateError
from dragoman.routing import RoutedStream, run
from dragoman.routing.layers import close, layered, truncated_by_layer
from dragoman.values import Finished
from dragoman.values.unrolled import events_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from dragoman.face.model import ChatModel
    from dragoman.routing import CallSettings, Route
    from dragoman.routing.route import Layer
    from dragoman.values import Event, Request

__all__ = ["AnswerEvents", "LayeredEvents", "with_layers_elsewhere"]


class AnswerEvents:
    """The events of a whole answer, asked for at the first `anext`."""

    def __init__(self, route: Route, request: Request, settings: CallSettings) -> None:
        self._route = route
        self._request = request
        self._settings = settings
        self._events: Iterator[Event] | None = None

    def __aiter__(self) -> AnswerEvents:
        return self

    async def __anext__(self) -> Event:
        if self._events is None:
            self._events = iter(events_of(await run(self._route, self._request, self._settings)))
        event = next(self._events, None)
        if event is None:
            raise StopAsyncIteration
        return event


class LayeredEvents:
    """The events of a stream through middleware. Closing it closes the streams within at once."""

    def __init__(self, layers: Sequence[Layer], route: Route, request: Request, settings: CallSettings) -> None:
        self._sources: list[RoutedStream] = []

        def innermost(inner: Request) -> AsyncIterator[Event]:
            source = RoutedStream(route, inner, settings)
            self._sources.append(source)
            return source

        self._events = layered(layers, innermost)(request)
        self._finished = False
        self._closed = False

    def __aiter__(self) -> LayeredEvents:
        return self

    async def __anext__(self) -> Event:
        if self._closed:
            raise StreamStateError("the stream was closed")
        event = await anext(self._events, None)
        if event is None:
            if not self._finished:
                await self.aclose()
                raise truncated_by_layer()
            raise StopAsyncIteration
        self._finished = self._finished or isinstance(event, Finished)
        return event

    async def aclose(self) -> None:
        self._closed = True
        await close(self._events)
        for source in self._sources:
            await source.aclose()


def with_layers_elsewhere(model: ChatModel) -> ChatModel:
    """A copy of the model whose middleware, and that of the models inside it, runs on the user thread's loop."""
    from dragoman.face.background import user_thread
    from dragoman.face.ferry import elsewhere
    from dragoman.face.model import ChatModel

    there = user_thread().loop
    candidates = tuple(
        replace(candidate, layers=tuple(elsewhere(layer, there) for layer in candidate.layers))
        for candidate in model.route.candidates
    )
    route = replace(model.route, candidates=candidates)
    return ChatModel(route, name=model.model_id, layers=[elsewhere(layer, there) for layer in model.layers])
