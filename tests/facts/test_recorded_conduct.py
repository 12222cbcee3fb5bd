"""What is known about models agrees with what recorded providers accepted and refused."""

from __future__ import annotations

import pytest

from scripts.facts import recorded_conduct
from tests.facts.conduct_judge import REASONS, Finding, findings
from tests.wire.recordings import exchanges, require_recordings

require_recordings()

EXCEPTIONS: dict[str, str] = {}
"""Accepted exchanges that the facts contradict, by id, each with the reason; one that is not needed fails."""


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    return list(findings(exchanges()))


def test_nothing_that_was_accepted_is_forbidden(found: list[Finding]) -> None:
    against = {finding.exchange: finding.note for finding in found if finding.outcome == "contradicts"}
    assert {name: note for name, note in against.items() if name not in EXCEPTIONS} == {}
    assert EXCEPTIONS.keys() <= against.keys()


def test_most_of_the_recorded_models_are_known(found: list[Finding]) -> None:
    accepted = [finding for finding in found if finding.accepted]
    assert sum(finding.known for finding in accepted) > 0.8 * len(accepted)


def test_what_was_refused_is_forbidden_or_not_known(found: list[Finding]) -> None:
    outcomes = {finding.outcome for finding in found if not finding.accepted}
    assert outcomes <= {"forbidden", "unknown", "other"}
    assert sum(finding.outcome == "forbidden" for finding in found) >= 5


def test_no_reason_is_given_in_vain(found: list[Finding]) -> None:
    used = {finding.note for finding in found if finding.outcome == "other"}
    assert used == set(REASONS.values())


def test_the_page_is_what_the_generator_writes(found: list[Finding]) -> None:
    written = recorded_conduct.PAGE.read_text(encoding="utf-8")
    assert written == recorded_conduct.page(found), "run `python -m scripts.facts.recorded_conduct`"
