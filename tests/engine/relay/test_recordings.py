"""A relay passes recorded answers of its four dialects as the bytes that were recorded, and reads what they say."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from dragoman.catalogue import resolve
from dragoman.dialects import load
from dragoman.dialects.reading import parse
from dragoman.engine import Deployment, Meter
from dragoman.engine.relay import EDITS, RelayRequest, read_members, relay, relay_stream
from dragoman.engine.relay.edits import AnswerEdit
from dragoman.errors import DragomanError
from dragoman.routing import shows
from dragoman.transport import HttpResponse
from dragoman.transport.fake import FakeTransport
from dragoman.values import Finished, Started
from tests.wire.recordings import body_bytes, exchanges, stream_bytes, target_for

if TYPE_CHECKING:
    from dragoman.engine.relay import Passed
    from dragoman.values import Event, Response
    from tests.wire.recordings import Exchange


_ANSWERS = [
    exchange
    for exchange in exchanges()
    if exchange.dialect in EDITS and exchange.response.status == 200 and exchange.response.kind in ("body", "sse")
]
_WHOLE = [exchange for exchange in _ANSWERS if exchange.response.kind == "body"]
_STREAMS = [exchange for exchange in _ANSWERS if exchange.response.kind == "sse"]


def _deployment(exchange: Exchange, transport: FakeTransport, model: str) -> Deployment:
    assert exchange.dialect is not None
    access = resolve(
        "openai_compatible", dialect="openai-chat", model=model, base_url="http://127.0.0.1:9/v1", api_key="none"
    )
    row = msgspec.structs.replace(access.row, dialects=(exchange.dialect,))
    access = resolve(row, model=model, base_url="http://127.0.0.1:9/v1", api_key="none")
    target = msgspec.structs.replace(target_for(exchange), model=model)
    return Deployment(access=access.with_target(target), transport=transport)


def _asked(exchange: Exchange, model: str, *, stream: bool) -> RelayRequest:
    """The request that was recorded, or a plain one where the recording has an answer alone."""
    assert exchange.dialect is not None
    body: Any = exchange.request.body
    if not isinstance(body, dict):
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    data = msgspec.json.encode(body)
    return RelayRequest(dialect=exchange.dialect, model=model, body=data, members=read_members(data), stream=stream)


async def _stream(
    exchange: Exchange, chunks: list[bytes], asked: RelayRequest, upstream: str
) -> tuple[list[Passed], FakeTransport]:
    transport = FakeTransport([FakeTransport.streamed(chunks, headers={"content-type": "text/event-stream"})])
    deployment = _deployment(exchange, transport, upstream)
    stream = await relay_stream(deployment, asked, Meter(deployment, "test"), shows)
    try:
        passed = [piece async for piece in stream]
    finally:
        await stream.aclose()
    assert transport.open_streams == 0
    return passed, transport


def _decoded(exchange: Exchange, data: bytes) -> Response | DragomanError:
    """What the dialect's decoder makes of the whole stream: its answer, or the error it ends with."""
    assert exchange.dialect is not None
    decoder = load(exchange.dialect).stream_decoder(target_for(exchange))
    try:
        events: list[Event] = [*decoder.feed(data), *decoder.close()]
    except DragomanError as error:
        return error
    last = events[-1]
    assert isinstance(last, Finished)
    return last.response


@pytest.mark.parametrize("exchange", _WHOLE, ids=lambda exchange: exchange.case)
def test_a_whole_answer_passes_unchanged_and_is_read(exchange: Exchange) -> None:
    data = body_bytes(exchange)
    transport = FakeTransport([HttpResponse(200, {"content-type": "application/json"}, data)])
    deployment = _deployment(exchange, transport, "a-model")
    asked = _asked(exchange, "a-model", stream=False)
    codec = deployment.dialect
    try:
        expected = codec.decode_response(parse(data), deployment.target)
    except DragomanError as error:
        with pytest.raises(type(error)):
            asyncio.run(relay(deployment, asked, Meter(deployment, "test")))
        return
    passed = asyncio.run(relay(deployment, asked, Meter(deployment, "test")))
    assert passed.body == data
    read = passed.response
    assert read.usage == expected.usage
    assert (read.id, read.model, read.provider) == (expected.id, expected.model, expected.provider)
    assert (read.dialect, read.service_tier) == (expected.dialect, expected.service_tier)


