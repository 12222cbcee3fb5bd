"""Bodies and streams of this wire, written by hand: every kind of item, content and event that the vendor describes."""

from __future__ import annotations

from typing import Any

import msgspec

from dragoman.values import Target

JSON = dict[str, Any]

OPENAI = Target(provider="openai", issuer="openai", model="gpt-5.6")
AZURE = Target(provider="azure", issuer="azure", model="gpt-5.6")

URL_CITATION: JSON = {
    "type": "url_citation",
    "url": "https://example.org/a",
    "title": "A",
    "start_index": 0,
    "end_index": 4,
}
ANNOTATIONS: list[JSON] = [
    URL_CITATION,
    {"type": "file_citation", "file_id": "file_1", "filename": "a.txt", "index": 3},
    {
        "type": "container_file_citation",
        "container_id": "cntr_1",
        "file_id": "file_2",
        "filename": "b.csv",
        "start_index": 1,
        "end_index": 2,
    },
    {"type": "file_path", "file_id": "file_3", "index": 0},
    {"type": "tomorrows_citation", "start_index": None, "where": [1, 2.0, True]},
]


def said(text: str, **members: Any) -> JSON:
    """An assistant's message as the vendor gives it."""
    content: list[JSON] = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return {
        "id": "msg_1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": content,
        **members,
    }


ENCRYPTED = "gAAAAABencryptedreasoning"
CALL: JSON = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "weather",
    "arguments": '{"city": "Genève"}',
}

