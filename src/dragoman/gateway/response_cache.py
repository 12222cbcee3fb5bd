"""The response cache of one process: answers as the bytes that clients got, and one call for equal ones at a time.

A request takes its turn (`ResponseCache.turn`): it gets an answer that is kept, or makes the call itself, recorded.
Equal requests wait meanwhile for the first of them. If that one's client goes, another of them makes the call; if its
call fails or its answer is not worth keeping, each makes its own, as it would without a cache.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from dragoman.face.middleware.answer_memory import AnswerMemory, is_worth_keeping
from dragoman.gateway.server.refusals import Disconnected

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.engine import Deployment
    from dragoman.values import Adaptation, Response

__all__ = ["Cached", "Hit", "Recording", "ResponseCache", "Wish"]

PIECE_BYTES: Final = 64 * 1024
ENTRY_BYTES: Final = 1024
"""What an entry counts for beside its bytes."""


class Cached(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: its bytes, in pieces that end between events, and how it was come by."""

    pieces: tuple[bytes, ...]
    deployment: Deployment
    mode: Literal["relay", "translate"]
    adaptations: tuple[Adaptation, ...] = ()


class Hit(NamedTuple):
    """An answer that was kept, and its age."""

    cached: Cached
    seconds: float


class Wish(NamedTuple):
    """How old an answer may be, which is also how long a new one is kept; `refresh`: a new one in any case."""

    seconds: float
    refresh: bool = False


class _Abandoned:
    """What equal requests learn where no answer came: whether one of them should try, or each for itself."""

    def __init__(self, each: bool) -> None:
        self.each = each


_Landed = Cached | _Abandoned


class ResponseCache:
    """Belongs to one event loop. `most_bytes` bounds what is kept and what is being recorded together."""

    def __init__(self, *, most_bytes: int, most_entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.memory: AnswerMemory[Cached] = AnswerMemory(most_entries=most_entries, most_bytes=most_bytes, clock=clock)
        self._flights: dict[bytes, asyncio.Future[_Landed]] = {}

    async def turn(self, asked: bytes, wish: Wish, longest_wait_seconds: float) -> Hit | Recording:
        """What is kept for the digest `asked`, or leave to make the call, which the caller must enter as a context.

        Waits for an equal call that is under way, but no longer than this.
        """
        if not wish.refresh:
            until = time.monotonic() + longest_wait_seconds
            while True:
                found = self.memory.find(asked, wish.seconds)
                if found is not None:
                    return Hit(*found)
                flight = self._flights.get(asked)
                if flight is None:
                    break
                await asyncio.wait((flight,), timeout=until - time.monotonic())
                landed = flight.result() if flight.done() else _Abandoned(each=True)
                if isinstance(landed, Cached):
                    return Hit(landed, 0.0)
                if landed.each:
                    return Recording(self, asked, wish.seconds, None)
        flight = self._flights[asked] = asyncio.get_running_loop().create_future()
        return Recording(self, asked, wish.seconds, flight)

    @property
    def under_way(self) -> int:
        """Calls for which equal requests would wait."""
        return len(self._flights)

    def land(self, asked: bytes, flight: asyncio.Future[_Landed], landed: _Landed) -> None:
        """For recordings: whoever waits goes on."""
        if self._flights.get(asked) is flight:  # a later one, to refresh the answer, may stand in its place
            del self._flights[asked]
        if not flight.done():
            flight.set_result(landed)


class Recording:
    """One call that is made in earnest. Leaving its context ends it, whatever happened."""

    __slots__ = ("_asked", "_cache", "_flight", "_pieces", "_seconds", "_size")

    def __init__(
        self, cache: ResponseCache, asked: bytes, seconds: float, flight: asyncio.Future[_Landed] | None
    ) -> None:
        self._cache = cache
        self._asked = asked
        self._seconds = seconds
        self._flight = flight
        self._pieces: list[bytearray] | None = []
        self._size = 0

    def add(self, data: bytes) -> None:
        """Records bytes that the client gets: a whole answer, or whole events of one."""
        pieces = self._pieces
        if pieces is None or not data:
            return
        if not self._cache.memory.set_aside(len(data)):
            self._let_go()
            self._land(_Abandoned(each=True))  # too large to keep: nobody need wait for its end
            return
        self._size += len(data)
        if pieces and len(pieces[-1]) + len(data) <= PIECE_BYTES:
            pieces[-1] += data
        else:
            pieces.append(bytearray(data))

    def keep(
        self,
        response: Response,
        deployment: Deployment,
        mode: Literal["relay", "translate"],
        adaptations: tuple[Adaptation, ...],
    ) -> None:
        """The answer is whole: it is kept, if it is worth it."""
        pieces = self._pieces
        if pieces is None or not is_worth_keeping(response):
            return
        size = self._size
        self._let_go()
        cached = Cached(pieces=tuple(map(bytes, pieces)), deployment=deployment, mode=mode, adaptations=adaptations)
        self._cache.memory.keep(self._asked, cached, size + ENTRY_BYTES, self._seconds)
        self._land(cached)

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._let_go()
        gone = isinstance(error, asyncio.CancelledError | Disconnected)
        self._land(_Abandoned(each=not gone))

    def _let_go(self) -> None:
        self._cache.memory.give_back(self._size)
        self._size = 0
        self._pieces = None

    def _land(self, landed: _Landed) -> None:
        flight, self._flight = self._flight, None
        if flight is not None:
            self._cache.land(self._asked, flight, landed)
