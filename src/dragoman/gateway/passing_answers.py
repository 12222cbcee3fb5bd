"""Answers that pass through: as they come, but for those that tell of objects, whose owner is recorded first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from dragoman.dialects import load
from dragoman.errors import (
    AuthenticationFailed,
    DragomanError,
    NotFound,
    PermissionDenied,
    ProtocolViolation,
    QuotaExhausted,
    TransportError,
)
from dragoman.framing import SseDecoder
from dragoman.gateway.forwarding import answer_headers, upload_address
from dragoman.gateway.holdings import account_of, knows_all, may_have
from dragoman.gateway.provider_objects import COLLECTIONS, created_by, listed_in, named_in_path, results_in
from dragoman.gateway.server.refusals import RequestRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dragoman.engine import Deployment, Meter
    from dragoman.gateway.forwarding import Destination
    from dragoman.gateway.server.call import Call
    from dragoman.gateway.visits import Visit
    from dragoman.transport import HttpStream
    from dragoman.transport.seam import HttpRequest
    from dragoman.values import JsonObject

__all__ = ["Passage", "Rest", "exchanged"]

_READ_WHOLE_BYTES: Final = 8 * 1024 * 1024
"""Answers that may tell of objects are read whole up to here; an answer that only tells of one is never this long."""

_WITHHELD: Final = frozenset((401, 402, 403, 407))
_parse = msgspec.json.Decoder().decode


class Passage:
    """One exchange that passes: the visit, where it goes, and whether an object of the caller's holds what is there."""

    def __init__(self, visit: Visit, deployment: Deployment, to: Destination, prefix: str, outer: bool) -> None:
        self.visit = visit
        self.deployment = deployment
        self.to = to
        self.prefix = prefix
        self.outer = outer

    @property
    def telling(self) -> bool:
        """Whether the answer may tell of objects."""
        steps = self.to.path.partition(":")[0].split("/")
        last = steps[-1]
        return (last != "content" and any(step in COLLECTIONS for step in steps)) or ":" in self.to.path

    @property
    def listing(self) -> str:
        """The collection that is listed; empty where none is, or where all of it is the caller's."""
        last = self.to.path.rstrip("/").rpartition("/")[2]
        listed = self.visit.call.method in ("GET", "HEAD") and last in COLLECTIONS
        return last if listed and not self.outer and not knows_all(self.visit.principal) else ""


class Rest:
    """What is left to do when the attempt is settled: the last bytes of the answer."""

    def __init__(self, call: Call, last: tuple[int, list[tuple[bytes, bytes]], bytes] | None) -> None:
        self._call = call
        self._last = last

    async def end(self) -> None:
        if self._last is not None:
            await self._call.respond(*self._last)
        else:
            await self._call.end_stream()


async def exchanged(passage: Passage, http: HttpRequest, meter: Meter) -> Rest:
    """Sends the request and passes the answer on, all but its end, which is left to the caller.

    Raises a `DragomanError`; the answer may have begun by then (`Call.started`).
    """
    deployment = passage.deployment
    try:
        transport = deployment.open_transport()
        if (signer := deployment.access.signer) is not None:
            http = await signer.sign(http, transport)
        answer = await transport.stream(http)
    except TransportError as error:
        error.met_at(deployment.target.provider)
        raise
    try:
        meter.first_byte()
        meter.status = answer.status
        meter.request_id = answer.headers.get("x-request-id") or answer.headers.get("request-id")
        return await _returned(passage, answer)
    finally:
        await answer.aclose()


async def _returned(passage: Passage, answer: HttpStream) -> Rest:
    call, visit, deployment = passage.visit.call, passage.visit, passage.deployment
    provider = deployment.target.provider
    if 300 <= answer.status < 400 and answer.status != 304:
        error = ProtocolViolation("the provider answered with a redirect, which is not followed")
        error.met_at(provider)
        raise error
    if answer.status in _WITHHELD:
        raise _withheld(await answer.aread(), answer, deployment)
    headers = answer_headers(answer.headers)
    host = call.fields.get(b"host", b"").decode("latin-1")
    headers += upload_address(
        answer.headers, deployment.access.base_url, passage.prefix, f"{call.scheme}://{host}" if host else ""
    )
    headers.append((b"x-dragoman-request-id", visit.request_id.encode()))
    pieces = aiter(answer)
    head: list[bytes] = []
    good = 200 <= answer.status < 300
    kind = answer.headers.get("content-type", "")
    if good and call.method == "DELETE":
        await _forget(passage)
    if good and passage.telling and call.method != "HEAD":
        if "json" in kind:
            whole = await _read_whole(pieces, head, passage)
            if whole is not None:
                return Rest(call, (answer.status, headers, await _learn(passage, whole)))
        elif kind.startswith("text/event-stream"):
            return await _learn_stream(passage, answer.status, headers, pieces)
    return await _stream(call, answer.status, headers, head, pieces)


