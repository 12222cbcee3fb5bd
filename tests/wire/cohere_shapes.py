"""The shapes of Cohere's chat API, version 2, as its client's types (cohere 7.3, MIT) have them: it publishes no
description that may be kept beside the others."""

from __future__ import annotations

from typing import Any

__all__ = ["cohere_schemas"]

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_INTEGER = {"type": "integer"}
_FLAG = {"type": "boolean"}
_FREE = {"type": "object", "additionalProperties": True}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _words(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


def _object(required: str = "", **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


def _either(*schemas: dict[str, Any]) -> dict[str, Any]:
    return {"oneOf": list(schemas)}


def _content(*blocks: dict[str, Any]) -> dict[str, Any]:
    return _either(_TEXT, _list(_either(*blocks)))


_TEXT_BLOCK = _object("type text", type=_words("text"), text=_TEXT)
_THOUGHT = _object("type thinking", type=_words("thinking"), thinking=_TEXT)
_IMAGE = _object(
    "type image_url",
    type=_words("image_url"),
    image_url=_object("url", url=_TEXT, detail=_words("auto", "low", "high")),
)
_DOCUMENT = _object("data", data=_FREE, id=_TEXT)
_DOCUMENT_BLOCK = _object("type document", type=_words("document"), document=_DOCUMENT)
_CALL = _object("id type function", id=_TEXT, type=_words("function"), function=_object(name=_TEXT, arguments=_TEXT))
_SOURCE = _either(
    _object("type", type=_words("tool"), id=_TEXT, tool_output=_FREE),
    _object("type", type=_words("document"), id=_TEXT, document=_FREE),
)
_CITATION = _object(
    start=_INTEGER,
    end=_INTEGER,
    text=_TEXT,
    sources=_list(_SOURCE),
    content_index=_INTEGER,
    type=_words("TEXT_CONTENT", "THINKING_CONTENT", "PLAN"),
)
_COUNTS = _object(input_tokens=_NUMBER, output_tokens=_NUMBER, search_units=_NUMBER, classifications=_NUMBER)
_ASSISTANT = {"tool_calls": _list(_CALL), "tool_plan": _TEXT, "citations": _list(_CITATION)}
_MESSAGE = _either(
    _object("role content", role=_words("system"), content=_content(_TEXT_BLOCK)),
    _object("role content", role=_words("user"), content=_content(_TEXT_BLOCK, _IMAGE)),
    _object("role", role=_words("assistant"), content=_content(_TEXT_BLOCK, _THOUGHT), **_ASSISTANT),
    _object(
        "role tool_call_id content",
        role=_words("tool"),
        tool_call_id=_TEXT,
        content=_content(_TEXT_BLOCK, _DOCUMENT_BLOCK),
    ),
)
_TOOL = _object(
    "type function",
    type=_words("function"),
    function=_object("name parameters", name=_TEXT, description=_TEXT, parameters=_FREE),
)
_REQUEST = _object(
    "model messages stream",
    model=_TEXT,
    messages=_list(_MESSAGE),
    tools=_list(_TOOL),
    strict_tools=_FLAG,
    documents=_list(_either(_TEXT, _DOCUMENT)),
    citation_options=_object(mode=_words("ENABLED", "DISABLED", "FAST", "ACCURATE", "OFF")),
    response_format=_object("type", type=_words("text", "json_object"), json_schema=_FREE),
    safety_mode=_words("CONTEXTUAL", "STRICT", "OFF"),
    max_tokens=_INTEGER,
    stop_sequences={**_list(_TEXT), "maxItems": 5},
    temperature={**_NUMBER, "minimum": 0},
    seed=_INTEGER,
    frequency_penalty={**_NUMBER, "minimum": 0, "maximum": 1},
    presence_penalty={**_NUMBER, "minimum": 0, "maximum": 1},
    k={**_INTEGER, "minimum": 0, "maximum": 500},
    p={**_NUMBER, "minimum": 0.01, "maximum": 0.99},
    logprobs=_FLAG,
    tool_choice=_words("REQUIRED", "NONE"),
    thinking=_object("type", type=_words("enabled", "disabled"), token_budget={**_INTEGER, "minimum": 1}),
    priority=_INTEGER,
    stream=_FLAG,
)
_ANSWER = _object(
    "id finish_reason message",
    id=_TEXT,
    finish_reason=_TEXT,
    message=_object("role", role=_words("assistant"), content=_list(_either(_TEXT_BLOCK, _THOUGHT)), **_ASSISTANT),
    usage=_object(billed_units=_COUNTS, tokens=_COUNTS, cached_tokens=_NUMBER),
    logprobs=_list(_object("token_ids", text=_TEXT, token_ids=_list(_INTEGER), logprobs=_list(_NUMBER))),
)


def cohere_schemas() -> dict[str, Any]:
    """A description as the vendors' files are."""
    return {"components": {"schemas": {"ChatRequest": _REQUEST, "ChatResponse": _ANSWER}}}
