"""Streams that are poured say, and pass, what they do where each event is asked for."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import msgspec
import pytest

from dragoman.catalogue import resolve
from dragoman.engine import Deployment, Meter, open_stream
from dragoman.engine.relay import EDITS, RelayRequest, read_members, relay_stream
from dragoman.errors import ConnectionLost, DragomanError
from dragoman.routing import shows
from dragoman.transport.fake import FakeStream, FakeTransport
from dragoman.values import Finished, Request, user
from tests.wire.recordings import exchanges, stream_bytes, target_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.engine import AttemptStream
    from dragoman.engine.relay import RelayStream
    from dragoman.transport import HttpRequest
    from dragoman.transport.fake import Chunk
    from dragoman.values import Event
    from tests.wire.recordings import Exchange

_STREAMS = [exchange for exchange in exchanges() if exchange.dialect in EDITS and exchange.response.kind == "sse"]


class _Pouring(FakeStream):
    """A body that pours. An error among its pieces is met by the next read, as on a connection."""

    poured = 0

    async def pour(self, sink: Callable[[bytes], bool]) -> None:
        held = deque(self._chunks)
        while held and isinstance(chunk := held[0], bytes):
            held.popleft()
            self.poured += 1
            if not sink(chunk):
                break
        self._chunks = iter(held)


class _Transport(FakeTransport):
    """One whose streams pour."""

    async def stream(self, request: HttpRequest) -> FakeStream:
        plain = await super().stream(request)
        plain.__class__ = _Pouring
        return plain


def _deployment(exchange: Exchange, transport: FakeTransport) -> Deployment:
    assert exchange.dialect is not None
    access = resolve(
        "openai_compatible", dialect="openai-chat", model="m", base_url="http://127.0.0.1:9/v1", api_key="none"
    )
    row = msgspec.structs.replace(access.row, dialects=(exchange.dialect,))
    access = resolve(row, model="m", base_url="http://127.0.0.1:9/v1", api_key="none")
    return Deployment(
        access=access.with_target(msgspec.structs.replace(target_for(exchange), model="m")), transport=transport
    )


def _transport(kind: type[FakeTransport], pieces: Sequence[Chunk]) -> FakeTransport:
    return kind([FakeTransport.streamed(list(pieces), headers={"content-type": "text/event-stream"})])


async def _relayed(exchange: Exchange, transport: FakeTransport, model: str, room: int) -> tuple[bytes, object]:
    """All bytes that passed, and the answer or the error; `room` is how many pieces the reader takes at once."""
    assert exchange.dialect is not None
    data = msgspec.json.encode({"model": model, "messages": [], "stream": True})
    asked = RelayRequest(dialect=exchange.dialect, model=model, body=data, members=read_members(data), stream=True)
    deployment = _deployment(exchange, transport)
    stream: RelayStream = await relay_stream(deployment, asked, Meter(deployment, "test"), shows)
    passed: list[bytes] = []
    end: object = None

    def take(piece: bytes) -> bool:
        passed.append(piece)
        return len(passed) % room != 0

    try:
        async for piece in stream:
            passed.append(piece.data)
            end = end or piece.response
            await stream.pour(take, take)
    except DragomanError as error:
        end = (type(error), str(error))
    finally:
        await stream.aclose()
    assert transport.open_streams == 0
    return b"".join(passed), end


async def _translated(exchange: Exchange, transport: FakeTransport, room: int) -> list[Event | tuple[type, str]]:
    deployment = _deployment(exchange, transport)
    request = Request(model="m", messages=(user("Hi"),), stream=True)
    stream: AttemptStream = await open_stream(deployment, request, Meter(deployment, "test"))
    told: list[Event | tuple[type, str]] = []

    def put(event: Event) -> bool:
        told.append(event)
        return len(told) % room != 0

    def take(events: list[Event]) -> bool:
        told.extend(events)
        return len(told) % room != 0

    try:
        async for event in stream:
            told.append(event)
            await stream.pour(put, take)
    except DragomanError as error:
        told.append((type(error), str(error)))
    finally:
        await stream.aclose()
    return told


def _pieces(exchange: Exchange, how: str) -> list[Chunk]:
    data = stream_bytes(exchange)
    blocks: list[Chunk] = [block + b"\n\n" for block in data.split(b"\n\n") if block]
    if how == "events":
        return blocks
    if how == "cut off":
        return [*blocks[: len(blocks) // 2], ConnectionLost("cut", sent="yes")]
    if how == "truncated":
        return blocks[: len(blocks) // 2]
    return [data[at : at + 300] for at in range(0, len(data), 300)]


@pytest.mark.parametrize("how", ["events", "cut off", "truncated", "pieces"])
@pytest.mark.parametrize("exchange", _STREAMS, ids=lambda exchange: exchange.case)
def test_poured_streams_pass_the_same(exchange: Exchange, how: str) -> None:
    pieces = _pieces(exchange, how)
    for model in ("m", "another-name"):
        expected = asyncio.run(_relayed(exchange, _transport(FakeTransport, pieces), model, 1))
        for room in (3, 10_000):
            assert asyncio.run(_relayed(exchange, _transport(_Transport, pieces), model, room)) == expected


@pytest.mark.parametrize("how", ["events", "cut off", "truncated", "pieces"])
@pytest.mark.parametrize("exchange", _STREAMS, ids=lambda exchange: exchange.case)
def test_poured_streams_tell_the_same_events(exchange: Exchange, how: str) -> None:
    pieces = _pieces(exchange, how)
    expected = asyncio.run(_translated(exchange, _transport(FakeTransport, pieces), 1))
    for room in (3, 10_000):
        assert asyncio.run(_translated(exchange, _transport(_Transport, pieces), room)) == expected


def test_most_of_a_stream_is_poured() -> None:
    """Else the tests above would compare a thing with itself."""
    exchange = max(_STREAMS, key=lambda each: stream_bytes(each).count(b"\n\n"))
    pieces = _pieces(exchange, "events")
    transport = _transport(_Transport, pieces)
    opened: list[FakeStream] = []
    stream = transport.stream

    async def noted(request: HttpRequest) -> FakeStream:
        opened.append(await stream(request))
        return opened[-1]

    transport.stream = noted  # type: ignore[method-assign]
    told = asyncio.run(_translated(exchange, transport, 10_000))
    assert isinstance(told[-1], Finished)
    assert isinstance(opened[0], _Pouring)
    assert opened[0].poured > len(pieces) * 0.9
