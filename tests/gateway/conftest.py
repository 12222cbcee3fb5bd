"""A gateway before a fake provider, and the official clients at it: one of each for a module's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway.fronts import Front, running_front
from tests.gateway.official_asking import PythonClients

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Generator[Front]:
    with running_front(tmp_path_factory.mktemp("front")) as running:
        yield running


@pytest.fixture(scope="module")
def slow_front(tmp_path_factory: pytest.TempPathFactory) -> Generator[Front]:
    """One that sends keep-alives every 0.05 s; how slow its provider is, tests say by faults."""
    with running_front(tmp_path_factory.mktemp("slow"), more="server: {hold_seconds: 0.05}") as running:
        yield running


@pytest.fixture(scope="module")
def clients(front: Front) -> Generator[PythonClients]:
    made = PythonClients(front.url)
    yield made
    made.close()
