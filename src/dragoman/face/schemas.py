"""The types that people ask answers in: their JSON Schema, and validation against the type itself.

pydantic's models validate by pydantic, JSON Schemas by jsonschema, all others (dataclasses, TypedDicts, msgspec
structs, plain types) by msgspec. What was not rewritten for a target is what is validated against.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

import msgspec

from dragoman.errors import InvalidRequest, MissingExtra
from dragoman.face.docstrings import read_docstring
from dragoman.face.hints import descriptions, field_names, mentions_pydantic, own_doc, reached

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["Mismatch", "TypeSchema", "schema_of", "type_schema"]

_T = TypeVar("_T")
_REFERENCES = "#/$defs/{name}"


class Mismatch(Exception):
    """A text that is not of the type; says where and why."""


class _Validate(Protocol):
    def __call__(self, text: str) -> Any: ...


class TypeSchema(Generic[_T]):
    """A type with its schema. `parse` gives a value of it from JSON text, or raises `Mismatch`."""

    def __init__(self, name: str, schema: JsonObject, validate: _Validate) -> None:
        self.name = name
        self.schema = schema
        self._validate = validate

    def parse(self, text: str) -> _T:
        """The value. A null for what may be left out and cannot be null counts as left out: strict schemas ask so."""
        try:
            return self._validate(text)
        except Mismatch as mismatch:
            pruned = self._pruned(text)
            if pruned is None:
                raise
            try:
                return self._validate(pruned)
            except Mismatch:
                raise mismatch from None

    def _pruned(self, text: str) -> str | None:
        try:
            value: Any = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return None
        pruned = _without_nulls(value, self.schema, self.schema)
        return None if pruned == value else msgspec.json.encode(pruned).decode()


def type_schema(kind: Any) -> TypeSchema[Any]:
    """The schema of a type, or of a JSON Schema. Raises `InvalidRequest` for what no answer can be of."""
    if isinstance(kind, dict):
        return _of_json_schema(cast("JsonObject", kind))
    try:
        if not mentions_pydantic(kind):
            return _of_msgspec(kind)
    except (TypeError, NameError) as error:
        made = _of_pydantic(kind, error)
    else:
        made = _of_pydantic(kind, None)
    return made


def schema_of(kind: Any) -> JsonObject:
    """The JSON Schema of a type, what its docstrings and annotations say among it."""
    (schema,), definitions = msgspec.json.schema_components([kind], ref_template=_REFERENCES)
    for one in reached(kind):
        if field_names(one) is not None and one.__name__ in definitions:
            _describe(definitions[one.__name__], one)
    return rooted(schema, definitions)


def rooted(schema: JsonObject, definitions: dict[str, JsonObject]) -> JsonObject:
    """One schema of a schema and its definitions; a root that is a mere reference is put in its place."""
    reference = schema.get("$ref")
    name = reference.removeprefix("#/$defs/") if isinstance(reference, str) else ""
    if name in definitions:
        others = {key: value for key, value in definitions.items() if key != name}
        schema = definitions[name]
        definitions = definitions if _refers_to(reference, [schema, others]) else others
    return {**schema, "$defs": definitions} if definitions else schema


def _refers_to(reference: Any, where: Any) -> bool:
    if isinstance(where, dict):
        members = cast("JsonObject", where)
        return members.get("$ref") == reference or any(_refers_to(reference, value) for value in members.values())
    return isinstance(where, list) and any(_refers_to(reference, item) for item in cast("list[Any]", where))


def _describe(schema: JsonObject, kind: type) -> None:
    properties: dict[str, JsonObject] = schema.get("properties", {})
    for name, words in descriptions(kind).items():
        if name in properties:
            properties[name].setdefault("description", words)
    doc = own_doc(kind)
    if doc is not None:
        whole = read_docstring(doc).description
        if whole:
            schema["description"] = whole


# -- who validates -----------------------------------------------------------------------------------------------------


def _of_msgspec(kind: Any) -> TypeSchema[Any]:
    decoder = msgspec.json.Decoder(kind)

    def validate(text: str) -> Any:
        try:
            return decoder.decode(text)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Mismatch(str(error)) from None

    return TypeSchema(_name(kind), schema_of(kind), validate)


def _of_pydantic(kind: Any, why: Exception | None) -> TypeSchema[Any]:
    try:
        from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError
    except ImportError:
        raise InvalidRequest(
            f"output={_name(kind)} has no JSON Schema: {why}; give a pydantic model, a dataclass, a TypedDict, a "
            "msgspec struct or a JSON Schema",
            path="output",
        ) from None
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        schema = adapter.json_schema()
    except (PydanticSchemaGenerationError, PydanticUserError, NameError) as error:
        raise InvalidRequest(f"{_name(kind)} has no JSON Schema: {why or error}", path="output") from None

    def validate(text: str) -> Any:
        try:
            return adapter.validate_json(text)
        except ValidationError as error:
            raise Mismatch(_told(error.errors(include_url=False))) from None

    return TypeSchema(_name(kind), schema, validate)


def _told(problems: list[Any]) -> str:
    return "; ".join(
        f"{'.'.join(str(step) for step in problem['loc']) or 'the whole'}: {problem['msg']}"
        for problem in problems[:10]
    )


def _of_json_schema(schema: JsonObject) -> TypeSchema[Any]:
    try:
        from jsonschema import Draft202012Validator, SchemaError
    except ImportError:
        raise MissingExtra(
            "an answer is checked against a JSON Schema by jsonschema, which is not installed: "
            'pip install "dragoman[jsonschema]"'
        ) from None
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InvalidRequest(f"output is not a JSON Schema: {error.message}", path="output") from None
    validator: Any = Draft202012Validator(schema)

    def validate(text: str) -> Any:
        try:
            value: Any = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Mismatch(str(error)) from None
        problems = [f"{problem.json_path}: {problem.message}" for problem in validator.iter_errors(value)]
        if problems:
            raise Mismatch("; ".join(problems[:10]))
        return value

    title: Any = schema.get("title")
    return TypeSchema(title if isinstance(title, str) else "", schema, validate)


def _name(kind: Any) -> str:
    name: Any = getattr(kind, "__name__", None)
    return name if isinstance(name, str) else str(kind)


# -- nulls -------------------------------------------------------------------------------------------------------------


def _without_nulls(value: Any, schema: Any, root: JsonObject) -> Any:
    """The value without the nulls that stand for what was left out."""
    if isinstance(value, list):
        inner = [found["items"] for found in _branches(schema, root) if isinstance(found.get("items"), dict)]
        return [_through(item, inner, root) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    kept: JsonObject = {}
    branches = [found for found in _branches(schema, root) if isinstance(found.get("properties"), dict)]
    for name, item in cast("JsonObject", value).items():
        inner = [found["properties"][name] for found in branches if name in found["properties"]]
        required = any(name in found.get("required", ()) for found in branches)
        if item is None and inner and not required and not any(_takes_null(one, root) for one in inner):
            continue
        kept[name] = _through(item, inner, root)
    return kept


def _through(value: Any, schemas: list[Any], root: JsonObject) -> Any:
    for schema in schemas:
        value = _without_nulls(value, schema, root)
    return value


def _branches(schema: Any, root: JsonObject, depth: int = 0) -> list[JsonObject]:
    """The schema and all that it may stand for, references followed."""
    if not isinstance(schema, dict) or depth > 16:
        return []
    members = cast("JsonObject", schema)
    found = [members]
    reference = members.get("$ref")
    if isinstance(reference, str):
        named: Any = root
        for step in reference.removeprefix("#").split("/")[1:]:
            named = cast("JsonObject", named).get(step) if isinstance(named, dict) else None
        found.extend(_branches(named, root, depth + 1))
    for name in ("anyOf", "oneOf", "allOf"):
        for item in members.get(name, ()):
            found.extend(_branches(item, root, depth + 1))
    return found


def _takes_null(schema: Any, root: JsonObject) -> bool:
    for found in _branches(schema, root):
        kind = found.get("type")
        if kind == "null" or (isinstance(kind, list) and "null" in kind):
            return True
        if None in found.get("enum", ()) or ("const" in found and found["const"] is None):
            return True
        if not found.keys() & {"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "properties"}:
            return True  # a schema that says nothing takes anything
    return False
