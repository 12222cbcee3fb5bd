"""TLS towards clients: what a configuration says of it, how connections begin and end, and a certificate's renewal."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import openai
import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from dragoman.errors import ConfigError
from dragoman.gateway.config import InvalidConfig, load
from dragoman.gateway.reloading import Reloader, needs_restart
from dragoman.gateway.server.app import App, Route
from dragoman.gateway.server.call import Call
from dragoman.gateway.server.limits import ServerLimits
from dragoman.gateway.server.serving import GatewayServer
from dragoman.testing import FakeProvider
from tests.gateway.configs import KEYS, config, problems
from tests.gateway.running import KEY, RunningGateway, running_gateway
from tests.gateway.serving import DEADLINE_SECONDS, JSON, Client, Serving, echo, listening, running, until

ASK = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\nhi"
LONG = 16 * 1024 * 1024
PIECES = 16
PASSWORD = "a-password"
TLS = "server: {tls: {certificate_file: cert.pem, key_file: key.pem}}\nmodels: {a: [openai/a]}\n"


class Authority:
    """Signs certificates of this machine, and is believed by `trusting`."""

    def __init__(self) -> None:
        self._ca: Any = trustme.CA()  # its signatures name types of a package that is not there
        self.trusting = ssl.create_default_context()
        self._ca.configure_trust(self.trusting)

    def issue(self, kind: trustme.KeyType = trustme.KeyType.ECDSA) -> Issued:
        made = self._ca.issue_cert("127.0.0.1", "localhost", key_type=kind)
        return Issued(b"".join(piece.bytes() for piece in made.cert_chain_pems), made.private_key_pem.bytes())


class Issued:
    """A certificate with those that vouch for it, and its key, as PEM."""

    def __init__(self, certificate: bytes, key: bytes) -> None:
        self.certificate, self.key = certificate, key

    def write(self, folder: Path) -> Issued:
        (folder / "cert.pem").write_bytes(self.certificate)
        (folder / "key.pem").write_bytes(self.key)
        return self

    def encrypted_key(self) -> bytes:
        return serialization.load_pem_private_key(self.key, None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSWORD.encode()),
        )

    @property
    def der(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert(
            self.certificate.decode().partition("-----END")[0] + "-----END CERTIFICATE-----"
        )

    def context(self, folder: Path) -> ssl.SSLContext:
        """As the gateway's own configuration makes it."""
        self.write(folder)
        found = config(TLS, folder).tls
        assert found is not None
        return found.context


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def issued(authority: Authority, tmp_path: Path) -> Issued:
    return authority.issue().write(tmp_path)


# -- the configuration -------------------------------------------------------------------------------------------------


def test_files_are_looked_for_beside_the_configuration(issued: Issued, tmp_path: Path) -> None:
    found = config(TLS, tmp_path).tls
    assert found is not None
    assert [each.path for each in found.included] == [tmp_path / "cert.pem", tmp_path / "key.pem"]


def test_a_key_may_stand_behind_its_certificate(issued: Issued, tmp_path: Path) -> None:
    (tmp_path / "both.pem").write_bytes(issued.certificate + issued.key)
    found = config("server: {tls: {certificate_file: both.pem}}", tmp_path).tls
    assert found is not None
    assert [each.path.name for each in found.included] == ["both.pem"]


