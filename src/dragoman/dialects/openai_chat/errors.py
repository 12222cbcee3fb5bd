"""Errors, both ways: what hosts of this dialect answer, and the envelope that our own clients get.

The envelope is `{"error": {"message", "type", "param", "code"}}`. Hosts also answer `{"error": "text", "code"}` (xAI),
`{"detail": …}` (FastAPI: Mistral, Voyage, vLLM), the inner object alone (Mistral), a list of envelopes (Gemini's
compatible endpoint), pages of HTML (whatever stands before them), and envelopes that quote another (OpenRouter's
`metadata.raw`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.headers import request_id, retry_after
from dragoman.dialects.openai_errors import LONGEST, class_of, prose_of
from dragoman.dialects.statuses import by_status
from dragoman.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dragoman.values import JsonObject, Target

__all__ = ["decode_error", "error_in_body", "error_in_stream"]


class _Told:
    """What an error body says, whatever its shape."""

    __slots__ = ("code", "inner", "kind", "members", "message", "param", "quoting", "status")

    def __init__(self, error: JsonObject) -> None:
        self.message = prose_of(error)
        self.code = _word(error.get("code"))
        status = error.get("status")  # Google's word for the class; a number elsewhere
        self.kind = _word(error.get("type")) or (status if isinstance(status, str) else None)
        self.param = _word(error.get("param"))
        self.members: frozenset[str] = frozenset(error)
        self.status = _status_of(error)
        self.inner: _Told | None = None
        self.quoting = ""
        self._look_inside(error)

    def _look_inside(self, error: JsonObject) -> None:
        inner = error.get("innererror")  # Azure
        metadata = error.get("metadata")  # OpenRouter
        if isinstance(metadata, dict):
            held = cast("JsonObject", metadata)
            self.members |= frozenset(held)
            inner = _parsed(held.get("raw"))
            self.quoting = _word(held.get("provider_name")) or "upstream"
        details = error.get("details")  # Google's
        if isinstance(details, list):
            for item in cast("list[Any]", details):
                if isinstance(item, dict) and "reason" in item:
                    inner = {"code": cast("JsonObject", item)["reason"]}
        if inner is not None:
            self.inner = _told(inner)

    def layers(self) -> Iterator[_Told]:
        layer: _Told | None = self
        while layer is not None:
            yield layer
            layer = layer.inner


def _parsed(raw: Any) -> Any:
    """What OpenRouter quotes: an object as text, or just text."""
    if not isinstance(raw, str) or not raw.strip():
        return raw or None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return raw


def _told(body: Any) -> _Told:
    """Finds the error object in a body of any shape."""
    if isinstance(body, list):
        items = cast("list[Any]", body)
        return _told(items[0] if items else None)
    if not isinstance(body, dict):
        return _Told({"message": _plain(str(body)) if body else ""})
    holder = cast("JsonObject", body)
    error = holder.get("error")
    if isinstance(error, dict):
        return _Told({**_beside(holder), **cast("JsonObject", error)})
    if error:
        return _Told({**holder, "message": str(error)})
    errors = holder.get("errors")
    if isinstance(errors, list) and errors and "message" not in holder:
        return _told(cast("list[Any]", errors)[0])
    return _Told(holder)


def _beside(holder: JsonObject) -> JsonObject:
    return {name: holder[name] for name in ("code", "status_code") if name in holder}


def _word(value: Any) -> str | None:
    if isinstance(value, bool) or value is None:
        return None
    return str(value) if isinstance(value, (str, int)) and value != "" else None


def _status_of(error: JsonObject) -> int | None:
    for name in ("status_code", "status", "code"):
        value = error.get(name)
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if isinstance(value, int) and 400 <= value < 600:
            return value
    return None


def _plain(text: str) -> str:
    """The title of an HTML page, or the beginning of a text."""
    lowered = text.lower()
    start, end = lowered.find("<title>"), lowered.find("</title>")
    if 0 <= start < end:
        return f"a web page instead of an answer: {' '.join(text[start + 7 : end].split())}"[:LONGEST]
    return " ".join(text.split())[:300]


def _classified(told: _Told, status: int | None) -> type[ProviderError]:
    words: set[str | None] = set()
    members: set[str] = set()
    for layer in told.layers():
        words |= {layer.code, layer.kind}
        members |= layer.members
    prose = " ".join(layer.message for layer in told.layers())
    return class_of(words, members, prose, status) or by_status(status)


def _made(
    told: _Told,
    status: int | None,
    target: Target,
    body: Any,
    *,
    headers: Mapping[str, str] | None = None,
    in_stream: bool = False,
) -> ProviderError:
    headers = headers or {}
    quoted = request_id(headers)
    if quoted is None and isinstance(body, dict):
        quoted = _word(cast("JsonObject", body).get("request_id"))
    # Status 413 is about one request's size whatever the code says (Groq's is rate_limit_exceeded).
    error = _classified(told, status)
    if status == 413 and error.__name__ == "RateLimited":
        error = by_status(status)
    inner = told.inner
    quoted_words = f"It quotes {told.quoting}: {inner.message} " if inner and inner.message and told.quoting else ""
    return error(
        told.message,
        provider=target.provider,
        model=target.model or None,
        status=status,
        code=told.code,
        kind=told.kind,
        param=told.param or _inner_param(told),
        request_id=quoted,
        retry_after=retry_after(headers),
        in_stream=in_stream,
        body=body,
        advice=quoted_words + error.advice,
    )


def _inner_param(told: _Told) -> str | None:
    return next((layer.param for layer in told.layers() if layer.param), None)


def decode_error(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> ProviderError:
    """The typed error for an answer of status >= 400; never raises."""
    try:
        parsed: Any = msgspec.json.decode(body) if body else None
        told = _told(parsed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parsed = body.decode("utf-8", "replace")
        told = _told(parsed)
    return _made(told, status, target, parsed, headers=headers)


def error_in_body(body: JsonObject, target: Target) -> ProviderError | None:
    """The error that a body of status 200 holds in place of an answer, or None.

    Without an answer, whatever it says is one: MiniMax says it under `base_resp`.
    """
    said: Any = body
    if not _is_error(body):
        said = body.get("base_resp") or body
        if any(body.get(name) is not None for name in ("choices", "data")) or not _told(said).message:
            return None
    told = _told(said)
    return _made(told, told.status, target, body)


def error_in_stream(name: str | None, data: JsonObject, target: Target) -> ProviderError | None:
    """The error that an event of a stream tells, or None."""
    if name != "error" and not _is_error(data):
        return None
    told = _told(data)
    return _made(told, told.status, target, data, in_stream=True)


def _is_error(body: JsonObject) -> bool:
    return bool(body.get("error")) or body.get("object") == "error"
