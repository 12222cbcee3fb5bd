"""Responses ↔ the response object.

Members that repeat the request, frame the object or are null are a note of form (`:echo`); what else no field holds is
a member of the extras. All items are one message of the one choice.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from dragoman.dialects.contract import EncodedBody
from dragoman.dialects.openai_responses.errors import error_in_answer
from dragoman.dialects.openai_responses.finish import decode_finish, encode_finish
from dragoman.dialects.openai_responses.fitting import Fit
from dragoman.dialects.openai_responses.item_reading import as_run
from dragoman.dialects.openai_responses.item_writing import ItemWriter
from dragoman.dialects.openai_responses.items import decode_item
from dragoman.dialects.openai_responses.usage import decode_usage, encode_usage
from dragoman.dialects.openai_responses.wire import ABSENT, ECHO, NAME, OUTPUT_TEXT, members, notes
from dragoman.dialects.reading import number, object_of, objects_in, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, Choice, MessageRole, Response, Target, Usage, replace
from dragoman.values.messages import message_of

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Request
    from dragoman.values.parts import Part

__all__ = ["decode_frame", "decode_response", "encode_response", "new_id", "unsaid"]

_ECHOED = frozenset(
    {
        "background",
        "completed_at",
        "error",
        "frequency_penalty",
        "incomplete_details",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "object",
        "output_text",
        "parallel_tool_calls",
        "presence_penalty",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "status",
        "store",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    }
)
_FIELDS = frozenset({"id", "model", "created_at", "output", "usage", "service_tier"})
_UNSAID: JsonObject = {
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
}


def decode_response(body: Any, target: Target) -> Response:
    """A whole answer. A failed one raises `ProviderError` with what was answered in `partial`."""
    wire = object_of(body, "response")
    if not isinstance(wire.get("output"), list) and wire.get("error") is None:
        raise ProtocolViolation(f"output should be a list, and is {wire.get('output')!r:.80}", path="output")
    parts: tuple[Part, ...] = tuple(
        as_run(part, target)
        for index, item in enumerate(objects_in(wire, "output"))
        for part in decode_item(item, f"output[{index}]", target.issuer)
    )
    response = decode_frame(wire, parts, target)
    if wire.get("error") is not None or wire.get("status") == "failed":
        raise error_in_answer(wire, response, target)
    return response


def decode_frame(wire: JsonObject, parts: tuple[Part, ...], target: Target) -> Response:
    """The answer that `wire` frames, made of `parts`."""
    message = message_of(MessageRole.ASSISTANT, parts)
    usage = None if wire.get("usage") is None else object_of(wire["usage"], "usage")
    created = number(wire, "created_at")
    own = {
        name: value for name, value in wire.items() if name not in _FIELDS and name not in _ECHOED and value is not None
    }
    echo = {name: value for name, value in wire.items() if name not in own and (name not in _FIELDS or value is None)}
    if type(created) is float:
        echo["created_at"] = created
    if "model" not in wire:
        own[ABSENT] = ["model"]
    if echo.get("output_text") == message.content:
        del echo["output_text"]
        own[OUTPUT_TEXT] = True
    own[ECHO] = echo
    return Response(
        id=text(wire, "id"),
        model=text(wire, "model") or target.model,
        provider=target.provider,
        dialect=NAME,
        created=None if created is None else int(created),
        choices=(
            Choice(
                message=message,
                finish=decode_finish(text(wire, "status"), wire.get("incomplete_details"), message),
            ),
        ),
        usage=Usage() if usage is None else decode_usage(usage, wire.get("tool_usage")),
        service_tier=text(wire, "service_tier"),
        extras={NAME: own},
    )


# -- writing -----------------------------------------------------------------------------------------------------------


def new_id() -> str:
    """An id for an answer that has none."""
    return f"resp_{uuid4().hex}"


def unsaid(request: Request | None = None) -> JsonObject:
    """What every response object has and an answer from elsewhere does not tell; from the request where it says so."""
    if request is None:
        return dict(_UNSAID)
    said = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "metadata": request.metadata,
        "max_output_tokens": request.max_tokens,
        "previous_response_id": request.previous_response_id,
    }
    return _UNSAID | {name: value for name, value in said.items() if value is not None}


def encode_response(response: Response, target: Target) -> EncodedBody:
    """The response object for a client of ours, complete whoever answered."""
    log = AdaptationLog()
    if response.id is None and ECHO not in notes(response.extras):
        response = replace(response, id=new_id())
    fit = Fit(target, log, "client")
    choice = response.choices[0] if response.choices else Choice()
    for other in response.choices[1:]:
        log.dropped(f"choices[{other.index}]", "a response holds one answer")
    writer = ItemWriter(fit, seed=response.id or "")
    log.foreign_extras(choice.extras, NAME, "choices[0]")
    log.foreign_extras(choice.message.extras, NAME, "choices[0].message")
    items = writer.items(choice.message.parts, "choices[0].message.parts")
    return EncodedBody(body=_frame(response, items, log), adaptations=log.entries())


def _frame(response: Response, items: list[JsonObject], log: AdaptationLog) -> JsonObject:
    """The response object around `items`."""
    choice = response.choices[0] if response.choices else Choice()
    own = notes(response.extras)
    log.foreign_extras(response.extras, NAME, "")
    echo: JsonObject | None = own.get(ECHO)
    body: JsonObject = {"id": response.id, "object": "response"}
    if echo is None:
        body |= _UNSAID
        if choice.finish is None:
            log.defaulted("choices[0].finish", "the wire requires a status", "completed")
    else:
        body = {"id": response.id} if response.id is not None else {}
        body |= echo
    body |= members(response.extras)
    _write_created(response, body, echo)
    _write_status(choice, body, echo, log)
    if "model" not in own.get(ABSENT, ()) and "model" not in (echo or ()):
        body["model"] = response.model
    body["output"] = items
    if OUTPUT_TEXT in own:
        body["output_text"] = choice.message.content
    if response.usage:
        body["usage"] = encode_usage(response.usage)
    elif echo is None:
        body["usage"] = None
    if response.service_tier is not None:
        body["service_tier"] = response.service_tier
    return body


def _write_created(response: Response, body: JsonObject, echo: JsonObject | None) -> None:
    if echo is not None and echo.get("created_at") is not None and int(echo["created_at"]) == response.created:
        return
    if response.created is not None:
        body["created_at"] = response.created
    elif echo is None:
        body["created_at"] = int(time.time())


def _write_status(choice: Choice, body: JsonObject, echo: JsonObject | None, log: AdaptationLog) -> None:
    """The status: as it came, while it still says why the answer ended; a reason that no status tells is recorded."""
    if (
        echo is not None
        and decode_finish(echo.get("status"), echo.get("incomplete_details"), choice.message) == choice.finish
    ):
        return
    wire = encode_finish(choice.finish)
    body |= wire
    if choice.finish is not None and choice.finish.reason != "stop":
        said = decode_finish(wire["status"], wire["incomplete_details"], choice.message)
        if said is not None and said.reason != choice.finish.reason:
            log.substituted("choices[0].finish.reason", "no status says so", choice.finish.reason, wire["status"])
