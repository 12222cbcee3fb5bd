"""Targets, and streams of this wire written by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from dragoman.dialects.openai_chat.dialect import DIALECT
from dragoman.values import Adaptation, ChatQuirks, Extras, Quirks, Request, Response, Target
from tests.wire.laws import Run, run_decoder

JSON = dict[str, Any]

OPENAI = Target(provider="openai", issuer="openai", model="gpt-4o")
DEEPSEEK = Target(provider="deepseek", issuer="deepseek", model="deepseek-chat")
OPENROUTER = Target(provider="openrouter", issuer="openrouter", model="anthropic/claude-sonnet-4.5")


def target(**quirks: Any) -> Target:
    """A host with these deviations."""
    return Target(provider="host", issuer="host", model="m", quirks=Quirks(chat=ChatQuirks(**quirks)))


def members_of(extras: Extras) -> JSON:
    """This dialect's members, without the notes."""
    return {name: value for name, value in extras.get("openai-chat", {}).items() if not name.startswith(":")}


def actions(adaptations: Iterable[Adaptation]) -> list[tuple[str, str]]:
    return [(entry.action, entry.path) for entry in adaptations]


def sse(*chunks: JSON, done: bool = True) -> bytes:
    frames = [b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks]
    return b"".join([*frames, b"data: [DONE]\n\n"] if done else frames)


def chunk(delta: JSON | None = None, *, finish: str | None = None, index: int = 0, **members: Any) -> JSON:
    """A chunk of one choice; with `delta` None, one without choices."""
    choices = [] if delta is None else [{"index": index, "delta": delta, "finish_reason": finish}]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": "gpt-4o-2024-08-06",
        "choices": choices,
        **members,
    }


def run(body: bytes, whom: Target = OPENAI) -> Run:
    return run_decoder(DIALECT.stream_decoder(whom), [body])


def finished(body: bytes, whom: Target = OPENAI) -> Response:
    """The whole answer of a stream that has to be complete."""
    outcome = run(body, whom)
    assert outcome.error is None, outcome.error
    assert outcome.response is not None
    return outcome.response


def encoded_stream(outcome: Run, whom: Target = OPENAI, request: Request | None = None) -> bytes:
    encoder = DIALECT.stream_encoder(request or Request(model="m", stream=True, stream_usage=True), whom)
    return b"".join([*(encoder.feed(event) for event in outcome.events), encoder.close()])


def frames(body: bytes) -> list[JSON]:
    """The chunks of a stream."""
    lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    return [msgspec.json.decode(line) for line in lines if line != b"[DONE]"]
