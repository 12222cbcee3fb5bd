"""What routing may know of a request whose body passes unread: who asks, what for, and where it belongs.

Everything is worked out from the members as they came, and only when a strategy, a limit or affinity asks for it; the
request is decoded only where a model might not fit it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec
from msgspec.structs import replace

from dragoman.engine.capabilities import profile_of
from dragoman.errors import DragomanError
from dragoman.gateway.ingress.shapes import CAPS
from dragoman.gateway.provider_objects import hides_letters
from dragoman.routing.call import Call
from dragoman.routing.sessions import SESSION_HEADERS
from dragoman.routing.suiting import window_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dragoman.accounts import Principal
    from dragoman.gateway.ingress.asked import Asked
    from dragoman.routing import Route
    from dragoman.values import Request

__all__ = ["Fields", "Fitting", "call_of", "nearest", "plain_call", "request_to_suit"]

LEAST_PREFIX_BYTES: Final = 4096
"""Providers keep prompts of about a thousand tokens and more; shorter ones gain nothing by going where they were."""

_MEDIA: Final = frozenset(
    (
        b"image_url",
        b"input_image",
        b"image",
        b"input_audio",
        b"audio",
        b"video",
        b"video_url",
        b"input_video",
        b"file",
        b"input_file",
        b"file_id",
        b"document",
        b"document_url",
        b"inlineData",
        b"inline_data",
        b"fileData",
        b"file_data",
        b"mimeType",
        b"mime_type",
        b"media_type",
    )
)
"""Names of parts and members, one of which stands with whatever is not text, in every dialect."""
_CAPPED: Final = frozenset((*CAPS, "generationConfig", "generation_config"))
_SESSION_FIELDS: Final = frozenset(name.encode() for name, _ in SESSION_HEADERS)
_CONFIG: Final = ("generationConfig", "generation_config")
_BEGINNING: Final = ("instructions", "system", "systemInstruction", "system_instruction", "tools")
_TURNS: Final = ("messages", "input", "contents")
_ANSWERS: Final = frozenset(("assistant", "model"))

_TOLD: Final = frozenset(
    ("metadata", "user", "safety_identifier", "prompt_cache_key", "conversation", "previous_response_id")
)
"""Members that tell who a request is for, and what it belongs to."""
_SAID: Final = _CAPPED | _TOLD
_NOTHING: Final[Mapping[str, Any]] = {}
_decode = msgspec.json.Decoder().decode
_turns = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _Turn(msgspec.Struct):
    role: Any = None
    type: Any = "message"


class _Output(msgspec.Struct, rename="camel"):
    max_output_tokens: Any = None


_turn = msgspec.json.Decoder(_Turn).decode
_output = msgspec.json.Decoder(_Output).decode


class Fitting(NamedTuple):
    """What decides whether requests over a route are looked at.

    Its candidates' wishes, their smallest window, and whether it matters that a request has tools: to a model that is
    known to take none, or to rules.
    """

    wishes: bool
    least_window: float
    tools: bool

    @classmethod
    def of(cls, route: Route) -> Fitting:
        """A route's, worked out once."""
        windows = [window for each in route.candidates if (window := window_of(each)) is not None]
        wishes = any(each.needs or each.max_price is not None for each in route.candidates)
        profiles = [profile_of(each.deployment) for each in route.candidates]
        tools = any(profile is not None and profile.tools is False for profile in profiles)
        across = route.strategy is not None and route.strategy.across
        return cls(wishes, min(windows, default=float("inf")), tools or across)


