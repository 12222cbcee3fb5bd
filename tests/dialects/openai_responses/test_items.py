"""Every kind of item survives decoding and encoding, in answers and in requests, for who issued it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman.dialects.openai_responses.dialect import DIALECT
from dragoman.values import (
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    assistant,
    from_json,
    replace,
    to_json,
)
from tests.dialects.openai_responses.bodies import (
    ANNOTATIONS,
    AZURE,
    ENCRYPTED,
    INPUT_ITEMS,
    JSON,
    OPENAI,
    OUTPUT_ITEMS,
    answer,
    said,
)
from tests.wire.comparing import first_difference


def _parts(*items: JSON) -> tuple[Any, ...]:
    return DIALECT.decode_response(answer(*items), OPENAI).message.parts


def _sent(*parts: Any, target: Any = OPENAI) -> list[JSON]:
    request = DIALECT.decode_request({"model": "m", "input": []}, OPENAI)
    return DIALECT.encode_request(replace(request, messages=(assistant(*parts),)), target).body["input"]


@pytest.mark.parametrize("item", OUTPUT_ITEMS.values(), ids=list(OUTPUT_ITEMS))
def test_an_output_item_survives_in_an_answer(item: JSON) -> None:
    body = answer(item)
    response = DIALECT.decode_response(body, OPENAI)
    encoded = DIALECT.encode_response(response, AZURE)
    assert first_difference(body, encoded.body) is None
    assert encoded.adaptations == ()
    assert from_json(to_json(response)) == response


@pytest.mark.parametrize("item", [*INPUT_ITEMS.values(), *OUTPUT_ITEMS.values()], ids=[*INPUT_ITEMS, *OUTPUT_ITEMS])
def test_an_item_survives_in_a_request(item: JSON) -> None:
    body = {"model": "gpt-5.6", "input": [item, {"role": "user", "content": "Go on"}]}
    request = DIALECT.decode_request(body, OPENAI)
    encoded = DIALECT.encode_request(request, OPENAI)
    assert first_difference(body, encoded.body) is None
    assert encoded.adaptations == ()
    assert from_json(to_json(request)) == request


def test_all_items_together_survive_in_their_order() -> None:
    items = [*OUTPUT_ITEMS.values(), *INPUT_ITEMS.values()]
    body = {"model": "gpt-5.6", "input": items}
    assert first_difference(body, DIALECT.encode_request(DIALECT.decode_request(body, OPENAI), OPENAI).body) is None


def test_an_answer_goes_back_as_it_came() -> None:
    items = [OUTPUT_ITEMS[name] for name in ("reasoning summarised", "commentary", "function call", "web search")]
    items[1]["id"] = "msg_7"
    assert _sent(*_parts(*items)) == items


def test_content_becomes_text_with_citations() -> None:
    (text,) = _parts(OUTPUT_ITEMS["citations"])
    assert isinstance(text, Text)
    assert text.item_id == "msg_1"
    assert [citation.kind for citation in text.citations] == ["url", "file", "file", "file", "other"]
    first = text.citations[0]
    assert (first.start, first.end, first.url, first.title) == (0, 4, "https://example.org/a", "A")
    assert text.citations[1].source_id == "file_1"
    assert len(ANNOTATIONS) == 5


def test_a_phase_is_a_channel() -> None:
    commentary, final = _parts(OUTPUT_ITEMS["commentary"], said("Done.", phase="final_answer", id="msg_2"))
    assert (commentary.channel, final.channel) == ("commentary", "answer")
    (moved,) = _sent(replace(commentary, channel="answer"))
    assert "phase" not in moved
    (moved,) = _sent(replace(final, channel="commentary"))
    assert moved["phase"] == "commentary"


def test_reasoning_keeps_summaries_thoughts_and_state_apart() -> None:
    first, second = _parts(OUTPUT_ITEMS["reasoning summarised"])
    assert [(part.text, part.form, part.item_id) for part in (first, second)] == [
        ("First.", "summary", "rs_1"),
        ("Then.", "summary", "rs_1"),
    ]
    assert first.replay == ()
    assert [(replay.issuer, replay.kind, replay.data) for replay in second.replay] == [
        ("openai", "encrypted", ENCRYPTED)
    ]
    (hidden,) = _parts(OUTPUT_ITEMS["reasoning by id"])
    assert (hidden.form, hidden.text, hidden.replay[0].kind) == ("redacted", "", "item")
    summary, full, odd = _parts(OUTPUT_ITEMS["reasoning in full"])
    assert (summary.form, full.form, odd.form) == ("summary", "full", "full")


@pytest.mark.parametrize("name", [name for name in OUTPUT_ITEMS if name.startswith(("reasoning", "compaction"))])
def test_state_goes_to_its_issuer_alone(name: str) -> None:
    request = DIALECT.decode_request({"model": "m", "input": [OUTPUT_ITEMS[name]]}, OPENAI)
    encoded = DIALECT.encode_request(request, AZURE)
    assert encoded.body["input"] == []
    assert any("replay state of openai" in entry.reason for entry in encoded.adaptations)


def test_another_issuer_gets_no_ids_of_the_first() -> None:
    items = [OUTPUT_ITEMS[name] for name in ("message", "function call", "custom call", "web search", "image")]
    request = DIALECT.decode_request({"model": "m", "input": items}, OPENAI)
    encoded = DIALECT.encode_request(request, AZURE)
    message, call, custom = encoded.body["input"]
    assert message == {"type": "message", "role": "assistant", "content": "Hello."}
    assert call == {name: value for name, value in OUTPUT_ITEMS["function call"].items() if name != "id"}
    assert custom == {name: value for name, value in OUTPUT_ITEMS["custom call"].items() if name != "id"}
    dropped = {entry.path for entry in encoded.adaptations if entry.action == "dropped"}
    assert dropped == {"messages[0].parts[3]", "messages[0].parts[4]"}


def test_calls_are_calls_whoever_runs_them() -> None:
    names = ("function call", "custom call", "web search", "code interpreter", "mcp call", "computer", "shell there")
    calls = [_parts(OUTPUT_ITEMS[name])[0] for name in names]
    assert all(isinstance(call, ToolCall) for call in calls)
    assert [(call.id, call.name, call.runner, call.input) for call in calls] == [
        ("call_1", "weather", "client", "json"),
        ("call_2", "python", "client", "text"),
        ("ws_1", "web_search", "provider", "json"),
        ("ci_1", "code_interpreter", "provider", "text"),
        ("mcp_1", "read", "provider", "json"),
        ("call_3", "computer", "client", "json"),
        ("call_5", "shell", "provider", "json"),
    ]
    assert calls[0].arguments == {"city": "Genève"}
    assert calls[2].arguments["query"] == "a"
    assert calls[3].arguments_text == "1 + 1"


def test_a_generated_image_is_media() -> None:
    (image,) = _parts(OUTPUT_ITEMS["image"])
    assert (image.kind, image.data, image.media_type) == ("image", "iVBORw0KGgo=", "image/png")
    assert image.extras["openai-responses"]["revised_prompt"] == "A rose."
    (pending,) = _parts(OUTPUT_ITEMS["image not there yet"])
    assert isinstance(pending, Opaque)


def test_a_generated_image_shown_by_the_user_is_an_input_image() -> None:
    (image,) = _parts(OUTPUT_ITEMS["image"])
    request = DIALECT.decode_request({"model": "m", "input": []}, OPENAI)
    encoded = DIALECT.encode_request(replace(request, messages=(Message("user", [image]),)), OPENAI)
    (piece,) = encoded.body["input"][0]["content"]
    assert piece == {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"}


def test_outputs_of_tools_are_tool_messages() -> None:
    names = ("output, list", "screenshot", "output of a local shell", "output of a shell", "output of a patch")
    request = DIALECT.decode_request({"model": "m", "input": [INPUT_ITEMS[name] for name in names]}, OPENAI)
    results = [message.parts[0] for message in request.messages]
    assert all(isinstance(result, ToolResult) for result in results)
    assert [message.role.value for message in request.messages] == ["tool"] * 5
    listed, screenshot, local, shell, patch = [result for result in results if isinstance(result, ToolResult)]
    assert (listed.call_id, listed.name, listed.text) == ("call_1", "weather", "21")
    assert screenshot.content[0].extras["openai-responses"][":type"] == "computer_screenshot"
    assert (local.call_id, local.text) == ("call_4", "a\nb")
    assert isinstance(shell.content[0], Opaque)
    assert (patch.is_error, patch.text) == (True, "no")


def test_what_was_edited_is_not_overwritten_by_what_came() -> None:
    odd = said("Hi") | {"content": [{"type": "output_text", "text": "Hi", "annotations": None}]}
    (text,) = _parts(odd)
    assert _sent(text) == [odd]
    (changed,) = _sent(replace(text, text="Ho"))
    assert changed["content"][0]["text"] == "Ho"
    call = OUTPUT_ITEMS["function call with null arguments"]
    (part,) = _parts(call)
    assert _sent(part) == [call]
    (changed,) = _sent(replace(part, arguments_text="{}"))
    assert changed["arguments"] == "{}"


def test_parts_of_one_item_are_one_item_and_neighbours_of_others_are_not() -> None:
    both = OUTPUT_ITEMS["text and refusal"]
    text, refusal = _parts(both)
    assert isinstance(text, Text)
    assert isinstance(refusal, Refusal)
    assert _sent(text, refusal) == [both]
    two = [said("One."), said("Two.")]  # even under one id, as some hosts give it
    assert _sent(*_parts(*two)) == two
    assert all(isinstance(part, Reasoning) for part in _parts(*[OUTPUT_ITEMS["reasoning by id"]] * 2))


def test_base64_is_carried_as_text() -> None:
    media = INPUT_ITEMS["media"]
    request = DIALECT.decode_request({"model": "m", "input": [media]}, OPENAI)
    kinds = [getattr(part, "kind", "text") for part in request.messages[0].parts]
    assert kinds == ["text", *["image"] * 4, *["document"] * 5, "audio", "input_video"]
    assert request.messages[0].parts[0].cache is not None
    trimmed: Any = request.messages[0].parts[9]
    assert trimmed.data == "TRIMMED[base64 99 chars sha256=ab]"
    assert msgspec.json.encode(request)
