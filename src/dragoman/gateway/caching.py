"""Whether a request may be answered from the response cache, and by which answers.

Only where the model's configuration or the request says so. Two requests are equal when the same team, or the same key
where it has no team, sends the same members in the same dialect to the same model, streamed or not alike; the order of
the members and spaces between them make no difference, all else does. So nobody is ever given what was answered to
another team, and a stream is only ever the bytes of a stream.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.errors import InvalidRequest
from dragoman.gateway.response_cache import ResponseCache, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.accounts import Principal
    from dragoman.gateway.ingress.asked import Asked

__all__ = ["HEADER", "RouteCache", "digest_of_call", "wish_of"]

HEADER: Final = b"x-dragoman-cache"
DEFAULT_SECONDS: Final = 300.0
_SECONDS: Final = re.compile(rb"[1-9][0-9]{0,4}")
_MOST_SECONDS: Final = 86_400

_KEPT_ELSEWHERE: Final = (
    "previous_response_id",
    "conversation",
    "prompt",
    "container",
    "cachedContent",
    "cached_content",
)
"""Members that name what a provider keeps, and what may be another thing tomorrow."""
_EMPTY: Final = frozenset({b"null", b'""'})


class RouteCache(msgspec.Struct, frozen=True):
    """The cache that a model's answers are kept in. `seconds` None: only for requests that wish it."""

    answers: ResponseCache
    seconds: float | None = None


def wish_of(fields: Mapping[bytes, bytes], cache: RouteCache | None, asked: Asked) -> Wish | None:
    """How old an answer may be; None where one must be made that is kept nowhere. Raises `InvalidRequest`."""
    written = fields.get(HEADER)
    if cache is None or (written is None and cache.seconds is None):
        return None
    wish = Wish(cache.seconds or DEFAULT_SECONDS) if written is None else _read(written.strip().lower(), cache.seconds)
    return wish if wish is not None and _is_repeatable(asked) else None


def _read(written: bytes, seconds: float | None) -> Wish | None:
    if written == b"off":
        return None
    if written == b"refresh":
        return Wish(seconds or DEFAULT_SECONDS, refresh=True)
    if _SECONDS.fullmatch(written) and int(written) <= _MOST_SECONDS:
        return Wish(float(written))
    shown = written[:40].decode("latin-1")
    raise InvalidRequest(
        f"the header x-dragoman-cache takes 'off', 'refresh' or seconds from 1 to {_MOST_SECONDS}, and not {shown!r}"
    )


def _is_repeatable(asked: Asked) -> bool:
    """Whether a request asks for an answer and for nothing else, which it says all by itself."""
    if asked.acts_on_world:
        return False
    members = asked.members
    if asked.public.stores_unless_told and bytes(members.get("store", b"")) != b"false":
        return False
    return all(bytes(members.get(name, b"null")) in _EMPTY for name in _KEPT_ELSEWHERE)


def digest_of_call(principal: Principal, route: str, asked: Asked) -> bytes:
    """What equal requests have in common."""
    total = sha256()

    def add(piece: bytes | msgspec.Raw) -> None:
        data = bytes(piece)
        total.update(b"%d:" % len(data))  # so that no two lists of pieces read alike
        total.update(data)

    add(b"team" if principal.team else b"key")
    for text in (principal.team or principal.name, asked.dialect, route, asked.model, asked.public.stream_type):
        add(text.encode("utf-8", "surrogatepass"))
    add(b"stream" if asked.stream else b"whole")
    add(b"%d" % len(asked.headers))
    for name, value in sorted(asked.headers):
        add(name.encode())
        add(value.encode("utf-8", "surrogatepass"))
    for name in sorted(asked.members):
        add(name.encode("utf-8", "surrogatepass"))
        add(asked.members[name])
    return total.digest()
