"""Recorder: a transport that passes requests on and writes each exchange to a file, without its secrets."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from dragoman.errors import ConfigError
from dragoman.testing.redacting import REMOVED, safe_headers, safe_request_headers, safe_url, without_secrets
from dragoman.transport.seam import HttpResponse

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Mapping, Sequence
    from types import TracebackType

    from dragoman.transport.seam import HttpRequest, HttpStream, Transport

__all__ = ["RecordedAnswer", "RecordedRequest", "Recording", "RecordingTransport", "read_recordings"]

VERSION = 1
_CREDENTIAL_HEADERS = ("authorization", "x-api-key", "x-goog-api-key", "api-key", "x-portkey-api-key")
_LEAST_SECRET = 6  # shorter ones ("k", "none") would blot out words


class RecordedRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request as it is kept. `json` is its body parsed; `text` the body where it is no JSON."""

    method: str
    url: str
    headers: dict[str, str] = {}
    json: Any = None
    text: str | None = None


class RecordedAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer as it is kept: its body in the pieces in which it came, as text, or as base64 where it is none.

    `complete` is False where the reader left, or the connection was lost, before the body's end.
    """

    status: int
    headers: dict[str, str] = {}
    pieces: tuple[str, ...] = ()
    coding: Literal["text", "base64"] = "text"
    streamed: bool = False
    complete: bool = True

    def chunks(self) -> list[bytes]:
        """The pieces as bytes."""
        if self.coding == "base64":
            return [base64.b64decode(piece) for piece in self.pieces]
        return [piece.encode("utf-8", "surrogateescape") for piece in self.pieces]


class Recording(msgspec.Struct, frozen=True, omit_defaults=True):
    """One exchange, and the version of this form."""

    request: RecordedRequest
    answer: RecordedAnswer
    v: int = VERSION


class RecordingTransport:
    """Passes requests to `inner` (by default the shared transport of the process) and writes each exchange to `folder`.

    >>> model = get_model("openai/gpt-4o", transport=RecordingTransport("tests/recorded"))

    Files are named `0001-chat-completions.json` and so on, after those that are there. Kept are the headers that matter
    to the answer, and no credential: neither in headers nor in the address, nor the key itself if it stands in a body.
    The words of prompts and answers are kept: look at what you publish. `secrets` are further texts to remove. An
    exchange that ends in a `TransportError` before its head is not written.
    """

    def __init__(
        self, folder: str | os.PathLike[str], inner: Transport | None = None, *, secrets: Sequence[str] = ()
    ) -> None:
        self._folder = Path(folder)
        self._inner = inner
        self._secrets = tuple(secrets)
        self._lock = Lock()
        self._number = 0

    async def send(self, request: HttpRequest) -> HttpResponse:
        """As `Transport.send`; the exchange is written when the answer is whole."""
        answer = await self._transport().send(request)
        self._write(request, answer.status, answer.headers, [answer.body], streamed=False, complete=True)
        return answer

    async def stream(self, request: HttpRequest) -> HttpStream:
        """As `Transport.stream`; the exchange is written when the stream is closed."""
        return _RecordedStream(self, request, await self._transport().stream(request))

    async def aclose(self) -> None:
        """Closes the transport within."""
        await self._transport().aclose()

    async def __aenter__(self) -> RecordingTransport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _transport(self) -> Transport:
        if self._inner is not None:
            return self._inner
        from dragoman.engine.shared import shared_transport

        return shared_transport()

    def _write(
        self,
        request: HttpRequest,
        status: int,
        headers: Mapping[str, str],
        chunks: Sequence[bytes],
        *,
        streamed: bool,
        complete: bool,
    ) -> None:
        secrets = (*self._secrets, *_keys_of(request))
        pieces, coding = _as_pieces(chunks, secrets)
        recording = Recording(
            request=recorded_request(request, secrets),
            answer=RecordedAnswer(
                status=status,
                headers=safe_headers(headers.items()),
                pieces=pieces,
                coding=coding,
                streamed=streamed,
                complete=complete,
            ),
        )
        data = msgspec.json.format(msgspec.json.encode(recording), indent=1)
        last = request.url.partition("?")[0].rstrip("/").split("/")[-2:]
        words = re.sub(r"[^a-z0-9]+", "-", "-".join(last).lower()).strip("-")
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._number = max(self._number, *(_number_of(path) for path in self._folder.glob("*.json")), 0) + 1
            (self._folder / f"{self._number:04}-{words[:60]}.json").write_bytes(data + b"\n")


class _RecordedStream:
    """A stream that keeps what passes, and writes it down once, when it is closed."""

    def __init__(self, transport: RecordingTransport, request: HttpRequest, inner: HttpStream) -> None:
        self._transport = transport
        self._request = request
        self._inner = inner
        self._chunks: list[bytes] = []
        self._bytes = aiter(inner)
        self._complete = False
        self._written = False

    @property
    def status(self) -> int:
        return self._inner.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._inner.headers

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._bytes)
        except StopAsyncIteration:
            self._complete = True
            raise
        self._chunks.append(chunk)
        return chunk

    async def aread(self) -> bytes:
        return b"".join([chunk async for chunk in self])

    async def aclose(self) -> None:
        await self._inner.aclose()
        if not self._written:
            self._written = True
            self._transport._write(  # pyright: ignore[reportPrivateUsage] - two halves of one thing
                self._request, self.status, self.headers, self._chunks, streamed=True, complete=self._complete
            )


def recorded_request(request: HttpRequest, secrets: Sequence[str]) -> RecordedRequest:
    """The request as it is kept."""
    body: Any = None
    text: str | None = None
    try:
        body = without_secrets(msgspec.json.decode(request.body), secrets)
    except msgspec.DecodeError:
        text = without_secrets(request.body.decode("utf-8", "replace"), secrets)
    return RecordedRequest(
        method=request.method,
        url=safe_url(request.url),
        headers=safe_request_headers(request.headers),
        json=body,
        text=text,
    )


def read_recordings(folder: str | os.PathLike[str]) -> list[tuple[str, Recording]]:
    """The recordings of a folder with their files' names, in the order of the names. Raises `ConfigError`."""
    found: list[tuple[str, Recording]] = []
    for path in sorted(Path(folder).glob("*.json")):
        try:
            recording = msgspec.json.decode(path.read_bytes(), type=Recording)
        except (OSError, msgspec.DecodeError) as error:
            raise ConfigError(f"{path} is no recording: {error}") from None
        if recording.v != VERSION:
            raise ConfigError(f"{path} is of version {recording.v} of recordings; this release reads {VERSION}")
        found.append((path.name, recording))
    return found


