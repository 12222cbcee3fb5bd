"""One configuration after another: requests end under the one they began with, and nothing is left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dragoman.accounts import LimitReached
from dragoman.catalogue import Secret
from dragoman.errors import ConfigError
from dragoman.gateway.config import Config, InvalidConfig, load
from dragoman.gateway.config.providers import Trust
from dragoman.gateway.generation import Generation, Generations
from dragoman.gateway.transports import Transports
from dragoman.transport import HttpRequest, HttpTransport
from tests.gateway.configs import KEYS
from tests.servers.fake_provider import running_fake_provider

FIRST = "models: {a: [openai/gpt-4o]}\nkeys: [{name: ci, key: secret-1, limits: {rpm: 3, concurrency: 2}}]\n"


class Written:
    """A configuration's file that tests write anew, and the generations of it."""

    def __init__(self, folder: Path, text: str = FIRST) -> None:
        self.path = folder / "dragoman.yaml"
        self.write(text)
        self.generations = Generations(self.read)

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def read(self) -> Config:
        return load(self.path, KEYS)

    async def change(self, text: str) -> Generation:
        self.write(text)
        generation = await self.generations.prepare()
        self.generations.commit(generation)
        return generation


def transport_of(generation: Generation, name: str = "openai") -> HttpTransport:
    provider = generation.provider(name)
    assert provider is not None
    return generation.transport(provider)


def test_requests_end_under_the_generation_they_began_with(tmp_path: Path) -> None:
    async def scenario() -> None:
        written = Written(tmp_path)
        first = written.generations.open()
        held = written.generations.current().enter()
        second = await written.change("models: {b: [openai/gpt-4o]}")
        assert written.generations.current() is second
        assert (first.number, second.number) == (1, 2)
        assert held.routes.match("a") is not None
        assert second.routes.match("a") is None
        assert held.in_flight == 1
        held.leave()
        assert held.in_flight == 0

    asyncio.run(scenario())


def test_connections_pass_to_the_next_generation_where_trust_is_equal(tmp_path: Path) -> None:
    async def scenario() -> None:
        written = Written(tmp_path)
        first = transport_of(written.generations.open())
        second = await written.change("providers: {openai: {organization: o}}")
        assert transport_of(second) is first
        third = await written.change("providers: {openai: {proxy: 'http://p.example:3128'}, groq: {}}")
        assert transport_of(third) is not first
        assert transport_of(third, "groq") is first

    asyncio.run(scenario())


def test_a_transport_is_let_go_when_the_last_request_of_the_last_generation_with_it_is_over(tmp_path: Path) -> None:
    async def scenario() -> None:
        with running_fake_provider() as fake:
            text = "providers: {{openai: {{base_url: '{url}/v1', api_key: k, proxy: '{proxy}'}}}}"
            direct = text.format(url=fake.url, proxy="").replace(", proxy: ''", "")
            written = Written(tmp_path, direct)
            first = written.generations.open()
            transport = transport_of(first)
            await transport.send(HttpRequest("POST", f"{fake.url}/nothing", body=b"{}"))
            held = first.enter()
            await written.change(text.format(url=fake.url, proxy="http://p.example:3128"))
            assert transport.statistics().open == 1
            held.leave()
            assert transport.statistics().open == 0

    asyncio.run(scenario())


def test_a_configuration_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        written = Written(tmp_path)
        first = written.generations.open()
        written.write("models: {a: [openia/gpt-4o]}")
        with pytest.raises(InvalidConfig, match="Did you mean 'openai'"):
            await written.generations.prepare()
        assert written.generations.current() is first
        assert transport_of(first).statistics().open == 0

    asyncio.run(scenario())


def test_a_prepared_generation_may_be_given_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        written = Written(tmp_path)
        first = written.generations.open()
        written.write("providers: {openai: {proxy: 'http://p.example:3128'}}")
        prepared = await written.generations.prepare()
        written.generations.abort(prepared)
        assert written.generations.current() is first
        assert written.generations.current().keys.find("secret-1") is not None

    asyncio.run(scenario())


