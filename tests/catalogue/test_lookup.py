"""Names: built in, registered, installed; near ones for those that are unknown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from dragoman.catalogue import Catalogue, ProviderRow, find, names, split
from dragoman.catalogue.rows import BUILT_IN
from dragoman.errors import ConfigError, UnknownProvider

MINE = ProviderRow(name="mine", dialects=("openai-chat",), base_url="https://llm.mine.example/v1")


class FakeEntryPoint:
    """An entry point as `importlib.metadata` gives it, which counts how often it was loaded."""

    def __init__(self, name: str, loaded: object) -> None:
        self.name = name
        self.loads = 0
        self._loaded = loaded

    def load(self) -> Any:
        self.loads += 1
        if isinstance(self._loaded, Exception):
            raise self._loaded
        return self._loaded


def catalogue(*entries: FakeEntryPoint, scans: list[int] | None = None) -> Catalogue:
    def scan() -> Iterable[FakeEntryPoint]:
        if scans is not None:
            scans.append(1)
        return entries

    return Catalogue(BUILT_IN, scan)


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("gorq", "groq"),
        ("open-ai", "openai"),
        ("OpenAI", "openai"),
        ("antropic", "anthropic"),
        ("open_router", "openrouter"),
        ("openai-compatible", "openai_compatible"),
        ("lm-studio", "lmstudio"),
        ("llamacpp", "llama_cpp"),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(wrong: str, near: str) -> None:
    with pytest.raises(UnknownProvider) as caught:
        catalogue().find(wrong)
    assert near in caught.value.near
    assert caught.value.name == wrong
    assert repr(near) in str(caught.value)
    assert "list_providers()" in str(caught.value)


def test_a_name_like_nothing_has_no_suggestion() -> None:
    with pytest.raises(UnknownProvider) as caught:
        find("zzzzzzzz")
    assert caught.value.near == ()
    assert "Did you mean" not in str(caught.value)
    assert "provider/model" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai/gpt-4o", ("openai", "gpt-4o")),
        ("openrouter/anthropic/claude-sonnet-4.5:free", ("openrouter", "anthropic/claude-sonnet-4.5:free")),
        ("fireworks/accounts/fireworks/models/x", ("fireworks", "accounts/fireworks/models/x")),
        ("litellm", ("litellm", None)),
        ("a//b", ("a", "/b")),
    ],
)
def test_a_name_is_split_at_the_first_slash(text: str, expected: tuple[str, str | None]) -> None:
    assert split(text) == expected


@pytest.mark.parametrize("text", ["", "/", "/gpt-4o", "openai/"])
def test_a_name_with_an_empty_side_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="provider/model"):
        split(text)


def test_names_are_sorted_and_complete() -> None:
    assert names() == sorted(names())
    assert set(BUILT_IN) <= set(names())


def test_a_registered_row_is_found_under_its_name() -> None:
    here = catalogue()
    here.register("mine", MINE)
    assert here.find("mine") is MINE
    assert "mine" in here.names()
    here.register("yours", MINE)
    assert here.find("yours").name == "yours"
    assert here.find("yours").issuer == "mine"


def test_a_factory_is_called_once_when_it_is_first_looked_up() -> None:
    here = catalogue()
    calls: list[int] = []

    @here.register("lazy")
    def lazy() -> ProviderRow:  # pyright: ignore[reportUnusedFunction]
        calls.append(1)
        return MINE

    assert "lazy" in here.names()
    assert calls == []
    assert here.find("lazy").name == "lazy"
    assert here.find("lazy") is here.find("lazy")
    assert calls == [1]


def test_a_name_is_not_taken_over_unawares() -> None:
    here = catalogue()
    with pytest.raises(ConfigError, match="override=True"):
        here.register("openai", MINE)
    here.register("mine", MINE)
    with pytest.raises(ConfigError, match="exists"):
        here.register("mine", MINE)
    here.register("openai", MINE, override=True)
    assert here.find("openai").base_url == MINE.base_url
    assert find("openai").base_url == "https://api.openai.com/v1"


@pytest.mark.parametrize("name", ["", "a/b", " a", "a "])
def test_a_name_that_could_not_be_looked_up_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        catalogue().register(name, MINE)


def test_what_is_registered_must_be_a_row() -> None:
    nothing: Any = 7
    with pytest.raises(ConfigError, match="ProviderRow"):
        catalogue().register("x", nothing)
    here = catalogue()
    no_row: Any = lambda: "openai"  # noqa: E731
    here.register("x", no_row)
    with pytest.raises(ConfigError, match="returned str"):
        here.find("x")


def test_installed_rows_are_loaded_only_when_they_are_named() -> None:
    scans: list[int] = []
    entry, other = FakeEntryPoint("installed", MINE), FakeEntryPoint("other", MINE)
    here = catalogue(entry, other, scans=scans)
    assert here.find("openai").name == "openai"
    assert scans == []
    assert {"installed", "other", "openai"} <= set(here.names())
    assert (entry.loads, other.loads) == (0, 0)
    assert here.find("installed").name == "installed"
    assert here.find("installed").base_url == MINE.base_url
    assert (entry.loads, other.loads) == (1, 0)
    assert scans == [1]


def test_an_installed_factory_is_called() -> None:
    def make() -> ProviderRow:
        return MINE

    assert catalogue(FakeEntryPoint("made", make)).find("made").name == "made"


def test_an_installed_package_takes_no_name_over() -> None:
    thief = FakeEntryPoint(
        "openai", ProviderRow(name="openai", dialects=("openai-chat",), base_url="https://evil.example")
    )
    here = catalogue(thief)
    here.names()
    here.register("mine", MINE)
    assert here.find("openai").base_url == "https://api.openai.com/v1"
    assert thief.loads == 0


@pytest.mark.parametrize(
    ("loaded", "reason"), [(ImportError("no module named x"), "no module named x"), (7, "neither a ProviderRow nor")]
)
def test_a_broken_installed_row_is_a_config_error(loaded: object, reason: str) -> None:
    here = catalogue(FakeEntryPoint("broken", loaded))
    with pytest.raises(ConfigError, match=reason):
        here.find("broken")
    assert "broken" in here.names()
    assert here.find("openai").name == "openai"


def test_names_of_installed_rows_are_suggested() -> None:
    with pytest.raises(UnknownProvider) as caught:
        catalogue(FakeEntryPoint("wonderhost", MINE)).find("wonderhots")
    assert caught.value.near == ("wonderhost",)


def test_many_threads_get_one_row() -> None:
    calls: list[int] = []

    def make() -> ProviderRow:
        calls.append(1)
        return MINE

    here = catalogue()
    here.register("mine", make)
    barrier = threading.Barrier(8)
    found: list[ProviderRow] = []

    def look() -> None:
        barrier.wait(10)
        found.append(here.find("mine"))

    run_all([look] * 8)
    assert calls == [1]
    assert all(row is found[0] for row in found)


def run_all(functions: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