def _keys_of(request: HttpRequest) -> list[str]:
    """The credential that the request shows, to be removed wherever else it stands."""
    shown = [value for name, value in request.headers if name.lower() in _CREDENTIAL_HEADERS]
    keys = [value.removeprefix("Bearer ").strip() for value in shown]
    return [key for key in keys if len(key) >= _LEAST_SECRET]


def _as_pieces(chunks: Sequence[bytes], secrets: Sequence[str]) -> tuple[tuple[str, ...], Literal["text", "base64"]]:
    """Text where every piece is text by itself; else the whole as one text; else base64.

    What holds a secret becomes one piece, for the secret may lie across two.
    """
    whole = b"".join(chunks)
    secret = any(one.encode() in whole for one in secrets)
    for held in ([whole],) if secret else (chunks, [whole]):
        try:
            texts = [chunk.decode() for chunk in held]
        except UnicodeDecodeError:
            continue
        return tuple(without_secrets(text, secrets) for text in texts if text), "text"
    for one in secrets:
        whole = whole.replace(one.encode(), REMOVED.encode())
    return tuple(base64.b64encode(chunk).decode() for chunk in ([whole] if secret else chunks)), "base64"


def _number_of(path: Path) -> int:
    digits = path.name.partition("-")[0]
    return int(digits) if digits.isdigit() else 0
