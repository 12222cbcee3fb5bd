"""What a dialect is: a set of pure functions and two kinds of stream machine.

Client side (towards a provider): `encode_request`, `decode_response`, `stream_decoder`, `decode_error`.
Server side (towards a client of ours): `decode_request`, `encode_response`, `stream_encoder`, `encode_error`.

The same `Target` is passed to both sides: it names whose replay state may be sent, the model, and the quirks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from dragoman.errors import DragomanError, ProviderError
from dragoman.values import (
    Adaptation,
    EmbeddingRequest,
    EmbeddingResponse,
    Event,
    JsonObject,
    Request,
    Response,
    Target,
)

__all__ = [
    "Dialect",
    "EncodedBody",
    "EncodedError",
    "EncodedRequest",
    "StreamDecoder",
    "StreamEncoder",
]


class EncodedRequest(msgspec.Struct, frozen=True):
    """A request on the wire; `path` follows the versioned base address and may hold a query."""

    path: str
    body: JsonObject
    headers: tuple[tuple[str, str], ...] = ()
    adaptations: tuple[Adaptation, ...] = ()


class EncodedBody(msgspec.Struct, frozen=True):
    """An answer on the wire, and what it could not say."""

    body: JsonObject
    adaptations: tuple[Adaptation, ...] = ()


class EncodedError(msgspec.Struct, frozen=True):
    """An error on the wire."""

    status: int
    body: JsonObject
    headers: tuple[tuple[str, str], ...] = ()


class StreamDecoder(Protocol):
    """bytes of one streamed answer → events, framing included.

    `feed` raises `ProviderError` (with `in_stream`, `partial`, `usage`) for an error event and `ProtocolViolation` for
    what is not the dialect; events decoded before that in the same piece are in the error's `events` attribute.
    `close` is called at the end of the body: it gives the last events, or raises `StreamTruncated` with the partial
    answer when no finish was seen. After `Finished` was given, `feed` ignores what the wire still says, except what
    the dialect documents (usage after the finish is awaited before `Finished` is given).
    """

    def feed(self, data: bytes) -> list[Event]: ...

    def again(self, data: bytes) -> Event | None:
        """The event in these bytes, if they are known to be exactly one more piece of what came last, and no more.

        None says nothing of them: they are as yet unread, and to be fed.
        """
        ...

    def close(self) -> list[Event]: ...

    def partial(self) -> Response:
        """The answer as far as it came."""
        ...


class StreamEncoder(Protocol):
    """events → bytes of a streamed answer in this dialect, framing included."""

    def feed(self, event: Event) -> bytes: ...

    def close(self) -> bytes:
        """The wire's own end, if `Finished` was fed; nothing otherwise."""
        ...

    def fail(self, error: DragomanError) -> bytes:
        """An error in mid-stream, as this dialect's clients understand it."""
        ...

    def adaptations(self) -> tuple[Adaptation, ...]:
        """What the wire could not say so far."""
        ...


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One wire protocol. `path` in `decode_request` is the request's own path, for wires that say things there."""

    name: str
    encode_request: Callable[[Request, Target], EncodedRequest]
    decode_request: Callable[..., Request]
    """`decode_request(body, target, path="")`: raises `InvalidRequest` naming the member."""
    encode_response: Callable[[Response, Target], EncodedBody]
    decode_response: Callable[[Any, Target], Response]
    """From the parsed body. An error object inside a 200 raises `ProviderError`; another shape `ProtocolViolation`."""
    stream_decoder: Callable[[Target], StreamDecoder]
    stream_encoder: Callable[[Request, Target], StreamEncoder]
    decode_error: Callable[[int, Mapping[str, str], bytes, Target], ProviderError]
    """`decode_error(status, headers, body, target)` for an answer of status >= 400; never raises."""
    encode_error: Callable[[DragomanError], EncodedError]
    meter_response: Callable[[bytes, Target], Response | None] | None = None
    """From the bytes of a whole answer that pass unread: the answer without its content; None where only
    `decode_response` can judge it. For the dialects that are relayed."""
    encode_embedding_request: Callable[[EmbeddingRequest, Target], EncodedRequest] | None = None
    decode_embedding_request: Callable[..., EmbeddingRequest] | None = None
    encode_embedding_response: Callable[[EmbeddingResponse, Target], EncodedBody] | None = None
    decode_embedding_response: Callable[[Any, Target], EmbeddingResponse] | None = None
    encode_count_request: Callable[[Request, Target], EncodedRequest] | None = None
    """The question how many tokens a request's prompt takes; None where the wire has none. All four or none."""
    decode_count_request: Callable[..., Request] | None = None
    encode_count_response: Callable[[int, Target], EncodedBody] | None = None
    decode_count_response: Callable[[Any, Target], int] | None = None
    framing: Literal["sse", "ndjson", "eventstream"] = "sse"
