"""Where each dialect is spoken on a server, how it shows a key, and when a request asks for a stream: rows of data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.values import JsonObject

__all__ = ["WIRES", "Address", "Wire", "address_of", "key_of"]


@dataclass(frozen=True)
class Wire:
    """One dialect on a server. `streams` says what asks for a stream: a member, its absence, or the path."""

    dialect: str
    chat: re.Pattern[str]
    version: str
    """The path that stands between a base address and the dialect's own paths."""
    embeddings: re.Pattern[str] | None = None
    counts: re.Pattern[str] | None = None
    key_headers: tuple[str, ...] = ("authorization",)
    streams: Literal["member", "unless", "path"] = "member"
    stream_type: str = "text/event-stream"
    request_id_header: str = "x-request-id"


WIRES: dict[str, Wire] = {
    wire.dialect: wire
    for wire in (
        Wire("openai-chat", re.compile(r"/chat/completions\Z"), "/v1", re.compile(r"(?<!/api)/embeddings\Z")),
        Wire("openai-responses", re.compile(r"/responses\Z"), "/v1", counts=re.compile(r"/responses/input_tokens\Z")),
        Wire(
            "anthropic",
            re.compile(r"/messages\Z"),
            "/v1",
            counts=re.compile(r"/messages/count_tokens\Z"),
            key_headers=("x-api-key", "authorization"),
            request_id_header="request-id",
        ),
        Wire(
            "gemini",
            re.compile(r"/models/(?P<model>[^/]+):(?:generateContent|(?P<stream>streamGenerateContent))\Z"),
            "/v1beta",
            re.compile(r"/models/(?P<model>[^/]+):(?:embedContent|batchEmbedContents)\Z"),
            re.compile(r"/models/(?P<model>[^/]+):countTokens\Z"),
            key_headers=("x-goog-api-key", "authorization"),
            streams="path",
        ),
        Wire(
            "ollama",
            re.compile(r"/api/chat\Z"),
            "/api",
            re.compile(r"/api/embed\Z"),
            key_headers=(),
            streams="unless",
            stream_type="application/x-ndjson",
        ),
        Wire("cohere", re.compile(r"/v2/chat\Z"), "/v2", re.compile(r"/v2/embed\Z")),
        Wire(
            "bedrock",
            re.compile(r"/model/(?P<model>[^/]+)/converse(?P<stream>-stream)?\Z"),
            "",
            counts=re.compile(r"/model/(?P<model>[^/]+)/count-tokens\Z"),
            streams="path",
            stream_type="application/vnd.amazon.eventstream",
            request_id_header="x-amzn-requestid",
        ),
    )
}


@dataclass(frozen=True)
class Address:
    """What a path means: whose dialect, what is asked for, and the model where the path names it."""

    wire: Wire
    kind: Literal["chat", "embeddings", "count"]
    model: str
    path_streams: bool

    def streams(self, body: JsonObject) -> bool:
        """Whether this request asks for a stream."""
        if self.wire.streams == "path":
            return self.path_streams
        asked: Any = body.get("stream")
        return asked is True or (self.wire.streams == "unless" and asked is None)


def address_of(path: str) -> Address | None:
    """The meaning of a path, whatever stands before the dialect's own; None for a path of no dialect."""
    plain = path.partition("?")[0]
    for wire in WIRES.values():
        found = wire.chat.search(plain)
        if found:
            named = found.groupdict()
            return Address(wire, "chat", unquote(named.get("model") or ""), bool(named.get("stream")))
        found = wire.embeddings.search(plain) if wire.embeddings else None
        if found:
            return Address(wire, "embeddings", unquote(found.groupdict().get("model") or ""), path_streams=False)
        found = wire.counts.search(plain) if wire.counts else None
        if found:
            return Address(wire, "count", unquote(found.groupdict().get("model") or ""), path_streams=False)
    return None


def key_of(wire: Wire, headers: Mapping[str, str]) -> str | None:
    """The key that a request shows in one of the wire's headers; a bearer's word is taken off."""
    for name in wire.key_headers:
        value = headers.get(name)
        if value:
            return value.removeprefix("Bearer ").removeprefix("bearer ").strip() or None
    return None
