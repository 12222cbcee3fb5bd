"""What is written in a request's head; and that nobody can write more into it than a header."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import InvalidRequest
from dragoman.transport import AiohttpTransport, HttpRequest, HttpTransport
from dragoman.transport.head import build_head
from tests.transport.fault_server import FaultServer, running_fault_server
from tests.transport.scenarios import says, with_length
from tests.transport.talking import PATIENT, run

KINDS = [HttpTransport, AiohttpTransport]
Kind = type[HttpTransport | AiohttpTransport]


@pytest.fixture
def server() -> Generator[FaultServer]:
    with running_fault_server({"x": says(with_length(b"fine"))}) as running:
        yield running


def exchange(kind: Kind, server: FaultServer, method: str, headers: list[tuple[str, str]], body: bytes = b"") -> None:
    async def main() -> None:
        async with kind() as transport:
            await transport.send(HttpRequest(method, server.url + "/x", headers, body, PATIENT))

    run(main)


def test_the_whole_of_a_post(server: FaultServer) -> None:
    exchange(HttpTransport, server, "POST", [("Authorization", "Bearer k"), ("content-type", "text/plain")], b"body")
    assert server.requests[0].head.decode().split("\r\n") == [
        "POST /x HTTP/1.1",
        f"host: 127.0.0.1:{server.port}",
        "Authorization: Bearer k",
        "content-type: text/plain",
        "accept-encoding: gzip, deflate",
        "content-length: 4",
    ]
    assert server.requests[0].body == b"body"


@pytest.mark.parametrize("kind", KINDS)
def test_a_get_says_no_length_and_an_empty_post_says_none(kind: Kind, server: FaultServer) -> None:
    exchange(kind, server, "GET", [])
    exchange(kind, server, "POST", [])
    assert "content-length" not in server.requests[0].headers
    assert server.requests[1].headers["content-length"] == "0"


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_added_in_the_callers_name(kind: Kind, server: FaultServer) -> None:
    exchange(kind, server, "POST", [], b"body")
    assert set(server.requests[0].headers) <= {"host", "accept-encoding", "content-length"}


@pytest.mark.parametrize("kind", KINDS)
def test_streams_ask_for_no_compression_and_whole_answers_do(kind: Kind, server: FaultServer) -> None:
    async def main() -> None:
        async with kind() as transport:
            request = HttpRequest("GET", server.url + "/x", (), b"", PATIENT)
            await transport.send(request)
            await (await transport.stream(request)).aread()
            own = HttpRequest("GET", server.url + "/x", (("Accept-Encoding", "deflate"),), b"", PATIENT)
            await transport.send(own)

    run(main)
    assert [seen.headers["accept-encoding"] for seen in server.requests] == ["gzip, deflate", "identity", "deflate"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_callers_host_is_sent_once(kind: Kind, server: FaultServer) -> None:
    exchange(kind, server, "GET", [("Host", "pinned.example")])
    assert server.requests[0].head.lower().count(b"host:") == 1
    assert server.requests[0].headers["host"] == "pinned.example"


@pytest.mark.parametrize("kind", KINDS)
def test_letters_of_latin_1_and_tabs_pass(kind: Kind, server: FaultServer) -> None:
    exchange(kind, server, "GET", [("x-name", "Zoë\tK."), ("x-empty", "")])
    assert server.requests[0].headers["x-empty"] == ""
    # aiohttp writes UTF-8 where we write Latin-1, the charset of RFC 9110's obs-text in practice.
    written = b"x-name: Zo\xeb\tK." if kind is HttpTransport else "x-name: Zoë\tK.".encode()
    assert written in server.requests[0].head


BAD_HEADERS = [
    ("x", "a\r\nx-injected: 1"),
    ("x", "a\nb"),
    ("x", "a\rb"),
    ("x", "a\0b"),
    ("x", "a\x1bb"),
    ("x", "a\x7f"),
    ("x", "€"),
    ("x\r\nx-injected", "1"),
    ("x y", "1"),
    ("x:", "1"),
    ("", "1"),
    ("é", "1"),
    ("\n", "1"),
    ("x\n", "1"),
    ("transfer-encoding", "chunked"),
    ("Connection", "upgrade"),
    ("Expect", "100-continue"),
    ("content-length", "5"),
    ("Proxy-Authorization", "Basic eA=="),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("header", BAD_HEADERS, ids=repr)
def test_a_bad_header_is_refused_and_nothing_is_sent(kind: Kind, header: tuple[str, str], server: FaultServer) -> None:
    with pytest.raises(InvalidRequest):
        exchange(kind, server, "POST", [header], b"four")
    assert server.connections == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET /x HTTP/1.1\r\nx: y\r\n", "GE T", "", "CONNECT", "connect"])
def test_a_bad_method_is_refused(kind: Kind, method: str, server: FaultServer) -> None:
    with pytest.raises(InvalidRequest):
        exchange(kind, server, method, [])
    assert server.connections == 0


def test_two_hosts_are_refused(server: FaultServer) -> None:
    with pytest.raises(InvalidRequest, match="host"):
        exchange(HttpTransport, server, "GET", [("host", "a"), ("Host", "b")])


def test_an_error_names_the_header_and_not_its_value() -> None:
    with pytest.raises(InvalidRequest) as caught:
        build_head("GET / HTTP/1.1\r\n", "h", [("authorization", "Bearer secret\n")], None, "")
    assert "authorization" in str(caught.value)
    assert "secret" not in str(caught.value)


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=5))
def test_a_head_has_the_lines_it_was_given_and_no_more(headers: list[tuple[str, str]]) -> None:
    try:
        head = build_head("GET / HTTP/1.1\r\n", "h", headers, None, "accept-encoding: gzip\r\n")
    except InvalidRequest:
        return
    lines = head.decode("latin-1").split("\r\n")
    assert lines[-2:] == ["", ""]
    own = {name.lower() for name, _ in headers}
    lengths = sum(name.lower() == "content-length" for name, _ in headers)
    expected = 1 + len(headers) - lengths + ("host" not in own) + ("accept-encoding" not in own)
    assert len(lines) - 2 == expected
    assert not any("\n" in line or "\r" in line or "\0" in line for line in lines)
