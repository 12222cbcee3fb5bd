"""What a provider writes on the wire for one answer, in five dialects, whole and as frames of a stream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]

INPUT_TOKENS, OUTPUT_TOKENS = 11, 7
CREATED = 1_763_622_000


@dataclass(frozen=True)
class Answer:
    """One answer: pieces of text, or one call of a tool."""

    model: str
    pieces: tuple[str, ...] = ()
    tool: str = ""
    arguments: str = ""
    cost: float | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True)
class Frame:
    """One SSE frame (or, `bare`, a line of JSON); `shows` tells that it carries a piece of the answer."""

    data: JsonObject | str
    event: str = ""
    shows: bool = False
    bare: bool = False

    def encode(self) -> bytes:
        payload = self.data if isinstance(self.data, str) else json.dumps(self.data)
        if self.bare:
            return f"{payload}\n".encode()
        return (f"event: {self.event}\n" if self.event else "").encode() + f"data: {payload}\n\n".encode()


# -- openai-chat -------------------------------------------------------------------------------------------------------


def chat_usage(answer: Answer) -> JsonObject:
    usage: JsonObject = {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }
    return usage if answer.cost is None else {**usage, "cost": answer.cost}


def chat_call(answer: Answer) -> JsonObject:
    return {"id": "call_1", "type": "function", "function": {"name": answer.tool, "arguments": answer.arguments}}


def chat_finish(answer: Answer) -> str:
    return "tool_calls" if answer.tool else "stop"


def chat_whole(answer: Answer) -> JsonObject:
    message: JsonObject = {"role": "assistant", "content": answer.text or None}
    if answer.tool:
        message["tool_calls"] = [chat_call(answer)]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": CREATED,
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "finish_reason": chat_finish(answer)}],
        "usage": chat_usage(answer),
    }


def chat_frames(answer: Answer) -> list[Frame]:
    head: JsonObject = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": answer.model,
    }

    def chunk(delta: JsonObject, finish: str | None = None) -> JsonObject:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    frames = [Frame(chunk({"role": "assistant", "content": ""}))]
    frames += [Frame(chunk({"content": piece}), shows=True) for piece in answer.pieces]
    if answer.tool:
        frames.append(Frame(chunk({"tool_calls": [{"index": 0, **chat_call(answer)}]}), shows=True))
    frames.append(Frame(chunk({}, chat_finish(answer))))
    frames.append(Frame({**head, "choices": [], "usage": chat_usage(answer)}))
    return [*frames, Frame("[DONE]")]


# -- openai-responses --------------------------------------------------------------------------------------------------


def responses_item(answer: Answer, text: str | None = None) -> JsonObject:
    if answer.tool:
        return {
            "id": "fc_1",
            "type": "function_call",
            "call_id": "call_1",
            "name": answer.tool,
            "arguments": answer.arguments if text is None else text,
            "status": "completed" if text is None else "in_progress",
        }
    content: list[JsonObject] = []
    if text is None:
        content = [{"type": "output_text", "text": answer.text, "annotations": []}]
    status = "completed" if text is None else "in_progress"
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content}


def responses_whole(answer: Answer, *, begun: bool = False) -> JsonObject:
    usage = {
        "input_tokens": INPUT_TOKENS,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": OUTPUT_TOKENS,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": CREATED,
        "status": "in_progress" if begun else "completed",
        "error": None,
        "incomplete_details": None,
        "model": answer.model,
        "output": [] if begun else [responses_item(answer)],
        "usage": None if begun else usage,
    }


def responses_frames(answer: Answer) -> list[Frame]:
    place = {"item_id": "fc_1" if answer.tool else "msg_1", "output_index": 0}
    part = {**place, "content_index": 0}
    told: list[tuple[str, JsonObject]] = [
        ("response.created", {"response": responses_whole(answer, begun=True)}),
        ("response.output_item.added", {"output_index": 0, "item": responses_item(answer, text="")}),
    ]
    if answer.tool:
        told.append(("response.function_call_arguments.delta", {**place, "delta": answer.arguments}))
        told.append(("response.function_call_arguments.done", {**place, "arguments": answer.arguments}))
    else:
        empty: JsonObject = {"type": "output_text", "text": "", "annotations": []}
        told.append(("response.content_part.added", {**part, "part": empty}))
        told += [("response.output_text.delta", {**part, "delta": piece, "logprobs": []}) for piece in answer.pieces]
        told.append(("response.output_text.done", {**part, "text": answer.text, "logprobs": []}))
        told.append(("response.content_part.done", {**part, "part": {**empty, "text": answer.text}}))
    told.append(("response.output_item.done", {"output_index": 0, "item": responses_item(answer)}))
    told.append(("response.completed", {"response": responses_whole(answer)}))
    return [
        Frame({"type": name, "sequence_number": number, **members}, event=name, shows=name.endswith(".delta"))
        for number, (name, members) in enumerate(told)
    ]


# -- anthropic ---------------------------------------------------------------------------------------------------------


def anthropic_whole(answer: Answer) -> JsonObject:
    block: JsonObject = (
        {"type": "tool_use", "id": "toolu_1", "name": answer.tool, "input": json.loads(answer.arguments)}
        if answer.tool
        else {"type": "text", "text": answer.text}
    )
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [block],
        "stop_reason": "tool_use" if answer.tool else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
    }


def anthropic_frames(answer: Answer) -> list[Frame]:
    whole = anthropic_whole(answer)
    begun: JsonObject = {
        **whole,
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": 1},
    }
    (block,) = whole["content"]
    empty: JsonObject = {**block, "input": {}} if answer.tool else {**block, "text": ""}
    pieces = (answer.arguments,) if answer.tool else answer.pieces
    kind, member = ("input_json_delta", "partial_json") if answer.tool else ("text_delta", "text")
    told: list[JsonObject] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": empty},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": kind, member: piece}} for piece in pieces),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": OUTPUT_TOKENS},
        },
        {"type": "message_stop"},
    ]
    return [Frame(one, event=one["type"], shows=one["type"] == "content_block_delta") for one in told]


# -- gemini ------------------------------------------------------------------------------------------------------------


def gemini_chunk(answer: Answer, parts: list[JsonObject], *, last: bool) -> JsonObject:
    candidate: JsonObject = {"content": {"role": "model", "parts": parts}, "index": 0}
    if last:
        candidate["finishReason"] = "STOP"
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": INPUT_TOKENS,
            "candidatesTokenCount": OUTPUT_TOKENS,
            "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
        },
        "modelVersion": answer.model,
        "responseId": "gemini-1",
    }


def gemini_parts(answer: Answer) -> list[JsonObject]:
    if answer.tool:
        return [{"functionCall": {"name": answer.tool, "args": json.loads(answer.arguments)}}]
    return [{"text": piece} for piece in answer.pieces]


def gemini_whole(answer: Answer) -> JsonObject:
    return gemini_chunk(answer, gemini_parts(answer), last=True)


def gemini_frames(answer: Answer) -> list[Frame]:
    parts = gemini_parts(answer)
    return [
        Frame(gemini_chunk(answer, [part], last=number == len(parts)), shows=True)
        for number, part in enumerate(parts, start=1)
    ]


# -- ollama ------------------------------------------------------------------------------------------------------------


def ollama_line(answer: Answer, message: JsonObject, *, done: bool) -> JsonObject:
    line: JsonObject = {"model": answer.model, "created_at": "2025-11-20T06:20:00Z", "message": message, "done": done}
    counts = {"done_reason": "stop", "prompt_eval_count": INPUT_TOKENS, "eval_count": OUTPUT_TOKENS}
    return {**line, **counts} if done else line


def ollama_message(answer: Answer, content: str) -> JsonObject:
    message: JsonObject = {"role": "assistant", "content": content}
    if answer.tool:
        call = {"id": "call_1", "function": {"name": answer.tool, "arguments": json.loads(answer.arguments)}}
        message["tool_calls"] = [call]
    return message


def ollama_whole(answer: Answer) -> JsonObject:
    return ollama_line(answer, ollama_message(answer, answer.text), done=True)


def ollama_frames(answer: Answer) -> list[Frame]:
    pieces = answer.pieces or ("",)
    shown = [
        Frame(ollama_line(answer, ollama_message(answer, piece), done=False), shows=True, bare=True) for piece in pieces
    ]
    return [*shown, Frame(ollama_line(answer, {"role": "assistant", "content": ""}, done=True), bare=True)]


# -- errors ------------------------------------------------------------------------------------------------------------


def error_body(dialect: str, status: int, message: str) -> JsonObject:
    if dialect == "anthropic":
        kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
        return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": message}}
    if dialect == "gemini":
        return {"error": {"code": status, "message": message, "status": "UNAVAILABLE"}}
    if dialect == "ollama":
        return {"error": message}
    code = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}.get(status)
    return {"error": {"message": message, "type": "api_error", "param": None, "code": code}}


WHOLE = {
    "openai-chat": chat_whole,
    "openai-responses": responses_whole,
    "anthropic": anthropic_whole,
    "gemini": gemini_whole,
    "ollama": ollama_whole,
}
FRAMES = {
    "openai-chat": chat_frames,
    "openai-responses": responses_frames,
    "anthropic": anthropic_frames,
    "gemini": gemini_frames,
    "ollama": ollama_frames,
}
