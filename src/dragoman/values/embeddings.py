"""Embeddings: a request for vectors, and its answer."""

from __future__ import annotations

from dragoman.values.adaptations import Adaptation
from dragoman.values.attempts import Attempt
from dragoman.values.usage import Cost, Usage
from dragoman.values.value import Extras, JsonObject, Value

__all__ = ["EmbeddingRequest", "EmbeddingResponse"]


class EmbeddingRequest(Value, frozen=True, kw_only=True):
    """Texts to embed. `dimensions` asks for shorter vectors; `task` is the use the vectors are meant for."""

    model: str
    inputs: tuple[str, ...]
    dimensions: int | None = None
    task: str | None = None
    user: str | None = None
    extra_body: JsonObject | None = None
    extra_headers: dict[str, str] | None = None
    extras: Extras = {}


class EmbeddingResponse(Value, frozen=True, kw_only=True):
    """One vector per input, in the order of the inputs."""

    vectors: tuple[tuple[float, ...], ...]
    model: str = ""
    provider: str = ""
    dialect: str = ""
    usage: Usage = Usage()
    cost: Cost | None = None
    adaptations: tuple[Adaptation, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    request_id: str | None = None
    extras: Extras = {}
