"""docs/conformance.md says what the code does, and leaves no exchange out."""

from __future__ import annotations

import pytest

from scripts import conformance
from scripts.conformance import Count
from tests.wire.recordings import exchanges, require_recordings

require_recordings()


@pytest.fixture(scope="module")
def every() -> list[Count]:
    return list(conformance.counts(exchanges()))


def test_the_page_is_what_the_generator_writes(every: list[Count]) -> None:
    written = conformance.PAGE.read_text(encoding="utf-8")
    assert written == conformance.page(exchanges(), every), "run `make conformance`"


def test_every_exchange_is_counted(every: list[Count]) -> None:
    assert {count.exchange for count in every} == {exchange.id for exchange in exchanges()}


def test_nothing_is_different(every: list[Count]) -> None:
    assert [count for count in every if count.outcome == "different"] == []
    assert {count.outcome for count in every} <= {"equal", "adapted", "error", "refused", "n/a"}
