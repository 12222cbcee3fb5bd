"""Hand-made requests that lean on every corner, said in each dialect: valid there, and nothing lost in silence."""

from __future__ import annotations

import msgspec
import pytest

from dragoman import dialects
from dragoman.dialects import EncodedRequest
from dragoman.values import (
    Media,
    Message,
    MessageRole,
    OutputFormat,
    Reasoning,
    ReasoningOptions,
    Replay,
    Request,
    Target,
    Text,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    assistant,
    replace,
    system,
    tool_result,
    user,
)
from tests.values.samples import SAMPLES
from tests.wire.each_dialect import in_each
from tests.wire.losses import objects_in, silent_losses, strings_in
from tests.wire.pairing import pairing_problems
from tests.wire.recordings import DIALECTS
from tests.wire.specs import require_specs, spec_for

require_specs()

_TARGET = Target(provider="elsewhere", issuer="elsewhere", model="m")
_WEATHER = ToolDefinition(
    name="weather",
    description="The weather of a city.",
    input_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
_BARE = ToolDefinition(name="now")
_PARIS = ToolCall(id="call_1", name="weather", arguments_text='{"city":"Paris"}')
_ROME = ToolCall(id="call_2", name="weather", arguments_text='{"city":"Rome"}')
_NOW = ToolCall(id="call_3", name="now")
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_SECRET = "EqoBCkgIBRABGAIiQLoNgThisIsStateOfAnother"


def _asked(*messages: Message, **settings: object) -> Request:
    return msgspec.structs.replace(Request(model="m", messages=messages), **settings)


_SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}

