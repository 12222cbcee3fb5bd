"""Writes docs/schema/values-v1.json, the published JSON Schema of our values: `python -m scripts.values_schema`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dragoman.values import json_schema

PUBLISHED = Path(__file__).resolve().parents[1] / "docs" / "schema" / "values-v1.json"


def text() -> str:
    """The schema, laid out for a reader."""
    return msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode() + "\n"


if __name__ == "__main__":
    PUBLISHED.parent.mkdir(parents=True, exist_ok=True)
    PUBLISHED.write_text(text(), encoding="utf-8")
