"""A small model without weights: it obeys what a request asks for, and always in the same words.

What it says: `Say: …` is answered with what follows, a tool's result with that result, a schema with an instance of
it, tools with calls of those that the last words name (of the first, if they name none) with the JSON object that
follows the name as arguments; everything else with `You said: …`. A system message that wants "one JSON object" gets
one, of the schema in its words if there is one. It stops at stop sequences and at `max_tokens`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

import msgspec

from dragoman.testing.instances import instance_of
from dragoman.testing.replies import answer, call, count_tokens, words_of
from dragoman.values import Message, ToolCall, ToolDefinition, ToolResult, assistant, replace

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Request, Response

__all__ = ["plain_answer"]

_SAY = re.compile(r"\A\s*(?:say|repeat)\b[^:\n]*:\s*(?P<words>.*)\Z", re.IGNORECASE | re.DOTALL)
_DECODER = json.JSONDecoder()


def plain_answer(request: Request, number: int) -> Response:
    """The answer to a request, the `number`th that was asked."""
    calls = _calls(request)
    if calls:
        return answer(Message("assistant", calls), request, number=number)
    text, finish = _shortened(_text(request), request)
    response = answer(assistant(text), request, number=number, finish="length" if finish == "length" else "stop")
    if finish in ("stop", "length", ""):
        return response
    choice = response.choices[0]
    assert choice.finish is not None  # answer() sets it
    return replace(response, choices=(replace(choice, finish=replace(choice.finish, stop_sequence=finish)),))


# -- text --------------------------------------------------------------------------------------------------------------


def _text(request: Request) -> str:
    form, schema = _form(request)
    if schema is not None:
        return msgspec.json.encode(instance_of(schema)).decode()
    results = _last_results(request)
    words = _last_words(request)
    said = _SAY.match(words)
    if results:
        text = " ".join(f"The tool {'failed' if one.is_error else 'said'}: {one.text}" for one in results)
    elif said:
        text = said["words"]
    else:
        text = f"You said: {words or 'nothing'}"
    if form:
        return msgspec.json.encode({"answer": text}).decode()
    return text


def _form(request: Request) -> tuple[bool, JsonObject | None]:
    """Whether the answer shall be a JSON object, and its schema: by the output asked for, or by a system message."""
    asked = request.output is not None and request.output.type != "text"
    if request.output is not None and request.output.schema:
        return True, request.output.schema
    for message in request.messages:
        words = message.content
        if message.role in ("system", "developer") and "one JSON object" in words:
            return True, _first_object(words)
    return asked, None


def _first_object(words: str) -> JsonObject | None:
    place = words.find("{")
    if place < 0:
        return None
    try:
        return _DECODER.raw_decode(words, place)[0]
    except ValueError:
        return None


def _shortened(text: str, request: Request) -> tuple[str, str]:
    """The text up to the first stop sequence and the most tokens, and why it ended: "length", a sequence, or ""."""
    found = [(text.index(stop), stop) for stop in request.stop if stop and stop in text]
    ended = ""
    if found:
        place, ended = min(found)
        text = text[:place]
    most = request.max_tokens
    if most is not None and count_tokens(text) > most:
        return "".join(words_of(text)[:most]), "length"
    return text, ended


def _last_words(request: Request) -> str:
    for message in reversed(request.messages):
        words = message.content
        if message.role == "user" and words:
            return words
    return ""


def _last_results(request: Request) -> list[ToolResult]:
    """The results that stand at the end of the conversation, in their order."""
    found: list[ToolResult] = []
    for message in reversed(request.messages):
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        if not results:
            break
        found = results + found
    return found


# -- tools -------------------------------------------------------------------------------------------------------------


def _calls(request: Request) -> tuple[ToolCall, ...]:
    tools = [tool for tool in request.tools if isinstance(tool, ToolDefinition)]
    choice = request.tool_choice
    mode = choice.mode if choice else None
    if not tools or mode == "none" or (_last_results(request) and mode not in ("required", "named")):
        return ()
    if choice and mode == "named":
        tools = [tool for tool in tools if tool.name in choice.names] or tools[:1]
    words = _last_words(request)
    chosen = [tool for tool in tools if re.search(rf"\b{re.escape(tool.name)}\b", words)] or tools[:1]
    if choice and choice.parallel is False:
        chosen = chosen[:1]
    return tuple(call(tool.name, _arguments(tool, words)) for tool in chosen)


def _arguments(tool: ToolDefinition, words: str) -> str:
    """The very text of the JSON object after the tool's name; without one, an instance of the tool's schema."""
    after = re.search(rf"\b{re.escape(tool.name)}\b\s*(?:with|:)?\s*", words)
    if after and words[after.end() : after.end() + 1] == "{":
        try:
            _, end = _DECODER.raw_decode(words, after.end())
        except ValueError:
            pass
        else:
            return words[after.end() : end]
    made = instance_of(tool.input_schema or {"type": "object"})
    return msgspec.json.encode(cast("JsonObject", made) if isinstance(made, dict) else {}).decode()
