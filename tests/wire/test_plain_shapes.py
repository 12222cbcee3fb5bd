"""The commonest shapes have short ways through the codecs: what comes of them is what the way of all others gives.

Made and recorded bodies, whole and damaged, and values made at random go both ways; JSON is compared as bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dragoman.dialects import EncodedBody, EncodedRequest, load
from dragoman.dialects.anthropic import betas, blocks
from dragoman.dialects.anthropic import messages as anthropic_messages
from dragoman.dialects.anthropic import tools as anthropic_tools
from dragoman.dialects.openai_chat import assistant_writer, message_writer, messages, request, response, tools
from dragoman.errors import DragomanError
from dragoman.values import (
    CacheHint,
    ChatQuirks,
    Choice,
    Citation,
    Finish,
    Media,
    Message,
    MessageRole,
    Part,
    Quirks,
    Refusal,
    Replay,
    Request,
    Response,
    Target,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
)
from dragoman.values.value import Extras
from tests.wire.mutating import mutations
from tests.wire.recordings import exchanges, require_recordings

require_recordings()

_NAMES = ("openai-chat", "anthropic")
_CLIENT = Target(issuer="someone", model="m")
_PROVIDERS = (
    Target(provider="p", issuer="someone", model="m"),
    Target(
        provider="p",
        issuer="another",
        model="m",
        quirks=Quirks(
            chat=ChatQuirks(call_id_form="nine", developer_role=False, content_parts=False, strict_tools=False)
        ),
    ),
)


def _nothing(*_given: Any) -> None:
    return None


def _without_short_ways(patched: pytest.MonkeyPatch) -> None:
    for owner, name in (
        (messages.MessageReader, "_plain"),
        (messages, "plain_call"),
        (tools, "plain_call"),
        (tools, "plain_tool"),
        (request, "plain_tool"),
        (request, "write_plain_tool"),
        (message_writer.MessageWriter, "_plain"),
        (assistant_writer.AssistantWriter, "plain"),
        (response, "plain_answer"),
        (anthropic_messages, "_plain"),
        (anthropic_messages, "_plain_content"),
        (anthropic_messages, "plain_block"),
        (blocks, "plain_block"),
        (anthropic_tools, "_plain_definition"),
        (anthropic_tools, "_plain_tool"),
    ):
        assert callable(getattr(owner, name))
        patched.setattr(owner, name, _nothing)
    patched.setattr(tools, "_PLAIN_CHOICES", {})


def _bytes(encoded: EncodedRequest | EncodedBody) -> tuple[Any, ...]:
    headers = encoded.headers if isinstance(encoded, EncodedRequest) else ()
    changed = [entry for entry in encoded.adaptations if entry.path not in ("created", "id")]
    body = {name: value for name, value in encoded.body.items() if name not in ("created", "id")}
    return msgspec.json.encode(body), headers, changed


def _asked(name: str, body: Any) -> Any:
    try:
        read = load(name).decode_request(body, _CLIENT)
        other = load(name).decode_request(body, _PROVIDERS[1])
    except DragomanError as error:
        return error.message
    return read, other, _written(read)


def _written(read: Request) -> list[Any]:
    told: list[Any] = []
    for other in _NAMES:
        for target in _PROVIDERS:
            try:
                told.append(_bytes(load(other).encode_request(read, target)))
            except (TypeError, AttributeError, KeyError, ValueError) as error:  # values that nobody could have read
                told.append(type(error))
    return told


def _answered(name: str, body: Any) -> Any:
    try:
        read = load(name).decode_response(body, _CLIENT)
    except DragomanError as error:
        return error.message
    return read, _shown(read)


def _shown(read: Response) -> list[Any]:
    return [_bytes(load(other).encode_response(read, target)) for other in _NAMES for target in _PROVIDERS]


_CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
_TOOL_USE = {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}}
_RESULT = {"type": "tool_result", "tool_use_id": "call_1", "content": "done"}
_SAID = {"type": "text", "text": "Hello."}
_SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}
_LONG = "x" * 41
_SHAPES: dict[str, list[Any]] = {
    "openai-chat": [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Hello."},
        {"role": "user", "content": [_SAID]},
        {"role": "user", "content": [_SAID, _SAID]},
        {"role": "assistant", "content": "Hello.", "tool_calls": [_CALL]},
        {"role": "assistant", "content": None, "tool_calls": [_CALL, {**_CALL, "id": _LONG}]},
        {"role": "assistant", "content": None, "tool_calls": [{**_CALL, "function": {"name": "f", "arguments": ""}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "done"},
        {"role": "tool", "tool_call_id": _LONG, "content": "done"},
        {"role": "assistant", "content": "Hello."},
    ],
    "anthropic": [
        {"role": "user", "content": "Hello."},
        {"role": "user", "content": [_SAID, _SAID]},
        {"role": "assistant", "content": [_SAID, _TOOL_USE]},
        {"role": "assistant", "content": [{**_TOOL_USE, "id": _LONG}, {**_TOOL_USE, "input": {"INVALID_JSON": "{"}}]},
        {"role": "user", "content": [_RESULT, {**_RESULT, "content": [_SAID]}, _SAID]},
        {
            "role": "user",
            "content": [{**_RESULT, "is_error": True}, {**_RESULT, "cache_control": {"type": "ephemeral"}}],
        },
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Hello."},
    ],
}
_OFFERED: dict[str, dict[str, Any]] = {
    "openai-chat": {
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "Does.", "parameters": _SCHEMA}},
            {"type": "function", "function": {"name": "g", "parameters": _SCHEMA}},
        ],
        "tool_choice": "auto",
        "max_tokens": 5,
    },
    "anthropic": {"tools": [{"name": "f", "description": "Does.", "input_schema": _SCHEMA}], "max_tokens": 5},
}
_ANSWERED: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [_SAID, _TOOL_USE],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "cache_read_input_tokens": 0, "output_tokens": 4, "service_tier": "standard"},
}


def _made(*, answers: bool) -> Iterator[tuple[str, Any]]:
    """Bodies of plain shapes alone."""
    if answers:
        yield "anthropic", _ANSWERED
        return
    for name, shapes in _SHAPES.items():
        yield name, {"model": "m", "messages": shapes, **_OFFERED[name]}


def _bodies(*, answers: bool) -> Iterator[tuple[str, str, Any]]:
    """Made and recorded bodies, and the same with one place damaged: of the made ones, every place in every way."""
    for name, body in _made(answers=answers):
        yield f"{name} as made", name, body
        for what, damaged in mutations(body, limit=1_000_000, seed=0):
            yield f"{name} with {what}", name, damaged
    for number, exchange in enumerate(exchanges()):
        name = exchange.dialect
        if name not in _NAMES or (answers and not exchange.is_answer):
            continue
        body = exchange.response.content if answers else exchange.request.body
        if isinstance(body, dict):
            yield exchange.id, name, body
            for what, damaged in mutations(body, limit=20, seed=number):
                yield f"{exchange.id} with {what}", name, damaged


@pytest.mark.parametrize("answers", [False, True], ids=["requests", "answers"])
def test_bodies_are_read_and_written_alike_by_short_ways(answers: bool) -> None:
    told = _answered if answers else _asked
    bodies = list(_bodies(answers=answers))
    assert len(bodies) > 1000
    short = [told(name, body) for _, name, body in bodies]
    with pytest.MonkeyPatch.context() as patched:
        _without_short_ways(patched)
        for (case, name, body), found in zip(bodies, short, strict=True):
            assert told(name, body) == found, case


def test_turns_that_are_plain_need_no_betas() -> None:
    for case, name, body in _bodies(answers=False):
        try:
            read = load(name).decode_request(body, _CLIENT)
            encoded = load("anthropic").encode_request(read, _PROVIDERS[0])
        except (DragomanError, TypeError, AttributeError, KeyError, ValueError):
            continue
        told = dict(encoded.headers).get("anthropic-beta", "")
        assert told == ",".join(betas.betas_of(encoded.body)), case


# -- values that nobody recorded ---------------------------------------------------------------------------------------

_REPLAY = (Replay(issuer="someone", dialect="anthropic", kind="block", data="x"),)
_AROUND: dict[str, list[Any]] = {
    "extras": [{"anthropic": {":content": "string"}}, {"openai-chat": {":content": "list"}}, {"gemini": {"a": 1}}],
    "cache": [CacheHint(), CacheHint(ttl="2h")],
    "replay": [_REPLAY],
}


def _one_off(kind: Any, plain: dict[str, Any], odd: dict[str, list[Any]]) -> list[Any]:
    """A plain value, a few times, and the same with one field that is not."""
    return [kind(**plain)] * 4 + [kind(**{**plain, name: value}) for name, values in odd.items() for value in values]


_TEXTS = _one_off(
    Text,
    {"text": "a"},
    {"text": ["", " "], "channel": ["commentary"], "citations": [(Citation(kind="url", url="https://a"),)], **_AROUND},
)
_CALLS = _one_off(
    ToolCall,
    {"id": "call_1", "name": "f", "arguments_text": '{"a":1}'},
    {
        "id": ["a b", _LONG, "123456789"],
        "arguments_text": ["", " ", "[1]", "nonsense"],
        "runner": ["provider"],
        "input": ["text"],
        **_AROUND,
    },
)
_RESULTS = _one_off(
    ToolResult,
    {"call_id": "call_1", "content": (Text(text="a"),)},
    {
        "call_id": ["a b", _LONG],
        "content": [(), (Text(text="a"), Text(text="b")), (Media(kind="image", data="AA=="),), *((x,) for x in _TEXTS)],
        "name": ["f"],
        "is_error": [True],
        "runner": ["provider"],
        **_AROUND,
    },
)
_PARTS: st.SearchStrategy[Part] = st.one_of(
    st.sampled_from(_TEXTS), st.sampled_from(_CALLS), st.sampled_from(_RESULTS), st.just(Refusal(text="no"))
)
_NO_EXTRAS: Extras = {}


@st.composite
def _messages(draw: st.DrawFn) -> Message:
    return Message(
        draw(st.sampled_from(list(MessageRole))),
        parts=tuple(draw(st.lists(_PARTS, max_size=3))),
        name=draw(st.sampled_from([None] * 6 + ["ann"])),
        extras=draw(st.sampled_from([_NO_EXTRAS] * 3 + _AROUND["extras"])),
    )


_TOOLS = st.sampled_from(
    _one_off(
        ToolDefinition,
        {"name": "f", "description": "does", "input_schema": {"type": "object"}},
        {
            "description": [None, ""],
            "input_schema": [None, {}, {"type": "string"}],
            "strict": [True, False],
            "cache": _AROUND["cache"],
            "extras": _AROUND["extras"],
        },
    )
)
_REQUESTS = st.builds(
    Request,
    model=st.just("m"),
    messages=st.lists(_messages(), max_size=4).map(tuple),
    tools=st.lists(_TOOLS, max_size=2).map(tuple),
)


@st.composite
def _answers(draw: st.DrawFn) -> Response:
    reason: Any = draw(st.sampled_from(["stop", "tool_calls", "refusal"]))
    return Response(
        id="r",
        model="m",
        dialect=draw(st.sampled_from(["anthropic", "openai-chat", "gemini"])),
        choices=(Choice(message=draw(_messages()), finish=Finish(reason=reason)),),
    )


_OFTEN = settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_OFTEN
@given(_REQUESTS)
def test_any_request_is_written_alike_by_short_ways(value: Request) -> None:
    short = _written(value)
    with pytest.MonkeyPatch.context() as patched:
        _without_short_ways(patched)
        assert _written(value) == short


@_OFTEN
@given(_answers())
def test_any_answer_is_written_alike_by_short_ways(value: Response) -> None:
    short = _shown(value)
    with pytest.MonkeyPatch.context() as patched:
        _without_short_ways(patched)
        assert _shown(value) == short
