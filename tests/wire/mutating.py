"""Deterministic damage to recorded JSON and streams: wrong types, missing members, frames lost, doubled and swapped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from tests.wire.binary_frames import binary_frames, is_binary

__all__ = ["mutated_frames", "mutations"]

_WRONG: tuple[Any, ...] = (None, 7, -1.5, True, "", "x", [], [None], {}, {"x": 1}, [[]])
_REMOVED = object()

_Path = tuple[str | int, ...]


def mutations(body: Any, *, limit: int, seed: int) -> Iterator[tuple[str, Any]]:
    """Copies of the body with one place damaged, and what was done; at most about `limit`, the same in every run."""
    places = list(_places(body, ()))
    every = len(places) * (len(_WRONG) + 1)
    stride = max(1, every // limit)
    for number in range(seed % stride, every, stride):
        path = places[number // (len(_WRONG) + 1)]
        choice = number % (len(_WRONG) + 1)
        wrong = _WRONG[choice] if choice < len(_WRONG) else _REMOVED
        yield f"{_told(path)} = {'removed' if wrong is _REMOVED else wrong!r}", _damaged(body, path, wrong)


def _places(value: Any, path: _Path) -> Iterator[_Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            yield from _places(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _places(item, (*path, index))


def _damaged(value: Any, path: _Path, wrong: Any) -> Any:
    step, *rest = path
    copied: Any = value.copy()
    if rest:
        copied[step] = _damaged(value[step], tuple(rest), wrong)
    elif wrong is _REMOVED:
        del copied[step]
    else:
        copied[step] = wrong
    return copied


def _told(path: _Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def mutated_frames(body: bytes, *, limit: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Copies of a stream with one frame damaged inside, left out, doubled, or swapped with the next."""
    if is_binary(body):
        yield from _mutated_binary(body, limit=limit, seed=seed)
        return
    if body.startswith(b"{"):  # one JSON text a line: as events, and back
        events = b"".join(b"data: " + line + b"\n\n" for line in body.splitlines() if line)
        for what, damaged in mutated_frames(events, limit=limit, seed=seed):
            yield what, damaged.replace(b"\n\n", b"\n").replace(b"data: ", b"")
        return
    frames = [frame for frame in body.replace(b"\r\n", b"\n").split(b"\n\n") if frame]
    chosen = range(seed % max(1, len(frames) // limit), len(frames), max(1, len(frames) // limit))
    for number in chosen:
        before, frame, after = frames[:number], frames[number], frames[number + 1 :]
        yield f"frame {number} left out", _joined([*before, *after])
        yield f"frame {number} doubled", _joined([*before, frame, frame, *after])
        yield f"frame {number} cut", _joined([*before, frame[: len(frame) * 2 // 3], *after])
        if after:
            yield f"frame {number} swapped", _joined([*before, after[0], frame, *after[1:]])
        head, found, data = frame.partition(b"data: ")
        if found and data.startswith(b"{") and b"\n" not in data.strip():
            for what, damaged in mutations(msgspec.json.decode(data), limit=6, seed=seed + number):
                changed = head + found + msgspec.json.encode(damaged)
                yield f"frame {number} {what}", _joined([*before, changed, *after])


def _mutated_binary(body: bytes, *, limit: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """The same of an AWS event stream, whose checksums are set right again, or wrong."""
    messages = binary_frames(body)
    frames = [message.wire() for message in messages]
    assert b"".join(frames) == body
    for number in range(seed % max(1, len(frames) // limit), len(frames), max(1, len(frames) // limit)):
        before, frame, after = frames[:number], frames[number], frames[number + 1 :]
        changed = {"left out": [], "doubled": [frame, frame], "cut": [frame[: len(frame) * 2 // 3]]}
        changed["with a wrong byte"] = [frame[:-6] + bytes([frame[-6] ^ 1]) + frame[-5:]]
        for what, pieces in changed.items():
            yield f"frame {number} {what}", b"".join([*before, *pieces, *after])
        if after:
            yield f"frame {number} swapped", b"".join([*before, after[0], frame, *after[1:]])
        for what, damaged in mutations(msgspec.json.decode(messages[number].payload), limit=6, seed=seed + number):
            wire = messages[number].wire(msgspec.json.encode(damaged))
            yield f"frame {number} {what}", b"".join([*before, wire, *after])


def _joined(frames: list[bytes]) -> bytes:
    return b"".join(frame + b"\n\n" for frame in frames)
