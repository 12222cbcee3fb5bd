"""Tools: the offer, the choice among them, and the calls, both ways."""

from __future__ import annotations

from hashlib import blake2s
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from dragoman.dialects import call_ids
from dragoman.dialects.openai_chat.notes import NAME, VOID, WIRE, extras_of, own, rest, write_members
from dragoman.dialects.openai_chat.parts import drop_foreign_state, read_cache, write_cache
from dragoman.dialects.reading import boolean, object_of, objects_in, required_text, text
from dragoman.values import AdaptationLog, Opaque, Replay, ToolCall, ToolChoice, ToolDefinition, own_replay, replace

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Target, Tool

__all__ = [
    "CALL_ID_LENGTH",
    "call_state",
    "fitted_id",
    "minted_id",
    "plain_call",
    "plain_tool",
    "read_call",
    "read_choice",
    "read_function",
    "read_tool",
    "write_call",
    "write_choice",
    "write_function",
    "write_plain_tool",
    "write_tool",
]

CALL_ID_LENGTH: Final = 40
"""The longest tool-call id that every host of this dialect takes (OpenAI's own bound on the chat endpoint)."""

_ID_FORM: Final = call_ids.CallIdForm(longest=CALL_ID_LENGTH)
_CACHE: Final = ("cache_control", "prompt_cache_breakpoint")


def minted_id(*place: object) -> str:
    """An id for a call that the wire gave none: the same place gives the same id."""
    return f"call_{blake2s(repr(place).encode(), digest_size=12).hexdigest()}"


def fitted_id(call_id: str, form: str) -> str:
    """The id in the form a host takes: at most 40 characters, or nine letters and digits."""
    return call_ids.fitted_id(call_id, call_ids.NINE if form == "nine" else _ID_FORM)


# -- definitions -------------------------------------------------------------------------------------------------------


def read_tool(tool: JsonObject, target: Target, path: str) -> Tool:
    """One offered tool; a kind other than `function` is an `Opaque`."""
    plain = plain_tool(tool)
    if plain is not None:
        return plain
    if tool.get("type") != "function" or "function" not in tool:
        kind = tool.get("type")
        return Opaque(dialect=NAME, kind=kind if isinstance(kind, str) else "", data=tool)
    function = object_of(tool["function"], f"{path}.function")
    void: JsonObject = {}
    members = rest(tool, ("type", "function", *_CACHE), void)
    value = _read_definition(function, f"{path}.function", members)
    if void:
        members[VOID] = void
    value = replace(value, cache=read_cache(tool, path), extras=extras_of(members))
    if write_tool(value, target, AdaptationLog(), "") != tool:
        return replace(value, extras=extras_of({**members, WIRE: tool}))
    return value


def plain_tool(tool: JsonObject) -> ToolDefinition | None:
    """A function of the commonest shape, which is sure to be written alike; None for any other tool."""
    if len(tool) != 2 or tool.get("type") != "function":
        return None
    function = tool.get("function")
    if not isinstance(function, dict):
        return None
    holder: JsonObject = function  # pyright: ignore[reportUnknownVariableType]  # JSON
    name, schema = holder.get("name"), holder.get("parameters")
    if not isinstance(name, str) or not isinstance(schema, dict):
        return None
    if len(holder) == 3:
        description = holder.get("description")
        if isinstance(description, str):
            return ToolDefinition(name=name, description=description, input_schema=schema)  # pyright: ignore[reportUnknownArgumentType]
    elif len(holder) == 2:
        return ToolDefinition(name=name, input_schema=schema)  # pyright: ignore[reportUnknownArgumentType]
    return None


def _read_definition(function: JsonObject, path: str, members: JsonObject) -> ToolDefinition:
    schema = function.get("parameters")
    unknown = {name: value for name, value in function.items() if name not in _DEFINITION}
    if unknown:
        members["function"] = unknown
    return ToolDefinition(
        name=required_text(function, "name", path),
        description=text(function, "description", path),
        input_schema=None if schema is None else object_of(schema, f"{path}.parameters"),
        strict=boolean(function, "strict", path),
    )


