"""An authority of our own, and the fault server, plain and with TLS."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.transport.fault_server import FaultServer, running_fault_server
from tests.transport.scenarios import SCENARIOS

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True)
class Authority:
    """A private certificate authority, and a certificate of the loopback that it has signed."""

    ca_file: Path
    certificate_file: Path
    key_file: Path
    server_context: ssl.SSLContext
    client_context: ssl.SSLContext


@pytest.fixture(autouse=True)
def no_proxy_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    ca = trustme.CA()
    certificate = ca.issue_cert("127.0.0.1", "localhost", "origin.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # names pyOpenSSL's types too
    client_context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    found = Authority(folder / "ca.pem", folder / "certificate.pem", folder / "key.pem", context, client_context)
    ca.cert_pem.write_to_path(found.ca_file)
    certificate.private_key_pem.write_to_path(found.key_file)
    for piece in certificate.cert_chain_pems:
        piece.write_to_path(found.certificate_file, append=True)
    return found


@pytest.fixture
def fault_server() -> Generator[FaultServer]:
    with running_fault_server({name: scenario.script for name, scenario in SCENARIOS.items()}) as server:
        yield server


@pytest.fixture
def tls_fault_server(authority: Authority) -> Generator[FaultServer]:
    scripts = {name: scenario.script for name, scenario in SCENARIOS.items()}
    with running_fault_server(scripts, authority.server_context) as server:
        yield server
