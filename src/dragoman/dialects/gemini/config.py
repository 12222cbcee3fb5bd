"""`generationConfig` ↔ the settings of a request.

What no field holds (speechConfig, imageConfig, mediaResolution, routingConfig …) stays under `generationConfig` in the
request's extras, and the notes of the object's form under ":generationConfig"; its mere presence is such a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.gemini.members import NAME, own, read, shape, write
from dragoman.dialects.gemini.schemas import from_json_schema, to_json_schema
from dragoman.dialects.gemini.thinking import read_thinking, write_thinking
from dragoman.dialects.gemini.words import ASKED_MODALITIES, word
from dragoman.dialects.reading import boolean, integer, number, object_of
from dragoman.errors import ProtocolViolation
from dragoman.values import OutputFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import AdaptationLog, JsonObject, Request, Target

__all__ = ["read_config", "write_config"]

_PATH = "generationConfig"
_NUMBERS: tuple[tuple[str, str, Callable[[JsonObject, str, str], Any]], ...] = (
    ("maxOutputTokens", "max_tokens", integer),
    ("temperature", "temperature", number),
    ("topP", "top_p", number),
    ("topK", "top_k", integer),
    ("seed", "seed", integer),
    ("presencePenalty", "presence_penalty", number),
    ("frequencyPenalty", "frequency_penalty", number),
    ("responseLogprobs", "logprobs", boolean),
    ("logprobs", "top_logprobs", integer),
    ("candidateCount", "choices", integer),
)
"""Wire member, field, and how it is read."""

_OUTPUT = ("responseMimeType", "responseSchema", "responseJsonSchema", "responseFormat")
_CONFIG = shape(*(row[0] for row in _NUMBERS), "stopSequences", "responseModalities", "thinkingConfig", *_OUTPUT)
_FIELD_OF = (
    {row[0]: row[1] for row in _NUMBERS}
    | {
        "stopSequences": "stop",
        "responseModalities": "modalities",
        "thinkingConfig": "reasoning",
    }
    | dict.fromkeys(_OUTPUT, "output")
)

_JSON = "application/json"
_MOST_STOPS = 5
_SEED_BITS = 31


def read_config(wire: JsonObject) -> tuple[JsonObject, JsonObject, JsonObject]:
    """The request's fields, and the members and the notes that go to its extras."""
    found, rest, notes = read(wire, _CONFIG, _PATH)
    fields: JsonObject = {}
    for name, field, reader in _NUMBERS:
        value = reader(found, name, _PATH)
        if value is not None:
            fields[field] = value
            if type(found[name]) is not type(value):
                notes[f":{name}"] = found[name]
    _read_lists(found, fields, rest, notes)
    if "thinkingConfig" in found:
        where = f"{_PATH}.thinkingConfig"
        fields["reasoning"] = read_thinking(object_of(found["thinkingConfig"], where), where)
    told = {name: found[name] for name in _OUTPUT if name in found}
    if told:
        output = _read_output(told)
        if output is None:
            rest.update(told)
        else:
            fields["output"] = output
    if not rest and not fields:
        notes.setdefault(":empty", True)
    return fields, rest, notes


def _read_lists(found: JsonObject, fields: JsonObject, rest: JsonObject, notes: JsonObject) -> None:
    for name, field in (("stopSequences", "stop"), ("responseModalities", "modalities")):
        if name not in found:
            continue
        words = _words(found[name], f"{_PATH}.{name}", numbers=field == "modalities")
        if not words:
            rest[name] = found[name]  # an empty tuple is "not asked for"
        elif field == "stop":
            fields[field] = words
        else:
            fields[field] = tuple(item.lower() for item in words)
            if found[name] != [item.upper() for item in words]:
                notes[f":{name}"] = found[name]


def _words(value: Any, path: str, *, numbers: bool) -> tuple[str, ...]:
    items: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
    if numbers and isinstance(value, list) and all(type(item) is int for item in items):
        return tuple(
            ASKED_MODALITIES.get(item, str(item)) for item in items
        )  # the numbers themselves are kept by a note
    if not isinstance(value, list) or not all(isinstance(item, str) for item in items):
        raise ProtocolViolation(f"{path} should be a list of text: {value!r:.80}", path=path)
    return tuple(items)


