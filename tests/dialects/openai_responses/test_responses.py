"""Response objects: frame, finish and usage, from this wire and for its clients whoever answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from openai.types.responses import Response as OfficialResponse

from dragoman.dialects import load
from dragoman.dialects.openai_responses.dialect import DIALECT
from dragoman.dialects.openai_responses.usage import decode_usage, encode_usage
from dragoman.errors import ProtocolViolation, ProviderError, RateLimited, ServerFault
from dragoman.values import (
    Choice,
    Citation,
    Finish,
    Media,
    Opaque,
    Reasoning,
    Refusal,
    Replay,
    Response,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    assistant,
    replace,
)
from tests.dialects.openai_responses.bodies import CALL, JSON, OPENAI, OUTPUT_ITEMS, answer, said
from tests.wire.comparing import first_difference

FRAMES: dict[str, JSON] = {
    "plain": answer(said("Hi")),
    "no output": answer(),
    "text repeated": answer(said("Hi"), output_text="Hi"),
    "text repeated wrongly": answer(said("Hi"), output_text=""),
    "created in fractions": answer(said("Hi"), created_at=1_757_687_010.5, completed_at=1.0),
    "created as a float": answer(said("Hi"), created_at=1_757_687_010.0),
    "incomplete": answer(said("Hi"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
    "incomplete, more told": answer(status="incomplete", incomplete_details={"reason": "other", "at": 1}),
    "cancelled": answer(status="cancelled", usage=None),
    "queued": answer(status="queued", usage=None, model=None),
    "conversation": answer(said("Hi"), conversation={"id": "conv_1"}, moderation=None, tomorrow={"a": 1}),
    "compaction": {
        "id": "resp_1",
        "object": "response.compaction",
        "created_at": 1,
        "output": [OUTPUT_ITEMS["compaction"], {"type": "message", "role": "user", "content": "Hi"}],
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
    },
    "bare": {"output": [said("Hi")]},
}


@pytest.mark.parametrize("body", FRAMES.values(), ids=list(FRAMES))
def test_a_response_survives(body: JSON) -> None:
    response = DIALECT.decode_response(body, OPENAI)
    encoded = DIALECT.encode_response(response, OPENAI)
    assert first_difference(body, encoded.body) is None
    assert encoded.adaptations == ()


def test_a_response_tells_who_and_what() -> None:
    response = DIALECT.decode_response(FRAMES["plain"], OPENAI)
    assert (response.id, response.model, response.provider) == ("resp_1", "gpt-5.6-2026-01-01", "openai")
    assert (response.dialect, response.created, response.service_tier) == (
        "openai-responses",
        1_757_687_010,
        "default",
    )
    own = response.extras["openai-responses"]
    assert own["billing"] == {"payer": "developer"}
    assert [name for name in own if not name.startswith(":")] == ["billing"]
    assert DIALECT.decode_response(FRAMES["bare"], OPENAI).model == "gpt-5.6"


@pytest.mark.parametrize(
    ("body", "finish"),
    [
        (answer(said("Hi")), Finish(reason="stop", raw="completed")),
        (answer(CALL), Finish(reason="tool_calls", raw="completed")),
        (answer(OUTPUT_ITEMS["web search"]), Finish(reason="stop", raw="completed")),
        (answer(OUTPUT_ITEMS["refusal"]), Finish(reason="refusal", raw="completed")),
        (FRAMES["incomplete"], Finish(reason="length", raw="max_output_tokens")),
        (
            answer(status="incomplete", incomplete_details={"reason": "content_filter"}),
            Finish(reason="content_filter", raw="content_filter"),
        ),
        (
            FRAMES["incomplete, more told"],
            Finish(reason="other", raw="other", detail={"reason": "other", "at": 1}),
        ),
        (answer(status="incomplete"), Finish(reason="other", raw="incomplete")),
        (FRAMES["cancelled"], Finish(reason="other", raw="cancelled")),
        (FRAMES["queued"], None),
        (answer(status="in_progress"), None),
    ],
)
def test_why_it_ended(body: JSON, finish: Finish | None) -> None:
    assert DIALECT.decode_response(body, OPENAI).finish == finish


def test_a_changed_finish_is_said() -> None:
    response = DIALECT.decode_response(answer(CALL), OPENAI)
    choice = replace(response.choices[0], finish=Finish(reason="length"))
    body = DIALECT.encode_response(replace(response, choices=(choice,)), OPENAI).body
    assert (body["status"], body["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})


def test_a_failed_answer_is_an_error_with_what_was_answered() -> None:
    error = {"code": "rate_limit_exceeded", "message": "Slow down."}
    with pytest.raises(RateLimited) as caught:
        DIALECT.decode_response(answer(said("Half"), status="failed", error=error), OPENAI)
    assert caught.value.partial.content == "Half"
    assert caught.value.usage.input_tokens == 20
    assert (caught.value.code, caught.value.provider, caught.value.in_stream) == (
        "rate_limit_exceeded",
        "openai",
        False,
    )
    with pytest.raises(ServerFault):
        DIALECT.decode_response(answer(status="failed"), OPENAI)


def test_an_error_object_alone_is_an_error() -> None:
    with pytest.raises(ProviderError) as caught:
        DIALECT.decode_response({"error": {"code": 429, "message": "Wait."}}, OPENAI)
    assert isinstance(caught.value, RateLimited)
    assert caught.value.code == "429"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "output"),
        ({"output": "Hi"}, "output"),
        (answer(5), "output[0]"),  # pyright: ignore[reportArgumentType]
        (answer(said("Hi"), usage=[]), "usage"),
        (answer(said("Hi"), usage={"input_tokens": "1"}), "usage.input_tokens"),
        (answer(said("Hi"), model=5), "model"),
        (
            answer({"type": "message", "role": "assistant", "content": [{"type": "output_text"}]}),
            "output[0].content[0].text",
        ),
        ([], "response"),
    ],
)
def test_what_is_not_the_wire_is_a_violation(body: Any, path: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        DIALECT.decode_response(body, OPENAI)
    assert caught.value.path == path


def _container_shell() -> list[JSON]:
    output: JSON = {
        "id": "sho_1",
        "type": "shell_call_output",
        "call_id": "call_5",
        "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
        "max_output_length": None,
        "status": "completed",
    }
    return [OUTPUT_ITEMS["shell there"], output, said("There is a.")]


def test_what_the_hosts_own_tool_came_to_is_the_hosts() -> None:
    items = _container_shell()
    response = DIALECT.decode_response(answer(*items), OPENAI)
    call, result, _ = response.message.parts
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert (call.runner, result.runner) == ("provider", "provider")
    assert first_difference(answer(*items), DIALECT.encode_response(response, OPENAI).body) is None
    elsewhere = load("anthropic").encode_response(response, OPENAI)
    assert [block["type"] for block in elsewhere.body["content"]] == ["text"]
    assert {entry.path for entry in elsewhere.adaptations} >= {f"choices[0].message.parts[{index}]" for index in (0, 1)}


def test_what_the_hosts_own_tool_came_to_is_the_hosts_in_a_conversation_too() -> None:
    body: JSON = {"model": "m", "input": [{"role": "user", "content": "ls"}, *_container_shell()]}
    request = DIALECT.decode_request(body, OPENAI)
    assert [message.role.value for message in request.messages] == ["user", "assistant"]
    assert first_difference(body, DIALECT.encode_request(request, OPENAI).body) is None
    here = [{**OUTPUT_ITEMS["shell here"], "id": "sh_9"}, _container_shell()[1]]
    request = DIALECT.decode_request({**body, "input": here}, OPENAI)
    assert [message.role.value for message in request.messages] == ["assistant", "tool"]


# -- usage -------------------------------------------------------------------------------------------------------------


def test_usage_is_inclusive_with_named_subsets() -> None:
    usage = DIALECT.decode_response(answer(), OPENAI).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (20, 10, 30)
    assert (usage.cache_read_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (8, 2, 4)
    assert (usage.input_audio_tokens, usage.reported_cost, usage.tool_uses) == (None, None, None)


def test_usage_tells_cost_and_tools() -> None:
    body = answer(
        usage={"input_tokens": 1, "output_tokens": 1, "total_tokens": 2, "cost": 0.0000113},
        tool_usage={"web_search": {"num_requests": 2}, "image_gen": {"input_tokens": 0}},
    )
    response = DIALECT.decode_response(body, OPENAI)
    assert response.usage.reported_cost == Decimal("0.0000113")
    assert response.usage.tool_uses == {"web_search": 2}
    assert response.usage.cache_read_tokens is None
    assert first_difference(body, DIALECT.encode_response(response, OPENAI).body) is None


@pytest.mark.parametrize(
    ("members", "cost", "uses"),
    [
        ({"cost": {"input_cost": 0, "total_cost": 0.00105, "currency": "USD"}}, Decimal("0.00105"), None),
        (
            {
                "cost_in_usd_ticks": 37_756_000,
                "server_side_tool_usage_details": {"web_search_calls": 1, "x_search_calls": 0},
            },
            Decimal("0.0037756"),
            {"web_search": 1},
        ),
        ({"server_tool_use_details": {"web_search_requests": 3}}, None, {"web_search": 3}),
        ({"cost": "free", "server_side_tool_usage_details": {"web_search_calls": -1}}, None, None),
    ],
)
def test_usage_tells_what_a_host_charges_for(members: JSON, cost: Decimal | None, uses: dict[str, int] | None) -> None:
    usage = decode_usage({"input_tokens": 1, "output_tokens": 1, "total_tokens": 2, **members})
    assert (usage.reported_cost, usage.tool_uses) == (cost, uses)
    assert encode_usage(usage) is usage.raw


def test_changed_or_foreign_usage_is_built() -> None:
    own = decode_usage(answer()["usage"])
    assert encode_usage(own) is own.raw
    assert encode_usage(replace(own, output_tokens=11))["output_tokens"] == 11
    foreign = Usage(input_tokens=5, output_tokens=3, cache_read_tokens=2, input_audio_tokens=1, dialect="anthropic")
    assert encode_usage(foreign) == {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0, "audio_tokens": 1},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 8,
    }


# -- answers from elsewhere --------------------------------------------------------------------------------------------


FOREIGN = Response(
    id="msg_abc",
    model="claude",
    provider="anthropic",
    dialect="anthropic",
    choices=(
        Choice(
            message=assistant(
                Reasoning(
                    text="Hm.", replay=(Replay(issuer="anthropic", dialect="anthropic", kind="signature", data="sig"),)
                ),
                Text(text="Looking.", channel="commentary"),
                Text(
                    text="See this.",
                    citations=(
                        Citation(kind="url", url="https://example.org", title="T", start=0, end=3),
                        Citation(kind="document", cited_text="…"),
                    ),
                ),
                Refusal(text="No."),
                Opaque(dialect="anthropic", kind="fallback", data={"a": 1}),
                ToolCall(id="toolu_1", name="weather", arguments_text=""),
                ToolCall(id="toolu_2", name="python", arguments_text="1", input="text"),
                ToolCall(id="srv_1", name="web_search", runner="provider"),
                Media(kind="image", data="iVBORw0KGgo="),
                Media(kind="audio", data="UklGRg=="),
            ),
            finish=Finish(reason="tool_calls", raw="tool_use"),
        ),
    ),
    usage=Usage(input_tokens=5, output_tokens=3),
    extras={"anthropic": {"container": {"id": "c"}, ":form": 1}},
)


def test_an_answer_from_elsewhere_is_complete_for_the_official_client() -> None:
    encoded = DIALECT.encode_response(FOREIGN, OPENAI)
    official = OfficialResponse.model_validate(encoded.body, strict=True)
    assert [item.type for item in official.output] == [
        "reasoning",
        "message",
        "message",
        "function_call",
        "custom_tool_call",
        "image_generation_call",
    ]
    assert official.status == "completed"
    assert official.output_text == "Looking.See this."
    call: Any = official.output[3]
    assert (call.call_id, call.name, call.arguments) == ("toolu_1", "weather", "{}")
    ids = [item.id for item in official.output]
    assert len(set(ids)) == len(ids)
    assert all(ids)
    assert official.usage is not None
    assert official.usage.total_tokens == 8


def test_what_an_answer_from_elsewhere_loses_is_named() -> None:
    encoded = DIALECT.encode_response(FOREIGN, OPENAI)
    where = "choices[0].message.parts"
    assert {(entry.path, entry.action) for entry in encoded.adaptations} == {
        (f"{where}[0].replay", "dropped"),
        (f"{where}[2].citations[1]", "dropped"),
        (f"{where}[2].citations[1].cited_text", "dropped"),
        (f"{where}[4]", "dropped"),
        (f"{where}[7]", "dropped"),
        (f"{where}[9]", "dropped"),
        ("extras.anthropic.container", "dropped"),
    }


def test_an_answer_from_elsewhere_says_the_same_when_it_comes_back() -> None:
    again = DIALECT.decode_response(DIALECT.encode_response(FOREIGN, OPENAI).body, OPENAI)
    assert again.content == FOREIGN.content
    assert again.reasoning == FOREIGN.reasoning
    assert again.refusal == FOREIGN.refusal
    assert [(call.id, call.name) for call in again.tool_calls] == [("toolu_1", "weather"), ("toolu_2", "python")]
    assert again.finish_reason == "tool_calls"
    assert again.message.parts[1] == replace(again.message.parts[1], channel="commentary")


@pytest.mark.parametrize(
    ("reason", "status"),
    [("stop", "completed"), ("length", "incomplete"), ("content_filter", "incomplete"), ("error", "failed")],
)
def test_every_finish_has_a_status(reason: Any, status: str) -> None:
    choice = Choice(message=assistant("Hi"), finish=Finish(reason=reason))
    body = DIALECT.encode_response(Response(choices=(choice,)), OPENAI).body
    assert OfficialResponse.model_validate(body).status == status


def test_an_answer_without_anything_is_still_an_answer() -> None:
    encoded = DIALECT.encode_response(Response(), OPENAI)
    official = OfficialResponse.model_validate(encoded.body)
    assert official.id.startswith("resp_")
    assert official.output == []
    assert [entry.action for entry in encoded.adaptations] == ["defaulted"]


def test_ids_that_we_minted_go_to_no_provider() -> None:
    """A client sends back what it was given; a provider would look for these ids in vain."""
    items = DIALECT.encode_response(FOREIGN, OPENAI).body["output"]
    request = DIALECT.decode_request({"model": "m", "input": items}, OPENAI)
    encoded = DIALECT.encode_request(request, OPENAI)
    assert [item["type"] for item in encoded.body["input"]] == [
        "message",
        "message",
        "function_call",
        "custom_tool_call",
    ]
    assert not any("id" in item for item in encoded.body["input"])
    assert b"_local_" not in msgspec.json.encode(encoded.body)
    assert {entry.path for entry in encoded.adaptations if entry.action == "dropped"} == {
        "messages[0].parts[0]",
        "messages[0].parts[2].citations",
        "messages[0].parts[6]",
    }


def test_further_choices_are_named() -> None:
    choices = tuple(
        Choice(index=index, message=assistant(str(index)), finish=Finish(reason="stop")) for index in (0, 1)
    )
    encoded = DIALECT.encode_response(Response(choices=choices), OPENAI)
    assert [(entry.path, entry.action) for entry in encoded.adaptations] == [("choices[1]", "dropped")]


@pytest.mark.parametrize("reason", ["paused", "other", "refusal", "tool_calls"])
def test_a_reason_to_end_that_no_status_tells_is_recorded(reason: Any) -> None:
    response = Response(choices=(Choice(message=assistant("Hi"), finish=Finish(reason=reason)),))
    encoded = DIALECT.encode_response(response, OPENAI)
    assert encoded.body["status"] == "completed"
    assert ("choices[0].finish.reason", "substituted") in [(entry.path, entry.action) for entry in encoded.adaptations]
