"""What a provider writes on the wire for one answer, with the members that the real ones send, in four dialects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

__all__ = ["DIALECTS", "conversation", "frames", "whole", "words"]

JsonObject = dict[str, Any]
CREATED = 1_763_622_000
FINGERPRINT = "fp_44709d6fcb"
_VOCABULARY = (
    "the court a guide and interpreter between two worlds who speaks each language as if it were his own".split()
)


def words(count: int) -> list[str]:
    """So many pieces of text, each of a token's size."""
    return [f" {_VOCABULARY[index % len(_VOCABULARY)]}" for index in range(count)]


def conversation(size_bytes: int = 0) -> list[dict[str, str]]:
    """Four messages as every chat dialect has them; together of at least `size_bytes`."""
    filler = "".join(words(size_bytes // 6 + 1))[:size_bytes]
    return [
        {"role": "user", "content": f"What was a dragoman?{filler}"},
        {"role": "assistant", "content": "An interpreter and guide at a foreign court."},
        {"role": "user", "content": "And whom did he serve? Answer in one paragraph."},
    ]


# -- openai-chat -------------------------------------------------------------------------------------------------------


def _chat_usage(count: int) -> JsonObject:
    return {
        "prompt_tokens": 42,
        "completion_tokens": count,
        "total_tokens": 42 + count,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _chat_whole(pieces: Sequence[str]) -> JsonObject:
    message: JsonObject = {"role": "assistant", "content": "".join(pieces), "refusal": None, "annotations": []}
    return {
        "id": "chatcmpl-CdvAqx1pNbH2SBZZPnJvFvYyO7vhG",
        "object": "chat.completion",
        "created": CREATED,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _chat_usage(len(pieces)),
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def _chat_frames(pieces: Sequence[str]) -> list[JsonObject]:
    head: JsonObject = {
        "id": "chatcmpl-CdvAqx1pNbH2SBZZPnJvFvYyO7vhG",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }

    def chunk(delta: JsonObject, finish: str | None = None) -> JsonObject:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**head, "choices": [choice], "usage": None, "obfuscation": "mUqAp9Ti"}

    return [
        chunk({"role": "assistant", "content": "", "refusal": None}),
        *(chunk({"content": piece}) for piece in pieces),
        chunk({}, "stop"),
        {**head, "choices": [], "usage": _chat_usage(len(pieces)), "obfuscation": ""},
    ]


# -- openai-responses --------------------------------------------------------------------------------------------------


def _responses_item(pieces: Sequence[str] | None) -> JsonObject:
    content: list[JsonObject] = []
    if pieces is not None:
        content = [{"type": "output_text", "annotations": [], "logprobs": [], "text": "".join(pieces)}]
    status = "in_progress" if pieces is None else "completed"
    return {
        "id": "msg_68f0b2d1c0a88190a7a1f0b8e6c2f3d4",
        "type": "message",
        "status": status,
        "content": content,
        "role": "assistant",
    }


def _responses_whole(pieces: Sequence[str], *, begun: bool = False) -> JsonObject:
    count = len(pieces)
    return {
        "id": "resp_68f0b2d0e5a48190b0f2c3d4e5f60718",
        "object": "response",
        "created_at": CREATED,
        "status": "in_progress" if begun else "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": "gpt-4o-2024-08-06",
        "output": [] if begun else [_responses_item(pieces)],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None
        if begun
        else {
            "input_tokens": 42,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": count,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 42 + count,
        },
        "user": None,
        "metadata": {},
    }


def _responses_frames(pieces: Sequence[str]) -> list[JsonObject]:
    item = _responses_item(pieces)
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    text = "".join(pieces)
    empty: JsonObject = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    told: list[JsonObject] = [
        {"type": "response.created", "response": _responses_whole(pieces, begun=True)},
        {"type": "response.in_progress", "response": _responses_whole(pieces, begun=True)},
        {"type": "response.output_item.added", "output_index": 0, "item": _responses_item(None)},
        {"type": "response.content_part.added", **place, "part": empty},
        *(
            {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": [], "obfuscation": "mUqAp9Ti"}
            for piece in pieces
        ),
        {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": {**empty, "text": text}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": _responses_whole(pieces)},
    ]
    return [{**frame, "sequence_number": number} for number, frame in enumerate(told)]


# -- anthropic ---------------------------------------------------------------------------------------------------------


def _anthropic_whole(pieces: Sequence[str]) -> JsonObject:
    return {
        "model": "claude-sonnet-4-5-20250929",
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "".join(pieces)}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 42,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": len(pieces),
            "service_tier": "standard",
        },
    }


def _anthropic_frames(pieces: Sequence[str]) -> list[JsonObject]:
    answer = _anthropic_whole(pieces)
    begun: JsonObject = {**answer, "content": [], "stop_reason": None, "usage": {**answer["usage"], "output_tokens": 1}}
    return [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {
                "input_tokens": 42,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": len(pieces),
            },
        },
        {"type": "message_stop"},
    ]


# -- gemini ------------------------------------------------------------------------------------------------------------


def _gemini_chunk(pieces: Sequence[str], count: int, *, last: bool) -> JsonObject:
    candidate: JsonObject = {"content": {"parts": [{"text": "".join(pieces)}], "role": "model"}, "index": 0}
    if last:
        candidate["finishReason"] = "STOP"
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": 42,
            "candidatesTokenCount": count,
            "totalTokenCount": 42 + count,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 42}],
        },
        "modelVersion": "gemini-2.5-flash",
        "responseId": "Vb0eaZ6mNq2nkdUPqZ7xkAE",
    }


def _gemini_whole(pieces: Sequence[str]) -> JsonObject:
    return _gemini_chunk(pieces, len(pieces), last=True)


def _gemini_frames(pieces: Sequence[str]) -> list[JsonObject]:
    count = len(pieces)
    return [_gemini_chunk([piece], place, last=place == count) for place, piece in enumerate(pieces, start=1)]


_WHOLE = {
    "openai-chat": _chat_whole,
    "openai-responses": _responses_whole,
    "anthropic": _anthropic_whole,
    "gemini": _gemini_whole,
}
_FRAMES = {
    "openai-chat": _chat_frames,
    "openai-responses": _responses_frames,
    "anthropic": _anthropic_frames,
    "gemini": _gemini_frames,
}
DIALECTS = tuple(_WHOLE)
_NAMED = frozenset({"openai-responses", "anthropic"})  # dialects whose frames bear the name of their event


def whole(dialect: str, pieces: Sequence[str]) -> bytes:
    """The body of an answer that is not streamed."""
    return _json(_WHOLE[dialect](pieces))


def frames(dialect: str, pieces: Sequence[str]) -> list[bytes]:
    """The SSE frames of a streamed answer; one text delta for each piece, and what the dialect puts around them."""
    written = [
        (f"event: {frame['type']}\n".encode() if dialect in _NAMED else b"") + b"data: " + _json(frame) + b"\n\n"
        for frame in _FRAMES[dialect](pieces)
    ]
    return [*written, b"data: [DONE]\n\n"] if dialect == "openai-chat" else written


def _json(value: JsonObject) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
