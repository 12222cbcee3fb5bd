"""Answers on the wire of any dialect, as its own server side writes them, and models over a scripted transport."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import dragoman
from dragoman.dialects import load
from dragoman.transport import FakeTransport, HttpResponse
from dragoman.values import (
    ArgumentsDelta,
    Choice,
    Finish,
    Message,
    MessageRole,
    Part,
    Request,
    Response,
    Target,
    Text,
    TextDelta,
    ToolCall,
    Usage,
)
from dragoman.values.unrolled import events_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman import ChatModel
    from dragoman.transport import HttpRequest
    from dragoman.values import Event

PROVIDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai-chat": ("chat_completions", {"base_url": "http://127.0.0.1:9/v1"}),
    "openai-responses": ("openai", {}),
    "anthropic": ("anthropic", {}),
    "gemini": ("google", {}),
    "bedrock": ("bedrock", {"region": "us-east-1"}),
    "cohere": ("cohere", {}),
    "ollama": ("ollama", {}),
}
"""For each dialect, a provider that speaks it, and what it needs to be told."""

_STREAMED = {"bedrock": "application/vnd.amazon.eventstream", "ollama": "application/x-ndjson"}


def model_of(dialect: str, script: Any, **options: Any) -> tuple[ChatModel, FakeTransport]:
    """A model of a provider of this dialect, whose answers are scripted."""
    provider, needed = PROVIDERS[dialect]
    transport = FakeTransport(script)
    model = dragoman.ProviderRegistry.get_provider(
        provider, model="m", dialect=dialect, api_key="k", transport=transport, max_retries=0, **needed, **options
    )
    return model, transport


def said(*parts: Part | str, finish: Any = "stop") -> Response:
    """An answer of these parts."""
    message = Message(MessageRole.ASSISTANT, parts)
    if message.tool_calls:
        finish = "tool_calls"
    return Response(
        id="answer-1",
        model="m",
        created=1,
        choices=(Choice(message=message, finish=Finish(reason=finish)),),
        usage=Usage(input_tokens=7, output_tokens=3),
    )


def call(name: str, arguments: Any, id: str = "call_1") -> ToolCall:
    """A call of a tool."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCall(id=id, name=name, arguments_text=text)


def whole(dialect: str, response: Response) -> HttpResponse:
    """The answer in one body."""
    body = load(dialect).encode_response(response, Target()).body
    return HttpResponse(200, {"content-type": "application/json"}, json.dumps(body).encode())


def streamed(dialect: str, response: Response) -> Any:
    """The answer as a stream, its text and arguments in pieces."""
    encoder = load(dialect).stream_encoder(Request(model="m", stream=True, stream_usage=True), Target())
    chunks = [piece for event in events_of(response) for small in _pieces(event) if (piece := encoder.feed(small))]
    chunks.append(encoder.close())
    headers = {"content-type": _STREAMED.get(dialect, "text/event-stream")}
    return FakeTransport.streamed([chunk for chunk in chunks if chunk], headers=headers)


def _pieces(event: Event) -> Iterator[Event]:
    if isinstance(event, (TextDelta, ArgumentsDelta)):
        for start in range(0, len(event.text), 5):
            yield type(event)(event.index, event.text[start : start + 5], event.choice)
    else:
        yield event


def asked(dialect: str, request: HttpRequest) -> Request:
    """What was asked, read by the dialect's own server side."""
    path = request.url.partition("?")[0]
    tail = "/" + path.split("/", 3)[3]
    marker = tail.find("/models/") if dialect == "gemini" else tail.find("/model/")
    return load(dialect).decode_request(json.loads(request.body), Target(), path=tail[marker:] if marker > 0 else tail)


def system_text(request: Request) -> str:
    """The system text of a request."""
    return "\n".join(
        part.text
        for message in request.messages
        if message.role in (MessageRole.SYSTEM, MessageRole.DEVELOPER)
        for part in message.parts
        if isinstance(part, Text)
    )
