"""What the schemas of each target may say, as data."""

from __future__ import annotations

from typing import Final

import msgspec

from dragoman.values import Quirks

__all__ = ["ANY_ROOT", "AS_IS", "OBJECT_ROOT", "SchemaRules", "rules_for"]


class SchemaRules(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on schemas; the defaults are none.

    `object_root`: the whole is an object. `closed`: objects say `additionalProperties: false`, and cannot be maps.
    `all_required`: every property is required; those that were not may be null instead. `references`: `$ref` is taken;
    `lone_references`: nothing may stand beside it; `recursive`: a schema may lead back to itself. `const`, `one_of`,
    `all_of`, `type_lists`: these forms are taken (else said as enum, anyOf, one merged schema, anyOf).
    `typed_values`: enumerations name the type of their values.
    `refused` are keywords that are not taken; `formats` the formats of texts that are (None: all). `least_items`: the
    largest `minItems` (None: any). What is taken out is told to the model in the description beside it.
    """

    object_root: bool = False
    closed: bool = False
    all_required: bool = False
    references: bool = True
    lone_references: bool = False
    recursive: bool = True
    const: bool = True
    one_of: bool = True
    all_of: bool = True
    type_lists: bool = True
    typed_values: bool = False
    refused: frozenset[str] = frozenset()
    formats: frozenset[str] | None = None
    least_items: int | None = None


_CONDITIONS = (
    "not if then else dependentRequired dependentSchemas dependencies patternProperties propertyNames contains"
)
_UNEVALUATED = "minContains maxContains unevaluatedItems unevaluatedProperties minProperties maxProperties uniqueItems"
_RARE = frozenset(f"{_CONDITIONS} {_UNEVALUATED}".split())
_NOTES = frozenset("default examples deprecated readOnly writeOnly discriminator $comment $schema $id".split())
_FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split())
_TEXT_BOUNDS = frozenset(("minLength", "maxLength"))
_NUMBER_BOUNDS = frozenset("minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split())

AS_IS: Final = SchemaRules()
OBJECT_ROOT: Final = SchemaRules(object_root=True)
ANY_ROOT: Final = AS_IS

_OPENAI: Final = SchemaRules(  # platform.openai.com/docs/guides/structured-outputs, supported schemas
    object_root=True,
    closed=True,
    all_required=True,
    lone_references=True,
    one_of=False,
    all_of=False,
    typed_values=True,
    refused=_RARE | _NOTES | _TEXT_BOUNDS | {"prefixItems"},
    formats=_FORMATS,
)
_ANTHROPIC: Final = SchemaRules(  # platform.claude.com/docs, structured outputs, JSON Schema limitations
    object_root=True,
    closed=True,
    lone_references=True,
    recursive=False,
    one_of=False,
    all_of=False,
    typed_values=True,
    refused=_RARE | (_NOTES - {"default"}) | _TEXT_BOUNDS | _NUMBER_BOUNDS | {"prefixItems", "maxItems"},
    formats=_FORMATS | {"uri"},
    least_items=1,
)
_GEMINI: Final = SchemaRules(  # ai.google.dev/gemini-api/docs/structured-output, JSON Schema support
    lone_references=True,
    const=False,
    all_of=False,
    typed_values=True,
    one_of=False,
    refused=_RARE | _NOTES | _TEXT_BOUNDS | {"pattern", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    formats=frozenset(("date-time", "date", "time", "duration")),
)
_COHERE: Final = SchemaRules(  # docs.cohere.com/docs/structured-outputs, parameter types support
    object_root=True,
    lone_references=True,
    one_of=False,
    all_of=False,
    typed_values=True,
    refused=_RARE | _NOTES | _TEXT_BOUNDS | _NUMBER_BOUNDS | {"prefixItems", "maxItems"},
    formats=frozenset(("date-time", "uuid", "date", "time")),
    least_items=1,
)

_PLAIN: Final = Quirks()
_STRICT: Final = {"openai-chat": _OPENAI, "openai-responses": _OPENAI, "anthropic": _ANTHROPIC, "bedrock": _ANTHROPIC}
_ALWAYS: Final = {"anthropic": _ANTHROPIC, "gemini": _GEMINI, "cohere": _COHERE, "bedrock": _ANTHROPIC}
_PLAIN_ROOT: Final = {"ollama": ANY_ROOT}


def rules_for(dialect: str, *, strict: bool, quirks: Quirks = _PLAIN) -> SchemaRules:
    """The rules for the schema of an answer. Wires that tell strict schemas from others have rules for both."""
    if strict and dialect in _STRICT and not _takes_all(dialect, quirks):
        return _STRICT[dialect]
    return _ALWAYS.get(dialect) or _PLAIN_ROOT.get(dialect, OBJECT_ROOT)


def _takes_all(dialect: str, quirks: Quirks) -> bool:
    """Whether the host follows strict schemas with whatever keywords."""
    own = {"openai-chat": quirks.chat, "openai-responses": quirks.responses}.get(dialect)
    return own is not None and own.schema_keywords == "all"
