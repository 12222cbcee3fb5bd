"""Definitions of tools: from functions, classes and dictionaries."""

from __future__ import annotations

import dataclasses
import enum
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
import pydantic
import pytest

import dragoman
from dragoman import FunctionTool, InvalidArguments, InvalidRequest, ToolCall, ToolDefinition, tool
from dragoman.face.docstrings import read_docstring
from dragoman.face.tools import as_tool


class Unit(enum.Enum):
    METRIC = "metric"
    IMPERIAL = "imperial"


@dataclasses.dataclass
class Place:
    """A place.

    Attributes:
        lat: degrees north
    """

    lat: float
    lon: Annotated[float, "degrees east"] = 0.0


class Range(pydantic.BaseModel):
    least: int = pydantic.Field(ge=0, description="the least")
    most: int = 10


class Options(TypedDict):
    """What may be chosen."""

    fast: Annotated[bool, "whether to hurry"]
    unit: NotRequired[Unit]


class Trip(msgspec.Struct, rename="camel"):
    """A trip."""

    from_place: Place
    to_places: list[Place] = []


def weather(
    place: Place,
    days: Annotated[int, "how many"],
    kind: Literal["rain", "wind"] = "rain",
    unit: Unit | None = None,
) -> str:
    """The weather of a place.

    Args:
        place: where it is
        kind: of what,
            in a word

    Returns:
        words
    """
    return f"{place.lat} {days} {kind} {unit}"


def schema_of(given: Any) -> dict[str, Any]:
    definition = as_tool(given)
    assert isinstance(definition, ToolDefinition)
    assert definition.input_schema is not None
    return definition.input_schema


def test_a_function_tells_all_of_it() -> None:
    definition = as_tool(weather)
    assert isinstance(definition, ToolDefinition)
    assert definition.name == "weather"
    assert definition.description == "The weather of a place.\n\nReturns:\n    words"
    schema = schema_of(weather)
    assert schema["required"] == ["place", "days"]
    properties = schema["properties"]
    assert properties["place"] == {"$ref": "#/$defs/Place", "description": "where it is"}
    assert properties["days"] == {"type": "integer", "description": "how many"}
    assert properties["kind"] == {"enum": ["rain", "wind"], "default": "rain", "description": "of what, in a word"}
    assert schema["$defs"]["Place"]["properties"]["lat"]["description"] == "degrees north"
    assert schema["$defs"]["Place"]["properties"]["lon"]["description"] == "degrees east"
    assert schema["$defs"]["Place"]["description"] == "A place."
    assert schema["$defs"]["Unit"]["enum"] == ["imperial", "metric"]


GOOGLE = """Does it.

Args:
    a (int): the first
        of them
    b: the second

Raises:
    ValueError: never
"""
NUMPY = """Does it.

Parameters
----------
a : int
    the first
    of them
b
    the second

Raises
------
ValueError
    never
"""
REST = """Does it.

:param a: the first
    of them
:type a: int
:param int b: the second
:raises ValueError: never
"""


@pytest.mark.parametrize("text", [GOOGLE, NUMPY, REST], ids=["google", "numpy", "rest"])
def test_docstrings_of_three_styles_are_read(text: str) -> None:
    documented = read_docstring(text)
    assert documented.parameters == {"a": "the first of them", "b": "the second"}
    assert documented.description.startswith("Does it.\n\n")
    assert "ValueError" in documented.description
    assert "first" not in documented.description


def test_classes_are_tools_of_their_fields() -> None:
    for given, name, description, required in (
        (Place, "Place", "A place.", ["lat"]),
        (Range, "Range", None, ["least"]),
        (Options, "Options", "What may be chosen.", ["fast"]),
        (Trip, "Trip", "A trip.", ["fromPlace"]),
    ):
        definition = as_tool(given)
        assert isinstance(definition, ToolDefinition)
        assert (definition.name, definition.description) == (name, description)
        assert schema_of(given)["required"] == required
        assert "title" not in schema_of(given)
    assert schema_of(Options)["properties"]["fast"]["description"] == "whether to hurry"
    assert schema_of(Range)["properties"]["least"]["minimum"] == 0
    with pytest.raises(InvalidRequest, match="no object"):
        as_tool(Unit)


