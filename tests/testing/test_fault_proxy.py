"""The fault proxy: what passes is what the server said, what it breaks is broken alike, and its log tells both."""

from __future__ import annotations

from collections.abc import Generator

import pytest

import dragoman
from dragoman.testing import (
    Cut,
    ErrorIn200,
    ErrorInStream,
    FakeProvider,
    Fault,
    FaultProxy,
    Garbage,
    Malformed,
    Reset,
    SlowHead,
    Stall,
    Status,
)
from dragoman.testing.models import model_at
from dragoman.testing.wires import WIRES
from tests.testing.spoken import DIALECTS

WORDS = "one two three four five six seven eight"


@pytest.fixture
def fake() -> Generator[FakeProvider]:
    with FakeProvider() as held:
        yield held


@pytest.fixture
def proxy(fake: FakeProvider) -> Generator[FaultProxy]:
    with FaultProxy(fake.url) as held:
        yield held


def behind(proxy: FaultProxy, dialect: str = "openai-chat", **options: object) -> dragoman.ChatModel:
    url = proxy.url + WIRES[dialect].version
    return model_at(url, dialect, "fake-model", **{"api_key": "fake-key", "max_retries": 0, **options})


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_passes_is_what_the_server_said(fake: FakeProvider, proxy: FaultProxy, dialect: str) -> None:
    direct, through = fake.model(dialect), behind(proxy, dialect)
    first, second = (model.chat(f"Say: {WORDS}") for model in (direct, through))
    assert (first.content, first.usage, first.finish_reason) == (second.content, second.usage, second.finish_reason)
    streams = [[chunk.delta for chunk in model.stream(f"Say: {WORDS}")] for model in (direct, through)]
    assert streams[0] == streams[1]
    proxy.settled()
    whole, streamed = proxy.requests
    assert (whole.upstream, whole.status, whole.seen.dialect) == ("whole", 200, dialect)
    assert (streamed.upstream, streamed.seen.ended, streamed.seen.streamed) == ("whole", "whole", True)
    assert streamed.events >= 8
    assert len(fake.requests) == 4


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("fault", "whole", "streamed", "asked"),
    [
        (Status(429, retry_after=7.0), dragoman.RateLimited, dragoman.RateLimited, False),
        (Status(529), dragoman.Overloaded, dragoman.Overloaded, False),
        (Garbage(status=502), dragoman.ServerFault, dragoman.ServerFault, False),
        (Reset(), dragoman.ConnectionLost, dragoman.ConnectionLost, False),
        (Reset(after=5), dragoman.ConnectionLost, dragoman.TransportError, True),
        (Cut(after=5), dragoman.ConnectionLost, dragoman.TransportError, True),
        (Malformed(after=5), dragoman.ProtocolViolation, dragoman.ProtocolViolation, True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, (Status, Garbage, Reset, Cut, Malformed)) else "",
)
def test_each_fault_is_met_by_its_error(
    fake: FakeProvider,
    proxy: FaultProxy,
    dialect: str,
    fault: Fault,
    whole: type[Exception],
    streamed: type[Exception],
    asked: bool,
) -> None:
    model = behind(proxy, dialect)
    proxy.fail(fault, fault)
    with pytest.raises(whole):
        model.chat(f"Say: {WORDS}")
    with pytest.raises(streamed):
        list(model.stream(f"Say: {WORDS}"))
    proxy.settled()
    assert [passage.fault for passage in proxy.requests] == [fault, fault]
    assert [passage.sent_on for passage in proxy.requests] == [asked, asked]
    assert len(fake.requests) == (2 if asked else 0)
    assert proxy.requests[1].events == (5 if asked else 0)


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic", "gemini"])
def test_a_stream_that_says_that_it_failed(proxy: FaultProxy, dialect: str) -> None:
    proxy.fail(ErrorInStream(dragoman.Overloaded("full"), after=6), ErrorIn200(dragoman.RateLimited("slow down")))
    with pytest.raises(dragoman.Overloaded, match="full") as caught:
        list(behind(proxy, dialect).stream(f"Say: {WORDS}"))
    assert caught.value.partial.content
    assert WORDS.startswith(caught.value.partial.content)
    with pytest.raises(dragoman.RateLimited):
        behind(proxy, dialect).chat("Hi")


def test_a_caller_that_leaves_takes_the_connection_behind_with_it(fake: FakeProvider, proxy: FaultProxy) -> None:
    fake.fail(Stall(after=6))
    with behind(proxy).stream(f"Say: {WORDS}") as stream:
        next(stream)
    assert fake.caller_left.wait(5)
    proxy.settled()
    assert (proxy.requests[0].caller_left, proxy.requests[0].upstream) == (True, "closed")


def test_it_can_stall_and_be_slow_itself(fake: FakeProvider, proxy: FaultProxy) -> None:
    proxy.fail(Stall(after=6), SlowHead(60), SlowHead(0.02))
    with pytest.raises(dragoman.TimedOut):
        list(behind(proxy, timeout=0.1).stream(f"Say: {WORDS}"))
    with pytest.raises(dragoman.TimedOut):
        behind(proxy, timeout=0.1).chat("Hi")
    assert behind(proxy).chat("Say: late").content == "late"
    proxy.settled()
    assert [passage.seen.ended for passage in proxy.requests] == ["left", "left", "whole"]
    assert [passage.sent_on for passage in proxy.requests] == [True, False, True]


def test_a_fault_may_depend_on_the_request(fake: FakeProvider) -> None:
    with FaultProxy(fake.url, choose=lambda seen: Status(503) if seen.streamed else None) as proxy:
        assert behind(proxy).chat("Say: well").content == "well"
        with pytest.raises(dragoman.Overloaded):
            list(behind(proxy).stream("Hi"))


def test_refused_connections_and_a_server_that_is_not_there(fake: FakeProvider, proxy: FaultProxy) -> None:
    with proxy.refusing_connections(), pytest.raises(dragoman.ConnectFailed):
        behind(proxy).chat("Hi")
    with fake.refusing_connections(), pytest.raises(dragoman.ServerFault):
        behind(proxy).chat("Hi")
    assert behind(proxy).chat("Say: back").content == "back"
    assert [passage.sent_on for passage in proxy.requests] == [False, True]


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with http"):
        FaultProxy("127.0.0.1:80")
