"""The one JSON form: golden files, the published schema, and refusals that say what is wrong."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, cast

import jsonschema
import msgspec
import pytest

from dragoman import values
from dragoman.errors import InvalidRequest
from dragoman.values import Message, Request, from_json, json_schema, to_json
from scripts import values_schema
from tests.values.samples import FOLDER, SAMPLES, pretty
from tests.wire.comparing import first_difference

_NAMES = sorted(SAMPLES)


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = msgspec.json.decode(values_schema.PUBLISHED.read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", _NAMES)
def test_the_form_is_the_golden_one(name: str) -> None:
    golden = (FOLDER / f"{name}.json").read_bytes()
    assert first_difference(msgspec.json.decode(golden), msgspec.json.decode(to_json(SAMPLES[name]))) is None
    assert golden.decode() == pretty(SAMPLES[name])


@pytest.mark.parametrize("name", _NAMES)
def test_a_golden_file_reads_as_the_value(name: str) -> None:
    value = from_json((FOLDER / f"{name}.json").read_bytes())
    assert value == SAMPLES[name]
    assert type(value) is type(SAMPLES[name])


@pytest.mark.parametrize("name", _NAMES)
def test_a_golden_file_satisfies_the_published_schema(name: str, validator: Any) -> None:
    validator.validate(msgspec.json.decode((FOLDER / f"{name}.json").read_bytes()))


def test_there_is_a_golden_file_for_each_sample_and_no_other() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(SAMPLES)


def test_every_field_of_every_value_is_in_a_golden_file() -> None:
    filled: dict[type, set[str]] = {}
    for sample in SAMPLES.values():
        for struct in _structs(sample):
            names = filled.setdefault(type(struct), set())
            names.update(
                field.name
                for field in msgspec.structs.fields(struct)
                if field.required or getattr(struct, field.name) != _default(field)
            )
    public = [getattr(values, name) for name in values.__all__]
    kinds = [kind for kind in public if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    outside = {name for name in values.__all__ if name.endswith("Quirks")} | {"Target", "Value"}
    missing = [
        f"{kind.__name__}.{name}"
        for kind in kinds
        if kind.__name__ not in outside
        for name in kind.__struct_fields__
        if name not in filled.get(kind, set())
    ]
    assert missing == []


def _default(field: Any) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _structs(value: Any) -> Iterator[msgspec.Struct]:
    if isinstance(value, msgspec.Struct):
        yield value
        for name in value.__struct_fields__:
            yield from _structs(getattr(value, name))
    elif isinstance(value, (tuple, list)):
        for item in cast("tuple[Any, ...]", value):
            yield from _structs(item)


def test_the_published_schema_is_the_one_of_this_code() -> None:
    assert values_schema.PUBLISHED.read_text(encoding="utf-8") == values_schema.text()
    assert msgspec.json.decode(values_schema.PUBLISHED.read_bytes()) == msgspec.json.decode(
        msgspec.json.encode(json_schema())
    )


_BROKEN = [
    (b"", "not a value"),
    (b"[]", "not a value"),
    (b'{"type":"message","value":{}}', "`v`"),
    (b'{"v":2,"type":"message","value":{"role":"user"}}', "version 2"),
    (b'{"v":1,"type":"mesage","value":{"role":"user"}}', "unknown type 'mesage'"),
    (b'{"v":1,"type":"message","value":{"role":"user","colour":"red"}}', "colour"),
    (b'{"v":1,"type":"message","value":{"role":"king"}}', "king"),
    (b'{"v":1,"type":"message","value":{"role":"user","parts":[{"type":"smell"}]}}', "smell"),
    (b'{"v":1,"type":"message","value":{"role":"user"},"more":1}', "more"),
]


@pytest.mark.parametrize(("data", "word"), _BROKEN)
def test_what_is_not_the_form_is_refused(data: bytes, word: str) -> None:
    with pytest.raises(InvalidRequest, match=word):
        from_json(data)


@pytest.mark.parametrize("data", [data for data, _ in _BROKEN if data.startswith(b"{")])
def test_the_schema_refuses_it_too(data: bytes, validator: Any) -> None:
    assert not validator.is_valid(msgspec.json.decode(data))


def test_a_kind_is_checked() -> None:
    message = to_json(SAMPLES["message"])
    assert from_json(message, Message) == SAMPLES["message"]
    with pytest.raises(InvalidRequest, match="expected a Request, found 'message'"):
        from_json(message, Request)


@pytest.mark.parametrize("value", [object(), "text", {"role": "user"}, [1, 2]])
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequest, match="no JSON form"):
        to_json(value)


def test_text_and_bytes_read_alike() -> None:
    form = to_json(SAMPLES["message"])
    assert from_json(form.decode()) == from_json(form)


def test_part_types_are_all_in_the_schema() -> None:
    tags = {kind.__struct_config__.tag for kind in typing.get_args(values.Part)}
    text = values_schema.text()
    assert tags == {"text", "reasoning", "refusal", "media", "tool_call", "tool_result", "opaque"}
    assert all(f'"{tag}"' in text for tag in tags)