_DEFINITION: Final = ("name", "description", "parameters", "strict")


def read_function(function: JsonObject, target: Target, path: str) -> ToolDefinition:
    """One of the legacy `functions`."""
    members: JsonObject = {}
    value = _read_definition(function, path, members)
    value = replace(value, extras=extras_of(members))
    if write_function(value, target, AdaptationLog(), "") != function:
        return replace(value, extras=extras_of({**members, WIRE: function}))
    return value


def write_tool(tool: Tool, target: Target, log: AdaptationLog, path: str) -> JsonObject | None:
    """One offered tool; None (and a record) for one that only another dialect knows."""
    if isinstance(tool, Opaque):
        if tool.dialect == NAME:
            return cast("JsonObject", tool.data)
        log.dropped(path, f"only {tool.dialect} has the tool {tool.kind}", tool.kind)
        return None
    members = own(tool.extras)
    original = members.get(WIRE)
    if original is not None and _keeps_strict(tool, target) and read_tool(original, target, path) == tool:
        return original
    wire: JsonObject = {"type": "function", "function": _write_definition(tool, target, log, path)}
    if tool.cache is not None:
        write_cache(wire, tool.cache, target, log, path)
    write_members(wire, members)
    return wire


def write_plain_tool(tool: Tool) -> JsonObject | None:
    """A function of the commonest shape, of which nothing has to be recorded; None for any other tool."""
    if type(tool) is not ToolDefinition or tool.extras or tool.cache is not None or tool.strict is not None:
        return None
    function: JsonObject = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.input_schema is not None:
        function["parameters"] = tool.input_schema
    return {"type": "function", "function": function}


def write_function(tool: ToolDefinition, target: Target, log: AdaptationLog, path: str) -> JsonObject:
    """A legacy function."""
    original = own(tool.extras).get(WIRE)
    if original is not None and read_function(original, target, path) == tool:
        return original
    return _write_definition(tool, target, log, path)


def _keeps_strict(tool: ToolDefinition, target: Target) -> bool:
    return tool.strict is None or target.quirks.chat.strict_tools


def _write_definition(tool: ToolDefinition, target: Target, log: AdaptationLog, path: str) -> JsonObject:
    function: JsonObject = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.input_schema is not None:
        function["parameters"] = tool.input_schema
    if tool.strict is not None:
        if target.quirks.chat.strict_tools:
            function["strict"] = tool.strict
        else:
            log.dropped(f"{path}.strict", "the host does not take strict tools", tool.strict)
    if tool.extras:
        log.foreign_extras(tool.extras, NAME, path)
        for name, value in own(tool.extras).get("function", _NO_MEMBERS).items():
            function.setdefault(name, value)
    return function


_NO_MEMBERS: Final[JsonObject] = {}

# -- the choice --------------------------------------------------------------------------------------------------------


def read_choice(choice: object, parallel: bool | None, target: Target, path: str = "tool_choice") -> ToolChoice:
    """`tool_choice` with `parallel_tool_calls`; `any` is what some hosts call `required`.

    An `allowed_tools` choice has the mode "named" where one of them must be called, else "auto", with their names.
    """
    if parallel is None and type(choice) is str:
        plain = _PLAIN_CHOICES.get(choice)
        if plain is not None:
            return replace(plain, extras={})
    value = replace(_read_choice(choice, path), parallel=parallel)
    if _written_choice(value, target) != choice:
        return replace(value, extras=extras_of({WIRE: choice}))
    return value


_MODES: Final = {"auto": "auto", "none": "none", "required": "required", "any": "required"}

_PLAIN_CHOICES: Final = {"auto": ToolChoice(mode="auto"), "none": ToolChoice(mode="none")}
"""Choices that every host calls alike."""


