"""Replay memory: which provider issued which state, and what thinking stood before which tool call.

State of a provider (signatures, encrypted thoughts) passes to the client as it is, and comes back from it without a
word of whose it is. Each text of state that leaves is remembered by its hash with its issuer. What the client's dialect
has no place for (the signed thinking of one provider, shown to clients of another's protocol) is remembered with the
tool calls it led to, by caller and id of the call, and is put back when the same issuer answers again.

Everything here is of one process, is bounded by count and by bytes, and expires. State that is not known is taken to be
that of the route's first candidate.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from hashlib import blake2b
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec

from dragoman.values import Message, MessageRole, Reasoning, Replay, ToolCall, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dragoman.values import JsonObject, Part, Request, Response

__all__ = ["ReplayMemory", "may_hold_state", "state_texts"]

SECONDS: Final = 6 * 3600.0
"""Long enough for a tool call that a person has to approve."""

MOST_STATES: Final = 100_000
MOST_CALLS: Final = 20_000
MOST_BYTES: Final = 64 * 1024 * 1024
LONGEST_ENTRY_BYTES: Final = 1024 * 1024
_SHORTEST_STATE: Final = 16
"""Characters: a shorter text is no signature, and may stand in anybody's answer."""

_TEXT: Final = rb'"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"'
_MEMBERS: Final = tuple(
    # One for each name: a pattern that begins with plain letters is found many times faster than a choice of several.
    (mark, re.compile(mark + _TEXT))
    for mark in (b"ignature", b"encrypted_content", b"encrypted_index")
)
"""`signature`, `thoughtSignature` and `thought_signature` end alike."""
_DATA: Final = re.compile(b"data" + _TEXT)
_DATA_MARKS: Final = (b'"redacted_thinking"', b'"reasoning.encrypted"')
"""State stands in members called `data` too, as images do."""

_CALL_ID: Final = re.compile(rb'"(?:id|call_id|tool_call_id|tool_use_id)"\s*:\s*"([^"\\]{1,256})"')
_decode_text = msgspec.json.Decoder(str).decode


def may_hold_state(body: bytes) -> bool:
    """Whether there may be state in a piece of JSON or of a stream. Every event of every stream is asked this."""
    # `in` asks bytes first whether they are a number, and makes an error of it: 0.1 µs more than `find`.
    find = body.find
    return find(b"ignature") >= 0 or find(b"crypted") >= 0 or find(b"redacted_") >= 0


def state_texts(body: bytes) -> list[str]:
    """The texts of state in a piece of JSON or of a stream, in order."""
    if not may_hold_state(body):
        return []
    found: dict[int, bytes] = {}
    for mark, pattern in _MEMBERS:
        if mark in body:
            found.update((match.start(), match[1]) for match in pattern.finditer(body))
    if any(mark in body for mark in _DATA_MARKS):
        found.update((match.start(), match[1]) for match in _DATA.finditer(body))
    return [text for at in sorted(found) if (text := _text_of(found[at]))]


def _text_of(raw: bytes) -> str:
    """A text of JSON as it is read; empty for what is none, or too short to be state."""
    if len(raw) < _SHORTEST_STATE:
        return ""
    try:
        return _decode_text(b'"' + raw + b'"') if b"\\" in raw else raw.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


class _Thought(NamedTuple):
    """What stood before a tool call: at the head of its message, and between its words and it; and its own state."""

    issuer: str
    dialect: str
    leading: tuple[Reasoning, ...]
    before: tuple[Reasoning, ...]
    replay: tuple[Replay, ...]
    size: int
    until: float


