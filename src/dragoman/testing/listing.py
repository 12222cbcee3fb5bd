"""Lists of models, as hosts of the dialects give them: what an active probe asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dragoman.values import JsonObject

__all__ = ["KEY_HEADERS", "listed"]

KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key")


def listed(path: str, headers: Mapping[str, str], models: Collection[str]) -> JsonObject | None:
    """The list that stands at a path; None for a path of no list."""
    plain = path.partition("?")[0]
    if plain.endswith("/api/tags"):
        return {"models": [{"name": model, "model": model} for model in models]}
    if plain.endswith("/foundation-models"):
        return {"modelSummaries": [{"modelId": model} for model in models]}
    if not plain.endswith("/models"):
        return None
    if "x-goog-api-key" in headers:
        return {"models": [{"name": f"models/{model}"} for model in models]}
    if "anthropic-version" in headers:
        return {"data": [{"type": "model", "id": model} for model in models], "has_more": False}
    return {"object": "list", "data": [{"object": "model", "id": model} for model in models]}
