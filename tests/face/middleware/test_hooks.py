"""Hooks: each fires on streamed and unstreamed calls alike, in every dialect."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import dragoman
from dragoman import Message, Request, wrap
from dragoman.middleware import Hooks
from dragoman.testing import ScriptedModel, call
from dragoman.values import Finished, PartEnded, Reasoning, Started, ToolCall, replace
from tests.face.middleware.verbs import VERBS, leave
from tests.testing.spoken import DIALECTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dragoman.values import Event
    from tests.face.middleware.verbs import Verb


class Journal:
    """Hooks that write down what they were told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Any]] = []
        self.events: list[Event] = []

    def hooks(self) -> Hooks:
        def write(name: str) -> Callable[..., None]:
            return lambda *told: self.lines.append((name, told[-1]))

        return Hooks(
            before=lambda request: self.lines.append(("before", request)),
            event=self.events.append,
            tool_call=write("tool_call"),
            reasoning=write("reasoning"),
            after=write("after"),
            error=write("error"),
        )

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.lines]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_they_fire_in_order_on_every_verb(dialect: str, verb: Verb) -> None:
    journal = Journal()
    reply = Message("assistant", [Reasoning(text="Hm."), "Let me look.", call("weather", {"city": "İzmir"})])
    model = wrap(ScriptedModel([reply], dialect=dialect), journal.hooks())
    answer = verb(model, "Weather?")
    names = journal.names
    if "reasoning" in names:
        thought = journal.lines[1][1]
        assert isinstance(thought, Reasoning)
        assert thought.text == "Hm."
        names.remove("reasoning")
    assert names == ["before", "tool_call", "after"]
    told = dict(journal.lines)
    assert isinstance(told["before"], Request)
    assert isinstance(told["tool_call"], ToolCall)
    assert told["tool_call"].arguments == {"city": "İzmir"}
    assert told["after"].message == answer.message
    assert isinstance(journal.events[0], Started)
    assert isinstance(journal.events[-1], Finished)
    assert any(isinstance(event, PartEnded) for event in journal.events)


@pytest.mark.parametrize("verb", VERBS)
def test_reasoning_is_told_where_it_is_visible(verb: Verb) -> None:
    journal = Journal()
    model = wrap(ScriptedModel([[Reasoning(text="Hm."), "So."]], dialect="anthropic"), journal.hooks())
    verb(model, "Think.")
    assert journal.names == ["before", "reasoning", "after"]


@pytest.mark.parametrize("verb", VERBS)
def test_an_error_is_told_instead_of_the_answer(verb: Verb) -> None:
    journal = Journal()
    model = wrap(ScriptedModel([dragoman.Overloaded("full")]), journal.hooks())
    with pytest.raises(dragoman.Overloaded):
        verb(model, "Hi")
    assert journal.names == ["before", "error"]
    assert isinstance(journal.lines[1][1], dragoman.Overloaded)


@pytest.mark.parametrize("verb", VERBS)
def test_before_may_change_the_request_and_hooks_may_be_async(verb: Verb) -> None:
    seen: list[str] = []

    async def before(request: Request) -> Request:
        await asyncio.sleep(0)
        return replace(request, seed=5)

    async def after(request: Request, response: dragoman.Response) -> None:
        await asyncio.sleep(0)
        seen.append(f"{request.seed} {response.content}")

    scripted = ScriptedModel(["ok"])
    verb(wrap(scripted, Hooks(before=before, after=after)), "Hi")
    assert seen == ["5 ok"]
    assert scripted.calls[0].seed == 5


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_hook_raises_the_caller_gets(verb: Verb) -> None:
    def clumsy(_request: Request, _response: dragoman.Response) -> None:
        raise LookupError("my own bug")

    told: list[Exception] = []
    hooks = Hooks(after=clumsy, error=lambda _request, error: told.append(error))
    with pytest.raises(LookupError, match="my own bug"):
        verb(wrap(ScriptedModel(["ok"]), hooks), "Hi")
    assert len(told) == 1


def test_a_layer_that_gives_the_finish_alone_is_told_of_in_full() -> None:
    async def canned(request: Request, next: Any) -> AsyncIterator[Event]:
        choice = dragoman.values.Choice(message=Message("assistant", [call("weather", id="call_1")]))
        yield Finished(dragoman.Response(choices=(choice,)))

    journal = Journal()
    wrap(ScriptedModel([]), journal.hooks(), canned).chat("Hi")
    assert journal.names == ["before", "tool_call", "after"]


def test_a_stream_that_its_reader_leaves_ends_with_neither() -> None:
    journal = Journal()
    model = wrap(ScriptedModel(["one two three"]), journal.hooks())
    leave(model, "Hi")
    assert journal.names == ["before"]
