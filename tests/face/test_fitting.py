"""Messages fitted into a window: what is always kept, what goes first, and what stays byte for byte the same."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dragoman
from dragoman import facts
from dragoman.errors import InvalidRequest
from dragoman.face.fitting import Window, checked, fit_messages, pieces_of
from dragoman.values import (
    Message,
    MessageRole,
    Opaque,
    Part,
    Reasoning,
    Replay,
    Request,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
    assistant,
    system,
    to_json,
    tool_result,
    user,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

OVERHEAD = 11
"""What the tools offered come to, in these tests."""


def estimate(messages: Sequence[Message]) -> int:
    """Tokens, made up: four bytes each, and three for every message."""
    return OVERHEAD + sum(3 + len(to_json(message)) // 4 for message in messages)


def fitted(messages: Sequence[Message], budget: int, strategy: Any = "truncate") -> list[Message]:
    made = fit_messages(messages, Window(budget, estimate), strategy)
    assert isinstance(made, list)
    return made


# -- conversations as they are -----------------------------------------------------------------------------------------

_WORDS = st.text("abc déf", min_size=1, max_size=60)
_THOUGHT = Reasoning(text="hm", replay=(Replay(issuer="one", dialect="anthropic", kind="signature", data="c2ln"),))


@st.composite
def _rounds(draw: st.DrawFn, used: list[int]) -> list[Message]:
    """What comes after a user's words: rounds of (parallel) calls with results, and perhaps an answer."""
    said: list[Message] = []
    for _ in range(draw(st.integers(0, 3))):
        calls: list[ToolCall] = []
        for _ in range(draw(st.integers(1, 3))):
            used.append(len(used))
            # Some wires give no ids: the same ones come again in every turn.
            name = f"call-{len(calls)}" if draw(st.booleans()) else f"call-{used[-1]}-x"
            calls.append(ToolCall(id=name, name="t", arguments_text="{}"))
        before: list[Part] = [_THOUGHT] if draw(st.booleans()) else []
        said.append(Message(MessageRole.ASSISTANT, [*before, *calls]))
        results = [tool_result(call, draw(_WORDS)) for call in calls]
        if draw(st.booleans()):  # as Anthropic's wire has them: results in the user's turn, with words behind them
            parts: list[Part] = [part for result in results for part in result.parts]
            words: list[Part] = [Text(text=draw(_WORDS))] if draw(st.booleans()) else []
            said.append(Message(MessageRole.USER, [*parts, *words]))
        else:
            said.extend(results)
        if draw(st.booleans()):
            said.append(Message(MessageRole.DEVELOPER, draw(_WORDS)))
    if draw(st.booleans()):
        said.append(Message(MessageRole.ASSISTANT, [_THOUGHT, Opaque(dialect="anthropic", kind="k", data=1), "done"]))
    return said


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    used: list[int] = []
    messages = [system(draw(_WORDS))] if draw(st.booleans()) else []
    if draw(st.booleans()):
        messages.append(assistant("welcome"))
    for _ in range(draw(st.integers(1, 5))):
        messages += [user(draw(_WORDS)) for _ in range(draw(st.integers(1, 2)))]
        messages += draw(_rounds(used))
    return messages


def called_before(messages: Sequence[Message]) -> list[tuple[ToolResult, ToolCall | None]]:
    """Each result with the last call before it that has its id."""
    calls: dict[str, ToolCall] = {}
    found: list[tuple[ToolResult, ToolCall | None]] = []
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                calls[part.id] = part
            elif isinstance(part, ToolResult):
                found.append((part, calls.get(part.call_id)))
    return found


def least(messages: Sequence[Message]) -> int:
    """What has to be kept comes to."""
    droppable = {index for piece in pieces_of(messages) if not piece.needed for index in piece.indices}
    return estimate([message for index, message in enumerate(messages) if index not in droppable])


# -- promises ----------------------------------------------------------------------------------------------------------


@given(conversations(), st.sampled_from(["truncate", "sliding"]), st.data())
def test_the_promises(messages: list[Message], strategy: str, data: st.DataObject) -> None:
    whole = estimate(messages)
    budget = data.draw(st.integers(least(messages), whole + 5))
    kept = fitted(messages, budget, strategy)
    assert estimate(kept) <= budget
    identities = [id(message) for message in kept]
    places = [index for index, message in enumerate(messages) if id(message) in identities]
    assert [id(messages[index]) for index in places] == identities  # as they were, in order: parts, state and all
    if whole <= budget:
        assert kept == messages
    operators = (MessageRole.SYSTEM, MessageRole.DEVELOPER)
    assert [m for m in kept if m.role in operators] == [m for m in messages if m.role in operators]
    spoken = [message for message in messages if message.role is MessageRole.USER]
    newest = [m for m in spoken if any(not isinstance(part, ToolResult) for part in m.parts)][-1]
    assert any(message is newest for message in kept)


