"""The base of every value: frozen, compared by content, one JSON form, usable as a field of a pydantic model."""

from __future__ import annotations

from typing import Any, cast

import msgspec

__all__ = ["Extras", "JsonObject", "Value"]

JsonObject = dict[str, Any]
"""A JSON object as `msgspec.json.decode` gives it: never mutated once it is inside a value."""

Extras = dict[str, dict[str, Any]]
"""What one dialect alone can say, keyed by the dialect's name.

The inner mapping holds members of the wire object that no field of the value holds, under their own names, and notes
about the form the wire had, under names that begin with ":" (for example `":content": "string"`). An encoder of the
same dialect writes the members back and honours the notes; an encoder of another dialect records each member (not the
notes) as dropped.
"""


class Value(msgspec.Struct, frozen=True, omit_defaults=True, repr_omit_defaults=True, forbid_unknown_fields=True):
    """Base of all values. Build a changed copy with `replace(value, field=…)`."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        """Lets pydantic models have values as fields: an instance passes, an object in the JSON form is converted."""
        from pydantic_core import core_schema

        def convert(data: Any) -> Any:
            if isinstance(data, cls):
                return data
            try:
                return msgspec.convert(data, cls)
            except msgspec.ValidationError as error:
                raise ValueError(str(error)) from None

        return core_schema.no_info_plain_validator_function(
            convert, serialization=core_schema.plain_serializer_function_ser_schema(msgspec.to_builtins)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: Any) -> Any:
        # References would point into the schema of the model around this field, which lacks our definitions.
        (schema,), definitions = msgspec.json.schema_components([cls], ref_template="{name}")
        return _inlined(schema, definitions)


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema with each reference replaced by what it names; values never hold themselves, so this ends."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    members = cast("dict[str, Any]", schema)
    if "$ref" in members:
        return _inlined(definitions[members["$ref"]], definitions)
    return {name: _inlined(item, definitions) for name, item in members.items() if name != "discriminator"}
