"""Each fault × streamed or not × each public dialect, before fakes of every dialect: the laws, and docs/failover.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from scripts import failover
from tests.failover.cells import CLIENTS, DIALECTS, SHAPES, all_cells
from tests.failover.faults import ROWS
from tests.failover.laws import wrong_with
from tests.failover.scene import play

if TYPE_CHECKING:
    from tests.failover.cells import Outcome

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    return play(all_cells(), tmp_path_factory.mktemp("failover"))


def test_every_law_holds_of_every_call(outcomes: list[Outcome]) -> None:
    broken = {str(outcome.cell): told for outcome in outcomes if (told := wrong_with(outcome))}
    assert broken == {}


def test_no_cell_is_missing(outcomes: list[Outcome]) -> None:
    asked = {(one.cell.row.name, one.cell.client, one.cell.streamed) for one in outcomes if one.cell.shape == "pair"}
    wanted = {
        (row.name, client, streamed)
        for row in ROWS
        for client in CLIENTS
        for streamed in (False, True)
        if streamed or not row.streams
    }
    assert asked == wanted
    assert {one.cell.shape for one in outcomes} == set(SHAPES)
    for client in CLIENTS:
        pairs = [one.cell for one in outcomes if one.cell.shape == "pair" and one.cell.client == client]
        assert {cell.upstream for cell in pairs} == {cell.healthy for cell in pairs} == set(DIALECTS)


def test_the_page_is_what_was_played(outcomes: list[Outcome]) -> None:
    written = failover.fakes_part(failover.PAGE.read_text(encoding="utf-8"))
    played = re.sub(r"\n{3,}", "\n\n", failover.page(outcomes))
    assert written.strip() == played.strip(), "run `make conformance`"
