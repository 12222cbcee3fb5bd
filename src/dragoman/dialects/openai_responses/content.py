"""Content parts of messages and of tool outputs ↔ `Text`, `Refusal`, `Media`, and `Opaque` for the rest.

The usual type of text is `input_text` in what goes in and `output_text` in an assistant's own words; another type, and
members that the usual form has and this one had not, are notes. A single plain text is usually written as a string.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from msgspec.structs import replace

from dragoman.dialects.openai_responses.citations import decode_citation, encode_citation
from dragoman.dialects.openai_responses.media import MEDIA_TYPES, decode_media, encode_media
from dragoman.dialects.openai_responses.wire import ABSENT, MARK, NAME, TYPE, extras_of, members, noted, notes
from dragoman.dialects.reading import object_of, objects_in, required_text, unknown
from dragoman.errors import ProtocolViolation
from dragoman.values import CacheHint, Media, Opaque, Refusal, Text

if TYPE_CHECKING:
    from dragoman.dialects.openai_responses.fitting import Fit
    from dragoman.values import JsonObject
    from dragoman.values.parts import Citation, Part

__all__ = ["Piece", "Side", "decode_content", "decode_piece", "encode_content", "encode_piece", "plain"]

Side = Literal["input", "output"]
Piece = Text | Refusal | Media | Opaque

_USUAL: dict[Side, str] = {"input": "input_text", "output": "output_text"}
_TEXT_TYPES = frozenset({"input_text", "output_text", "text"})
_BREAKPOINT = "prompt_cache_breakpoint"
_PLAIN_BREAKPOINT = {"mode": "explicit"}
_MARKABLE = frozenset({"input_text", "input_image", "input_file"})


def decode_content(holder: JsonObject, name: str, side: Side, path: str, issuer: str) -> tuple[Piece, ...]:
    """The member `name`: a string, a list of parts, or nothing. `issuer` is whose files are meant."""
    value = holder.get(name)
    where = f"{path}.{name}" if path else name
    if isinstance(value, str):
        return (Text(text=value),)
    if value is not None and not isinstance(value, list):
        raise ProtocolViolation(f"{where} should be text or a list of parts, and is {value!r:.80}", path=where)
    pieces = cast("list[Any]", value or [])
    return tuple(
        decode_piece(object_of(piece, f"{where}[{index}]"), side, f"{where}[{index}]", issuer)
        for index, piece in enumerate(pieces)
    )


def decode_piece(piece: JsonObject, side: Side, path: str, issuer: str) -> Piece:
    """One content part; `issuer` is whose files are meant."""
    kind = required_text(piece, "type", path)
    if kind in _TEXT_TYPES:
        part: Piece = _text(piece, kind, side, path)
    elif kind == "refusal":
        own = unknown(piece, ("type", "refusal"))
        part = Refusal(text=required_text(piece, "refusal", path), extras=extras_of(own))
    elif kind in MEDIA_TYPES:
        part = decode_media(piece, path, issuer)
    else:
        return Opaque(dialect=NAME, kind=kind, data=piece)
    if piece.get(_BREAKPOINT) == _PLAIN_BREAKPOINT:
        own = {name: value for name, value in notes(part.extras).items() if name != _BREAKPOINT}
        part = noted(replace(part, cache=CacheHint(), extras=extras_of(own)), **{MARK: True})
    return part


def _text(piece: JsonObject, kind: str, side: Side, path: str) -> Text:
    citations: tuple[Citation, ...] = ()
    if kind == "output_text":
        own = unknown(piece, ("type", "text", "annotations", "logprobs"))
        annotations = objects_in(piece, "annotations", path)
        citations = tuple(
            decode_citation(annotation, f"{path}.annotations[{index}]") for index, annotation in enumerate(annotations)
        )
        absent = [name for name in ("annotations", "logprobs") if name not in piece]
        if absent:
            own[ABSENT] = absent
        if piece.get("logprobs"):
            own["logprobs"] = piece["logprobs"]
    else:
        own = unknown(piece, ("type", "text"))
    if kind != _USUAL[side]:
        own[TYPE] = kind
    return Text(text=required_text(piece, "text", path), citations=citations, extras=extras_of(own))


# -- writing -----------------------------------------------------------------------------------------------------------


def plain(part: Part) -> bool:
    """Whether a text can be written as a string without losing anything."""
    return isinstance(part, Text) and part.cache is None and not part.citations and NAME not in part.extras


def encode_content(parts: tuple[Part, ...], side: Side, fit: Fit, path: str, first: int = 0) -> list[JsonObject]:
    """The parts as a content list; what cannot be said is recorded under `path[first + index]`."""
    pieces = (encode_piece(part, side, fit, f"{path}[{first + index}]") for index, part in enumerate(parts))
    return [piece for piece in pieces if piece is not None]


def encode_piece(part: Part, side: Side, fit: Fit, path: str) -> JsonObject | None:
    """One content part, or None (recorded)."""
    if isinstance(part, Opaque):
        if part.dialect == NAME:
            return part.data
        fit.log.dropped(path, f"only {part.dialect} has it ({part.kind})")
        return None
    if isinstance(part, Text):
        body = _write_text(part, side, fit, path)
    elif isinstance(part, Refusal):
        body = _write_refusal(part, side, fit, path)
    elif isinstance(part, Media):
        written = encode_media(part, fit, path)
        if written is None:
            return None
        body = written
    else:
        fit.log.dropped(path, f"{type(part).__name__} is no content of a message")
        return None
    markable = body["type"] in _MARKABLE
    fit.common(part, path, cache=markable)
    if part.cache is not None and markable:
        _mark(body, part.cache, MARK in notes(part.extras), fit, path)
    return body


def _mark(body: JsonObject, hint: CacheHint, own: bool, fit: Fit, path: str) -> None:
    if not own and fit.towards == "provider" and not fit.target.quirks.responses.cache_marks:
        fit.log.dropped(f"{path}.cache", "the host keeps prefixes by itself and takes no marks")
        return
    body[_BREAKPOINT] = dict(_PLAIN_BREAKPOINT)
    if hint.ttl is not None:
        fit.log.dropped(f"{path}.cache.ttl", "a breakpoint has no time of its own", hint.ttl)


def _write_text(part: Text, side: Side, fit: Fit, path: str) -> JsonObject:
    own = notes(part.extras)
    kind: str = own.get(TYPE, _USUAL[side])
    body: JsonObject = {"type": kind, "text": part.text}
    if kind == "output_text":
        absent = own.get(ABSENT, ())
        annotations = [
            written
            for index, citation in enumerate(part.citations)
            if (written := encode_citation(citation, fit.log, f"{path}.citations[{index}]")) is not None
        ]
        if annotations or "annotations" not in absent:
            body["annotations"] = annotations
        if "logprobs" not in absent:
            body["logprobs"] = []
        return body | members(part.extras)
    if part.citations:
        fit.log.dropped(f"{path}.citations", "input text has no annotations")
    body.update((name, value) for name, value in members(part.extras).items() if name != "logprobs")
    return body


def _write_refusal(part: Refusal, side: Side, fit: Fit, path: str) -> JsonObject:
    if side == "output" or NAME in part.extras:
        return {"type": "refusal", "refusal": part.text, **members(part.extras)}
    fit.log.substituted(path, "a refusal is said as text", "refusal", "input_text")
    return {"type": "input_text", "text": part.text}
