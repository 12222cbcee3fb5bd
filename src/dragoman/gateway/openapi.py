"""`GET /openapi.json`: the public paths described, for tools that make clients and tests of such descriptions.

Bodies are described as far as the gateway itself reads them: their own members are the dialects', whose vendors
publish them, and unknown ones pass. What is promised of every answer is its status, its type and, of errors, the shape.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dragoman.gateway.server.app import Route

if TYPE_CHECKING:
    from dragoman.gateway.server.app import App
    from dragoman.gateway.server.call import Call

__all__ = ["add_openapi", "document"]

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_MODEL: Final[Schema] = {"type": "string", "minLength": 1, "description": "A name that GET /v1/models lists."}
_FLAG: Final[Schema] = {"type": ["boolean", "null"]}
_OBJECTS: Final[Schema] = {"type": "array", "items": {"type": "object"}}


def _body(required: tuple[str, ...], **members: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": members}


_CHAT: Final = _body(
    ("model", "messages"),
    model=_MODEL,
    stream=_FLAG,
    messages={
        "type": "array",
        "items": {
            "type": "object",
            "required": ["role"],
            "properties": {
                "role": {"enum": ["system", "developer", "user", "assistant", "tool"]},
                "content": {"type": ["string", "array", "null"], "items": {"type": "object"}},
            },
        },
    },
    tools=_OBJECTS,
    max_completion_tokens={"type": "integer", "minimum": 1},
    temperature={"type": "number", "minimum": 0, "maximum": 2},
)
_RESPONSES: Final = _body(
    ("model",),
    model=_MODEL,
    stream=_FLAG,
    input={"type": ["string", "array"], "items": {"type": "object"}},
    instructions={"type": ["string", "null"]},
    previous_response_id={"type": ["string", "null"]},
    store=_FLAG,
    tools=_OBJECTS,
    max_output_tokens={"type": "integer", "minimum": 1},
)
_MESSAGE: Final[Schema] = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {
        "role": {"enum": ["user", "assistant"]},
        "content": {"type": ["string", "array"], "items": {"type": "object", "required": ["type"]}},
    },
}
_MESSAGES: Final = _body(
    ("model", "messages", "max_tokens"),
    model=_MODEL,
    stream=_FLAG,
    messages={"type": "array", "items": _MESSAGE, "minItems": 1},
    max_tokens={"type": "integer", "minimum": 1},
    system={"type": ["string", "array"], "items": {"type": "object"}},
    tools=_OBJECTS,
)
_COUNTED: Final = _body(("model", "messages"), model=_MODEL, messages={"type": "array", "items": _MESSAGE})
_EMBEDDINGS: Final = _body(
    ("model", "input"),
    model=_MODEL,
    input={"type": ["string", "array"], "items": {"type": ["string", "integer", "array"]}},
    dimensions={"type": "integer", "minimum": 1},
    encoding_format={"enum": ["float", "base64"]},
)
_CONTENT: Final[Schema] = {
    "type": "object",
    "properties": {"role": {"enum": ["user", "model"]}, "parts": _OBJECTS},
}
_GENERATE: Final = _body(
    ("contents",),
    contents={"type": "array", "items": _CONTENT},
    systemInstruction=_CONTENT,
    generationConfig={"type": "object"},
    tools=_OBJECTS,
)
_COUNT_GEMINI: Final = _body((), contents={"type": "array", "items": _CONTENT}, generateContentRequest=_GENERATE)
_EMBED_GEMINI: Final = _body(("content",), content=_CONTENT)
_EMBED_BATCH: Final = _body(("requests",), requests=_OBJECTS)

_OPENAI_ERROR: Final = _body(
    ("error",),
    error=_body(
        ("message", "type"),
        message=_TEXT,
        type=_TEXT,
        code={"type": ["string", "null"]},
        param={"type": ["string", "null"]},
    ),
)
_ANTHROPIC_ERROR: Final = _body(
    ("type", "error"), type={"const": "error"}, error=_body(("type", "message"), type=_TEXT, message=_TEXT)
)
_GOOGLE_ERROR: Final = _body(
    ("error",),
    error=_body(("code", "message", "status"), code={"type": "integer"}, message=_TEXT, status=_TEXT),
)
_ANY_ERROR: Final[Schema] = {
    "anyOf": [{"$ref": f"#/components/schemas/{name}Error"} for name in ("OpenAI", "Anthropic", "Google")]
}

_REQUEST_FACTS: Final = _body(
    ("id", "object", "attempts", "adaptations", "cost"),
    id=_TEXT,
    object={"const": "request"},
    attempts=_OBJECTS,
    adaptations=_OBJECTS,
    cost=_OBJECTS,
    status={"type": ["integer", "null"]},
    mode={"enum": ["relay", "translate", "pass-through", None]},
)
_JSON: Final = "application/json"


_EVENT: Final[Schema] = {
    "type": "object",
    "description": "One of the events that are sent, as its fields. The data is a JSON object, or [DONE].",
    "properties": {"event": _TEXT, "data": _TEXT},
    "required": ["data"],
}


def _answers(error: str, *, stream: str = "", told: Schema | None = None) -> Schema:
    content: Schema = {_JSON: {"schema": told or {"type": "object"}}}
    if stream:
        content[stream] = {"schema": _EVENT}
    refused: Schema = {_JSON: {"schema": {"$ref": f"#/components/schemas/{error}Error"} if error else _ANY_ERROR}}
    return {
        "200": {"description": "The answer.", "content": content},
        "4XX": {"description": "The request is refused, by the gateway or by a provider.", "content": refused},
        "5XX": {"description": "No provider could answer, or the gateway is full.", "content": refused},
    }


def _operation(name: str, summary: str, answers: Schema, body: Schema | None = None, *path: str) -> Schema:
    told: Schema = {"operationId": name, "summary": summary, "responses": answers}
    if body is not None:
        told["requestBody"] = {"required": True, "content": {_JSON: {"schema": body}}}
    if path:
        told["parameters"] = [
            {"name": each, "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]+$"}}
            for each in path
        ]
    return told


_EVENTS: Final = "text/event-stream"


def _paths() -> Schema:
    openai, anthropic, google = "OpenAI", "Anthropic", "Google"
    answer = {"type": "object"}
    count = _body(("input_tokens",), input_tokens={"type": "integer", "minimum": 0})
    listing = _body((), data=_OBJECTS, models=_OBJECTS)
    paths: Schema = {
        "/v1/chat/completions": {
            "post": _operation("chat", "A chat completion.", _answers(openai, stream=_EVENTS), _CHAT)
        },
        "/v1/responses": {"post": _operation("respond", "A response.", _answers(openai, stream=_EVENTS), _RESPONSES)},
        "/v1/responses/input_tokens": {
            "post": _operation("count_response", "The length of a prompt.", _answers(openai, told=count), _RESPONSES)
        },
        "/v1/responses/{response_id}": {
            "get": _operation("get_response", "A kept response.", _answers(openai), None, "response_id"),
            "delete": _operation("delete_response", "Forget a response.", _answers(openai), None, "response_id"),
        },
        "/v1/responses/{response_id}/input_items": {
            "get": _operation("response_input", "What it answered.", _answers(openai), None, "response_id")
        },
        "/v1/responses/{response_id}/cancel": {
            "post": _operation("cancel_response", "Stop a response.", _answers(openai), None, "response_id")
        },
        "/v1/messages": {"post": _operation("message", "A message.", _answers(anthropic, stream=_EVENTS), _MESSAGES)},
        "/v1/messages/count_tokens": {
            "post": _operation("count_message", "The length of a prompt.", _answers(anthropic, told=count), _COUNTED)
        },
        "/v1/embeddings": {"post": _operation("embed", "Vectors of texts.", _answers(openai), _EMBEDDINGS)},
        "/v1/models": {"get": _operation("models", "The models that this key may use.", _answers("", told=listing))},
        "/v1/models/{model}": {"get": _operation("model", "One model.", _answers("", told=answer), None, "model")},
        "/v1beta/models": {
            "get": _operation("gemini_models", "The models that this key may use.", _answers(google, told=listing))
        },
        "/v1beta/models/{model}": {
            "get": _operation("gemini_model", "One model.", _answers(google, told=answer), None, "model")
        },
        "/v1/requests/{request_id}": {
            "get": _operation(
                "request", "What became of a request.", _answers("", told=_REQUEST_FACTS), None, "request_id"
            )
        },
    }
    methods = (
        ("generateContent", "An answer.", _GENERATE, ""),
        ("streamGenerateContent", "An answer, streamed.", _GENERATE, _EVENTS),
        ("countTokens", "The length of a prompt.", _COUNT_GEMINI, ""),
        ("embedContent", "The vector of a content.", _EMBED_GEMINI, ""),
        ("batchEmbedContents", "Vectors of contents.", _EMBED_BATCH, ""),
    )
    for method, summary, body, stream in methods:
        answers = _answers(google, stream=stream, told={"type": ["object", "array"]})
        paths[f"/v1beta/models/{{model}}:{method}"] = {"post": _operation(method, summary, answers, body, "model")}
    return paths


def document() -> Schema:
    """The description, as OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dragoman gateway",
            "version": version("dragoman"),
            "description": "Four public protocols in, any provider out. Raw pass-through (/providers/{name}/…) has the "
            "paths of each provider's own description.",
        },
        "security": [{"bearer": []}, {"x-api-key": []}, {"x-goog-api-key": []}],
        "paths": _paths(),
        "components": {
            "schemas": {"OpenAIError": _OPENAI_ERROR, "AnthropicError": _ANTHROPIC_ERROR, "GoogleError": _GOOGLE_ERROR},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "x-goog-api-key": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
            },
        },
    }


def add_openapi(app: App) -> None:
    """Adds the path; the description is made when it is first asked for."""
    made: list[bytes] = []

    async def openapi(call: Call) -> None:
        if not made:
            made.append(msgspec.json.encode(document()))
        await call.respond(200, [(b"content-type", b"application/json")], made[0])

    app.add("GET", "/openapi.json", Route(openapi))
