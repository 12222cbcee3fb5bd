"""A party that answers: reads a request in any dialect, refuses what is wrong with it, and replies in that dialect.

Both doors stand on it: the fake provider over HTTP, and the scripted transport without any network.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, cast
from zlib import crc32

import msgspec

from dragoman.dialects import load
from dragoman.dialects.reading import parse
from dragoman.errors import (
    AuthenticationFailed,
    DragomanError,
    InvalidRequest,
    NotFound,
    ProtocolViolation,
    ProviderError,
)
from dragoman.testing.listing import KEY_HEADERS, listed
from dragoman.testing.refusals import refuse
from dragoman.testing.replies import count_tokens, input_tokens, told
from dragoman.testing.wires import Address, address_of, key_of
from dragoman.values import EmbeddingRequest, EmbeddingResponse, Request, Target, Usage, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dragoman.dialects import Dialect, EncodedError
    from dragoman.testing.replies import Reply, Told
    from dragoman.values import JsonObject

__all__ = ["Answered", "Party", "Seen"]

JSON = "application/json"
VECTOR_LENGTH = 8


@dataclass
class Seen:
    """One request as it came, and what became of it.

    `request` is what our codec read in it (None where it was refused before that), `key` the credential it showed.
    `ended` tells how the answer ended: "whole", "cut" (by a fault) or "left" (by the caller).
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    number: int = 0
    dialect: str = ""
    key: str | None = None
    model: str = ""
    streamed: bool = False
    request: Request | EmbeddingRequest | None = None
    status: int = 0
    ended: Literal["", "whole", "cut", "left"] = ""