def test_a_key_may_be_encrypted(issued: Issued, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(issued.encrypted_key())
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    text = TLS.replace("key.pem}", "key.pem, key_password: '${file:password}'}")
    assert config(text, tmp_path).tls is not None


def test_without_the_block_nothing_is_encrypted() -> None:
    assert config("models: {a: [openai/a]}").tls is None


def _nothing(folder: Path, issued: Issued, other: Issued) -> None:
    (folder / "key.pem").unlink()


def _text(folder: Path, issued: Issued, other: Issued) -> None:
    (folder / "key.pem").write_text("hello\n")


def _der(folder: Path, issued: Issued, other: Issued) -> None:
    (folder / "cert.pem").write_bytes(issued.der)


def _folder(folder: Path, issued: Issued, other: Issued) -> None:
    (folder / "cert.pem").unlink()
    (folder / "cert.pem").mkdir()


def _damaged(kind: str) -> str:
    return f"-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----\n"


def _damaged_certificate(folder: Path, issued: Issued, other: Issued) -> None:
    (folder / "cert.pem").write_text(_damaged("CERTIFICATE"))


def _damaged_key(folder: Path, issued: Issued, other: Issued) -> None:
    (folder / "key.pem").write_text(_damaged("PRIVATE KEY"))


def _foreign(folder: Path, issued: Issued, other: Issued) -> None:
    (folder / "key.pem").write_bytes(other.key)


def _foreign_kind(folder: Path, issued: Issued, other: Issued) -> None:
    (folder / "key.pem").write_bytes(Authority().issue(trustme.KeyType.RSA).key)


def _encrypted(folder: Path, issued: Issued, other: Issued) -> None:
    (folder / "key.pem").write_bytes(issued.encrypted_key())


def _large(folder: Path, issued: Issued, other: Issued) -> None:
    (folder / "cert.pem").write_bytes(issued.certificate * 100)


@pytest.mark.parametrize(
    ("spoil", "more", "said"),
    [
        (_nothing, "", "3: server.tls.key_file: the file 'key.pem' cannot be read: No such file or directory"),
        (_folder, "", "2: server.tls.certificate_file: the file 'cert.pem' cannot be read: Is a directory"),
        (_large, "", "2: server.tls.certificate_file: the file 'cert.pem' cannot be used: it is larger than 64 KiB"),
        (_text, "", "3: server.tls.key_file: the file 'key.pem' holds no private key as PEM"),
        (_der, "",
            "2: server.tls.certificate_file: the file 'cert.pem' holds no certificate as PEM: write the gateway's "
            "own there, and behind it those that vouch for it"),
        (_damaged_certificate, "",
            "2: server.tls.certificate_file: the certificate in 'cert.pem' is damaged"),
        (_damaged_key, "", "3: server.tls.key_file: the private key in 'key.pem' is damaged"),
        (_foreign, "", "3: server.tls.key_file: the key in 'key.pem' is not that of the certificate in 'cert.pem'"),
        (_foreign_kind, "",
            "3: server.tls.key_file: the key in 'key.pem' is not that of the certificate in 'cert.pem'"),
        (_encrypted, "", "2: server.tls: 'key_password' is missing: the key in 'key.pem' is encrypted"),
        (_encrypted, "key_password: other",
            "4: server.tls.key_password: this is not the password of the key in 'key.pem'"),
        (_encrypted, f"key_password: {'x' * 2000}",
            "4: server.tls.key_password: password cannot be longer than 1024 bytes"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used_are_told_with_their_line(
    authority: Authority,
    issued: Issued,
    tmp_path: Path,
    spoil: Callable[[Path, Issued, Issued], None],
    more: str,
    said: str,
) -> None:
    spoil(tmp_path, issued, authority.issue())
    text = f"server:\n  tls: {{certificate_file: cert.pem,\n    key_file: key.pem,\n    {more}}}\n"
    assert problems(text, tmp_path) == [f"dragoman.yaml:{said}"]


def test_a_certificate_without_its_key_is_told(issued: Issued, tmp_path: Path) -> None:
    assert problems("server: {tls: {certificate_file: cert.pem}}", tmp_path) == [
        "dragoman.yaml:1: server.tls: 'key_file' is missing: 'cert.pem' does not hold the certificate's private key"
    ]


def test_both_files_are_told_of_at_once(tmp_path: Path) -> None:
    assert problems(TLS.splitlines()[0], tmp_path) == [
        "dragoman.yaml:1: server.tls.certificate_file: the file 'cert.pem' cannot be read: No such file or directory",
        "dragoman.yaml:1: server.tls.key_file: the file 'key.pem' cannot be read: No such file or directory",
    ]


def test_a_password_that_cannot_be_read_is_told_once_and_not_shown(issued: Issued, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(issued.encrypted_key())
    assert problems(
        "server: {tls: {certificate_file: cert.pem, key_file: key.pem, key_password: '${KEY_PASSWORD}'}}", tmp_path
    ) == [
        "dragoman.yaml:1: server.tls.key_password: the environment variable KEY_PASSWORD is not set; set it, or write "
        "${KEY_PASSWORD:-default}"
    ]


def test_who_can_be_reached_by_others_needs_a_key_with_tls_too(issued: Issued, tmp_path: Path) -> None:
    (said,) = problems(TLS.splitlines()[0].replace("{tls", "{host: 0.0.0.0, tls"), tmp_path)
    assert "nobody would need a key" in said


def test_a_renewed_certificate_is_a_changed_configuration(authority: Authority, issued: Issued, tmp_path: Path) -> None:
    path = tmp_path / "dragoman.yaml"
    path.write_text(TLS)
    first = load(path, KEYS)
    reloader = Reloader(first, lambda: load(path, KEYS))
    assert reloader.check() is None
    renewed = authority.issue()
    (tmp_path / "cert.pem").write_bytes(renewed.certificate)
    with pytest.raises(InvalidConfig, match="is not that of the certificate"):
        reloader.check()  # one of the two is written first
    assert reloader.check() is None
    (tmp_path / "key.pem").write_bytes(renewed.key)
    second = reloader.check()
    assert second is not None
    assert second.digest != first.digest
    assert needs_restart(first, second) == ()


def test_a_certificate_that_changes_while_it_is_read_is_not_believed(
    authority: Authority, issued: Issued, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = authority.issue()

    load = ssl.SSLContext.load_cert_chain

    def renewed_meanwhile(context: ssl.SSLContext, *arguments: Any) -> None:
        load(context, *arguments)
        other.write(tmp_path)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", renewed_meanwhile)
    (said,) = problems(TLS.splitlines()[0], tmp_path)
    assert "was changed while it was read" in said


def test_to_begin_or_end_with_tls_takes_a_restart(issued: Issued, tmp_path: Path) -> None:
    plain, encrypted = config("models: {a: [openai/a]}"), config(TLS, tmp_path)
    assert needs_restart(plain, encrypted) == ("server.tls",)
    assert needs_restart(encrypted, plain) == ("server.tls",)
    assert needs_restart(encrypted, encrypted) == ()


# -- connections -------------------------------------------------------------------------------------------------------


class Encrypted(Serving):
    """A server that speaks TLS, and connections to it; `context` is that of clients."""

    context: ssl.SSLContext

    async def connect(self, *, receive_buffer: int | None = None) -> Client:
        held = socket.socket()
        if receive_buffer is not None:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        held.setblocking(False)
        await asyncio.get_running_loop().sock_connect(held, ("127.0.0.1", self.port))
        client = Client(*await asyncio.open_connection(sock=held, ssl=self.context, server_hostname="127.0.0.1"))
        self._clients.append(client)
        return client

    async def close_clients(self) -> None:
        for client in self._clients:
            client.writer.transport.abort()

    async def shown(self) -> bytes:
        """The certificate that a new connection is shown."""
        client = await self.connect()
        found = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        client.writer.transport.abort()
        return found

    async def silent(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection whose handshake never begins."""
        return await asyncio.open_connection("127.0.0.1", self.port)


@contextlib.asynccontextmanager
async def encrypted(
    authority: Authority, folder: Path, handler: Callable[[Call], Awaitable[None]] = echo, **limits: Any
) -> AsyncGenerator[Encrypted]:
    """Serves the handler at `/` over TLS; at the end nothing may be left: no connection, call, byte or task."""
    app = App(msgspec.structs.replace(ServerLimits(tick_seconds=0.02), **limits))
    app.add("POST", "/", Route(handler))
    server = GatewayServer(app, tls=authority.issue().context(folder))
    held = listening()
    await server.start([held])
    before = asyncio.all_tasks()
    served = Encrypted(app, server, held.getsockname()[1])
    served.context = authority.trusting
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: failures.append(told))
    try:
        yield served
        await served.close_clients()
        await served.left_nothing()
        await until(lambda: asyncio.all_tasks() <= before, "the end of all tasks")
        assert not failures
    finally:
        await served.close_clients()
        await server.drain(bound_seconds=1.0, grace_seconds=1.0)


def test_what_is_spoken_is_tls_of_today_and_http_1(authority: Authority, tmp_path: Path) -> None:
    async def test() -> None:
        async with encrypted(authority, tmp_path) as server:
            server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            server.context.check_hostname, server.context.verify_mode = False, ssl.CERT_NONE
            server.context.set_alpn_protocols(["h2", "http/1.1"])
            client = await server.connect()
            spoken = client.writer.get_extra_info("ssl_object")
            assert spoken.selected_alpn_protocol() == "http/1.1"
            assert spoken.version() == "TLSv1.3"
            server.context.maximum_version = ssl.TLSVersion.TLSv1_2
            assert (await server.connect()).writer.get_extra_info("ssl_object").version() == "TLSv1.2"
            server.context.set_ciphers("ALL:@SECLEVEL=0")
            server.context.minimum_version = ssl.TLSVersion.TLSv1
            server.context.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises((OSError, EOFError)):
                await server.connect()

    with pytest.warns(DeprecationWarning, match="TLSv1"):
        running(test)


def test_requests_go_on_over_one_connection(authority: Authority, tmp_path: Path) -> None:
    async def test() -> None:
        async with encrypted(authority, tmp_path) as server:
            client = await server.connect()
            for _ in range(3):
                await client.send(ASK)
                assert (await client.answer())[2] == b"hi"
            assert server.app.connections == 1

    running(test)


def test_a_client_that_speaks_plain_http_is_closed(authority: Authority, tmp_path: Path) -> None:
    async def test() -> None:
        async with encrypted(authority, tmp_path) as server:
            reader, writer = await server.silent()
            writer.write(ASK)
            async with asyncio.timeout(DEADLINE_SECONDS):
                with contextlib.suppress(ConnectionError):
                    assert not (await reader.read()).startswith(b"HTTP")
            await server.left_nothing()
            writer.close()

    running(test)


def test_a_handshake_counts_as_a_connection_and_has_the_time_of_a_head(authority: Authority, tmp_path: Path) -> None:
    async def test() -> None:
        async with encrypted(authority, tmp_path, head_seconds=0.3) as server:
            loop = asyncio.get_running_loop()
            began = loop.time()
            reader, writer = await server.silent()
            await until(lambda: server.app.connections == 1)
            async with asyncio.timeout(DEADLINE_SECONDS):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            assert loop.time() - began > 0.25
            await server.left_nothing()
            writer.close()

    running(test)


def test_where_too_many_stall_the_next_is_refused_with_an_answer(authority: Authority, tmp_path: Path) -> None:
    async def test() -> None:
        async with encrypted(authority, tmp_path, connections=2, head_seconds=30.0, linger_seconds=0.2) as server:
            stalled = [await server.silent() for _ in range(2)]
            await until(lambda: server.app.connections == 2)
            client = await server.connect()
            status, headers, _ = await client.answer()
            assert (status, headers["connection"]) == (503, "close")
            assert headers["retry-after"]
            await until(lambda: server.app.connections == 2, "the end of the refused one")
            late, late_writer = await server.silent()  # beyond the bound a handshake has less time
            async with asyncio.timeout(DEADLINE_SECONDS):
                with contextlib.suppress(ConnectionError):
                    assert await late.read() == b""
            for _, writer in stalled:
                writer.transport.abort()
            late_writer.close()
            await until(lambda: server.app.connections == 0)
            await (again := await server.connect()).send(ASK)
            assert (await again.answer())[0] == 200

    running(test)


def test_a_refusal_is_read_by_who_is_still_sending(authority: Authority, tmp_path: Path) -> None:
    async def test() -> None:
        async with encrypted(authority, tmp_path, body_bytes=1000) as server:
            client = await server.connect()
            client.writer.write(b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % LONG)
            client.writer.write(b"x" * LONG)
            status, headers, _ = await client.answer()
            assert (status, headers["connection"]) == (413, "close")

    running(test)


async def _long(call: Call) -> None:
    await call.respond(200, [JSON], b"x" * LONG)


CLOSING = ASK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


def test_an_answer_that_is_read_slowly_is_read_whole(authority: Authority, tmp_path: Path) -> None:
    async def test() -> None:
        async with encrypted(authority, tmp_path, _long, linger_seconds=0.1, write_seconds=1.0) as server:
            client = await server.connect(receive_buffer=65536)
            await client.send(CLOSING)
            await client.head()
            clock = asyncio.get_running_loop().time
            for _ in range(PIECES):  # longer in all than anybody may take nothing
                read_at = clock() + 0.15
                await until(lambda at=read_at: clock() > at)
                assert len(await client.reader.readexactly(LONG // PIECES)) == LONG // PIECES

    running(test)


def test_who_takes_nothing_of_the_end_of_an_answer_is_cut(authority: Authority, tmp_path: Path) -> None:
    async def test() -> None:
        async with encrypted(authority, tmp_path, _long, linger_seconds=0.1, write_seconds=0.3) as server:
            client = await server.connect(receive_buffer=65536)
            await client.send(CLOSING)
            await until(lambda: server.app.connections == 1)
            await server.left_nothing()
            with pytest.raises(asyncio.IncompleteReadError):
                await client.answer()

    running(test)


def test_an_idle_client_that_does_not_listen_holds_up_no_drain(authority: Authority, tmp_path: Path) -> None:
    async def test() -> None:
        async with encrypted(authority, tmp_path, linger_seconds=0.1) as server:
            client = await server.connect()
            await client.send(ASK)
            await client.answer()
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            async with asyncio.timeout(5):
                await server.server.drain(bound_seconds=60)

    running(test)


def test_who_leaves_in_mid_stream_is_noticed(authority: Authority, tmp_path: Path) -> None:
    left: list[bool] = []

    async def endless(call: Call) -> None:
        call.start_stream(200, [JSON])
        try:
            while True:
                await call.write(b"x" * 100)
                await asyncio.sleep(0)
        finally:
            left.append(call.gone)

    async def test() -> None:
        async with encrypted(authority, tmp_path, endless) as server:
            rude, polite = await server.connect(), await server.connect()
            for client in (rude, polite):
                await client.send(ASK)
                await client.head()
            rude.writer.transport.abort()
            polite.writer.close()
            await until(lambda: len(left) == 2, "the end of both streams")
            assert left == [True, True]

    running(test)


def test_a_renewed_certificate_is_shown_to_new_connections_and_the_old_ones_go_on(
    authority: Authority, tmp_path: Path
) -> None:
    async def test() -> None:
        async with encrypted(authority, tmp_path) as server:
            client = await server.connect()
            first = await server.shown()
            renewed = authority.issue()
            server.server.renew(renewed.context(tmp_path))
            assert await server.shown() == renewed.der != first
            await client.send(ASK)
            assert (await client.answer())[2] == b"hi"

    running(test)


def test_a_server_without_tls_stays_so(authority: Authority, tmp_path: Path) -> None:
    async def test() -> None:
        app = App()
        app.add("POST", "/", Route(echo, json=False))
        server, held = GatewayServer(app), listening()
        await server.start([held])
        server.renew(authority.issue().context(tmp_path))
        reader, writer = await asyncio.open_connection(*held.getsockname())
        writer.write(ASK)
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert (await reader.readuntil(b"\r\n\r\nhi")).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await server.drain(bound_seconds=5)

    running(test)


# -- the whole gateway -------------------------------------------------------------------------------------------------


def _gateway_text(fake: FakeProvider, tls: str = "{certificate_file: cert.pem, key_file: key.pem}") -> str:
    return f"""
server: {{master_key: {KEY}, tls: {tls}}}
providers: {{p: {{dialect: openai-chat, base_url: "{fake.url}/v1", api_key: key-of-the-fake}}}}
models: {{m: [p/fake-model]}}
"""


def _client(gateway: RunningGateway, authority: Authority) -> openai.OpenAI:
    url = gateway.url.replace("http://", "https://")
    http: Any = httpx2.Client(verify=authority.trusting, trust_env=False)
    return openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, http_client=http)


def _shown(gateway: RunningGateway) -> bytes:
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((host, int(port)), timeout=DEADLINE_SECONDS))


def test_an_official_client_asks_streams_and_leaves(authority: Authority, issued: Issued, tmp_path: Path) -> None:
    messages: Any = [{"role": "user", "content": "Say: one two three"}]
    with FakeProvider(key="key-of-the-fake") as fake, running_gateway(_gateway_text(fake), tmp_path) as gateway:
        with _client(gateway, authority) as client:
            answer: Any = client.chat.completions.create(model="m", messages=messages)
            assert answer.choices[0].message.content == "one two three"
            stream: Any = client.chat.completions.create(model="m", messages=messages, stream=True)
            pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
            assert "".join(pieces) == "one two three"
            left: Any = client.chat.completions.create(model="m", messages=messages, stream=True)
            next(iter(left))
            left.close()
        assert gateway.gateway is not None
        server = gateway.gateway.app
        gateway.run(_end_of(server))


async def _end_of(app: App) -> None:
    await until(lambda: not app.running and not app.connections, "the end of all connections")


async def _reloaded(gateway: RunningGateway) -> None:
    assert gateway.gateway is not None
    gateway.gateway.commit(await gateway.gateway.prepare(None))


def test_a_reload_renews_the_certificate_and_a_broken_one_changes_nothing(
    authority: Authority, issued: Issued, tmp_path: Path
) -> None:
    messages: Any = [{"role": "user", "content": "Say: one"}]
    with (
        FakeProvider(key="key-of-the-fake") as fake,
        running_gateway(_gateway_text(fake), tmp_path) as gateway,
        _client(gateway, authority) as client,
    ):
        client.chat.completions.create(model="m", messages=messages)
        assert _shown(gateway) == issued.der
        renewed = authority.issue().write(tmp_path)
        gateway.run(_reloaded(gateway))
        assert _shown(gateway) == renewed.der
        (tmp_path / "key.pem").write_bytes(issued.key)
        with pytest.raises(ConfigError, match="is not that of the certificate"):
            gateway.run(_reloaded(gateway))
        assert _shown(gateway) == renewed.der
        gateway.rewrite(_gateway_text(fake, "null"))  # which takes a restart
        gateway.run(_reloaded(gateway))
        assert _shown(gateway) == renewed.der
        client.chat.completions.create(model="m", messages=messages)
