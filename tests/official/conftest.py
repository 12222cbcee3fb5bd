"""The local server that the official clients talk to."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.official.replay_server import ReplayServer, running_replay_server


@pytest.fixture(scope="session")
def replay_server() -> Generator[ReplayServer]:
    with running_replay_server() as server:
        yield server
