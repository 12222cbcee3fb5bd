"""Real servers, each started once for the whole run and only if a test asks for it; and the dice of property tests."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest
from hypothesis import settings

from examples.llama_server import running_llama_server
from tests.servers.litellm_proxy import Proxy, running_litellm_proxy

SERVERS = {"llama_server", "litellm_proxy", "litellm_proxy_with_key"}


def pytest_configure(config: pytest.Config) -> None:
    """Property tests are seeded, so that a run says the same again; under `-m soak` they look elsewhere each time."""
    settings.register_profile("seeded", derandomize=True, database=None)
    settings.register_profile("searching", derandomize=False)
    settings.load_profile("searching" if config.option.markexpr == "soak" else "seeded")
    gc.disable()  # until all tests are collected: nothing of theirs is garbage


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In one of several processes, tests of the real servers come first: one process has them all, and starts each."""
    if hasattr(config, "workerinput"):  # pytest-xdist's, which gives each process a run of tests in their order
        items.sort(key=lambda item: not SERVERS.intersection(getattr(item, "fixturenames", ())))


def pytest_collection_finish() -> None:
    """Takes the tests themselves out of the collector's sight: a whole collection of them stops the run for seconds."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def llama_server() -> Generator[str]:
    """Address (without `/v1`) of the real llama.cpp server with the tiny model of examples/tiny_model.py."""
    with running_llama_server() as address:
        yield address


@pytest.fixture(scope="session")
def litellm_proxy() -> Generator[Proxy]:
    """The real LiteLLM proxy, which asks for no key."""
    with running_litellm_proxy() as proxy:
        yield proxy


@pytest.fixture(scope="session")
def litellm_proxy_with_key() -> Generator[Proxy]:
    """The real LiteLLM proxy, which demands the key it is given here."""
    with running_litellm_proxy(key="sk-dragoman-test-key-0123456789") as proxy:
        yield proxy
