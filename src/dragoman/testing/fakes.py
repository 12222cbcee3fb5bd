"""Fake providers over real HTTP: one server that plays any provider, in every dialect.

    with FakeProvider() as fake:
        model = fake.model("anthropic")
        assert model.chat("Say: good morning").content == "good morning"
        fake.fail(Status(429, retry_after=1.0))
        …
        assert fake.requests[-1].request.messages[-1].content == "…"

Its own log is the witness for what was sent. It runs in a thread and takes requests from any client, of this library or
another, under any path that ends as a dialect's does.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from dragoman.errors import DragomanError, TransportError
from dragoman.testing.answering import plain_answer
from dragoman.testing.breaking import Broken, break_stream, break_whole, events_before
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
from dragoman.testing.http_server import Connection, Received
from dragoman.testing.party import Answered, Party, Seen
from dragoman.testing.wires import WIRES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from dragoman.face.model import ChatModel
    from dragoman.testing.replies import Reply
    from dragoman.values import Request

__all__ = ["FakeProvider"]

MODEL = "fake-model"


class FakeProvider(FaultyServer):
    """A server on a free port of the loopback, from `start` (or `with`) to `stop`.

    `replies` are said in order, then `say` speaks: a function of the request, or by default a small model that obeys
    (`answering`). `key` and `models` are all that is accepted; None accepts any key (but demands one) and any model.
    Lists of models are given too. `strict` False refuses only what cannot be read; `usage_unasked`: streams tell usage
    without being asked. `faults` are committed in order, one for each request. `caller_left` is set when a caller went
    away before its answer was whole.
    """

    def __init__(
        self,
        *replies: Reply,
        say: Callable[[Request], Reply] | None = None,
        key: str | None = None,
        models: Collection[str] | None = None,
        strict: bool = True,
        usage_unasked: bool = False,
    ) -> None:
        self._replies: deque[Reply] = deque(replies)
        self._say = say
        self._party = Party(self._reply, key=key, models=models, strict=strict, usage_unasked=usage_unasked)
        super().__init__(self._serve)
        self.caller_left = threading.Event()

    # -- what a test holds -------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address, without a version: `http://127.0.0.1:<port>`. Any path may follow it."""
        return f"http://127.0.0.1:{self._server.port}"

    def base_url(self, dialect: str) -> str:
        """The address that a client of this dialect is given."""
        return self.url + WIRES[dialect].version

    @property
    def requests(self) -> list[Seen]:
        """Every request as it came, oldest first, refused ones too."""
        return self._party.requests

    def reply(self, *replies: Reply) -> None:
        """Adds replies to those that are said first."""
        self._replies.extend(replies)

    def model(self, dialect: str = "openai-chat", model: str = MODEL, **options: Any) -> ChatModel:
        """A model of this provider, asked in a dialect; options are those of `ProviderRegistry.get_provider`."""
        from dragoman.testing.models import model_at

        key = options.pop("api_key", self._party.key or "fake-key")
        return model_at(self.base_url(dialect), dialect, model, api_key=key, **options)

    def forget(self) -> None:
        """Empties the log, which a long run would fill the memory with."""
        self._party.requests.clear()

    def _log(self) -> list[Seen]:
        return self.requests

    # -- answering ---------------------------------------------------------------------------------------------------

    def _reply(self, request: Request, number: int) -> Reply:
        if self._replies:
            return self._replies.popleft()
        return self._say(request) if self._say is not None else plain_answer(request, number)

    async def _serve(self, received: Received, connection: Connection) -> None:
        seen = self._party.see(received.method, received.path, received.headers, received.body)
        self._tell()
        fault = self.faults.popleft() if self.faults else None
        # How an answer ended is noted before its last bytes go, so that a caller who has them finds it in the log.
        try:
            await self._answer(seen, fault, connection)
        except ConnectionError:
            seen.ended = "left"
            self.caller_left.set()
            raise
        finally:
            seen.ended = seen.ended or "left"
            self._tell()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    async def _answer(self, seen: Seen, fault: Fault | None, connection: Connection) -> None:
        if isinstance(fault, SlowHead):
            if await connection.until_left(fault.seconds):
                self.caller_left.set()
                return
            fault = None
        if isinstance(fault, Reset) and fault.after is None:
            seen.ended = "cut"
            connection.reset()
            return
        try:
            answered = self._party.answer(seen)
        except TransportError:
            seen.ended = "cut"
            connection.reset()
            return
        except DragomanError as error:
            answered = self._party.error(seen, error)
        answered, fault = self._changed_by(answered, fault, seen)
        seen.status = answered.status
        if answered.frames is None:
            await self._whole(seen, answered, fault, connection)
        else:
            await self._stream(seen, answered, fault, connection)

    def _changed_by(self, answered: Answered, fault: Fault | None, seen: Seen) -> tuple[Answered, Fault | None]:
        """The answer after the faults that replace it whole, and the fault that is still to be committed."""
        if isinstance(fault, Status):
            error = self._party.error(seen, fault.error())
            return Answered(error.status, (*error.headers, *fault.headers.items()), error.body), None
        if isinstance(fault, ErrorIn200):
            return self._party.error(seen, fault.error, status=200), None
        if isinstance(fault, Garbage):
            return Answered(fault.status, (("content-type", fault.content_type),), fault.body), None
        if isinstance(fault, ErrorInStream) and answered.frames is None:
            return self._party.error(seen, fault.error), None
        return answered, fault

    async def _whole(self, seen: Seen, answered: Answered, fault: Fault | None, connection: Connection) -> None:
        body = answered.body
        if isinstance(fault, (Cut, Reset, Stall)):
            seen.ended = "" if isinstance(fault, Stall) else "cut"
            self._note(seen, await break_whole(fault, connection, answered.status, answered.headers, body))
            return
        if isinstance(fault, Malformed):
            body = body[: len(body) * 3 // 4]
        seen.ended = "whole"
        await connection.whole(answered.status, answered.headers, body)

    async def _stream(self, seen: Seen, answered: Answered, fault: Fault | None, connection: Connection) -> None:
        await connection.head(answered.status, answered.headers, length=None)
        after = events_before(fault)
        for number, frame in enumerate(answered.frames or ()):
            if number == after:
                break
            await connection.chunk(frame)
        if after is None and answered.cut is not None:
            seen.ended = "cut"
            connection.usable = False
            return
        if after is None:
            seen.ended = "whole"
            if answered.end:
                await connection.chunk(answered.end)
            await connection.chunk(b"")
            return
        assert answered.fail is not None  # streams have it
        assert isinstance(fault, (Cut, ErrorInStream, Malformed, Reset, Stall))  # those that events_before knows
        seen.ended = "" if isinstance(fault, Stall) else "cut"
        kind = dict(answered.headers).get("content-type", "")
        self._note(seen, await break_stream(fault, connection, kind, answered.fail))

    def _note(self, seen: Seen, broken: Broken) -> None:
        seen.ended = broken
        if broken == "left":
            self.caller_left.set()