class Fields(Mapping[str, str]):
    """Headers of a request as texts, by names in lower case."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[bytes, bytes]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name.encode()].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def call_of(
    asked: Asked,
    route: Route,
    principal: Principal,
    fields: Mapping[bytes, bytes],
    *,
    issuer: str | None,
    request: Request | None,
) -> Call:
    """The call as strategies, limits and affinity see it; `request` where it was decoded already.

    Nothing is worked out before one of them looks.
    """
    call = _UnreadCall.__new__(_UnreadCall)
    call.known = (asked, route, principal, fields, issuer, request)
    return call


class _UnreadCall(Call):
    """One whose body passes unread."""

    untold = True
    known: tuple[Asked, Route, Principal, Mapping[bytes, bytes], str | None, Request | None]

    # A hot path where there is a strategy or a limit: what a request does not hold is not looked for
    # (benchmarks/gateways).
    def tell(self) -> None:
        asked, route, principal, fields, self._issuer, request = self.known
        body, members = asked.body, asked.members
        long = len(body) >= LEAST_PREFIX_BYTES
        self.model = asked.model
        self.key = principal.name
        self.team = principal.team
        self._prefix = partial(_prefix, asked) if long else None
        # Of media the bytes say nothing, and the letters are counted.
        self._prompt_tokens = len(body) // 4 + 1 if request is None or not _may_hold_media(asked) else None
        said = not _SAID.isdisjoint(members)
        self.max_tokens = _most_tokens(asked) if said else None
        told, named = said and not _TOLD.isdisjoint(members), not _SESSION_FIELDS.isdisjoint(fields)
        if told:
            self.metadata = _metadata(asked)
            self.user = _text(asked, "user") or _text(asked, "safety_identifier")
            self.conversation = _text(asked, "prompt_cache_key") or _text(asked, "conversation")
            self.state = _text(asked, "previous_response_id")
        # Strategies that look across tiers may go by any header, affinity by those that name sessions.
        if named or (route.strategy is not None and route.strategy.across):
            self.headers = Fields(fields)
        if request is not None:
            self.know(request)
        elif not (long or told or named):
            self.bonds = []  # nothing says where it belongs


def plain_call(principal: Principal, fields: Mapping[bytes, bytes], model: str) -> Call:
    """A call that has no turns, as for vectors."""
    return Call(model=model, headers=Fields(fields), key=principal.name, team=principal.team)


def request_to_suit(route: Route, asked: Asked, read: Callable[[], Request], fitting: Fitting) -> Request | None:
    """The request as values, where it might be one that not every model of the route can take; else None.

    What cannot be decoded is left to whoever has to answer it: bytes may pass all the same.
    """
    if not fitting.wishes:
        if len(route.candidates) == 1:
            return None
        # A token has one byte at least, and a prompt is no longer than the body that it comes in.
        tools = fitting.tools and "tools" in asked.members
        if not tools and len(asked.body) <= fitting.least_window and not _may_hold_media(asked):
            return None
    try:
        return read()
    except DragomanError:
        return None


def nearest(route: Route, issuers: Iterable[str]) -> tuple[Route, str | None]:
    """The first of these issuers that the route leads to, and the route with its deployments before all tiers.

    Within a tier, routing itself prefers whose state a request holds.
    """
    for issuer in issuers:
        tiers = [each.tier for each in route.candidates if each.deployment.access.issuer == issuer]
        if not tiers:
            continue
        if min(tiers) == min(each.tier for each in route.candidates):
            return route, issuer
        candidates = tuple(
            replace(each, tier=0) if each.deployment.access.issuer == issuer else each for each in route.candidates
        )
        return replace(route, candidates=candidates), issuer
    return route, None


def _may_hold_media(asked: Asked) -> bool:
    """Whether a body may hold anything but text."""
    return not _MEDIA.isdisjoint(asked.words) or (b"\\" in asked.outline and hides_letters(asked.outline))


# -- members -----------------------------------------------------------------------------------------------------------


def _member(asked: Asked, name: str) -> Any:
    raw = asked.members.get(name)
    if raw is None:
        return None
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _text(asked: Asked, name: str) -> str | None:
    value = _member(asked, name)
    if isinstance(value, dict):
        value = cast("dict[str, Any]", value).get("id")
    return value if isinstance(value, str) and value else None


def _metadata(asked: Asked) -> Mapping[str, Any]:
    value = _member(asked, "metadata")
    return cast("dict[str, Any]", value) if isinstance(value, dict) else _NOTHING


def _most_tokens(asked: Asked) -> int | None:
    for name in CAPS:
        value = _member(asked, name)
        if isinstance(value, int):
            return value
    for name in _CONFIG:
        raw = asked.members.get(name)
        if raw is not None:
            try:
                most = _output(raw).max_output_tokens
            except (msgspec.MsgspecError, UnicodeDecodeError):
                return None
            return most if isinstance(most, int) else None
    return None


def _prefix(asked: Asked) -> str | None:
    """A digest of all that stands before the first answer: it stays the same while a conversation grows."""
    pieces: list[msgspec.Raw] = [raw for name in _BEGINNING if (raw := asked.members.get(name)) is not None]
    for name in _TURNS:
        raw = asked.members.get(name)
        if raw is not None:
            pieces += _before_answers(raw)
            break
    if sum(len(memoryview(piece)) for piece in pieces) < LEAST_PREFIX_BYTES:
        return None
    total = blake2b(asked.dialect.encode(), digest_size=16)
    for piece in pieces:
        total.update(b"\0")
        total.update(piece)
    return total.hexdigest()


def _before_answers(raw: msgspec.Raw) -> list[msgspec.Raw]:
    try:
        found: list[msgspec.Raw] = []
        for turn in _turns(raw):
            head = _turn(turn)
            if head.role in _ANSWERS or head.type not in ("message", None):
                break
            found.append(turn)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError):
        return [raw]
    return found
