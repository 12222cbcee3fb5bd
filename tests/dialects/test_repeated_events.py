"""Events that are the one before with another text are read by their text alone, and mean what they always meant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dragoman import dialects
from dragoman.dialects.sse_stream import SseStream
from dragoman.errors import DragomanError, ProtocolViolation
from dragoman.values import Target, TextDelta
from tests.wire.recordings import exchanges, stream_bytes, target_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.values import Event, Response
    from tests.wire.recordings import Exchange

TARGET = Target(provider="fake", issuer="fake", model="m")
_STREAMS = [
    exchange
    for exchange in exchanges()
    if exchange.response.kind == "sse" and exchange.dialect in ("anthropic", "openai-chat", "openai-responses")
]


class Counting:
    """A decoder, and how many of its events were read by their text alone."""

    def __init__(self, exchange: Exchange, *, knows: bool) -> None:
        assert exchange.dialect is not None
        decoder = dialects.load(exchange.dialect).stream_decoder(target_for(exchange))
        assert isinstance(decoder, SseStream)
        if not knows:
            decoder.forgo_repeats()
        self.decoder = decoder

    def run(self, pieces: Sequence[bytes]) -> tuple[list[Event], Response, str]:
        events: list[Event] = []
        try:
            for piece in pieces:
                events += self.decoder.feed(piece)
            events += self.decoder.close()
        except DragomanError as error:
            return [*events, *error.__dict__.get("events", ())], self.decoder.partial(), str(error)
        return events, self.decoder.partial(), ""


def _blocks(data: bytes) -> list[bytes]:
    return [block + b"\n\n" for block in data.split(b"\n\n") if block]


@pytest.mark.parametrize("exchange", _STREAMS, ids=lambda exchange: exchange.case)
@pytest.mark.parametrize("cut", ["events", "pairs", 7, 500])
def test_recorded_streams_mean_the_same(exchange: Exchange, cut: str | int) -> None:
    data = stream_bytes(exchange)
    blocks = _blocks(data)
    if cut == "events":
        pieces = blocks
    elif cut == "pairs":
        pieces = [*blocks[:6], *(b"".join(blocks[at : at + 2]) for at in range(6, len(blocks), 2))]
    else:
        pieces = [data[at : at + int(cut)] for at in range(0, len(data), int(cut))]
    assert Counting(exchange, knows=True).run(pieces) == Counting(exchange, knows=False).run(pieces)


def _chunk(text: str, **members: Any) -> bytes:
    delta: dict[str, Any] = {"content": text}
    choice = {"index": members.pop("index", 0), "delta": delta, "finish_reason": members.pop("finish", None)}
    return b"data: " + json.dumps({"id": "c1", "choices": [choice], **members}, ensure_ascii=False).encode() + b"\n\n"


def _warm() -> SseStream:
    """A decoder that has seen what comes again."""
    decoder = dialects.load("openai-chat").stream_decoder(TARGET)
    assert isinstance(decoder, SseStream)
    for text in ("One", " two", " three", " four"):
        decoder.feed(_chunk(text))
    assert decoder.again(_chunk(" five")) == TextDelta(0, " five")
    return decoder


def _said(decoder: SseStream) -> str:
    return decoder.partial().message.content


@pytest.mark.parametrize("text", [' "quoted"', " back\\slash\\", " line\nbreak", " 🌉 ü", '","finish_reason":"stop'])
def test_any_text_is_read_as_it_is(text: str) -> None:
    decoder = _warm()
    assert decoder.again(_chunk(text)) == TextDelta(0, text)
    assert decoder.again(json_escaped(text)) == TextDelta(0, text)
    assert _said(decoder) == "One two three four five" + text * 2


def json_escaped(text: str) -> bytes:
    """The same with everything beyond ASCII escaped."""
    return _chunk("@").replace(b'"@"', json.dumps(text).encode())


@pytest.mark.parametrize(
    "other",
    [
        _chunk(""),
        _chunk(" x", index=1),
        _chunk(" x", finish="stop"),
        _chunk(" x", usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}),
        _chunk(" x")[:-1],
        _chunk(" x") + b"data",
        _chunk(" x") + _chunk(" y"),
        _chunk(" x").replace(b'"content": " x"', b'"content": " x", "refusal": "no"'),
        _chunk(" x").replace(b'" x"', b'" \xff"'),
        _chunk(" x").replace(b'" x"', b'" x'),
        _chunk(" x").replace(b'"c1"', b'"c2"'),
        b"",
    ],
)
def test_anything_else_is_left_unread(other: bytes) -> None:
    decoder = _warm()
    before = _said(decoder)
    assert decoder.again(other) is None
    assert _said(decoder) == before


def test_a_second_answer_is_refused_still() -> None:
    decoder = _warm()
    with pytest.raises(ProtocolViolation, match="second answer"):
        decoder.feed(_chunk(" x", role="assistant").replace(b'"c1"', b'"c2"'))


def test_several_in_one_piece_are_read_one_by_one() -> None:
    decoder = _warm()
    piece = _chunk(" a") + _chunk(" b") + _chunk(" c", finish="stop") + b"data: [DONE]\n\n"
    texts = [event.text for event in decoder.feed(piece) if isinstance(event, TextDelta)]
    assert texts == [" a", " b", " c"]
    assert decoder.partial().finish_reason == "stop"


def test_what_is_cut_is_put_together() -> None:
    decoder = _warm()
    whole = _chunk(" six")
    assert decoder.feed(whole[:20]) == []
    assert decoder.again(whole) is None  # it would stand within the one that has begun
    assert decoder.feed(whole[20:]) == [TextDelta(0, " six")]


def test_what_adds_up_is_read_from_every_event() -> None:
    decoder = _warm()
    told = b'"finish_reason": null, "logprobs": {"content": [{"token": "?"}]}'
    for text in "abcdef":
        piece = _chunk(text).replace(b'"finish_reason": null', told)
        assert decoder.again(piece) is None
        decoder.feed(piece)
    decoder.feed(_chunk("", finish="stop") + b"data: [DONE]\n\n")
    assert len(decoder.partial().choices[0].extras["openai-chat"]["logprobs"]["content"]) == 6


def test_a_member_that_says_nothing_may_differ() -> None:
    decoder = dialects.load("openai-chat").stream_decoder(TARGET)
    for number in range(4):
        decoder.feed(_chunk(f" {number}", obfuscation="x" * number))
    piece = _chunk(" more", obfuscation="abcdefgh")
    assert decoder.again(piece) == TextDelta(0, " more")
    assert decoder.again(piece.replace(b"abcdefgh", b'a"b')) is None
