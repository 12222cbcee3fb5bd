"""A provider whose log is the witness: what it read, by the id that each request carries in the name of its model.

It speaks openai-chat and anthropic, whole and streamed, slowly enough that deaths fall into the midst of answers. What
it says, counts and breaks follows from the number in the id, so that whoever knows the id knows the answer.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dragoman.testing.http_server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.testing.http_server import Connection, Received

__all__ = [
    "INPUT_PRICE",
    "OUTPUT_PRICE",
    "Witness",
    "cost_of",
    "fails_first",
    "holds",
    "is_cut",
    "number_of",
    "text_of",
]

INPUT_PRICE, OUTPUT_PRICE = Decimal("0.3"), Decimal("1.7")
"""US dollars per million tokens."""
WORDS = 6

Frame = tuple[str, dict[str, Any]]


def number_of(model: str) -> int:
    return int(model.rpartition("-")[2])


def text_of(model: str) -> str:
    return " ".join([f"answer to {model}", *(["and so on"] * WORDS)])


def input_tokens(model: str) -> int:
    return 10 + number_of(model) % 97


def output_tokens(model: str) -> int:
    return 5 + number_of(model) % 89


def cost_of(model: str) -> Decimal:
    """What a whole answer costs."""
    return (input_tokens(model) * INPUT_PRICE + output_tokens(model) * OUTPUT_PRICE) / 1_000_000


def fails_first(model: str) -> bool:
    """Whether the first attempt is answered with 500."""
    return number_of(model) % 29 == 7


def is_cut(model: str) -> bool:
    """Whether streams of it break off."""
    return number_of(model) % 23 == 3


def holds(model: str) -> bool:
    return "-hold-" in model


class Witness:
    """Runs in a thread of its own, for the length of a `with` block.

    `seen` counts the requests that it read, by model, and `keys` are the credentials that came with them, in order.
    Requests with `hold` in their model's name stand still (before the answer; in a stream, in its midst) until it is
    `released`.
    """

    def __init__(self, *, pause_seconds: float = 0.02) -> None:
        self._pause = pause_seconds
        self.seen: Counter[str] = Counter()
        self.keys: dict[str, list[str]] = {}
        self.released = threading.Event()
        self.server = HttpServer(self._answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/v1"

    def __enter__(self) -> Witness:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        assert not self.server.failures, self.server.failures

    async def _answer(self, received: Received, connection: Connection) -> None:
        body: dict[str, Any] = json.loads(received.body)
        model: str = body["model"]
        self.seen[model] += 1
        key = received.headers.get("x-api-key") or received.headers["authorization"].partition(" ")[2]
        self.keys.setdefault(model, []).append(key)
        dice = random.Random(number_of(model))
        chat = received.path.endswith("/chat/completions")
        if holds(model) and (fails_first(model) or not body.get("stream")) and await self._held(connection):
            return
        if fails_first(model) and self.seen[model] == 1:
            error = {"type": "error", "error": {"type": "api_error", "message": "not yet"}}
            await connection.whole(500, [("content-type", "application/json")], json.dumps(error).encode())
            return
        await asyncio.sleep(dice.uniform(0, 2 * self._pause))
        if not body.get("stream"):
            await asyncio.sleep(dice.uniform(0, 2 * self._pause))
            told = _chat_answer(model) if chat else _anthropic_answer(model)
            await connection.whole(200, [("content-type", "application/json")], json.dumps(told).encode())
            return
        await connection.head(200, [("content-type", "text/event-stream")], length=None)
        frames = _chat_frames(model) if chat else _anthropic_frames(model)
        for at, (name, data) in enumerate(frames):
            if at == WORDS and is_cut(model):
                connection.reset()
                return
            if at == WORDS and holds(model) and await self._held(connection):
                return
            event = f"event: {name}\n" if name else ""
            await connection.chunk(f"{event}data: {json.dumps(data)}\n\n".encode())
            await asyncio.sleep(dice.uniform(0, self._pause))
        if chat:
            await connection.chunk(b"data: [DONE]\n\n")
        await connection.chunk(b"")

    async def _held(self, connection: Connection) -> bool:
        """Waits for the release; whether the caller left before."""
        while not self.released.is_set():
            if await connection.until_left(0.02):
                return True
        return False


def _pieces(model: str) -> Iterator[str]:
    first, *rest = text_of(model).split(" and so on")
    yield first
    for piece in rest:
        yield f" and so on{piece}"


def _chat_usage(model: str) -> dict[str, int]:
    heard, said = input_tokens(model), output_tokens(model)
    return {"prompt_tokens": heard, "completion_tokens": said, "total_tokens": heard + said}


def _chat_answer(model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text_of(model)}
    return {
        "id": f"chatcmpl-{model}",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": _chat_usage(model),
    }


def _chat_frames(model: str) -> Iterator[Frame]:
    head = {"id": f"chatcmpl-{model}", "object": "chat.completion.chunk", "created": 1, "model": model}

    def chunk(delta: dict[str, str], finish: str | None = None) -> Frame:
        return "", {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": ""})
    for piece in _pieces(model):
        yield chunk({"content": piece})
    yield chunk({}, "stop")
    yield "", {**head, "choices": [], "usage": _chat_usage(model)}


def _anthropic_answer(model: str) -> dict[str, Any]:
    return {
        "id": f"msg_{model}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text_of(model)}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": input_tokens(model), "output_tokens": output_tokens(model)},
    }


def _anthropic_frames(model: str) -> Iterator[Frame]:
    message: dict[str, Any] = {**_anthropic_answer(model), "content": [], "stop_reason": None}
    message["usage"] = {"input_tokens": input_tokens(model), "output_tokens": 1}
    yield "message_start", {"type": "message_start", "message": message}
    block = {"type": "text", "text": ""}
    yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}
    for piece in _pieces(model):
        delta = {"type": "text_delta", "text": piece}
        yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    usage = {"output_tokens": output_tokens(model)}
    yield "message_delta", {"type": "message_delta", "delta": ended, "usage": usage}
    yield "message_stop", {"type": "message_stop"}