OUTPUT_ITEMS: dict[str, JSON] = {
    "message": said("Hello."),
    "commentary": said("Let me look.", phase="commentary"),
    "final answer": said("Done.", phase="final_answer"),
    "no phase": said("Done.", phase=None),
    "citations": said("Text") | {"content": [{"type": "output_text", "text": "Text", "annotations": ANNOTATIONS}]},
    "log probabilities": said("Hi")
    | {
        "content": [
            {
                "type": "output_text",
                "text": "Hi",
                "annotations": [],
                "logprobs": [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}],
            }
        ]
    },
    "refusal": said("") | {"content": [{"type": "refusal", "refusal": "No."}]},
    "text and refusal": said("")
    | {
        "content": [
            {"type": "output_text", "text": "Well, ", "annotations": [], "logprobs": []},
            {"type": "refusal", "refusal": "no."},
        ]
    },
    "unknown content": said("") | {"content": [{"type": "output_smell", "smell": "rose"}]},
    "empty message": said("") | {"content": [], "status": "incomplete"},
    "members unknown": said("Hi", created_by="ann", item_members=1),
    "reasoning by id": {"id": "rs_1", "type": "reasoning", "summary": []},
    "reasoning encrypted": {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": ENCRYPTED},
    "reasoning explicit": {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [],
        "content": [],
        "encrypted_content": None,
        "status": None,
    },
    "reasoning summarised": {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "First."}, {"type": "summary_text", "text": "Then."}],
        "encrypted_content": ENCRYPTED,
        "status": "completed",
    },
    "reasoning in full": {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "Short."}],
        "content": [{"type": "reasoning_text", "text": "Long."}, {"type": "other_text", "text": "Odd.", "n": 1}],
    },
    "reasoning without summary": {"id": "rs_1", "type": "reasoning", "content": None},
    "function call": CALL,
    "function call in a namespace": CALL | {"namespace": "city", "caller": {"type": "direct"}},
    "function call without arguments": CALL | {"arguments": ""},
    "function call with null arguments": CALL | {"arguments": None},
    "function call without ids": {"type": "function_call", "name": "weather", "arguments": "{}"},
    "custom call": {
        "id": "ctc_1",
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": "call_2",
        "name": "python",
        "input": "print('hi')\n",
    },
    "web search": {
        "id": "ws_1",
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": "a", "sources": [{"type": "url", "url": "https://example.org"}]},
    },
    "web search without action": {"id": "ws_1", "type": "web_search_call", "status": "failed"},
    "file search": {
        "id": "fs_1",
        "type": "file_search_call",
        "status": "completed",
        "queries": ["a", "b"],
        "results": [{"file_id": "file_1", "text": "…", "score": 0.5}],
    },
    "code interpreter": {
        "id": "ci_1",
        "type": "code_interpreter_call",
        "status": "completed",
        "code": "1 + 1",
        "container_id": "cntr_1",
        "outputs": [{"type": "logs", "logs": "2"}],
    },
    "code interpreter without code": {
        "id": "ci_1",
        "type": "code_interpreter_call",
        "status": "in_progress",
        "code": None,
        "container_id": "cntr_1",
        "outputs": None,
    },
    "mcp call": {
        "id": "mcp_1",
        "type": "mcp_call",
        "status": "completed",
        "server_label": "files",
        "name": "read",
        "arguments": '{"path":"a"}',
        "output": "A",
        "error": None,
        "approval_request_id": "mcpr_1",
    },
    "mcp tools": {"id": "mcpl_1", "type": "mcp_list_tools", "server_label": "files", "tools": []},
    "mcp approval": {
        "id": "mcpr_1",
        "type": "mcp_approval_request",
        "server_label": "files",
        "name": "read",
        "arguments": "{}",
    },
    "tool search": {
        "id": "tsc_1",
        "type": "tool_search_call",
        "call_id": None,
        "execution": "server",
        "arguments": {"paths": ["a"]},
        "status": "completed",
    },
    "tool search output": {
        "id": "tso_1",
        "type": "tool_search_output",
        "call_id": None,
        "execution": "server",
        "tools": [],
        "status": "completed",
    },
    "computer": {
        "id": "cu_1",
        "type": "computer_call",
        "call_id": "call_3",
        "action": {"type": "click", "x": 1, "y": 2, "button": "left"},
        "pending_safety_checks": [],
        "status": "completed",
    },
    "computer, several actions": {
        "id": "cu_1",
        "type": "computer_call",
        "call_id": "call_3",
        "actions": [{"type": "screenshot"}],
        "pending_safety_checks": [],
        "status": "completed",
    },
    "local shell": {
        "id": "lsh_1",
        "type": "local_shell_call",
        "call_id": "call_4",
        "action": {"type": "exec", "command": ["ls"], "env": {}},
        "status": "completed",
    },
    "shell here": {
        "id": "sh_1",
        "type": "shell_call",
        "call_id": "call_5",
        "action": {"commands": ["ls"], "timeout_ms": None, "max_output_length": None},
        "status": "completed",
        "environment": None,
    },
    "shell there": {
        "id": "sh_1",
        "type": "shell_call",
        "call_id": "call_5",
        "action": {"commands": ["ls"], "timeout_ms": 1000, "max_output_length": 10},
        "status": "completed",
        "environment": {"type": "container_reference", "container_id": "cntr_1"},
    },
    "patch": {
        "id": "apc_1",
        "type": "apply_patch_call",
        "call_id": "call_6",
        "status": "completed",
        "operation": {"type": "delete_file", "path": "a"},
    },
    "image": {
        "id": "ig_1",
        "type": "image_generation_call",
        "status": "completed",
        "output_format": "png",
        "revised_prompt": "A rose.",
        "result": "iVBORw0KGgo=",
    },
    "image not there yet": {"id": "ig_1", "type": "image_generation_call", "status": "generating", "result": None},
    "compaction": {"id": "cmp_1", "type": "compaction", "encrypted_content": ENCRYPTED, "created_by": None},
    "program": {"id": "pr_1", "type": "program", "call_id": "c", "code": "x", "fingerprint": "f"},
    "program output": {
        "id": "po_1",
        "type": "program_output",
        "call_id": "c",
        "result": "1",
        "status": "completed",
    },
    "function output": {
        "id": "fco_1",
        "type": "function_call_output",
        "call_id": "call_1",
        "output": "21",
        "status": "completed",
    },
    "of tomorrow": {"id": "x_1", "type": "telepathy_call", "thought": {"a": [1, 1.0, None, True]}},
}

