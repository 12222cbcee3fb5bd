"""Typed output in every mode, and the tool loop, against the fake provider of every dialect over real HTTP."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from dragoman.testing import FakeProvider
from tests.testing.spoken import DIALECTS

MODES = ("native", "tool", "prompted")


@dataclasses.dataclass
class City:
    """A city."""

    name: str
    bridges: int
    districts: list[str]
    mayor: str | None = None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_typed_answer_in_every_mode(dialect: str, mode: Any) -> None:
    with FakeProvider() as fake:
        model = fake.model(dialect)
        whole = model.chat("Describe a city", output=City, output_mode=mode)
        assert isinstance(whole.parsed, City)
        assert whole.output_mode == mode
        assert whole.finish_reason == "stop"
        with model.stream("Describe a city", output=City, output_mode=mode) as stream:
            text = "".join(chunk.delta for chunk in stream)
        assert stream.response.parsed == whole.parsed
        assert stream.response.content == text
        assert [request.status for request in fake.requests] == [200, 200]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_tool_loop_sync_and_async(dialect: str) -> None:
    asked: list[tuple[int, int]] = []

    def add(first: int, second: int) -> int:
        """Add two numbers."""
        asked.append((first, second))
        return first + second

    async def aadd(first: int, second: int) -> int:
        """Add two numbers."""
        return add(first, second)

    with FakeProvider() as fake:
        model = fake.model(dialect)
        run = model.bind_tools([add]).run_tools('Call add {"first": 2, "second": 40}')
        assert "42" in run.response.content
        assert run.rounds == 2
        there = asyncio.run(model.bind_tools([aadd]).arun_tools('Call aadd {"first": 2, "second": 40}'))
        assert "42" in there.response.content
        assert asked == [(2, 40), (2, 40)]
        assert [request.status for request in fake.requests] == [200] * 4


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_tool_that_fails_is_told_to_the_model(dialect: str) -> None:
    def explode(reason: str) -> str:
        """Fail."""
        raise RuntimeError(reason)

    with FakeProvider() as fake:
        run = fake.model(dialect).bind_tools([explode]).run_tools('Call explode {"reason": "boom"}')
        assert "boom" in run.response.content
        assert [request.status for request in fake.requests] == [200, 200]
