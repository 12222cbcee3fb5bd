"""What messages and parts can be made of, and what they tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dragoman.errors import InvalidArguments, InvalidRequest
from dragoman.values import (
    Choice,
    Finish,
    Media,
    Message,
    MessageRole,
    Reasoning,
    Refusal,
    Response,
    Text,
    ToolCall,
    ToolResult,
    assistant,
    system,
    tool_result,
    user,
)

_CALL = ToolCall(id="call_1", name="weather", arguments_text='{"city":"Paris"}')
_IMAGE = Media(kind="image", url="https://example.org/dot.png")

_SHAPES: list[tuple[Callable[[], Message], MessageRole, tuple[Any, ...]]] = [
    (lambda: Message(MessageRole.USER, "Hi"), MessageRole.USER, (Text(text="Hi"),)),
    (lambda: Message("user", "Hi"), MessageRole.USER, (Text(text="Hi"),)),
    (lambda: Message(role="user", content="Hi"), MessageRole.USER, (Text(text="Hi"),)),
    (lambda: Message(role=MessageRole.ASSISTANT, content=_CALL), MessageRole.ASSISTANT, (_CALL,)),
    (lambda: Message("user", ["Look:", _IMAGE]), MessageRole.USER, (Text(text="Look:"), _IMAGE)),
    (lambda: Message("user", (part for part in ("a", "b"))), MessageRole.USER, (Text(text="a"), Text(text="b"))),
    (lambda: Message("user", parts=(_IMAGE,)), MessageRole.USER, (_IMAGE,)),
    (lambda: Message("user", ""), MessageRole.USER, (Text(text=""),)),
    (lambda: Message("user", []), MessageRole.USER, ()),
    (lambda: Message("assistant"), MessageRole.ASSISTANT, ()),
    (Message, MessageRole.USER, ()),
    (lambda: user("Hi"), MessageRole.USER, (Text(text="Hi"),)),
    (lambda: user("Look:", _IMAGE), MessageRole.USER, (Text(text="Look:"), _IMAGE)),
    (lambda: system("Be brief."), MessageRole.SYSTEM, (Text(text="Be brief."),)),
    (lambda: assistant("On it.", _CALL), MessageRole.ASSISTANT, (Text(text="On it."), _CALL)),
    (
        lambda: tool_result(_CALL, "21 °C"),
        MessageRole.TOOL,
        (ToolResult(call_id="call_1", name="weather", content=(Text(text="21 °C"),)),),
    ),
    (
        lambda: tool_result("call_1", ["no", _IMAGE], is_error=True, name="weather"),
        MessageRole.TOOL,
        (ToolResult(call_id="call_1", name="weather", content=(Text(text="no"), _IMAGE), is_error=True),),
    ),
    (lambda: tool_result("call_1", []), MessageRole.TOOL, (ToolResult(call_id="call_1"),)),
]


@pytest.mark.parametrize(("make", "role", "parts"), _SHAPES)
def test_a_message_is_made(make: Callable[[], Message], role: MessageRole, parts: tuple[Any, ...]) -> None:
    message = make()
    assert message.role is role
    assert message.parts == parts


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Message("king", "Hi"), "unknown message role 'king'; the roles are system, developer, user"),
        (lambda: Message("user", "Hi", parts=(Text(text="Hi"),)), "either content or parts"),
        (lambda: Message("user", [7]), "not of int: 7"),  # pyright: ignore[reportArgumentType]
        (lambda: Message("user", [{"type": "text"}]), "not of dict"),  # pyright: ignore[reportArgumentType]
        (lambda: tool_result("call_1", [_CALL]), "not of ToolCall"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_what_makes_no_message_is_refused(make: Callable[[], Message], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        make()


def test_a_message_tells_its_text_and_its_calls() -> None:
    search = ToolCall(id="ws_1", name="web_search", runner="provider")
    message = assistant(Reasoning(text="Hm."), "One ", search, _CALL, "two")
    assert message.content == "One two"
    assert message.tool_calls == (_CALL,)


def test_a_role_is_its_word() -> None:
    assert MessageRole.USER == "user"
    assert f"{MessageRole.DEVELOPER}" == "developer"


@pytest.mark.parametrize(
    ("text", "arguments"), [("", {}), ("  ", {}), ("{}", {}), ('{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]})]
)
def test_arguments_are_an_object(text: str, arguments: dict[str, Any]) -> None:
    assert ToolCall(id="c", name="f", arguments_text=text).arguments == arguments


@pytest.mark.parametrize("text", ['{"a":', "[1]", '"x"', "null", "{} {}"])
def test_arguments_that_are_none_say_so(text: str) -> None:
    with pytest.raises(InvalidArguments, match="arguments_text") as caught:
        _ = ToolCall(id="c", name="f", arguments_text=text).arguments
    assert (caught.value.name, caught.value.text) == ("f", text)


def test_media_decodes_its_data() -> None:
    assert Media(kind="image", data="aGk=").bytes() == b"hi"
    with pytest.raises(ValueError, match="no inline data"):
        _IMAGE.bytes()
    with pytest.raises(ValueError, match="base64"):
        Media(kind="image", data="TRIMMED[base64]").bytes()


def test_a_tool_result_tells_its_text() -> None:
    assert ToolResult(call_id="c", content=(Text(text="a"), _IMAGE, Text(text="b"))).text == "ab"


def test_a_response_speaks_of_its_first_choice() -> None:
    first = assistant(Reasoning(text="Hm."), "Hello", Refusal(text="No."), _CALL)
    response = Response(
        choices=(Choice(message=first, finish=Finish(reason="stop", raw="end_turn")), Choice(message=assistant("Bye")))
    )
    assert response.content == "Hello"
    assert response.reasoning == "Hm."
    assert response.refusal == "No."
    assert response.tool_calls == (_CALL,)
    assert response.finish_reason == "stop"
    assert response.metadata["finish_reason_raw"] == "end_turn"
    assert "choices" not in response.metadata


def test_a_response_without_a_choice_is_empty() -> None:
    response = Response()
    assert response.content == ""
    assert response.message == Message("assistant")
    assert response.finish_reason is None
    assert response.refusal is None
    assert response.metadata["finish_reason"] is None
