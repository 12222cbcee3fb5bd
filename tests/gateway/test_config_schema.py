"""The published schema: that of this code, and of one mind with the reader about what a file may look like."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, cast

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.gateway.config import InvalidConfig, read
from dragoman.gateway.config.structs import ConfigBlock
from scripts import config_schema
from tests.docs.snippets import blocks
from tests.gateway.configs import KEYS

DOCUMENTS = sorted([config_schema.PUBLISHED.parents[2] / "README.md", *config_schema.PUBLISHED.parents[1].glob("*.md")])
EXAMPLES = [
    block
    for document in DOCUMENTS
    for block in blocks(document)
    if block.language == "yaml" and not block.mark.startswith("not run")
]


@cache
def validator() -> Any:
    schema = msgspec.json.decode(config_schema.PUBLISHED.read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_published_schema_is_the_one_of_this_code() -> None:
    assert config_schema.PUBLISHED.read_text(encoding="utf-8") == config_schema.text()


def test_documents_hold_examples() -> None:
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.place)
def test_an_example_of_the_documents_can_be_used(block: Any, tmp_path: Path) -> None:
    validator().validate(yaml.safe_load(block.code))
    variables = dict.fromkeys(re.findall(r"\$\{([A-Z_]+)\}", block.code), "")
    for at, name in enumerate(variables):
        variables[name] = f"secret-{at}-of-an-example"
    for name in re.findall(r"\$\{file:([^}]+)\}", block.code):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("abcdefghijklmnopqrstuvwxyz")
    read(block.code, folder=tmp_path, environ={**KEYS, **variables})


# -- one mind ----------------------------------------------------------------------------------------------------------

_OF_FORM = re.compile(
    r"no such member|is wanted here|is out of range|is not among what|' is missing$|the list is empty|the text is empty"
)
"""What is said of the form of a file; everything else lies between blocks, or in the sense of a text."""

_TEXTS = st.sampled_from(
    ["", "a", "none", "openai/gpt-4o", "openai-chat", "anthropic", "GET", "/files", "group", "stdout", "fast", "${X}"]
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.sampled_from([-1, 0, 1, 2, 600, 4000, 70_000, 10**7, 0.0, 0.5, 2.0, 4000.0, 1e6])
    | _TEXTS
)


_DICE, _ODD = st.integers(0, 39), 7  # in the midst, for values at the ends of a range are drawn more often


def _of(schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that often are as a schema wants them, and then again not."""
    definitions = cast("dict[str, Any]", validator().schema["$defs"])
    if "$ref" in schema:
        return _of(definitions[schema["$ref"].rpartition("/")[2]], depth)
    if "anyOf" in schema:
        return st.one_of(*(_of(each, depth) for each in schema["anyOf"]))
    wrong = _SCALARS if depth > 4 else _SCALARS | st.lists(_SCALARS, max_size=2)
    kind = schema.get("type")
    right: st.SearchStrategy[Any] = wrong
    if "enum" in schema:
        right = st.sampled_from(schema["enum"])
    elif kind == "string":
        right = _TEXTS
    elif kind in ("integer", "number"):
        least, most = schema.get("minimum", schema.get("exclusiveMinimum", 0)), schema.get("maximum", 10_000)
        right = st.sampled_from([least, most, least + 1, most - 1, least - 1, most + 1, float(most)])
    elif kind == "boolean":
        right = st.booleans()
    elif kind == "array":
        right = st.lists(_of(schema.get("items", {}), depth + 1), max_size=3)
    elif kind == "object":
        right = _object(schema, depth)
    return _DICE.flatmap(lambda dice: wrong if dice == _ODD else right)


def _object(schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    properties: dict[str, Any] = schema.get("properties", {})
    names = list(properties)
    if isinstance(schema.get("additionalProperties"), dict):
        properties = {**dict.fromkeys(("fast", "slow", "own"), schema["additionalProperties"]), **properties}
        names = [name for name in properties if name in ("fast", "slow", "own", "openai", "groq", "portkey")]
    needed = cast("list[str]", schema.get("required", []))
    required = _DICE.map(lambda dice: needed[1:] if dice % 10 == _ODD else needed)

    def some(chosen: list[str]) -> st.SearchStrategy[Any]:
        return st.fixed_dictionaries({name: _of(properties.get(name, {}), depth + 1) for name in chosen})

    picked = st.lists(st.sampled_from(names), max_size=3, unique=True) if names else st.just(list[str]())
    unheard = _DICE.map(lambda dice: ["unheard"] if dice == _ODD else [])
    three = st.tuples(required, picked, unheard)
    return three.map(lambda parts: list(dict.fromkeys(name for part in parts for name in part))).flatmap(some)


def verdicts(document: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What the schema has against the form of a document, and what the reader has."""
    wanted = [error.message for error in validator().iter_errors(document)]
    try:
        read(yaml.safe_dump(document, allow_unicode=True), environ={**KEYS, "X": "x-of-the-environment"})
    except InvalidConfig as error:
        return wanted, [problem.message for problem in error.problems if _OF_FORM.search(problem.message)]
    return wanted, []


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_reader_and_schema_agree(data: st.DataObject) -> None:
    root = cast("dict[str, Any]", validator().schema["$defs"]["ConfigBlock"])
    document = data.draw(_object(root, 0))
    wanted, told = verdicts(document)
    assert bool(told) == bool(wanted), (document, told, wanted)


@pytest.mark.parametrize(
    "document",
    [
        {"models": {"a": {}}},
        {"models": {"a": {"deployments": []}}},
        {"models": {"a": [{"name": "n"}]}},
        {"models": {"a": [{"model": "openai/a", "prices": {"input": 1}}]}},
        {"keys": [{"key": "k"}]},
        {"keys": [{"name": "a", "key": "k", "pass_through": [{"provider": "openai", "methods": ["GET"]}]}]},
        {"providers": {"openai": {"region": "x"}}},
        {"providers": {"portkey": {"provider": {"a": 1}}}},
        {"providers": {"openai": {"options": {}}}},
        {"server": {"max_requests": 10.5}},
    ],
)
def test_reader_and_schema_refuse_the_same(document: dict[str, Any]) -> None:
    wanted, told = verdicts(document)
    assert wanted
    assert told


def test_a_struct_without_a_place_in_the_schema_would_be_noticed() -> None:
    assert set(validator().schema["$defs"]["ConfigBlock"]["properties"]) == set(ConfigBlock.__struct_fields__)
