"""The body of a request as its members: read without touching a byte of what they hold.

`msgspec.Raw` values are the bytes as the client wrote them; writing the members again copies them.
"""

from __future__ import annotations

import codecs
import json
from typing import Any

import msgspec

from dragoman.engine.relay.outline import LEAST_BYTES, SPACE, outline_of
from dragoman.errors import InvalidRequest

__all__ = ["Members", "read_body", "read_members", "text_member", "true_member", "write_members"]

Members = dict[str, msgspec.Raw]

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_decode_any = msgspec.json.Decoder().decode
_AT_ONCE = 1024 * 1024


def read_body(body: bytes) -> tuple[Members, bytes]:
    """The members of a JSON object, as `read_members`, and what has to be searched for anything but long texts.

    That is the body itself, or the outline of a large one: a picture of 20 MB is passed over three times instead of
    twenty. What its long texts hold is then for the provider to judge, control characters too.
    """
    found = _read_outlined(body) if len(body) >= LEAST_BYTES else None
    return (read_members(body), body) if found is None else found


def read_members(body: bytes) -> Members:
    """The members of a JSON object. Raises `InvalidRequest` for other bodies and for members that stand twice.

    Whether two members differ in case alone counts as standing twice: hosts differ in which of them they would obey.
    Takes about 2 µs for a small body, and the time of one pass over a large one.
    """
    try:
        # Raw values are passed over without a look at their letters.
        if not body.isascii():
            _check_letters(body)
        members = _decode(body)
    except msgspec.ValidationError:
        raise InvalidRequest("the body must be a JSON object") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"the body is not valid JSON: {error}") from None
    except RecursionError:
        raise InvalidRequest("the body is nested too deeply") from None
    if not _once_compact(body, members) and _walk(body, members) is None:
        _refuse_duplicates(body)
    if _are_folded_alike(members):
        raise InvalidRequest(_twice(_folded_twin(list(members))))
    return members


def _read_outlined(body: bytes) -> tuple[Members, bytes] | None:
    """The members of a large body by its outline, and that; None where whoever reads all of it has to say something."""
    outline = outline_of(body)
    if outline is None:
        return None
    text, place = outline.text, outline.place
    try:
        if not body.isascii():
            _check_letters(body)
        members = _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    begins = _walk(text, members)
    if begins is None or _are_folded_alike(members):
        return None
    view = memoryview(body)
    for begin, (name, value) in zip(begins, members.items(), strict=True):
        members[name] = msgspec.Raw(view[place(begin) : place(begin + len(memoryview(value)))])
    return members, text


def _check_letters(body: bytes) -> None:
    if len(body) <= _AT_ONCE:
        body.decode()
        return
    decode, view = codecs.getincrementaldecoder("utf-8")().decode, memoryview(body)  # the text of it all is not kept
    for at in range(0, len(body), _AT_ONCE):
        decode(view[at : at + _AT_ONCE], at + _AT_ONCE >= len(body))


def _are_folded_alike(members: Members) -> bool:
    """Whether two names differ in case alone."""
    joined = "".join(members)
    plain = joined.isascii() and joined.lower() == joined
    return not plain and len({name.casefold() for name in members}) != len(members)


def _once_compact(body: bytes, members: Members) -> bool:
    """Whether the members fill the body to the last byte: then none of them can stand twice."""
    # Per member two quotes, a colon and a comma; two braces, and no comma behind the last.
    length = 1 + 4 * len(members)
    for name, value in members.items():
        length += len(name) + len(memoryview(value))  # bytes of it would be a copy
    return length == len(body) and bool(members)


def _walk(body: bytes, members: Members) -> list[int] | None:
    """Where the values of the members begin, walking from one to the next; None where one of them might stand twice."""
    skip, view = SPACE.match, memoryview(body)
    begins: list[int] = []
    try:
        at = _end(skip, body, 0) + 1
        for name, value in members.items():
            at = _end(skip, body, at)
            key = f'"{name}"'.encode()
            if not body.startswith(key, at):
                return None  # written with escapes, or not the first of its name
            at = _end(skip, body, at + len(key)) + 1
            at = _end(skip, body, at)
            raw = memoryview(value)
            if view[at : at + len(raw)] != raw:
                return None
            begins.append(at)
            at = _end(skip, body, at + len(raw)) + 1
    except IndexError:
        return None
    return begins if not members or _end(skip, body, at) == len(body) else None


def _end(skip: Any, body: bytes, at: int) -> int:
    return skip(body, at).end()


def _refuse_duplicates(body: bytes) -> None:
    """The slow and certain way: every object is given as pairs, the outermost one last."""
    outermost: list[list[tuple[str, Any]]] = [[]]

    def pairs(found: list[tuple[str, Any]]) -> None:
        outermost[0] = found

    try:
        json.JSONDecoder(object_pairs_hook=pairs).decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"the body is not valid JSON: {error}") from None
    names = [name for name, _ in outermost[0]]
    for name in names:
        if names.count(name) > 1:
            raise InvalidRequest(_twice(name), path=name)


def _folded_twin(names: list[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            return name
        seen.add(name.casefold())
    return ""


def _twice(name: str) -> str:
    return f"the member {name!r} stands twice in the body (names that differ in case alone count as one); send it once"


def write_members(members: dict[str, Any]) -> bytes:
    """The body of members, raw or plain."""
    return _encode(members)


def _plain(raw: msgspec.Raw, name: str) -> Any:
    try:
        return _decode_any(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{name} is not valid JSON: {error}", path=name) from None
    except RecursionError:
        raise InvalidRequest(f"{name} is nested too deeply", path=name) from None


def text_member(members: Members, name: str) -> str | None:
    """A member that must be text; None where it is absent or null. Raises `InvalidRequest`."""
    raw = members.get(name)
    if raw is None:
        return None
    try:
        value: Any = _decode_any(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = _plain(raw, name)  # which says what is wrong
    if value is None or isinstance(value, str):
        return value
    raise InvalidRequest(f"{name} must be text", path=name)


def true_member(members: Members, name: str) -> bool:
    """Whether a member is true; absent, null and false are not. Raises `InvalidRequest` for what is no boolean."""
    raw = members.get(name)
    if raw is None:
        return False
    value = _plain(raw, name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise InvalidRequest(f"{name} must be true or false", path=name)
