"""Fitting the form of the answer: the request as the target takes it, what that changed, and how it is undone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dragoman.engine.output.abilities import abilities_of, with_schema
from dragoman.engine.output.choosing import choose
from dragoman.engine.output.rewriting import has_maps, is_object, rewrite, wrap
from dragoman.engine.output.rules import AS_IS, rules_for
from dragoman.engine.output.undoing import Undoing
from dragoman.values import (
    AdaptationLog,
    Message,
    MessageRole,
    OutputFormat,
    Text,
    ToolChoice,
    ToolDefinition,
    replace,
)

if TYPE_CHECKING:
    from dragoman.engine.output.abilities import Abilities
    from dragoman.values import Adaptation, JsonObject, Request, Target

__all__ = ["FittedOutput", "fit_output"]

_NAMED: Final = ("openai-chat", "openai-responses")
"""Dialects whose schemas have a name and say whether they are strict."""
_STRICT_TOOLS: Final = (*_NAMED, "anthropic")
_TOOL_SCHEMA_RULES: Final = ("gemini",)
"""Dialects that limit the schemas of tools as they do those of answers."""
_LONGEST_NAME: Final = 64


class FittedOutput(msgspec.Struct, frozen=True, kw_only=True):
    """The request as the target takes it, what was changed, how it is undone, and the target as it is to be encoded."""

    request: Request
    adaptations: tuple[Adaptation, ...]
    undoing: Undoing | None
    target: Target


def fit_output(request: Request, dialect: str, target: Target) -> FittedOutput | None:
    """Fits the form of the answer, and the schemas of strict tools. None where the request has neither."""
    asks = request.output is not None and request.output.type != "text"
    if not asks and not _has_strict_tools(request, dialect):
        return None
    log = AdaptationLog()
    request = _strict_tools(request, dialect, target, log)
    if not asks:
        return FittedOutput(request=request, adaptations=log.entries(), undoing=None, target=target)
    return _Fitting(request, dialect, target, log).fitted()


class _Fitting:
    def __init__(self, request: Request, dialect: str, target: Target, log: AdaptationLog) -> None:
        assert request.output is not None  # fit_output looked
        self._request = request
        self._output: OutputFormat = request.output
        self._dialect = dialect
        self._target = target
        self._log = log
        self._abilities: Abilities = abilities_of(dialect, target.quirks)

    def fitted(self) -> FittedOutput:
        mode, reason = choose(self._request, self._dialect, self._abilities)
        target = self._target
        if mode == "native":
            request, undoing = self._native()
            if self._output.mode == "native":
                target = replace(target, quirks=with_schema(self._dialect, target.quirks))
        elif mode == "tool":
            request, undoing = self._tool(reason)
        else:
            request, undoing = self._prompted(reason)
        return FittedOutput(request=request, adaptations=self._log.entries(), undoing=undoing, target=target)

    # -- the target's own schema output ------------------------------------------------------------------------------

    def _native(self) -> tuple[Request, Undoing]:
        output = self._output
        if output.schema is None or self._dialect in output.extras:
            request = (
                self._request if output.mode is None else replace(self._request, output=replace(output, mode=None))
            )
            return request, Undoing(mode="native")
        strict = output.strict
        rules = rules_for(self._dialect, strict=strict is True, quirks=self._target.quirks)
        if strict and rules.closed and self._dialect in _NAMED and has_maps(output.schema):
            self._log.substituted("output.strict", "strict schemas have no objects of any property names", True, False)
            strict = False
            rules = rules_for(self._dialect, strict=False)
        schema, wrapped = self._rooted(output.schema, rules.object_root)
        written = rewrite(schema, rules)
        self._note(written.schema, written.lost)
        named = self._dialect in _NAMED
        fitted = replace(
            output,
            schema=written.schema,
            mode=None,
            # Wires that do not tell strict from other schemas follow all of them exactly.
            strict=None if strict and self._dialect not in _STRICT_TOOLS else strict,
            name=output.name or (_name(output) if named else None),
        )
        return replace(self._request, output=fitted), Undoing(mode="native", wrapped=wrapped)

    @staticmethod
    def _rooted(schema: JsonObject, object_root: bool) -> tuple[JsonObject, bool]:
        if object_root and not is_object(schema):
            return wrap(schema), True
        return schema, False

    def _note(self, written: JsonObject, lost: tuple[str, ...]) -> None:
        for where in lost:
            self._log.dropped(f"output.schema{where}", "the target's schemas have no such keyword; the model is told")
        if not lost and written != self._output.schema:
            self._log.defaulted("output.schema", "the same, in the words that this target takes", written)

    # -- a forced tool -----------------------------------------------------------------------------------------------

    def _tool(self, reason: str) -> tuple[Request, Undoing]:
        request, output = self._request, self._output
        schema, wrapped = self._rooted(output.schema or {"type": "object"}, True)
        written = rewrite(
            schema, rules_for(self._dialect, strict=False) if self._dialect in _TOOL_SCHEMA_RULES else AS_IS
        )
        for where in written.lost:
            self._log.dropped(f"output.schema{where}", "the target's schemas have no such keyword; the model is told")
        name = _free_name(_name(output), request)
        tool = ToolDefinition(name=name, description=_tool_words(output), input_schema=written.schema)
        asked = reason or "the caller asked for it"
        self._log.emulated("output", f"{asked}; the answer is had as a tool's arguments", output.type, name)
        fitted = replace(
            request,
            output=None,
            tools=(*request.tools, tool),
            tool_choice=_forced(request, name),
        )
        return fitted, Undoing(mode="tool", tool=name, wrapped=wrapped)

    # -- words -------------------------------------------------------------------------------------------------------

    def _prompted(self, reason: str) -> tuple[Request, Undoing]:
        request, output = self._request, self._output
        schema, wrapped = self._rooted(output.schema, True) if output.schema is not None else (None, False)
        held = self._abilities.json_object and (self._abilities.schema_beside_tools or not request.tools)
        asked = reason or "the caller asked for it"
        self._log.emulated("output", f"{asked}; it is asked for in words", output.type, "prompted")
        fitted = replace(
            request,
            messages=_instructed(request.messages, _instruction(schema)),
            output=OutputFormat(type="json_object") if held else None,
        )
        return fitted, Undoing(mode="prompted", wrapped=wrapped)


def _instruction(schema: JsonObject | None) -> str:
    if schema is None:
        return "Answer with one JSON object and with nothing else: no prose before or after it, no code fence."
    told = msgspec.json.encode(schema).decode()
    return (
        "Answer with one JSON object that matches the JSON Schema below, and with nothing else: no prose before or "
        f"after it, no code fence, and not the schema itself.\n{told}"
    )


def _instructed(messages: tuple[Message, ...], words: str) -> tuple[Message, ...]:
    """The messages with the words at the end of the leading system text: some templates know one system turn alone."""
    leading = 0
    while leading < len(messages) and messages[leading].role in (MessageRole.SYSTEM, MessageRole.DEVELOPER):
        leading += 1
    if not leading:
        return (Message(MessageRole.SYSTEM, words), *messages)
    last = messages[leading - 1]
    told = replace(last, parts=(*last.parts, Text(text=f"\n\n{words}")))
    return (*messages[: leading - 1], told, *messages[leading:])


def _forced(request: Request, name: str) -> ToolChoice:
    """The choice that makes the model answer by the tool, or call one of the caller's own."""
    asked = request.tool_choice
    parallel = asked.parallel if asked is not None else None
    own = any(isinstance(tool, ToolDefinition) for tool in request.tools)
    if own and asked is not None and asked.mode in ("required", "named"):
        return asked
    if own and (asked is None or asked.mode != "none"):
        return ToolChoice(mode="required", parallel=parallel)
    return ToolChoice(mode="named", names=(name,), parallel=parallel)


