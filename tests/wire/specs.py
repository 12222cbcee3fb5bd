"""A judge of request bodies by the providers' own API descriptions (../shared/specs, or where DRAGOMAN_SPECS says).

The descriptions are read as closed: a member that an object's schema does not name is a fault, unless the schema is
free-form (no members named, or `additionalProperties`). Google's description marks what is required in prose alone
("Required. …"), so that prose counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import msgspec

from tests.wire.cohere_shapes import cohere_schemas
from tests.wire.service_model import service_schemas

__all__ = ["Spec", "answer_problems", "mistral_spec", "require_specs", "spec_for", "specs_folder"]

Schema = dict[str, Any]
_FREE: Schema = {}
_TAG_MISMATCH = 100


class Spec:
    """One API description. `problems(name, value)` judges a value by the schema of that name."""

    def __init__(self, document: dict[str, Any], *, prose_required: bool = False) -> None:
        self._answers = False
        self._schemas: dict[str, Schema] = document["components"]["schemas"]
        self._prose_required = prose_required
        self._merged: dict[int, Schema] = {}
        self._kept: list[Schema] = []

    def problems(self, name: str, value: Any, *, answer: bool = False) -> list[str]:
        """What is wrong with the value, each with its path; nothing when it is right.

        In an answer, a member that may be null may be left out: the vendors' own answers leave such members out.
        """
        self._answers = answer
        return list(self._judge(self._schemas[name], value, ""))

    # -- schemas -------------------------------------------------------------------------------------------------------

    def _resolved(self, schema: Schema) -> Schema:
        """The schema behind references, with `allOf` merged into it."""
        known = self._merged.get(id(schema))
        if known is not None:
            return known
        result = self._merge(schema)
        self._merged[id(schema)] = result
        self._kept.append(schema)  # keeps the id from being given to another schema
        return result

    def _merge(self, schema: Schema) -> Schema:
        if "$ref" in schema:
            return self._resolved(self._schemas[schema["$ref"].rpartition("/")[2]])
        if "allOf" not in schema:
            return schema
        merged: Schema = {name: value for name, value in schema.items() if name != "allOf"}
        merged["properties"] = dict(schema.get("properties", {}))
        merged["required"] = list(schema.get("required", ()))
        unions: list[Schema] = []
        for part in (self._resolved(item) for item in schema["allOf"]):
            merged["properties"] |= part.get("properties", {})
            merged["required"] += part.get("required", ())
            if "anyOf" in part or "oneOf" in part:
                unions.append(part)
            for name in ("type", "enum", "const", "additionalProperties"):
                if name in part:
                    merged.setdefault(name, part[name])
        if unions and not merged["properties"]:
            return unions[0]
        return merged

    # -- judging -------------------------------------------------------------------------------------------------------

    def _judge(self, schema: Schema, value: Any, path: str) -> Iterator[str]:
        schema = self._resolved(schema)
        if value is None and (schema.get("nullable") or not schema):
            return
        branches = schema.get("oneOf") or schema.get("anyOf")
        if isinstance(branches, list):
            yield from self._judge_union(schema, cast("list[Schema]", branches), value, path)
            return
        if "const" in schema and value != schema["const"]:
            yield f"{path}: {value!r:.80} should be {schema['const']!r}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{path}: {value!r:.80} is none of {schema['enum']!r:.200}"
        else:
            yield from self._judge_type(schema, value, path)

    def _judge_type(self, schema: Schema, value: Any, path: str) -> Iterator[str]:
        kinds = schema.get("type")
        if kinds is None:
            kinds = "object" if schema.get("properties") else None
        if kinds is None:
            return
        kinds = cast("list[str]", kinds) if isinstance(kinds, list) else [cast("str", kinds)]
        if not any(_is(kind, value, schema.get("format")) for kind in kinds):
            yield f"{path}: {value!r:.80} should be {' or '.join(kinds)}"
        elif isinstance(value, dict):
            yield from self._judge_object(schema, cast("dict[str, Any]", value), path)
        elif isinstance(value, list):
            yield from self._judge_list(schema, cast("list[Any]", value), path)
        else:
            yield from _limits(schema, value, path)

    def _judge_union(self, schema: Schema, branches: list[Schema], value: Any, path: str) -> Iterator[str]:
        chosen = self._discriminated(schema, value)
        if chosen is not None:
            yield from self._judge(chosen, value, path)
            return
        best: list[str] | None = None
        best_weight = 0
        for branch in branches:
            mismatch = self._tag_mismatch(branch, value)
            problems = [f"{path}: {mismatch}"] if mismatch else list(self._judge(branch, value, path))
            if not problems:
                return
            weight = len(problems) + (_TAG_MISMATCH if mismatch else 0)
            if best is None or weight < best_weight:
                best, best_weight = problems, weight
        yield from best or ()

    def _discriminated(self, schema: Schema, value: Any) -> Schema | None:
        discriminator = schema.get("discriminator")
        if not discriminator or not isinstance(value, dict) or "mapping" not in discriminator:
            return None
        tag = cast("dict[str, Any]", value).get(discriminator["propertyName"])
        reference = discriminator["mapping"].get(tag) if isinstance(tag, str) else None
        return {"$ref": reference} if reference else None

    def _tag_mismatch(self, branch: Schema, value: Any) -> str | None:
        """Why the value cannot be this branch: it is of another type, or of another tag."""
        resolved = self._resolved(branch)
        kind = resolved.get("type")
        if isinstance(kind, str) and not _is(kind, value, resolved.get("format")):
            return f"{value!r:.80} should be {kind}"
        if not isinstance(value, dict):
            return None
        members = cast("dict[str, Any]", value)
        for name, member in resolved.get("properties", {}).items():
            told = self._resolved(member)
            allowed = [told["const"]] if "const" in told else told.get("enum", ())
            if len(allowed) == 1 and name in members and members[name] != allowed[0]:
                return f"{name} {members[name]!r:.60} is not {allowed[0]!r}"
        return None

    def _judge_object(self, schema: Schema, value: dict[str, Any], path: str) -> Iterator[str]:
        properties = cast("dict[str, Schema]", schema.get("properties", {}))
        others: Any = schema.get("additionalProperties")
        if others is None:
            others = not properties
        for name, member in value.items():
            where = f"{path}.{name}"
            if name in properties:
                yield from self._judge(properties[name], member, where)
            elif others is False:
                yield f"{where}: unknown to the description"
            elif isinstance(others, dict):
                yield from self._judge(cast("Schema", others), member, where)
        for name in self._required(schema, properties):
            if name not in value and not (self._answers and self._may_be_null(properties.get(name, _FREE))):
                yield f"{path}.{name}: required, and missing"

    def _may_be_null(self, schema: Schema) -> bool:
        return not any(self._judge(schema, None, ""))

    def _required(self, schema: Schema, properties: dict[str, Schema]) -> Iterator[str]:
        yield from schema.get("required", ())
        if self._prose_required:
            for name, member in properties.items():
                if member.get("description", "").startswith("Required.") and name not in _NOT_ENFORCED:
                    yield name

    def _judge_list(self, schema: Schema, value: list[Any], path: str) -> Iterator[str]:
        for index, item in enumerate(value):
            yield from self._judge(schema.get("items", _FREE), item, f"{path}[{index}]")
        if len(value) > schema.get("maxItems", len(value)):
            yield f"{path}: {len(value)} items, and at most {schema['maxItems']} are taken"
        if len(value) < schema.get("minItems", 0):
            yield f"{path}: {len(value)} items, and at least {schema['minItems']} are wanted"


_NOT_ENFORCED = frozenset(
    {
        "model",  # said in the path of a Gemini request
        "description",  # "Required." of a function, and left out by recorded requests that were answered
    }
)


def _is(kind: str, value: Any, form: str | None) -> bool:
    if kind == "null":
        return value is None
    if kind == "string":
        # Protobuf JSON writes 64-bit integers as text and reads numbers too.
        return isinstance(value, str) or (form == "int64" and _is("integer", value, None))
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, float) and value.is_integer()
        )
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, list if kind == "array" else dict)


def _limits(schema: Schema, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) > schema.get("maxLength", len(value)):
            yield f"{path}: {len(value)} characters, and at most {schema['maxLength']} are taken"
        if len(value) < schema.get("minLength", 0):
            yield f"{path}: {len(value)} characters, and at least {schema['minLength']} are wanted"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{path}: {value!r:.80} does not match {schema['pattern']!r}"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if value > schema.get("maximum", value):
            yield f"{path}: {value} is above {schema['maximum']}"
        if value < schema.get("minimum", value):
            yield f"{path}: {value} is below {schema['minimum']}"


# -- the descriptions of our dialects ----------------------------------------------------------------------------------

_FILE_OF = {
    "openai-chat": ("openai.openapi.json", "CreateChatCompletionRequest"),
    "openai-responses": ("openai.openapi.json", "CreateResponse"),
    "anthropic": ("anthropic.openapi.json", "CreateMessageParams"),
    "anthropic-beta": ("anthropic.openapi.json", "BetaCreateMessageParams"),
    "gemini": ("google-gemini.openapi.json", "GenerateContentRequest"),
    "ollama": ("ollama.openapi.json", "ChatRequest"),
    "cohere": ("cohere", "ChatRequest"),
    "bedrock": ("bedrock-runtime.service-2.json", "ConverseStreamRequest"),
}


_TEXT: Schema = {"type": "string"}
_IN_PROSE: dict[str, dict[str, Schema]] = {
    "ollama.openapi.json": {
        # The prose reference has thinking and tool_name; the ids are recorded, and are in the server's own types.
        "ChatMessage": {"thinking": _TEXT, "tool_name": _TEXT, "tool_call_id": _TEXT},
        "ToolCall": {"id": _TEXT},
    }
}
"""What a vendor's description leaves out and its prose has."""


