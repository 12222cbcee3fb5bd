"""Whatever steps a decoder makes of an assembly, the events are lawful and add up to the answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ProtocolViolation
from dragoman.values import (
    Assembly,
    Citation,
    Event,
    Finish,
    Finished,
    Media,
    Opaque,
    PartEnded,
    Reasoning,
    Refusal,
    Replay,
    Response,
    Started,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
    Usage,
)
from tests.wire.laws import LawBroken, check_events

_SKELETONS = st.sampled_from(
    [
        Text(text=""),
        Text(text="Begun "),
        Reasoning(),
        Refusal(text=""),
        ToolCall(id="call_1", name="weather"),
        Media(kind="audio", media_type="audio/wav"),
        Opaque(dialect="x", kind="y", data={"z": 1}),
        ToolResult(call_id="ws_1", runner="provider"),
    ]
)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.integers(0, 5), st.integers(0, 1), _SKELETONS),
        st.tuples(st.just("delta"), st.integers(0, 5), st.text(max_size=4)),
        st.tuples(st.just("cite"), st.integers(0, 5)),
        st.tuples(st.just("amend"), st.integers(0, 5)),
        st.tuples(st.just("end"), st.integers(0, 5)),
        st.tuples(st.just("whole"), st.integers(0, 1), _SKELETONS),
        st.tuples(st.just("usage"), st.integers(0, 99)),
    ),
    max_size=30,
)


def _assembly() -> Assembly:
    return Assembly(provider="here", dialect="x", model="m")


def _driven(assembly: Assembly, steps: list[tuple[Any, ...]]) -> list[Event]:
    """Steps that an assembly allows at this moment; the rest are skipped, as no decoder makes them."""
    events: list[Event] = list(assembly.start(id="r"))
    takes_text: set[int] = set()
    for verb, *rest in steps:
        key: Any = rest[0]
        if verb == "open" and not assembly.is_open(key):
            events.append(assembly.open(key, rest[2], choice=rest[1]))
            takes_text.discard(key)
            if not isinstance(rest[2], (Opaque, ToolResult)):
                takes_text.add(key)
        elif verb == "delta" and assembly.is_open(key) and key in takes_text:
            events += assembly.delta(key, rest[1])
        elif verb == "cite" and assembly.is_open(key) and isinstance(assembly.skeleton(key), Text):
            events += assembly.cite(key, Citation(kind="url", url="https://example.org"))
        elif verb == "amend" and assembly.is_open(key):
            assembly.amend(key, replay=(Replay(issuer="i", dialect="x", kind="signature", data="s"),))
        elif verb == "end" and assembly.is_open(key):
            events += assembly.end(key)
        elif verb == "whole":
            events += assembly.whole(rest[1], choice=key)
        elif verb == "usage":
            events += assembly.usage(Usage(input_tokens=key))
    return events


@given(steps=_STEPS)
def test_any_steps_give_lawful_events(steps: list[tuple[Any, ...]]) -> None:
    assembly = _assembly()
    events = _driven(assembly, steps)
    for choice in (0, 1):
        events += assembly.end_all(choice)
        assembly.finish(Finish(reason="stop"), choice=choice)
    events += assembly.complete()
    response = check_events(events)
    assert response is not None
    assert response == assembly.partial()


@given(steps=_STEPS)
def test_the_answer_so_far_holds_what_came(steps: list[tuple[Any, ...]]) -> None:
    assembly = _assembly()
    events = _driven(assembly, steps)
    assert check_events(events) is None
    partial = assembly.partial()
    ended = {(event.choice, event.index): event.part for event in events if isinstance(event, PartEnded)}
    for (choice, index), part in ended.items():
        turn = next(turn for turn in partial.choices if turn.index == choice)
        assert turn.message.parts[index] == part
    assert all(turn.finish is None for turn in partial.choices)


def test_a_second_start_is_no_event_and_fills_in_what_was_unknown() -> None:
    assembly = _assembly()
    (started,) = assembly.start(model="m-2")
    assert assembly.start(id="late", model="m-3", created=5) == []
    partial = assembly.partial()
    assert (partial.id, partial.model, partial.created) == ("late", "m-3", 5)
    assert isinstance(started, Started)
    assert (started.provider, started.model) == ("here", "m-2")


def test_what_a_stream_may_not_do_is_a_violation() -> None:
    assembly = _assembly()
    assembly.start()
    assembly.open("a", Text(text=""))
    assembly.open("o", Opaque(dialect="x", kind="y", data=None))
    with pytest.raises(ProtocolViolation, match="'a' twice"):
        assembly.open("a", Text(text=""))
    with pytest.raises(ProtocolViolation, match="'b', which is not open"):
        assembly.delta("b", "x")
    with pytest.raises(ProtocolViolation, match="'o', which has none"):
        assembly.delta("o", "x")
    assembly.end_all()
    assembly.finish(Finish(reason="stop"))
    assembly.complete()
    for late in (
        lambda: assembly.open("c", Text(text="")),
        lambda: assembly.finish(Finish(reason="stop")),
        assembly.complete,
    ):
        with pytest.raises(ProtocolViolation, match="after its end"):
            late()


def test_a_terminal_object_takes_the_place_of_what_was_assembled() -> None:
    terminal = Response(id="terminal")
    assembly = _assembly()
    assembly.start()
    assert assembly.complete(terminal) == [Finished(terminal)]


def test_extras_are_gathered() -> None:
    assembly = _assembly()
    assembly.start(extras={"x": {"a": 1}})
    assembly.extend({"x": {"b": 2}, "y": {"c": 3}})
    assembly.extend_choice(0, {"x": {"logprobs": None}})
    assembly.extend_message(0, {"x": {"audio": None}})
    partial = assembly.partial()
    assert partial.extras == {"x": {"a": 1, "b": 2}, "y": {"c": 3}}
    assert partial.choices[0].extras == {"x": {"logprobs": None}}
    assert partial.choices[0].message.extras == {"x": {"audio": None}}


def test_choices_stand_in_the_order_of_their_index() -> None:
    assembly = _assembly()
    assembly.start()
    for choice in (2, 0, 1):
        assembly.whole(Text(text=str(choice)), choice=choice)
        assembly.finish(Finish(reason="stop"), choice=choice)
    assert [choice.index for choice in assembly.partial().choices] == [0, 1, 2]
    assert assembly.all_finished


def _said(*changes: tuple[int, Event | None]) -> list[Event]:
    """A lawful run with the events at the given places replaced, or left out."""
    assembly = _assembly()
    events: list[Event] = [*assembly.start(), assembly.open("a", Text(text="")), *assembly.delta("a", "Hi")]
    events += assembly.end("a")
    assembly.finish(Finish(reason="stop"))
    events += assembly.complete()
    for place, event in sorted(changes, key=lambda change: change[0], reverse=True):
        events[place : place + 1] = [event] if event is not None else []
    return events


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ((0, None), "before the start"),
        ((1, None), "not open"),
        ((2, None), "do not add up"),
        ((2, TextDelta(0, "Ho")), "do not add up"),
        ((2, TextDelta(1, "Hi")), "not open"),
        ((3, None), "are open"),
        ((3, PartEnded(0, Refusal(text="Hi"))), "ended as Refusal"),
        ((4, Finished(Response())), "no choice"),
    ],
)
def test_the_judge_of_laws_finds_what_breaks_them(change: tuple[int, Event | None], law: str) -> None:
    assert check_events(_said()) is not None
    with pytest.raises(LawBroken, match=law):
        check_events(_said(change))


def test_the_judge_finds_what_comes_after_the_finish() -> None:
    with pytest.raises(LawBroken, match="after the finish"):
        check_events([*_said(), TextDelta(0, "more")])
    with pytest.raises(LawBroken, match="second start"):
        check_events([_said()[0], *_said()])
