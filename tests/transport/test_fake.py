"""The fake transport keeps the seam's promises, so that what passes over it passes over the real ones."""

from __future__ import annotations

import asyncio

import pytest

from dragoman.errors import ConnectionLost, StreamStateError
from dragoman.transport import FakeTransport, HttpRequest, HttpResponse, HttpStream, HttpTransport, Transport
from dragoman.transport.fake import HANG
from tests.transport.talking import run

REQUEST = HttpRequest("POST", "https://api.example/v1", (("x", "y"),), b"body")


def test_it_is_a_transport() -> None:
    assert isinstance(FakeTransport(), Transport)
    assert isinstance(HttpTransport(), Transport)


def test_answers_come_in_order_and_requests_are_recorded() -> None:
    async def main() -> None:
        async with FakeTransport([HttpResponse(200, {"a": "b"}, b"one"), [b"t", b"wo"]]) as transport:
            first = await transport.send(REQUEST)
            assert (first.status, first.headers, first.body) == (200, {"a": "b"}, b"one")
            assert (await transport.send(REQUEST)).body == b"two"
            assert transport.requests == [REQUEST, REQUEST]
            with pytest.raises(AssertionError, match=r"https://api\.example/v1"):
                await transport.send(REQUEST)
        assert transport.times_closed == 1

    run(main)


def test_a_function_may_choose() -> None:
    async def main() -> None:
        transport = FakeTransport(lambda request: HttpResponse(200, {}, request.body.upper()))
        assert (await transport.send(REQUEST)).body == b"BODY"

    run(main)


def test_streams_come_chunk_by_chunk_and_are_counted() -> None:
    async def main() -> None:
        transport = FakeTransport([[b"a", b"b"], FakeTransport.streamed([b"c"], status=429, headers={"x": "y"})])
        stream = await transport.stream(REQUEST)
        assert isinstance(stream, HttpStream)
        assert transport.open_streams == 1
        assert [piece async for piece in stream] == [b"a", b"b"]
        assert transport.open_streams == 0
        refused = await transport.stream(REQUEST)
        assert (refused.status, refused.headers) == (429, {"x": "y"})
        assert await refused.aread() == b"c"

    run(main)


def test_a_whole_answer_can_be_streamed_in_pieces() -> None:
    async def main() -> None:
        transport = FakeTransport([HttpResponse(200, {}, b"abcde"), HttpResponse(200, {}, b"")], chunk_bytes=2)
        assert [piece async for piece in await transport.stream(REQUEST)] == [b"ab", b"cd", b"e"]
        assert [piece async for piece in await transport.stream(REQUEST)] == []

    run(main)


def test_errors_are_raised_before_and_within_a_stream() -> None:
    async def main() -> None:
        lost = ConnectionLost("gone")
        transport = FakeTransport([lost, [b"a", lost], [b"a", lost]])
        with pytest.raises(ConnectionLost):
            await transport.stream(REQUEST)
        stream = await transport.stream(REQUEST)
        assert await anext(stream) == b"a"
        with pytest.raises(ConnectionLost):
            await anext(stream)
        with pytest.raises(ConnectionLost):
            await transport.send(REQUEST)
        assert transport.open_streams == 0

    run(main)


def test_a_hang_lasts_until_it_is_cancelled() -> None:
    async def main() -> None:
        transport = FakeTransport([HANG, [b"a", HANG]])
        call = asyncio.create_task(transport.send(REQUEST))
        await asyncio.sleep(0)
        assert transport.waiting == 1
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        stream = await transport.stream(REQUEST)
        reading = asyncio.create_task(stream.aread())
        await asyncio.sleep(0)
        assert (transport.waiting, transport.open_streams) == (1, 1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert (transport.waiting, transport.open_streams) == (0, 0)

    run(main)


def test_closing_early_and_letting_go_are_counted() -> None:
    async def main() -> None:
        transport = FakeTransport([[b"a", b"b"], [b"a", b"b"]])
        stream = await transport.stream(REQUEST)
        assert await anext(stream) == b"a"
        await stream.aclose()
        await stream.aclose()
        assert transport.open_streams == 0
        with pytest.raises(StreamStateError):
            await anext(stream)
        async for _ in await transport.stream(REQUEST):
            break
        assert transport.open_streams == 0

    run(main)