def test_pydantic_types_among_parameters_are_pydantics_own() -> None:
    @tool
    def search(within: Range, page: Annotated[int, pydantic.Field(gt=0)] = 1) -> list[int]:
        """Searches.

        Args:
            page: which page
        """
        return [within.least, within.most, page]

    schema = search.definition.input_schema
    assert schema is not None
    assert schema["properties"]["page"] == {
        "type": "integer",
        "exclusiveMinimum": 0,
        "default": 1,
        "description": "which page",
    }
    given = search.arguments(ToolCall(id="1", name="search", arguments_text='{"within": {"least": 2}}'))
    assert search(**given) == [2, 10, 1]
    with pytest.raises(InvalidArguments, match="page"):
        search.arguments(ToolCall(id="1", name="search", arguments_text='{"within": {"least": 2}, "page": 0}'))


def test_arguments_come_as_the_parameters_have_them() -> None:
    made = tool(weather)
    assert isinstance(made, FunctionTool)
    call = ToolCall(id="1", name="weather", arguments_text='{"place": {"lat": 1}, "days": 2, "unit": "metric"}')
    assert made.arguments(call) == {"place": Place(1), "days": 2, "kind": "rain", "unit": Unit.METRIC}
    assert call.as_type(dict[str, Any])["days"] == 2
    with pytest.raises(InvalidArguments, match=r"place.lat"):
        made.arguments(ToolCall(id="1", name="weather", arguments_text='{"place": {"lat": "x"}, "days": 2}'))
    with pytest.raises(InvalidArguments, match="not valid JSON"):
        made.arguments(ToolCall(id="1", name="weather", arguments_text='{"place'))


def test_a_null_for_what_may_be_left_out_is_left_out() -> None:
    """Strict schemas cannot say "optional", so the model says null."""
    call = ToolCall(
        id="1", name="weather", arguments_text='{"place": {"lat": 1, "lon": null}, "days": 2, "kind": null}'
    )
    assert tool(weather).arguments(call)["kind"] == "rain"
    assert tool(weather).arguments(call)["place"] == Place(1, 0.0)


def test_calls_convert_to_types_of_ones_own() -> None:
    call = ToolCall(id="1", name="range", arguments_text='{"least": 3}')
    assert call.as_type(Range) == Range(least=3)
    assert call.as_type(dict[str, int]) == {"least": 3}
    with pytest.raises(InvalidArguments, match="Range"):
        ToolCall(id="1", name="range", arguments_text='{"least": -1}').as_type(Range)
    with pytest.raises(InvalidArguments, match="Place"):
        call.as_type(Place)


def test_what_a_function_says_can_be_replaced() -> None:
    @tool(name="lookup", description="Looks up.", strict=True)
    def find(word: str) -> str:
        """Finds."""
        return word.upper()

    assert find("a") == "A"
    assert find.definition == ToolDefinition(
        name="lookup",
        description="Looks up.",
        input_schema={"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
        strict=True,
    )

    def anything(**given: Any) -> Any:
        return given

    free = tool(anything, input_schema={"type": "object"})
    assert free.arguments(ToolCall(id="1", name="anything", arguments_text='{"a": 1}')) == {"a": 1}


def test_functions_that_cannot_be_tools_are_told_so() -> None:
    def no_hint(a) -> None: ...  # pyright: ignore[reportUnknownParameterType, reportMissingParameterType]

    def many(*words: str) -> None: ...

    def odd(a: complex) -> None: ...

    for given, words in ((no_hint, "no type annotation"), (many, "by name"), (odd, "no JSON Schema")):  # pyright: ignore[reportUnknownVariableType]
        with pytest.raises(InvalidRequest, match=words):
            as_tool(given)  # pyright: ignore[reportUnknownArgumentType]
    with pytest.raises(InvalidRequest, match="no name"):
        as_tool(lambda: None)


def test_functions_stay_with_the_model() -> None:
    model = dragoman.get_model("openai/gpt-4o", api_key="k")
    bound = model.bind_tools([weather, Place, ToolDefinition(name="plain")])
    assert list(bound.functions) == ["weather"]
    assert not model.functions
    assert list(bound.with_options(temperature=0.5).functions) == ["weather"]
    assert not bound.with_options(tools=[Place]).functions
    assert list(dragoman.fallback(model, bound).functions) == ["weather"]
    assert list(dragoman.get_model("openai/gpt-4o", api_key="k", tools=[weather]).functions) == ["weather"]
