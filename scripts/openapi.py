"""Writes docs/schema/openapi.json, the published description of the public paths: `python -m scripts.openapi`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dragoman.gateway.openapi import document

PUBLISHED = Path(__file__).resolve().parents[1] / "docs" / "schema" / "openapi.json"


def text() -> str:
    """The description, laid out for a reader."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


if __name__ == "__main__":
    PUBLISHED.parent.mkdir(parents=True, exist_ok=True)
    PUBLISHED.write_text(text(), encoding="utf-8")
