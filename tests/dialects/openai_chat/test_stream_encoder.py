"""Streams for clients of ours: what the official clients of this wire look for."""

from __future__ import annotations

import msgspec
import pytest

from dragoman.dialects.openai_chat.dialect import DIALECT
from dragoman.errors import AuthenticationFailed, ProviderError, RateLimited, StreamTruncated
from dragoman.values import (
    Assembly,
    Citation,
    Event,
    Finish,
    Media,
    Opaque,
    Ping,
    Reasoning,
    Refusal,
    Replay,
    Request,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    replace,
)
from tests.dialects.openai_chat.wire import JSON, OPENAI, actions, frames, run
from tests.wire.laws import check_events

ASKED = Request(model="asked", stream=True, stream_usage=True)


def begun(dialect: str = "anthropic") -> tuple[Assembly, list[Event]]:
    assembly = Assembly(provider="anthropic", dialect=dialect, model="claude")
    return assembly, assembly.start(id="msg_1", created=5)


def text_events(*pieces: str, dialect: str = "anthropic", usage: Usage | None = None) -> list[Event]:
    assembly, events = begun(dialect)
    events.append(assembly.open("text", Text(text="")))
    for piece in pieces:
        events += assembly.delta("text", piece)
    events += assembly.end("text")
    if usage is not None:
        events += assembly.usage(usage)
    assembly.finish(Finish(reason="stop", raw="end_turn"))
    return events + assembly.complete()


def written(events: list[Event], request: Request = ASKED) -> tuple[list[JSON], list[tuple[str, str]]]:
    encoder = DIALECT.stream_encoder(request, OPENAI)
    body = b"".join([*(encoder.feed(event) for event in events), encoder.close()])
    assert body.endswith(b"data: [DONE]\n\n")
    return frames(body), actions(encoder.adaptations())


def deltas(chunks: list[JSON]) -> list[JSON]:
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def test_text() -> None:
    chunks, adapted = written(text_events("Hö", '"\n'))
    head = {"id": "msg_1", "object": "chat.completion.chunk", "created": 5, "model": "claude"}
    assert chunks == [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        for delta, finish in (
            ({"role": "assistant", "content": ""}, None),
            ({"content": "Hö"}, None),
            ({"content": '"\n'}, None),
            ({}, "stop"),
        )
    ] + [{**head, "choices": []}]
    assert adapted == []


def test_usage_comes_where_the_client_asked_for_it() -> None:
    events = text_events("Ho", usage=Usage(input_tokens=3, output_tokens=4))
    chunks, adapted = written(events)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert adapted == []
    chunks, adapted = written(events, Request(model="m", stream=True))
    assert all(chunk["choices"] and "usage" not in chunk for chunk in chunks)
    assert adapted == [("dropped", "usage")]


