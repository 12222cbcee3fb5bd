"""A cache of identical calls, in memory and bounded."""

from __future__ import annotations

import time
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from dragoman.errors import InvalidRequest
from dragoman.face.middleware.answer_memory import AnswerMemory, is_worth_keeping
from dragoman.routing.effects import acts_on_world
from dragoman.values import Finished, Usage, replace, to_json
from dragoman.values.unrolled import events_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dragoman.routing.route import Attempting
    from dragoman.values import Event, Request, Response

__all__ = ["CallCache"]


class CallCache:
    """Middleware that answers a call from memory when the very same was answered before.

    >>> model = wrap(model, CallCache(ttl_seconds=300))

    Calls are the same if their whole requests are: messages, tools, options, model name; streamed and unstreamed ones
    are the same to it. Give each model a cache of its own: two providers' models may share a name. Kept are complete
    answers that ended with stop, tool calls or length; calls that may act on the world pass by. An answer from the
    cache has no usage, no cost and no attempts, since nothing was used.

    `most_entries` and `most_bytes` bound it, the least recently used goes first; `ttl_seconds` None keeps for ever.
    Safe to share between threads. `hits` and `misses` count.
    """

    def __init__(
        self,
        *,
        most_entries: int = 1024,
        most_bytes: int = 64 * 1024 * 1024,
        ttl_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl_seconds = float("inf") if ttl_seconds is None else ttl_seconds
        self._memory: AnswerMemory[Response] = AnswerMemory(
            most_entries=most_entries, most_bytes=most_bytes, clock=clock
        )
        self._lock = Lock()
        self.hits = 0
        self.misses = 0

    @property
    def bytes(self) -> int:
        """The size of all that is kept, in the JSON form."""
        return self._memory.bytes

    async def __call__(self, request: Request, next: Attempting) -> AsyncIterator[Event]:
        """As `wrap` calls it."""
        key = _key(request)
        kept = self._take(key) if key is not None else None
        if kept is not None:
            for event in events_of(kept):
                yield event
            return
        async for event in next(request):
            if key is not None and isinstance(event, Finished):
                self._keep(key, event.response)
            yield event

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._memory.clear()

    def __len__(self) -> int:
        return len(self._memory)

    def _take(self, key: bytes) -> Response | None:
        with self._lock:
            found = self._memory.find(key)
            if found is None:
                self.misses += 1
                return None
            self.hits += 1
            return found[0]

    def _keep(self, key: bytes, response: Response) -> None:
        if not is_worth_keeping(response):
            return
        response = replace(response, usage=Usage(), cost=None, attempts=())
        size = len(to_json(response))
        with self._lock:
            self._memory.keep(key, response, size, self._ttl_seconds)


def _key(request: Request) -> bytes | None:
    """A digest of the whole request; None for one that must be made each time, or that has no JSON form."""
    if acts_on_world(request):
        return None
    try:
        return sha256(to_json(replace(request, stream=False, stream_usage=None))).digest()
    except (InvalidRequest, TypeError, ValueError, msgspec.MsgspecError):
        return None
