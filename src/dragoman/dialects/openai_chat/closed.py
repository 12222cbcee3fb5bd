"""Closed hosts: those that answer members and words that they do not know with an error, as their quirks tell.

The body is mended once it is written, each change recorded; objects that were kept from a client's request are copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from dragoman.values import Refusal, ToolCall, ToolDefinition

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, ChatQuirks, JsonObject, Request

__all__ = ["mend"]

_LEVELS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def mend(body: JsonObject, request: Request, quirks: ChatQuirks, log: AdaptationLog) -> None:
    """Changes `body` to what the host knows."""
    if not isinstance(body.get("messages"), list):  # an explicit null of the client's own, which the host will refuse
        return
    if quirks.functions_alone:
        _functions_alone(body, request, log)
    if not quirks.message_names:
        body["messages"] = [_without_name(message) for message in body["messages"]]
        for index, message in enumerate(request.messages):
            if message.name is not None:
                log.dropped(f"messages[{index}].name", "the host names no speakers", message.name)
    effort = body.get("reasoning_effort")
    if quirks.efforts and isinstance(effort, str) and effort not in quirks.efforts:
        _fit_effort(body, effort, quirks.efforts, log)
    tier = body.get("service_tier")
    if quirks.service_tiers and tier is not None and tier not in quirks.service_tiers:
        log.dropped("service_tier", "the host has no such tier", body.pop("service_tier"))
    temperature, most = body.get("temperature"), quirks.most_temperature
    if most is not None and temperature is not None and temperature > most:
        log.clamped("temperature", f"the host's range is 0 to {most}", temperature, most)
        body["temperature"] = most


def _without_name(message: JsonObject) -> JsonObject:
    if message["role"] in ("tool", "function") or "name" not in message:
        return message
    return {name: value for name, value in message.items() if name != "name"}


def _fit_effort(body: JsonObject, effort: str, known: tuple[str, ...], log: AdaptationLog) -> None:
    """The highest level that the host knows below the one asked for."""
    below = _LEVELS[: _LEVELS.index(effort)] if effort in _LEVELS else ()
    fitted = next((level for level in reversed(below) if level in known), None)
    if fitted is None:
        log.dropped("reasoning.effort", "the host does not know the level", body.pop("reasoning_effort"))
    else:
        body["reasoning_effort"] = fitted
        log.substituted("reasoning.effort", "the host does not know the level", effort, fitted)


# -- functions alone ---------------------------------------------------------------------------------------------------


def _functions_alone(body: JsonObject, request: Request, log: AdaptationLog) -> None:
    for index, tool in enumerate(request.tools):
        if isinstance(tool, ToolDefinition) and tool.input_schema is None:
            log.defaulted(f"tools[{index}].input_schema", "the host wants a schema", {"type": "object"})
    if body.get("tools"):
        body["tools"] = [_with_schema(tool) for tool in body["tools"]]
    _choose_by_leaving_out(body, log)
    body["messages"] = [_plain_message(message) for message in body["messages"]]
    for index, message in enumerate(request.messages):
        for number, part in enumerate(message.parts):
            path = f"messages[{index}].parts[{number}]"
            if isinstance(part, Refusal):
                log.substituted(path, "the host has no refusals apart from text", "refusal", "text")
            elif isinstance(part, ToolCall) and part.input == "text" and part.runner == "client":
                log.substituted(f"{path}.arguments_text", "the host takes JSON alone", "text", "input")


def _with_schema(tool: JsonObject) -> JsonObject:
    function: Any = tool.get("function")
    if not isinstance(function, dict) or "parameters" in function:
        return tool
    schema: JsonObject = {"type": "object", "properties": {}}
    return {**tool, "function": {**cast("JsonObject", function), "parameters": schema}}


def _choose_by_leaving_out(body: JsonObject, log: AdaptationLog) -> None:
    choice: Any = body.get("tool_choice")
    if not isinstance(choice, dict):
        return
    allowed: Any = cast("JsonObject", choice).get("allowed_tools")
    if not isinstance(allowed, dict):
        return
    held = cast("JsonObject", allowed)
    names = [tool["function"]["name"] for tool in held["tools"]]
    body["tools"] = [tool for tool in body.get("tools") or () if tool.get("function", {}).get("name") in names]
    body["tool_choice"] = held["mode"]
    log.emulated("tool_choice", "the host cannot choose among several by name; other tools are left out", names)


def _plain_message(message: JsonObject) -> JsonObject:
    calls: Any = message.get("tool_calls")
    custom = isinstance(calls, list) and any(call.get("type") == "custom" for call in cast("list[Any]", calls))
    if not custom and "refusal" not in message:
        return message
    wire = dict(message)
    refusal = wire.pop("refusal", None)
    if refusal:
        said = wire.get("content")
        text = {"type": "text", "text": refusal}
        wire["content"] = [*cast("list[Any]", said), text] if isinstance(said, list) else f"{said or ''}{refusal}"
    if custom:
        wire["tool_calls"] = [_function_call(call) for call in cast("list[JsonObject]", calls)]
    return wire


def _function_call(call: JsonObject) -> JsonObject:
    if call.get("type") != "custom":
        return call
    held = call["custom"]
    arguments = msgspec.json.encode({"input": held["input"]}).decode()
    rest = {name: value for name, value in call.items() if name != "custom"}
    return {**rest, "type": "function", "function": {"name": held["name"], "arguments": arguments}}
