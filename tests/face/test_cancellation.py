"""Cancelled at any await, a call or a stream leaves no connection, no task and no permit."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest

import dragoman
from dragoman.engine.shared import shared_transport
from dragoman.face.background import LoopThread, engine_thread
from dragoman.routing import InFlight
from dragoman.transport import HttpTransport
from dragoman.transport.fake import HANG
from tests.face.chat_wire import frame, model_over, stream_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman import ChatModel


def in_flight(model: ChatModel) -> int:
    permits = model.route.permits
    assert isinstance(permits, InFlight)
    return permits.total


async def read_all(model: ChatModel) -> None:
    async with model.astream("Hi") as stream:
        async for _ in stream:
            pass


class SteppedServer:
    """A provider that answers one SSE stream or one whole answer in small steps, and counts its open sockets."""

    def __init__(self, *, streaming: bool) -> None:
        self._streaming = streaming
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> int:
        listener = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self._listener = listener
        port: int = listener.sockets[0].getsockname()[1]
        return port

    async def all_closed(self) -> None:
        self._listener.close()
        async with asyncio.timeout(10):
            while self._open:  # noqa: ASYNC110 - a deadline bounds it; sockets close by themselves
                await asyncio.sleep(0.001)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                kind = b"text/event-stream" if self._streaming else b"application/json"
                pieces = self._pieces()
                total = sum(map(len, pieces))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\n")
                await asyncio.sleep(0)
                writer.write(b"content-length: " + str(total).encode() + b"\r\n\r\n")
                for piece in pieces:
                    await asyncio.sleep(0)
                    writer.write(piece)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self._open.discard(writer)

    def _pieces(self) -> list[bytes]:
        if self._streaming:
            return [frame({"content": "a"}), frame({"content": "b"}), frame({}, "stop"), b"data: [DONE]\n\n"]
        from tests.face.chat_wire import answer

        body = answer().body
        return [body[:20], body[20:]]


@pytest.mark.parametrize("streaming", [False, True])
def test_cancelled_at_every_tick_nothing_is_left(streaming: bool) -> None:
    """Runs the exchange again and again, cancelled one loop tick later each time, until it completes first."""

    async def one(ticks: int, address: str) -> bool:
        transport = HttpTransport()
        model = dragoman.ProviderRegistry.get_provider(
            "chat_completions", model="m", base_url=address, api_key="k", transport=transport
        )
        before = asyncio.all_tasks()
        work: Awaitable[Any] = read_all(model) if streaming else model.achat("Hi")
        task = asyncio.ensure_future(work)
        for _ in range(ticks):
            await asyncio.sleep(0)
            if task.done():
                break
        finished = task.done()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            assert not finished
        counts = transport.statistics()
        assert counts.in_use == counts.connecting == counts.waiting == 0
        assert in_flight(model) == 0
        assert asyncio.all_tasks() == before
        await transport.aclose()
        return finished

    server = SteppedServer(streaming=streaming)
    thread = LoopThread("stepped-server")  # its own loop: the tasks of the client's are counted
    port = thread.run(server.start)
    ticks = 0
    while not asyncio.run(one(ticks, f"http://127.0.0.1:{port}/v1")):
        ticks += 1
        assert ticks < 100_000, "the exchange never completed"
    thread.run(server.all_closed)
    thread.stop()
    assert ticks > 3


def test_repeated_runs_share_a_model_and_leave_nothing() -> None:
    model, transport = model_over(lambda _request: stream_of(frame({"content": "a"}), HANG))

    async def cancelled() -> None:
        task = asyncio.ensure_future(read_all(model))
        while not transport.waiting:  # noqa: ASYNC110 - the fake has no event to wait for
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert transport.open_streams == 0

    for _ in range(3):
        asyncio.run(cancelled())
    assert in_flight(model) == 0


def _interrupted(call: Callable[[], Any], ready: Callable[[], bool]) -> None:
    """Runs a call in this thread and raises KeyboardInterrupt in it, as Ctrl-C does, once `ready` holds."""

    def press() -> None:
        deadline = threading.Event()
        for _ in range(1000):
            if ready():
                break
            deadline.wait(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
    finally:
        thread.join()


def test_control_c_cancels_a_sync_call_upstream() -> None:
    model, transport = model_over(lambda _request: HANG)
    _interrupted(lambda: model.chat("Hi"), lambda: bool(transport.waiting))
    assert transport.waiting == 0
    assert in_flight(model) == 0


def test_control_c_cancels_a_sync_stream_upstream() -> None:
    model, transport = model_over(lambda _request: stream_of(frame({"content": "a"}), HANG))
    _interrupted(lambda: list(model.stream("Hi")), lambda: bool(transport.waiting))
    assert transport.waiting == 0
    assert transport.open_streams == 0
    assert in_flight(model) == 0


def test_no_task_is_left_on_the_background_loop() -> None:
    model, _ = model_over(lambda _request: stream_of(frame({"content": "a"}), HANG))
    with model.stream("Hi") as stream:
        next(stream)

    async def count() -> int:
        return len(asyncio.all_tasks()) - 1

    assert engine_thread().run(count) == 0


def test_a_forked_child_starts_anew() -> None:
    script = textwrap.dedent(
        """
        import os, sys
        from tests.face.chat_wire import answer, model_over

        model, _ = model_over(lambda _request: answer("ok"))
        assert model.chat("Hi").content == "ok"
        child = os.fork()
        if child == 0:
            os._exit(0 if model.chat("Hi").content == "ok" else 1)
        _, status = os.waitpid(child, 0)
        assert model.chat("Hi").content == "ok"
        sys.exit(os.waitstatus_to_exitcode(status))
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_closing_a_model_leaves_the_calls_of_others_alone() -> None:
    server = SteppedServer(streaming=True)
    thread = LoopThread("stepped-server")
    port = thread.run(server.start)
    address = f"http://127.0.0.1:{port}/v1"

    def model() -> ChatModel:
        return dragoman.ProviderRegistry.get_provider("chat_completions", model="m", base_url=address, api_key="k")

    async def there() -> None:
        other = model().astream("Hi")
        first = await anext(aiter(other))
        assert first.event is not None
        async with model() as mine:
            assert "".join([chunk.delta async for chunk in mine.astream("Hi")]) == "ab"
        while True:
            try:
                await anext(other)
            except StopAsyncIteration:
                break
        assert other.response.content == "ab"
        await model().aclose()
        assert shared_transport().statistics().open == 0

    asyncio.run(there())
    thread.run(server.all_closed)
    thread.stop()