def _read_choice(choice: object, path: str) -> ToolChoice:
    if choice is None:
        return ToolChoice()
    if isinstance(choice, str):
        mode = _MODES.get(choice)
        return ToolChoice(mode=mode) if mode else ToolChoice()  # pyright: ignore[reportArgumentType]
    holder = object_of(choice, path)
    kind = holder.get("type")
    if kind == "allowed_tools":
        allowed = object_of(holder.get("allowed_tools", holder), f"{path}.allowed_tools")
        names = tuple(
            name
            for tool in objects_in(allowed, "tools", f"{path}.allowed_tools")
            if (name := _name_in(tool)) is not None
        )
        return ToolChoice(mode="auto" if allowed.get("mode") == "auto" else "named", names=names)
    name = _name_in(holder)
    return ToolChoice(mode="named", names=(name,)) if name is not None else ToolChoice()


def _name_in(holder: JsonObject) -> str | None:
    for place in (holder.get("function"), holder.get("custom"), holder):
        if isinstance(place, dict):
            name = cast("JsonObject", place).get("name")
            if isinstance(name, str):
                return name
    return None


def write_choice(choice: ToolChoice, target: Target, log: AdaptationLog) -> object:
    """The `tool_choice` member, or None for none."""
    original = own(choice.extras).get(WIRE)
    word = target.quirks.chat.required_word
    if original in ("required", "any") and word != "required":
        if original != word:
            log.substituted("tool_choice", "the host's word", original, word)
        original = None
    if original is not None and read_choice(original, choice.parallel, target) == choice:
        return original
    if choice.extras:
        log.foreign_extras(choice.extras, NAME, "tool_choice")
    return _written_choice(choice, target)


def _written_choice(choice: ToolChoice, target: Target) -> object:
    if choice.mode is None:
        return None
    if choice.mode == "named" and len(choice.names) == 1:
        return {"type": "function", "function": {"name": choice.names[0]}}
    if choice.names and choice.mode != "none":
        tools = [{"type": "function", "function": {"name": name}} for name in choice.names]
        mode = "auto" if choice.mode == "auto" else "required"
        return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}
    if choice.mode in ("required", "named"):
        return target.quirks.chat.required_word
    return choice.mode


# -- calls -------------------------------------------------------------------------------------------------------------


def read_call(call: JsonObject, target: Target, path: str, minted: str, *, answer: bool) -> ToolCall:
    """One item of `tool_calls`; `minted` is its id where the wire gives none (some hosts send an empty one)."""
    plain = plain_call(call)
    if plain is not None:
        return plain
    kind = call.get("type")
    custom = kind == "custom"
    member = "custom" if custom else "function"
    holder = object_of(call.get(member), f"{path}.{member}")
    notes: JsonObject = {}
    call_id = text(call, "id", path)
    if not call_id:
        notes[_id_note(answer)] = call_id if "id" in call else False
        call_id = minted
    elif not answer and len(call_id) > CALL_ID_LENGTH:
        notes[":id"] = call_id
    if "index" in call:
        notes[":index"] = call["index"]
    value = ToolCall(
        id=call_id,
        name=required_text(holder, "name", f"{path}.{member}"),
        arguments_text=_arguments(holder, "input" if custom else "arguments", f"{path}.{member}", notes, answer=answer),
        input="text" if custom else "json",
        replay=call_state(call, call_id, target, answer=answer),
    )
    kind = text(call, "type", path)
    said = holder.get("input" if custom else "arguments")
    if len(call) == 3 and len(holder) == 2 and not notes and kind in ("function", "custom") and said is not None:
        return value
    # A host that writes every member it knows has an empty one of the other kind beside the call's own.
    other = "function" if custom else "custom"
    void: JsonObject = {other: call[other]} if other in call else {}
    notes.update(rest(call, ("id", "type", "index", "function", "custom", "extra_content"), void))
    if void:
        notes[VOID] = void
    value = replace(value, extras=extras_of(notes))
    if write_call(value, target, AdaptationLog(), "", answer=answer, call_id=call_id) != call:
        value = replace(value, extras=extras_of({**notes, WIRE: call}))
    return value