def _tool_words(output: OutputFormat) -> str:
    described: Any = output.description or (output.schema or {}).get("description")
    words = "Call this tool to give the final answer; its arguments are the answer."
    return f"{words} {described}" if isinstance(described, str) else words


def _name(output: OutputFormat) -> str:
    title: Any = output.name or (output.schema or {}).get("title") or ""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", title if isinstance(title, str) else "").strip("_")
    return name[:_LONGEST_NAME] or "answer"


def _free_name(name: str, request: Request) -> str:
    taken = {tool.name for tool in request.tools if isinstance(tool, ToolDefinition)}
    while name in taken:
        name = f"{name[: _LONGEST_NAME - 1]}_"
    return name


# -- strict tools ------------------------------------------------------------------------------------------------------


def _has_strict_tools(request: Request, dialect: str) -> bool:
    if not request.tools or dialect not in _STRICT_TOOLS:
        return False
    return any(
        isinstance(tool, ToolDefinition) and tool.strict and dialect not in tool.extras for tool in request.tools
    )


def _strict_tools(request: Request, dialect: str, target: Target, log: AdaptationLog) -> Request:
    """The schemas of strict tools as this dialect's strict schemas are; those that came over it stay as they are."""
    if not _has_strict_tools(request, dialect):
        return request
    tools = list(request.tools)
    for index, tool in enumerate(tools):
        if not isinstance(tool, ToolDefinition) or not tool.strict or dialect in tool.extras:
            continue
        schema = tool.input_schema or {"type": "object", "properties": {}}
        path = f"tools[{index}]"
        if has_maps(schema):
            log.substituted(f"{path}.strict", "strict schemas have no objects of any property names", True, False)
            tools[index] = replace(tool, strict=False)
            continue
        written = rewrite(schema, rules_for(dialect, strict=True, quirks=target.quirks))
        for where in written.lost:
            log.dropped(f"{path}.input_schema{where}", "strict schemas have no such keyword; the model is told")
        if not written.lost and written.schema != tool.input_schema:
            log.defaulted(f"{path}.input_schema", "the same, as strict schemas say it", written.schema)
        tools[index] = replace(tool, input_schema=written.schema)
    return replace(request, tools=tuple(tools))
