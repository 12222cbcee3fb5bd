"""Requests ↔ the body of `POST /responses`.

What the user's, system's and developer's messages say are input items under their own roles, at their place; only a
system message that came as `instructions` goes back there. `store` is never said unless it was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from dragoman.dialects.caching import MarkRules, place_marks, retention, with_key
from dragoman.dialects.contract import EncodedRequest
from dragoman.dialects.openai_responses.fitting import Fit
from dragoman.dialects.openai_responses.item_reading import item_type
from dragoman.dialects.openai_responses.item_writing import ItemWriter
from dragoman.dialects.openai_responses.items import decode_item, decode_message
from dragoman.dialects.openai_responses.message_writing import write_message
from dragoman.dialects.openai_responses.options import encode_format, encode_include, encode_reasoning
from dragoman.dialects.openai_responses.rows import OUTPUTS, USER_ITEMS
from dragoman.dialects.openai_responses.settings import BEYOND_MEMBERS, FIELD_OF, read_settings, write_settings
from dragoman.dialects.openai_responses.tools import encode_choice, encode_tools
from dragoman.dialects.openai_responses.wire import (
    ABSENT,
    BEYOND,
    INPUT,
    INSTRUCTIONS,
    ITEM,
    NAME,
    PATH,
    WIRE,
    members,
    noted,
    notes,
    same_json,
)
from dragoman.dialects.reading import object_of, reading_request, text, unknown
from dragoman.errors import ProtocolViolation
from dragoman.values import (
    AdaptationLog,
    Media,
    Message,
    MessageRole,
    Request,
    Target,
    Text,
    ToolCall,
    ToolChoice,
    ToolResult,
    replace,
)
from dragoman.values.messages import message_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.values import JsonObject
    from dragoman.values.parts import Part

__all__ = ["decode_request", "encode_request"]

_PATH = "/responses"
_CALLER_ROLES = frozenset({"user", "system", "developer"})
_MODELLED = (
    "model",
    "input",
    "instructions",
    "max_output_tokens",
    "temperature",
    "top_p",
    "top_logprobs",
    "user",
    "metadata",
    "service_tier",
    "store",
    "previous_response_id",
    "prompt_cache_key",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "text",
    "reasoning",
    "stream",
)
_FORMED = (*(name for name in _MODELLED if name not in ("model", "input")), "include", *BEYOND_MEMBERS)
"""Members whose original is kept where writing the value does not give it back."""
_BARE = Request(model="")
_NO_CHOICE = ToolChoice()


# -- reading -----------------------------------------------------------------------------------------------------------


def decode_request(body: Any, target: Target, path: str = "") -> Request:
    """A client's body. Raises `InvalidRequest` naming the member that is not what it should be."""
    with reading_request():
        wire = object_of(body, "body")
        own = unknown(wire, (*_MODELLED, *BEYOND_MEMBERS))
        if not isinstance(own.get("include", []), list):
            del own["include"]
        wording = wire.get("text")
        if isinstance(wording, dict):
            rest = unknown(cast("JsonObject", wording), ("format",))
            if rest:
                own["text"] = rest
        beyond = sorted(name for name in BEYOND_MEMBERS if wire.get(name) is not None)
        if beyond:
            own[BEYOND] = beyond
        if path.partition("?")[0].rstrip("/").endswith("/compact"):
            own[PATH] = f"{_PATH}/compact"
        if text(wire, "model") is None:
            own[ABSENT] = ["model"]
        messages = (*_instructions(wire), *_input(wire, own, target))
        request = Request(
            model=wire.get("model") or target.model,
            messages=messages,
            extras={NAME: own},
            **read_settings(wire),
        )
        return _with_originals(request, wire)


def _with_originals(request: Request, wire: JsonObject) -> Request:
    written = _body(request, Fit(Target(), AdaptationLog(), "self"))
    lost = {
        name: wire[name]
        for name in _FORMED
        if name in wire and not (name in written and same_json(written[name], wire[name]))
    }
    return noted(request, **{WIRE: lost}) if lost else request


