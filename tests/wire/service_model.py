"""AWS's description of a service (botocore's form), rewritten as the schemas of an OpenAPI document."""

from __future__ import annotations

from typing import Any

__all__ = ["service_schemas"]

_Shape = dict[str, Any]
_TYPES = {
    "string": "string",
    "blob": "string",
    "timestamp": "string",
    "boolean": "boolean",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
}


def service_schemas(model: dict[str, Any]) -> dict[str, Any]:
    """The shapes as schemas. A union has exactly one member; members that travel in the address are left out."""
    shapes: dict[str, _Shape] = model["shapes"]
    return {"components": {"schemas": {name: _schema(shape) for name, shape in shapes.items()}}}


def _schema(shape: _Shape) -> dict[str, Any]:
    kind = shape["type"]
    if kind == "structure":
        return {} if shape.get("document") else _structure(shape)
    if kind == "list":
        limits = {new: shape[old] for old, new in (("min", "minItems"), ("max", "maxItems")) if old in shape}
        return {"type": "array", "items": _reference(shape["member"]), **limits}
    if kind == "map":
        return {"type": "object", "additionalProperties": _reference(shape["value"])}
    schema: dict[str, Any] = {"type": _TYPES[kind]}
    names = ("minLength", "maxLength") if schema["type"] == "string" else ("minimum", "maximum")
    for old, new in zip(("min", "max"), names, strict=True):
        if old in shape and kind != "blob":
            schema[new] = shape[old]
    if "enum" in shape:
        schema["enum"] = shape["enum"]
    if "pattern" in shape:
        schema["pattern"] = f"^(?:{shape['pattern']})$"
    return schema


def _structure(shape: _Shape) -> dict[str, Any]:
    members = {name: _reference(member) for name, member in shape["members"].items() if member.get("location") is None}
    if shape.get("union"):
        return {"oneOf": [_closed({name: schema}, [name]) for name, schema in members.items()]}
    return _closed(members, [name for name in shape.get("required", ()) if name in members])


def _closed(members: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": required, "additionalProperties": False}


def _reference(member: _Shape) -> dict[str, Any]:
    return {"$ref": f"#/{member['shape']}"}