def _read_output(told: JsonObject) -> OutputFormat | None:
    """The form of the answer; None for one that only this wire has (enums, audio and image formats)."""
    kept = {NAME: {":wire": told}}
    mime: Any = told.get("responseMimeType")
    if "responseFormat" in told:
        return _read_format(told, kept)
    schema: Any = told.get("responseJsonSchema")
    if schema is None and isinstance(told.get("responseSchema"), dict):
        schema = to_json_schema(told["responseSchema"], f"{_PATH}.responseSchema")
    if isinstance(schema, dict) and mime in (None, _JSON):
        return OutputFormat(type="json_schema", schema=cast("JsonObject", schema), extras=kept)
    if len(told) == 1 and mime == _JSON:
        return OutputFormat(type="json_object", extras=kept)
    if len(told) == 1 and mime == "text/plain":
        return OutputFormat(type="text", extras=kept)
    return None


def _read_format(told: JsonObject, kept: dict[str, JsonObject]) -> OutputFormat | None:
    """`responseFormat`, where it asks for JSON text and for nothing else."""
    form = _object_or_none(told["responseFormat"])
    text = _object_or_none(form.get("text")) if form is not None else None
    if len(told) > 1 or form is None or text is None or len(form) > 1 or set(text) - {"mimeType", "schema"}:
        return None
    if text.get("mimeType") != "APPLICATION_JSON":
        return None
    if "schema" not in text:
        return OutputFormat(type="json_object", extras=kept)
    schema = _object_or_none(text["schema"])
    return None if schema is None else OutputFormat(type="json_schema", schema=schema, extras=kept)


def _object_or_none(value: Any) -> JsonObject | None:
    return cast("JsonObject", value) if isinstance(value, dict) else None


# -- writing -----------------------------------------------------------------------------------------------------------


def write_config(request: Request, target: Target, log: AdaptationLog) -> JsonObject | None:
    """`generationConfig`; None where there is nothing to say."""
    extras = own(request.extras)
    rest: JsonObject | None = extras.get(_PATH)
    notes: JsonObject = extras.get(f":{_PATH}", {})
    members: JsonObject = {}
    for name, field, _ in _NUMBERS:
        value = getattr(request, field)
        if value is not None:
            original = notes.get(f":{name}")
            members[name] = value if original is None or original != value else original
    if request.seed is not None and not -(2**_SEED_BITS) <= request.seed < 2**_SEED_BITS:
        members["seed"] = request.seed % 2**_SEED_BITS
        log.substituted("seed", "seeds have 32 bits here", request.seed, members["seed"])
    _lists(members, request, notes, log)
    if request.reasoning is not None:
        thinking = write_thinking(request.reasoning, target, log)
        if thinking is not None:
            members["thinkingConfig"] = thinking
    if request.output is not None:
        members.update(_write_output(request.output, target, log))
    for name in target.quirks.gemini.refused:
        if name in members:
            del members[name]
            log.dropped(_FIELD_OF[name], "the host refuses it", getattr(request, _FIELD_OF[name]))
        elif rest is not None and name in rest:
            log.dropped(f"extras.{NAME}.{_PATH}.{name}", "the host refuses it", rest[name])
            rest = {other: value for other, value in rest.items() if other != name}
    if not members and not rest and not notes:
        return None
    return write(members, {**(rest or {}), **notes})


def _lists(members: JsonObject, request: Request, notes: JsonObject, log: AdaptationLog) -> None:
    if request.stop:
        stops = list(request.stop)
        if len(stops) > _MOST_STOPS and NAME not in request.extras:
            log.clamped("stop", "at most five are taken", stops, stops[:_MOST_STOPS])
            stops = stops[:_MOST_STOPS]
        members["stopSequences"] = stops
    if request.modalities:
        original = notes.get(":responseModalities")
        if (
            original is not None
            and tuple(word(item, ASKED_MODALITIES, "").lower() for item in original) == request.modalities
        ):
            members["responseModalities"] = original
        else:
            members["responseModalities"] = [name.upper() for name in request.modalities]


def _write_output(output: OutputFormat, target: Target, log: AdaptationLog) -> JsonObject:
    log.foreign_extras(output.extras, NAME, "output")
    original = own(output.extras).get(":wire")
    if original is not None and _read_output(original) == output:
        return original
    if output.description is not None:
        log.dropped("output.description", "a schema has no description beside its own", output.description)
    if output.type == "text":
        return {"responseMimeType": "text/plain"} if original is not None else {}
    members: JsonObject = {"responseMimeType": _JSON}
    if output.schema is None:
        return members
    if target.quirks.gemini.json_schema:
        members["responseJsonSchema"] = output.schema
    else:
        lost: list[str] = []
        members["responseSchema"] = from_json_schema(output.schema, lost)
        for where in lost:
            log.dropped(f"output.schema{where}", "the host's schemas have no such keyword")
    return members
