"""One socket's protocol: writes a request, reads its answer, keeps the limits of time, and closes at once when told.

Hot path (figures: benchmarks/transport.py). A whole exchange costs one write, one future and no new timer: each
connection keeps a single one that is moved only when a deadline comes nearer than it, and that looks again when it
fires early. Waiting is for one event at a time, by one reader.
"""

from __future__ import annotations

import asyncio
import os
import select
import threading
from typing import TYPE_CHECKING, Final, cast

from dragoman.errors import ConnectionLost, ProtocolViolation, TransportError
from dragoman.transport.failures import describe_loss, describe_time_out
from dragoman.transport.headers import shorter_keep
from dragoman.transport.response import ResponseReader

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from dragoman.errors import Sent
    from dragoman.transport.gathering import Outbox
    from dragoman.transport.limits import TransportLimits
    from dragoman.transport.seam import Timeout

__all__ = ["Connection"]

_NEVER: Final = float("inf")
# Up to here one copy is cheaper than a second write, which would be a second packet too.
_JOINED_BYTES: Final = 64 * 1024
# A large body goes out in slices, one per turn of the loop: between them other exchanges have theirs, and with TLS no
# more than a slice is held encrypted beyond what the socket takes.
_SLICE_BYTES: Final = 256 * 1024
_PEER_CLOSED: Final = getattr(select, "POLLRDHUP", 0)
_HEAD, _BODY, _WHOLE = range(3)
_READ_BYTES: Final = 64 * 1024


class _ReadBuffer(threading.local):
    """Where a thread's connections read to, one after the other: a read is parsed before the next one begins.

    Without it asyncio allocates 256 KiB for every read (with TLS for every two), which the C library maps, shrinks and
    unmaps: some 20 µs each, more than all the rest of reading a streamed event.
    """

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_READ_BYTES))


_read_buffer: Final = _ReadBuffer()


