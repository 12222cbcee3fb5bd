"""Streams as the caller holds them: an iterator of chunks that owns a connection, and the answer once it has ended."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic

from dragoman.errors import StreamStateError
from dragoman.routing.layers import close
from dragoman.values import Finished, ReasoningDelta, TextDelta

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from types import TracebackType

    from typing_extensions import TypeVar

    from dragoman.face.ferry import Intake
    from dragoman.values import Event, Response

    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")  # the running Python may be too old for defaults

__all__ = ["AsyncChatStream", "ChatChunk", "ChatStream"]


class ChatChunk:
    """One step of a streamed answer. `event` is the whole truth; `delta` and `reasoning_delta` are its text, or ""."""

    __slots__ = ("event",)

    def __init__(self, event: Event) -> None:
        self.event = event

    @property
    def delta(self) -> str:
        """The piece of the answer's text in this step; "" if none."""
        event = self.event
        return event.text if type(event) is TextDelta and not event.choice else ""

    @property
    def reasoning_delta(self) -> str:
        """The piece of visible thinking in this step; "" if none."""
        event = self.event
        return event.text if type(event) is ReasoningDelta and not event.choice else ""

    @property
    def partial(self) -> Any:
        """In a stream with `output=`: the answer as far as it came, as plain JSON data; None before it begins."""
        return None

    def __repr__(self) -> str:
        return f"ChatChunk({self.event!r})"


class _State(Generic[T]):
    """What both kinds of stream know: whether they were iterated, and the answer once it is complete."""

    _iterated = False
    _response: Response[T] | None = None

    @property
    def response(self) -> Response[T]:
        """The whole answer, once the stream has ended. Raises `StreamStateError` before that."""
        if self._response is None:
            raise StreamStateError(
                "the stream has no whole answer: it was not read to its end, or it failed; "
                "read it to the end first (an error carries what came in .partial)"
            )
        return self._response

    def _begin(self) -> None:
        if self._iterated:
            raise StreamStateError("a stream can be iterated once; the whole answer is in .response")
        self._iterated = True

    def _chunk(self, event: Event) -> ChatChunk:
        if type(event) is Finished:
            self._response = event.response
        return ChatChunk(event)


class ChatStream(_State[T]):
    """A streamed answer, read synchronously: `with model.stream(…) as stream: for chunk in stream: …`.

    Leaving the `with` block, or `close`, closes the connection for certain; so does dropping the stream, on CPython.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def __iter__(self) -> Iterator[ChatChunk]:
        self._begin()
        return self

    def __next__(self) -> ChatChunk:
        try:
            event = self._intake.take()
        except BaseException:  # Ctrl-C among them: upstream is cancelled before anything else happens
            self._intake.close()
            raise
        if event is None:
            raise StopIteration
        return self._chunk(event)

    def close(self) -> None:
        """Closes the connection, if the answer is not complete. Idempotent."""
        self._intake.close()

    def __enter__(self) -> ChatStream[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        intake = getattr(self, "_intake", None)
        if intake is not None:
            intake.abandon()


class AsyncChatStream(_State[T]):
    """A streamed answer, read asynchronously: `async with model.astream(…) as stream: async for chunk in stream: …`.

    Leaving the block, or `aclose`, closes the connection for certain; so does dropping the stream, on CPython.
    """

    def __init__(self, make: Callable[[], AsyncIterator[Event]]) -> None:
        self._make = make
        self._events: AsyncIterator[Event] | None = None
        self._take_ready: Callable[[], list[Event]] | None = None
        self._waiting: deque[Event] = deque()
        self._closed = False

    def __aiter__(self) -> AsyncIterator[ChatChunk]:
        self._begin()
        return self

    async def __anext__(self) -> ChatChunk:
        if self._waiting:
            return ChatChunk(self._waiting.popleft())
        if self._closed:
            raise StopAsyncIteration
        if self._events is None:
            self._events = self._make()
            self._take_ready = getattr(self._events, "take_ready", None)
        try:
            chunk = self._chunk(await anext(self._events))
            if self._take_ready is not None:
                self._waiting.extend(self._take_ready())
            return chunk
        except StopAsyncIteration:
            self._closed = True
            raise
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Closes the connection, if the answer is not complete. Idempotent."""
        self._closed = True
        self._waiting.clear()
        self._take_ready = None
        events, self._events = self._events, None
        if events is not None:
            await close(events)

    async def __aenter__(self) -> AsyncChatStream[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
