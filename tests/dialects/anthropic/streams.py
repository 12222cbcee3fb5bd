"""Hand-written streams: one per feature of the wire."""

from __future__ import annotations

from typing import Any

from tests.dialects.anthropic.bodies import SERVER_RESULTS
from tests.dialects.anthropic.wire import PING, START, STOP, begin, delta, end, finish, text_block

_CITATION = {
    "type": "web_search_result_location",
    "cited_text": "sun",
    "url": "https://example.org",
    "title": "Sun",
    "encrypted_index": "sealed-index",
}


def _arguments(index: int, *pieces: str) -> list[dict[str, Any]]:
    return [delta(index, type="input_json_delta", partial_json=piece) for piece in pieces]


def _call(index: int, *pieces: str, **block: Any) -> list[dict[str, Any]]:
    started: dict[str, Any] = {"type": "tool_use", "id": f"toolu_{index}", "name": "weather", "input": {}, **block}
    return [begin(index, **started), *_arguments(index, *pieces), end(index)]


def _whole(index: int, block: dict[str, Any]) -> list[dict[str, Any]]:
    return [begin(index, **block), end(index)]


def _numbered(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for index, block in enumerate(blocks) for event in _whole(index, block)]


_START_WITHOUT_USAGE = {
    "type": "message_start",
    "message": {name: value for name, value in START["message"].items() if name != "usage"},
}

STREAMS: dict[str, list[dict[str, Any]]] = {
    "text": [START, PING, *text_block(0, "Hel", "", "lo ", "wörld 🌍"), finish(), STOP],
    "no content": [START, finish("refusal", 0, stop_details={"type": "refusal", "category": "bio"}), STOP],
    "an empty block": [START, *text_block(0), finish(), STOP],
    "text that begins in its start": [
        START,
        begin(0, type="text", text="Hel"),
        *text_block(0, "lo")[1:],
        finish(),
        STOP,
    ],
    "citations": [
        START,
        begin(0, type="text", text="", citations=[]),
        delta(0, type="text_delta", text="The sun"),
        delta(0, type="citations_delta", citation=_CITATION),
        delta(0, type="citations_delta", citation={**_CITATION, "cited_text": "star"}),
        end(0),
        begin(1, type="text", text="", citations=[]),
        end(1),
        finish(),
        STOP,
    ],
    "thinking": [
        START,
        begin(0, type="thinking", thinking="", signature=""),
        delta(0, type="thinking_delta", thinking="Hm, "),
        delta(0, type="thinking_delta", thinking="well."),
        delta(0, type="signature_delta", signature="signed"),
        end(0),
        begin(1, type="thinking", thinking="", signature=""),
        delta(1, type="signature_delta", signature="omitted"),
        end(1),
        *_whole(2, {"type": "redacted_thinking", "data": "sealed"}),
        *text_block(3, "So."),
        finish(),
        STOP,
    ],
    "thinking that is not signed": [
        START,
        begin(0, type="thinking", thinking=""),
        delta(0, type="thinking_delta", thinking="Hm."),
        end(0),
        finish(),
        STOP,
    ],
    "calls": [
        START,
        *text_block(0, "Let me see."),
        *_call(1, "", '{"city"', ': "Zü', "rich\\u00", 'e9"}'),
        *_call(2, caller={"type": "direct"}),
        finish("tool_use"),
        STOP,
    ],
    "a call whose input comes in its start": [START, *_call(0, input={"city": "Bern"}), finish("tool_use"), STOP],
    "server tools": [
        START,
        *_call(0, '{"query": "x"}', type="server_tool_use", id="srvtoolu_1", name="web_search"),
        *[{**event, "index": event["index"] + 1} for event in _numbered(list(SERVER_RESULTS.values()))],
        finish("pause_turn", container={"id": "c", "expires_at": "t"}),
        STOP,
    ],
    "mcp": [
        START,
        *_call(0, '{"q": 1}', type="mcp_tool_use", id="mcptoolu_1", name="ask", server_name="wiki"),
        *_whole(
            1,
            {
                "type": "mcp_tool_result",
                "tool_use_id": "mcptoolu_1",
                "is_error": False,
                "content": [{"type": "text", "text": "42"}],
            },
        ),
        finish(),
        STOP,
    ],
    "compaction": [
        START,
        begin(0, type="compaction", content=None, encrypted_content=None),
        delta(0, type="compaction_delta", content="So far.", encrypted_content="sealed"),
        end(0),
        *text_block(1, "Hi"),
        {**finish("end_turn"), "context_management": {"applied_edits": []}},
        STOP,
    ],
    "a fallback": [
        START,
        *_whole(0, {"type": "fallback", "from": {"model": "claude-x"}, "to": {"model": "claude-y"}}),
        *text_block(1, "Hi"),
        finish(),
        STOP,
    ],
    "an upload": [START, *_whole(0, {"type": "container_upload", "file_id": "file_1"}), finish(), STOP],
    "usage in pieces": [
        START,
        *text_block(0, "Hi"),
        {
            **finish(),
            "usage": {
                "input_tokens": 20,
                "cache_read_input_tokens": None,
                "output_tokens": 5,
                "server_tool_use": {"web_search_requests": 1},
                "output_tokens_details": {"thinking_tokens": 2},
                "iterations": [],
            },
        },
        {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 6}},
        STOP,
    ],
    "no usage in the start": [_START_WITHOUT_USAGE, *text_block(0, "Hi"), finish(), STOP],
    "a call cut by the cap": [START, *_call(0, '{"city": "Zü')[:-1], finish("max_tokens"), STOP],
    "a stop sequence": [START, *text_block(0, "Hi"), finish("stop_sequence", stop_sequence="END"), STOP],
    "several members of the message": [
        {"type": "message_start", "message": {**START["message"], "stop_details": None, "provider": "p"}},
        *text_block(0, "Hi"),
        {**finish("end_turn", stop_details=None), "metadata": {"a": 1}},
        STOP,
    ],
}