def _instructions(wire: JsonObject) -> Iterator[Message]:
    words = text(wire, "instructions")
    if words is not None:
        yield Message(MessageRole.SYSTEM, parts=(Text(text=words),), extras={NAME: {INSTRUCTIONS: True}})


def _input(wire: JsonObject, own: JsonObject, target: Target) -> tuple[Message, ...]:
    given: Any = wire.get("input")
    if isinstance(given, str):
        own[INPUT] = "text"
        return (Message(MessageRole.USER, parts=(Text(text=given),)),)
    if given is None:
        own[INPUT] = "null" if "input" in wire else "absent"
        return ()
    if not isinstance(given, list):
        raise ProtocolViolation(f"input should be text or a list of items, and is {given!r:.80}", path="input")
    messages: list[Message] = []
    for index, item in enumerate(cast("list[Any]", given)):
        path = f"input[{index}]"
        _add(messages, object_of(item, path), path, target.issuer)
    return tuple(messages)


def _add(messages: list[Message], item: JsonObject, path: str, issuer: str) -> None:
    """Adds one item: what the assistant says goes on in its message, all else begins one."""
    kind = item_type(item)
    if kind == "message" and text(item, "role", path) in _CALLER_ROLES:
        messages.append(decode_message(item, path, issuer))
        return
    parts = decode_item(item, path, issuer)
    if kind in OUTPUTS and (result := _of_the_host(messages, parts)) is not None:
        messages[-1] = replace(messages[-1], parts=(*messages[-1].parts, result))
    elif kind in OUTPUTS:
        messages.append(message_of(MessageRole.TOOL, parts))
    elif kind in USER_ITEMS:
        messages.append(message_of(MessageRole(USER_ITEMS[kind]), parts))
    elif messages and messages[-1].role is MessageRole.ASSISTANT and not _separate(item, kind):
        messages[-1] = replace(messages[-1], parts=(*messages[-1].parts, *parts))
    else:
        messages.append(message_of(MessageRole.ASSISTANT, parts))


def _of_the_host(messages: list[Message], parts: tuple[Part, ...]) -> ToolResult | None:
    """What a call came to that the host ran itself, as its answer told it."""
    (result,) = parts
    if not isinstance(result, ToolResult) or not messages or messages[-1].role is not MessageRole.ASSISTANT:
        return None
    for part in messages[-1].parts:
        if isinstance(part, ToolCall) and part.runner == "provider" and part.id == result.call_id:
            return replace(result, runner="provider")
    return None


def _separate(item: JsonObject, kind: str) -> bool:
    """Whether this begins a turn of its own: the short form of a message, which a client wrote as one."""
    return kind == "message" and not item.get("id")


# -- writing -----------------------------------------------------------------------------------------------------------


def encode_request(request: Request, target: Target) -> EncodedRequest:
    """The body for `target`; whatever it cannot say is an adaptation."""
    log = AdaptationLog()
    kept = None
    if request.cache is not None:
        quirks = target.quirks.responses
        request = with_key(request, quirks.caching, log)
        if quirks.cache_marks:
            request = place_marks(request, _MARKS, log)
        kept = retention(request) if quirks.caching == "key" else None
    body = _body(request, Fit(target, log))
    if kept is not None:
        body.setdefault("prompt_cache_retention", kept)
    for name in target.quirks.responses.refused:
        if name in body:
            log.dropped(FIELD_OF.get(name, name), f"{target.provider or 'the host'} refuses {name}", body.pop(name))
    return EncodedRequest(path=notes(request.extras).get(PATH, _PATH), body=body, adaptations=log.entries())


def _holds_mark(part: Part, role: MessageRole) -> bool:
    """Whether the content of a part may be marked: input text, images and files."""
    spoken = role is not MessageRole.ASSISTANT and role is not MessageRole.TOOL
    return spoken and (isinstance(part, Text) or (isinstance(part, Media) and part.kind != "audio"))


