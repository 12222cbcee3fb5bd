"""HTTP/1.1 as untrusted clients speak it: bounded, with deadlines, one request after the other.

`GuardedProtocol` is uvicorn's protocol with everything between parser and application replaced. What differs, and why:

- uvicorn's parser holds heads of any size for ever: bytes are counted here before the parser gets them, and
  `enforce`, called in every tick, ends what is half sent, idle, or not read.
- A head that came before is recognised and not parsed again (`known_heads`), and its body, whose length is known then,
  is taken as it comes.
- A handler is entered once the body is whole, so no task waits for a client that drips, and a route is known with the
  head, so limits, unknown paths and refused clients cost no body.
- Reading is never paused for the sake of pipelining: a paused socket does not tell that its client has gone. Too many
  waiting requests end the reading instead.
- After a refusal the connection lingers: its answer would be lost if unread bytes of the client made the kernel reset.
- The end of the client's side counts as its leaving, as it does for other proxies: whoever hangs up must not be
  written for.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dragoman.gateway.server.app import NO_ROUTE
from dragoman.gateway.server.call import UPLOAD_HIGH_WATER, Call, too_large
from dragoman.gateway.server.head import (
    ONCE,
    UNKNOWN_LENGTH,
    bad_request,
    body_length,
    check_host,
    expects_continue,
    head_too_large,
    read_target,
    without_upgrade,
)
from dragoman.gateway.server.known_heads import KnownHead
from dragoman.gateway.server.memory import LARGE_BYTES
from dragoman.gateway.server.pace import Pace, too_slow
from dragoman.gateway.server.refusals import Answer, RequestRefused, plain_answer

if TYPE_CHECKING:
    import asyncio

    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from dragoman.gateway.server.app import App, Route

__all__ = ["GuardedProtocol"]

MUCH_BYTES = 128 * 1024
"""After so much in one piece others have their turn: the loop would read on for as long as there is something."""
DISCARDED_BYTES = 64 * 1024
"""A refused request's body up to here is read and forgotten, so that its connection can go on."""

