"""Typed streams: a stream whose chunks show the value so far, and whose answer has it whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dragoman.face.partial import PartialJson
from dragoman.face.streams import AsyncChatStream, ChatChunk, ChatStream
from dragoman.face.typed import parse_answer
from dragoman.values import PartStarted, Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType

    from dragoman.face.schemas import TypeSchema
    from dragoman.values import Event, Response

__all__ = ["AsyncTypedChatStream", "TypedChatChunk", "TypedChatStream"]

T = TypeVar("T")


class TypedChatChunk(ChatChunk):
    """One step of a typed stream."""

    __slots__ = ("_so_far",)

    def __init__(self, event: Event, so_far: PartialJson) -> None:
        super().__init__(event)
        self._so_far = so_far

    @property
    def partial(self) -> Any:
        """The answer as far as it came: worked out when it is asked for, and of the stream as it is then."""
        return self._so_far.value


class _Reading(Generic[T]):
    """What both kinds of stream do with what they read."""

    def __init__(self, schema: TypeSchema[T]) -> None:
        self._schema = schema
        self._so_far = PartialJson()
        self._typed: Response[T] | None = None

    def step(self, chunk: ChatChunk) -> TypedChatChunk:
        event = chunk.event
        if isinstance(event, PartStarted) and isinstance(event.part, Text) and not event.choice:
            self._so_far = PartialJson()  # the answer is one text: what stood before it is no part of it
        if chunk.delta:
            self._so_far.feed(chunk.delta)
        return TypedChatChunk(event, self._so_far)

    def parsed(self, response: Response) -> Response[T]:
        if self._typed is None:
            self._typed = parse_answer(self._schema, response)
        return self._typed


class TypedChatStream(ChatStream[T]):
    """A typed answer, streamed, read synchronously; as `ChatStream`, with `chunk.partial` and a typed `response`.

    A stream is not asked again: at its end it raises `SchemaMismatch` when the answer is not of the type, or
    `UnusableAnswer` when there is no whole answer. Reading `response` raises the same.
    """

    def __init__(self, stream: ChatStream, schema: TypeSchema[T]) -> None:
        # The stream within owns the connection; this one has the same verbs, and nothing of its own to close.
        self._reading = _Reading(schema)
        self._stream = stream

    @property
    def response(self) -> Response[T]:
        """The whole answer, once the stream has ended. Raises `StreamStateError` before that."""
        return self._reading.parsed(self._stream.response)

    def __iter__(self) -> Iterator[ChatChunk]:
        iter(self._stream)
        return self

    def __next__(self) -> TypedChatChunk:
        try:
            return self._reading.step(next(self._stream))
        except StopIteration:
            self._reading.parsed(self._stream.response)
            raise

    def close(self) -> None:
        """Closes the connection, if the answer is not complete. Idempotent."""
        self._stream.close()

    def __enter__(self) -> TypedChatStream[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncTypedChatStream(AsyncChatStream[T]):
    """A typed answer, streamed, read asynchronously; see `TypedChatStream`."""

    def __init__(self, stream: AsyncChatStream, schema: TypeSchema[T]) -> None:
        # The stream within owns the connection; this one has the same verbs, and nothing of its own to close.
        self._reading = _Reading(schema)
        self._stream = stream

    @property
    def response(self) -> Response[T]:
        """The whole answer, once the stream has ended. Raises `StreamStateError` before that."""
        return self._reading.parsed(self._stream.response)

    def __aiter__(self) -> AsyncIterator[ChatChunk]:
        aiter(self._stream)
        return self

    async def __anext__(self) -> TypedChatChunk:
        try:
            return self._reading.step(await anext(self._stream))
        except StopAsyncIteration:
            self._reading.parsed(self._stream.response)
            raise

    async def aclose(self) -> None:
        """Closes the connection, if the answer is not complete. Idempotent."""
        await self._stream.aclose()

    async def __aenter__(self) -> AsyncTypedChatStream[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
