"""The official JavaScript clients get through the gateway what the Python ones get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dragoman.testing import SlowHead
from tests.gateway.fronts import PUBLIC_DIALECTS, Front, model_of, running_front
from tests.gateway.official_cases import CASES, ERROR_CASES, Case, wrong_with, wrong_with_error
from tests.javascript.driving import outcomes_of

if TYPE_CHECKING:
    from collections.abc import Generator

Outcomes = dict[str, dict[str, Any]]
_LISTINGS = tuple(Case(client, client, "listing", streamed=False) for client in PUBLIC_DIALECTS)
_SLOW = tuple(case for case in CASES if case.task == "chat" and case.streamed)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Generator[Front]:
    with running_front(tmp_path_factory.mktemp("front")) as running:
        yield running


@pytest.fixture(scope="module")
def outcomes(front: Front) -> Outcomes:
    return outcomes_of(front.url, [case.told() for case in (*CASES, *ERROR_CASES, *_LISTINGS)])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_was_asked_for_is_answered(case: Case, outcomes: Outcomes) -> None:
    assert wrong_with(case, outcomes[case.id]) == []


@pytest.mark.parametrize("case", ERROR_CASES, ids=lambda case: case.id)
def test_an_error_is_the_clients_own_class(case: Case, outcomes: Outcomes) -> None:
    assert wrong_with_error(case, outcomes[case.id], "javascript") == []


@pytest.mark.parametrize("listing", _LISTINGS, ids=lambda case: case.client)
def test_models_are_listed_and_found_one_by_one(listing: Case, outcomes: Outcomes) -> None:
    assert outcomes[listing.id] == {"names": [model_of(dialect) for dialect in PUBLIC_DIALECTS]}


@pytest.fixture(scope="module")
def slow_outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """From a gateway whose keep-alives come every 0.05 s, before a provider that takes longer."""
    with running_front(tmp_path_factory.mktemp("slow"), more="server: {hold_seconds: 0.05}") as running:
        running.fake.fail(*[SlowHead(0.2) for _ in _SLOW])
        return outcomes_of(running.url, [case.told() for case in _SLOW])


@pytest.mark.parametrize("case", _SLOW, ids=lambda case: case.id)
def test_a_client_is_unharmed_by_keep_alives(case: Case, slow_outcomes: Outcomes) -> None:
    assert wrong_with(case, slow_outcomes[case.id]) == []
