"""Whose certificates are believed, and that nobody can switch believing off by accident."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from dragoman.errors import ConfigError, ConnectFailed, ConnectionLost
from dragoman.transport import AiohttpTransport, HttpTransport
from dragoman.transport.limits import Statistics
from dragoman.transport.tls import TlsSettings
from tests.servers.process import ROOT
from tests.transport.conftest import Authority
from tests.transport.fault_server import Gone, Peer, Seen, running_fault_server
from tests.transport.scenarios import OK, TEXT, says, with_length
from tests.transport.silence import listener
from tests.transport.talking import get, run

SCRIPTS = {"x": says(with_length(b"fine"))}
KINDS = [HttpTransport, AiohttpTransport]
Kind = type[HttpTransport | AiohttpTransport]


async def expect_refusal(transport: HttpTransport | AiohttpTransport, url: str, words: str) -> ConnectFailed:
    with pytest.raises(ConnectFailed, match=words) as caught:
        await transport.send(get(url))
    assert (caught.value.phase, caught.value.sent) == ("tls", "no")
    if isinstance(transport, HttpTransport):
        assert transport.statistics() == Statistics()
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_a_private_authority_by_ca_file(kind: Kind, authority: Authority) -> None:
    async def main() -> None:
        async with kind(ca_file=authority.ca_file) as transport:
            assert (await transport.send(get(server.url + "/x"))).body == b"fine"

    with running_fault_server(SCRIPTS, authority.server_context) as server:
        run(main)


@pytest.mark.parametrize("kind", KINDS)
def test_a_private_authority_by_the_environment(
    kind: Kind, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with kind() as transport:
            assert (await transport.send(get(server.url + "/x"))).body == b"fine"

    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    with running_fault_server(SCRIPTS, authority.server_context) as server:
        run(main)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_authority_is_not_believed(kind: Kind, authority: Authority) -> None:
    async def main() -> None:
        async with kind() as transport:
            await expect_refusal(transport, server.url + "/x", "certificate")

    with running_fault_server(SCRIPTS, authority.server_context) as server:
        run(main)
    assert server.requests == []


@pytest.mark.parametrize("kind", KINDS)
def test_another_hosts_certificate_is_not_believed(kind: Kind) -> None:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("elsewhere.example").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    trusting = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())

    async def main() -> None:
        async with kind(ssl_context=trusting) as transport:
            await expect_refusal(transport, server.url + "/x", "match|valid|mismatch")

    with running_fault_server(SCRIPTS, context) as server:
        run(main)
    assert server.requests == []


def test_the_error_says_what_to_do(authority: Authority) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            error = await expect_refusal(transport, server.url + "/x", "ca_file= or SSL_CERT_FILE")
            assert f"127.0.0.1:{server.port}" in str(error)

    with running_fault_server(SCRIPTS, authority.server_context) as server:
        run(main)


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_speaks_no_tls(kind: Kind, authority: Authority) -> None:
    async def main() -> None:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with kind(ssl_context=authority.client_context) as transport:
            with pytest.raises(ConnectFailed) as caught:
                await transport.send(get(f"https://127.0.0.1:{port}/"))
            assert caught.value.sent == "no"
        server.close()

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_verification_cannot_be_off(kind: Kind) -> None:
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    nameless = ssl.create_default_context()
    nameless.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    for context in (unverified, nameless):
        with pytest.raises(ConfigError, match="ca_file"):
            kind(ssl_context=context)


@pytest.mark.parametrize("kind", KINDS)
def test_settings_that_exclude_each_other(kind: Kind, authority: Authority) -> None:
    with pytest.raises(ConfigError, match="not both"):
        kind(ca_file=authority.ca_file, ssl_context=authority.client_context)


@pytest.mark.parametrize("content", [None, "this is no certificate"])
def test_a_ca_file_that_cannot_be_used(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)

    async def main() -> None:
        async with HttpTransport(ca_file=file) as transport:
            with pytest.raises(ConfigError, match=r"ca\.pem"):
                await transport.send(get(f"https://127.0.0.1:{port}/"))
            assert transport.statistics() == Statistics()

    with listener() as port:
        run(main)


def test_a_ca_file_adds_to_the_systems_authorities(authority: Authority) -> None:
    system = TlsSettings(None, None).context().cert_store_stats()["x509_ca"]
    both = TlsSettings(authority.ca_file, None).context().cert_store_stats()["x509_ca"]
    assert both == system + 1


def test_the_context_is_made_once_and_late(authority: Authority) -> None:
    settings = TlsSettings(authority.ca_file, None)
    assert settings.context() is settings.context()
    # A file that is missing is not looked for before it is needed.
    TlsSettings("/nowhere/ca.pem", None)


CERTIFI = """
import ssl
from dragoman.transport.tls import TlsSettings
context = TlsSettings(None, None).context()
print(context.cert_store_stats()["x509_ca"] > 0)
"""


def test_certifi_serves_where_the_system_has_no_authorities(tmp_path: Path) -> None:
    """The package is a stand-in with one authority of ours, found on the path as the real one would be."""
    package = tmp_path / "certifi"
    package.mkdir()
    trustme.CA().cert_pem.write_to_path(package / "cacert.pem")
    (package / "__init__.py").write_text(
        "from pathlib import Path\ndef where():\n    return str(Path(__file__).parent / 'cacert.pem')\n"
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    path = f"{tmp_path}:{ROOT / 'src'}"
    environment = {"SSL_CERT_FILE": str(tmp_path / "none.pem"), "SSL_CERT_DIR": str(empty), "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", CERTIFI], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "True"


def test_a_body_without_length_that_is_cut_off_is_not_complete(authority: Authority) -> None:
    """With TLS the end of a stream is signed; without the signature anybody may have cut it."""

    def no_goodbye(peer: Peer, seen: Seen) -> None:
        peer.send(OK + b"\r\n" + TEXT)
        raise Gone

    async def main() -> None:
        async with HttpTransport(ssl_context=authority.client_context) as transport:
            with pytest.raises(ConnectionLost) as caught:
                await transport.send(get(server.url + "/cut"))
            assert caught.value.sent == "yes"

    with running_fault_server({"cut": no_goodbye}, authority.server_context) as server:
        run(main)