def test_what_another_process_read_has_to_be_what_this_one_reads(tmp_path: Path) -> None:
    async def scenario() -> None:
        written = Written(tmp_path)
        digest = written.generations.open().digest
        assert (await written.generations.prepare(digest)).digest == digest
        written.write(FIRST + "# changed\n")
        with pytest.raises(ConfigError, match="was changed again while it was read"):
            await written.generations.prepare(digest)

    asyncio.run(scenario())


def test_what_a_key_has_used_counts_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        written = Written(tmp_path)
        ci = written.generations.open().keys.find("secret-1")
        assert ci is not None
        leases = [ci.admit(0.0), ci.admit(0.0)]
        again = (await written.change(FIRST.replace("secret-1", "secret-2"))).keys.find("secret-2")
        assert again is not None
        with pytest.raises(LimitReached, match="2 requests in flight"):
            again.admit(1.0)
        leases[0].release()
        again.admit(1.0)
        leases[1].release()
        with pytest.raises(LimitReached, match="3 requests a minute"):
            again.admit(1.0)
        narrow = (await written.change(FIRST.replace("rpm: 3", "rpm: 2"))).keys.find("secret-1")
        assert narrow is not None
        last = again.admit(60.5)  # of the three requests one lies within the minute
        last.release()
        with pytest.raises(LimitReached) as caught:
            narrow.admit(60.5)
        assert caught.value.retry_after == pytest.approx(0.5)  # pyright: ignore[reportUnknownMemberType]
        # A request at hand under an older generation is held to what holds now, too.
        with pytest.raises(LimitReached):
            ci.admit(60.5)

    asyncio.run(scenario())


def test_keys_of_former_configurations_are_forgotten(tmp_path: Path) -> None:
    async def scenario() -> None:
        written = Written(tmp_path)
        written.generations.open()
        for number in range(50):
            await written.change(f"models: {{a: [openai/a]}}\nkeys: [{{name: k{number}, key: s{number}}}]\n")
        assert len(written.generations._gauges) == 1  # pyright: ignore[reportPrivateUsage]
        assert written.generations.current().keys.find("s49") is not None
        assert written.generations.current().keys.find("s48") is None

    asyncio.run(scenario())


def test_who_may_call_without_a_key(tmp_path: Path) -> None:
    keyless = Written(tmp_path, "models: {a: [openai/a]}").generations.open().keys
    local = keyless.find(None)
    assert local is not None
    assert (local.name, local.master, local.may_pass("openai", "GET", "/files")) == ("local", False, False)
    assert keyless.find("whatever a client sends") is local

    master = Written(tmp_path, "server: {master_key: m-secret}").generations.open().keys
    assert master.find(None) is None
    assert master.find("other") is None
    found = master.find("m-secret")
    assert found is not None
    assert (found.name, found.master, found.may_pass("openai", "DELETE", "/files/f-1")) == ("master", True, True)


def test_each_worker_admits_its_share(tmp_path: Path) -> None:
    written = Written(tmp_path, FIRST.replace("rpm: 3", "rpm: 5"))
    shares: list[tuple[int | None, int | None]] = []
    for worker in range(3):
        principal = Generations(written.read, worker=worker, workers=3).open().keys.find("secret-1")
        assert principal is not None
        shares.append((principal.gauge.rpm, principal.gauge.concurrency))
    assert shares == [(2, 1), (2, 1), (1, 1)]


def test_transports_are_counted() -> None:
    transports = Transports()
    plain, proxied = Trust(), Trust(proxy=Secret("http://p.example:3128"))
    first, second, third = (transports.take(trust, 10) for trust in (plain, plain, proxied))
    assert first is second
    assert third is not first
    assert len(transports) == 2
    assert transports.take(plain, 100_000) is not first  # wider than the first one is
    for transport in (first, second):
        transports.give_back(transport)
    assert len(transports) == 2
    assert transports.take(plain, 10) is not first


def test_a_renewed_authority_is_a_new_transport(tmp_path: Path) -> None:
    import trustme

    transports, file = Transports(), tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    first = transports.take(Trust(ca_file=file), 10)
    assert transports.take(Trust(ca_file=file), 10) is first
    trustme.CA().cert_pem.write_to_path(str(file))
    assert transports.take(Trust(ca_file=file), 10) is not first
    file.unlink()
    with pytest.raises(ConfigError, match=r"ca\.pem' cannot be read"):
        transports.take(Trust(ca_file=file), 10)
