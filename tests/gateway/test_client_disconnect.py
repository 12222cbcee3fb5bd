"""A client that goes: its upstream call ends at once, at whatever stage, and its attempt is settled as cancelled."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from dragoman.testing import SlowHead, Stall
from tests.gateway.fronts import PUBLIC_DIALECTS, Front, model_of
from tests.gateway.running import KEY, running_gateway
from tests.gateway.scripted_upstream import running_scripted
from tests.gateway.upstream_bytes import path_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

SECONDS = 5.0
"""How long anything may take here; what is asked for takes a tick."""

_WORDS = "Say: one two three four five six seven eight nine ten"
_BODIES: dict[str, dict[str, Any]] = {
    "openai-chat": {"messages": [{"role": "user", "content": _WORDS}]},
    "openai-responses": {"input": _WORDS},
    "anthropic": {"messages": [{"role": "user", "content": _WORDS}], "max_tokens": 99},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": _WORDS}]}]},
}


class _Caller:
    """One raw connection, which can be left at any moment."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=SECONDS)

    def ask(self, client: str, dialect: str, *, stream: bool) -> None:
        body = dict(_BODIES[client])
        if client != "gemini":
            body |= {"model": model_of(dialect), "stream": stream}
        data = msgspec.json.encode(body)
        self.socket.sendall(self.head(path_of(client, model_of(dialect), stream=stream), len(data)) + data)

    @staticmethod
    def head(path: str, length: int) -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\n"
            f"content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        ).encode()

    def read_until(self, text: bytes) -> None:
        read = b""
        while text not in read:
            piece = self.socket.recv(65536)
            assert piece, read
            read += piece

    def leave(self, how: str) -> None:
        """Closes politely, or with a reset."""
        if how == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()


@pytest.fixture
def caller(front: Front) -> Generator[_Caller]:
    front.fake.caller_left.clear()
    made = _Caller(front.url)
    yield made
    made.socket.close()


def _settled(folder: Path, already: int) -> dict[str, Any]:
    """The line of the one attempt that was settled meanwhile."""
    log = folder / "requests.log"
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        lines = log.read_bytes().splitlines() if log.exists() else []
        if len(lines) > already:
            assert len(lines) == already + 1
            return msgspec.json.decode(lines[-1])
        time.sleep(0.002)
    raise TimeoutError("no attempt was settled")


def _lines(front: Front) -> int:
    log = front.gateway.folder / "requests.log"
    return len(log.read_bytes().splitlines()) if log.exists() else 0


def _ends_alone(front: Front, asked: int, lines: int) -> dict[str, Any]:
    """The upstream call is over, it was the only one, and so is its record."""
    assert front.fake.caller_left.wait(SECONDS), "the upstream call went on"
    front.fake.wait_for(lambda: front.fake.requests[-1].ended == "left")
    line = _settled(front.gateway.folder, lines)
    assert len(front.fake.requests) == asked + 1
    assert line["outcome"] == "cancelled"
    return line


@pytest.mark.parametrize("how", ["politely", "reset"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("dialect", PUBLIC_DIALECTS)
@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_before_the_provider_says_anything(
    client: str, dialect: str, stream: bool, how: str, front: Front, caller: _Caller
) -> None:
    asked, lines = len(front.fake.requests), _lines(front)
    front.fake.fail(SlowHead(30))
    caller.ask(client, dialect, stream=stream)
    front.fake.wait_for(lambda: len(front.fake.requests) > asked)
    caller.leave(how)
    line = _ends_alone(front, asked, lines)
    assert line.get("input_tokens") is None  # nothing was said of them


@pytest.mark.parametrize("dialect", PUBLIC_DIALECTS)
@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_after_the_head_and_before_a_part(client: str, dialect: str, front: Front, caller: _Caller) -> None:
    asked, lines = len(front.fake.requests), _lines(front)
    front.fake.fail(Stall(after=0))
    caller.ask(client, dialect, stream=True)
    _until(lambda: len(front.fake.requests) > asked and front.fake.requests[-1].status == 200)
    caller.leave("politely")
    _ends_alone(front, asked, lines)


@pytest.mark.parametrize("how", ["politely", "reset"])
@pytest.mark.parametrize("dialect", PUBLIC_DIALECTS)
@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_in_the_middle_of_the_answer(client: str, dialect: str, how: str, front: Front, caller: _Caller) -> None:
    asked, lines = len(front.fake.requests), _lines(front)
    front.fake.fail(Stall(after=8))
    caller.ask(client, dialect, stream=True)
    caller.read_until(b"three")
    caller.leave(how)
    _ends_alone(front, asked, lines)


_USAGE_FIRST = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
    b'"role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":21,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"one two three"}}\n\n'
)


def _goes_on() -> Iterable[bytes]:
    yield _USAGE_FIRST
    while True:
        time.sleep(0.005)
        yield b'event: ping\ndata: {"type": "ping"}\n\n'


@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_what_was_reported_until_then_is_booked(client: str, tmp_path: Path) -> None:
    with running_scripted() as upstream:
        upstream.pieces = _goes_on
        text = f"""
providers: {{p: {{dialect: anthropic, base_url: "{upstream.url}/v1", api_key: none}}}}
models: {{{model_of("anthropic")}: [p/m]}}
server: {{master_key: {KEY}}}
"""
        with running_gateway(text, tmp_path) as gateway:
            caller = _Caller(gateway.url)
            caller.ask(client, "anthropic", stream=True)
            caller.read_until(b"three")
            caller.leave("politely")
            assert upstream.left.wait(SECONDS), "the upstream call went on"
            line = _settled(gateway.folder, 0)
    assert line["outcome"] == "cancelled"
    assert line["input_tokens"] == 21


@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_in_the_middle_of_the_question_nobody_is_asked(client: str, front: Front, caller: _Caller) -> None:
    asked, lines = len(front.fake.requests), _lines(front)
    path = path_of(client, model_of(client), stream=True)
    caller.socket.sendall(_Caller.head(path, 10_000) + b'{"model": "through-')
    running = front.gateway.gateway
    assert running is not None
    _until(lambda: bool(running.app.running) or running.app.connections > 0)
    caller.leave("politely")
    _until(lambda: not running.app.running)
    assert (len(front.fake.requests), _lines(front)) == (asked, lines)


def test_nothing_is_left_behind(front: Front) -> None:
    """After all of the above: no request in flight, no bytes held, and the spool has every attempt settled."""
    running = front.gateway.gateway
    assert running is not None
    _until(lambda: not running.app.running and not running.app.bytes_in_flight)
    outcomes = [
        msgspec.json.decode(line)["outcome"]
        for line in (front.gateway.folder / "requests.log").read_bytes().splitlines()
    ]
    assert len(outcomes) == len(front.fake.requests)


def _until(condition: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)
