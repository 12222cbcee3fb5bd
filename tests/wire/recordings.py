"""Recorded traffic of real providers: where it is, what one exchange holds, and the target it was made with.

The recordings lie beside the project, in `../shared/wire`, or where DRAGOMAN_WIRE says. They are no part of the
project: tests that need them call `require_recordings()` first, which skips their module with the reason where they
are absent.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import unquote, urlsplit

import msgspec

from dragoman.errors import DragomanError
from dragoman.values import Quirks, Target

__all__ = [
    "COUNTING_DIALECT_OF",
    "DIALECTS",
    "DIALECT_OF",
    "EMBEDDINGS_DIALECT_OF",
    "Exchange",
    "WireRequest",
    "WireResponse",
    "body_bytes",
    "exchanges",
    "require_recordings",
    "stream_bytes",
    "target_for",
    "wire_folder",
]

DIALECT_OF: Mapping[str, str] = {
    "openai.chat_completions": "openai-chat",
    "openai.responses": "openai-responses",
    "anthropic.messages": "anthropic",
    "google.generate_content": "gemini",
    "mistral.chat": "openai-chat",
    "ollama.chat": "ollama",
    "cohere.chat": "cohere",
    "bedrock.converse": "bedrock",
}
"""The recorded APIs that ask for an answer, and the dialect that speaks each."""

DIALECTS: tuple[str, ...] = tuple(dict.fromkeys(DIALECT_OF.values()))
"""Each dialect once."""

EMBEDDINGS_DIALECT_OF: Mapping[str, str] = {
    "openai.embeddings": "openai-chat",
    "google.embeddings": "gemini",
    "mistral.embeddings": "openai-chat",
    "ollama.embeddings": "ollama",
    "cohere.embeddings": "cohere",
}
"""The recorded APIs that ask for vectors, likewise."""

COUNTING_DIALECT_OF: Mapping[str, str] = {
    "anthropic.count_tokens": "anthropic",
    "google.count_tokens": "gemini",
    "bedrock.count_tokens": "bedrock",
}
"""The recorded APIs that count the tokens of a prompt, likewise."""

_SUFFIX_OF: Mapping[str, str] = {
    "openai.chat_completions": "/chat/completions",
    "openai.responses": "/responses",
    "anthropic.messages": "/messages",
    "openai.embeddings": "/embeddings",
    "mistral.chat": "/chat/completions",
    "ollama.chat": "/api/chat",
    "ollama.embeddings": "/api/embed",
    "cohere.chat": "/chat",
    "cohere.embeddings": "/embed",
}
"""How the path of the API's own call ends; other operations below the same name (retrieve, compact) are not it."""


@dataclass(frozen=True, slots=True)
class WireRequest:
    """What was sent. `body` is parsed JSON, None where the recording has an answer alone."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any

    @property
    def path(self) -> str:
        """The path with its query, from the root of the host."""
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


@dataclass(frozen=True, slots=True)
class WireResponse:
    """What came back. `content` is parsed JSON or text for "body", else the text of the stream, or base64."""

    status: int
    headers: Mapping[str, str]
    kind: Literal["body", "sse", "ndjson", "base64"]
    content: Any


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """One request and its answer: the `index`-th of `file`, a path below the recordings' folder."""

    file: str
    index: int
    provider: str
    api: str
    features: tuple[str, ...]
    origin: Literal["recorded", "fixture", "documented"]
    request: WireRequest
    response: WireResponse
    trimmed_base64: int = 0
    redacted_strings: int = 0

    @property
    def id(self) -> str:
        """A short name for test ids and reports."""
        return f"{self.file.removesuffix('.json')}[{self.index}]"

    @property
    def case(self) -> str:
        """The test id; `-k as-anthropic` chooses the cases of a dialect."""
        return f"as-{self.dialect or self.embeddings_dialect}/{self.id}"

    @property
    def dialect(self) -> str | None:
        """The dialect of the answer; None for an API, or an operation, that no dialect of ours speaks yet."""
        return self._dialect_among(DIALECT_OF)

    @property
    def embeddings_dialect(self) -> str | None:
        """The dialect that embeds; None for anything but an embeddings call."""
        return self._dialect_among(EMBEDDINGS_DIALECT_OF)

    @property
    def counting_dialect(self) -> str | None:
        """The dialect that counts; None for anything but a question for the tokens of a prompt."""
        return self._dialect_among(COUNTING_DIALECT_OF)

    def _dialect_among(self, table: Mapping[str, str]) -> str | None:
        name = table.get(self.api)
        suffix = _SUFFIX_OF.get(self.api, "")
        if name is None or self.request.method != "POST":
            return None
        return name if urlsplit(self.request.url).path.endswith(suffix) else None

    @property
    def is_error(self) -> bool:
        """Whether the status says that there was no answer."""
        return self.response.status >= 400

    @property
    def is_json_array_stream(self) -> bool:
        """Gemini's other stream form: one JSON list, sent piecemeal, when `alt=sse` is not asked for."""
        return isinstance(self.response.content, list) and self.api == "google.generate_content"

    @property
    def is_event_stream(self) -> bool:
        """AWS's binary form of streams, recorded as base64."""
        media_type = self.response.headers.get("content-type", "")
        return self.response.kind == "base64" and media_type.startswith("application/vnd.amazon.eventstream")

    @property
    def is_stream(self) -> bool:
        """Whether the answer is a stream with a 2xx status; a JSON list of Gemini's counts (see `stream_bytes`)."""
        return not self.is_error and (
            self.response.kind in ("sse", "ndjson") or self.is_json_array_stream or self.is_event_stream
        )

    @property
    def is_answer(self) -> bool:
        """Whether the answer is one JSON object with a 2xx status (it may still hold an error)."""
        return not self.is_error and self.response.kind == "body" and isinstance(self.response.content, dict)