_METHODS = {name.encode(): name for name in ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")}


class GuardedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        application: App,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.application = application
        self._limits = application.limits
        self._current: Call | None = None  # being answered
        self._queue: deque[Call] = deque()  # whole, waiting for their turn
        self._incoming: Call | None = None  # its head has come, its body has not
        self._last_words: Answer | None = None  # to be said before closing, after all that came before
        self._deaf = False  # nothing more is read from this connection
        self._lingering = False

        self._heads = application.heads
        self._unknown: bytes | None = None  # begins with a head that may be remembered
        self._owed = 0  # bytes of a body that follow, where they are not left to the parser
        self._in_head = False
        self._head_fed = 0
        self._turned = False  # a request ended in the bytes just fed
        self._target = b""
        self._fields: dict[bytes, bytes] = {}
        self._repetitions = 0
        self._quiet = 0  # bytes of a chunked body since the last that were content
        self._replay: bytes | None = None

        self.outbox = application.outbox(self.loop)
        self._pace = Pace(self._limits, self.loop.time())

    # -- the connection ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.application.connections += 1
        if self.application.connections > self._limits.connections:
            self._fail(self.application.overloaded("connections", close=True))

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)
        self.application.connections -= 1
        self._lose_client()
        self.flow.resume_writing()
        # The parser holds this object: together they would stay until the garbage collector comes by.
        self.parser = cast("httptools.HttpRequestParser", None)

    def eof_received(self) -> None:
        self._lose_client()

    def _lose_client(self) -> None:
        self._deaf = True
        for waiting in (self._incoming, *self._queue):
            if waiting is not None and waiting is not self._current:
                self._forget_body(waiting)
        self._queue.clear()
        self._incoming = None
        if self._current is not None:
            self._current.lose()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._advance()

    @property
    def is_busy(self) -> bool:
        """Whether a whole request waits for its answer or is being answered."""
        return self._current is not None or bool(self._queue)

    def shutdown(self) -> None:
        """The server is stopping: an idle connection is closed, a busy one closes with its answer."""
        if self._current is None and not self._queue and self._incoming is None and not self._in_head:
            self._deaf = True
            if not self._lingering:
                self._close()

    # -- bytes in ------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if len(data) >= MUCH_BYTES and not self.flow.read_paused:
            self.flow.pause_reading()
            self.loop.call_soon(self._read_on)
        while data and not self._deaf:
            if self._owed:
                data = self._take_owed(data)
            elif self._incoming is not None:
                self._quiet += len(data)
                self._feed(data)
                if self._quiet > self._limits.head_bytes and not self._deaf:
                    self._fail(bad_request("chunks", "the chunks of the body hold more framing than is taken"))
                return
            elif not self._in_head and (found := self._heads.find(data)) is not None:
                head, digits, body_at = found
                data = self._take_known(data, head, digits, body_at)
            else:
                data = self._parse_head(data)

    def _read_on(self) -> None:
        reader = self._incoming
        if reader is None or reader.task is None or reader.held_bytes <= UPLOAD_HIGH_WATER:
            self.flow.resume_reading()

    def _take_known(self, data: bytes, head: KnownHead, digits: bytes | None, body_at: int) -> bytes:
        """Begins the request of a head that came before; returns what follows it.

        The hot path: most requests come whole in one piece, and their handlers are started from here.
        """
        method, path, raw_path, query, fields, route, keep_alive, http11 = head
        fields = fields.copy()
        length = 0
        if digits is not None:
            fields[b"content-length"] = digits
            length = int(digits)
        call = Call(self, method, path, raw_path, query, fields, route, keep_alive, http11)
        self._pace.since = call.began
        whole_at = body_at + length
        try:
            self._open(call, route, length)
            if whole_at <= len(data):
                if length:
                    self.on_body(data[body_at:whole_at])
                self.on_message_complete()
                return data[whole_at:]
            self._owed = length
        except RequestRefused as refusal:
            self._fail(refusal)
        return data[body_at:]

    def _take_owed(self, data: bytes) -> bytes:
        """Takes more of a body; returns what follows it."""
        owed = self._owed
        piece, rest = (data, b"") if len(data) <= owed else (data[:owed], data[owed:])
        self._owed = owed - len(piece)
        try:
            self.on_body(piece)
            if not self._owed:
                self.on_message_complete()
        except RequestRefused as refusal:
            self._fail(refusal)
        return rest

    def _parse_head(self, data: bytes) -> bytes:
        """Gives the parser as much as a head may have; returns the rest."""
        self._unknown = None if self._in_head else data
        room = self._limits.head_bytes - self._head_fed
        piece, data = (data, b"") if len(data) <= room else (data[:room], data[room:])
        self._turned = False
        self._feed(piece)
        self._unknown = None
        if self._in_head and not self._deaf:
            # Where a request ended in this piece, what is known of the next head is its whole fields.
            self._head_fed = self._fields_size() if self._turned else self._head_fed + len(piece)
            if self._head_fed >= self._limits.head_bytes:
                self._fail(head_too_large(self._limits.head_bytes))
        return data

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._without_upgrade(data[int(upgrade.args[0]) :])
        except httptools.HttpParserError as error:
            if self._deaf:
                return
            cause = error.__context__
            if cause is None:
                self._fail(bad_request("invalid_http", f"this is not a valid HTTP request: {error}"))
            elif isinstance(cause, RequestRefused):
                self._fail(cause)
            else:
                raise

    def _fields_size(self) -> int:
        return len(self._target) + sum(len(name) + len(value) + 4 for name, value in self._fields.items())

    # -- what the parser reports ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._deaf:
            raise RequestRefused(400, "closed", "nothing more is read")  # ends the feeding; it is not answered
        self._target = b""
        self._fields = {}
        self._repetitions = 0
        self._in_head = True
        self._pace.since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # trailers: nobody here has a use for them, and they must not pass for headers
        name = name.lower()
        fields = self._fields
        if name in fields:
            self._repetitions += 1
            if name in ONCE:
                raise bad_request("repeated_header", f"the header {name.decode('latin-1')} came twice")
            if self._repetitions > self._limits.headers:
                raise head_too_large(self._limits.head_bytes)
            fields[name] += b", " + value
        else:
            fields[name] = value

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_fed = 0
        fields = self._fields
        if len(fields) + self._repetitions > self._limits.headers:
            raise RequestRefused(431, "headers", f"more than {self._limits.headers} headers", close=True)
        parser = self.parser
        method = _METHODS.get(name := parser.get_method()) or name.decode("ascii")
        if parser.should_upgrade():
            self._note_upgrade(method, fields)
            return
        http11 = parser.get_http_version() == "1.1"
        if not http11 and parser.get_http_version() != "1.0":
            raise RequestRefused(505, "http_version", "the versions spoken are HTTP/1.1 and HTTP/1.0", close=True)
        host = fields.get(b"host")
        if host is not None:
            check_host(host)
        elif http11:
            raise bad_request("missing_host", "the Host header is missing")
        path, raw_path, query = read_target(self._target, host or b"")
        length = body_length(fields, http11=http11)
        unknown, self._unknown = self._unknown, None
        keep_alive = parser.should_keep_alive()
        call = Call(self, method, path, raw_path, query, fields, NO_ROUTE, keep_alive, http11)
        expect = fields.get(b"expect")
        call.wants_continue = length != 0 and expects_continue(expect, http11=http11)
        self._open(call, None, length)
        if unknown is not None and call.refusal is None and length != UNKNOWN_LENGTH and expect is None:
            self._heads.learn(unknown, KnownHead(method, path, raw_path, query, fields, call.route, keep_alive, http11))

    def _open(self, call: Call, route: Route | None, length: int) -> None:
        """Awaits the body of a request whose head has come, if it may come; raises `RequestRefused`.

        `route` is given where it is known already.
        """
        self._incoming = call
        self._quiet = 0
        self._pace.begin_body()
        try:
            self._admit(call, route, length)
        except RequestRefused as refusal:
            if refusal.close or not 0 <= length <= DISCARDED_BYTES or call.wants_continue:
                refusal.close = True
                raise
            call.refusal = refusal

    def _admit(self, call: Call, route: Route | None, length: int) -> None:
        """What can be refused before the body is read."""
        application = self.application
        guard = application.keyless
        if guard is not None:
            guard.check_origin(call.fields)
        if route is None:
            route = call.route = application.find(call.method, call.path)
        if guard is not None and route.json:
            guard.check_content_type(call.method, call.fields)
        limit = self._limits.body_bytes if route.body_bytes is None else route.body_bytes
        if length > limit:
            raise too_large(limit, close=True)
        if route.check is not None:
            route.check(call)
        if application.bytes_in_flight + length > self._limits.bytes_in_flight:
            raise application.overloaded("bytes", close=True)
        if self._current is None and not self._queue:
            if call.wants_continue:
                self._say_continue(call)
            if route.streamed_body:
                self._start(call)

    def on_body(self, body: bytes) -> None:
        self._quiet = 0
        call = self._incoming
        if call is None or call.refusal is not None or call.finished:
            return
        call.wants_continue = False
        application = self.application
        size = len(body)
        call.received_bytes += size
        limit = call.route.body_bytes
        if limit is None:
            limit = self._limits.body_bytes
        if call.received_bytes > limit:
            raise too_large(limit, close=True)
        if application.bytes_in_flight + size > self._limits.bytes_in_flight:
            raise application.overloaded("bytes", close=True)
        call.held_bytes += size
        application.bytes_in_flight += size
        if call.task is not None:
            call.pieces_held.append(body)
            if call.held_bytes > UPLOAD_HIGH_WATER:
                self.flow.pause_reading()
            call.wake()
        elif call.received_bytes <= LARGE_BYTES:
            call.pieces_held.append(body)
        else:
            call.gather(body)

    def on_message_complete(self) -> None:
        self._turned = True
        call, self._incoming = self._incoming, None
        if call is None:
            return  # an upgrade, which is answered as if it had not been asked for
        call.complete = True
        if call is self._current:
            call.wake()
            return
        if self._current is None and not self._queue and not self.flow.write_paused:
            if not call.keep_alive:
                self._deaf = True
            self._start(call)
            return
        self._queue.append(call)
        if len(self._queue) > self._limits.pipelined:
            call.keep_alive = False
        if not call.keep_alive:
            self._deaf = True
        self._advance()

    # -- turns ---------------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Starts what waits, in order, unless the reader is behind."""
        while self._current is None and not self.flow.write_paused:
            if self._queue:
                self._start(self._queue.popleft())
            elif self._last_words is not None:
                self._say_last_words(self._last_words)
                return
            elif self._deaf:
                if not self._lingering and not self.transport.is_closing():
                    self._close()
                return
            else:
                waiting = self._incoming
                if waiting is not None and waiting.refusal is None:
                    if waiting.wants_continue:
                        self._say_continue(waiting)
                    if waiting.route.streamed_body:
                        self._start(waiting)
                return

    def _start(self, call: Call) -> None:
        application = self.application
        self._current = call
        refusal = call.refusal
        if refusal is None and len(application.running) >= self._limits.requests:
            refusal = application.overloaded("requests")
        if refusal is not None:
            application.answer_refusal(call, refusal)
            self._finish(call)
            return
        application.running.add(call)
        if call.route.streamed_body:
            self.enter(call)  # it is to see its body as it comes
        else:
            application.entrance.enter(self, call)

    def enter(self, call: Call) -> None:
        """The handler begins: its turn has come."""
        call.task = self.loop.create_task(self._run(call))

    async def _run(self, call: Call) -> None:
        try:
            await call.route.handler(call)
        except BaseException as error:
            if not self.application.settles(call, error):
                raise
        finally:
            self.application.running.discard(call)
            if not call.finished and not call.gone:
                # Nothing was answered, or half of it: cut, so that it cannot pass for the whole.
                call.keep_alive = False
                self.transport.abort()
            self._finish(call)

    def _finish(self, call: Call) -> None:
        self._current = None
        if call.held_bytes:
            self._forget_body(call)
        self._pace.begin(self.loop.time())
        if call.gone:
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if not call.keep_alive:
            self._deaf = True
            self._queue_dropped()
            if not self.transport.is_closing():
                if call.complete:
                    self._close()
                else:
                    self._linger()
        elif self._queue or self._last_words is not None or self._incoming is not None or self._deaf:
            self._advance()
        elif self.application.draining:
            self.shutdown()

    def _queue_dropped(self) -> None:
        for call in self._queue:
            self._forget_body(call)
        self._queue.clear()
        if self._incoming is not None:
            self._forget_body(self._incoming)
            self._incoming = None

    def _say_continue(self, call: Call) -> None:
        call.wants_continue = False
        self._pace.begin(self.loop.time())
        self.outbox.flush()
        self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _close(self) -> None:
        """Ends the connection in peace: what was said is sent."""
        self.outbox.flush()
        self.transport.close()

    def _forget_body(self, call: Call) -> None:
        self.application.bytes_in_flight -= call.held_bytes
        call.forget_body()

    def release_bytes(self, call: Call, size: int) -> None:
        """For `Call.pieces`: so many bytes have been taken."""
        size = min(size, call.held_bytes)
        call.held_bytes -= size
        self.application.bytes_in_flight -= size

    def resume_body(self, call: Call) -> None:
        """For `Call.pieces`: there is room for more of the body."""
        if call is self._incoming:
            self.flow.resume_reading()

    # -- refusals ------------------------------------------------------------------------------------------------------

    def _fail(self, refusal: RequestRefused) -> None:
        """Reads nothing more; says why when all that came before has been answered."""
        self._deaf = True
        self._in_head = False
        call, self._incoming = self._incoming, None
        if call is not None:
            self._forget_body(call)
        if call is not None and call is self._current:
            call.fail_body(refusal)  # its handler, which waits for the rest of the body, answers
            return
        self.application.refused[refusal.code] += 1
        self._last_words = plain_answer(refusal) if call is None else call.route.refuse(call, refusal)
        self._advance()

    def _say_last_words(self, answer: Answer) -> None:
        self._last_words = None
        if self.transport.is_closing():
            return
        self.outbox.flush()
        self.transport.write(answer.last_words(self.application.date_line))
        self._linger()

    def _linger(self) -> None:
        """Closes our side now, and the connection when the client has read, has gone, or was waited for."""
        self._deaf = True
        self._lingering = True
        self._pace.since = self.loop.time()
        self.flow.resume_reading()
        self.outbox.flush()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()  # TLS cannot be closed by halves

    # -- upgrades ------------------------------------------------------------------------------------------------------

    def _note_upgrade(self, method: str, fields: dict[bytes, bytes]) -> None:
        if method == "CONNECT":
            raise RequestRefused(405, "method_not_allowed", "this is not a proxy for connections", close=True)
        if fields.get(b"upgrade", b"").strip().lower() == b"websocket":
            raise RequestRefused(501, "upgrade", "there are no WebSockets here", close=True)
        self._unknown = None  # it will be read from other bytes than came
        # Some clients offer HTTP/2 with every request and take an answer in HTTP/1.1. The parser would take the body
        # for the other protocol, so it gets the request again, without the offer.
        self._replay = without_upgrade(method, self._target, fields)

    def _without_upgrade(self, rest: bytes) -> None:
        replay, self._replay = self._replay, None
        if replay is None or self._deaf:
            return
        self.parser = httptools.HttpRequestParser(self)
        self._feed(replay)
        self.data_received(rest)

    # -- deadlines -----------------------------------------------------------------------------------------------------

    def enforce(self, now: float) -> None:
        """Ends what has lasted too long; called in every tick."""
        pace = self._pace
        if pace.is_stalled(self.unread_bytes(now), now):
            self.transport.abort()
        elif pace.pending:
            pass
        elif self._lingering or self.transport.is_closing():
            if now - pace.since > self._limits.linger_seconds:
                self.transport.abort()
        elif self._current is None and not self._queue:
            self._enforce_reading(now)
        elif self._incoming is not None and self._incoming is self._current:
            if self.flow.read_paused:
                pace.excuse(now)
            else:
                self._enforce_progress(self._incoming, now)

    def unread_bytes(self, _now: float) -> int:
        """What the reader has not taken."""
        return self.transport.get_write_buffer_size()

    def _enforce_reading(self, now: float) -> None:
        limits, waited = self._limits, now - self._pace.since
        incoming = self._incoming
        if incoming is not None:
            if waited > limits.body_seconds:
                self._fail(too_slow("the body", limits.body_seconds))
            else:
                self._enforce_progress(incoming, now)
        elif self._in_head:
            if waited > limits.head_seconds:
                self._fail(too_slow("the head of the request", limits.head_seconds))
        elif waited > limits.idle_seconds:
            self._deaf = True
            self._close()

    def _enforce_progress(self, call: Call, now: float) -> None:
        refusal = self._pace.lag(call.received_bytes, now)
        if refusal is not None:
            self._fail(refusal)
