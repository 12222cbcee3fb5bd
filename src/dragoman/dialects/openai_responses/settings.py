"""Settings that are one value each: the wire's member, our field, and what the wire takes.

Some hosts take members that the vendor does not have (`top_k`, penalties, `modalities`): they are read into fields
from any client, and written where they came from this wire or the host's quirks accept them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.openai_responses.options import decode_format, decode_reasoning
from dragoman.dialects.openai_responses.rows import json_text
from dragoman.dialects.openai_responses.tools import decode_choice, decode_tools
from dragoman.dialects.openai_responses.wire import BEYOND, NAME, notes
from dragoman.dialects.reading import boolean, integer, number, object_of, text
from dragoman.errors import ProtocolViolation

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.dialects.openai_responses.fitting import Fit
    from dragoman.values import JsonObject, Request

__all__ = ["BEYOND_MEMBERS", "FIELD_OF", "read_settings", "write_settings"]

_TIERS = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")


@dataclass(frozen=True, slots=True)
class _Row:
    field: str
    read: Callable[[JsonObject, str], Any]
    least: float | None = None
    most: float | None = None
    words: tuple[str, ...] | None = None


def _object(body: JsonObject, name: str) -> JsonObject | None:
    value = body.get(name)
    return None if value is None else object_of(value, name)


def _words(body: JsonObject, name: str) -> tuple[str, ...] | None:
    value: Any = body.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(word, str) for word in cast("list[Any]", value)):
        return tuple(cast("list[str]", value))
    raise ProtocolViolation(f"{name} should be a list of texts, and is {value!r:.80}", path=name)


_ROWS: dict[str, _Row] = {
    "max_output_tokens": _Row("max_tokens", integer),
    "temperature": _Row("temperature", number, 0, 2),
    "top_p": _Row("top_p", number, 0, 1),
    "top_logprobs": _Row("top_logprobs", integer, 0, 20),
    "user": _Row("user", text),
    "metadata": _Row("metadata", _object),
    "service_tier": _Row("service_tier", text, words=_TIERS),
    "store": _Row("store", boolean),
    "previous_response_id": _Row("previous_response_id", text),
    "prompt_cache_key": _Row("cache_key", text),
}
_BEYOND_ROWS: dict[str, _Row] = {
    "top_k": _Row("top_k", integer),
    "seed": _Row("seed", integer),
    "presence_penalty": _Row("presence_penalty", number),
    "frequency_penalty": _Row("frequency_penalty", number),
    "modalities": _Row("modalities", _words),
    "stop": _Row("stop", _words),
}
BEYOND_MEMBERS = frozenset(_BEYOND_ROWS)
FIELD_OF: dict[str, str] = {
    **{member: row.field for member, row in (_ROWS | _BEYOND_ROWS).items()},
    "text": "output",
    "include": "logprobs",
    "parallel_tool_calls": "tool_choice",
}
"""Our field of a member, where it has another name."""


def read_settings(body: JsonObject) -> dict[str, Any]:
    """Every field of a request but the messages, from the members that are there."""
    fields: dict[str, Any] = {row.field: row.read(body, member) for member, row in _ROWS.items() if member in body}
    for member, row in _BEYOND_ROWS.items():
        if body.get(member) is not None:
            fields[row.field] = row.read(body, member)
    tools = decode_tools(body)
    wording = _object(body, "text")
    reasoning = _object(body, "reasoning")
    if wording is not None and wording.get("format") is not None:
        fields["output"] = decode_format(object_of(wording["format"], "text.format"))
    if reasoning is not None:
        fields["reasoning"] = decode_reasoning(reasoning)
    include = _words(body, "include")
    if include is not None and "message.output_text.logprobs" in include:
        fields["logprobs"] = True
    fields |= {"tools": tools, "tool_choice": decode_choice(body, tools), "stream": boolean(body, "stream") or False}
    return fields


def write_settings(request: Request, body: JsonObject, fit: Fit) -> None:
    """Adds the members that are one value each."""
    own = NAME in request.extras
    for member, row in _ROWS.items():
        value = getattr(request, row.field)
        if value is not None:
            fitted = value if own else _fitted(member, row, value, fit)
            if fitted is not None:
                body[member] = fitted
    beyond = (*notes(request.extras).get(BEYOND, ()), *fit.target.quirks.responses.accepted)
    for member, row in _BEYOND_ROWS.items():
        value = getattr(request, row.field)
        if value is None or value == ():
            continue
        if member in beyond:
            body[member] = list(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value
        elif member != "modalities" or value != ("text",):
            fit.log.dropped(row.field, "the wire has no such setting", value)
    if request.choices is not None and request.choices != 1:
        fit.log.dropped("choices", "one call gives one answer on this wire", request.choices)


def _fitted(member: str, row: _Row, value: Any, fit: Fit) -> Any:
    """A value from elsewhere as the wire takes it, or None."""
    log = fit.log
    if row.words is not None and value not in row.words:
        log.dropped(row.field, f"the wire knows {', '.join(row.words)}", value)
        return None
    least, most = row.least, row.most
    if member == "max_output_tokens":
        least = fit.target.quirks.responses.least_max_tokens
    bounded = value
    if least is not None and value < least:
        bounded = least
    elif most is not None and value > most:
        bounded = most
    if bounded != value:
        log.clamped(row.field, "outside of what the wire takes", value, bounded)
    if member == "metadata":
        return _texts(value, fit)
    return bounded


def _texts(metadata: JsonObject, fit: Fit) -> JsonObject:
    """Metadata whose values are text, which is all the wire takes."""
    fitted: JsonObject = {}
    for name, value in metadata.items():
        if isinstance(value, str):
            fitted[name] = value
        else:
            fitted[name] = json_text(value)
            fit.log.substituted(f"metadata.{name}", "the wire takes text alone", value, fitted[name])
    return fitted
