"""Relay or translate: bytes pass where both ends speak one dialect and nothing about the target touches what is there.

Per quirk of a dialect one row says which members of a request it touches, and which texts in the body betray what it
touches inside of them. A false alarm costs a translation; a row that is missing fails a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.engine.relay.words import holds_any, words_of
from dragoman.values.quirks import AnthropicQuirks, ChatQuirks, GeminiQuirks, ResponsesQuirks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.values import Quirks

__all__ = ["QUIRK_TOUCHES", "Touch", "touched"]


class Touch(msgspec.Struct, frozen=True):
    """What a deviation touches: top-level members by name, and texts anywhere in the body.

    Both empty: answers alone, or more than the dialect's own vendor takes, which nobody is kept from sending.
    """

    members: tuple[str, ...] = ()
    marks: tuple[bytes, ...] = ()


_NOTHING: Final = Touch()

QUIRK_TOUCHES: Final[dict[type, dict[str, Touch]]] = {
    ChatQuirks: {
        "max_tokens_member": Touch(("max_tokens", "max_completion_tokens")),
        "newer_cap_alone": Touch(("max_tokens",)),
        "developer_role": Touch((), (b'"developer"',)),
        "stream_usage": Touch(("stream_options",)),
        "schema_output": Touch(("response_format",)),
        "schema_by_some": Touch(("response_format",)),
        "schema_keywords": _NOTHING,
        "schema_beside_tools": Touch(("response_format",)),
        "forced_tool": Touch(("tool_choice",)),
        "strict_tools": Touch((), (b'"strict"',)),
        "required_word": Touch(("tool_choice",)),
        "effort_form": Touch(("reasoning_effort", "reasoning", "thinking")),
        "reasoning_member": _NOTHING,
        "content_parts": Touch((), (b'"type"',)),
        "cache_marks": _NOTHING,
        "caching": _NOTHING,
        "finish_optional": _NOTHING,
        "seed_member": Touch(("seed", "random_seed")),
        "max_stop": Touch(("stop",)),
        "modalities": Touch(("modalities", "audio")),
        "top_k": _NOTHING,
        "video_parts": _NOTHING,
        "file_urls": _NOTHING,
        "part_form": Touch((), (b'"file"', b'"input_audio"')),
        "functions_alone": Touch(("tools", "tool_choice"), (b'"refusal"',)),
        "message_names": Touch((), (b'"name"',)),
        "efforts": Touch(("reasoning_effort",)),
        "service_tiers": Touch(("service_tier",)),
        "most_temperature": Touch(("temperature",)),
        "tool_media": _NOTHING,
        "call_id_form": Touch((), (b'"tool_call_id"', b'"tool_calls"')),
        "output_from_total": _NOTHING,
        "output_beside": _NOTHING,
        "embedding_task_member": Touch(("task", "input_type")),
        "embedding_dimensions_member": Touch(("dimensions",)),
        "refused": _NOTHING,
    },
    ResponsesQuirks: {
        "schema_keywords": _NOTHING,
        "schema_output": Touch(("text",)),
        "json_object": Touch(("text",)),
        "forced_tool": Touch(("tool_choice",)),
        "stateless": Touch(("store", "previous_response_id", "conversation", "background", "reasoning", "include")),
        "accepted": _NOTHING,
        "refused": _NOTHING,
        "cache_marks": _NOTHING,
        "caching": _NOTHING,
        "audio_input": _NOTHING,
        "custom_calls": _NOTHING,
        "least_max_tokens": Touch(("max_output_tokens",)),
    },
    AnthropicQuirks: {
        "default_max_tokens": _NOTHING,
        "schema_output": Touch(("output_config", "output_format")),
        "forced_tool": Touch(("tool_choice",)),
        "thinking_form": Touch(("thinking", "output_config")),
        "betas": _NOTHING,
        "finish_optional": _NOTHING,
        "refused": _NOTHING,
    },
    GeminiQuirks: {
        "finish_optional": _NOTHING,
        "thinking": Touch((), (b'"thinkingConfig"', b'"thinking_config"')),
        "json_schema": Touch(
            (),
            (
                b'"responseJsonSchema"',
                b'"response_json_schema"',
                b'"parametersJsonSchema"',
                b'"parameters_json_schema"',
            ),
        ),
        "schema_output": _NOTHING,
        "schema_beside_tools": _NOTHING,
        "json_object": _NOTHING,
        "forced_tool": Touch((), (b'"functionCallingConfig"', b'"function_calling_config"')),
        "result_media": Touch((), (b'"functionResponse"', b'"function_response"')),
        "call_signature": Touch((), (b'"functionCall"', b'"function_call"')),
        "labels": _NOTHING,
        "batch_embeddings": Touch(("requests",)),
        "count_wrapped": _NOTHING,
        "enum_numbers": _NOTHING,
        "refused": _NOTHING,
    },
}
"""By kind of quirks and by field. `refused` names the members itself, and is read from the quirks."""

_FOREIGN_REASONING: Final = {
    "reasoning_content": (b'"reasoning"', b'"reasoning_details"'),
    "reasoning": (b'"reasoning_content"', b'"reasoning_details"'),
    "reasoning_details": (b'"reasoning_content"',),
}
"""For hosts that take earlier thoughts back in one member: those of other hosts, which they may refuse."""

_FIELD_OF: Final = {
    "openai-chat": "chat",
    "openai-responses": "responses",
    "anthropic": "anthropic",
    "gemini": "gemini",
}


class _Touches(msgspec.Struct, frozen=True):
    members: frozenset[str]
    marks: tuple[bytes, ...]


_kept: dict[tuple[int, str], tuple[Quirks, _Touches]] = {}
_MOST_KEPT: Final = 4096


def _touches(quirks: Quirks, dialect: str) -> _Touches:
    """What the deviations of a host touch, put together once."""
    # By identity: to hash all fields of the quirks would take longer than all else here.
    key = (id(quirks), dialect)
    found = _kept.get(key)
    if found is None or found[0] is not quirks:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        found = _kept[key] = (quirks, _put_together(quirks, dialect))
    return found[1]


def _put_together(quirks: Quirks, dialect: str) -> _Touches:
    held = getattr(quirks, _FIELD_OF[dialect])
    usual = type(held)()
    rows = QUIRK_TOUCHES[type(held)]
    members: set[str] = set()
    marks: set[bytes] = set()
    for name in held.__struct_fields__:
        value = getattr(held, name)
        if value == getattr(usual, name):
            continue
        if name == "refused":
            members.update(value)
            if dialect == "gemini":  # these are names of members at any depth
                marks.update(f'"{member}"'.encode() for member in value)
        if name == "reasoning_member":
            marks.update(_FOREIGN_REASONING[value])
        members.update(rows[name].members)
        marks.update(rows[name].marks)
    return _Touches(frozenset(members), tuple(sorted(marks)))


def touched(
    quirks: Quirks,
    dialect: str,
    members: Mapping[str, object],
    body: bytes,
    words: frozenset[bytes] | None = None,
) -> str | None:
    """The first thing in a request that a quirk of its target touches, or None.

    0.3 µs for a host without quirks. `words` are those of the body (`words_of`), where somebody has them already.
    """
    row = _touches(quirks, dialect)
    if row.members:
        for name in members:
            if name in row.members:
                return name
    if row.marks:
        mark = holds_any(row.marks, body, words_of(body) if words is None else words)
        if mark is not None:
            return mark.decode().strip('"')
    return None