class Connection(asyncio.BufferedProtocol):
    """A connection lent to one exchange at a time: `begin`, await the future, `rest`; or `abort` at any moment.

    `on_closed` is called once, as soon as the connection is of no more use. `failure` holds the error of the exchange;
    what came before it can still be read. Not for use from other threads than the loop's.
    """

    __slots__ = (
        "_awaits",
        "_closed_future",
        "_deadline",
        "_idle_seconds",
        "_keep_seconds",
        "_limits",
        "_loop",
        "_on_closed",
        "_outbox",
        "_phase",
        "_poll",
        "_reading_paused",
        "_resting",
        "_send_scheduled",
        "_sink",
        "_started",
        "_timeout",
        "_timer",
        "_timer_at",
        "_total_at",
        "_transport",
        "_unsent",
        "_waiter",
        "_writing_paused",
        "born",
        "closed",
        "failure",
        "label",
        "reader",
        "sock",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        label: str,
        limits: TransportLimits,
        on_closed: Callable[[Connection], None],
        outbox: Outbox | None = None,
    ) -> None:
        self._loop = loop
        self.label = label
        self._limits = limits
        self._on_closed = on_closed
        self._outbox = outbox
        self._transport: asyncio.Transport | None = None
        self.sock: socket.socket | None = None
        self._poll: select.poll | None = None
        self.reader = ResponseReader(limits)
        self.failure: TransportError | None = None
        self.closed = False
        self.born = loop.time()
        self._keep_seconds = limits.idle_seconds
        self._idle_seconds: float | None = None
        self._timeout: Timeout | None = None
        self._awaits = _WHOLE
        self._waiter: asyncio.Future[None] | None = None
        self._sink: Callable[[bytes], bool] | None = None
        self._closed_future: asyncio.Future[None] | None = None
        self._resting = True
        self._started = False
        self._unsent: memoryview | None = None
        self._send_scheduled = False
        self._writing_paused = False
        self._reading_paused = False
        self._phase = "rest"
        self._deadline = self._total_at = self._timer_at = _NEVER
        self._timer: asyncio.TimerHandle | None = None

    # -- used by the pool and the exchanges ----------------------------------------------------------------------------

    def attach(self, sock: socket.socket) -> None:
        """Tell the socket beneath; it serves to ask for a hang-up, and to drop the connection after a fork."""
        self.sock = sock
        if hasattr(select, "poll"):
            self._poll = select.poll()
            # Anything to read on an idle plain connection makes it unusable. TLS may leave session tickets unread, so
            # there only the end of the stream counts, where the platform tells it (Linux does).
            events = _PEER_CLOSED if self._is_encrypted() else _PEER_CLOSED | select.POLLIN
            self._poll.register(sock, events)

    def is_fresh(self, now: float) -> bool:
        """Whether an idle connection may carry another exchange: young enough, and no end of it has arrived.

        The kernel is asked, for between two turns of the loop a hang-up is known to nobody else (0.5 µs).
        """
        if self.closed or now - self.born > self._limits.age_seconds:
            return False
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        return self._poll is None or not self._poll.poll(0)

    def begin(
        self, head: bytes, body: bytes, timeout: Timeout, total_at: float, *, whole: bool, head_only: bool
    ) -> asyncio.Future[None]:
        """Send a request. The future is done when the answer is (`whole`), or its head, or after a failure."""
        transport = self._transport
        assert transport is not None
        assert self._resting
        self.reader.begin(head_only=head_only, whole=whole)
        self._resting = False
        self._started = True
        self._timeout = timeout
        self._idle_seconds = timeout.idle
        self._total_at = total_at
        self._awaits = _WHOLE if whole else _HEAD
        if len(body) <= _JOINED_BYTES:
            if self._outbox is None:
                transport.write(head + body if body else head)
            else:
                self._outbox.put(transport, head + body if body else head)
            self._limit("first_byte", timeout.first_byte)
        else:
            transport.write(head)
            self._unsent = memoryview(body)
            self._limit("idle", timeout.idle)
            self._send_more()
        waiter = self._waiter = self._loop.create_future()
        if self.closed:
            waiter.set_result(None)
        return waiter

    def wait_body(self) -> asyncio.Future[None]:
        """A future that is done when more body has come, the body is complete, or the exchange has failed."""
        self._awaits = _BODY
        if self._reading_paused:
            self._reading_paused = False
            self._limit("idle", self._idle_seconds)
            if self._transport is not None:
                self._transport.resume_reading()
        waiter = self._waiter = self._loop.create_future()
        return waiter

    def pour_body(self, sink: Callable[[bytes], bool]) -> asyncio.Future[None]:
        """As `wait_body`, but what comes is given to `sink` from within the loop's callback, until it says False."""
        self._sink = sink
        waiter = self.wait_body()
        self._limit("idle", self._idle_seconds)
        return waiter

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def rest(self, now: float) -> bool:
        """Lie idle until the next `begin`, or until the time to keep it has passed.

        False, and nothing is done, where the exchange is not over or leaves something behind, on either side.
        """
        reader = self.reader
        if not (reader.complete and reader.keep_alive and self._unsent is None and not self.closed):
            return False
        announced = reader.raw.get(b"keep-alive")
        if announced is not None:
            self._keep_seconds = shorter_keep(announced, self._limits.idle_seconds)
        self._resting = True
        self._started = False
        self._timeout = self._waiter = self._sink = None
        self._total_at = _NEVER
        if self._reading_paused:
            self._reading_paused = False
            assert self._transport is not None
            self._transport.resume_reading()
        self._phase = "rest"
        self._deadline = deadline = now + self._keep_seconds
        if deadline < self._timer_at:
            self._move_timer(deadline)
        return True

    def abort(self, failure: TransportError | None = None) -> None:
        """Close now: no goodbye, nothing flushed. The socket is closed in the loop's next turn."""
        if self.closed:
            return
        if failure is not None and not self.reader.complete:
            self.failure = failure
        self._retire()
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def drop(self) -> None:
        """Close the descriptor behind the loop's back: for a loop that is closed, and for a forked child's copy."""
        self.closed = True
        if self.sock is not None:
            descriptor = self.sock.detach()
            if descriptor >= 0:
                os.close(descriptor)

    async def wait_closed(self) -> None:
        """Return once the socket is closed."""
        if self._transport is None:
            return
        if self._closed_future is None:
            self._closed_future = self._loop.create_future()
        await asyncio.shield(self._closed_future)

    def take_failure(self) -> TransportError:
        """The error that the exchange ended with; not kept, as an error that was raised holds on to the frames."""
        failure, self.failure = self.failure, None
        if failure is None:
            failure = ConnectionLost(f"The connection to {self.label} was closed on this side.", sent=self.sent)
        return failure

    @property
    def sent(self) -> Sent:
        """How far the request went: "yes" with the first byte of an answer, for that proves it arrived."""
        if not self._started:
            return "no"
        return "yes" if self.reader.answered else "maybe"

    # -- called by the loop --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Both loops' transports have the methods of asyncio.Transport; asyncio's own TLS transport does not derive
        # from it.
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return _read_buffer.view

    def buffer_updated(self, nbytes: int) -> None:
        if self._resting or self.closed:
            # Nobody asked. Often it is a 408 before a hang-up; taken for the next answer it would be a wrong one.
            self.abort()
            return
        reader = self.reader
        try:
            reader.feed(_read_buffer.view[:nbytes])
        except ProtocolViolation as violation:
            self.abort(violation)
            return
        if reader.complete:
            self._phase = "complete"
            self._deadline = _NEVER
            self._wake()
        elif self._sink is not None and reader.body:
            self._pour(self._sink)
        elif self._awaits == _WHOLE:
            if reader.has_head:
                self._limit("idle", self._idle_seconds)
        else:
            self._progress()

    def eof_received(self) -> bool | None:
        if not self._resting and not self.closed:
            self._end()
        self.abort()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed and not self._resting and not self.reader.complete:
            self._lose(exc)
        self._retire()
        self._transport = None
        self._wake()
        if self._closed_future is not None and not self._closed_future.done():
            self._closed_future.set_result(None)

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        if self._unsent is not None:
            self._limit("idle", self._idle_seconds)
            self._send_more()

    # ------------------------------------------------------------------------------------------------------------------

    def _progress(self) -> None:
        """After a read of a stream that goes on: new deadline, back-pressure, and the reader woken."""
        reader = self.reader
        if not reader.has_head:
            return
        if reader.body_size > self._limits.unread_bytes:
            # The silence that follows is our own, so only the total limit goes on.
            assert self._transport is not None
            self._transport.pause_reading()
            self._reading_paused = True
            self._limit("total", None)
        elif reader.body_begun:
            self._limit("idle", self._idle_seconds)
        if reader.body or self._awaits == _HEAD:
            self._wake()

    def _pour(self, sink: Callable[[bytes], bool]) -> None:
        # A deadline that only moves away is found out by the timer, so that this is all there is to do for most reads.
        deadline = _NEVER if self._idle_seconds is None else self._loop.time() + self._idle_seconds
        if deadline < self._total_at:
            self._deadline = deadline
        else:
            self._limit("idle", self._idle_seconds)
        try:
            if sink(self.reader.take_body()):
                return
        except BaseException as error:
            waiter = self._waiter
            if waiter is None or waiter.done():
                raise
            waiter.set_exception(error)
        self._wake()

    def _wake(self) -> None:
        self._sink = None
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def _send_more(self) -> None:
        self._send_scheduled = False
        unsent, transport = self._unsent, self._transport
        if unsent is None or transport is None or self.closed or self.reader.complete or self._writing_paused:
            return
        transport.write(unsent[:_SLICE_BYTES])
        if len(unsent) > _SLICE_BYTES:
            self._unsent = unsent[_SLICE_BYTES:]
            if not self._writing_paused:
                self._schedule_send()
            return
        self._unsent = None
        timeout = self._timeout
        if timeout is not None and not self.reader.has_head:
            self._limit("first_byte", timeout.first_byte)

    def _schedule_send(self) -> None:
        if not self._send_scheduled:
            self._send_scheduled = True
            self._loop.call_soon(self._send_more)

    def _end(self) -> None:
        """The other side will write no more: the end of a body without a length, or a cut."""
        try:
            complete = not self._is_cut_short() and self.reader.end()
        except ProtocolViolation as violation:
            self.abort(violation)
            return
        if not complete and not self.reader.complete:
            self._lose(None)

    def _lose(self, exc: Exception | None) -> None:
        self.failure = describe_loss(self.label, self.reader, self.sent, exc)

    def _is_encrypted(self) -> bool:
        return self._transport is not None and self._transport.get_extra_info("ssl_object") is not None

    def _is_cut_short(self) -> bool:
        """With TLS: whether the stream ended without the goodbye that shows nobody cut it (RFC 9112 section 9.8)."""
        tls = None if self._transport is None else self._transport.get_extra_info("ssl_object")
        if tls is None:
            return False
        import ssl

        try:
            return cast("ssl.SSLObject", tls).read(1) != b""
        except ssl.SSLError:
            return True

    def _retire(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._unsent = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._on_closed(self)

    # -- limits of time ------------------------------------------------------------------------------------------------

    def _limit(self, phase: str, seconds: float | None) -> None:
        deadline = _NEVER if seconds is None else self._loop.time() + seconds
        if self._total_at < deadline:
            deadline, phase = self._total_at, "total"
        self._phase = phase
        self._deadline = deadline
        if deadline < self._timer_at:
            self._move_timer(deadline)

    def _move_timer(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._set_timer(deadline)

    def _set_timer(self, deadline: float) -> None:
        self._timer_at = deadline
        self._timer = self._loop.call_at(deadline, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._timer = None
        self._timer_at = _NEVER
        if self.closed or self._deadline == _NEVER:
            return
        if self._loop.time() < self._deadline:
            self._set_timer(self._deadline)
        elif self._resting:
            self.abort()
        else:
            assert self._timeout is not None
            uploading = self._unsent is not None
            self.abort(describe_time_out(self.label, self._phase, self._timeout, self.sent, uploading=uploading))