@given(conversations(), st.sampled_from(["truncate", "sliding"]), st.data())
def test_results_stay_with_their_calls(messages: list[Message], strategy: str, data: st.DataObject) -> None:
    kept = fitted(messages, data.draw(st.integers(least(messages), estimate(messages))), strategy)
    calls_before = {id(result): call for result, call in called_before(messages)}
    for result, call in called_before(kept):
        assert call is calls_before[id(result)]
    answered = {id(call): 0 for _, call in called_before(messages) if call is not None}
    for _, call in called_before(messages):
        answered[id(call)] += 1
    still = [id(call) for _, call in called_before(kept)]
    for message in kept:
        for call in message.tool_calls:
            assert still.count(id(call)) == answered.get(id(call), 0)


@given(conversations(), st.data())
def test_sliding_drops_no_more_than_it_must(messages: list[Message], data: st.DataObject) -> None:
    budget = data.draw(st.integers(least(messages), estimate(messages)))
    kept = fitted(messages, budget, "sliding")
    dropped = [index for index, message in enumerate(messages) if not any(message is one for one in kept)]
    if dropped:
        newest = [piece for piece in pieces_of(messages) if piece.indices[0] in dropped][-1]
        more = [
            message
            for index, message in enumerate(messages)
            if index in newest.indices or any(message is one for one in kept)
        ]
        assert estimate(more) > budget - len(messages)  # the estimate rounds each message by itself


@given(conversations())
def test_what_cannot_fit_is_an_error_with_the_numbers(messages: list[Message]) -> None:
    with pytest.raises(InvalidRequest, match=rf"about {least(messages)} tokens, and {OVERHEAD} fit"):
        fitted(messages, OVERHEAD)


# -- examples ----------------------------------------------------------------------------------------------------------

TURNS = [
    message for number in range(80) for message in (user(f"question {number:03}"), assistant(f"answer {number:03}"))
]


def first_words(messages: list[Message]) -> str:
    return messages[1].content


def test_truncation_keeps_the_beginning_the_same_for_many_calls() -> None:
    """A growing conversation: the cut moves rarely, so what was kept for the last call begins the next one too."""
    start, budget = [system("Be brief.")], 1000
    begins = {strategy: [first_words(fitted([*start, *TURNS[: 2 * turn + 1]], budget, strategy)) for turn in range(80)]
              for strategy in ("truncate", "sliding")}  # fmt: skip
    moved = {strategy: sum(one != other for one, other in pairwise(each))
             for strategy, each in begins.items()}  # fmt: skip
    assert moved["sliding"] > 4 * moved["truncate"] > 0


def test_a_conversation_that_is_fitted_in_place_is_cut_in_large_steps() -> None:
    messages, budget, cuts = [system("Be brief.")], 1000, 0
    for message in TURNS:
        before = len(messages) + 1
        messages = fitted([*messages, message], budget)
        cuts += len(messages) < before
    assert 1 <= cuts <= 14


def test_old_turns_go_first_then_old_rounds_of_the_newest_turn() -> None:
    def around(number: int) -> list[Message]:
        call = ToolCall(id="c", name="look", arguments_text="{}")  # the same id in every round
        return [Message(MessageRole.ASSISTANT, [_THOUGHT, call]), tool_result(call, f"seen {number} " + "x" * 80)]

    messages = [system("S"), user("old"), assistant("answer"), user("new"), *around(1), *around(2), *around(3)]
    assert fitted(messages, estimate(messages) - 1, "sliding") == [messages[0], *messages[3:]]
    tight = estimate(messages) - estimate([*messages[1:3], *messages[4:6]]) + OVERHEAD
    assert fitted(messages, tight, "sliding") == [messages[0], messages[3], *messages[6:]]
    assert fitted(messages, least(messages)) == [messages[0], messages[3], *messages[8:]]


def test_a_late_result_holds_everything_from_its_call_on_together() -> None:
    call = ToolCall(id="c", name="look", arguments_text="{}")
    messages = [user("a"), assistant("b"), user("c"), assistant(call), user("wait"), tool_result(call, "r"), user("d")]
    assert [piece.indices for piece in pieces_of(messages)] == [(0, 1), (2, 3, 4, 5), (6,)]


def test_a_function_shortens_in_its_own_way() -> None:
    messages = [system("S"), *TURNS]
    seen: list[int] = []

    def summarise(given: list[Message], budget: int) -> list[Message]:
        seen.append(budget)
        assert given == messages
        return [given[0], user("Before: 80 questions."), given[-2]]

    assert [one.content for one in fitted(messages, 300, summarise)] == ["S", "Before: 80 questions.", "question 079"]
    assert seen == [300]
    assert fitted(messages, 10_000, summarise) == messages  # nobody is asked while all fits
    assert seen == [300]


