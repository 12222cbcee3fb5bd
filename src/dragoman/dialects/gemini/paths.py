"""The path of a call: `/models/{model}:{method}`, which carries what other wires say in the body."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, unquote

from dragoman.errors import InvalidRequest

__all__ = ["model_in", "parse_path", "path_of"]

_COLLECTIONS = ("models", "tunedModels", "dynamic", "endpoints", "publishers", "projects")


def path_of(model: str, method: str, query: str = "") -> str:
    """The path of a call. A bare name is one of `models/`; a resource name stays as it is."""
    steps = model.split("/")
    if not model or any(step in ("", ".", "..") for step in steps):
        raise InvalidRequest(f"{model!r} is no name of a model", path="model")
    name = model if steps[0] in _COLLECTIONS and len(steps) > 1 else f"models/{model}"
    return f"/{quote(name, safe='/-._~@')}:{method}{query}"


def model_in(name: str) -> str:
    """`models/gemini-x` → `gemini-x`; names of other collections stay whole."""
    return name.removeprefix("models/")


def parse_path(path: str) -> tuple[str | None, str | None, bool]:
    """The model and the method that a path names, and whether the query asks for server-sent events."""
    address, _, query = path.partition("?")
    name, colon, method = address.rpartition(":")
    if not colon:
        return None, None, False
    steps = unquote(name).strip("/").split("/")
    start = next((place for place in reversed(range(len(steps))) if steps[place] in _COLLECTIONS), None)
    if start is None or start + 1 >= len(steps):
        return None, None, False
    model = "/".join(steps[start:])
    return model_in(model), method, parse_qs(query).get("alt") == ["sse"]
