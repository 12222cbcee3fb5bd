"""Values outside this library: fields of pydantic models, pickles, copies, dictionary keys that they are not."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import jsonschema
import msgspec
import pydantic
import pytest

from dragoman.values import Message, Part, Request, Response, Text, Usage, replace, user
from tests.values.samples import SAMPLES


class _Record(pydantic.BaseModel):
    message: Message
    history: list[Message] = []
    part: Part | None = None
    usage: Usage | None = None
    response: Response | None = None


_RECORD = _Record(
    message=SAMPLES["message"],
    history=list(SAMPLES["messages"]),
    part=Text(text="Hello"),
    usage=SAMPLES["usage"],
    response=SAMPLES["response"],
)


def test_a_pydantic_model_keeps_the_value_itself() -> None:
    assert _RECORD.message is SAMPLES["message"]
    assert _RECORD.response is SAMPLES["response"]


def test_a_pydantic_model_dumps_and_reads_values() -> None:
    assert _Record.model_validate_json(_RECORD.model_dump_json()) == _RECORD
    assert _Record.model_validate(_RECORD.model_dump()) == _RECORD
    assert _RECORD.model_dump()["message"] == msgspec.to_builtins(SAMPLES["message"])


def test_a_pydantic_model_with_values_has_a_schema_that_its_dumps_satisfy() -> None:
    for mode in ("validation", "serialization"):
        schema = _Record.model_json_schema(mode=mode)
        jsonschema.Draft202012Validator.check_schema(schema)
        validator: Any = jsonschema.Draft202012Validator(schema)
        validator.validate(msgspec.json.decode(_RECORD.model_dump_json()))
        assert not validator.is_valid({"message": {"role": "user", "parts": [{"type": "smell"}]}})


def test_pydantic_says_what_is_wrong() -> None:
    with pytest.raises(pydantic.ValidationError, match="king"):
        _Record.model_validate({"message": {"role": "king"}})


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_values_survive_pickles_and_copies(name: str) -> None:
    sample = SAMPLES[name]
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(sample, protocol)) == sample  # noqa: S301 - our own bytes
    assert copy.deepcopy(sample) == sample
    assert copy.copy(sample) == sample


def test_values_are_frozen_and_replaced() -> None:
    message = user("Hello")
    with pytest.raises(AttributeError):
        message.name = "ann"  # pyright: ignore[reportAttributeAccessIssue]
    assert replace(message, name="ann").name == "ann"
    assert message.name is None


def test_equal_content_is_an_equal_value() -> None:
    assert Request(model="m", messages=(user("Hi"),)) == Request(model="m", messages=(user("Hi"),))
    assert Request(model="m") != Request(model="n")


def test_a_repr_shows_what_is_set_and_no_more() -> None:
    assert repr(Text(text="Hi")) == "Text(text='Hi')"