INPUT_ITEMS: dict[str, JSON] = {
    "user, short": {"role": "user", "content": "Hi"},
    "user, typed": {"type": "message", "role": "user", "content": "Hi"},
    "user, stored": {
        "id": "msg_u",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hi"}],
    },
    "user, a list of one": {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    "user, an empty list": {"role": "user", "content": []},
    "user, nothing": {"role": "user", "content": None},
    "user, members unknown": {"role": "user", "content": "Hi", "name": "ann"},
    "media": {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "Look:", "prompt_cache_breakpoint": {"mode": "explicit"}},
            {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"},
            {"type": "input_image", "image_url": "https://example.org/a.png"},
            {"type": "input_image", "file_id": "file_1", "image_url": None, "detail": "auto"},
            {"type": "input_image", "image_url": "data:image/svg+xml,<svg/>", "detail": "auto"},
            {"type": "input_file", "file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"},
            {"type": "input_file", "file_data": "JVBERi0=", "filename": "a.pdf"},
            {"type": "input_file", "file_url": "https://example.org/a.pdf", "detail": "high"},
            {"type": "input_file", "file_id": "file_2", "prompt_cache_breakpoint": {"mode": "later", "x": 1}},
            {"type": "input_file", "file_data": "TRIMMED[base64 99 chars sha256=ab]", "filename": "b.pdf"},
            {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
            {"type": "input_video", "video_url": "https://example.org/a.mp4"},
        ],
    },
    "system": {"role": "system", "content": "Be brief."},
    "developer": {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]},
    "assistant, short": {"role": "assistant", "content": "Yes."},
    "assistant, short with phase": {"role": "assistant", "content": "Hm.", "phase": "commentary"},
    "assistant, input text": {"role": "assistant", "content": [{"type": "input_text", "text": "Yes."}]},
    "assistant, without id": {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Yes."}],
    },
    "output, text": {"type": "function_call_output", "call_id": "call_1", "output": "21 °C"},
    "output, empty": {"type": "function_call_output", "call_id": "call_1", "output": ""},
    "output, list": {
        "type": "function_call_output",
        "id": "fco_1",
        "call_id": "call_1",
        "name": "weather",
        "status": "completed",
        "output": [{"type": "input_text", "text": "21"}],
    },
    "output, empty list": {"type": "function_call_output", "call_id": "call_1", "output": []},
    "output, image": {
        "type": "function_call_output",
        "call_id": "call_1",
        "output": [
            {"type": "input_text", "text": "See:"},
            {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "auto"},
        ],
    },
    "output of a custom call": {"type": "custom_tool_call_output", "call_id": "call_2", "output": "hi"},
    "screenshot": {
        "type": "computer_call_output",
        "call_id": "call_3",
        "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBORw0KGgo="},
        "acknowledged_safety_checks": [],
    },
    "output of a local shell": {"type": "local_shell_call_output", "id": "call_4", "output": "a\nb"},
    "output of a shell": {
        "type": "shell_call_output",
        "call_id": "call_5",
        "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
        "max_output_length": None,
    },
    "output of a patch": {"type": "apply_patch_call_output", "call_id": "call_6", "status": "failed", "output": "no"},
    "approval": {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True},
    "tools for later": {"type": "additional_tools", "role": "developer", "tools": []},
    "compaction trigger": {"type": "compaction_trigger"},
    "reference": {"type": "item_reference", "id": "msg_9"},
    "reference, untyped": {"id": "msg_9"},
}


