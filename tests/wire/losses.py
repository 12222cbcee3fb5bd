"""What of a request can be found again in a foreign body, and what an adaptation names: the rest is lost in silence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from dragoman.values import (
    Adaptation,
    Extras,
    Media,
    Message,
    Opaque,
    Reasoning,
    ReasoningOptions,
    Refusal,
    Replay,
    Request,
    Text,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
)

__all__ = ["opaque_state", "silent_losses", "strings_in"]

_STATE_MEMBERS = frozenset(
    "signature encrypted_content encrypted_index encrypted_stdout thoughtSignature thought_signature "
    "redactedContent".split()
)
_SHORTEST_STATE = 12

_NEUTRAL = {"choices": 1, "logprobs": False, "presence_penalty": 0, "frequency_penalty": 0}
"""What every wire does unasked."""

_UNASKED = {("bedrock", "store", False)}
"""What one wire does unasked: it keeps nothing."""

_PLAIN_FIELDS = (
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "logprobs",
    "choices",
    "user",
    "service_tier",
    "store",
    "previous_response_id",
    "cache_key",
)


def leaves(value: Any) -> Iterator[Any]:
    """Every scalar in plain JSON."""
    if isinstance(value, dict):
        for item in cast("dict[str, Any]", value).values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from leaves(item)
    else:
        yield value


def strings_in(value: Any) -> list[str]:
    """Every text in plain JSON; JSON inside a text counts too, since some wires nest it so."""
    return [leaf for leaf in leaves(value) if isinstance(leaf, str)]


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in plain JSON."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        yield members
        for item in members.values():
            yield from objects_in(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from objects_in(item)


def opaque_state(request: Request, body: Any) -> set[str]:
    """The provider's state in a request: what the value keeps as replay, and what the wire calls by such names."""
    found: set[str] = set()
    for message in request.messages:
        for part in message.parts:
            for replay in _replays(part):
                found.update(strings_in(msgspec.to_builtins(replay.data)))
    for members in objects_in(body):
        found.update(value for name, value in members.items() if name in _STATE_MEMBERS and isinstance(value, str))
        if members.get("type") == "redacted_thinking" and isinstance(members.get("data"), str):
            found.add(members["data"])
    return {text for text in found if len(text) >= _SHORTEST_STATE}


def _replays(part: Any) -> Iterator[Replay]:
    yield from part.replay
    if isinstance(part, ToolResult):
        for piece in part.content:
            yield from piece.replay


_BESIDE = (".cache", ".replay", ".extras", ".citations", ".item_id", ".name", ".channel", ".is_error", ".strict")


class _Encoded:
    def __init__(self, body: Any, adaptations: tuple[Adaptation, ...]) -> None:
        self._strings = strings_in(body)
        self._leaves = [leaf for leaf in leaves(body) if not isinstance(leaf, str)]
        self._objects = list(objects_in(body))
        self._paths = [entry.path for entry in adaptations]

    def says(self, text: str) -> bool:
        return any(text in string for string in self._strings)

    def holds(self, value: Any) -> bool:
        if isinstance(value, str):
            return self.says(value)
        return any(type(leaf) is type(value) and leaf == value for leaf in self._leaves)

    def holds_object(self, value: dict[str, Any]) -> bool:
        return value in self._objects

    def has_member(self, name: str) -> bool:
        return any(name in members for members in self._objects)

    def named(self, path: str) -> bool:
        """Whether an adaptation speaks of the member, of its content, or of something around it.

        One that speaks of a member beside the content (its cache mark, its replay state) says nothing of the content.
        """
        return any(
            entry == path
            or (_within(entry, path) and not entry[len(path) :].startswith(_BESIDE))
            or (_within(path, entry) and "[" in entry)
            for entry in self._paths
        )

    def true_member(self, name: str) -> bool:
        return any(members.get(name) is True for members in self._objects)

    def has_failed_status(self) -> bool:
        return any(members.get("status") == "error" for members in self._objects)

    def around(self, path: str) -> bool:
        """Whether an adaptation takes the whole of the member, or of something around it."""
        return any(entry == path or (_within(path, entry) and "[" in entry) for entry in self._paths)

    def named_exactly(self, path: str) -> bool:
        return any(entry == path or _within(path, entry) for entry in self._paths)


