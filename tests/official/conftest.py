"""The official clients, and the local server that they talk to."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.official.asking import Official
from tests.official.clients import OfficialClients
from tests.official.replay_server import running_replay_server


@pytest.fixture(scope="session")
def official() -> Generator[Official]:
    clients = OfficialClients()
    try:
        with running_replay_server() as server:
            yield Official(server, clients)
    finally:
        clients.close()
