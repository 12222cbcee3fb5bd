"""Quirks: declared deviations of one host from its dialect, as data.

A codec reads the fields of its own dialect; a catalogue row sets them. A default is what the dialect's own vendor does.
"""

from __future__ import annotations

from typing import Literal

from dragoman.values.value import Value

__all__ = ["AnthropicQuirks", "ChatQuirks", "GeminiQuirks", "Quirks", "ResponsesQuirks"]


class ChatQuirks(Value, frozen=True, kw_only=True):
    """Deviations from `openai-chat`.

    `refused` names members that the host answers with an error: they are left out and recorded. `max_tokens_member`
    and `reasoning_member` tell how the host spells the output cap and earlier reasoning sent back (None: it takes
    none). `finish_optional`: a clean end without finish_reason is a complete answer.
    """

    max_tokens_member: Literal["max_tokens", "max_completion_tokens"] = "max_completion_tokens"
    developer_role: bool = True
    stream_usage: bool = True
    schema_output: Literal["json_schema", "json_object", "none"] = "json_schema"
    strict_tools: bool = True
    required_word: Literal["required", "any"] = "required"
    effort_form: Literal["reasoning_effort", "reasoning_object", "thinking_object", "none"] = "reasoning_effort"
    reasoning_member: Literal["reasoning_content", "reasoning", "reasoning_details"] | None = None
    content_parts: bool = True
    cache_marks: bool = False
    finish_optional: bool = False
    refused: tuple[str, ...] = ()


class ResponsesQuirks(Value, frozen=True, kw_only=True):
    """Deviations from `openai-responses`. `stateless`: the host keeps nothing, so encrypted reasoning is asked for."""

    stateless: bool = False
    refused: tuple[str, ...] = ()


class AnthropicQuirks(Value, frozen=True, kw_only=True):
    """Deviations from `anthropic`. `default_max_tokens` is sent where the caller gives no cap: the wire wants one."""

    default_max_tokens: int = 4096
    schema_output: bool = True
    refused: tuple[str, ...] = ()


class GeminiQuirks(Value, frozen=True, kw_only=True):
    """Deviations from `gemini`. `finish_optional`: a clean end without finishReason is a complete answer."""

    finish_optional: bool = False
    refused: tuple[str, ...] = ()


class Quirks(Value, frozen=True, kw_only=True):
    """The deviations of one host, per dialect that it speaks."""

    chat: ChatQuirks = ChatQuirks()
    responses: ResponsesQuirks = ResponsesQuirks()
    anthropic: AnthropicQuirks = AnthropicQuirks()
    gemini: GeminiQuirks = GeminiQuirks()