class ReplayMemory:
    """The memory of one process. `clock` gives seconds."""

    def __init__(self, *, clock: Callable[[], float] = monotonic, most_bytes: int = MOST_BYTES) -> None:
        self._clock = clock
        self._most_bytes = most_bytes
        self._issuers: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._calls: OrderedDict[tuple[str, str], _Thought] = OrderedDict()
        self._bytes = 0

    # -- whose state is it -------------------------------------------------------------------------------------------

    def issued(self, data: bytes, issuer: str) -> None:
        """Notes the state in bytes that go to a client as this issuer's."""
        until = self._clock() + SECONDS
        for text in state_texts(data):
            digest = _digest(text)
            self._issuers[digest] = (issuer, until)
            self._issuers.move_to_end(digest)
        while len(self._issuers) > MOST_STATES:
            self._issuers.popitem(last=False)

    def issued_in(self, response: Response, issuer: str) -> None:
        """The same of an answer as values: a stream may have brought a text of state in pieces."""
        until = self._clock() + SECONDS
        for part in response.message.parts:
            for replay in part.replay:
                for text in _texts(replay.data):
                    self._issuers[_digest(text)] = (issuer, until)

    def issuer_of(self, text: str) -> str | None:
        """Who issued a text of state, if that is remembered."""
        found = self._issuers.get(_digest(text))
        return found[0] if found is not None and found[1] > self._clock() else None

    def issuers_in(self, body: bytes) -> list[str]:
        """The known issuers of the state in a request, the latest first; each once."""
        if not self._issuers:
            return []
        found = (self.issuer_of(text) for text in reversed(state_texts(body)))
        return list(dict.fromkeys(issuer for issuer in found if issuer is not None))

    def attributed(self, request: Request) -> Request:
        """The request with all state ascribed to whom it is remembered to be of."""
        if not self._issuers:
            return request
        messages = tuple(self._of_issuers(message) for message in request.messages)
        if all(new is old for new, old in zip(messages, request.messages, strict=True)):
            return request
        return replace(request, messages=messages)

    def _of_issuers(self, message: Message) -> Message:
        parts = tuple(self._owned(part) for part in message.parts)
        if all(new is old for new, old in zip(parts, message.parts, strict=True)):
            return message
        return replace(message, parts=parts)

    def _owned(self, part: Part) -> Part:
        if not part.replay:
            return part
        replays = tuple(self._own(replay) for replay in part.replay)
        return part if replays == part.replay else replace(part, replay=replays)

    def _own(self, replay: Replay) -> Replay:
        for text in _texts(replay.data):
            issuer = self.issuer_of(text)
            if issuer is not None:
                return replay if issuer == replay.issuer else replace(replay, issuer=issuer)
        return replay

    # -- what the client's dialect cannot carry ----------------------------------------------------------------------

    def thought(self, principal: str, response: Response, issuer: str) -> None:
        """Keeps the thinking that led to an answer's tool calls, and the calls' own state."""
        leading: list[Reasoning] = []
        before: list[Reasoning] = []
        begun = False
        for part in response.message.parts:
            if isinstance(part, Reasoning):
                (before if begun else leading).append(part)
                continue
            begun = True
            if not isinstance(part, ToolCall) or part.runner != "client":
                continue
            if part.replay or any(thought.replay for thought in (*leading, *before)):
                self._keep((principal, part.id), response.dialect, issuer, leading, before, part.replay)
            leading, before = [], []

    def _keep(
        self,
        key: tuple[str, str],
        dialect: str,
        issuer: str,
        leading: list[Reasoning],
        before: list[Reasoning],
        replay: tuple[Replay, ...],
    ) -> None:
        size = 512 + len(msgspec.msgpack.encode((leading, before, replay)))
        if size > LONGEST_ENTRY_BYTES:
            return
        self._drop(key)
        until = self._clock() + SECONDS
        self._calls[key] = _Thought(issuer, dialect, tuple(leading), tuple(before), replay, size, until)
        self._bytes += size
        while self._bytes > self._most_bytes or len(self._calls) > MOST_CALLS:
            self._drop(next(iter(self._calls)))

    def _drop(self, key: tuple[str, str]) -> None:
        entry = self._calls.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size

    def _thought_of(self, principal: str, call_id: str) -> _Thought | None:
        entry = self._calls.get((principal, call_id))
        if entry is None or entry.until <= self._clock():
            return None
        return entry

    def thinkers_in(self, principal: str, body: bytes) -> list[str]:
        """The issuers of the thinking that led to calls in a request, the latest first; each once."""
        if not self._calls:
            return []
        found: dict[str, None] = {}
        for match in reversed(_CALL_ID.findall(body)):
            entry = self._thought_of(principal, match.decode(errors="replace"))
            if entry is not None:
                found[entry.issuer] = None
        return list(found)

    def restored(self, principal: str, request: Request, issuer: str) -> Request:
        """The request for a target of this issuer, with the thinking that it gave put back before its calls."""
        if not self._calls:
            return request
        messages = tuple(
            self._rethought(principal, message, issuer) if message.role is MessageRole.ASSISTANT else message
            for message in request.messages
        )
        if all(new is old for new, old in zip(messages, request.messages, strict=True)):
            return request
        return replace(request, messages=messages)

    def _rethought(self, principal: str, message: Message, issuer: str) -> Message:
        known: dict[str, _Thought] = {}
        for part in message.parts:
            if not isinstance(part, ToolCall):
                continue
            entry = self._thought_of(principal, part.id)
            if entry is None or entry.issuer != issuer:
                continue
            if not any(replay.dialect == entry.dialect for replay in part.replay):
                known[part.id] = entry
        if not known or self._carries(message, known):
            return message
        parts: list[Part] = [part for entry in known.values() for part in entry.leading]
        for part in message.parts:
            if isinstance(part, Reasoning):
                continue  # the client's copy of the same thoughts, without what its issuer signed them with
            entry = known.get(part.id) if isinstance(part, ToolCall) else None
            if entry is not None:
                parts += entry.before
                part = replace(part, replay=entry.replay)
            parts.append(part)
        return replace(message, parts=tuple(parts))

    def _carries(self, message: Message, known: dict[str, _Thought]) -> bool:
        """Whether the client has sent state of the issuer's dialect itself."""
        dialects = {entry.dialect for entry in known.values()}
        return any(
            replay.dialect in dialects
            for part in message.parts
            if isinstance(part, Reasoning)
            for replay in part.replay
        )

    def __len__(self) -> int:
        return len(self._calls) + len(self._issuers)

    @property
    def held_bytes(self) -> int:
        """What the thinking that is kept takes, about."""
        return self._bytes


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        if len(data) >= _SHORTEST_STATE:
            yield data
    elif isinstance(data, dict):
        for inner in cast("JsonObject", data).values():
            yield from _texts(inner)
    elif isinstance(data, list):
        for inner in cast("Iterable[Any]", data):
            yield from _texts(inner)