HAND_MADE: dict[str, Request] = {
    "everything": replace(SAMPLES["request"], model="m"),
    "one word": _asked(user("Hi")),
    "a long conversation": _asked(system("Be brief."), user("Hi"), assistant("Hello."), user("Bye")),
    "two users in a row": _asked(user("Hi"), user("Are you there?")),
    "two assistants in a row": _asked(user("Hi"), assistant("One."), assistant("Two."), user("Go on")),
    "the assistant first": _asked(assistant("Welcome."), user("Hi")),
    "a prefilled answer": _asked(user("Name a colour."), assistant("The colour is")),
    "a system message in the middle": _asked(user("Hi"), system("From now on, rhyme."), user("Go on")),
    "system and developer": _asked(system("One."), Message(MessageRole.DEVELOPER, "Two."), user("Hi")),
    "system alone": _asked(system("Say hello.")),
    "parts": _asked(system("One.", "Two."), user("Three.", "Four."), assistant("Five.", "Six."), user("Seven.")),
    "names": _asked(Message("user", "Hi", name="ann"), Message("assistant", "Ho", name="bob"), user("Hm")),
    "an empty text": _asked(user(""), assistant(""), user("Hi")),
    "tools": _asked(user("Hi"), tools=(_WEATHER, _BARE)),
    "strict tools": _asked(user("Hi"), tools=(replace(_WEATHER, strict=True), replace(_BARE, strict=False))),
    "parallel calls, each with a message of its own": _asked(
        user("Weather?"),
        assistant("Looking.", _PARIS, _ROME),
        tool_result(_PARIS, "21 °C"),
        tool_result(_ROME, "25 °C"),
        tools=(_WEATHER,),
    ),
    "parallel results in one message": _asked(
        user("Weather?"),
        assistant(_PARIS, _ROME),
        Message(
            MessageRole.TOOL,
            parts=(
                ToolResult(call_id="call_1", content=(Text(text="21 °C"),)),
                ToolResult(call_id="call_2", content=(Text(text="25 °C"),)),
            ),
        ),
        tools=(_WEATHER,),
    ),
    "results among a user's words": _asked(
        user("Weather?"),
        assistant(_PARIS),
        Message("user", parts=(ToolResult(call_id="call_1", content=(Text(text="21 °C"),)), Text(text="Well?"))),
        tools=(_WEATHER,),
    ),
    "a call without arguments": _asked(user("Time?"), assistant(_NOW), tool_result(_NOW, "noon"), tools=(_BARE,)),
    "an empty result": _asked(user("Time?"), assistant(_NOW), tool_result(_NOW, []), tools=(_BARE,)),
    "a failed result": _asked(
        user("Time?"), assistant(_NOW), tool_result(_NOW, "no clock", is_error=True), tools=(_BARE,)
    ),
    "a result with an image": _asked(
        user("Look"),
        assistant(_NOW),
        tool_result(_NOW, ["See:", Media(kind="image", data=_PIXEL, media_type="image/png")]),
        tools=(_BARE,),
    ),
    "a result of JSON": _asked(user("Time?"), assistant(_NOW), tool_result(_NOW, '{"hour": 12}'), tools=(_BARE,)),
    "a result of a JSON list": _asked(user("Time?"), assistant(_NOW), tool_result(_NOW, "[12]"), tools=(_BARE,)),
    "arguments that are no JSON": _asked(
        user("Time?"),
        assistant(replace(_NOW, arguments_text='{"zone":')),
        tool_result(_NOW, "noon"),
        tools=(_BARE,),
    ),
    "a free-form call": _asked(
        user("Run it"),
        assistant(replace(_NOW, arguments_text="print(1)", input="text")),
        tool_result(_NOW, "1"),
        tools=(_BARE,),
    ),
    "images": _asked(
        user(
            "Look:",
            Media(kind="image", data=_PIXEL, media_type="image/png", detail="low"),
            Media(kind="image", url="https://example.org/dot.png"),
            Media(kind="image", file_id="file-image-1"),
        )
    ),
    "documents": _asked(
        user(
            Media(kind="document", data="JVBERi0xLjQK", media_type="application/pdf", name="notes.pdf"),
            Media(kind="document", url="https://example.org/notes.pdf", media_type="application/pdf"),
            Media(kind="document", file_id="file-document-1"),
            Media(kind="document", text="Plain words.", media_type="text/plain", name="words"),
            "Compare.",
        )
    ),
    "sound and film": _asked(
        user(
            Media(kind="audio", data="UklGRg==", media_type="audio/wav"),
            Media(kind="audio", url="https://example.org/a.mp3", media_type="audio/mpeg"),
            Media(kind="video", url="https://example.org/v.mp4", media_type="video/mp4"),
            "What is this?",
        )
    ),
    "thinking of another": _asked(
        user("Hi"),
        assistant(
            Reasoning(
                text="Hm.", replay=(Replay(issuer="anthropic", dialect="anthropic", kind="signature", data=_SECRET),)
            ),
            Reasoning(
                form="redacted",
                replay=(Replay(issuer="openai", dialect="openai-responses", kind="encrypted", data=_SECRET),),
            ),
            "Hello.",
            replace(
                _NOW,
                replay=(Replay(issuer="google", dialect="gemini", kind="thought-signature", data=_SECRET),),
            ),
        ),
        tool_result(_NOW, "noon"),
        tools=(_BARE,),
    ),
    "a call of the provider's own tool": _asked(
        user("Find it"),
        assistant(
            ToolCall(id="ws_1", name="web_search", arguments_text='{"query":"it"}', runner="provider"),
            ToolResult(call_id="ws_1", content=(Text(text="found"),), runner="provider"),
            "Here.",
        ),
        user("Thanks"),
    ),
    "every setting": _asked(
        user("Hi"),
        max_tokens=100,
        temperature=1.9,
        top_p=0.5,
        top_k=40,
        stop=("A", "B", "C", "D", "E", "F"),
        seed=1234567,
        presence_penalty=1.25,
        frequency_penalty=-1.25,
        logprobs=True,
        top_logprobs=4,
        choices=3,
        user="user-17",
        metadata={"team": "north"},
        service_tier="flex",
        store=True,
        cache_key="prefix-17",
        modalities=("text",),
    ),
    "a small cap": _asked(user("Hi"), max_tokens=1),
    "a stream": _asked(user("Hi"), stream=True, stream_usage=True),
    "a stream without usage": _asked(user("Hi"), stream=True, stream_usage=False),
    "an earlier answer": _asked(user("Hi"), previous_response_id="resp_0123456789"),
    "any object": _asked(user("JSON, please"), output=OutputFormat(type="json_object")),
    "an object of a schema": _asked(user("Hi"), output=OutputFormat(type="json_schema", schema=_SCHEMA)),
    "a named strict schema": _asked(
        user("Hi"),
        output=OutputFormat(type="json_schema", schema=_SCHEMA, name="person", description="Who", strict=True),
    ),
    "a schema and tools": _asked(
        user("Hi"), output=OutputFormat(type="json_schema", schema=_SCHEMA, name="person"), tools=(_WEATHER,)
    ),
    "text": _asked(user("Hi"), output=OutputFormat(type="text")),
    "tricky ids": _asked(
        user("Weather?"),
        assistant(replace(_PARIS, id="call:1/ü"), replace(_ROME, id="call:1/ö"), replace(_NOW, id="x" * 200)),
        tool_result("call:1/ü", "21 °C"),
        tool_result("call:1/ö", "25 °C"),
        tool_result("x" * 200, "noon"),
        tools=(_WEATHER, _BARE),
    ),
    **{
        f"tool choice {mode}": _asked(user("Hi"), tools=(_WEATHER, _BARE), tool_choice=ToolChoice(mode=mode))
        for mode in ("auto", "none", "required")
    },
    "one tool by name": _asked(
        user("Hi"), tools=(_WEATHER, _BARE), tool_choice=ToolChoice(mode="named", names=("now",))
    ),
    "two tools by name": _asked(
        user("Hi"),
        tools=(_WEATHER, _BARE, replace(_BARE, name="later")),
        tool_choice=ToolChoice(mode="named", names=("now", "later")),
    ),
    "one call at a time": _asked(user("Hi"), tools=(_WEATHER,), tool_choice=ToolChoice(parallel=False)),
    "a choice without tools": _asked(user("Hi"), tool_choice=ToolChoice(mode="auto", parallel=True)),
    **{
        f"effort {effort}": _asked(user("Hi"), reasoning=ReasoningOptions(effort=effort))
        for effort in ("none", "minimal", "low", "medium", "high", "xhigh", "max")
    },
    **{
        f"a budget of {budget}": _asked(user("Hi"), reasoning=ReasoningOptions(budget_tokens=budget), max_tokens=cap)
        for budget, cap in ((-1, None), (0, None), (500, 4000), (9000, None), (9000, 4000))
    },
    "visible thoughts": _asked(user("Hi"), reasoning=ReasoningOptions(visible=True, summary="detailed")),
}

