"""genai-prices, prices apart: the window of a model and whether it is deprecated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["genai_fields"]


def genai_fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `Profile` that one entry states of all names that its clause holds for."""
    fields: dict[str, Any] = {}
    window = entry.get("context_window")
    if isinstance(window, int) and window > 0:
        fields["context_tokens"] = window
    if entry.get("deprecated") is True:
        fields["status"] = "deprecated"
    return fields
