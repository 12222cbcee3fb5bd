"""A provider for the documents to ask."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.servers.fake_provider import FakeProvider, running_fake_provider


@pytest.fixture
def fake() -> Generator[FakeProvider]:
    with running_fake_provider() as fake:
        yield fake
