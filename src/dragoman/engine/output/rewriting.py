"""Rewriting a JSON Schema so that a target takes it.

What is only said otherwise (a reference written out, `const` as an enum) loses nothing; what is taken out is told to
the model in the description beside it, and named with its path, so that the caller learns what is not enforced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

if TYPE_CHECKING:
    from dragoman.engine.output.rules import SchemaRules
    from dragoman.values import JsonObject

__all__ = ["WRAPPED", "Rewritten", "has_maps", "is_object", "rewrite", "wrap"]

WRAPPED = "value"
"""The one property of the object that is put around an answer that is no object."""

_MAPS = frozenset(("properties", "$defs", "definitions", "patternProperties"))
_LISTS = frozenset(("anyOf", "oneOf", "allOf", "prefixItems"))
_ONES = frozenset(("items", "additionalProperties", "not", "contains", "propertyNames"))
_SILENT = frozenset(
    ("$schema", "$id", "$comment", "discriminator", "default", "examples", "deprecated", "readOnly", "writeOnly")
)
"""Keywords that say nothing about what is valid: taking them out loses nothing that is enforced."""
_JSON_NAMES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    list: "array",
    dict: "object",
}


class Rewritten(msgspec.Struct, frozen=True):
    """`schema` as the target takes it; `lost` names keywords that it will not enforce, with their paths."""

    schema: JsonObject
    lost: tuple[str, ...]


def is_object(schema: JsonObject) -> bool:
    """Whether the whole of a schema is an object, a reference at its root followed."""
    seen: set[str] = set()
    found = schema
    while isinstance(found.get("$ref"), str) and found["$ref"] not in seen:
        seen.add(found["$ref"])
        found = resolve(schema, found["$ref"])
    return found.get("type") == "object" or ("properties" in found and "type" not in found)


def wrap(schema: JsonObject) -> JsonObject:
    """An object with the schema as its one property; definitions stay at the root, where references look for them."""
    inner = {name: value for name, value in schema.items() if name not in ("$defs", "definitions", "$schema", "$id")}
    held = {name: schema[name] for name in ("$defs", "definitions") if name in schema}
    return {
        "type": "object",
        "properties": {WRAPPED: inner},
        "required": [WRAPPED],
        "additionalProperties": False,
        **held,
    }


def has_maps(schema: Any) -> bool:
    """Whether objects with properties of any name are asked for, which closed objects cannot say."""
    if isinstance(schema, list):
        return any(has_maps(item) for item in cast("list[Any]", schema))
    if not isinstance(schema, dict):
        return False
    members = cast("JsonObject", schema)
    if isinstance(members.get("additionalProperties"), dict) or members.get("patternProperties"):
        return True
    if (
        members.get("type") == "object"
        and not members.get("properties")
        and members.get("additionalProperties") is not False
    ):
        return True
    return any(
        any(has_maps(item) for item in cast("JsonObject", value).values())
        if name in _MAPS and isinstance(value, dict)
        else has_maps(value)
        for name, value in members.items()
        if name in _MAPS or name in _LISTS or name in _ONES
    )


def resolve(root: JsonObject, reference: str) -> JsonObject:
    """What a reference within the schema names; an empty schema for what leads nowhere."""
    found: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = cast("JsonObject", found).get(name) if isinstance(found, dict) else None
    return cast("JsonObject", found) if isinstance(found, dict) else {}


def rewrite(schema: JsonObject, rules: SchemaRules) -> Rewritten:
    """The schema by these rules; unchanged (and equal) where it keeps them already."""
    rewriter = _Rewriter(schema, rules)
    return Rewritten(rewriter.root(), tuple(dict.fromkeys(rewriter.lost)))


class _Rewriter:
    def __init__(self, root: JsonObject, rules: SchemaRules) -> None:
        self._root = root
        self._rules = rules
        self.lost: list[str] = []

    def root(self) -> JsonObject:
        rules, root = self._rules, self._root
        if rules.object_root and isinstance(root.get("$ref"), str):
            named = resolve(root, root["$ref"])
            root = {**{name: value for name, value in root.items() if name != "$ref"}, **named}
            root = {**root, **{name: self._root[name] for name in ("$defs", "definitions") if name in self._root}}
        written = self._schema(root, "", ())
        if not rules.references or not self._uses_references(written):
            written = {name: value for name, value in written.items() if name not in ("$defs", "definitions")}
        return written

    def _uses_references(self, written: Any) -> bool:
        if isinstance(written, list):
            return any(self._uses_references(item) for item in cast("list[Any]", written))
        if not isinstance(written, dict):
            return False
        members = cast("JsonObject", written)
        return "$ref" in members or any(self._uses_references(value) for value in members.values())

    # -- one schema --------------------------------------------------------------------------------------------------

    def _schema(self, schema: Any, path: str, within: tuple[str, ...]) -> Any:
        if not isinstance(schema, dict):
            return schema
        members = cast("JsonObject", schema)
        reference = members.get("$ref")
        if isinstance(reference, str):
            return self._reference(members, reference, path, within)
        if not self._rules.all_of and isinstance(members.get("allOf"), list):
            members = self._merged(members, path)
        written: JsonObject = {}
        told: list[str] = []
        for name, value in members.items():
            self._keyword(written, told, name, value, path, within)
        if self._rules.typed_values:
            self._typed(written)
        if self._rules.closed:
            self._close(written, path)
        if self._rules.all_required:
            self._require(written)
        if told:
            said = f"({'; '.join(told)})"
            written["description"] = f"{written['description']} {said}" if written.get("description") else said
        return written

    def _keyword(
        self, written: JsonObject, told: list[str], name: str, value: Any, path: str, within: tuple[str, ...]
    ) -> None:
        rules = self._rules
        where = f"{path}.{name}"
        if self._refuses(name, value):
            if name not in _SILENT:
                self.lost.append(where)
                told.append(_said(name, value))
        elif name in _MAPS and isinstance(value, dict):
            written[name] = {
                key: self._schema(item, f"{where}.{key}", within) for key, item in cast("JsonObject", value).items()
            }
        elif name in _LISTS and isinstance(value, list):
            kept = "anyOf" if name == "oneOf" and not rules.one_of else name
            branches = [
                self._schema(item, f"{where}[{index}]", within) for index, item in enumerate(cast("list[Any]", value))
            ]
            held: Any = written.get(kept)
            written[kept] = [*cast("list[Any]", held), *branches] if isinstance(held, list) else branches
        elif name in _ONES and isinstance(value, dict):
            written[name] = self._schema(value, where, within)
        elif name == "const" and not rules.const:
            written["enum"] = [value]
        elif name == "type" and isinstance(value, list) and not rules.type_lists:
            written["anyOf"] = [{"type": kind} for kind in cast("list[Any]", value)]
        else:
            written[name] = value

    def _refuses(self, name: str, value: Any) -> bool:
        rules = self._rules
        if name == "format":
            return rules.formats is not None and not (isinstance(value, str) and value in rules.formats)
        if name == "minItems":
            return rules.least_items is not None and isinstance(value, int) and value > rules.least_items
        return name in rules.refused

    def _reference(self, members: JsonObject, reference: str, path: str, within: tuple[str, ...]) -> JsonObject:
        rules = self._rules
        beside = {name: value for name, value in members.items() if name != "$ref"}
        if reference in within and not rules.recursive:
            self.lost.append(f"{path}.$ref")
            return (
                {"type": "object", "additionalProperties": False, "properties": {}}
                if rules.closed
                else {"type": "object"}
            )
        recursive = reference in within or self._leads_back(reference)
        if (
            rules.references
            and (recursive or not (beside and rules.lone_references))
            and (rules.recursive or not recursive)
        ):
            kept = {
                name: value for name, value in beside.items() if not rules.lone_references and name not in rules.refused
            }
            return {"$ref": reference, **kept}
        return self._schema({**resolve(self._root, reference), **beside}, path, (*within, reference))

    def _leads_back(self, reference: str) -> bool:
        """Whether what the reference names refers to it again, over however many steps."""
        waiting: list[Any] = [resolve(self._root, reference)]
        seen: set[str] = set()
        while waiting:
            found = waiting.pop()
            if isinstance(found, list):
                waiting.extend(cast("list[Any]", found))
            elif isinstance(found, dict):
                members = cast("JsonObject", found)
                target = members.get("$ref")
                if target == reference:
                    return True
                if isinstance(target, str) and target not in seen:
                    seen.add(target)
                    waiting.append(resolve(self._root, target))
                waiting.extend(members.values())
        return False

    # -- forms -------------------------------------------------------------------------------------------------------

    def _merged(self, members: JsonObject, path: str) -> JsonObject:
        """`allOf` folded into the schema around it; two words for one keyword are kept as the last one says."""
        merged = {name: value for name, value in members.items() if name != "allOf"}
        for index, item in enumerate(cast("list[Any]", members["allOf"])):
            part = cast("JsonObject", item) if isinstance(item, dict) else {}
            if isinstance(part.get("$ref"), str):
                part = {**resolve(self._root, part["$ref"]), **{key: part[key] for key in part if key != "$ref"}}
            for name, value in part.items():
                held = merged.get(name)
                if name == "properties" and isinstance(held, dict) and isinstance(value, dict):
                    merged[name] = {**cast("JsonObject", held), **cast("JsonObject", value)}
                elif name == "required" and isinstance(held, list) and isinstance(value, list):
                    both = [*cast("list[Any]", held), *cast("list[Any]", value)]
                    merged[name] = [each for at, each in enumerate(both) if each not in both[:at]]
                elif held is not None and held != value and name not in ("title", "description"):
                    self.lost.append(f"{path}.allOf[{index}].{name}")
                    merged[name] = value
                else:
                    merged.setdefault(name, value)
        return merged

    def _typed(self, written: JsonObject) -> None:
        """Names the type of an enumeration, which some targets want and others do not mind."""
        if "type" in written or "anyOf" in written:
            return
        values: Any = [written["const"]] if "const" in written else written.get("enum")
        if not isinstance(values, list):
            return
        kinds = list(dict.fromkeys(_json_name(value) for value in cast("list[Any]", values)))
        if kinds and all(kinds):
            written["type"] = kinds[0] if len(kinds) == 1 else kinds

    def _close(self, written: JsonObject, path: str) -> None:
        if written.get("type") != "object" and "properties" not in written:
            return
        if written.get("additionalProperties") not in (None, False, True):
            self.lost.append(f"{path}.additionalProperties")
        written["additionalProperties"] = False
        written.setdefault("properties", {})

    @staticmethod
    def _require(written: JsonObject) -> None:
        properties = written.get("properties")
        if not isinstance(properties, dict):
            return
        named = cast("dict[str, Any]", properties)
        asked: Any = written.get("required")
        required = cast("list[Any]", asked) if isinstance(asked, list) else []
        optional = [name for name in named if name not in required]
        for name in optional:
            named[name] = _nullable(named[name])
        written["required"] = list(named)


def _nullable(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema  # `true`, which null is good for, or nothing that a schema can be
    schema = cast("JsonObject", schema)
    kind: Any = schema.get("type")
    if kind == "null" or (isinstance(kind, list) and "null" in kind):
        return schema
    branches: Any = schema.get("anyOf")
    if isinstance(branches, list):
        null = {"type": "null"}
        return schema if null in branches else {**schema, "anyOf": [*cast("list[Any]", branches), null]}
    if isinstance(kind, str) and "enum" not in schema and "const" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _json_name(value: object) -> str:
    return _JSON_NAMES.get(type(value), "")


def _said(name: str, value: Any) -> str:
    return f"{name}: {msgspec.json.encode(value).decode()}"