_MARKS = MarkRules(_holds_mark, tools=False)


def _body(request: Request, fit: Fit) -> JsonObject:
    own = notes(request.extras)
    body: JsonObject = {}
    if "model" not in own.get(ABSENT, ()):
        body["model"] = request.model
    if fit.towards != "self":
        _write_messages(request, body, fit)
    elif request.messages and INSTRUCTIONS in notes(request.messages[0].extras):
        body["instructions"] = request.messages[0].content
    write_settings(request, body, fit)
    if request.tools:
        body["tools"] = encode_tools(request.tools, fit)
    if request.tool_choice is not None:
        choice = encode_choice(request.tool_choice, request.tools, fit)
        if choice is not None:
            body["tool_choice"] = choice
        if request.tool_choice.parallel is not None:
            body["parallel_tool_calls"] = request.tool_choice.parallel
    wording = dict(own.get("text", {}))
    if request.output is not None:
        wording = {"format": encode_format(request.output, fit.log), **wording}
    reasoning = None if request.reasoning is None else encode_reasoning(request.reasoning, fit)
    given: dict[str, Any] = {"text": wording or None, "reasoning": reasoning, "include": encode_include(request, fit)}
    body.update((name, value) for name, value in given.items() if value is not None)
    if request.stream:
        body["stream"] = True
    fit.log.foreign_extras(request.extras, NAME, "")
    body.update((name, value) for name, value in members(request.extras).items() if name not in ("text", "include"))
    for name, original in own.get(WIRE, {}).items():
        if _still(name, original, request):
            body[name] = original
    return body


def _still(name: str, original: Any, request: Request) -> bool:
    """Whether a kept original still says what the request does."""
    if name == "instructions":
        return not any(INSTRUCTIONS in notes(message.extras) for message in request.messages)
    with reading_request():
        again = read_settings({name: original})
    if name in ("tool_choice", "parallel_tool_calls"):
        mine, its = request.tool_choice or _NO_CHOICE, again["tool_choice"] or _NO_CHOICE
        if name == "tool_choice":
            return (mine.mode, mine.names) == (its.mode, its.names)
        return mine.parallel == its.parallel
    if name == "text":
        rest = unknown(cast("JsonObject", original), ("format",)) if isinstance(original, dict) else {}
        return again.get("output") == request.output and rest == notes(request.extras).get("text", {})
    field = FIELD_OF.get(name, name)
    return again.get(field, getattr(_BARE, field)) == getattr(request, field)


def _write_messages(request: Request, body: JsonObject, fit: Fit) -> None:
    writer = ItemWriter(fit, call_types=_call_types(request))
    instructed = False
    items: list[JsonObject] = []
    for index, message in enumerate(request.messages):
        if not instructed and _is_instructions(message):
            instructed = True
            body["instructions"] = message.content
        else:
            items.extend(write_message(message, writer, f"messages[{index}]"))
    form: Literal["text", "null", "absent"] | None = notes(request.extras).get(INPUT)
    if form in ("null", "absent") and not items:
        if form == "null":
            body["input"] = None
        return
    alone = items[0] if len(items) == 1 else {}
    if form == "text" and alone.keys() == {"role", "content"} and isinstance(alone["content"], str):
        body["input"] = alone["content"]
    else:
        body["input"] = items


def _is_instructions(message: Message) -> bool:
    return (
        message.role is MessageRole.SYSTEM
        and INSTRUCTIONS in notes(message.extras)
        and all(isinstance(part, Text) for part in message.parts)
    )


def _call_types(request: Request) -> dict[str, str]:
    """The item type of every call in the conversation, by its id: an output must be of the same kind."""
    return {
        part.id: _call_type(part)
        for message in request.messages
        for part in message.parts
        if isinstance(part, ToolCall)
    }


def _call_type(part: Part) -> str:
    note: JsonObject = notes(part.extras).get(ITEM, {})
    usual = "custom_tool_call" if isinstance(part, ToolCall) and part.input == "text" else "function_call"
    return note.get("type", usual)
