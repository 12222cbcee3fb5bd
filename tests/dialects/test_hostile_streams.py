"""Hostile streams in every dialect: cut, repeated, spliced, unknown, malformed, failing. Each ends by a clear rule.

The streams are our own encoders', of an answer with words, thoughts beyond ASCII and a call whose arguments hold
escapes; what each wire has besides is in its dialect's own tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dragoman import dialects
from dragoman.errors import Overloaded, ProtocolViolation, ProviderError, StreamTruncated, TransportError
from dragoman.testing.laws import check_events, run_decoder
from dragoman.testing.replies import pieces_of
from dragoman.values import (
    Choice,
    Finish,
    Finished,
    Message,
    PartEnded,
    Request,
    Response,
    Target,
    Text,
    ToolCall,
    Usage,
    user,
)
from dragoman.values.unrolled import events_of
from tests.wire.binary_frames import BinaryFrame, binary_frames

if TYPE_CHECKING:
    from dragoman.testing.laws import Run

DIALECTS = dialects.names()
TARGET = Target(provider="fake", issuer="fake", model="m")
REQUEST = Request(model="m", messages=(user("Hi"),), stream=True, stream_usage=True)
ARGUMENTS = '{"city":"Zürich \\"west\\" \\n🌉"}'
WORDS = "Grüezi, wörld 🌉 and more"


def answer(number: int, words: str = WORDS) -> Response:
    """An answer with words and a call; answers of different numbers have different ids."""
    parts = (Text(text=words), ToolCall(id=f"call_{number}aaaaaaa", name="weather", arguments_text=ARGUMENTS))
    return Response(
        id=f"resp_{number}",
        model="m",
        choices=(Choice(message=Message("assistant", parts=parts), finish=Finish(reason="tool_calls")),),
        usage=Usage(input_tokens=9, output_tokens=7, total_tokens=16),
    )


def frames(dialect: str, response: Response, *, upto: int | None = None) -> list[bytes]:
    """The frames of the answer's stream; with `upto`, of its first events alone, and without the wire's end."""
    encoder = dialects.load(dialect).stream_encoder(REQUEST, TARGET)
    events = pieces_of(events_of(response))
    body = b"".join(encoder.feed(event) for event in events[:upto])
    if upto is None:
        body += encoder.close()
    return split(dialect, body)


def split(dialect: str, body: bytes) -> list[bytes]:
    framing = dialects.load(dialect).framing
    if framing == "eventstream":
        return [frame.wire() for frame in binary_frames(body)]
    blank = b"\r\n\r\n" if b"\r\n\r\n" in body else b"\n\n"
    end = blank if framing == "sse" else b"\n"
    return [frame + end for frame in body.split(end) if frame]


def strange(dialect: str, payload: bytes) -> bytes:
    """A frame that holds this and bears a name that no event has."""
    framing = dialects.load(dialect).framing
    if framing == "eventstream":
        headers = b"".join(
            bytes([len(name)]) + name + b"\x07" + len(value).to_bytes(2, "big") + value
            for name, value in ((b":event-type", b"mystery"), (b":message-type", b"event"))
        )
        return BinaryFrame(headers, payload, 0).wire()
    return b"data: " + payload + b"\n\n" if framing == "sse" else payload + b"\n"


def decoded(dialect: str, pieces: list[bytes]) -> Run:
    return run_decoder(dialects.load(dialect).stream_decoder(TARGET), pieces)


def said(run: Run) -> str:
    """The words shown, from the deltas alone."""
    return "".join(getattr(event, "text", "") for event in run.events if type(event).__name__ == "TextDelta")


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return request.param


def test_cut_at_every_byte_it_is_the_same_answer(dialect: str) -> None:
    body = b"".join(frames(dialect, answer(1)))
    whole = decoded(dialect, [body])
    assert whole.error is None
    response = check_events(whole.events)
    assert response is not None
    assert response.content == WORDS
    (call,) = response.tool_calls
    assert call.arguments == {"city": 'Zürich "west" \n🌉'}
    ended = [event.part for event in whole.events if isinstance(event, PartEnded)]
    for place in range(1, len(body)):
        run = decoded(dialect, [body[:place], body[place:]])
        assert run.error is None, place
        assert isinstance(run.events[-1], Finished)
        assert run.events[-1].response == response, place
        assert [event.part for event in run.events if isinstance(event, PartEnded)] == ended, place


def test_cut_off_before_its_finish_it_never_looks_complete(dialect: str) -> None:
    events = len(pieces_of(events_of(answer(1))))
    for upto in range(events - 1):
        run = decoded(dialect, frames(dialect, answer(1), upto=upto))
        assert isinstance(run.error, StreamTruncated), upto
        assert not any(isinstance(event, Finished) for event in run.events)
        assert run.error.partial.content == said(run)


def test_a_start_that_comes_twice_says_nothing_twice(dialect: str) -> None:
    first, *rest = frames(dialect, answer(1))
    run = decoded(dialect, [first, first, *rest])
    assert run.error is None or isinstance(run.error, ProtocolViolation)
    if run.error is None:
        response = check_events(run.events)
        assert response is not None
        # A wire without a start of its own has words in its first frame: there the frame is said again, and once more.
        assert response.content in (WORDS, said(run))
        assert len(response.tool_calls) == 1


NO_IDS = {"ollama": "its chunks carry no id, so a second answer cannot be told from more of the first"}


def test_two_answers_are_never_glued_together(dialect: str) -> None:
    if dialect in NO_IDS:
        pytest.skip(NO_IDS[dialect])
    events = len(pieces_of(events_of(answer(1))))
    half = frames(dialect, answer(1, "First answer."), upto=events // 3)
    run = decoded(dialect, [*half, *frames(dialect, answer(2, "Second answer."))])
    assert isinstance(run.error, ProtocolViolation)
    assert "Second" not in said(run)


def test_an_event_that_nobody_knows_changes_nothing(dialect: str) -> None:
    whole = frames(dialect, answer(1))
    expected = decoded(dialect, whole).events[-1]
    payload = b'{"type":"mystery","mystery":{"depth":[1,2,3]}}'
    for place in range(1, len(whole)):
        run = decoded(dialect, [*whole[:place], strange(dialect, payload), *whole[place:]])
        assert run.error is None, place
        finished = run.events[-1]
        assert isinstance(finished, Finished)
        assert isinstance(expected, Finished)
        assert finished.response.message == expected.response.message, place


def test_what_is_no_json_is_a_violation_with_what_came(dialect: str) -> None:
    whole = frames(dialect, answer(1))
    place = len(whole) // 2
    broken = whole[place][:-2].replace(b"{", b"{{", 1) + whole[place][-2:]
    if dialects.load(dialect).framing == "eventstream":
        frame = binary_frames(whole[place])[0]
        broken = frame.wire(frame.payload.replace(b"{", b"{{", 1))
    run = decoded(dialect, [*whole[:place], broken, *whole[place + 1 :]])
    assert isinstance(run.error, ProtocolViolation)
    assert run.error.partial.content == said(run)
    assert not any(isinstance(event, Finished) for event in run.events)


def test_an_error_after_content_is_raised_with_what_came(dialect: str) -> None:
    encoder = dialects.load(dialect).stream_encoder(REQUEST, TARGET)
    events = pieces_of(events_of(answer(1)))
    body = b"".join(encoder.feed(event) for event in events[: len(events) // 2])
    body += encoder.fail(Overloaded("too much", provider="fake", status=529))
    run = decoded(dialect, [body])
    assert isinstance(run.error, (ProviderError, TransportError))
    assert not isinstance(run.error, (StreamTruncated, ProtocolViolation))
    assert getattr(run.error, "in_stream", True)
    assert run.error.partial.content == said(run) != ""
