"""A proxy that commits faults, before any real server: what a provider's bad day looks like, on demand.

    with FaultProxy("http://127.0.0.1:8080") as proxy:
        model = dragoman.get_model("llama_cpp/any", base_url=proxy.url)
        proxy.fail(Cut(after=3))
        …
        assert proxy.requests[-1].events == 3

Requests pass unread but for what the log tells of them; answers pass event by event. It runs in a thread.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dragoman.dialects import load
from dragoman.errors import ConfigError
from dragoman.testing.breaking import break_stream, break_whole, events_before
from dragoman.testing.faults import (
    Cut,
    ErrorIn200,
    ErrorInStream,
    Fault,
    Garbage,
    Malformed,
    Reset,
    SlowHead,
    Stall,
    Status,
)
from dragoman.testing.faulty_server import FaultyServer
from dragoman.testing.forwarding import Upstream, UpstreamLost
from dragoman.testing.party import Party
from dragoman.testing.wires import address_of
from dragoman.values import Request, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.errors import DragomanError
    from dragoman.testing.forwarding import Answer, Exchange
    from dragoman.testing.http_server import Connection, Received
    from dragoman.testing.party import Answered, Seen
    from dragoman.testing.replies import Reply

__all__ = ["FaultProxy", "Passage"]


@dataclass
class Passage:
    """One request as it came, and what became of it: the log's entry.

    `seen` tells the request, and how its answer ended for the caller. `fault` is what was committed. `sent_on` tells
    whether the server behind was asked, `status` is what the caller was answered (0: nothing), `events` and
    `body_bytes` what went out to the caller of the answer. `upstream` tells how the server's own answer ended: "whole",
    "lost" (by the server), or "closed" (by the proxy: after a fault, or because the caller had gone).
    """

    seen: Seen
    fault: Fault | None = None
    sent_on: bool = False
    status: int = 0
    events: int = 0
    body_bytes: int = 0
    upstream: Literal["", "whole", "lost", "closed"] = ""
    done: bool = False

    @property
    def caller_left(self) -> bool:
        """Whether the caller went away before its answer was whole."""
        return self.seen.ended == "left"


class FaultProxy(FaultyServer):
    """Serves on a free port of the loopback from `start` (or `with`) to `stop`, and passes to the server at `upstream`.

    `choose` says of a request which fault it meets, None for none; it runs on the proxy's thread. Faults given to
    `fail` come before that, one for each of the next requests. Errors are written in the dialect that the path tells.
    """

    def __init__(self, upstream: str, *, choose: Callable[[Seen], Fault | None] | None = None) -> None:
        self._upstream = Upstream(upstream)
        self._choose = choose
        self._party = Party(_says_nothing, name="proxy")
        super().__init__(self._serve)
        self.requests: list[Passage] = []

    # -- what a test holds -------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address that stands for the server's: `http://127.0.0.1:<port>`."""
        return f"http://127.0.0.1:{self._server.port}"

    def settled(self, seconds: float = 5.0) -> None:
        """Waits until every request that came has ended here and at the server behind."""
        self.wait_for(lambda: all(passage.done for passage in self.requests), seconds)

    def forget(self) -> None:
        """Empties the log of what has ended, which a long run would fill the memory with."""
        self.requests[:] = [passage for passage in self.requests if not passage.done]
        self._party.requests.clear()

    def _log(self) -> list[Passage]:
        return self.requests

    # -- one request -------------------------------------------------------------------------------------------------

    async def _serve(self, received: Received, connection: Connection) -> None:
        seen = self._party.see(received.method, received.path, received.headers, received.body)
        passage = Passage(seen)
        self.requests.append(passage)
        self._tell()
        passage.fault = self.faults.popleft() if self.faults else self._choose(seen) if self._choose else None
        try:
            await self._while_called(self._answer(passage, received, connection), passage, connection)
        except ConnectionError:
            seen.ended = "left"
            raise
        finally:
            seen.ended = seen.ended or "left"
            passage.done = True
            self._tell()

    @staticmethod
    async def _while_called(work: object, passage: Passage, connection: Connection) -> None:
        """Does the work unless the caller goes away meanwhile; then it ends at once, its connection upstream too."""
        assert asyncio.iscoroutine(work)
        working: asyncio.Task[None] = asyncio.ensure_future(work)
        watching = asyncio.ensure_future(connection.until_left(None))
        try:
            await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                passage.seen.ended = "left"
                return
            working.result()
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _answer(self, passage: Passage, received: Received, connection: Connection) -> None:
        fault = passage.fault
        if isinstance(fault, SlowHead):
            await asyncio.sleep(fault.seconds)
            fault = None
        if isinstance(fault, Reset) and fault.after is None:
            passage.seen.ended = "cut"
            connection.reset()
            return
        instead = self._instead(passage.seen, fault)
        if instead is not None:
            await _whole(passage, connection, instead.status, instead.headers, instead.body)
            return
        try:
            exchange = await self._upstream.open(received)
        except UpstreamLost as error:
            await self._bad_gateway(passage, connection, error)
            return
        passage.sent_on = True
        passage.upstream = "closed"
        try:
            await self._pass(passage, exchange, fault, connection)
        except UpstreamLost as error:
            passage.upstream = "lost"
            if passage.status:
                passage.seen.ended = "cut"
                connection.usable = False
            else:
                await self._bad_gateway(passage, connection, error)
        finally:
            exchange.close()

    def _instead(self, seen: Seen, fault: Fault | None) -> Answered | None:
        """The answer that a fault puts in place of the server's, which then is not asked."""
        from dragoman.testing.party import Answered

        if isinstance(fault, Status):
            error = self._party.error(seen, fault.error())
            return Answered(error.status, (*error.headers, *fault.headers.items()), error.body)
        if isinstance(fault, ErrorIn200):
            return self._party.error(seen, fault.error, status=200)
        if isinstance(fault, Garbage):
            return Answered(fault.status, (("content-type", fault.content_type),), fault.body)
        if isinstance(fault, ErrorInStream) and not seen.streamed:
            return self._party.error(seen, fault.error)
        return None

    async def _pass(self, passage: Passage, exchange: Exchange, fault: Fault | None, connection: Connection) -> None:
        answer = await exchange.head()
        if passage.seen.streamed and answer.status < 300 and not answer.content_type.startswith("application/json"):
            await self._stream(passage, exchange, answer, fault, connection)
            return
        body = b"".join([piece async for piece in exchange.pieces(answer)])
        passage.upstream = "whole"
        if isinstance(fault, (Cut, Reset, Stall)):
            passage.status = 0 if isinstance(fault, Stall) else answer.status
            passage.seen.ended = "" if isinstance(fault, Stall) else "cut"
            passage.seen.ended = await break_whole(fault, connection, answer.status, answer.headers, body)
            return
        if isinstance(fault, ErrorInStream):
            error = self._party.error(passage.seen, fault.error)  # a stream was asked for, and is none
            await _whole(passage, connection, error.status, error.headers, error.body)
            return
        if isinstance(fault, Malformed):
            body = body[: len(body) * 3 // 4]
        await _whole(passage, connection, answer.status, answer.headers, body)

    async def _stream(
        self, passage: Passage, exchange: Exchange, answer: Answer, fault: Fault | None, connection: Connection
    ) -> None:
        after = events_before(fault)
        passage.status = answer.status
        await connection.head(answer.status, answer.headers, length=None)
        if after != 0:
            async for event in exchange.events(answer):
                await connection.chunk(event)
                passage.events += 1
                passage.body_bytes += len(event)
                if passage.events == after:
                    break
            else:
                after = None
        if after is None:
            passage.upstream = "whole"
            passage.seen.ended = "whole"
            await connection.chunk(b"")
            return
        assert isinstance(fault, (Cut, ErrorInStream, Malformed, Reset, Stall))  # those that events_before knows
        passage.seen.ended = "" if isinstance(fault, Stall) else "cut"
        fail = _failing(passage.seen)
        passage.seen.ended = await break_stream(fault, connection, answer.content_type, fail)

    @staticmethod
    async def _bad_gateway(passage: Passage, connection: Connection, error: UpstreamLost) -> None:
        page = f"<html><title>502 Bad Gateway</title><p>{error}</p></html>".encode()
        await _whole(passage, connection, 502, (("content-type", "text/html"),), page)

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()


async def _whole(
    passage: Passage, connection: Connection, status: int, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    passage.status = passage.seen.status = status
    passage.body_bytes = len(body)
    passage.seen.ended = "whole"
    await connection.whole(status, headers, body)


def _failing(seen: Seen) -> Callable[[DragomanError], bytes]:
    """Writes an error into a stream of the dialect that a request speaks."""
    address = address_of(seen.path)
    if address is None:
        return lambda error: error.message.encode()
    encoder = load(address.wire.dialect).stream_encoder(Request(model=seen.model, stream=True), Target())
    return encoder.fail


def _says_nothing(request: Request, number: int) -> Reply:
    raise ConfigError("a proxy says nothing by itself")
