"""Writes docs/schema/config-v1.json, the published JSON Schema of configurations: `python -m scripts.config_schema`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dragoman.gateway.config.schema import json_schema

PUBLISHED = Path(__file__).resolve().parents[1] / "docs" / "schema" / "config-v1.json"


def text() -> str:
    """The schema, laid out for a reader."""
    return msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode() + "\n"


if __name__ == "__main__":
    PUBLISHED.parent.mkdir(parents=True, exist_ok=True)
    PUBLISHED.write_text(text(), encoding="utf-8")
