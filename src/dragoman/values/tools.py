"""Tools offered to a model, and how it may choose among them."""

from __future__ import annotations

from typing import Literal

from dragoman.values.parts import CacheHint, Opaque
from dragoman.values.value import Extras, JsonObject, Value

__all__ = ["Tool", "ToolChoice", "ToolDefinition"]


class ToolDefinition(Value, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A function that the caller runs. `input_schema` is a JSON Schema object; `strict` asks for exact arguments."""

    name: str
    description: str | None = None
    input_schema: JsonObject | None = None
    strict: bool | None = None
    cache: CacheHint | None = None
    extras: Extras = {}


Tool = ToolDefinition | Opaque
"""A function, or (as Opaque) a tool that one dialect alone knows, such as a provider's web search."""


class ToolChoice(Value, frozen=True, kw_only=True):
    """`mode` "named" allows only `names` (one name forces that tool); `parallel` False asks for one call at a time."""

    mode: Literal["auto", "none", "required", "named"] | None = None
    names: tuple[str, ...] = ()
    parallel: bool | None = None
    extras: Extras = {}
