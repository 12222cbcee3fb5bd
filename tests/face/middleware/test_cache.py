"""The cache of identical calls: what is the same, what is kept, and its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import dragoman
from dragoman import Opaque, wrap
from dragoman.middleware import CallCache
from dragoman.testing import ScriptedModel, call
from tests.face.middleware.verbs import VERBS, chat, leave, stream
from tests.wire.laws import check_events

if TYPE_CHECKING:
    from dragoman import CallOptions
    from tests.face.middleware.verbs import Verb


@pytest.mark.parametrize("first", VERBS)
@pytest.mark.parametrize("second", VERBS)
def test_the_same_call_is_answered_once_whatever_the_verb(first: Verb, second: Verb) -> None:
    cache = CallCache()
    scripted = ScriptedModel(["only once"])
    model = wrap(scripted, cache)
    assert first(model, "Hi").content == "only once"
    again = second(model, "Hi")
    assert again.content == "only once"
    assert (again.usage, again.cost, again.attempts) == (dragoman.Usage(), None, ())
    assert len(scripted.calls) == 1
    assert (cache.hits, cache.misses, len(cache)) == (1, 1, 1)


def test_what_comes_from_the_cache_is_a_lawful_stream() -> None:
    model = wrap(ScriptedModel([["See.", call("weather", {"city": "İzmir"})]]), CallCache())
    model.chat("Hi")
    with model.stream("Hi") as again:
        finished = check_events([chunk.event for chunk in again])
    assert finished is not None
    assert finished.tool_calls[0].arguments == {"city": "İzmir"}


@pytest.mark.parametrize(
    "options", [{"temperature": 0.1}, {"seed": 2}, {"max_tokens": 5}, {"extra_body": {"x": 1}}, {"user": "b"}]
)
def test_any_difference_is_another_call(options: CallOptions) -> None:
    cache = CallCache()
    model = wrap(ScriptedModel(["one", "two", "three"]), cache)
    assert model.chat("Hi").content == "one"
    assert chat(model, "Hi", **options).content == "two"
    assert model.chat("Ho").content == "three"
    assert cache.hits == 0


def test_failures_and_cut_answers_are_not_kept() -> None:
    cut = dragoman.Response(
        choices=(
            dragoman.values.Choice(message=dragoman.assistant("…"), finish=dragoman.Finish(reason="content_filter")),
        )
    )
    model = wrap(ScriptedModel([dragoman.Overloaded("full"), cut, "well"]), CallCache())
    with pytest.raises(dragoman.Overloaded):
        model.chat("Hi")
    assert model.chat("Hi").finish_reason == "content_filter"
    assert model.chat("Hi").content == "well"
    assert model.chat("Hi").content == "well"


def test_a_stream_that_was_left_is_not_kept() -> None:
    cache = CallCache()
    model = wrap(ScriptedModel(["one two three", "again"]), cache)
    leave(model, "Hi")
    assert len(cache) == 0
    assert stream(model, "Hi").content == "again"


def test_calls_that_may_act_on_the_world_pass_by() -> None:
    cache = CallCache()
    search = Opaque(dialect="anthropic", kind="web_search", data={"type": "web_search_20250305", "name": "web_search"})
    model = wrap(ScriptedModel(["one", "two"], dialect="anthropic"), cache)
    assert model.chat("Hi", tools=[search]).content == "one"
    assert model.chat("Hi", tools=[search]).content == "two"
    assert (cache.hits, cache.misses, len(cache)) == (0, 0, 0)


def test_it_forgets_in_time() -> None:
    now = [0.0]
    cache = CallCache(ttl_seconds=10, clock=lambda: now[0])
    model = wrap(ScriptedModel(["one", "two"]), cache)
    assert model.chat("Hi").content == "one"
    now[0] = 9.9
    assert model.chat("Hi").content == "one"
    now[0] = 10.0
    assert model.chat("Hi").content == "two"
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)


def test_its_bounds_hold_and_the_least_recently_used_goes_first() -> None:
    cache = CallCache(most_entries=2)
    scripted = ScriptedModel(lambda request: request.messages[0].content)
    model = wrap(scripted, cache)
    for words in ("a", "b", "a", "c", "a", "b"):
        assert model.chat(words).content == words
    assert len(scripted.calls) == 4  # a, b, c and b again
    assert len(cache) == 2
    small = CallCache(most_bytes=cache.bytes)
    model = wrap(scripted, small)
    for number in range(50):
        model.chat(f"{number}")
        assert 0 < small.bytes <= cache.bytes
    model.chat("far too long " * 1000)
    assert small.bytes <= cache.bytes
