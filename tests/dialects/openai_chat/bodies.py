"""Requests as clients write them: every member, part and form of the wire, by name."""

from __future__ import annotations

from typing import Any

from tests.dialects.openai_chat.wire import JSON

HI: JSON = {"role": "user", "content": "Hi"}
FUNCTION: JSON = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        "strict": True,
    },
}
CALL: JSON = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Genève"}'}}
DETAILS: list[JSON] = [{"type": "reasoning.text", "text": "Hm.", "signature": "c2lnbmF0dXJl", "index": 0}]


def body(*messages: JSON, **members: Any) -> JSON:
    return {"model": "gpt-4o", "messages": list(messages or (HI,)), **members}


def turns(*messages: JSON) -> JSON:
    return body(HI, *messages)


def parts(*content: JSON, role: str = "user") -> JSON:
    return body({"role": role, "content": list(content)})


BODIES: dict[str, JSON] = {
    "text": body(),
    "a text in a list": parts({"type": "text", "text": "Hi"}),
    "several texts": parts({"type": "text", "text": "a"}, {"type": "text", "text": "b"}),
    "an empty list": parts(),
    "an empty text": body({"role": "user", "content": ""}),
    "names": body({"role": "user", "content": "Hi", "name": "ann"}, {"role": "user", "content": "Ho", "name": None}),
    "instructions": body({"role": "system", "content": "a"}, {"role": "developer", "content": "b"}, HI),
    "unknown members everywhere": body(
        {"role": "user", "content": [{"type": "text", "text": "Hi", "x": 1}], "y": [2]}, z={"deep": None}
    ),
    "members named like notes": body({"role": "user", "content": "Hi", ":content": "x"}, **{":void": 1}),
    "an image by address": parts({"type": "image_url", "image_url": {"url": "https://a.b/c.png", "detail": "low"}}),
    "an image inline": parts({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}),
    "an image inline, oddly": parts({"type": "image_url", "image_url": {"url": "data:image/PNG;charset=x,abc"}}),
    "an image as text": parts({"type": "image_url", "image_url": "https://a.b/c.png"}),
    "nulls beside an image": parts(
        {"type": "text", "text": "a", "image_url": None},
        {"type": "image_url", "image_url": {"url": "https://a.b"}, "text": None},
    ),
    "audio": parts({"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}),
    "audio of a rare form": parts({"type": "input_audio", "input_audio": {"data": "UklG", "format": "opus"}}),
    "audio as text": parts({"type": "input_audio", "input_audio": "UklG"}),
    "audio by address": parts({"type": "audio_url", "audio_url": {"url": "https://a.b/c.mp3"}}),
    "a file inline": parts(
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"}}
    ),
    "a file bare": parts({"type": "file", "file": {"file_data": "JVBE", "filename": "a.bin"}}),
    "a file by id": parts({"type": "file", "file": {"file_id": "file-1"}}),
    "a file by id and data": parts({"type": "file", "file": {"file_id": "file-1", "file_data": "JVBE"}}),
    "a file by address": parts({"type": "file", "file": {"file_data": "https://a.b/c.pdf", "filename": "c.pdf"}}),
    "a file as Mistral has it": parts({"type": "file", "file_id": "f1"}),
    "a document by address": parts({"type": "document_url", "document_url": "https://a.b", "document_name": "b"}),
    "video": parts({"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}}),
    "video, the older way": parts({"type": "input_video", "video_url": {"url": "https://a.b/c.mp4"}}),
    "a part of tomorrow": parts({"type": "hologram", "hologram": {"id": 1}}, {"type": "text", "text": "?"}),
    "a part without a type": parts({"hologram": 1}),
    "cache marks": body(
        {
            "role": "system",
            "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        },
        {"role": "user", "content": [{"type": "text", "text": "b", "prompt_cache_breakpoint": {"mode": "explicit"}}]},
    ),
    "an assistant's text": turns({"role": "assistant", "content": "Ho"}),
    "an assistant's list": turns({"role": "assistant", "content": [{"type": "text", "text": "Ho"}]}),
    "a refusal": turns({"role": "assistant", "content": None, "refusal": "No."}),
    "a refusal in the list": turns({"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}),
    "an answer as a client dumps it": turns(
        {
            "role": "assistant",
            "content": "Ho",
            "refusal": None,
            "annotations": [],
            "audio": None,
            "function_call": None,
            "tool_calls": None,
        }
    ),
    "calls and results": turns(
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "21"},
    ),
    "calls without content": turns({"role": "assistant", "tool_calls": [CALL]}),
    "calls with empty content": turns({"role": "assistant", "content": "", "tool_calls": [CALL]}),
    "calls with an empty list": turns({"role": "assistant", "content": [], "tool_calls": [CALL]}),
    "a call with an index and more": turns(
        {"role": "assistant", "content": None, "tool_calls": [{**CALL, "index": 0, "x": True}]}
    ),
    "a call without arguments": turns(
        {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": ""}}]}
    ),
    "a call with an object": turns(
        {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {"a": 1}}}]}
    ),
    "a call without a type": turns(
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}
    ),
    "calls without ids": turns(
        {"role": "assistant", "tool_calls": [{**CALL, "id": ""}, {**CALL, "id": ""}]},
        {"role": "tool", "tool_call_id": "", "content": "1"},
        {"role": "tool", "content": "2"},
    ),
    "a long id": turns(
        {"role": "assistant", "tool_calls": [{**CALL, "id": "x" * 60}]},
        {"role": "tool", "tool_call_id": "x" * 60, "content": "1"},
    ),
    "a free-form call": turns(
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "a"},
    ),
    "a result with parts": turns(
        {"role": "assistant", "tool_calls": [CALL]},
        {
            "role": "tool",
            "tool_call_id": "call_1",
            "content": [
                {"type": "text", "text": "See"},
                {"type": "image_url", "image_url": {"url": "https://a.b/c.png"}},
            ],
        },
    ),
    "a result with a name": turns(
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "", "name": "weather"},
    ),
    "functions": body(
        HI,
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "1"},
        functions=[{"name": "f", "description": "d", "parameters": {"type": "object"}}, {"name": "g"}],
        function_call={"name": "f"},
    ),
    "functions, not called": body(functions=[{"name": "f"}], function_call="none"),
    "reasoning": turns({"role": "assistant", "content": "a", "reasoning": "Hm."}),
    "reasoning content": turns({"role": "assistant", "content": "a", "reasoning_content": "Hm."}),
    "empty reasoning content": turns({"role": "assistant", "content": "a", "reasoning_content": ""}),
    "reasoning twice": turns({"role": "assistant", "content": "a", "reasoning_content": "Hm.", "reasoning": "Hm."}),
    "reasoning details": turns({"role": "assistant", "content": "a", "reasoning": "Hm.", "reasoning_details": DETAILS}),
    "reasoning details alone": turns({"role": "assistant", "content": "a", "reasoning_details": DETAILS}),
    "thinking blocks": turns(
        {
            "role": "assistant",
            "content": "a",
            "reasoning_content": "Hm.",
            "thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}],
        }
    ),
    "signatures of Gemini": turns(
        {
            "role": "assistant",
            "content": None,
            "extra_content": {"google": {"thought_signature": "c2ln"}},
            "tool_calls": [{**CALL, "extra_content": {"google": {"thought_signature": "c2lnMg"}}}],
        }
    ),
    "a content list of Mistral's": turns(
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "closed": True},
                {"type": "text", "text": "a"},
                {"type": "reference", "reference_ids": [1, "2"]},
            ],
            "prefix": True,
        }
    ),
    "earlier audio": turns({"role": "assistant", "content": None, "audio": {"id": "audio_1"}}),
    "earlier images": turns(
        {
            "role": "assistant",
            "content": "a",
            "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}, "index": 0}],
        }
    ),
    "earlier annotations": turns({"role": "assistant", "content": "a", "annotations": [{"type": "url_citation"}]}),
    "tools": body(
        tools=[
            FUNCTION,
            {"type": "function", "function": {"name": "bare"}, "cache_control": {"type": "ephemeral"}},
            {"type": "function", "function": {"name": "odd", "parameters": None, "x": 1}, "y": 2},
            {"type": "custom", "custom": {"name": "sh", "format": {"type": "text"}}},
            {"type": "openrouter:web_search", "parameters": {"max_uses": 1}},
        ]
    ),
    "no tools": body(tools=[], functions=[], tool_choice=None),
    "parallel alone": body(tools=[FUNCTION], parallel_tool_calls=False),
    "tools and functions": body(tools=[FUNCTION], functions=[{"name": "f"}], tool_choice="auto", function_call="auto"),
    "every setting": body(
        temperature=1,
        top_p=0.5,
        top_k=40,
        min_p=0.1,
        seed=7,
        presence_penalty=0.5,
        frequency_penalty=-0.5,
        logprobs=True,
        top_logprobs=3,
        n=2,
        user="u",
        metadata={"a": "b"},
        service_tier="flex",
        store=False,
        prompt_cache_key="k",
        max_completion_tokens=9,
        stop=["a", "b"],
        modalities=["text", "audio"],
        audio={"voice": "alloy", "format": "wav"},
        logit_bias={"50256": -100},
        prediction={"type": "content", "content": "x"},
        verbosity="low",
        web_search_options={},
        stream=True,
        stream_options={"include_usage": True, "include_obfuscation": False},
    ),
    "nulls": body(
        temperature=None, stop=None, tools=None, response_format=None, stream=None, stream_options=None, n=None, x=None
    ),
    "other spellings": body(max_tokens=9, stop="a", stream=False, stream_options={}, logprobs=2, random_seed=1),
    "both caps": body(max_tokens=9, max_completion_tokens=10),
    "numbers with a point": body(max_tokens=9.0, seed=1.0, top_k=4.0, n=1.0),
    "many stops": body(stop=["a", "b", "c", "d", "e", "f"]),
    "an effort": body(reasoning_effort="minimal"),
    "a reasoning object": body(reasoning={"effort": "high", "exclude": True, "x": 1}),
    "a reasoning budget": body(reasoning={"max_tokens": 2000, "summary": "auto"}, reasoning_effort="low"),
    "reasoning turned on": body(reasoning={"enabled": True}),
    "a thinking object": body(thinking={"type": "enabled", "clear_thinking": False}),
    "thinking turned off": body(thinking={"type": "disabled"}, reasoning_effort="low"),
    "text output": body(response_format={"type": "text"}),
    "any object": body(response_format={"type": "json_object"}),
    "a schema": body(
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "n", "description": "d", "schema": {"type": "object"}, "strict": True},
        }
    ),
    "a schema, oddly": body(response_format={"type": "json_schema", "json_schema": {"schema": {}, "x": 1}, "y": None}),
    "a grammar": body(response_format={"type": "grammar", "grammar": "root ::= x"}),
    **{
        f"tool choice {choice}": body(tools=[FUNCTION], tool_choice=choice)
        for choice in ("auto", "none", "required", "any", "later")
    },
    "a named tool": body(tools=[FUNCTION], tool_choice={"type": "function", "function": {"name": "weather"}}),
    "a named tool as Anthropic has it": body(tools=[FUNCTION], tool_choice={"type": "tool", "name": "weather"}),
    "a named free-form tool": body(tool_choice={"type": "custom", "custom": {"name": "sh"}}),
    "allowed tools": body(
        tools=[FUNCTION],
        tool_choice={
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "weather"}}]},
        },
    ),
    "a choice of tomorrow": body(tool_choice={"type": "web_search_preview"}),
}