def _within(inner: str, outer: str) -> bool:
    return inner.startswith((f"{outer}.", f"{outer}["))


def silent_losses(request: Request, dialect: str, body: Any, adaptations: tuple[Adaptation, ...]) -> list[str]:
    """The paths of what `body`, of dialect `dialect`, does not say and no adaptation names."""
    encoded = _Encoded(body, adaptations)
    return [
        *_lost_messages(request, encoded),
        *_lost_tools(request, dialect, encoded),
        *_lost_settings(request, dialect, encoded),
        *_lost_choices(request, encoded),
        *_lost_extras(request, dialect, encoded),
    ]


def _lost_messages(request: Request, encoded: _Encoded) -> Iterator[str]:
    for index, message in enumerate(request.messages):
        for number, part in enumerate(message.parts):
            path = f"messages[{index}].parts[{number}]"
            if not _said(part, encoded) and not encoded.named(path):
                yield f"{path}: {type(part).__name__} {part!r:.160}"
            elif not encoded.around(path):
                yield from _lost_beside(part, path, encoded)
        if message.name and not encoded.says(message.name) and not encoded.named_exactly(f"messages[{index}].name"):
            yield f"messages[{index}].name: {message.name}"


def _said(part: Any, encoded: _Encoded) -> bool:
    if isinstance(part, Text | Refusal):
        return encoded.says(part.text)
    if isinstance(part, ToolCall):
        if part.runner == "provider":
            return False
        arguments = part.arguments_text
        return encoded.holds(part.name) and (
            not arguments.strip()
            or encoded.holds(arguments)
            or (part.input == "json" and _is_object(arguments) and encoded.holds_object(msgspec.json.decode(arguments)))
        )
    if isinstance(part, ToolResult):
        pieces = [piece.text for piece in part.content if isinstance(piece, Text)]
        return part.runner == "client" and all(_text_or_json(piece, encoded) for piece in pieces)
    if isinstance(part, Media):
        held = (part.data, _inline(part.url), part.file_id, part.text)
        return any(encoded.says(text) for text in held if text)
    if isinstance(part, Reasoning):
        return not part.text and not part.replay
    assert isinstance(part, Opaque)
    return False


def _inline(url: str | None) -> str | None:
    """The base64 that an address itself holds, which another wire may have by itself; else the address."""
    if url is not None and url.startswith("data:") and ";base64," in url:
        return url.partition(";base64,")[2]
    return url


def _lost_beside(part: Any, path: str, encoded: _Encoded) -> Iterator[str]:
    """What stands beside the content of a part that was said: marks, state, sources, an error's flag."""
    if part.replay and not encoded.named_exactly(f"{path}.replay"):
        yield f"{path}.replay"
    if (
        part.cache is not None
        and not encoded.has_member("cache_control")
        and not encoded.has_member("cachePoint")
        and not encoded.named_exactly(f"{path}.cache")
    ):
        yield f"{path}.cache"
    if isinstance(part, Text) and part.citations and not encoded.named_exactly(f"{path}.citations"):
        sources = [text for citation in part.citations for text in (citation.url, citation.cited_text) if text]
        if not sources or not all(encoded.says(text) for text in sources):
            yield f"{path}.citations"
    if isinstance(part, ToolResult) and part.is_error:
        flagged = encoded.true_member("is_error") or encoded.has_member("error") or encoded.has_failed_status()
        if not flagged and not encoded.named_exactly(f"{path}.is_error"):
            yield f"{path}.is_error"


def _text_or_json(text: str, encoded: _Encoded) -> bool:
    """A wire whose results are objects may hold a JSON text as the object that it is."""
    return encoded.says(text) or (_is_object(text) and encoded.holds_object(msgspec.json.decode(text)))


def _is_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except msgspec.DecodeError:
        return False


def _lost_tools(request: Request, dialect: str, encoded: _Encoded) -> Iterator[str]:
    for index, tool in enumerate(request.tools):
        path = f"tools[{index}]"
        if isinstance(tool, ToolDefinition):
            said = encoded.holds(tool.name) and encoded.says(tool.description or "")
        else:
            said = tool.dialect == dialect and encoded.holds_object(tool.data)
        if _withheld(request, tool, encoded):
            continue
        if not said and not encoded.named(path):
            yield path
        elif isinstance(tool, ToolDefinition) and tool.strict:
            told = encoded.true_member("strict") or encoded.true_member("strict_tools")
            told = told or encoded.named_exactly(f"{path}.strict")
            if not told and not encoded.around(path):
                yield f"{path}.strict"


