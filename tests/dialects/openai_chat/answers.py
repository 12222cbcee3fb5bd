"""Unstreamed answers as hosts write them, by name."""

from __future__ import annotations

from typing import Any

from tests.dialects.openai_chat.wire import JSON

CALL: JSON = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Genève"}'}}
CITATION: JSON = {
    "type": "url_citation",
    "url_citation": {"start_index": 0, "end_index": 4, "url": "https://a.b", "title": "A"},
}
USAGE: JSON = {
    "prompt_tokens": 9,
    "completion_tokens": 7,
    "total_tokens": 16,
    "prompt_tokens_details": {"cached_tokens": 2, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0},
}


def answer(message: JSON | None = None, *, finish: Any = "stop", choice: JSON | None = None, **members: Any) -> JSON:
    """A whole answer of one choice, complete as OpenAI gives it."""
    held = {"role": "assistant", "content": "Ho", "refusal": None, **(message or {})}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": held, "logprobs": None, "finish_reason": finish, **(choice or {})}],
        **members,
    }


def without(body: JSON, *names: str) -> JSON:
    return {name: value for name, value in body.items() if name not in names}


_LEAN: JSON = {
    "choices": [{"message": {"content": "Ho"}, "finish_reason": "stop"}],
    "usage": None,
    "error": None,
}

ANSWERS: dict[str, JSON] = {
    "text": answer(usage=USAGE, service_tier="default", system_fingerprint="fp_1"),
    "a dumped message": answer(
        {"annotations": [], "audio": None, "function_call": None, "tool_calls": [], "reasoning_content": None}
    ),
    "an empty text": answer({"content": ""}),
    "no text": answer({"content": None}),
    "lean": _LEAN,
    "empty words": answer({"refusal": "", "tool_calls": None}, finish="", id="", model="", service_tier=""),
    "nulls": answer(service_tier=None, system_fingerprint=None, usage=None, kv_transfer_params=None),
    "a created time with fractions": answer(created=1767225600.25),
    "a role of its own": answer({"role": "model"}),
    "a filter's answer": without(answer(), "choices")
    | {"choices": [{"index": 0, "finish_reason": "content_filter", "content_filter_results": {"hate": {}}}]},
    "no finish": answer(finish=None),
    "a finish of tomorrow": answer(finish="bored"),
    "calls": answer({"content": None, "tool_calls": [CALL, {**CALL, "id": "call_2"}]}, finish="tool_calls"),
    "a call with an index": answer({"content": None, "tool_calls": [{**CALL, "index": 0}]}, finish="tool_calls"),
    "a call without an id": answer({"tool_calls": [{**CALL, "id": ""}]}, finish="tool_calls"),
    "a call without arguments": answer({"tool_calls": [{**CALL, "function": {"name": "f", "arguments": ""}}]}),
    "a call with both kinds": answer({"tool_calls": [{**CALL, "custom": {"name": "", "input": ""}}]}),
    "a free-form call": answer({"tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "s", "input": "l"}}]}),
    "a legacy call": answer(
        {"content": None, "function_call": {"name": "f", "arguments": "{}"}}, finish="function_call"
    ),
    "a refusal": answer({"content": None, "refusal": "No."}),
    "annotations": answer({"content": "Ho, ho.", "annotations": [CITATION]}),
    "annotations without text": answer({"content": None, "annotations": [CITATION]}),
    "annotations of other kinds": answer(
        {
            "annotations": [
                {"type": "document_citation", "document_citation": {"start_index": 0, "end_index": 1, "document_id": 7}}
                | {"document_citation": {"start_index": 0, "end_index": 1, "document_id": "d"}},
                {"type": "file", "file": {"hash": "h"}},
                {
                    "type": "url_citation",
                    "url_citation": {"start_index": 0, "end_index": 0, "url": "u", "content": "c"},
                },
            ]
        }
    ),
    "audio": answer({"content": None, "audio": {"id": "audio_1", "data": "UklG", "transcript": "Ho", "expires_at": 1}}),
    "audio of zeros": answer({"audio": {"id": "", "data": "", "transcript": "", "expires_at": 0}}),
    "images": answer(
        {"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}, "index": 0}]}
    ),
    "reasoning": answer({"reasoning": "Hm."}),
    "reasoning content": answer({"reasoning_content": "Hm."}),
    "reasoning details": answer(
        {
            "reasoning": "Hm.",
            "reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "signature": "c2ln", "index": 0}],
        }
    ),
    "a reasoning summary": answer(
        {"reasoning": "Hm.", "reasoning_details": [{"type": "reasoning.summary", "summary": "Hm."}]}
    ),
    "encrypted reasoning": answer({"reasoning_details": [{"type": "reasoning.encrypted", "data": "c2ln"}]}),
    "signatures of Gemini": answer(
        {
            "content": None,
            "extra_content": {"google": {"thought": True, "thought_signature": "c2ln"}},
            "thought_signature": "c2ln",
            "tool_calls": [{**CALL, "extra_content": {"google": {"thought_signature": "c2ln"}}}],
        }
    ),
    "thinking blocks": answer(
        {
            "reasoning_content": "Hm.",
            "thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}],
            "provider_specific_fields": {"a": 1},
        }
    ),
    "a content list of Mistral's": answer(
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "signature": "c2ln"},
                {"type": "text", "text": "Ho"},
                {"type": "reference", "reference_ids": [1]},
            ]
        }
    ),
    "a content list of texts": answer({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
    "executed tools": answer({"executed_tools": [{"index": 0, "type": "search", "arguments": "{}", "output": "o"}]}),
    "logprobs": answer(choice={"logprobs": {"content": [{"token": "Ho", "logprob": -0.1}], "refusal": None}}),
    "logprobs that say nothing": answer(choice={"logprobs": {"content": None, "refusal": None}}),
    "members of a choice": answer(choice={"native_finish_reason": "end_turn", "stop_reason": None, "seed": 7}),
    "members of the answer": answer(provider="X", x_groq={"id": "r"}, prompt_filter_results=[{"prompt_index": 0}]),
    "sources of the whole answer": answer(
        citations=["https://a.b"], search_results=[{"title": "A", "url": "https://a.b", "date": None}]
    ),
    "several choices": without(answer(), "choices")
    | {
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
            for index, text in ((1, "b"), (0, "a"))
        ]
    },
}
