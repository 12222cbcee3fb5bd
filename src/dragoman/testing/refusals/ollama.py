"""What Ollama's chat refuses; it is lenient, and takes a conversation without messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.testing.refusals.row import Found, Refusal, missing

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["ROWS"]


def _format(body: JsonObject) -> Found | None:
    form: Any = body.get("format")
    if form is None or isinstance(form, dict) or form in ("", "json"):
        return None
    return "format", f'invalid format: {form!r}; expected "json" or a valid JSON Schema object'


ROWS = (
    Refusal("model is there", missing("model")),
    Refusal("the format is JSON or a schema", _format),
)