@dataclass(frozen=True)
class Answered:
    """An answer on the wire: a whole body, or the frames of a stream, each an event, and its proper end.

    `fail` writes an error into the stream, as the dialect does it. `cut` is what breaks the stream off after them.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    frames: tuple[bytes, ...] | None = None
    end: bytes = b""
    fail: Callable[[DragomanError], bytes] | None = None
    cut: DragomanError | None = None


class Party:
    """`say` gives the reply to a request, the number of which is counted from 1; see `replies.Reply`.

    `key` and `models` are what is accepted: None means any key (but one there must be, where the wire has keys) and
    any model. `strict` False refuses only what cannot be read. `usage_unasked`: streams tell usage without being asked.
    """

    def __init__(
        self,
        say: Callable[[Request, int], Reply],
        *,
        key: str | None = None,
        models: Collection[str] | None = None,
        strict: bool = True,
        usage_unasked: bool = False,
        name: str = "fake",
    ) -> None:
        self._say = say
        self.key = key
        self.models = models
        self.strict = strict
        self.usage_unasked = usage_unasked
        self.name = name
        self.requests: list[Seen] = []
        self._lock = Lock()
        self._asked = 0

    def see(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Seen:
        """Notes a request in the log, before anything is made of it."""
        try:
            parsed: Any = parse(body) if body else None
        except ProtocolViolation:
            parsed = body
        with self._lock:
            seen = Seen(method, path, headers, parsed, number=len(self.requests) + 1)
            self.requests.append(seen)
        address = address_of(path)
        if address is not None:
            seen.dialect = address.wire.dialect
            seen.key = key_of(address.wire, headers)
            if isinstance(parsed, dict):
                held = cast("dict[str, Any]", parsed)
                seen.model = address.model or str(held.get("model") or "")
                seen.streamed = address.kind == "chat" and address.streams(held)
        return seen

    def answer(self, seen: Seen) -> Answered:
        """What goes back. Only a scripted error that is no provider's (see `DragomanError`) is raised."""
        address = address_of(seen.path)
        if seen.method == "GET" and (models := listed(seen.path, seen.headers, self.models or ())) is not None:
            return self._listing(seen, models)
        if address is None or seen.method != "POST":
            return _plain(404, {"error": {"message": f"no such path: {seen.method} {seen.path}"}})
        dialect = load(address.wire.dialect)
        try:
            return self._answer(seen, address, dialect)
        except (ProviderError, InvalidRequest) as error:
            return self.error(seen, error)

    def error(self, seen: Seen, error: DragomanError, status: int | None = None) -> Answered:
        """An error in the dialect of the request."""
        address = address_of(seen.path)
        if address is None:
            return _plain(status or 500, {"error": {"message": error.message}})
        encoded = error_of(load(address.wire.dialect), error)
        return Answered(
            status or encoded.status,
            (("content-type", JSON), *encoded.headers, _id(address, seen)),
            msgspec.json.encode(encoded.body),
        )

    def _answer(self, seen: Seen, address: Address, dialect: Dialect) -> Answered:
        body = self._readable(seen)
        self._admit(seen, address)
        target = Target(provider=self.name, issuer=self.name, model=seen.model)
        if address.kind == "embeddings":
            return self._vectors(seen, address, dialect, body, target)
        if address.kind == "count":
            return self._count(seen, address, dialect, body, target)
        if self.strict:
            refuse(dialect.name, body)
        request = dialect.decode_request(body, target, path=seen.path)
        seen.request = request
        with self._lock:
            self._asked += 1
            number = self._asked
        reply = told(self._say(request, number), request, number=number)
        if seen.streamed:
            return self._stream(seen, address, dialect, request, target, reply)
        if reply.error is not None:
            raise reply.error
        encoded = dialect.encode_response(reply.response, target)
        headers = (("content-type", JSON), _id(address, seen))
        return Answered(200, headers, msgspec.json.encode(encoded.body))

    @staticmethod
    def _readable(seen: Seen) -> dict[str, Any]:
        body = seen.body
        if not isinstance(body, dict):
            raise InvalidRequest("We could not parse the JSON body of your request: it is not a JSON object.")
        if not seen.headers.get("content-type", "").startswith(JSON):
            raise InvalidRequest("The content type of a request must be application/json.")
        return cast("dict[str, Any]", body)

    def _admit(self, seen: Seen, address: Address) -> None:
        if address.wire.key_headers:
            if seen.key is None:
                raise AuthenticationFailed("You did not provide an API key.")
            if self.key is not None and seen.key != self.key:
                raise AuthenticationFailed("Incorrect API key provided.")
        if self.models is not None and seen.model and seen.model not in self.models:
            raise NotFound(f"The model {seen.model!r} does not exist or you do not have access to it.")

    def _listing(self, seen: Seen, models: JsonObject) -> Answered:
        shown = [seen.headers.get(name, "").removeprefix("Bearer ") for name in KEY_HEADERS]
        if self.key is not None and self.key not in shown and not seen.path.endswith("/api/tags"):
            return _plain(401, {"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}})
        return _plain(200, models)

    def _stream(
        self, seen: Seen, address: Address, dialect: Dialect, request: Request, target: Target, reply: Told
    ) -> Answered:
        encoder = dialect.stream_encoder(replace(request, stream_usage=True) if self.usage_unasked else request, target)
        frames = tuple(frame for frame in map(encoder.feed, reply.stream()) if frame)
        headers = (("content-type", address.wire.stream_type), _id(address, seen))
        if isinstance(reply.error, ProviderError):
            return Answered(200, headers, frames=frames, end=encoder.fail(reply.error))
        return Answered(200, headers, frames=frames, end=encoder.close(), fail=encoder.fail, cut=reply.error)

    @staticmethod
    def _count(seen: Seen, address: Address, dialect: Dialect, body: dict[str, Any], target: Target) -> Answered:
        assert dialect.decode_count_request is not None  # the table of addresses has none of the others
        assert dialect.encode_count_response is not None
        request = dialect.decode_count_request(body, target, path=seen.path)
        seen.request = request
        encoded = dialect.encode_count_response(input_tokens(request), target)
        return Answered(200, (("content-type", JSON), _id(address, seen)), msgspec.json.encode(encoded.body))

    def _vectors(
        self, seen: Seen, address: Address, dialect: Dialect, body: dict[str, Any], target: Target
    ) -> Answered:
        if dialect.decode_embedding_request is None or dialect.encode_embedding_response is None:
            raise NotFound(f"{dialect.name} has no embeddings.")
        request = dialect.decode_embedding_request(body, target, path=seen.path.partition("?")[0])
        seen.request = request
        tokens = sum(map(count_tokens, request.inputs))
        response = EmbeddingResponse(
            vectors=tuple(_vector(text, request.dimensions or VECTOR_LENGTH) for text in request.inputs),
            model=request.model,
            usage=Usage(input_tokens=tokens, total_tokens=tokens),
        )
        encoded = dialect.encode_embedding_response(response, target)
        return Answered(200, (("content-type", JSON), _id(address, seen)), msgspec.json.encode(encoded.body))


def _vector(text: str, dimensions: int) -> tuple[float, ...]:
    """Eighths, which floats of every width hold exactly; another text gives another vector."""
    return tuple((crc32(f"{place} {text}".encode()) % 16 - 8) / 8 for place in range(dimensions))


def _id(address: Address, seen: Seen) -> tuple[str, str]:
    return address.wire.request_id_header, f"req_{seen.number}"


def _plain(status: int, body: Any) -> Answered:
    return Answered(status, (("content-type", JSON),), msgspec.json.encode(body))


def error_of(dialect: Dialect, error: DragomanError) -> EncodedError:
    """An error on the wire, with the status that it names itself."""
    encoded = dialect.encode_error(error)
    status = error.status if isinstance(error, ProviderError) else None
    if status is None or status == encoded.status:
        return encoded
    return msgspec.structs.replace(encoded, status=status)
