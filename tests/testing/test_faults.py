"""Faults on demand: each one in every dialect, streamed and not, is met by the error that a caller should see."""

from __future__ import annotations

import pytest

import dragoman
from dragoman.testing import (
    Cut,
    ErrorIn200,
    ErrorInStream,
    FakeProvider,
    Fault,
    Garbage,
    Malformed,
    Reset,
    SlowHead,
    Stall,
    Status,
)
from tests.testing.spoken import DIALECTS

WORDS_ONLY = {
    # where an error in a stream, or in a 200, has words and no class of its own
    "ErrorInStream": ("cohere", "ollama"),
    "ErrorIn200": ("bedrock", "cohere", "ollama"),
}
WORDS = "one two three four five six seven eight"

FAULTS: list[tuple[Fault, type[dragoman.DragomanError], type[dragoman.DragomanError]]] = [
    # the fault, what a whole answer becomes, what a stream becomes
    (Status(429, retry_after=7.0), dragoman.RateLimited, dragoman.RateLimited),
    (Status(503), dragoman.Overloaded, dragoman.Overloaded),
    (Status(401), dragoman.AuthenticationFailed, dragoman.AuthenticationFailed),
    (Garbage(), dragoman.ProtocolViolation, dragoman.TransportError),
    (Reset(), dragoman.ConnectionLost, dragoman.ConnectionLost),
    (Cut(), dragoman.ConnectionLost, dragoman.TransportError),
    (Malformed(), dragoman.ProtocolViolation, dragoman.ProtocolViolation),
    (ErrorInStream(dragoman.Overloaded("full")), dragoman.Overloaded, dragoman.Overloaded),
    (ErrorIn200(dragoman.RateLimited("slow down")), dragoman.RateLimited, dragoman.RateLimited),
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("fault", "whole", "streamed"), FAULTS, ids=[type(row[0]).__name__ for row in FAULTS])
def test_each_fault_is_met_by_its_error(
    dialect: str, fault: Fault, whole: type[dragoman.DragomanError], streamed: type[dragoman.DragomanError]
) -> None:
    if dialect in WORDS_ONLY.get(type(fault).__name__, ()):
        streamed, whole = dragoman.ProviderError, whole if type(fault) is ErrorInStream else dragoman.ProviderError
    with FakeProvider() as fake:
        model = fake.model(dialect, max_retries=0)
        fake.fail(fault, fault)
        with pytest.raises(whole):
            model.chat(f"Say: {WORDS}")
        with pytest.raises(streamed):
            list(model.stream(f"Say: {WORDS}"))
        assert model.chat("Say: well again").content == "well again"
        assert len(fake.requests) == 3


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_time_to_wait_arrives(dialect: str) -> None:
    with FakeProvider() as fake:
        fake.fail(Status(429, retry_after=7.0, headers={"x-note": "from the test"}))
        with pytest.raises(dragoman.RateLimited) as caught:
            fake.model(dialect, max_retries=0).chat("Hi")
        assert caught.value.retry_after == 7.0


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_clean_end_without_a_finish_is_truncation(dialect: str) -> None:
    with FakeProvider() as fake:
        fake.fail(Cut(after=5, clean=True))
        with pytest.raises(dragoman.StreamTruncated) as caught:
            list(fake.model(dialect, max_retries=0).stream(f"Say: {WORDS}"))
        assert WORDS.startswith(caught.value.partial.content)
        assert caught.value.partial.content
        assert fake.requests[0].ended == "cut"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stall_lasts_until_the_caller_leaves(dialect: str) -> None:
    with FakeProvider() as fake:
        fake.fail(Stall(after=5))
        with fake.model(dialect).stream(f"Say: {WORDS}") as stream:
            text = ""
            for chunk in stream:
                text += chunk.delta
                if text:
                    break
        assert fake.caller_left.wait(5)
        fake.wait_for(lambda: fake.requests[0].ended == "left")


def test_a_stalled_whole_answer_runs_into_the_callers_own_limit() -> None:
    with FakeProvider() as fake:
        fake.fail(Stall())
        with pytest.raises(dragoman.TimedOut):
            fake.model(max_retries=0, timeout=0.05).chat("Hi")
        assert fake.caller_left.wait(5)


def test_a_slow_head_is_waited_for() -> None:
    with FakeProvider() as fake:
        fake.fail(SlowHead(0.02), SlowHead(60))
        model = fake.model(max_retries=0)
        assert model.chat("Say: late").content == "late"
        with pytest.raises(dragoman.TimedOut):
            model.chat("Hi", timeout=0.05)
        assert fake.caller_left.wait(5)


def test_refused_connections_and_back_again() -> None:
    with FakeProvider() as fake:
        model = fake.model(max_retries=0)
        assert model.chat("Hi").content
        with fake.refusing_connections(), pytest.raises(dragoman.ConnectFailed):
            model.chat("Hi")
        assert model.chat("Say: back").content == "back"
        assert len(fake.requests) == 2


def test_a_fallback_takes_over_and_the_logs_bear_witness() -> None:
    with FakeProvider() as first, FakeProvider() as second:
        first.fail(Status(503))
        model = dragoman.fallback(first.model(max_retries=0), second.model("anthropic"))
        assert model.chat("Say: here").content == "here"
        assert (len(first.requests), len(second.requests)) == (1, 1)