def wire_folder() -> Path:
    """Where the recordings are, or would be."""
    named = os.environ.get("DRAGOMAN_WIRE")
    return Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared" / "wire"


def require_recordings() -> None:
    """Skips the calling test module, once and with the reason, where there are no recordings."""
    if not exchanges():
        import pytest

        pytest.skip(
            "the recordings of providers' traffic are not here (../shared/wire, or set DRAGOMAN_WIRE)",
            allow_module_level=True,
        )


@cache
def exchanges() -> tuple[Exchange, ...]:
    """Every recorded exchange, in the order of the files; none where there are no recordings."""
    folder = wire_folder()
    return tuple(exchange for file in sorted(folder.glob("*/*.json")) for exchange in _read(file, folder))


def _read(file: Path, folder: Path) -> Iterator[Exchange]:
    recording = cast("dict[str, Any]", msgspec.json.decode(file.read_bytes()))
    for index, entry in enumerate(cast("list[dict[str, Any]]", recording["exchanges"])):
        request, response = entry["request"], entry["response"]
        kind: Any = next(name for name in ("body", "sse", "ndjson", "base64") if name in response)
        yield Exchange(
            file=str(file.relative_to(folder)),
            index=index,
            provider=entry.get("provider", recording["provider"]),
            api=entry.get("api", recording["api"]),
            features=tuple(entry.get("features", recording["features"])),
            origin=recording["source"]["origin"],
            request=WireRequest(request["method"], request["url"], _lower(request["headers"]), request.get("body")),
            response=WireResponse(response["status"], _lower(response["headers"]), kind, response[kind]),
            trimmed_base64=entry.get("trimmed_base64", 0),
            redacted_strings=entry.get("redacted_strings", 0),
        )


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def body_bytes(exchange: Exchange) -> bytes:
    """The answer's body as bytes, whatever its kind but base64."""
    content = exchange.response.content
    if content is None:
        return b""
    return content.encode() if isinstance(content, str) else msgspec.json.encode(content)


def stream_bytes(exchange: Exchange) -> bytes:
    """The bytes of a streamed answer.

    Gemini's JSON-list form, which we never ask for, is given as the SSE stream of the same objects.
    """
    if exchange.is_json_array_stream:
        return b"".join(b"data: " + msgspec.json.encode(item) + b"\r\n\r\n" for item in exchange.response.content)
    if exchange.is_event_stream:
        return base64.b64decode(exchange.response.content)
    return body_bytes(exchange)


def target_for(exchange: Exchange, *, issuer: str | None = None, quirks: bool = True) -> Target:
    """The party that answered. `quirks` False leaves the catalogue's deviations out; `issuer` names another issuer."""
    body: Any = exchange.request.body
    model: Any = cast("dict[str, Any]", body).get("model") if isinstance(body, dict) else None
    if not isinstance(model, str) or exchange.api.startswith("google."):  # Google's paths name it, without `models/`
        model = _model_in(exchange.request.url)
    return Target(
        provider=exchange.provider,
        issuer=issuer or exchange.provider,
        model=model,
        quirks=_quirks_of(exchange.provider) if quirks else Quirks(),
    )


def _model_in(url: str) -> str:
    path = urlsplit(url).path
    _, found, rest = path.partition("/model/")
    if found:  # AWS: one segment, escaped
        return unquote(rest.partition("/")[0])
    _, found, rest = path.partition("/models/")
    return rest.partition(":")[0] if found else ""


@cache
def _quirks_of(provider: str) -> Quirks:
    """The quirks of the catalogue's row; the defaults for a provider that has none."""
    find = _catalogue_find()
    if find is None:
        return Quirks()
    try:
        return find(provider).quirks
    except DragomanError:
        return Quirks()


@cache
def _catalogue_find() -> Callable[[str], Any] | None:
    try:
        return import_module("dragoman.catalogue").find
    except (ImportError, AttributeError):
        return None
