"""Whether facts touch a member of a body that is to be passed on as it is.

The answer comes from the fitting itself: the members that steer are read, fitted and written, with and without the
facts, and what differs is touched. Most bodies hold no member that the facts have anything to say about, which is seen
by their names alone. Messages are not read: a word in their bytes that may begin media which the model does not take
counts as touched, and the fitting decides.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from dragoman.engine.capabilities.fitting import fit_request
from dragoman.engine.capabilities.limits import GROUP_OF, limits_of
from dragoman.errors import DragomanError, InvalidRequest, Unsupported
from dragoman.values import AdaptationLog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.engine.capabilities.limits import Limits
    from dragoman.engine.deployment import Deployment
    from dragoman.values import JsonObject, Target

__all__ = ["MEMBERS_OF", "touched_by", "touched_members"]

_GEMINI: Final = ("generationConfig", "generation_config")
_GEMINI_CHOICE: Final = ("toolConfig", "tool_config")
_SAMPLING: Final = (
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
)
_SAME_NAMES: Final = {name: (name,) for name in (*_SAMPLING, "tools")}

MEMBERS_OF: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "openai-chat": {
        **_SAME_NAMES,
        "max_tokens": ("max_tokens", "max_completion_tokens"),
        "seed": ("seed", "random_seed"),
        "reasoning": ("reasoning_effort", "reasoning", "thinking"),
        "tools": ("tools", "functions"),
        "tool_choice": ("tool_choice", "function_call", "parallel_tool_calls"),
        "output": ("response_format",),
        "messages": ("messages",),
    },
    "openai-responses": {
        **_SAME_NAMES,
        "max_tokens": ("max_output_tokens",),
        "logprobs": ("include",),
        "reasoning": ("reasoning",),
        "tool_choice": ("tool_choice", "parallel_tool_calls"),
        "output": ("text",),
        "messages": ("input", "instructions"),
    },
    "anthropic": {
        **_SAME_NAMES,
        "max_tokens": ("max_tokens",),
        "stop": ("stop_sequences",),
        "reasoning": ("thinking", "output_config"),
        "tool_choice": ("tool_choice",),
        "output": ("output_config", "output_format"),
        "messages": ("messages", "system"),
    },
    "gemini": {
        **dict.fromkeys((*_SAMPLING, "max_tokens", "reasoning", "output"), _GEMINI),
        "tools": ("tools", *_GEMINI_CHOICE),
        "tool_choice": _GEMINI_CHOICE,
        "messages": ("contents", "systemInstruction", "system_instruction"),
    },
    "bedrock": {
        **dict.fromkeys((*_SAMPLING, "max_tokens"), ("inferenceConfig", "additionalModelRequestFields")),
        "reasoning": ("additionalModelRequestFields", "outputConfig"),
        "tools": ("toolConfig",),
        "tool_choice": ("toolConfig",),
        "output": ("outputConfig",),
        "messages": ("messages", "system"),
    },
    "cohere": {
        **_SAME_NAMES,
        "max_tokens": ("max_tokens",),
        "top_p": ("p",),
        "top_k": ("k",),
        "stop": ("stop_sequences",),
        "reasoning": ("thinking",),
        "tool_choice": ("tool_choice",),
        "output": ("response_format",),
        "messages": ("messages",),
    },
    "ollama": {
        **dict.fromkeys((*_SAMPLING, "max_tokens"), ("options",)),
        "reasoning": ("think",),
        "tools": ("tools",),
        "tool_choice": (),
        "output": ("format",),
        "messages": ("messages",),
    },
}
"""Per dialect: the members of a body that say a field of a Request."""

_MEDIA_MARKS: Final[Mapping[str, tuple[bytes, ...]]] = {
    "image": (b"image",),
    "audio": (b"audio",),
    "video": (b"video",),
    # Files and documents are pdf more often than not; the fitting tells those of plain text apart.
    "document": (b"file", b"document", b"pdf"),
}
_ANY_MEDIA: Final = (b"inlineData", b"inline_data", b"fileData", b"file_data")
_SYSTEM_MARKS: Final = (b'"system"', b'"developer"')
_SYSTEM_MEMBERS: Final = frozenset(("instructions", "system", "systemInstruction", "system_instruction"))


def touched_members(deployment: Deployment, members: Mapping[str, Any]) -> frozenset[str]:
    """The members of a body in the deployment's own dialect that its model's facts would change; mostly none.

    `members` are those of the body, each parsed or as `msgspec.Raw`. An empty answer means that fitting by facts would
    change nothing; a message may be named in vain, a member never. Takes about 2 µs where no member is in question.
    """
    limits, access = limits_of(deployment)
    if limits is None and access is deployment.access:
        return frozenset()
    return touched_by(access.dialect, limits, deployment.access.target, access.target, members)


def touched_by(
    dialect: str, limits: Limits | None, base: Target, target: Target, members: Mapping[str, Any]
) -> frozenset[str]:
    """As `touched_members`, for limits, and a target without and with the quirks that facts set."""
    present = _watched(dialect, limits, target is not base).intersection(members)
    touched = frozenset[str]() if limits is None else _touched_messages(dialect, limits, members)
    if not present or _harmless_caps(dialect, limits, target, members, present):
        return touched
    return touched | _differing(dialect, limits, base, target, members, present)


@lru_cache(maxsize=1024)
def _watched(dialect: str, limits: Limits | None, quirks: bool) -> frozenset[str]:
    """The members that the facts have something to say about, by name."""
    fields: set[str] = set()
    if limits is not None:
        fields.update(limits.refused, limits.refused_thinking)
        if limits.output_tokens is not None:
            fields.add("max_tokens")
        if limits.thinking is not None:
            fields.add("reasoning")
        if limits.no_tools or limits.no_force:
            fields.update(("tools", "tool_choice"))
        if limits.no_parallel:
            fields.add("tool_choice")
    if quirks:
        fields.update(("max_tokens", "reasoning", "output", "top_k", "tools"))
    table = MEMBERS_OF.get(dialect, {})
    return frozenset(member for field in fields for member in table.get(field, ()))


def _harmless_caps(
    dialect: str, limits: Limits | None, target: Target, members: Mapping[str, Any], present: frozenset[str]
) -> bool:
    """Whether output caps are all that is in question, and none is too high: what nearly every request comes to."""
    caps = MEMBERS_OF[dialect]["max_tokens"]
    if dialect not in ("openai-chat", "openai-responses", "anthropic", "cohere") or not present.issubset(caps):
        return False
    if "max_tokens" in present and dialect == "openai-chat" and target.quirks.chat.newer_cap_alone:
        return False
    most = None if limits is None else limits.output_tokens
    values = [_plain(members[name]) for name in present]
    return all(value is None or (isinstance(value, int) and (most is None or value <= most)) for value in values)


def _differing(
    dialect: str,
    limits: Limits | None,
    base: Target,
    target: Target,
    members: Mapping[str, Any],
    present: frozenset[str],
) -> frozenset[str]:
    """The members that are written otherwise with the facts than without."""
    table = MEMBERS_OF[dialect]
    steering = {member for field, names in table.items() if field != "messages" for member in names}
    body: JsonObject = {name: _plain(value) for name, value in members.items() if name in steering}
    body |= _least(dialect)
    try:
        without = _written(dialect, base, None, body)
        fitted = _written(dialect, target, limits, body)
    except Unsupported as error:
        return frozenset(table.get(error.path, ())).intersection(members) or present
    except DragomanError:
        return present  # it cannot be read: whoever translates it says what is wrong
    return frozenset(name for name in members if name in steering and without.get(name) != fitted.get(name))


def _written(dialect_name: str, target: Target, limits: Limits | None, body: JsonObject) -> JsonObject:
    from dragoman.dialects import load
    from dragoman.engine.output import fit_output

    dialect = load(dialect_name)
    request = dialect.decode_request(body, target, f"/model/{target.model}/converse")
    if limits is not None:
        request = fit_request(request, limits, AdaptationLog())
    formed = fit_output(request, dialect.name, target)
    if formed is not None:
        request, target = formed.request, formed.target
    return dialect.encode_request(request, target).body


_LEAST: Final[Mapping[str, JsonObject]] = {
    "openai-responses": {"model": "m", "input": "."},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "."}]}]},
    "bedrock": {"messages": [{"role": "user", "content": [{"text": "."}]}]},
}
_LEAST_OTHERS: Final[JsonObject] = {"model": "m", "messages": [{"role": "user", "content": "."}]}


def _least(dialect: str) -> JsonObject:
    """The smallest conversation that the dialect reads, in the place of the body's own."""
    assert dialect in GROUP_OF
    return _LEAST.get(dialect, _LEAST_OTHERS)


def _touched_messages(dialect: str, limits: Limits, members: Mapping[str, Any]) -> frozenset[str]:
    marks: list[bytes] = []
    for kind in limits.lacking:
        marks.extend(_MEDIA_MARKS[kind])
    if limits.lacking:
        marks.extend(_ANY_MEDIA)
    if limits.no_system:
        marks.extend(_SYSTEM_MARKS)
    if not marks:
        return frozenset()
    touched: set[str] = set()
    for name in MEMBERS_OF[dialect]["messages"]:
        if name not in members:
            continue
        if limits.no_system and name in _SYSTEM_MEMBERS:
            touched.add(name)
            continue
        text = _bytes(members[name])
        if any(mark in text for mark in marks):
            touched.add(name)
    return frozenset(touched)


def _plain(value: Any) -> Any:
    if not isinstance(value, msgspec.Raw):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the body is not valid JSON: {error or 'it is nested too deeply'}") from None


def _bytes(value: Any) -> bytes:
    return bytes(cast("Any", value)) if isinstance(value, msgspec.Raw) else msgspec.json.encode(value)
