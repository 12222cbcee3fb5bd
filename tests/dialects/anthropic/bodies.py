"""Hand-written bodies: one per feature of the wire, as clients and the API write them."""

from __future__ import annotations

from typing import Any

from tests.dialects.anthropic.wire import answer, asked, said

HI = said("user", "Hi")
_TEXT: dict[str, Any] = {"type": "text", "text": "Hi"}
_CACHED = {"type": "ephemeral"}
_TOOL: dict[str, Any] = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
_CALL: dict[str, Any] = {
    "type": "tool_use",
    "id": "toolu_1",
    "name": "weather",
    "input": {"city": "Zürich", "n": 1.0, "deep": [{}]},
}
_SEARCH: dict[str, Any] = {
    "type": "server_tool_use",
    "id": "srvtoolu_1",
    "name": "web_search",
    "input": {"query": "eclipse"},
}
_FOUND = {
    "type": "web_search_result",
    "url": "https://example.org",
    "title": "Eclipse",
    "encrypted_content": "sealed-content",
    "page_age": None,
}
_CITATIONS = [
    {
        "type": "char_location",
        "cited_text": "grass",
        "document_index": 0,
        "document_title": None,
        "start_char_index": 0,
        "end_char_index": 5,
    },
    {
        "type": "page_location",
        "cited_text": "sky",
        "document_index": 1,
        "document_title": "Sky",
        "start_page_number": 1,
        "end_page_number": 2,
    },
    {
        "type": "content_block_location",
        "cited_text": "sea",
        "document_index": 2,
        "document_title": "Sea",
        "start_block_index": 0,
        "end_block_index": 1,
        "file_id": "file_1",
    },
    {
        "type": "web_search_result_location",
        "cited_text": "sun",
        "url": "https://example.org",
        "title": "Sun",
        "encrypted_index": "sealed-index",
    },
    {
        "type": "search_result_location",
        "cited_text": "moon",
        "source": "https://example.org/moon",
        "title": None,
        "search_result_index": 0,
        "start_block_index": 0,
        "end_block_index": 1,
    },
    {"type": "a_future_location", "cited_text": "star", "where": [1]},
]


def _result(kind: str, content: Any) -> dict[str, Any]:
    return {"type": f"{kind}_tool_result", "tool_use_id": "srvtoolu_1", "content": content}


SERVER_RESULTS: dict[str, dict[str, Any]] = {
    "web search": _result("web_search", [_FOUND]),
    "web search, direct": {**_result("web_search", [_FOUND]), "caller": {"type": "direct"}},
    "web search, failed": _result(
        "web_search", {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}
    ),
    "web fetch": _result(
        "web_fetch",
        {
            "type": "web_fetch_result",
            "url": "https://example.org",
            "retrieved_at": None,
            "content": {
                "type": "document",
                "title": None,
                "citations": None,
                "source": {"type": "text", "media_type": "text/plain", "data": "Hi"},
            },
        },
    ),
    "code": _result(
        "code_execution",
        {"type": "code_execution_result", "stdout": "1\n", "stderr": "", "return_code": 0, "content": []},
    ),
    "sealed code": _result(
        "code_execution",
        {
            "type": "encrypted_code_execution_result",
            "encrypted_stdout": "sealed-stdout",
            "stderr": "",
            "return_code": 0,
            "content": [{"type": "code_execution_output", "file_id": "file_1"}],
        },
    ),
    "bash": _result(
        "bash_code_execution",
        {"type": "bash_code_execution_tool_result_error", "error_code": "unavailable"},
    ),
    "editor": _result(
        "text_editor_code_execution", {"type": "text_editor_code_execution_create_result", "is_file_update": False}
    ),
    "tool search": _result(
        "tool_search",
        {
            "type": "tool_search_tool_search_result",
            "tool_references": [{"type": "tool_reference", "tool_name": "weather"}],
        },
    ),
    "advisor": _result("advisor", {"type": "advisor_redacted_result", "encrypted_content": "sealed-advice"}),
    "a future kind": _result("tomorrow", {"type": "tomorrow_result"}),
}

