"""A reader that does not read: what the provider may write is bounded, and its connection ends with the reader's."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.gateway.running import KEY, RunningGateway, running_gateway
from tests.gateway.scripted_upstream import Scripted, running_scripted
from tests.gateway.upstream_bytes import path_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

SECONDS = 20.0
PIECE = 64 * 1024
MOST_TAKEN = 24 * 1024 * 1024
"""What the kernel's buffers of two connections and the gateway's own may hold together, by far."""

_CHUNK = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"' + b"x" * PIECE + b'"},"finish_reason":null}]}\n\n'
)


def _endless() -> Iterable[bytes]:
    for _ in range(16_000):  # a gigabyte
        yield _CHUNK


@pytest.fixture(scope="module")
def upstream() -> Generator[Scripted]:
    with running_scripted() as scripted:
        yield scripted


@pytest.fixture(scope="module")
def gateway(upstream: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    text = f"""
providers: {{p: {{dialect: openai-chat, base_url: "{upstream.url}/v1", api_key: none}}}}
models: {{m: [p/m]}}
server: {{master_key: {KEY}}}
"""
    with running_gateway(text, tmp_path_factory.mktemp("gateway")) as running:
        yield running


def _ask(gateway: RunningGateway, client: str) -> socket.socket:
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.settimeout(SECONDS)
    connection.connect((host, int(port)))
    asked: Any = {
        "openai-chat": {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]},
        "anthropic": {"model": "m", "stream": True, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
    }[client]
    body = msgspec.json.encode(asked)
    connection.sendall(
        f"POST {path_of(client, 'm', stream=True)} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    return connection


def _stands_still(upstream: Scripted) -> int:
    """What had been taken when nothing more was, for a while."""
    deadline = time.monotonic() + SECONDS
    seen, still = -1, 0
    while still < 15:
        assert time.monotonic() < deadline, f"it goes on: {upstream.taken} bytes"
        assert upstream.taken <= MOST_TAKEN
        still = still + 1 if upstream.taken == seen else 0
        seen = upstream.taken
        time.sleep(0.02)
    return seen


@pytest.mark.parametrize("client", ["openai-chat", "anthropic"], ids=["relayed", "translated"])
def test_the_provider_waits_for_the_reader(client: str, gateway: RunningGateway, upstream: Scripted) -> None:
    upstream.pieces, upstream.taken = _endless, 0
    upstream.left.clear()
    with _ask(gateway, client) as connection:
        _until(lambda: upstream.taken > 0)
        before = _stands_still(upstream)
        assert PIECE < before <= MOST_TAKEN
        read = 0
        while read < before + 4 * PIECE:  # whoever reads on is given on
            read += len(connection.recv(1 << 20))
        _until(lambda: upstream.taken > before)
    assert upstream.left.wait(SECONDS), "the provider went on writing for nobody"


def _until(condition: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