def test_a_function_is_held_to_the_promises() -> None:
    call = ToolCall(id="c9", name="look", arguments_text="{}")
    messages = [*TURNS, user("look"), assistant(call), tool_result(call, "seen")]
    with pytest.raises(InvalidRequest, match=r"the strategy gave about \d+ tokens, and 300 fit"):
        fitted(messages, 300, lambda given, budget: given)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(InvalidRequest, match="parted results from their calls: c9"):
        fitted(messages, 300, lambda given, budget: given[-1:])  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]


def test_an_asynchronous_function_is_awaited() -> None:
    async def summarise(given: list[Message], budget: int) -> list[Message]:
        await asyncio.sleep(0)
        return given[-2:]

    async def main() -> list[Message]:
        window = Window(300, estimate)
        made = fit_messages(TURNS, window, summarise)
        assert not isinstance(made, list)
        return checked(await made, TURNS, window)

    assert asyncio.run(main()) == TURNS[-2:]


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="strategy is"):
        fitted(TURNS, 10, "shorten")


# -- on a model --------------------------------------------------------------------------------------------------------


def model(**options: Any) -> dragoman.ChatModel:
    return dragoman.get_model("openai/gpt-4o-mini", api_key="k", **options)


def prompt_tokens(messages: Sequence[Message], *tools: ToolDefinition) -> int:
    request = Request(model="gpt-4o-mini", messages=tuple(messages), tools=tools)
    return facts.estimate_tokens(request, "openai", "gpt-4o-mini").tokens


def test_a_model_counts_as_the_facts_do() -> None:
    kept = model().fit(TURNS, 200)
    assert kept[-1] == TURNS[-1]
    assert len(kept) < len(TURNS)
    assert prompt_tokens(kept) <= 200 < prompt_tokens(TURNS)


def test_bound_tools_take_their_room() -> None:
    tool = ToolDefinition(name="look", description="Looks. " * 50, input_schema={"type": "object"})
    kept, beside = (
        model().fit(TURNS, 300, strategy="sliding"),
        model().bind_tools([tool]).fit(TURNS, 300, strategy="sliding"),
    )
    assert len(beside) < len(kept)
    assert prompt_tokens(beside, tool) <= 300


def test_without_a_number_it_is_the_models_window_with_room_for_the_answer() -> None:
    window = facts.profile("openai", "gpt-4o-mini").context_tokens
    assert window == 128_000
    long = [user(str(number) + " word" * 1000) for number in range(200)]
    talk = [message for one in long for message in (one, assistant("yes"))]
    kept = model().fit(talk, strategy="sliding")
    assert 0.85 * (window - 16_384) < prompt_tokens(kept) <= window - 16_384
    wider = model().with_options(max_tokens=1000).fit(talk, strategy="sliding")
    assert prompt_tokens(kept) < prompt_tokens(wider) <= window - 1000


def test_messages_of_every_shape_are_taken() -> None:
    assert model().fit("Hello.", 100) == [user("Hello.")]
    assert [one.role for one in model().fit([{"role": "system", "content": "S"}, "Hello."], 100)] == ["system", "user"]


def test_an_unknown_window_asks_for_a_number() -> None:
    unknown = dragoman.get_model("openai/no-such-model-9", api_key="k")
    with pytest.raises(InvalidRequest, match="window of openai/no-such-model-9 is not known; pass max_tokens"):
        unknown.fit("Hello.")
    assert unknown.fit("Hello.", 1000) == [user("Hello.")]


def test_several_models_are_fitted_to_the_narrowest() -> None:
    narrow = dragoman.get_model("openai/gpt-4", api_key="k")  # 8,192 tokens
    talk = [said for number in range(60) for said in (user(f"{number}" + " word" * 400), assistant("yes"))]
    kept = dragoman.fallback(model(), narrow).fit(talk)
    assert len(kept) < len(talk)
    assert facts.estimate_tokens(Request(model="gpt-4", messages=tuple(kept)), "openai", "gpt-4").tokens < 8192


def test_an_asynchronous_strategy_needs_afit() -> None:
    async def summarise(given: list[Message], budget: int) -> list[Message]:
        return given[-2:]

    with pytest.raises(InvalidRequest, match="await afit"):
        model().fit(TURNS, 200, strategy=summarise)
    assert asyncio.run(model().afit(TURNS, 200, strategy=summarise)) == TURNS[-2:]
    assert asyncio.run(model().afit(TURNS, 200)) == model().fit(TURNS, 200)
