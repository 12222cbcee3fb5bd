"""Usage: of a block of code, and through a model."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

import dragoman
from dragoman import Cost, fallback, wrap
from dragoman.middleware import CallCache, UsageCollector, UsageTally
from dragoman.testing import FakeProvider, ScriptedModel
from dragoman.values import Choice
from tests.face.middleware.verbs import VERBS, leave

if TYPE_CHECKING:
    from tests.face.middleware.verbs import Verb


@pytest.mark.parametrize("verb", VERBS)
def test_a_block_counts_what_every_verb_used(verb: Verb) -> None:
    model = ScriptedModel(["one two three", "four"])
    with dragoman.usage() as used:
        verb(model, "Hi there")
        verb(model, "Hi")
    assert (used.answered, used.attempts, used.unpriced) == (2, 2, 2)
    assert (used.usage.input_tokens, used.usage.output_tokens) == (3, 4)
    assert used.cost is None
    assert list(used.by_model) == ["scripted/scripted-model"]


def test_blocks_nest_and_end() -> None:
    model = ScriptedModel(lambda _request: "a b")
    with dragoman.usage() as outer:
        model.chat("Hi")
        with dragoman.usage() as inner:
            model.chat("Hi")
    model.chat("Hi")
    assert (outer.usage.output_tokens, inner.usage.output_tokens) == (4, 2)


def test_tasks_inside_count_and_a_stream_that_outlives_the_block_too() -> None:
    model = ScriptedModel(lambda _request: "a b c")

    async def there() -> UsageTally:
        with dragoman.usage() as used:
            await asyncio.gather(*(model.achat("Hi") for _ in range(5)))
            stream = model.astream("Hi")
            chunks = aiter(stream)
            await anext(chunks)
        while await anext(chunks, None) is not None:
            pass
        return used

    used = asyncio.run(there())
    assert (used.answered, used.usage.output_tokens) == (6, 18)


def test_failed_and_left_attempts_count_with_what_they_used() -> None:
    model = ScriptedModel([dragoman.RateLimited("slow", retry_after=0.0), "well"], max_retries=1)
    with dragoman.usage() as used:
        model.chat("Hi")
        with FakeProvider() as fake:
            leave(fake.model("anthropic"), "Say: one two three")
            fake.model().embed(["three more words"])
    assert (used.answered, used.failed, used.cancelled) == (2, 1, 1)
    assert set(used.by_model) == {"scripted/scripted-model", "fake/fake-model"}
    assert used.by_model["fake/fake-model"].usage.input_tokens is not None


def test_costs_add_up_on_the_least_sure_basis() -> None:
    tally = UsageTally()
    for cost in (
        Cost(amount=Decimal("0.1")),
        Cost(amount=Decimal("0.2"), basis="computed"),
        Cost(amount=Decimal(3), currency="EUR"),
        None,
    ):
        tally.add(dragoman.Attempt(provider="p", model="m", dialect="d", outcome="ok", cost=cost))
    assert tally.cost == Cost(amount=Decimal("0.3"), basis="computed")
    assert tally.costs == {"USD": Decimal("0.3"), "EUR": Decimal(3)}
    assert tally.unpriced == 1
    assert tally.by_model["p/m"].cost == tally.cost


def test_a_cost_that_the_provider_reports_is_booked() -> None:
    reported = dragoman.Response(
        choices=(Choice(message=dragoman.assistant("ok"), finish=dragoman.Finish(reason="stop")),),
        usage=dragoman.Usage(input_tokens=1, output_tokens=1, reported_cost=Decimal("0.25")),
    )
    model = ScriptedModel([reported, reported])
    with dragoman.usage() as used:
        answer = model.chat("Hi")
        list(model.stream("Hi"))
    expected = answer.cost.amount * 2 if answer.cost else None
    assert (used.cost.amount if used.cost else None) == expected


@pytest.mark.parametrize("verb", VERBS)
def test_through_a_model(verb: Verb) -> None:
    tally = UsageTally()
    first = ScriptedModel([dragoman.Overloaded("full")], provider="first")
    second = ScriptedModel(["one two"], provider="second")
    model = wrap(fallback(first, second), UsageCollector(tally), CallCache())
    verb(model, "Hi")
    verb(model, "Hi")
    assert (tally.answered, tally.failed) == (1, 1)
    assert {name: each.attempts for name, each in tally.by_model.items()} == {
        "first/scripted-model": 1,
        "second/scripted-model": 1,
    }
    with pytest.raises(dragoman.DragomanError):
        verb(wrap(ScriptedModel([dragoman.Overloaded("full")]), UsageCollector(tally)), "Hi")
    assert tally.failed == 2


def test_through_a_model_inside_a_fallback_and_left() -> None:
    tally = UsageTally()
    model = fallback(wrap(ScriptedModel(["one two", "three four"]), UsageCollector(tally)))
    model.chat("Hi")
    assert (tally.answered, tally.usage.output_tokens) == (1, 2)
    leave(model, "Hi")
    assert tally.cancelled == 1


def test_many_threads_book_into_one_tally() -> None:
    tally = UsageTally()
    model = wrap(ScriptedModel(lambda _request: "a"), UsageCollector(tally))
    threads = [threading.Thread(target=lambda: [model.chat("Hi") for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tally.answered, tally.usage.output_tokens) == (40, 40)
