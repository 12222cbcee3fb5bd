"""Configurations in tests: written as text, read with an environment of their own."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from dragoman.gateway.config import Config, InvalidConfig, read

KEYS = {
    "OPENAI_API_KEY": "sk-openai",
    "ANTHROPIC_API_KEY": "sk-anthropic",
    "GROQ_API_KEY": "gsk-groq",
}


def config(text: str, folder: Path | None = None, **environ: str) -> Config:
    """The configuration of this text, with keys of some providers in its environment."""
    return read(dedent(text).lstrip("\n"), folder=folder, environ={**KEYS, **environ})


def problems(text: str, folder: Path | None = None, **environ: str) -> list[str]:
    """What a user reads about this text, a line each; only what the test gives is in the environment."""
    with pytest.raises(InvalidConfig) as caught:
        read(dedent(text).lstrip("\n"), folder=folder, environ=environ)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return str(caught.value).split("\n")
