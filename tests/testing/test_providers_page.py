"""docs/providers.md says what the conformance runs find, leaves no provider out, and nothing on it is wrong."""

from __future__ import annotations

import pytest

from scripts import providers_page
from scripts.providers_page import Run


@pytest.fixture(scope="module")
def every() -> list[Run]:
    return list(providers_page.runs())


def test_the_page_is_what_the_generator_writes(every: list[Run]) -> None:
    written = providers_page.PAGE.read_text(encoding="utf-8")
    assert written == providers_page.page(every), "run `python -m scripts.providers_page`"


def test_every_provider_is_there_in_each_dialect_it_speaks(every: list[Run]) -> None:
    expected = [(row.name, dialect) for row in providers_page.rows() for dialect in row.dialects]
    assert [(run.provider, run.dialect) for run in every] == expected
    assert len({run.provider for run in every}) > 25


def test_nothing_is_wrong(every: list[Run]) -> None:
    wrong = [
        f"{run.provider} ({run.dialect}): {each}" for run in every for each in run.report if each.verdict == "wrong"
    ]
    assert not wrong