def test_calls() -> None:
    assembly, events = begun()
    for name in ("f", "g"):
        events.append(assembly.open(name, ToolCall(id=f"toolu_{name}", name=name)))
    events += assembly.delta("f", '{"a"')
    events += assembly.delta("f", ":1}")
    events += assembly.end_all()
    assembly.finish(Finish(reason="tool_calls", raw="tool_use"))
    events += assembly.complete()
    chunks, adapted = written(events)
    assert adapted == []
    assert deltas(chunks)[1:] == [
        {"tool_calls": [{"index": 0, "id": "toolu_f", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "id": "toolu_g", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {},
    ]
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_client_of_functions_gets_a_function_call() -> None:
    request = DIALECT.decode_request(
        {"model": "m", "messages": [{"role": "user", "content": "?"}], "functions": [{"name": "f"}], "stream": True},
        OPENAI,
    )
    assembly, events = begun()
    events.append(assembly.open("f", ToolCall(id="toolu_f", name="f")))
    events += assembly.delta("f", "{}")
    events += assembly.end("f")
    assembly.finish(Finish(reason="tool_calls"))
    events += assembly.complete()
    chunks, _ = written(events, request)
    assert deltas(chunks)[1:] == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
        {},
    ]
    assert chunks[-1]["choices"][0]["finish_reason"] == "function_call"


def test_everything_that_another_dialect_may_say() -> None:
    signed = Replay(issuer="anthropic", dialect="anthropic", kind="signature", data="EqoBstate")
    assembly, events = begun()
    for number, thought in enumerate(("Hm", "Ah")):
        events.append(assembly.open(f"thought {number}", Reasoning()))
        events += assembly.delta(f"thought {number}", thought)
        assembly.amend(f"thought {number}", replay=(signed,))
        events += assembly.end(f"thought {number}")
    events += assembly.whole(Reasoning(form="redacted", replay=(signed,)))
    events += assembly.whole(ToolCall(id="s", name="web_search", arguments_text="{}", runner="provider"))
    events += assembly.whole(ToolResult(call_id="s", runner="provider"))
    events += assembly.whole(Opaque(dialect="anthropic", kind="container_upload", data={}))
    events.append(assembly.open("text", Text(text="H")))
    events += assembly.delta("text", "o")
    events += assembly.cite("text", Citation(kind="url", url="https://a.b", title="A"))
    events += assembly.cite("text", Citation(kind="document"))
    events += assembly.end("text")
    events += assembly.whole(Refusal(text="No."))
    events.append(assembly.open("sound", Media(kind="audio")))
    events += assembly.delta("sound", "UklG")
    events += assembly.transcript("sound", "Ho")
    events += assembly.end("sound")
    events += assembly.whole(Media(kind="image", data="iVBO", media_type="image/png"))
    events.append(Ping())
    assembly.finish(Finish(reason="stop", raw="end_turn"))
    events += assembly.complete()
    check_events(events)
    chunks, adapted = written(events)
    assert "EqoBstate" not in str(chunks)
    assert deltas(chunks)[1:] == [
        {"reasoning_content": "Hm"},
        {"reasoning_content": "\n\nAh"},
        {"content": "H"},
        {"content": "o"},
        {
            "annotations": [
                {
                    "index": 0,
                    "type": "url_citation",
                    "url_citation": {"start_index": 0, "end_index": 2, "url": "https://a.b", "title": "A"},
                }
            ]
        },
        {"refusal": "No."},
        {"audio": {"id": "audio_8"}},
        {"audio": {"data": "UklG"}},
        {"audio": {"transcript": "Ho"}},
        {"audio": {"expires_at": 0}},
        {"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}, "index": 0}]},
        {},
    ]
    dropped = {path for action, path in adapted if action == "dropped"}
    assert {f"choices[0].message.parts[{index}]" for index in (2, 3, 4, 5)} <= dropped
    assert {f"choices[0].message.parts[{index}].replay" for index in (0, 1, 2)} <= dropped
    assert "choices[0].message.parts[6].citations[1]" in dropped


def test_an_answer_without_an_id_and_a_time_gets_some() -> None:
    assembly = Assembly(provider="p", dialect="gemini")
    events = assembly.start()
    events += assembly.whole(Text(text="Ho"))
    assembly.finish(Finish(reason="stop"))
    events += assembly.complete()
    chunks, adapted = written(events)
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[0]["model"] == "asked"
    assert adapted == [("defaulted", "id"), ("defaulted", "created")]
    assert run(b"".join(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks)).response is not None


def test_each_choice_is_announced_once() -> None:
    assembly, events = begun()
    for choice in (0, 1, 0, 1):
        key = object()
        events.append(assembly.open(key, Text(text=""), choice=choice))
        events += assembly.delta(key, "a")
        events += assembly.end(key)
    for choice in (0, 1):
        assembly.finish(Finish(reason="stop"), choice=choice)
    events += assembly.complete()
    chunks, _ = written(events)
    roles = [choice["index"] for chunk in chunks for choice in chunk["choices"] if "role" in choice["delta"]]
    assert roles == [0, 1]


def test_pings_keep_alive_and_nothing_ends_what_did_not_finish() -> None:
    encoder = DIALECT.stream_encoder(ASKED, OPENAI)
    assert encoder.feed(Ping()).startswith(b":")
    encoder.feed(text_events("Ho")[0])
    assert encoder.close() == b""


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (RateLimited("Slow down.", provider="x", status=429), "rate_limit_exceeded", "Slow down."),
        (AuthenticationFailed("Key sk-secret is wrong.", provider="x", status=401), "invalid_api_key", "x did not"),
        (StreamTruncated("cut off"), "connection_lost", "cut off"),
    ],
)
def test_an_error_in_mid_stream(error: RateLimited, code: str, words: str) -> None:
    encoder = DIALECT.stream_encoder(ASKED, OPENAI)
    events = text_events("Ho")
    before = b"".join(encoder.feed(event) for event in events[:3])
    (told,) = frames(encoder.fail(error))
    assert told["error"]["code"] == code
    assert words in told["error"]["message"]
    assert "sk-secret" not in str(told)
    outcome = run(before + encoder.fail(error))
    assert isinstance(outcome.error, ProviderError)
    assert outcome.error.partial.content == "Ho"


def test_the_events_of_a_changed_answer_are_taken_as_they_are() -> None:
    events = text_events("Ho", dialect="openai-chat")
    last = events[-1]
    assert type(last).__name__ == "Finished"
    changed = replace(last, response=replace(last.response, service_tier="flex"))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
    chunks, _ = written([*events[:-1], changed])
    assert chunks[-1]["service_tier"] == "flex"
