"""The published figures of estimates and bounds: on recorded prompts, and never on one that was fitted to."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from dragoman.facts import cost
from dragoman.facts.body_bounds import bound_bytes
from dragoman.facts.estimating import PRIORS_FILE
from scripts.facts.fit_priors import fit, learnable, prompts, written
from scripts.facts.token_figures import after, before, bounds, median_error, provider_of
from scripts.facts.tokens_page import PAGE, page
from tests.wire.recordings import require_recordings

require_recordings()


def test_the_committed_weights_are_those_of_the_fit() -> None:
    assert PRIORS_FILE.read_text() == written(fit([prompt for prompt in prompts() if learnable(prompt)]))


def test_the_page_is_what_its_command_writes() -> None:
    assert PAGE.read_text() == page(), "run python -m scripts.facts.tokens_page"


def test_before_any_observation_the_median_error_is_within_a_quarter() -> None:
    errors = before()
    assert len(errors) >= 200
    assert median_error(errors) <= 0.25
    assert median_error(before(provider_of)) <= 0.25


def test_after_observations_the_median_error_is_within_a_tenth() -> None:
    figures = after()
    assert figures
    assert sorted(figure.after for figure in figures)[len(figures) // 2] <= 0.10
    assert all(figure.after <= 0.10 for figure in figures if figure.prompts > 20)


def test_no_recorded_prompt_or_answer_exceeds_its_bound() -> None:
    found = list(bounds())
    exceeded = [
        f"{each.prompt.exchange.id}: {each.prompt.tokens} and {each.prompt.usage.output_tokens} of {each.bound}"
        for each in found
        if each.exceeded
    ]
    assert not exceeded, "\n".join(exceeded)
    assert sum(each.bound.holds for each in found) >= 0.7 * len(found)
    for each in found:
        assert each.bound.holds or each.bound.unbounded
        assert all(entry.reason and entry.setting for entry in each.bound.unbounded)


def test_no_recorded_answer_costs_more_than_its_bound() -> None:
    dearer: list[str] = []
    priced = 0
    for each in bounds():
        prompt, amount = each.prompt, each.bound.amount
        if amount is None:
            continue
        charged = cost(prompt.usage, prompt.provider, prompt.model)
        if charged is not None and charged.currency == each.bound.currency:
            priced += 1
            if charged.amount > amount:
                dearer.append(f"{prompt.exchange.id}: {charged} of {each.bound}")
            assert amount > Decimal(0) or charged.amount == 0
    assert priced >= 150
    assert not dearer, "\n".join(dearer)


@pytest.mark.parametrize("escaped", [False, True])
def test_no_recorded_body_holds_more_tokens_than_its_bound(escaped: bool) -> None:
    bounded = 0
    for prompt in prompts():
        body = json.dumps(prompt.exchange.request.body, ensure_ascii=escaped, separators=(",", ":")).encode()
        most = bound_bytes(body, prompt.provider, prompt.model)
        if most is not None:
            bounded += 1
            assert most >= prompt.tokens, prompt.exchange.id
    assert bounded >= 0.5 * len(prompts())