REQUESTS: dict[str, dict[str, Any]] = {
    "one word": asked(HI),
    "an empty word": asked(said("user", "")),
    "blocks": asked(said("user", _TEXT, {"type": "text", "text": ""})),
    "no blocks": asked({"role": "user", "content": []}),
    "every number": asked(HI, temperature=1, top_p=0.5, top_k=3, stop_sequences=["A", " "], stream=True),
    "a temperature beyond the range": asked(HI, temperature=1.5),
    "explicit nothings": asked(HI, stream=False, tools=[], stop_sequences=[], metadata={}, temperature=None, system=""),
    "nulls": asked(HI, thinking=None, tool_choice=None, output_config=None, service_tier=None, container=None),
    "system text": asked(HI, system="Be brief."),
    "system blocks": asked(
        HI, system=[_TEXT, {**_TEXT, "cache_control": {"type": "ephemeral", "ttl": "1h"}, "citations": None}]
    ),
    "no system blocks": asked(HI, system=[]),
    "system turns": asked(
        HI,
        {"role": "system", "content": "Now rhyme."},
        {"role": "system", "content": [_TEXT], "clear_at": "never"},
        {"role": "system", "output_config": {"effort": "low"}},
    ),
    "turns in a row": asked(HI, HI, said("assistant", "Ho"), said("assistant", _TEXT), HI),
    "cache marks": asked(
        said("user", {**_TEXT, "cache_control": _CACHED}, {**_TEXT, "cache_control": None}),
        said("user", {**_TEXT, "cache_control": {"type": "ephemeral", "ttl": "5m"}}),
        said("user", {**_TEXT, "cache_control": {"type": "lasting", "scope": "all"}}),
        cache_control={"type": "ephemeral", "ttl": "1h"},
        tools=[{**_TOOL, "cache_control": _CACHED}],
    ),
    "images": asked(
        said(
            "user",
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "TRIMMED[base64 9]"}},
            {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}, "cache_control": _CACHED},
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}, "transformations": {"crop": 1}},
            {"type": "image", "source": {"type": "url", "url": "data:image/png;base64,AAAA"}},
            {"type": "image", "source": {"type": "bucket", "key": "a"}},
        )
    ),
    "documents": asked(
        said(
            "user",
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                "title": "Notes",
                "context": "of a lecture",
                "citations": {"enabled": True},
            },
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Hi"}, "title": None},
            {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}, "title": ""},
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
            {"type": "document", "source": {"type": "content", "content": [_TEXT]}},
            {"type": "document", "source": {"type": "content", "content": "Hi"}},
        )
    ),
    "search results": asked(
        said("user", {"type": "search_result", "source": "s", "title": "t", "content": [_TEXT], "citations": {}})
    ),
    "uploads": asked(said("user", {"type": "container_upload", "file_id": "file_1"})),
    "citations": asked(HI, said("assistant", {**_TEXT, "citations": _CITATIONS}, {**_TEXT, "citations": []})),
    "tools": asked(
        HI,
        tools=[
            _TOOL,
            {**_TOOL, "type": "custom", "strict": True, "defer_loading": False, "input_examples": [{"city": "Bern"}]},
            {**_TOOL, "type": None, "strict": False, "description": ""},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": None, "user_location": None},
            {"type": "computer_20250124", "name": "computer", "display_width_px": 1, "display_height_px": 2},
            {"type": "mcp_toolset", "mcp_server_name": "wiki", "configs": {}},
            {"type": "memory_20250818", "name": "memory", "cache_control": _CACHED},
        ],
    ),
    "choice auto": asked(HI, tools=[_TOOL], tool_choice={"type": "auto", "disable_parallel_tool_use": True}),
    "choice any": asked(HI, tools=[_TOOL], tool_choice={"type": "any", "disable_parallel_tool_use": False}),
    "choice tool": asked(HI, tools=[_TOOL], tool_choice={"type": "tool", "name": "weather"}),
    "choice none": asked(HI, tools=[_TOOL], tool_choice={"type": "none"}),
    "choice with a stray member": asked(HI, tools=[_TOOL], tool_choice={"type": "none", "name": "weather", "x": 1}),
    "a choice without tools": asked(HI, tool_choice={"type": "any"}),
    "calls and results": asked(
        HI,
        said("assistant", _TEXT, _CALL, {**_CALL, "id": "toolu_2", "input": {}, "caller": {"type": "direct"}}),
        said(
            "user",
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12 °C", "is_error": False},
            {
                "type": "tool_result",
                "tool_use_id": "toolu_2",
                "is_error": True,
                "content": [
                    _TEXT,
                    {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
                    {"type": "tool_reference", "tool_name": "weather"},
                    {"type": "search_result", "source": "s", "title": "t", "content": [_TEXT]},
                ],
                "cache_control": _CACHED,
            },
            {"type": "tool_result", "tool_use_id": "toolu_3"},
            {"type": "tool_result", "tool_use_id": "toolu_4", "content": []},
            {"type": "tool_result", "tool_use_id": "toolu_5", "content": ""},
            {"type": "tool_result", "tool_use_id": "toolu_6", "content": [_TEXT], "toolset_name": "set"},
            _TEXT,
        ),
        tools=[_TOOL],
    ),
    "wrapped arguments": asked(
        HI,
        said(
            "assistant",
            {**_CALL, "input": {"INVALID_JSON": '{"city": "Zü'}},
            {**_CALL, "id": "toolu_2", "input": {"INVALID_JSON": '{"city": "Bern"}'}},
            {**_CALL, "id": "toolu_3", "input": {"INVALID_JSON": ""}},
        ),
    ),
    "ids that the wire's own pattern forbids": asked(
        HI,
        said("assistant", {**_CALL, "id": "functions.weather:0"}),
        said("user", {"type": "tool_result", "tool_use_id": "functions.weather:0", "content": "12"}),
    ),
    "thinking": asked(
        HI,
        said(
            "assistant",
            {"type": "thinking", "thinking": "Hm.", "signature": "signed"},
            {"type": "thinking", "thinking": "", "signature": "signed-and-omitted"},
            {"type": "thinking", "thinking": "Hm.", "signature": ""},
            {"type": "thinking", "thinking": "Hm."},
            {"type": "redacted_thinking", "data": "sealed"},
            _CALL,
        ),
        said("user", {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12"}),
        thinking={"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
    ),
    "thinking adaptive": asked(HI, thinking={"type": "adaptive", "display": "summarized"}),
    "thinking off": asked(HI, thinking={"type": "disabled"}),
    "thinking off, oddly": asked(HI, thinking={"type": "disabled", "extra": 1.5}),
    "thinking between tools": asked(HI, thinking={"type": "between_tools"}),
    "thinking of the model's own": asked(HI, thinking={"block_binding": {"prefix_mismatch_behavior": "drop_block"}}),
    "effort beside thinking of the model's own": asked(
        HI, thinking={"block_binding": {"a": 1}, "display": "omitted"}, output_config={"effort": "high"}
    ),
    "thinking, said emptily": asked(HI, thinking={}),
    "thinking, oddly": asked(
        HI, thinking={"type": "enabled", "budget_tokens": 10, "display": None, "block_binding": {"a": 1}}
    ),
    "effort": asked(HI, output_config={"effort": "xhigh"}),
    "effort and thinking": asked(HI, output_config={"effort": "low"}, thinking={"type": "adaptive"}),
    "effort without thinking": asked(HI, output_config={"effort": "high"}, thinking={"type": "disabled"}),
    "output config": asked(
        HI,
        output_config={
            "effort": None,
            "format": {"type": "json_schema", "schema": {"type": "object"}, "extra": 1},
            "task_budget": {"type": "tokens", "total": 9},
        },
    ),
    "output format": asked(HI, output_format={"type": "json_schema", "schema": {"type": "object"}}),
    "both output forms": asked(
        HI,
        output_format={"type": "json_schema", "schema": {"a": 1}},
        output_config={"format": {"type": "json_schema", "schema": {"b": 1}}},
    ),
    "an output of a future kind": asked(HI, output_config={"format": {"type": "grammar", "text": "x"}}),
    "server tools": asked(
        HI,
        said("assistant", _SEARCH, *SERVER_RESULTS.values(), {**_SEARCH, "caller": {"type": "direct"}}),
    ),
    "mcp": asked(
        HI,
        said(
            "assistant",
            {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "ask", "server_name": "wiki", "input": {"q": 1}},
            {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": [_TEXT]},
            {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_2", "is_error": True, "content": "no"},
        ),
        mcp_servers=[{"type": "url", "name": "wiki", "url": "https://example.org", "authorization_token": None}],
    ),
    "compaction": asked(
        said(
            "assistant", {"type": "compaction", "content": "So far.", "encrypted_content": "sealed-compaction"}, _TEXT
        ),
        HI,
        context_management={"edits": [{"type": "compact_20260112"}, {"type": "clear_tool_uses_20250919"}]},
    ),
    "fallback": asked(
        HI,
        said("assistant", {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}, _TEXT),
        fallbacks="default",
    ),
    "a block of tomorrow": asked(said("user", {"type": "hologram", "data": [1, {"x": None}]})),
    "the rest": asked(
        HI,
        metadata={"user_id": "u", "team": "north"},
        service_tier="standard_only",
        container={"id": "c", "skills": [{"type": "custom", "skill_id": "s"}]},
        inference_geo="eu",
        speed="fast",
        unknown={"a": None},
        **{":colon": 1},
    ),
    "a null user": asked(HI, metadata={"user_id": None}),
    "a block with unknown members": asked(
        said("user", {**_TEXT, "mood": "good", ":colon": 1, "absent": None}),
        {"role": "user", "content": "Hi", "weight": 2},
    ),
}

_REFUSED = {"type": "refusal", "category": "cyber", "explanation": None}
ANSWERS: dict[str, dict[str, Any]] = {
    "text": answer(_TEXT),
    "nothing": answer(),
    "citations": answer({**_TEXT, "citations": _CITATIONS}, {**_TEXT, "citations": None}),
    "thinking": answer(
        {"type": "thinking", "thinking": "Hm.", "signature": "signed"},
        {"type": "thinking", "thinking": "", "signature": "omitted"},
        {"type": "redacted_thinking", "data": "sealed"},
        _TEXT,
    ),
    "calls": answer(_TEXT, _CALL, {**_CALL, "id": "toolu_2", "input": {}}, stop_reason="tool_use"),
    "server tools": answer(_SEARCH, *SERVER_RESULTS.values(), _TEXT, stop_reason="pause_turn"),
    "mcp": answer(
        {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "ask", "server_name": "wiki", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": [_TEXT]},
    ),
    "compaction": answer(
        {"type": "compaction", "content": None, "encrypted_content": "sealed"},
        stop_reason="compaction",
        context_management={"applied_edits": []},
    ),
    "upload": answer({"type": "container_upload", "file_id": "file_1"}, container={"id": "c", "expires_at": "t"}),
    "a stop sequence": answer(_TEXT, stop_reason="stop_sequence", stop_sequence="END"),
    "refusal": answer(stop_reason="refusal", stop_details=_REFUSED),
    "no details": answer(_TEXT, stop_details=None, container=None, diagnostics=None),
    "a reason of tomorrow": answer(_TEXT, stop_reason="bored"),
    "no reason": answer(_TEXT, stop_reason=None),
    "a sequence without a reason": answer(_TEXT, stop_reason=None, stop_sequence="END"),
    "a lean host": {"type": "message", "content": [_TEXT], "stop_reason": "end_turn"},
    "a leaner host": {"content": [_TEXT], "model": None, "id": None, "role": None},
    "no content": answer() | {"content": None},
    "unknown members": answer(_TEXT, openrouter_metadata={"a": 1}, provider="p"),
    "full usage": answer(
        _TEXT,
        usage={
            "input_tokens": 10,
            "cache_creation_input_tokens": 3,
            "cache_read_input_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2},
            "output_tokens": 9,
            "output_tokens_details": {"thinking_tokens": 4},
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
            "service_tier": "priority",
            "inference_geo": "eu",
            "iterations": None,
            "cost": 0.25,
        },
    ),
}
