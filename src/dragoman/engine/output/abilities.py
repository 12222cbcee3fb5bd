"""What a target can do about the form of an answer: as its dialect's vendor does it, and by the host's quirks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from dragoman.values import Quirks

__all__ = ["Abilities", "abilities_of", "with_schema"]


class Abilities(msgspec.Struct, frozen=True, kw_only=True):
    """`schema`: the target follows a JSON Schema itself; `schema_beside_tools`: also when tools are offered.

    `json_object`: it can be held to JSON without a schema. `forced_tool`: it can be made to call a tool;
    `forced_while_thinking`: also with thinking asked for.
    """

    schema: bool = True
    schema_beside_tools: bool = True
    json_object: bool = True
    forced_tool: bool = True
    forced_while_thinking: bool = True


_OF_DIALECT: Final[dict[str, tuple[str, Abilities]]] = {
    "openai-chat": ("chat", Abilities()),
    "openai-responses": ("responses", Abilities()),
    # platform.claude.com/docs, extended thinking: a tool may not be forced while thinking is on.
    "anthropic": ("anthropic", Abilities(json_object=False, forced_while_thinking=False)),
    # ai.google.dev: function calling with the response type JSON is refused by all models before Gemini 3.
    "gemini": ("gemini", Abilities(schema_beside_tools=False)),
    "bedrock": ("bedrock", Abilities(schema=False, json_object=False, forced_while_thinking=False)),
    # docs.cohere.com, structured outputs: JSON mode is not supported together with tools or documents.
    "cohere": ("cohere", Abilities(schema_beside_tools=False)),
    # docs.ollama.com: `format` takes a schema; there is no choice among tools.
    "ollama": ("ollama", Abilities(forced_tool=False)),
}
"""Per dialect: the name of its quirks, and what its vendor can do."""

_MEMBER: Final = {"openai-chat": "response_format", "openai-responses": "text"}


def abilities_of(dialect: str, quirks: Quirks) -> Abilities:
    """What the target can do. A quirk named as an ability rules; `schema_output` of older rows means `schema`."""
    name, vendor = _OF_DIALECT.get(dialect, ("", Abilities(schema=False, json_object=False)))
    own: Any = getattr(quirks, name, None)
    told: dict[str, bool] = {}
    for ability in Abilities.__struct_fields__:
        value = getattr(own, ability, None)
        if isinstance(value, bool):
            told[ability] = value
    schema_output: Any = getattr(own, "schema_output", None)
    if isinstance(schema_output, bool):
        told["schema"] = schema_output
    elif isinstance(schema_output, str):
        told["schema"] = schema_output == "json_schema"
        told["json_object"] = schema_output != "none"
    if getattr(own, "schema_by_some", False):
        told["schema"] = False
    if _MEMBER.get(dialect) in getattr(own, "refused", ()):
        told["schema"] = told["json_object"] = False
    if "tool_choice" in getattr(own, "refused", ()):
        told["forced_tool"] = False
    return msgspec.structs.replace(vendor, **told) if told else vendor


def with_schema(dialect: str, quirks: Quirks) -> Quirks:
    """The quirks with schema output switched on, where a caller says that the model has it and the row does not."""
    name, _ = _OF_DIALECT.get(dialect, ("", None))
    own: Any = getattr(quirks, name, None)
    changes: dict[str, Any] = {}
    schema_output: Any = getattr(own, "schema_output", None)
    if isinstance(schema_output, bool):
        changes["schema_output"] = True
    elif isinstance(schema_output, str):
        changes["schema_output"] = "json_schema"
    member = _MEMBER.get(dialect)
    refused: tuple[str, ...] = getattr(own, "refused", ())
    if member in refused:
        changes["refused"] = tuple(word for word in refused if word != member)
    if all(getattr(own, field) == value for field, value in changes.items()):
        return quirks
    return msgspec.structs.replace(quirks, **{name: msgspec.structs.replace(own, **changes)})