async def _stream(
    call: Call, status: int, headers: list[tuple[bytes, bytes]], head: list[bytes], pieces: AsyncIterator[bytes]
) -> Rest:
    if status in (204, 304) or call.method == "HEAD":
        return Rest(call, (status, headers, b""))
    call.start_stream(status, headers)
    for piece in head:
        await call.write(piece)
    async for piece in pieces:
        await call.write(piece)
    return Rest(call, None)


def _withheld(body: bytes, answer: HttpStream, deployment: Deployment) -> DragomanError:
    kinds = {402: QuotaExhausted, 403: PermissionDenied}
    read = load(deployment.access.dialect).decode_error(answer.status, answer.headers, body, deployment.target)
    if isinstance(read, (AuthenticationFailed, PermissionDenied, QuotaExhausted, NotFound)):
        return read
    return kinds.get(answer.status, AuthenticationFailed)(
        read.provider_message, provider=deployment.target.provider, status=answer.status
    )


# -- objects -----------------------------------------------------------------------------------------------------------


async def _read_whole(pieces: AsyncIterator[bytes], head: list[bytes], passage: Passage) -> bytes | None:
    """The whole answer; None, with what was read in `head`, for one that is too long to tell of an object."""
    size = 0
    async for piece in pieces:
        head.append(piece)
        size += len(piece)
        if size > _READ_WHOLE_BYTES:
            if passage.listing:
                raise RequestRefused(502, "listing_too_long", "the listing is too long; ask for fewer at a time")
            return None
    return b"".join(head)


async def _learn(passage: Passage, body: bytes) -> bytes:
    """Records what an answer tells of as made; takes out of a listing what is not the caller's."""
    visit = passage.visit
    try:
        parsed: Any = _parse(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if passage.listing:
            raise RequestRefused(502, "invalid_listing", "the provider's listing is not valid JSON") from None
        return body
    if passage.listing:
        return await _filtered(passage, parsed, body)
    method = visit.call.method
    made = created_by(passage.to.path, parsed) if method in ("POST", "PUT") else []
    if method in ("POST", "GET") and passage.outer:
        made += results_in(parsed)
    await visit.desk.holdings.record(visit.principal, account_of(passage.deployment), dict.fromkeys(made))
    return body


async def _filtered(passage: Passage, parsed: Any, body: bytes) -> bytes:
    listed = listed_in(passage.listing, parsed)
    if listed is None:
        return b"{}" if parsed != {} else body
    member, items = listed
    visit = passage.visit
    account = account_of(passage.deployment)
    known = await visit.desk.holdings.find({name: None for name, _ in items if name})
    kept = [
        item
        for name, item in items
        if any(state.account == account and may_have(visit.principal, state) for state in known.get(name, ()))
    ]
    if len(kept) == len(items):
        return body
    told = {**parsed, member: kept}
    for cursor, at in (("first_id", 0), ("last_id", -1)):
        if cursor in told:
            told[cursor] = kept[at].get("id") if kept else None
    for total in ("total", "totalSize", "total_count"):
        told.pop(total, None)
    return msgspec.json.encode(told)


async def _learn_stream(
    passage: Passage, status: int, headers: list[tuple[bytes, bytes]], pieces: AsyncIterator[bytes]
) -> Rest:
    """A stream whose first event names what it makes, as that of a response does: held until its owner is known."""
    decoder = SseDecoder()
    held: list[bytes] = []
    size = 0
    async for piece in pieces:
        held.append(piece)
        size += len(piece)
        events = decoder.feed(piece)
        if events or size > _READ_WHOLE_BYTES:
            made = _made_in(passage, events[0].data if events else b"")
            await passage.visit.desk.holdings.record(passage.visit.principal, account_of(passage.deployment), made)
            break
    return await _stream(passage.visit.call, status, headers, held, pieces)


def _made_in(passage: Passage, data: bytes) -> list[str]:
    try:
        parsed: Any = _parse(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    inner: Any = cast("JsonObject", parsed).get("response") if isinstance(parsed, dict) else None
    return created_by(passage.to.path, inner if isinstance(inner, dict) else parsed)


async def _forget(passage: Passage) -> None:
    named = named_in_path(passage.to.path)
    steps = passage.to.path.rstrip("/").split("/")
    # Deleting what lies under an object leaves the object.
    if named and named[-1].name == "/".join(steps[-2:]):
        await passage.visit.desk.holdings.forget(named[-1].name, account_of(passage.deployment))
