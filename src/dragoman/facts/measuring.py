"""What a request's prompt is made of, counted: texts, turns, tools, schemas, media, and what stands elsewhere.

`measure` goes over a request once. Two sums come of it: `features`, which the estimate weighs, and `text_bytes` with
the counts beside it, which the bound stands on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from dragoman.facts.media_sizes import MediaSize, media_size
from dragoman.facts.prompt_members import ELSEWHERE, MEDIA_MEMBERS, hidden_prompt
from dragoman.facts.text_tokens import text_tokens
from dragoman.values import Media, Message, Opaque, Reasoning, Refusal, Text, ToolCall, ToolDefinition, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dragoman.values import OutputFormat, Part, Request

__all__ = ["FEATURES", "Elsewhere", "PromptSize", "measure"]

FEATURES: Final = ("text", "tool_text", "schema_text", "request", "turns", "has_tools", "tools", "calls", "has_schema")
"""What the estimate weighs: three sums of `text_tokens`, then 1, and counts."""

_LAID_OVER: Final = frozenset(
    "model messages contents input prompt system instructions tools toolConfig n candidateCount modalities "
    "service_tier serviceTier".split()
)
"""Members of a body that say something else than the request does, where a caller lays them over it."""

_CANONICAL: Final = msgspec.json.Encoder()


class Elsewhere(msgspec.Struct, frozen=True):
    """Something that adds tokens which nobody can count from the request: why, and the setting that would change it.

    `rounds` is how often at most the provider asks the model again by itself; None: nothing says how often. 0: it is
    asked once, with a prompt of unknown length.
    """

    reason: str
    setting: str
    rounds: int | None = 0
    kind: str = ""


class PromptSize(msgspec.Struct):
    """The measures of one prompt. `hidden_tokens` is the most that the provider's own words for its tools come to."""

    text: float = 0.0
    tool_text: float = 0.0
    schema_text: float = 0.0
    turns: int = 0
    tools: int = 0
    calls: int = 0
    has_schema: bool = False
    text_bytes: int = 0
    parts: int = 0
    hidden_tokens: int = 0
    repeated: bool = False
    media: list[MediaSize] = []
    elsewhere: list[Elsewhere] = []

    def features(self) -> tuple[float, ...]:
        """The values that go with `FEATURES`."""
        return (
            self.text,
            self.tool_text,
            self.schema_text,
            1.0,
            float(max(0, self.turns - 1)),
            1.0 if self.tools else 0.0,
            float(self.tools),
            float(self.calls),
            1.0 if self.has_schema else 0.0,
        )

    def say(self, text: str) -> None:
        """Adds words of the conversation."""
        if text:
            self.text += text_tokens(text)
            self.text_bytes += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))

    def tell_tool(self, text: str) -> None:
        """Adds the words of a tool's definition."""
        self.tools += 1
        self.tool_text += text_tokens(text)
        self.text_bytes += len(text.encode("utf-8", "surrogatepass"))


def measure(request: Request) -> PromptSize:
    """Measures a request as it is, whatever dialect it will be written in."""
    size = PromptSize()
    current = _current_turn(request.messages)
    for index, message in enumerate(request.messages):
        size.turns += 1
        if message.name:
            size.say(message.name)
        for part in message.parts:
            _measure_part(size, part, thoughts=index >= current)
        if message.extras:
            _measure_extras(size, message.extras.values())
    for tool in request.tools:
        _measure_tool(size, tool)
    if request.output is not None and request.output.type != "text":
        _measure_output(size, request.output)
    if request.previous_response_id is not None:
        size.elsewhere.append(Elsewhere("the provider holds the turns before this one", "previous_response_id"))
    _measure_members(size, request)
    return size


def _current_turn(messages: tuple[Message, ...]) -> int:
    """Where the turn begins that is going on: after the last words of a user's. Older thoughts are not read again."""
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message.role == "user" and not any(isinstance(part, ToolResult) for part in message.parts):
            return index
    return 0