@pytest.mark.parametrize("exchange", _STREAMS, ids=lambda exchange: exchange.case)
@pytest.mark.parametrize("cut", [None, 7, 1000], ids=["whole", "pieces-of-7", "pieces-of-1000"])
def test_a_stream_passes_whole_events_unchanged(exchange: Exchange, cut: int | None) -> None:
    data = stream_bytes(exchange)
    chunks = [data] if cut is None else [data[at : at + cut] for at in range(0, len(data), cut)]
    asked = _asked(exchange, "a-model", stream=True)
    option = EDITS[asked.dialect].usage_option
    if option is not None:  # a client that wants usage: then nothing is taken out
        members = {**asked.members, option[0]: msgspec.Raw(b'{"include_usage":true}')}
        asked = msgspec.structs.replace(asked, members=members)
    expected = _decoded(exchange, data)
    if isinstance(expected, DragomanError):
        with pytest.raises(type(expected)):
            asyncio.run(_stream(exchange, chunks, asked, "a-model"))
        return
    passed, _ = asyncio.run(_stream(exchange, chunks, asked, "a-model"))
    joined = b"".join(piece.data for piece in passed)
    assert joined.rstrip() == data.rstrip()
    ended = [piece.response for piece in passed if piece.response is not None]
    assert len(ended) == 1
    # An answer may be complete and empty: whoever waits for a part of it waits no longer.
    assert all(piece.shows for piece in passed if piece.response is not None)
    assert ended[0].usage == expected.usage
    assert ended[0].choices == expected.choices


@pytest.mark.parametrize("exchange", _STREAMS, ids=lambda exchange: exchange.case)
def test_a_renamed_model_is_named_as_it_was_asked_for(exchange: Exchange) -> None:
    data = stream_bytes(exchange)
    if isinstance(_decoded(exchange, data), DragomanError):
        return  # it ends in an error, which the tests above cover
    asked = _asked(exchange, "asked-name", stream=True)
    passed, transport = asyncio.run(_stream(exchange, [data], asked, "upstream-name"))
    joined = b"".join(piece.data for piece in passed)
    sent = msgspec.json.decode(transport.requests[0].body)
    if EDITS[asked.dialect].model_member is not None:
        assert sent["model"] == "upstream-name"
    assert exchange.dialect is not None
    decoder = load(exchange.dialect).stream_decoder(target_for(exchange))
    events = [*decoder.feed(joined), *decoder.close()]
    last = events[-1]
    assert isinstance(last, Finished)
    before = _decoded(exchange, data)
    assert not isinstance(before, DragomanError)
    assert last.response.choices == before.choices
    started = next(event for event in events if isinstance(event, Started))
    if before.model:  # where a provider's own fallback took over, the end names the one that answered
        assert started.model == "asked-name"


def test_events_that_begin_alike_are_renamed_alike() -> None:
    edit = AnswerEdit(EDITS["openai-chat"], "asked", hide_usage=True)
    events = [
        b'{"id":"1","model":"up","choices":[{"delta":{"content":"a"}}]}',
        b'{"id":"1","model":"up","choices":[{"delta":{"content":"the \\"model\\":\\"up\\""}}]}',
        b'{"id":"1","model":"up","choices":[],"usage":{"total_tokens":1}}',
        b'{"id":"1","model":"up","choices":[{"delta":{"content":"b"}}],"usage":null}',
        b'{"id":"1","model":"upper","choices":[{"delta":{"content":"c"}}]}',
        b'{"choices":[{"delta":{"content":"d"}}],"model":"up"}',
        b'{"id": "1", "model": "up", "choices": []}',
        b'{"id":"1","choices":[]}',
        b'{"id":"1","model":"up","choices":[{"model":"up"}]}',
    ]
    for data in events * 2:
        given = edit.event(data)
        # A fresh edit has seen no event before this one.
        fresh = AnswerEdit(EDITS["openai-chat"], "asked", hide_usage=True).event(data)
        assert (given is None) == (fresh is None)
        if given is not None and fresh is not None:
            assert parse(given) == parse(fresh)
            assert b'"asked"' in given or b"model" not in data
    assert edit.event(b'{"id":"1","choices":[]}') == b'{"id":"1","choices":[]}'
