"""What a relay changes, in one table per dialect: everything else passes as the bytes that came.

Requests: `model` becomes the upstream's name, and a stream asks for usage where the wire does not give it unasked.
Answers: the name of the model becomes the one that was asked for, if it was replaced on the way in; usage that the
client did not ask for is taken out again.
"""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec

from dragoman.errors import ProtocolViolation

__all__ = ["EDITS", "IDLE", "AnswerEdit", "DialectEdits", "with_usage_asked"]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_plain = msgspec.json.Decoder().decode


class DialectEdits(msgspec.Struct, frozen=True, kw_only=True):
    """The edits of one dialect.

    `path` and `stream_path` are where requests go, with `{model}` where the wire says it there. `answer_model` is the
    member of a whole answer that names the model; `event_models` are the paths to it in events of a stream.
    `usage_option` is the member (and its member) of the request that asks for usage on streams.
    `headers` are sent always; `forwarded` are the client's headers that pass.
    """

    path: str
    stream_path: str
    model_member: str | None = "model"
    answer_model: str
    event_models: tuple[tuple[str, ...], ...]
    usage_option: tuple[str, str] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    forwarded: frozenset[str] = frozenset()


EDITS: Final[dict[str, DialectEdits]] = {
    "openai-chat": DialectEdits(
        path="/chat/completions",
        stream_path="/chat/completions",
        answer_model="model",
        event_models=(("model",),),
        usage_option=("stream_options", "include_usage"),
    ),
    "openai-responses": DialectEdits(
        path="/responses",
        stream_path="/responses",
        answer_model="model",
        event_models=(("response", "model"),),
    ),
    "anthropic": DialectEdits(
        path="/messages",
        stream_path="/messages",
        answer_model="model",
        event_models=(("message", "model"),),
        headers=(("anthropic-version", "2023-06-01"),),
        forwarded=frozenset({"anthropic-beta", "anthropic-version"}),
    ),
    "gemini": DialectEdits(
        path="{model}:generateContent",
        stream_path="{model}:streamGenerateContent?alt=sse",
        model_member=None,
        answer_model="modelVersion",
        event_models=(("modelVersion",),),
    ),
}
"""The dialects that are spoken on both sides, and so can be relayed."""


def with_usage_asked(members: dict[str, Any], option: tuple[str, str]) -> bool:
    """Asks for usage on a stream; False where the client has asked itself (nothing is changed then).

    What is no object passes as it is: the host says what is wrong with it.
    """
    holder, name = option
    given = members.get(holder)
    held: dict[str, Any] = {}
    if given is not None and bytes(given) != b"null":
        try:
            parsed: Any = _plain(given)
        except (msgspec.DecodeError, RecursionError):
            return False
        if not isinstance(parsed, dict):
            return False
        held = cast("dict[str, Any]", parsed)
        if held.get(name) is True:
            return False
    members[holder] = {**held, name: True}
    return True


class AnswerEdit:
    """The edits of one answer.

    `model` is the name to put in (None: the answer's own stays), `hide_usage` takes usage out of a stream. Nothing to
    do is the common case: `idle` tells, and bytes then pass as they are.
    """

    __slots__ = ("_came", "_edits", "_goes", "_marks", "_model", "hide_usage", "idle", "keeps_model")

    def __init__(self, edits: DialectEdits, model: str | None, *, hide_usage: bool = False) -> None:
        self._edits = edits
        self._model = None if model is None else msgspec.Raw(_encode(model))
        self.hide_usage = hide_usage
        self.keeps_model = model is None
        self.idle = model is None and not hide_usage
        self._marks = tuple(f'"{path[0]}"'.encode() for path in edits.event_models)
        # What came before the end of the name in the last event, and what it became: nearly all events begin alike.
        self._came = self._goes = b""

    def whole(self, body: bytes) -> bytes:
        """A whole answer."""
        if self._model is None:
            return body
        members = _read(body)
        if self._edits.answer_model not in members:
            return body
        members[self._edits.answer_model] = self._model
        return _encode(members)

    def event(self, data: bytes) -> bytes | None:
        """The data of one event; None where it had nothing but what is hidden."""
        hides = self.hide_usage and b"usage" in data
        if not hides:
            if self._model is None:
                return data  # most events of most hosts
            if self._came and data.startswith(self._came):
                return self._goes + data[len(self._came) :]
            if not any(mark in data for mark in self._marks):
                return data
        members = _read(data)
        named = members.get(self._edits.event_models[0][0])
        changed = False
        if self._model is not None:
            for path in self._edits.event_models:
                changed = _put(members, path, self._model) or changed
        if hides and "usage" in members:
            usage = members.pop("usage")
            if bytes(usage) != b"null" and bytes(members.get("choices", b"")) == b"[]":
                return None
            return _encode(members)
        if not changed:
            return data
        edited = _encode(members)
        if named is not None and self._model is not None:
            self._note(data, edited, bytes(named), bytes(self._model))
        return edited

    def _note(self, data: bytes, edited: bytes, named: bytes, model: bytes) -> None:
        """Notes how an event begins, up to its model's name, if nothing but that name was changed in it."""
        member = self._marks[0] + b":"
        before, found, rest = data.partition(member + named)
        after, put, kept = edited.partition(member + model)
        alike = found and put and rest == kept and member not in rest and member not in before
        self._came, self._goes = (before + found, after + put) if alike else (b"", b"")


IDLE: Final = AnswerEdit(EDITS["openai-chat"], None)
"""Bytes pass as they are, in whichever dialect."""


def _read(data: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _members(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ProtocolViolation(f"this is no JSON object ({error}): {data[:80]!r}") from None


def _put(members: dict[str, msgspec.Raw], path: tuple[str, ...], value: msgspec.Raw) -> bool:
    """Replaces the member at a path, if it is there."""
    held = members.get(path[0])
    if held is None:
        return False
    if len(path) == 1:
        members[path[0]] = value
        return True
    text = bytes(held)
    if not text.startswith(b"{"):
        return False
    inner = _read(text)
    if not _put(inner, path[1:], value):
        return False
    members[path[0]] = msgspec.Raw(_encode(inner))
    return True