def _withheld(request: Request, tool: object, encoded: _Encoded) -> bool:
    """Whether leaving the tool out is how the wire says that others alone may be chosen, and an adaptation says so."""
    choice = request.tool_choice
    if choice is None or choice.mode != "named" or not encoded.named("tool_choice"):
        return False
    return isinstance(tool, ToolDefinition) and tool.name not in choice.names


def _lost_settings(request: Request, dialect: str, encoded: _Encoded) -> Iterator[str]:
    for name in _PLAIN_FIELDS:
        value = getattr(request, name)
        unasked = (dialect, name, value) in _UNASKED
        if value is not None and not unasked and not _set(name, value, encoded) and not encoded.named(name):
            yield f"{name}: {value!r:.80}"
    for text in request.stop:
        if not encoded.holds(text) and not encoded.named("stop"):
            yield f"stop: {text!r}"
    for name, value in (request.metadata or {}).items():
        if not encoded.holds(value) and not encoded.named("metadata"):
            yield f"metadata.{name}"
    if request.output is not None and request.output.schema is not None and not encoded.named("output"):
        names = [name for name in request.output.schema.get("properties", {}) if isinstance(name, str)]
        # A schema may travel as a JSON text.
        if not all(encoded.has_member(name) or encoded.says(f'"{name}"') for name in names):
            yield "output.schema"


def _lost_choices(request: Request, encoded: _Encoded) -> Iterator[str]:
    """How tools may be chosen, and how much may be thought."""
    choice = request.tool_choice or ToolChoice()
    if choice.mode in ("none", "required", "named") and not encoded.named("tool_choice"):
        words = choice.names if choice.mode == "named" else ("none", "required", "any")
        if not any(encoded.says(word) or encoded.says(word.upper()) or encoded.has_member(word) for word in words):
            yield f"tool_choice: {choice.mode}"
    if choice.parallel is False and encoded.has_member("tools"):
        told = encoded.has_member("parallel_tool_calls") or encoded.true_member("disable_parallel_tool_use")
        if not told and not encoded.named("tool_choice.parallel"):
            yield "tool_choice.parallel"
    options = request.reasoning or ReasoningOptions()
    asked = options.effort is not None or options.budget_tokens not in (None, -1)
    if asked and not encoded.named("reasoning") and not any(encoded.has_member(name) for name in _THINKING):
        yield f"reasoning: {options!r:.100}"


_THINKING = ("outputConfig", "reasoning", "reasoning_effort", "think", "thinking", "thinkingConfig", "output_config")


def _set(name: str, value: Any, encoded: _Encoded) -> bool:
    """Whether a setting is in the body; some wires say a yes by a word."""
    if name in _NEUTRAL and value == _NEUTRAL[name]:
        return True
    return encoded.holds(value) or (name == "logprobs" and value is True and encoded.says("logprobs"))


def _lost_extras(request: Request, dialect: str, encoded: _Encoded) -> Iterator[str]:
    for path, extras in _extras(request):
        for owner, members in extras.items():
            if owner == dialect:
                continue
            for name in members:
                where = f"{path}extras.{owner}.{name}"
                if not name.startswith(":") and not encoded.named_exactly(where):
                    yield where


def _extras(request: Request) -> Iterator[tuple[str, Extras]]:
    yield "", request.extras
    for index, tool in enumerate(request.tools):
        if isinstance(tool, ToolDefinition):
            yield f"tools[{index}].", tool.extras
    for name in ("tool_choice", "output", "reasoning"):
        option = getattr(request, name)
        if option is not None:
            yield f"{name}.", option.extras
    for index, message in enumerate(request.messages):
        yield from _message_extras(message, f"messages[{index}].")


def _message_extras(message: Message, path: str) -> Iterator[tuple[str, Extras]]:
    yield path, message.extras
    for number, part in enumerate(message.parts):
        if not isinstance(part, Opaque):
            yield f"{path}parts[{number}].", part.extras
