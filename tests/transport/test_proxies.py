"""Proxies: which one is chosen, what it is told, what goes through it, and what it must never see."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import uvloop

from dragoman.errors import ConfigError, ConnectFailed
from dragoman.transport import AiohttpTransport, HttpTransport
from dragoman.transport.limits import Statistics
from dragoman.transport.proxy import ProxyRules, parse_proxy
from dragoman.transport.target import parse_url
from tests.transport.conftest import Authority
from tests.transport.fault_server import FaultServer, Peer, running_fault_server
from tests.transport.proxy_server import running_proxy
from tests.transport.scenarios import says, with_length
from tests.transport.talking import get, post, run

SCRIPTS = {"x": says(with_length(b"fine"))}
KINDS = [HttpTransport, AiohttpTransport]
Kind = type[HttpTransport | AiohttpTransport]
SECRET = "s3cret:with/signs"
WRITTEN = "user:s3cret%3Awith%2Fsigns"


@pytest.fixture
def origin() -> Generator[FaultServer]:
    with running_fault_server(SCRIPTS) as server:
        yield server


@pytest.fixture
def tls_origin(authority: Authority) -> Generator[FaultServer]:
    with running_fault_server(SCRIPTS, authority.server_context) as server:
        yield server


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("credentials", [None, f"user:{SECRET}"])
@pytest.mark.parametrize("proxy_scheme", ["http", "https"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_kind_of_way(
    scheme: str, proxy_scheme: str, credentials: str | None, kind: Kind, authority: Authority
) -> None:
    context = authority.server_context
    server_context, proxy_context = (context if name == "https" else None for name in (scheme, proxy_scheme))

    async def main() -> None:
        userinfo = f"{WRITTEN}@" if credentials else ""
        address = f"{proxy_scheme}://{userinfo}127.0.0.1:{proxy.port}"
        async with kind(proxy=address, ssl_context=authority.client_context) as transport:
            response = await transport.send(post(f"{server.url}/x?a=b", b"body"))
            assert response.body == b"fine"
            stream = await transport.stream(get(f"{server.url}/x"))
            assert await stream.aread() == b"fine"

    with running_fault_server(SCRIPTS, server_context) as server, running_proxy(credentials, proxy_context) as proxy:
        run(main)
        server.wait_until_quiet()
        proxy.wait_until_quiet()
    authority_of_origin = f"127.0.0.1:{server.port}"
    first = proxy.requests[0]
    if scheme == "https":
        assert (first.method, first.path) == ("CONNECT", authority_of_origin)
        assert first.headers["host"] == authority_of_origin
    else:
        assert (first.method, first.path) == ("POST", f"http://{authority_of_origin}/x?a=b")
    # The origin sees an ordinary request, and nothing that was meant for the proxy.
    assert server.requests[0].path == "/x?a=b"
    assert server.requests[0].headers["host"] == authority_of_origin
    assert server.requests[0].body == b"body"
    assert not any(name.startswith("proxy-") for seen in server.requests for name in seen.headers)


def test_tls_within_tls_on_uvloop(tls_origin: FaultServer, authority: Authority) -> None:
    async def main() -> None:
        address = f"https://127.0.0.1:{proxy.port}"
        async with HttpTransport(proxy=address, ssl_context=authority.client_context) as transport:
            for _ in range(2):
                assert (await transport.send(get(tls_origin.url + "/x"))).body == b"fine"
            assert transport.statistics() == Statistics(open=1, idle=1)

    with running_proxy(None, authority.server_context) as proxy:
        uvloop.run(main())
        proxy.wait_until_quiet()


def test_a_tunnel_is_used_again(tls_origin: FaultServer, authority: Authority) -> None:
    async def main() -> None:
        address = f"http://127.0.0.1:{proxy.port}"
        async with HttpTransport(proxy=address, ssl_context=authority.client_context) as transport:
            for _ in range(3):
                await transport.send(get(tls_origin.url + "/x"))
            assert transport.statistics() == Statistics(open=1, idle=1)

    with running_proxy() as proxy:
        run(main)
        assert proxy.connections == tls_origin.connections == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_environment_chooses(kind: Kind, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are used that only the proxy knows."""

    async def main() -> None:
        async with kind(ssl_context=authority.client_context) as transport:
            plain_url = plain.url.replace("127.0.0.1", "plain.test")
            assert (await transport.send(get(plain_url + "/x"))).body == b"fine"
            tls_url = encrypted.url.replace("127.0.0.1", "origin.test")
            assert (await transport.send(get(tls_url + "/x"))).body == b"fine"

    with (
        running_fault_server(SCRIPTS) as plain,
        running_fault_server(SCRIPTS, authority.server_context) as encrypted,
        running_proxy() as http_proxy,
        running_proxy("a:b") as https_proxy,
    ):
        monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{http_proxy.port}")
        monkeypatch.setenv("https_proxy", f"http://a:b@127.0.0.1:{https_proxy.port}")
        run(main)
        assert [seen.method for seen in http_proxy.requests] == ["GET"]
        assert [seen.method for seen in https_proxy.requests] == ["CONNECT"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_environment_may_be_left_alone(kind: Kind, origin: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with kind(trust_env=False) as transport:
            url = origin.url.replace("127.0.0.1", "localhost")
            assert (await transport.send(get(url + "/x"))).body == b"fine"

    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    run(main)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", ["", "user:wrong@"])
def test_a_proxy_that_wants_other_credentials(
    wrong: str, kind: Kind, tls_origin: FaultServer, authority: Authority
) -> None:
    async def main() -> None:
        address = f"http://{wrong}127.0.0.1:{proxy.port}"
        async with kind(proxy=address, ssl_context=authority.client_context) as transport:
            with pytest.raises(ConnectFailed, match="407") as caught:
                await transport.send(get(tls_origin.url + "/x"))
            assert (caught.value.phase, caught.value.sent) == ("proxy", "no")
            assert "wrong" not in str(caught.value)

    with running_proxy("user:right") as proxy:
        run(main)
        proxy.wait_until_quiet()
    assert tls_origin.connections == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_cannot_reach_the_origin(kind: Kind, authority: Authority) -> None:
    async def main() -> None:
        address = f"http://127.0.0.1:{proxy.port}"
        async with kind(proxy=address, ssl_context=authority.client_context) as transport:
            with pytest.raises(ConnectFailed, match="502") as caught:
                await transport.send(get("https://origin.test:1/x"))
            assert (caught.value.phase, caught.value.sent) == ("proxy", "no")

    with running_proxy() as proxy:
        run(main)


def test_a_proxy_that_does_not_listen() -> None:
    async def main() -> None:
        async with HttpTransport(proxy="http://127.0.0.1:1") as transport:
            with pytest.raises(ConnectFailed, match=r"through the proxy http://127\.0\.0\.1:1"):
                await transport.send(get("https://origin.test/x"))

    run(main)


ANSWERS = {
    "garbage": b"SSH-2.0-OpenSSH\r\n\r\n",
    "hangs up": b"",
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000,
    "speaks too soon": b"HTTP/1.1 200 OK\r\n\r\nunasked",
    "switches": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "redirects": b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\n\r\n",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_proxy_that_misbehaves(name: str, authority: Authority) -> None:
    class Misbehaving(FaultServer):
        def converse(self, peer: Peer) -> None:
            peer.read_head()
            peer.send(ANSWERS[name])

    async def main() -> None:
        address = f"http://127.0.0.1:{proxy.port}"
        async with HttpTransport(proxy=address, ssl_context=authority.client_context) as transport:
            with pytest.raises(ConnectFailed) as caught:
                await transport.send(get("https://origin.test/x"))
            assert (caught.value.phase, caught.value.sent) == ("proxy", "no")
            assert transport.statistics() == Statistics()

    proxy = Misbehaving({})
    try:
        run(main)
        proxy.wait_until_quiet()
    finally:
        proxy.close()


def test_interim_answers_of_a_proxy_are_passed_over(tls_origin: FaultServer, authority: Authority) -> None:
    """Told in two segments, the second of which carries the end of the head."""

    async def main() -> None:
        address = f"http://127.0.0.1:{proxy.port}"
        async with HttpTransport(proxy=address, ssl_context=authority.client_context) as transport:
            assert (await transport.send(get(tls_origin.url + "/x"))).body == b"fine"

    with running_proxy(interim=b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n") as proxy:
        run(main)


@pytest.mark.parametrize(
    ("environment", "url", "chosen"),
    [
        ({}, "https://a.example/", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://a.example/", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://a.example/", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://a.example/", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "https://a.example/", None),
        ({"ALL_PROXY": "http://p:1"}, "https://a.example/", "http://p:1"),
        ({"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "https://q"}, "https://a.example/", "https://q"),
        ({"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:1"}, "https://a.example/", "http://low:1"),
        ({"HTTPS_PROXY": "p:3128"}, "https://a.example/", "http://p:3128"),
        ({"HTTPS_PROXY": ""}, "https://a.example/", None),
        # httpoxy: in a CGI script a request header may have set HTTP_PROXY.
        ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, "http://a.example/", None),
        ({"http_proxy": "http://p:1", "REQUEST_METHOD": "GET"}, "http://a.example/", "http://p:1"),
        # Loopback is never sent to the environment's proxy.
        ({"ALL_PROXY": "http://p:1"}, "http://localhost:4000/", None),
        ({"ALL_PROXY": "http://p:1"}, "http://llm.localhost/", None),
        ({"ALL_PROXY": "http://p:1"}, "http://127.8.9.1/", None),
        ({"ALL_PROXY": "http://p:1"}, "http://[::1]:8000/", None),
    ],
)
def test_the_environments_proxy(environment: dict[str, str], url: str, chosen: str | None) -> None:
    proxy = ProxyRules(environment=environment).choose(parse_url(url).origin)
    assert (None if proxy is None else str(proxy.origin)) == chosen


@pytest.mark.parametrize(
    ("no_proxy", "url", "excepted"),
    [
        ("*", "https://a.example/", True),
        ("example", "https://a.example/", True),
        (".example", "https://a.example/", True),
        ("*.example", "https://a.example/", True),
        ("a.example", "https://a.example/", True),
        ("A.Example", "https://a.example/", True),
        ("a.example.", "https://a.example/", True),
        ("a.example", "https://a.example./", True),
        ("ample", "https://a.example/", False),
        ("b.example", "https://a.example/", False),
        ("x.a.example", "https://a.example/", False),
        ("b, a.example , c", "https://a.example/", True),
        ("b a.example", "https://a.example/", True),
        ("a.example:443", "https://a.example/", True),
        ("a.example:8443", "https://a.example/", False),
        ("10.0.0.0/8", "http://10.1.2.3/", True),
        ("10.0.0.0/8", "http://11.1.2.3/", False),
        ("10.0.0.0/8", "http://a.example/", False),
        ("10.1.2.3", "http://10.1.2.3:8000/", True),
        ("[2001:db8::1]", "http://[2001:db8::1]:80/", True),
        ("[2001:db8::1]:81", "http://[2001:db8::1]:80/", False),
        ("2001:db8::/32", "http://[2001:db8::1]/", True),
        ("", "https://a.example/", False),
        (",", "https://a.example/", False),
        (".", "https://a.example/", False),
        ("not/a/network", "https://a.example/", False),
    ],
)
def test_no_proxy(no_proxy: str, url: str, excepted: bool) -> None:
    origin = parse_url(url).origin
    assert (ProxyRules("http://p:1", no_proxy).choose(origin) is None) == excepted
    environment = {"ALL_PROXY": "http://p:1", "NO_PROXY": no_proxy}
    assert (ProxyRules(environment=environment).choose(origin) is None) == excepted


def test_an_explicit_proxy_serves_loopback_and_heeds_no_environment() -> None:
    rules = ProxyRules("http://p:1", environment={"NO_PROXY": "*", "ALL_PROXY": "http://q:1"})
    proxy = rules.choose(parse_url("http://127.0.0.1/").origin)
    assert proxy is not None
    assert str(proxy.origin) == "http://p:1"


def test_a_kind_of_proxy_that_cannot_be_used_is_named_when_it_is_needed() -> None:
    rules = ProxyRules(environment={"ALL_PROXY": "socks5://p:1080", "NO_PROXY": "inside.example"})
    assert rules.choose(parse_url("https://inside.example/").origin) is None
    with pytest.raises(ConfigError, match="ALL_PROXY names a socks5 proxy"):
        rules.choose(parse_url("https://a.example/").origin)


def test_credentials_are_not_shown() -> None:
    proxy = parse_proxy(f"http://{WRITTEN}@p:1", where="proxy=")
    assert proxy.authorization == "Basic dXNlcjpzM2NyZXQ6d2l0aC9zaWducw=="
    assert "s3cret" not in repr(proxy)
    assert "dXNl" not in f"{proxy!r}{proxy}"
    with pytest.raises(ConfigError) as caught:
        parse_proxy("http://user:s3cret@p:1:2", where="proxy=")
    assert "s3cret" not in str(caught.value)
