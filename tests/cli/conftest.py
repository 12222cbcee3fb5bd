"""A provider to ask, and an environment in which it plays all of them."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.servers.fake_provider import FakeProvider, running_fake_provider


@pytest.fixture
def fake() -> Generator[FakeProvider]:
    with running_fake_provider() as fake:
        yield fake