def specs_folder() -> Path:
    """Where the descriptions are, or would be."""
    named = os.environ.get("DRAGOMAN_SPECS")
    return Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared" / "specs"


def require_specs() -> None:
    """Skips the calling test module, with the reason, where there are no descriptions."""
    if not specs_folder().is_dir():
        import pytest

        pytest.skip(
            "the providers' API descriptions are not here (../shared/specs, or set DRAGOMAN_SPECS)",
            allow_module_level=True,
        )


@cache
def _read(file: str) -> Spec:
    if file == "cohere":
        return Spec(cohere_schemas())
    document: Any = msgspec.json.decode((specs_folder() / file).read_bytes())
    if file.endswith(".service-2.json"):
        document = service_schemas(document)
    for name, members in _IN_PROSE.get(file, {}).items():
        document["components"]["schemas"][name]["properties"].update(members)
    return Spec(document, prose_required=file.startswith("google"))


_ANSWER_OF = {
    "openai-chat": "CreateChatCompletionResponse",
    "openai-responses": "Response",
    "anthropic": "BetaMessage",
    "gemini": "GenerateContentResponse",
    "ollama": "ChatResponse",
    "cohere": "ChatResponse",
    "bedrock": "ConverseResponse",
}


def answer_problems(dialect: str, body: Any) -> list[str]:
    """What is wrong with an unstreamed answer, by the dialect's description."""
    return _read(_FILE_OF[dialect][0]).problems(_ANSWER_OF[dialect], body, answer=True)


def mistral_spec() -> Spec:
    """The description of Mistral's API, which speaks the chat dialect in a form of its own."""
    return _read("mistral.openapi.json")


def spec_for(dialect: str) -> tuple[Spec, str]:
    """The description that holds a dialect's request, and the name of the request's schema in it."""
    file, name = _FILE_OF[dialect]
    return _read(file), name
