"""What the dialects cost by themselves: a streamed text delta, and a request of 100 kB, decoded and encoded."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from benchmarks import wire
from benchmarks.report import Table, is_quick
from dragoman import dialects
from dragoman.values import (
    Event,
    Message,
    MessageRole,
    Request,
    Target,
    Text,
    ToolCall,
    ToolDefinition,
    assistant,
    tool_result,
    user,
)

__all__ = ["tables"]

EVENTS = 200
BODY_BYTES = 100_000
_TURN_BYTES = 900
_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "The city's name"}, "days": {"type": "integer"}},
    "required": ["city"],
}


class Effort(NamedTuple):
    """How long to measure: the best of so many rounds of so many seconds."""

    rounds: int
    seconds: float


def _best(work: Callable[[], object], effort: Effort) -> float:
    """CPU seconds of one run, in the round that was disturbed least."""
    work()
    best = float("inf")
    for _ in range(effort.rounds):
        runs, begun = 0, time.process_time()
        while (used := time.process_time() - begun) < effort.seconds:
            work()
            runs += 1
        best = min(best, used / runs)
    return best


# -- streams -----------------------------------------------------------------------------------------------------------


def _events(dialect: dialects.Dialect, target: Target, pieces: Sequence[bytes]) -> list[Event]:
    decoder = dialect.stream_decoder(target)
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [*events, *decoder.close()]


def _stream_row(name: str, effort: Effort) -> Sequence[str]:
    dialect, target = dialects.load(name), Target(provider="bench", issuer="bench", model="model")
    frames = wire.frames(name, wire.words(EVENTS))
    whole = [b"".join(frames)]
    events = _events(dialect, target, frames)
    assert sum(type(event).__name__ == "TextDelta" for event in events) >= EVENTS - 1
    request = Request(model="model", stream=True, stream_usage=True)

    def encode() -> None:
        encoder = dialect.stream_encoder(request, target)
        for event in events:
            encoder.feed(event)
        encoder.close()

    apart = _best(lambda: _events(dialect, target, frames), effort) / EVENTS
    together = _best(lambda: _events(dialect, target, whole), effort) / EVENTS
    encoded = _best(encode, effort) / EVENTS
    return name, *(f"{seconds * 1e6:.1f} µs" for seconds in (apart, together, encoded))


# -- requests ----------------------------------------------------------------------------------------------------------


def _conversation() -> Request:
    """A long talk with tools: text, calls and their results in turns, until it is large enough."""
    filler = "".join(wire.words(_TURN_BYTES // 5))[:_TURN_BYTES]
    messages: list[Message] = []
    size = 0
    while size < BODY_BYTES:
        call = ToolCall(id=f"call_{len(messages)}", name="forecast", arguments_text='{"city":"Istanbul","days":3}')
        messages += [
            user(f"What will the weather be? {filler}"),
            Message(MessageRole.ASSISTANT, parts=(Text(text="I shall ask."), call)),
            tool_result(call, f"Sunny, 21 degrees. {filler}"),
            assistant(f"It will be sunny. {filler}"),
        ]
        size += 3 * _TURN_BYTES + 400
    tools = tuple(
        ToolDefinition(name=name, description="Tells the weather to come.", input_schema=_SCHEMA)
        for name in ("forecast", "archive", "warnings", "stations")
    )
    return Request(model="model", messages=(*messages, user("Thanks.")), tools=tools, max_tokens=300, temperature=0.5)


def _request_row(name: str, effort: Effort) -> Sequence[str]:
    dialect, target = dialects.load(name), Target(provider="bench", issuer="bench", model="model")
    encoded = dialect.encode_request(_conversation(), target)
    body = msgspec.json.encode(encoded.body)
    request = dialect.decode_request(msgspec.json.decode(body), target, encoded.path)
    decode_json = _best(lambda: msgspec.json.decode(body), effort)
    decode = _best(lambda: dialect.decode_request(msgspec.json.decode(body), target, encoded.path), effort)
    encode_json = _best(lambda: msgspec.json.encode(encoded.body), effort)
    encode = _best(lambda: msgspec.json.encode(dialect.encode_request(request, target).body), effort)
    figures = (decode, decode_json, encode, encode_json)
    return name, f"{len(body) / 1000:.0f} kB", *(f"{seconds * 1e6:.0f} µs" for seconds in figures)


def tables(effort: Effort) -> list[Table]:
    """Both tables, all dialects that `wire` writes."""
    how = f"CPU time, best of {effort.rounds} rounds."
    return [
        Table(
            "Codecs: a streamed text delta",
            f"{how} Streams of {EVENTS} deltas, start, end and usage shared among them, bytes to events and back, "
            "framing and JSON included.",
            ("dialect", "decoded, each fed alone", "decoded, fed at once", "encoded"),
            [_stream_row(name, effort) for name in wire.DIALECTS],
        ),
        Table(
            "Codecs: a request of 100 kB",
            f"{how} A conversation with four tools, calls and results; bytes to values and back. Beside each the part "
            "of it that is JSON alone.",
            ("dialect", "body", "decoded", "JSON alone", "encoded", "JSON alone"),
            [_request_row(name, effort) for name in wire.DIALECTS],
        ),
    ]


if __name__ == "__main__":
    for each in tables(Effort(1, 0.001) if is_quick(__doc__) else Effort(7, 0.1)):
        print(each.markdown())