def plain_call(call: Any) -> ToolCall | None:
    """A call of the commonest shape, which is sure to be written alike; None for any other."""
    if not isinstance(call, dict) or len(call) != 3:  # pyright: ignore[reportUnknownArgumentType]  # JSON
        return None
    holder: JsonObject = call  # pyright: ignore[reportUnknownVariableType]
    call_id, function = holder.get("id"), holder.get("function")
    if holder.get("type") != "function" or not isinstance(call_id, str) or not 0 < len(call_id) <= CALL_ID_LENGTH:
        return None
    if not isinstance(function, dict) or len(function) != 2:  # pyright: ignore[reportUnknownArgumentType]
        return None
    named: JsonObject = function  # pyright: ignore[reportUnknownVariableType]
    name, said = named.get("name"), named.get("arguments")
    if isinstance(name, str) and isinstance(said, str) and said:
        return ToolCall(id=call_id, name=name, arguments_text=said)
    return None


def _arguments(holder: JsonObject, member: str, path: str, notes: JsonObject, *, answer: bool) -> str:
    given = holder.get(member)
    if isinstance(given, dict):  # Mistral's shape
        notes[":arguments"] = "object"
        return msgspec.json.encode(given).decode()
    said = text(holder, member, path)
    if said:
        return said
    if not answer:
        notes[":arguments"] = "empty"
    return ""


def _id_note(answer: bool) -> str:
    # An id that an answer lacked is minted when the call goes back in a request; one that a client's request lacked
    # stays lacking. Hence two notes.
    return ":answer_id" if answer else ":id"


def call_state(call: JsonObject, call_id: str, target: Target, *, answer: bool) -> tuple[Replay, ...]:
    """What a call's issuer wants back: `extra_content` (Gemini's signatures), and an id too long for other hosts."""
    held = call.get("extra_content")
    if held is None and (len(call_id) <= CALL_ID_LENGTH or not answer):
        return ()
    states = [("extra_content", held)] if held is not None else []
    if answer and len(call_id) > CALL_ID_LENGTH:
        states.append(("call_id", call_id))
    return tuple(Replay(issuer=target.issuer, dialect=NAME, kind=kind, data=data) for kind, data in states)


def write_call(
    call: ToolCall, target: Target, log: AdaptationLog, path: str, *, answer: bool, call_id: str
) -> JsonObject:
    """One item of `tool_calls`. An answer gives an empty id back as it came; a request says the minted one."""
    members = own(call.extras)
    original = members.get(WIRE)
    if original is not None and read_call(original, target, path, call.id, answer=answer) == call:
        return original
    wire: JsonObject = {"id": call_id, "type": "function", "function": {}}
    noted = members.get(_id_note(answer), call_id)
    if noted is False:
        del wire["id"]
    elif not noted:
        wire["id"] = noted
    if call.input == "text":
        wire["type"] = "custom"
        del wire["function"]
        wire["custom"] = {"name": call.name, "input": call.arguments_text}
    else:
        wire["function"] = {"name": call.name, "arguments": _written_arguments(call, members, answer=answer)}
    if ":index" in members:
        wire["index"] = members[":index"]
    state = own_replay(call.replay, "extra_content", target, NAME)
    if state is not None:
        wire["extra_content"] = state
    if call.replay:
        drop_foreign_state(call, target, log, path)
    if call.extras:
        log.foreign_extras(call.extras, NAME, path)
        write_members(wire, members)
    return wire


def _written_arguments(call: ToolCall, members: JsonObject, *, answer: bool) -> object:
    form = members.get(":arguments")
    if form == "object":
        try:
            return msgspec.json.decode(call.arguments_text)
        except msgspec.DecodeError:
            return call.arguments_text
    # A call without arguments is an empty text in an answer as it came; whoever reads a request wants JSON.
    if not call.arguments_text and not answer and form != "empty":
        return "{}"
    return call.arguments_text
