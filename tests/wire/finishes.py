"""Where in a recorded stream the answer is complete, found without our decoders: the witness for truncation tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from tests.wire.binary_frames import binary_frames, is_binary

__all__ = ["Finishes", "finishes", "frame_ends"]


@dataclass(frozen=True, slots=True)
class Finishes:
    """Lengths of prefixes: one shorter than `first` holds no finish; one of at least `last` holds them all.

    Between them the stream is complete or not depending on what a decoder can know (a second choice to come, a host
    that writes a finish on every chunk).
    """

    first: int
    last: int


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Each line without its end, and the offset just behind its content."""
    offset = 0
    for line in body.split(b"\n"):
        content = line.rstrip(b"\r")
        yield offset + len(content), content
        offset += len(line) + 1


def frame_ends(body: bytes) -> list[int]:
    """The offsets just behind the blank line that ends each frame, or behind each line where lines are frames."""
    if is_binary(body):
        return [frame.end for frame in binary_frames(body)]
    if body.startswith(b"{"):
        return [offset + 1 for offset, byte in enumerate(body) if byte == ord("\n")]
    ends: list[int] = []
    offset = 0
    for line in body.split(b"\n"):
        offset += len(line) + 1
        if not line.rstrip(b"\r") and offset <= len(body):
            ends.append(offset)
    return ends


def finishes(dialect: str, body: bytes) -> Finishes | None:
    """Where the finish of the stream is; None when it has none."""
    if is_binary(body):
        ends = [frame.end for frame in binary_frames(body) if frame.name == "messageStop"]
        return Finishes(ends[0], ends[-1]) if ends else None
    open_choices: set[int] = set()
    seen: set[int] = set()
    first = last = 0
    for end, line in _lines(body):
        if line.startswith(b"{"):
            line = b"data:" + line  # one JSON text a line, without the clothes of an event
        if not line.startswith(b"data:") or line.endswith(b"[DONE]"):
            continue
        event: Any = msgspec.json.decode(line[5:])
        for choice, finished in _choices(dialect, event):
            if choice not in seen:
                seen.add(choice)
                open_choices.add(choice)
            if finished:
                open_choices.discard(choice)
                last = end
        if seen and not open_choices and not first:
            first = end
    return Finishes(first, last) if first and not open_choices else None


def _choices(dialect: str, event: dict[str, Any]) -> Iterator[tuple[int, bool]]:
    """The choices that an event speaks of, and whether it ends them."""
    if dialect == "openai-chat":
        for choice in cast("list[dict[str, Any]]", event.get("choices") or []):
            yield choice.get("index", 0), bool(choice.get("finish_reason"))
    elif dialect == "openai-responses":
        yield 0, event.get("type") in ("response.completed", "response.incomplete", "response.failed")
    elif dialect == "anthropic":
        yield 0, event.get("type") == "message_delta" and bool(event["delta"].get("stop_reason"))
    elif dialect == "cohere":
        yield 0, event.get("type") == "message-end" and bool(event["delta"].get("finish_reason"))
    elif dialect == "ollama":
        yield 0, event.get("done") is True
    elif dialect == "gemini":
        candidates = cast("list[dict[str, Any]]", event.get("candidates") or [])
        for candidate in candidates:
            yield candidate.get("index", 0), bool(candidate.get("finishReason"))
        if not candidates and event.get("promptFeedback", {}).get("blockReason"):
            yield 0, True
    else:
        raise LookupError(f"where does a stream of {dialect} finish?")
