"""Notes of form (":…" in extras) hold form alone: without them, and after edits, a value still says what it says."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest

from dragoman.errors import InvalidRequest, ProviderError
from dragoman.values import Adaptation, Message, Request, Response, Text, ToolCall, ToolResult, replace, user
from tests.wire.comparing import first_difference, told
from tests.wire.judging import dialect_of, request_of, run_stream
from tests.wire.losses import strings_in
from tests.wire.recordings import Exchange, exchanges, require_recordings, target_for

require_recordings()

_SPOKEN = [exchange for exchange in exchanges() if exchange.dialect]
_ASKED = [
    exchange for exchange in _SPOKEN if exchange.request.body is not None and exchange.response.status not in (400, 422)
]
_ANSWERED = [
    exchange
    for exchange in _SPOKEN
    if not exchange.is_error and not {"stream_error", "error_in_200"}.intersection(exchange.features)
]

_MARK = "a marked text that no recording holds"


def _id(exchange: Exchange) -> str:
    return exchange.case


def _without_notes(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_without_notes(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    return {
        name: _noteless(item) if name == "extras" else _without_notes(item)
        for name, item in cast("dict[str, Any]", value).items()
    }


def _noteless(extras: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        dialect: {name: item for name, item in members.items() if not name.startswith(":")}
        for dialect, members in extras.items()
    }


def _stripped_request(request: Request) -> Request:
    return msgspec.convert(_without_notes(msgspec.to_builtins(request)), Request)


def _stripped_response(response: Response) -> Response:
    return msgspec.convert(_without_notes(msgspec.to_builtins(response)), Response)


def _said_again(exchange: Exchange, request: Request) -> tuple[Request, tuple[Adaptation, ...]]:
    """The request encoded for its own host and decoded again, and what the encoder had to change."""
    dialect, target = dialect_of(exchange), target_for(exchange, quirks=False)
    encoded = dialect.encode_request(request, target)
    return dialect.decode_request(encoded.body, target, encoded.path), encoded.adaptations


def _meaning(value: Any) -> Any:
    """What is told, with each call's id as its number, and without what no wire could lose by it.

    Ids of wire items, which a host may have to be given anew (a wire without call ids has them minted from what it
    says); empty texts; the places of citations, where "unknown" has to be said as "all of it" on some wires.
    """
    return _plain(told(value, spelling=False), {})


def _plain(value: Any, calls: dict[str, int]) -> Any:
    if isinstance(value, list):
        return [_plain(item, calls) for item in cast("list[Any]", value) if item != {"type": "text", "text": ""}]
    if not isinstance(value, dict):
        return value
    members = cast("dict[str, Any]", value)
    kept = {name: _plain(item, calls) for name, item in members.items() if name != "item_id"}
    id_name = _CALL_ID.get(str(members.get("type")))
    if id_name is not None:
        kept[id_name] = calls.setdefault(members[id_name], len(calls))
    if members.get("type") == "text" and "citations" in kept:
        kept["citations"] = [
            {name: item for name, item in citation.items() if name not in ("start", "end")}
            for citation in kept["citations"]
        ]
    if members.get("type") == "tool_result":
        kept.pop("name", None)  # a courtesy: the call has it
    return kept


_CALL_ID = {"tool_call": "id", "tool_result": "call_id"}


@pytest.mark.parametrize("exchange", _ASKED, ids=_id)
def test_a_request_without_its_notes_says_the_same(exchange: Exchange) -> None:
    """Or what it cannot say is named: notes also tell that a host did take what it is not known to take."""
    request = _stripped_request(request_of(exchange))
    again, adaptations = _said_again(exchange, request)
    difference = first_difference(_meaning(request), _meaning(again))
    assert difference is None or adaptations, difference


def _answer_of(exchange: Exchange) -> Response:
    if exchange.is_stream:
        response = run_stream(exchange).response
        assert response is not None
        return response
    return dialect_of(exchange).decode_response(exchange.response.content, target_for(exchange))


@pytest.mark.parametrize("exchange", _ANSWERED, ids=_id)
def test_an_answer_without_its_notes_says_the_same(exchange: Exchange) -> None:
    dialect, target = dialect_of(exchange), target_for(exchange)
    response = _stripped_response(_answer_of(exchange))
    encoded = dialect.encode_response(response, target)
    again = dialect.decode_response(encoded.body, target)
    difference = first_difference(_meaning(response), _meaning(again))
    assert difference is None or encoded.adaptations, difference


# -- edits -------------------------------------------------------------------------------------------------------------


def _edited_parts(message: Message) -> Message:
    """Every text, every client call's arguments and every client result's text replaced by the mark."""
    parts: list[Any] = []
    for part in message.parts:
        if isinstance(part, Text):
            parts.append(replace(part, text=_MARK, citations=()))
        elif isinstance(part, ToolCall) and part.runner == "client":
            text = _MARK if part.input == "text" else f'{{"edited":"{_MARK}"}}'
            parts.append(replace(part, arguments_text=text))
        elif isinstance(part, ToolResult) and part.runner == "client":
            parts.append(replace(part, content=(Text(text=_MARK),)))
        else:
            parts.append(part)
    return replace(message, parts=tuple(parts))


def _editable(request: Request) -> bool:
    return any(isinstance(part, Text | ToolCall | ToolResult) for message in request.messages for part in message.parts)


@pytest.mark.parametrize("exchange", _ASKED, ids=_id)
def test_an_edited_conversation_is_said_as_edited(exchange: Exchange) -> None:
    request = request_of(exchange)
    edited = replace(request, messages=tuple(_edited_parts(message) for message in request.messages))
    again, adaptations = _said_again(exchange, edited)
    difference = first_difference(_meaning(edited), _meaning(again))
    assert difference is None or adaptations, difference
    if _editable(request):
        body = dialect_of(exchange).encode_request(edited, target_for(exchange, quirks=False)).body
        assert any(_MARK in text for text in strings_in(body))


@pytest.mark.parametrize("exchange", _ASKED, ids=_id)
def test_a_continued_conversation_is_said_whole(exchange: Exchange) -> None:
    request = request_of(exchange)
    longer = replace(request, messages=(*request.messages, user(_MARK)))
    again, _ = _said_again(exchange, longer)
    heard = [message.content for message in again.messages]
    assert "".join(heard) == "".join(message.content for message in longer.messages)
    assert heard[-1].endswith(_MARK)
    shorter = replace(request, messages=request.messages[:1])
    once_more, adaptations = _said_again(exchange, shorter)
    difference = first_difference(_meaning(shorter), _meaning(once_more))
    assert difference is None or adaptations, difference


_SETTINGS: dict[str, Any] = {"temperature": 0.125, "top_p": 0.625, "max_tokens": 7777, "tools": ()}


@pytest.mark.parametrize("exchange", _ASKED, ids=_id)
def test_edited_settings_are_said_as_edited(exchange: Exchange) -> None:
    request = msgspec.structs.replace(request_of(exchange), **_SETTINGS, tool_choice=None)
    again, _ = _said_again(exchange, request)
    for name, value in _SETTINGS.items():
        assert getattr(again, name) == value, name


@pytest.mark.parametrize("exchange", _ANSWERED, ids=_id)
def test_an_edited_answer_is_said_as_edited(exchange: Exchange) -> None:
    dialect, target = dialect_of(exchange), target_for(exchange)
    response = _answer_of(exchange)
    choices = tuple(replace(choice, message=_edited_parts(choice.message)) for choice in response.choices)
    usage = response.usage and replace(response.usage, output_tokens=54321, total_tokens=None)
    edited = replace(response, choices=choices, usage=usage)
    try:
        again = dialect.decode_response(dialect.encode_response(edited, target).body, target)
    except (ProviderError, InvalidRequest) as error:
        pytest.fail(f"{error!r}")
    assert [choice.message.content for choice in again.choices] == [choice.message.content for choice in edited.choices]
    assert [[call.arguments_text for call in choice.message.tool_calls] for choice in again.choices] == [
        [call.arguments_text for call in choice.message.tool_calls] for choice in edited.choices
    ]
    if usage:
        assert again.usage.output_tokens == 54321
        assert again.usage.input_tokens == usage.input_tokens