def _measure_part(size: PromptSize, part: Part, *, thoughts: bool) -> None:
    size.parts += 1
    kind = type(part)
    if kind is Text:
        size.say(cast("Text", part).text)
    elif kind is Media:
        _measure_media(size, cast("Media", part))
    elif kind is ToolResult:
        result = cast("ToolResult", part)
        size.calls += 1
        for inner in result.content:
            _measure_part(size, inner, thoughts=thoughts)
    elif kind is ToolCall:
        call = cast("ToolCall", part)
        size.calls += 1
        size.say(call.name)
        size.say(call.arguments_text)
    elif kind is Refusal:
        size.say(cast("Refusal", part).text)
    elif kind is Reasoning:
        _measure_thought(size, cast("Reasoning", part), thoughts=thoughts)
    else:
        _measure_opaque(size, cast("Opaque", part))
    if part.extras:
        _measure_extras(size, part.extras.values())


def _measure_thought(size: PromptSize, part: Reasoning, *, thoughts: bool) -> None:
    """Thoughts of the turn that goes on are read again; sealed ones may be longer than what is shown of them."""
    text = part.text
    size.text_bytes += len(text.encode("utf-8", "surrogatepass"))
    # A token of thought is at least a byte, and a sealed one is not shorter sealed.
    size.text_bytes += sum(len(replay.data) for replay in part.replay if isinstance(replay.data, str))
    if thoughts:
        size.text += text_tokens(text)


def _measure_media(size: PromptSize, part: Media) -> None:
    if part.text is not None:
        size.say(part.text)
        return
    if part.transcript:
        size.say(part.transcript)
    size.media.append(media_size(part))


def _measure_opaque(size: PromptSize, part: Opaque) -> None:
    """What has no part of its own: its words count, and what it points to cannot."""
    for path, text in _texts(part.data):
        if path in MEDIA_MEMBERS:
            size.elsewhere.append(Elsewhere(f"a part of kind {part.kind} points to contents elsewhere", "messages"))
            return
        if path in ("data", "encrypted_content", "signature"):
            size.text_bytes += len(text)
        else:
            size.say(text)


def _measure_tool(size: PromptSize, tool: ToolDefinition | Opaque) -> None:
    if isinstance(tool, Opaque):
        hidden = hidden_prompt(tool)
        size.hidden_tokens += hidden.most_tokens
        size.tell_tool(_json(tool.data))
        if hidden.reason:
            size.elsewhere.append(Elsewhere(hidden.reason, "tools", hidden.rounds, hidden.kind))
        return
    words = [tool.name, tool.description or ""]
    if tool.input_schema is not None:
        words.append(_json(tool.input_schema))
    size.tell_tool(" ".join(words))
    if tool.extras:
        _measure_extras(size, tool.extras.values())


def _measure_output(size: PromptSize, output: OutputFormat) -> None:
    size.has_schema = True
    if output.schema is not None:
        words = " ".join((output.name or "", output.description or "", _json(output.schema)))
        size.schema_text += text_tokens(words)
        size.text_bytes += len(words.encode("utf-8", "surrogatepass"))


def _measure_members(size: PromptSize, request: Request) -> None:
    """Members beyond our own, and what is laid over the body: their words may all be read, some stand for more."""
    given = [*request.extras.values()]
    if request.extra_body:
        given.append(request.extra_body)
    for members in given:
        for name, value in members.items():
            if name[:1] == ":" or value is None or value is False or value in ("", [], {}):
                continue
            known = ELSEWHERE.get(name)
            if known is not None:
                size.elsewhere.append(Elsewhere(known.reason, name, known.rounds, known.kind))
                size.hidden_tokens += known.most_tokens
            if name == "functions" and isinstance(value, list):
                for function in cast("list[Any]", value):
                    size.tell_tool(_json(function))
                continue
            size.text_bytes += len(_json(value))
            if members is request.extra_body and name in _LAID_OVER:
                reason = f"{name} is laid over the request as it was measured"
                size.elsewhere.append(Elsewhere(reason, f"extra_body.{name}", None))
            elif name == "context_management":
                size.repeated = True


def _measure_extras(size: PromptSize, extras: Iterable[dict[str, Any]]) -> None:
    for members in extras:
        for name, value in members.items():
            if name[:1] != ":" and value is not None:
                size.text_bytes += len(_json(value))


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _texts(item, name)
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from _texts(item, key)


def _json(value: Any) -> str:
    try:
        return _CANONICAL.encode(value).decode()
    except (TypeError, ValueError, OverflowError):
        return str(value)