_EACH_REQUEST = pytest.mark.parametrize("name", HAND_MADE)


def _encoded(request: Request, dialect: str) -> EncodedRequest:
    return dialects.load(dialect).encode_request(request, _TARGET)


@_EACH_REQUEST
def test_a_hand_made_request_is_valid(name: str) -> None:
    def is_valid(dialect: str) -> None:
        encoded = _encoded(HAND_MADE[name], dialect)
        beta = any(name == "anthropic-beta" for name, _ in encoded.headers)
        spec, title = spec_for("anthropic-beta" if beta else dialect)
        problems = spec.problems(title, encoded.body)
        assert not problems, "\n".join(problems)

    in_each(DIALECTS, is_valid)


@_EACH_REQUEST
def test_calls_and_results_stand_where_they_are_wanted(name: str) -> None:
    def stand_there(dialect: str) -> None:
        assert pairing_problems(dialect, _encoded(HAND_MADE[name], dialect).body) == []

    in_each(DIALECTS, stand_there)


@_EACH_REQUEST
def test_a_hand_made_request_loses_nothing_in_silence(name: str) -> None:
    request = HAND_MADE[name]

    def is_kept_or_named(dialect: str) -> None:
        encoded = _encoded(request, dialect)
        lost = silent_losses(request, dialect, encoded.body, encoded.adaptations)
        assert not lost, "\n".join(lost)

    in_each(DIALECTS, is_kept_or_named)


@_EACH_REQUEST
def test_a_hand_made_request_hides_foreign_state(name: str) -> None:
    def hides_it(dialect: str) -> None:
        said = msgspec.json.encode([(encoded := _encoded(HAND_MADE[name], dialect)).body, encoded.headers])
        assert _SECRET.encode() not in said
        assert b"EqoBCkgIBRAB" not in said

    in_each(DIALECTS, hides_it)


@_EACH_REQUEST
def test_what_was_encoded_decodes_and_encodes_to_itself(name: str) -> None:
    """The two halves of a dialect agree about what our own encoder writes."""

    def agree(dialect: str) -> None:
        codec = dialects.load(dialect)
        encoded = _encoded(HAND_MADE[name], dialect)
        again = codec.encode_request(codec.decode_request(encoded.body, _TARGET, encoded.path), _TARGET)
        assert again.body == encoded.body
        # What was put in other clothes is taken out of them by the decoder, and so is put into them again.
        assert {entry.reason for entry in again.adaptations} <= {entry.reason for entry in encoded.adaptations}

    in_each(DIALECTS, agree)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_tricky_ids_stay_apart_and_together(dialect: str) -> None:
    body = _encoded(HAND_MADE["tricky ids"], dialect).body
    names = ("id", "call_id", "tool_call_id", "tool_use_id", "toolUseId")
    told = [str(members[name]) for members in objects_in(body) for name in names if isinstance(members.get(name), str)]
    ids = [text for text in told if told.count(text) > 1]
    if dialect != "gemini" or ids:
        assert len(set(ids)) == 3, f"three calls and their results should share three ids: {told}"
    assert "21 °C" in " ".join(strings_in(body))
