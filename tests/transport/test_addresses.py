"""URLs: what is read, and what is refused before a name is even looked up."""

from __future__ import annotations

import asyncio
from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ConfigError
from dragoman.transport import AiohttpTransport, HttpRequest, HttpTransport
from dragoman.transport.target import Origin, parse_url, without_query
from tests.transport.fault_server import FaultServer, running_fault_server
from tests.transport.scenarios import says, with_length
from tests.transport.talking import get, run


@pytest.mark.parametrize(
    ("url", "origin", "authority", "path"),
    [
        ("https://api.example.com/v1/x", Origin("https", "api.example.com", 443), "api.example.com", "/v1/x"),
        ("HTTPS://API.Example.COM", Origin("https", "api.example.com", 443), "api.example.com", "/"),
        ("http://h:8080/?a=b&c=%20#part", Origin("http", "h", 8080), "h:8080", "/?a=b&c=%20"),
        ("http://h?a=b", Origin("http", "h", 80), "h", "/?a=b"),
        ("http://h:80/", Origin("http", "h", 80), "h", "/"),
        ("https://h:80/", Origin("https", "h", 80), "h:80", "/"),
        ("http://[::1]:1234/v1", Origin("http", "::1", 1234), "[::1]:1234", "/v1"),
        ("http://[2001:DB8:0::1]/", Origin("http", "2001:db8::1", 80), "[2001:db8::1]", "/"),
        ("http://127.0.0.1:/x", Origin("http", "127.0.0.1", 80), "127.0.0.1", "/x"),
        ("https://bücher.example/", Origin("https", "xn--bcher-kva.example", 443), "xn--bcher-kva.example", "/"),
        ("http://under_score.internal./x", Origin("http", "under_score.internal.", 80), "under_score.internal.", "/x"),
        ("http://h//a/../b;c=d/%2F", Origin("http", "h", 80), "h", "//a/../b;c=d/%2F"),
    ],
)
def test_an_address_is_read(url: str, origin: Origin, authority: str, path: str) -> None:
    target = parse_url(url)
    assert (target.origin, target.origin.authority, target.path) == (origin, authority, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com/v1",
        "//api.example.com/v1",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http:///path",
        "http://:80/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:abc/",
        "http://h:1:2/",
        "http://[::1/",
        "http://[::g]/",
        "http://::1/",
        "http://a b/",
        "http://a\\b/",
        "http://a%2eb/",
        "http://-a.example/",
        "http://a..b/",
        "http://" + "a" * 300 + "/",
        "http://h/a b",
        "http://h/a\r\nx: y",
        "http://h/a\nb",
        "http://h/\0",
        "http://h/\x7f",
        "http://h/ä",
        "http://h\r\nx: y/",
        "http://h\n/",
        "http://h/\n",
        "http://\u2100.example/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        parse_url(url)


@pytest.mark.parametrize("url", ["https://user:secret@h/", "https://secret@h/x", "https://:secret@h", "http://@h/"])
def test_credentials_in_an_address_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match="user name or password") as caught:
        parse_url(url)
    assert "secret" not in str(caught.value)


def test_a_query_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url("https://h/path?key=secret with space")
    assert "secret" not in str(caught.value)
    assert "https://h/path" in str(caught.value)
    assert without_query("https://u:p@h/a?b#c") == "https://…@h/a"


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fall_over(text: str) -> None:
    for url in (text, f"http://{text}", f"http://h/{text}", f"http://[{text}]/", f"http://h:{text}/"):
        try:
            target = parse_url(url)
        except ConfigError:
            continue
        assert target.path.isascii()
        assert not set(target.path) & set("\r\n\0 ")
        assert not set(target.origin.host) & set("\r\n\0 /@?#[]")


@pytest.fixture
def server() -> Generator[FaultServer]:
    with running_fault_server({"x": says(with_length(b"fine"))}) as running:
        yield running


@pytest.mark.parametrize("kind", [HttpTransport, AiohttpTransport])
def test_names_are_looked_up_and_said_in_host(
    kind: type[HttpTransport | AiohttpTransport], server: FaultServer
) -> None:
    async def main() -> None:
        async with kind() as transport:
            await transport.send(get(f"http://localhost:{server.port}/x?a=%41"))

    run(main)
    assert server.requests[0].headers["host"] == f"localhost:{server.port}"
    assert server.requests[0].path == "/x?a=%41"


def test_ipv6() -> None:
    async def main() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(with_length(head))
            await writer.drain()
            writer.close()

        try:
            listening = await asyncio.start_server(answer, "::1", 0)
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
        port = listening.sockets[0].getsockname()[1]
        async with HttpTransport() as transport:
            response = await transport.send(get(f"http://[::1]:{port}/"))
            assert f"host: [::1]:{port}".encode() in response.body
        listening.close()
        await listening.wait_closed()

    asyncio.run(main())


def test_a_bad_address_opens_nothing(server: FaultServer) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            with pytest.raises(ConfigError):
                await transport.send(HttpRequest("GET", f"http://user@127.0.0.1:{server.port}/x"))

    run(main)
    assert server.connections == 0
