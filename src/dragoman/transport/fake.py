"""A transport without a network: answers are scripted, requests recorded, open streams counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from dragoman.errors import ConnectionLost, StreamStateError
from dragoman.transport.seam import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from dragoman.transport.seam import HttpRequest

__all__ = ["HANG", "Answer", "Chunk", "FakeStream", "FakeTransport", "Script"]


class _Hang:
    """The type of `HANG`."""

    def __repr__(self) -> str:
        return "HANG"


HANG: Final = _Hang()
"""In place of an answer or a chunk: nothing comes until the caller is cancelled."""

Chunk = bytes | BaseException | _Hang
"""One step of a streamed body: bytes that arrive, an error that is raised, or silence."""

Answer = HttpResponse | Sequence[Chunk] | BaseException | _Hang
"""What comes back: a whole answer, chunks with status 200, an error, or nothing for ever."""

Script = Iterable[Answer] | Callable[["HttpRequest"], Answer]
"""Answers in order of the requests, or a function that looks at the request."""


class FakeTransport:
    """Plays a script: see `Script`. `requests` holds what was asked, in order.

    A `HttpResponse` is streamed in pieces of `chunk_bytes` (None: in one). Streamed chunks with another status or other
    headers are an answer from `FakeTransport.streamed`. When a list has run out, the next call raises `AssertionError`
    naming the request, for in a test that is what went wrong.
    """

    def __init__(self, script: Script = (), *, chunk_bytes: int | None = None) -> None:
        self._choose = script if callable(script) else None
        self._answers = None if callable(script) else iter(script)
        self._chunk_bytes = chunk_bytes
        self.requests: list[HttpRequest] = []
        self.open_streams = 0
        self.waiting = 0
        self.times_closed = 0

    @staticmethod
    def streamed(
        chunks: Iterable[Chunk], *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> StreamedAnswer:
        """Chunks with a status and headers of their own."""
        return StreamedAnswer(chunks, status, headers or {})

    async def send(self, request: HttpRequest) -> HttpResponse:
        """The scripted answer; chunks are joined, and an error among them is raised."""
        answer = await self._answer(request)
        if isinstance(answer, HttpResponse):
            return answer
        stream = self._open(answer)
        try:
            return HttpResponse(stream.status, stream.headers, await stream.aread())
        finally:
            await stream.aclose()

    async def stream(self, request: HttpRequest) -> FakeStream:
        """The scripted answer, chunk by chunk."""
        return self._open(await self._answer(request))

    async def aclose(self) -> None:
        self.times_closed += 1

    async def __aenter__(self) -> FakeTransport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def hang(self) -> None:
        """Wait until cancelled; `waiting` counts who does."""
        import asyncio

        self.waiting += 1
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.waiting -= 1

    async def _answer(self, request: HttpRequest) -> HttpResponse | Sequence[Chunk]:
        self.requests.append(request)
        if self._choose is not None:
            answer = self._choose(request)
        else:
            assert self._answers is not None
            try:
                answer = next(self._answers)
            except StopIteration:
                raise AssertionError(f"No answer is scripted for {request.method} {request.url}") from None
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, _Hang):
            await self.hang()
            raise AssertionError("a wait without end has ended")
        return answer

    def _open(self, answer: HttpResponse | Sequence[Chunk]) -> FakeStream:
        if isinstance(answer, HttpResponse):
            return FakeStream(self, answer.status, answer.headers, self._cut(answer.body))
        if isinstance(answer, StreamedAnswer):
            return FakeStream(self, answer.status, answer.headers, list(answer))
        return FakeStream(self, 200, {}, list(answer))

    def _cut(self, body: bytes) -> list[Chunk]:
        size = self._chunk_bytes or len(body) or 1
        return [body[start : start + size] for start in range(0, len(body), size)]


class StreamedAnswer(list[Chunk]):
    """Chunks with a status and headers."""

    def __init__(self, chunks: Iterable[Chunk], status: int, headers: Mapping[str, str]) -> None:
        super().__init__(chunks)
        self.status = status
        self.headers = headers


class FakeStream:
    """A scripted body; see `seam.HttpStream`."""

    def __init__(
        self, transport: FakeTransport, status: int, headers: Mapping[str, str], chunks: Sequence[Chunk]
    ) -> None:
        self._transport = transport
        self._chunks = iter(chunks)
        self._open = True
        self._complete = False
        self.status = status
        self.headers = headers
        transport.open_streams += 1

    def __aiter__(self) -> FakeStream:
        return self

    async def __anext__(self) -> bytes:
        if not self._open:
            if self._complete:
                raise StopAsyncIteration
            raise StreamStateError("The stream was closed before its end; it has no more to give.")
        chunk = next(self._chunks, None)
        if chunk is None:
            self._complete = True
            self._let_go()
            raise StopAsyncIteration
        if isinstance(chunk, bytes):
            return chunk
        try:
            if isinstance(chunk, BaseException):
                raise chunk
            await self._transport.hang()
        finally:
            self._let_go()
        raise ConnectionLost("a wait without end has ended", sent="yes")

    async def aread(self) -> bytes:
        return b"".join([chunk async for chunk in self])

    async def aclose(self) -> None:
        self._let_go()

    def __del__(self) -> None:
        if getattr(self, "_open", False):
            self._let_go()

    def _let_go(self) -> None:
        if self._open:
            self._open = False
            self._transport.open_streams -= 1