def answer(*output: JSON, **members: Any) -> JSON:
    """A response object as the vendor gives it."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_757_687_010,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": "gpt-5.6-2026-01-01",
        "output": list(output),
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": 20,
            "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 2},
            "output_tokens": 10,
            "output_tokens_details": {"reasoning_tokens": 4},
            "total_tokens": 30,
        },
        "service_tier": "default",
        "billing": {"payer": "developer"},
        **members,
    }


def frame(event: JSON) -> bytes:
    """One event as it travels."""
    return b"event: " + event["type"].encode() + b"\ndata: " + msgspec.json.encode(event) + b"\n\n"


def stream(*events: JSON) -> bytes:
    """Events numbered and joined."""
    return b"".join(frame({**event, "sequence_number": number}) for number, event in enumerate(events))


def created(**members: Any) -> JSON:
    """The event that starts an answer."""
    response = answer(status="in_progress", usage=None, **members)
    return {"type": "response.created", "response": response}


def added(index: int, item: JSON) -> JSON:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def done(index: int, item: JSON) -> JSON:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def completed(*output: JSON, **members: Any) -> JSON:
    return {"type": "response.completed", "response": answer(*output, **members)}


def message_events(index: int, item: JSON) -> list[JSON]:
    """The events of a message whose content is texts and refusals, each in two pieces."""
    place: JSON = {"item_id": item["id"], "output_index": index}
    events = [added(index, {**item, "status": "in_progress", "content": []})]
    for number, piece in enumerate(item["content"]):
        name = "refusal" if piece["type"] == "refusal" else "text"
        kind = "refusal" if piece["type"] == "refusal" else "output_text"
        words, where = piece[name], {**place, "content_index": number}
        blank: JSON = {**piece, name: ""}
        if name == "text":
            blank["annotations"] = []
        events += [
            {"type": "response.content_part.added", **where, "part": blank},
            {"type": f"response.{kind}.delta", **where, "delta": words[:2], "obfuscation": "xx"},
            {"type": f"response.{kind}.delta", **where, "delta": words[2:]},
            *(
                {
                    "type": "response.output_text.annotation.added",
                    **where,
                    "annotation_index": position,
                    "annotation": annotation,
                }
                for position, annotation in enumerate(piece.get("annotations", []))
            ),
            {"type": f"response.{kind}.done", **where, name: words},
            {"type": "response.content_part.done", **where, "part": piece},
        ]
    return [*events, done(index, item)]


def reasoning_events(index: int, item: JSON) -> list[JSON]:
    """The events of a reasoning item: its summaries, then its thoughts."""
    place: JSON = {"item_id": item["id"], "output_index": index}
    events = [added(index, {"id": item["id"], "type": "reasoning", "summary": []})]
    for number, piece in enumerate(item.get("summary", [])):
        where = {**place, "summary_index": number}
        events += [
            {"type": "response.reasoning_summary_part.added", **where, "part": {**piece, "text": ""}},
            {"type": "response.reasoning_summary_text.delta", **where, "delta": piece["text"]},
            {"type": "response.reasoning_summary_text.done", **where, "text": piece["text"]},
            {"type": "response.reasoning_summary_part.done", **where, "part": piece},
        ]
    for number, piece in enumerate(item.get("content") or []):
        where = {**place, "content_index": number}
        events += [
            {"type": "response.content_part.added", **where, "part": {**piece, "text": ""}},
            {"type": "response.reasoning_text.delta", **where, "delta": piece["text"]},
            {"type": "response.reasoning_text.done", **where, "text": piece["text"]},
            {"type": "response.content_part.done", **where, "part": piece},
        ]
    return [*events, done(index, item)]


def call_events(index: int, item: JSON, stem: str, member: str, size: int = 3) -> list[JSON]:
    """The events of a call whose arguments come in pieces of `size` characters."""
    place: JSON = {"item_id": item["id"], "output_index": index}
    words: str = item[member]
    return [
        added(index, {**item, member: "", "status": "in_progress"}),
        *(
            {"type": f"{stem}.delta", **place, "delta": words[start : start + size]}
            for start in range(0, len(words), size)
        ),
        {"type": f"{stem}.done", **place, member: words},
        done(index, item),
    ]
