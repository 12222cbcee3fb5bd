"""Streams as the caller holds them."""

from __future__ import annotations

import asyncio
import gc

import pytest

import dragoman
from dragoman import StreamStateError, StreamTruncated
from dragoman.transport.fake import HANG
from dragoman.values import Finished, PartEnded, PartStarted, Started, TextDelta, UsageSeen
from tests.face.chat_wire import USAGE, frame, model_over, stream_of, streamed


def test_chunks_add_up_and_the_answer_is_there_at_the_end() -> None:
    model, transport = model_over([streamed("Hel", "lo")])
    with model.stream([dragoman.user("Hi")]) as stream:
        deltas = [chunk.delta for chunk in stream]
    assert "".join(deltas) == "Hello"
    assert stream.response.content == "Hello"
    assert stream.response.finish_reason == "stop"
    assert stream.response.usage.output_tokens == 3
    assert stream.response.request_id == "req-1"
    assert [attempt.outcome for attempt in stream.response.attempts] == ["ok"]
    assert transport.open_streams == 0


def test_a_plain_loop_works_too_sync_and_async() -> None:
    model, _ = model_over(lambda _request: streamed("a", "b"))
    assert "".join(chunk.delta for chunk in model.stream("Hi")) == "ab"

    async def there() -> str:
        return "".join([chunk.delta async for chunk in model.astream("Hi")])

    assert asyncio.run(there()) == "ab"


def test_events_come_in_their_lawful_order() -> None:
    model, _ = model_over([streamed("a", "b")])
    kinds = [type(chunk.event) for chunk in model.stream("Hi")]
    assert kinds[0] is Started
    assert kinds[-1] is Finished
    assert kinds.count(Started) == kinds.count(Finished) == 1
    assert [kind for kind in kinds if kind in (PartStarted, TextDelta, PartEnded)] == [
        PartStarted,
        TextDelta,
        TextDelta,
        PartEnded,
    ]
    assert UsageSeen in kinds


def test_reasoning_is_apart_from_the_answer() -> None:
    chunks = [frame({"reasoning_content": "hmm "}), frame({"content": "42"}), frame({}, "stop"), b"data: [DONE]\n\n"]
    model, _ = model_over([stream_of(*chunks)])
    stream = model.stream("Hi")
    read = [(chunk.delta, chunk.reasoning_delta) for chunk in stream]
    assert "".join(delta for delta, _ in read) == "42"
    assert "".join(reasoning for _, reasoning in read) == "hmm "
    assert stream.response.reasoning == "hmm "
    assert stream.response.content == "42"


def test_a_second_iteration_raises_and_so_does_an_answer_before_the_end() -> None:
    model, _ = model_over(lambda _request: streamed("a"))
    stream = model.stream("Hi")
    with pytest.raises(StreamStateError, match="read it to the end"):
        _ = stream.response
    list(stream)
    with pytest.raises(StreamStateError, match="iterated once"):
        iter(stream)


@pytest.mark.parametrize("ending", [[], [b"data: [DONE]\n\n"], [frame(None, usage=USAGE)]])
def test_a_stream_without_its_finish_never_looks_like_success(ending: list[bytes]) -> None:
    model, _ = model_over([stream_of(frame({"content": "Half"}), *ending)])
    stream = model.stream("Hi")
    with pytest.raises(StreamTruncated) as caught:
        list(stream)
    assert caught.value.partial.content == "Half"
    assert [attempt.outcome for attempt in caught.value.attempts] == ["error"]
    with pytest.raises(StreamStateError):
        _ = stream.response


def test_a_connection_cut_after_the_finish_is_a_complete_answer() -> None:
    cut = stream_of(frame({"content": "All"}), frame({}, "stop"), dragoman.ConnectionLost("reset"))
    model, _ = model_over([cut])
    stream = model.stream("Hi")
    assert "".join(chunk.delta for chunk in stream) == "All"
    assert not stream.response.usage


def test_a_connection_cut_before_the_finish_carries_what_came() -> None:
    model, _ = model_over([stream_of(frame({"content": "Half"}), dragoman.ConnectionLost("reset"))])
    with pytest.raises(dragoman.ConnectionLost) as caught:
        list(model.stream("Hi"))
    assert caught.value.partial.content == "Half"


def test_leaving_the_block_closes_the_connection_for_certain() -> None:
    model, transport = model_over(lambda _request: stream_of(frame({"content": "a"}), HANG))
    with model.stream("Hi") as stream:
        for chunk in stream:
            if chunk.delta:
                assert transport.open_streams == 1
                break
    assert transport.open_streams == 0

    async def there() -> None:
        async with model.astream("Hi") as stream:
            async for chunk in stream:
                if chunk.delta:
                    break
        assert transport.open_streams == 0

    asyncio.run(there())


def test_a_plain_break_closes_the_connection() -> None:
    model, transport = model_over(lambda _request: stream_of(frame({"content": "a"}), HANG))

    async def there() -> None:
        async for chunk in model.astream("Hi"):
            if chunk.delta:
                break
        gc.collect()
        assert transport.open_streams == 0

    asyncio.run(there())


def test_nothing_is_sent_before_the_first_chunk_is_read() -> None:
    model, transport = model_over([])
    stream = model.stream("Hi")
    stream.close()
    assert transport.requests == []
    assert list(stream) == []


def test_a_slow_reader_holds_the_provider_back() -> None:
    words = [f"{number} " for number in range(2000)]
    model, transport = model_over([streamed(*words)])
    stream = model.stream("Hi")
    first = next(stream)
    assert type(first.event) is Started
    assert transport.open_streams == 1
    assert "".join(chunk.delta for chunk in stream) == "".join(words)
    assert transport.open_streams == 0


def test_a_web_page_in_place_of_a_stream_is_told_as_such() -> None:
    from dragoman.transport import FakeTransport

    page = FakeTransport.streamed([b"<html>It works!</html>"], headers={"content-type": "text/html"})
    model, transport = model_over([page], max_retries=0)
    with pytest.raises(dragoman.ProtocolViolation, match=r"^chat_completions: .*web page"):
        list(model.stream("Hi"))
    assert transport.open_streams == 0
