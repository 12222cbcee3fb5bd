"""A stream socket between two processes of ours: frames of msgpack, each after its length in four bytes.

Messages are told or asked; an ask has an id and a deadline. Everything is bounded: the size of a frame, what waits to
be sent, what is asked and not answered, what is being worked on. Whoever breaks the rules is cut off, and whoever is
cut off learns it by `closed`: no process goes on with half of a conversation.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

import msgspec

from dragoman.errors import DragomanError
from dragoman.gateway.workers.messages import Failed, Frame, Message

if TYPE_CHECKING:
    import socket

__all__ = ["LONGEST_FRAME", "Channel", "ChannelError"]

logger = logging.getLogger("dragoman.gateway")

LONGEST_FRAME = 32 * 1024 * 1024
MOST_UNSENT = 2 * LONGEST_FRAME
MOST_ASKED = 1024
MOST_WORKED_ON = 256

_LENGTH = struct.Struct(">I")

Answering = Callable[[Message], Awaitable[Message | None]]
"""What is done with a message; what it returns answers an ask. What it raises answers it with `Failed`."""


class ChannelError(DragomanError):
    """The other process did not answer: it has gone, is too slow, or could not do what was asked."""


class Channel(asyncio.Protocol):
    """One end. Belongs to the loop that opened it."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._loop = asyncio.get_running_loop()
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Frame)
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()
        self._asked: dict[int, asyncio.Future[Message]] = {}
        self._last_id = 0
        self._working: set[asyncio.Task[None]] = set()
        self.closed: asyncio.Future[str] = self._loop.create_future()
        """Done when the channel has ended, with the reason: an empty one where the other side just closed it."""

    @classmethod
    async def over(cls, end: socket.socket, answering: Answering) -> Channel:
        """A channel over one end of a connected pair, which it owns from now on."""
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_connection(lambda: cls(answering), sock=end)
        return channel

    # -- out -----------------------------------------------------------------------------------------------------------

    def tell(self, message: Message) -> None:
        """Sends a message that wants no answer; one to a channel that has ended is lost."""
        self._send(Frame(0, False, message))

    async def ask(self, message: Message, timeout: float) -> Message:
        """Sends a message and returns its answer.

        Raises:
            ChannelError: no answer came in time, the other side has gone, or it answered `Failed`.
        """
        if self.closed.done():
            raise ChannelError("the other process has gone")
        if len(self._asked) >= MOST_ASKED:
            raise ChannelError("the other process is behind with its answers")
        self._last_id += 1
        number = self._last_id
        answer = self._asked[number] = self._loop.create_future()
        try:
            self._send(Frame(number, False, message))
            async with asyncio.timeout(timeout):
                received = await answer
        except TimeoutError:
            raise ChannelError(f"the other process did not answer within {timeout:g} s") from None
        finally:
            self._asked.pop(number, None)
        if isinstance(received, Failed):
            raise ChannelError(received.reason)
        return received

    def close(self) -> None:
        """Ends the channel when what was sent has left."""
        if self._transport is not None:
            self._transport.close()

    def _send(self, frame: Frame) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        data = self._encoder.encode(frame)
        if len(data) > LONGEST_FRAME:
            raise ChannelError(f"a message of {len(data)} bytes is longer than any frame")
        transport.write(_LENGTH.pack(len(data)) + data)
        if transport.get_write_buffer_size() > MOST_UNSENT:
            self._cut("the other process does not read")

    # -- in ------------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        unread = self._unread
        unread += data
        while len(unread) >= _LENGTH.size and not self.closed.done():
            (length,) = _LENGTH.unpack_from(unread)
            if not 0 < length <= LONGEST_FRAME:
                self._cut(f"a frame of {length} bytes")
                return
            end = _LENGTH.size + length
            if len(unread) < end:
                return
            try:
                frame = self._decoder.decode(memoryview(unread)[_LENGTH.size : end].tobytes())
            except msgspec.DecodeError as error:
                self._cut(f"a frame that is no message: {error}")
                return
            del unread[:end]
            self._take(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("" if exc is None else str(exc))

    def _take(self, frame: Frame) -> None:
        if frame.answer:
            waiting = self._asked.get(frame.id)
            if waiting is not None and not waiting.done():
                waiting.set_result(frame.message)
            return  # an answer that came too late is nobody's
        if len(self._working) >= MOST_WORKED_ON:
            self._cut("more messages than can be worked on")
            return
        task = self._loop.create_task(self._work(frame))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _work(self, frame: Frame) -> None:
        try:
            answer = await self._answering(frame.message)
        except DragomanError as error:
            answer = Failed(str(error))
        except Exception as error:
            logger.exception("a message between processes could not be worked on")
            answer = Failed(f"{type(error).__name__}: {error}")
        if frame.id and answer is not None:
            self._send(Frame(frame.id, True, answer))

    def _cut(self, reason: str) -> None:
        self._end(reason)
        if self._transport is not None:
            self._transport.abort()

    def _end(self, reason: str) -> None:
        if self.closed.done():
            return
        self.closed.set_result(reason)
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_result(Failed("the other process has gone"))
