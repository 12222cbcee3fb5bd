"""Small hand-written answers of the `openai-chat` wire, and models over a scripted transport."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import dragoman
from dragoman.transport import FakeTransport, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman import ChatModel
    from dragoman.transport.fake import Chunk, Script

JSON = {"content-type": "application/json", "x-request-id": "req-1"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def model_over(script: Script, **options: Any) -> tuple[ChatModel, FakeTransport]:
    """A model of a compatible host whose answers are scripted."""
    transport = FakeTransport(script)
    model = dragoman.ProviderRegistry.get_provider(
        "chat_completions",
        model=options.pop("model", "m"),
        base_url=options.pop("base_url", "http://127.0.0.1:9/v1"),
        api_key="k",
        transport=transport,
        **options,
    )
    return model, transport


def answer(text: str = "Hello.", **message: Any) -> HttpResponse:
    """A whole answer that says this."""
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, **message},
                "finish_reason": "tool_calls" if "tool_calls" in message else "stop",
            }
        ],
        "usage": USAGE,
    }
    return HttpResponse(200, JSON, json.dumps(body).encode())


def failure(
    status: int, *, code: str | None = None, message: str = "no", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """An error answer."""
    body = {"error": {"message": message, "type": "some_error", "param": None, "code": code}}
    return HttpResponse(status, {**JSON, **(headers or {})}, json.dumps(body).encode())


def frame(delta: dict[str, Any] | None, finish: str | None = None, **members: Any) -> bytes:
    """One SSE frame of a stream; without a delta, one without choices."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": choices}
    return b"data: " + json.dumps({**body, **members}).encode() + b"\n\n"


def streamed(*words: str, ending: bool = True) -> Any:
    """A streamed answer of these words, whole or (without ending) cut before its finish."""
    chunks: list[Chunk] = [frame({"role": "assistant", "content": ""})]
    chunks += [frame({"content": word}) for word in words]
    if ending:
        chunks += [frame({}, "stop"), frame(None, usage=USAGE), b"data: [DONE]\n\n"]
    return stream_of(*chunks)


def stream_of(*chunks: Chunk) -> Any:
    """A streamed answer of these chunks."""
    return FakeTransport.streamed(chunks, headers={"content-type": "text/event-stream", "x-request-id": "req-1"})


def sent(transport: FakeTransport, index: int = 0) -> dict[str, Any]:
    """The body of a request that was made."""
    return json.loads(transport.requests[index].body)
