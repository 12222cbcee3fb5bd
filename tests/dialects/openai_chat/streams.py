"""Streamed answers as hosts write them, by name: each a list of chunks, and what they come to."""

from __future__ import annotations

from tests.dialects.openai_chat.wire import JSON, chunk

ROLE: JSON = {"role": "assistant", "content": ""}
USAGE: JSON = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}


def call(index: int | None, arguments: str = "", *, name: str = "", id: str = "") -> JSON:
    """One item of a delta's `tool_calls`."""
    function: JSON = {"arguments": arguments}
    if name:
        function["name"] = name
    item: JSON = {"function": function}
    if index is not None:
        item["index"] = index
    if id:
        item["id"] = id
        item["type"] = "function"
    return item


def calls(*items: JSON) -> JSON:
    return chunk({"tool_calls": list(items)})


END = chunk({}, finish="stop")
CALLED = chunk({}, finish="tool_calls")

STREAMS: dict[str, list[JSON]] = {
    "text": [
        chunk(ROLE, system_fingerprint="fp_1", service_tier="default"),
        chunk({"content": "Hö"}),
        chunk({"content": ", 😀"}),
        END,
        chunk(usage=USAGE),
    ],
    "usage beside the finish": [chunk(ROLE), chunk({"content": "Ho"}), chunk({}, finish="stop", usage=USAGE)],
    "usage on every chunk": [
        chunk({"role": "assistant", "content": "H"}, usage={**USAGE, "completion_tokens": 1, "total_tokens": 10}),
        chunk({"role": "assistant", "content": "o"}, usage=USAGE),
        chunk({"content": ""}, finish="stop", usage=USAGE),
    ],
    "usage of Groq's": [chunk(ROLE), chunk({"content": "Ho"}), chunk({}, finish="stop", x_groq={"usage": USAGE})],
    "usage in a chunk with a choice": [
        chunk({"role": "assistant", "content": "Ho"}),
        chunk({"role": "assistant", "content": ""}, finish="stop"),
        chunk({"role": "assistant", "content": ""}, usage=USAGE),
    ],
    "usage in a choice": [
        chunk(ROLE),
        chunk({"content": "Ho"}),
        {**chunk(), "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]},
    ],
    "a filter's report first": [
        {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": [{"a": 1}]},
        chunk({**ROLE, "refusal": None}),
        chunk({"content": "Ho"}),
        END,
    ],
    "no text": [chunk(ROLE), chunk({}, finish="length")],
    "blank text": [chunk(ROLE), chunk({"content": "\n"}), END],
    "no object, no time": [
        {"id": "x", "model": "m", "choices": [{"index": 0, "delta": {"content": "Ho"}}]},
        {"id": "x", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ],
    "no index": [
        {"id": "x", "created": 1, "choices": [{"delta": {"role": "assistant", "content": "Ho"}}]},
        {"id": "x", "created": 1, "choices": [{"delta": {}, "finish_reason": "stop"}]},
    ],
    "a finish on every chunk": [
        chunk({"role": "assistant", "content": "H"}, finish="stop"),
        chunk({"role": "assistant", "content": "o"}, finish="stop"),
    ],
    "the message beside the delta": [
        {
            **chunk(),
            "choices": [
                {
                    "index": 0,
                    "delta": {"content": "Ho"},
                    "message": {"role": "assistant", "content": "Ho"},
                    "text": "Ho",
                }
            ],
        },
        {**chunk(), "choices": [{"index": 0, "delta": {}, "message": {"content": "Ho"}, "finish_reason": "stop"}]},
    ],
    "the message alone": [
        {
            **chunk(),
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Ho"}, "finish_reason": "stop"}],
        }
    ],
    "a refusal": [chunk(ROLE), chunk({"refusal": "No"}), chunk({"refusal": "."}), END],
    "logprobs": [
        chunk(ROLE),
        {
            **chunk(),
            "choices": [
                {
                    "index": 0,
                    "delta": {"content": "Ho"},
                    "logprobs": {"content": [{"token": "Ho"}], "refusal": None},
                    "content_filter_results": {"hate": {"filtered": False}},
                    "native_finish_reason": None,
                }
            ],
        },
        {
            **chunk(),
            "choices": [
                {
                    "index": 0,
                    "delta": {"content": "."},
                    "logprobs": {"content": [{"token": "."}], "refusal": None},
                    "content_filter_results": {},
                    "native_finish_reason": "end",
                    "finish_reason": "stop",
                }
            ],
        },
    ],
    "choices": [
        chunk(ROLE, index=0),
        chunk(ROLE, index=1),
        chunk({"content": "a"}, index=0),
        chunk({"content": "b"}, index=1),
        chunk({"content": "c"}, index=0),
        chunk({}, finish="stop", index=1),
        chunk({}, finish="length", index=0),
        chunk(usage=USAGE),
    ],
    "calls": [
        chunk({"role": "assistant", "content": None}),
        calls(call(0, name="weather", id="call_1")),
        calls(call(0, '{"ci')),
        calls(call(0, 'ty": "Gen\\u00')),
        calls(call(0, 'e8ve"}')),
        calls(call(1, name="now", id="call_2")),
        CALLED,
    ],
    "calls at once": [
        calls(call(0, '{"a":1}', name="f", id="c1"), call(1, "{}", name="g", id="c2")),
        CALLED,
    ],
    "interleaved calls": [
        calls(call(0, name="f", id="c1"), call(1, name="g", id="c2")),
        calls(call(1, "[")),
        calls(call(0, "{")),
        calls(call(1, "]"), call(0, "}")),
        CALLED,
    ],
    "calls without index": [
        calls(call(None, '{"a":', name="f", id="c1")),
        calls(call(None, "1}")),
        calls(call(None, "{}", name="g", id="c2")),
        CALLED,
    ],
    "several calls without index": [
        calls(call(None, name="f", id="c1"), call(None, name="g", id="c2")),
        calls(call(None, '{"a":'), call(None, "{")),
        calls(call(None, "1}"), call(None, "}")),
        CALLED,
    ],
    "arguments under an index of their own": [
        calls(call(0, name="f", id="c1")),
        calls(call(1, '{"a":')),
        calls(call(1, "1}")),
        calls(call(2, "[", name="g", id="c2")),
        calls(call(3, "2", id="c2")),
        calls(call(4, "]")),
        CALLED,
    ],
    "a last piece under the next call's index": [
        calls(call(0, '{"a":', name="f", id="c1")),
        calls(call(1, "1}")),
        calls(call(1, "{}", name="g", id="c2")),
        CALLED,
    ],
    "calls that all have index 0": [
        calls(call(0, '{"a":1}', name="f", id="c1")),
        calls(call(0, "{}", name="g", id="c2")),
        CALLED,
    ],
    "calls that all have index 0, in pieces": [
        calls(call(0, '{"a":', name="f", id="c1"), call(0, "{", name="g", id="c2")),
        calls(call(0, "1}", id="c1"), call(0, "}", name="g", id="c2")),
        CALLED,
    ],
    "an id on every piece": [
        calls(call(0, '{"a":', name="f", id="c1")),
        calls(call(0, "1}", id="c1")),
        calls(call(0, " ", id="c9")),
        CALLED,
    ],
    "calls without ids": [calls(call(0, "{}", name="f"), call(1, "{}", name="f")), CALLED],
    "arguments before the name": [calls(call(0, "{", id="c1")), calls(call(0, "}", name="f")), CALLED],
    "a free-form call": [
        calls({"index": 0, "id": "c", "type": "custom", "custom": {"name": "sh", "input": "l"}}),
        calls({"index": 0, "custom": {"input": "s"}}),
        CALLED,
    ],
    "a legacy call": [
        chunk({"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": "{}"}}),
        chunk({}, finish="function_call"),
    ],
    "signed calls": [
        calls({**call(0, "{}", name="f", id="c1"), "extra_content": {"google": {"thought_signature": "c2ln"}}}),
        chunk({"extra_content": {"google": {"thought_signature": "c2lnMg"}}}, finish="tool_calls"),
    ],
    "reasoning content": [
        chunk({"role": "assistant", "content": None, "reasoning_content": ""}),
        chunk({"content": None, "reasoning_content": "Hm"}),
        chunk({"content": None, "reasoning_content": "."}),
        chunk({"content": "Ho", "reasoning_content": None}),
        END,
    ],
    "reasoning in objects": [
        chunk({"role": "assistant", "content": "", "reasoning_content": {"text": "H"}}),
        chunk({"reasoning_content": {"text": "m."}}),
        chunk({"reasoning_content": {"signature": "c2ln"}}),
        chunk({"content": "Ho"}),
        END,
    ],
    "a line break before the reasoning": [
        chunk({"role": "assistant", "content": "\n"}),
        chunk({"reasoning_content": "Hm."}),
        chunk({"content": "\nHo"}),
        END,
    ],
    "reasoning with details": [
        chunk(
            {
                **ROLE,
                "reasoning": "H",
                "reasoning_details": [{"type": "reasoning.text", "text": "H", "index": 0, "format": None}],
            }
        ),
        chunk(
            {
                "reasoning": "m.",
                "reasoning_details": [{"type": "reasoning.text", "text": "m.", "index": 0, "format": None}],
            }
        ),
        chunk({"reasoning_details": [{"type": "reasoning.text", "signature": "c2ln", "index": 0, "format": "f"}]}),
        chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "ZGF0YQ", "index": 1}]}),
        chunk({"content": "Ho"}),
        END,
    ],
    "details alone": [
        chunk({**ROLE, "reasoning_details": [{"type": "reasoning.text", "text": "H", "index": 0}]}),
        chunk({"reasoning_details": [{"type": "reasoning.text", "text": "m.", "index": 0}]}),
        chunk({"reasoning_details": [{"type": "reasoning.text", "signature": "c2ln", "index": 0}]}),
        chunk({"content": "Ho"}),
        END,
    ],
    "encrypted reasoning": [
        chunk({**ROLE, "reasoning_details": [{"type": "reasoning.encrypted", "data": "ZGF0YQ", "index": 0}]}),
        chunk({"content": "Ho"}),
        END,
    ],
    "thinking blocks": [
        chunk({**ROLE, "reasoning_content": "Hm", "thinking_blocks": [{"type": "thinking", "thinking": "Hm"}]}),
        chunk({"reasoning_content": ".", "thinking_blocks": [{"type": "thinking", "thinking": "."}]}),
        chunk(
            {"reasoning_content": "", "thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "c2ln"}]}
        ),
        chunk({"content": "Ho"}),
        END,
    ],
    "reasoning under two names": [
        chunk({**ROLE, "reasoning_content": "Hm", "reasoning": "Hm"}),
        chunk({"reasoning_content": ".", "reasoning": "."}),
        chunk({"content": "Ho"}),
        END,
    ],
    "a content list of Mistral's": [
        chunk({"role": "assistant", "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]}),
        chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "."}]}]}),
        chunk({"content": "Ho"}),
        chunk({"content": [{"type": "text", "text": "."}, {"type": "reference", "reference_ids": [1]}]}),
        END,
    ],
    "annotations behind the text": [
        chunk(ROLE),
        chunk({"content": "Ho"}),
        chunk(
            {
                "annotations": [
                    {
                        "type": "url_citation",
                        "url_citation": {"start_index": 0, "end_index": 2, "url": "https://a.b", "title": "A"},
                    }
                ]
            }
        ),
        END,
    ],
    "annotations before the text": [
        chunk(
            {**ROLE, "annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.b", "title": "A"}}]}
        ),
        chunk({"content": "Ho"}),
        END,
    ],
    "annotations without text": [chunk({"annotations": [{"type": "file", "file": {"hash": "h"}}]}), END],
    "sources of the whole answer": [
        chunk({"role": "assistant", "content": "H"}, citations=["https://a.b"]),
        chunk({"role": "assistant", "content": "o"}, citations=["https://a.b", "https://c.d"]),
        END,
    ],
    "audio": [
        chunk({"role": "assistant", "content": None, "audio": {"id": "audio_1", "transcript": "H"}}),
        chunk({"audio": {"data": "UklG"}}),
        chunk({"audio": {"transcript": "o"}}),
        chunk({"audio": {"data": "AAAA"}}),
        chunk({"audio": {"expires_at": 1767229200}}),
        END,
    ],
    "images": [
        chunk({**ROLE, "content": "See:"}),
        chunk({"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}, "index": 0}]}),
        END,
    ],
    "executed tools": [
        chunk({"role": "assistant", "reasoning": "Hm."}),
        chunk({"executed_tools": [{"index": 0, "type": "search", "arguments": "{}"}]}),
        chunk({"executed_tools": [{"index": 0, "type": "search", "arguments": "{}", "output": "o"}]}),
        chunk({"content": "Ho"}),
        END,
    ],
    "unknown members": [
        chunk({**ROLE, "channel": "final"}, provider="X", obfuscation="abc"),
        chunk({"content": "Ho", "token_id": 7}, provider="X", x_groq={"id": "r"}, obfuscation="d"),
        END,
    ],
    "ids that change with every chunk": [
        {**chunk({"reasoning": "Hm"}), "id": "a"},
        {**chunk({"content": "H"}), "id": "b"},
        {**chunk({"content": "o"}), "id": "c"},
        {**chunk({}, finish="stop"), "id": "stub"},
    ],
}
