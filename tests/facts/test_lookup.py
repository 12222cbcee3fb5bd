"""Lookups: exact names, other ways to write them, families, fallbacks; layers and their order; nothing is guessed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from subprocess import run
from typing import Any

import msgspec
import pytest

from dragoman.errors import ConfigError
from dragoman.facts import price_lists
from dragoman.facts.compiled import Compiled
from dragoman.facts.form import FORM, Row
from dragoman.facts.lookup import FACTS, REMEMBERED, Facts
from dragoman.values.profile import Profile, Source

SOURCES = [{"name": "first", "date": "2026-01-01"}, {"name": "second", "date": "2026-02-02"}]


def document(**providers: Any) -> bytes:
    """Return a data file of these providers."""
    return msgspec.json.encode({"form": FORM, "sources": SOURCES, "aliases": {"nick": "host"}, "providers": providers})


HOST: dict[str, Any] = {
    "fallbacks": ["maker"],
    "forms": [["eu\\.(.+)", False], ["models/(.+)", True]],
    "families": [
        {
            "id": "big",
            "match": {"starts_with": "big-"},
            "of": {"1": {"context": 900, "prices": [{"input": 3, "output": 15}]}},
        },
        {"id": "plain", "also": ["plain-latest"], "of": {"1": {"context": 70, "prices": [{"input": 1}]}}},
    ],
    "models": {
        "big-1": {"0": {"context": 1000, "output": 100, "takes": "text image", "can": "tools", "released": "2026-01"}},
        "big-2": {"0": {"context": 1000, "output": 200, "takes": "text image", "cannot": "tools"}},
        "plain": {"0": {"output": 7}},
        "own": {"0": {"can": "chat temperature", "prices": [{"input": 0.5}]}},
    },
}
MAKER: dict[str, Any] = {"models": {"made": {"0": {"can": "reason", "prices": [{"input": 2}]}}}}


@pytest.fixture
def facts() -> Facts:
    """Return facts over a small file."""
    return Facts(lambda: Compiled.decode(document(host=HOST, maker=MAKER)))


def amount(facts: Facts, model: str) -> Decimal | None:
    """Return the price of a million input tokens."""
    found = facts.prices("host", model)
    return None if found is None else found.tables[0].prices["input"].amount * 1_000_000


def test_a_listed_name(facts: Facts) -> None:
    profile = facts.profile("host", "big-1")
    assert (profile.context_tokens, profile.output_tokens, profile.tools) == (1000, 100, True)
    assert (profile.family, profile.reasoning, profile.schema_output) == (None, None, None)
    assert profile.sources["tools"] == Source(name="first", date="2026-01-01")
    assert amount(facts, "big-1") == 3  # its family's, for it has none of its own
    assert amount(facts, "own") == Decimal("0.5")


def test_a_name_of_a_family_has_what_all_of_it_have(facts: Facts) -> None:
    profile = facts.profile("host", "big-3")
    assert profile.family == "big"
    assert profile.context_tokens == 1000
    assert profile.input_modalities == ("text", "image")
    assert (profile.output_tokens, profile.tools, profile.released) == (None, None, None)  # they differ, or are its own
    assert amount(facts, "big-3") == 3


def test_a_family_fills_what_its_own_listed_name_lacks(facts: Facts) -> None:
    profile = facts.profile("host", "plain")
    assert (profile.output_tokens, profile.context_tokens, profile.family) == (7, 70, None)
    assert profile.sources["context_tokens"].name == "second"


def test_other_ways_to_write_a_name(facts: Facts) -> None:
    there = facts.profile("host", "eu.big-1")
    assert (there.output_tokens, there.family) == (100, "big-1")
    assert facts.prices("host", "eu.big-1") is None  # a place may have its own price
    assert amount(facts, "models/own") == Decimal("0.5")
    assert facts.profile("host", "models/eu.big-1").output_tokens == 100
    assert facts.profile("host", "models/models/").context_tokens is None


def test_what_another_provider_made(facts: Facts) -> None:
    profile = facts.profile("host", "made")
    assert (profile.reasoning, profile.family) == (True, "maker/made")
    assert amount(facts, "made") == 2
    assert facts.profile("maker", "own").mode is None  # one way only


def test_an_alias_is_the_same_party(facts: Facts) -> None:
    profile = facts.profile("nick", "own")
    assert (profile.provider, profile.mode, profile.sampling) == ("nick", "chat", ("temperature",))


@pytest.mark.parametrize(
    "pair", [("nobody", "big-1"), ("host", "bigger"), ("host", ""), ("", ""), ("host", "x" * 9999)]
)
def test_unknown_names_have_unknown_facts(facts: Facts, pair: tuple[str, str]) -> None:
    assert facts.profile(*pair) == Profile(provider=pair[0], model=pair[1])
    assert facts.prices(*pair) is None


def test_a_profile_says_what_may_be_asked_of_it() -> None:
    partly = Profile(provider="p", model="m", some_input_modalities=("image",), input_tokens=5)
    assert (partly.takes("image"), partly.takes("audio")) == (True, None)
    assert (partly.window_tokens, partly.prompt_tokens) == (5, 5)
    wholly = Profile(provider="p", model="m", input_modalities=("text",), context_tokens=9)
    assert (wholly.takes("text"), wholly.takes("image")) == (True, False)
    assert (wholly.window_tokens, wholly.prompt_tokens) == (9, 9)


def test_layers_lie_over_each_other_field_by_field(facts: Facts) -> None:
    listed, newer = Source(name="listing"), Source(name="newer")
    facts.set_listing("host", {"big-1": Row({"context_tokens": 11, "output_tokens": 12}, _from(listed, 2))})
    assert facts.profile("host", "big-1").output_tokens == 12
    facts.set_refreshed(Compiled.decode(document(host={"models": {"big-1": {"1": {"context": 21, "output": 22}}}})))
    assert facts.profile("host", "big-1").output_tokens == 22
    facts.override("host", "big-1", profile={"output_tokens": 32}, source=newer)
    profile = facts.profile("host", "big-1")
    assert (profile.output_tokens, profile.context_tokens, profile.tools) == (32, 21, True)
    assert [profile.sources[name].name for name in ("output_tokens", "context_tokens", "tools")] == [
        "newer",
        "second",
        "first",
    ]
    facts.forget()
    assert facts.profile("host", "big-1").output_tokens == 100


def _from(source: Source, count: int) -> dict[str, Source]:
    return dict.fromkeys(("context_tokens", "output_tokens")[:count], source)


def test_prices_of_the_strongest_layer_count(facts: Facts) -> None:
    one = price_lists.PriceList(tables=(price_lists.PriceTable(prices={"input": price_lists.Price(Decimal(1))}),))
    facts.set_listing("host", {"own": Row(prices=one)})
    assert amount(facts, "own") == 1_000_000
    facts.set_refreshed(
        Compiled.decode(document(host={"models": {"own": {"0": {"prices": [{"input": 9, "request": 0.1}]}}}}))
    )
    assert amount(facts, "own") == 9
    facts.override("nick", "own", prices={"input": "2.5", "web_search": "0.01"})
    found = facts.prices("host", "own")
    assert found is not None
    assert found.basis == "override"
    assert found.tables[0].prices["input"].amount == Decimal("0.0000025")
    assert found.tables[0].prices["web_search"].amount == Decimal("0.01")
    facts.override("host", "own", profile={"tools": None})
    assert amount(facts, "own") == Decimal("2.5")


def test_an_override_can_make_a_field_unknown_and_a_model_known(facts: Facts) -> None:
    facts.override("host", "big-1", profile={"tools": None})
    assert facts.profile("host", "big-1").tools is None
    assert "tools" not in facts.profile("host", "big-1").sources
    facts.override("here", "mine", profile={"context_tokens": 4096, "tools": True})
    facts.override("here", "mine", profile={"tools": False, "input_modalities": ["text"]})
    mine = facts.profile("here", "mine")
    assert (mine.context_tokens, mine.tools, mine.input_modalities) == (4096, False, ("text",))
    assert ("here", "mine") in facts.names()


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"context_token": 1}, "did you mean 'context_tokens'"),
        ({"tools": "yes"}, "not those of a Profile"),
        ({"context_tokens": "many"}, "not those of a Profile"),
    ],
)
def test_a_wrong_override_changes_nothing(facts: Facts, told: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        facts.override("host", "big-1", profile=told)
    assert facts.profile("host", "big-1").context_tokens == 1000


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"inputs": 1}, "did you mean 'input'"),
        ({"input": "cheap"}, "is a number from 0 up"),
        ({"input": -1}, "is a number from 0 up"),
        ({"input": float("nan")}, "is a number from 0 up"),
        ({"input": True}, "is a number from 0 up"),
        ({}, "at least one meter"),
        ({"currency": 3, "input": 1}, "currency"),
    ],
)
def test_wrong_prices_are_refused(facts: Facts, told: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        facts.override("host", "own", prices=told)
    assert amount(facts, "own") == Decimal("0.5")


def test_memory_is_bounded(facts: Facts) -> None:
    for number in range(REMEMBERED * 2 + 5):
        facts.profile("host", f"unheard-of-{number}")
        facts.prices("host", f"unheard-of-{number}")
    assert all(size <= REMEMBERED for size in facts.remembered())


def test_a_profile_is_made_once(facts: Facts) -> None:
    assert facts.profile("host", "big-1") is facts.profile("host", "big-1")


def test_lookups_while_layers_change(facts: Facts) -> None:
    """Each lookup sees one moment: the two overridden fields never disagree."""
    stop = threading.Event()
    torn: list[Profile] = []

    def look() -> None:
        while not stop.is_set():
            profile = facts.profile("host", "big-1")
            if (profile.context_tokens, profile.output_tokens) != (1000, 100) and (
                profile.context_tokens != profile.output_tokens
            ):
                torn.append(profile)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(300):
        facts.override("host", "big-1", profile={"context_tokens": number, "output_tokens": number})
    stop.set()
    for thread in threads:
        thread.join()
    assert not torn
    assert facts.profile("host", "big-1").context_tokens == 299


@pytest.fixture
def shared() -> Iterator[Facts]:
    """Return the facts of the process, without layers before and after."""
    FACTS.forget()
    yield FACTS
    FACTS.forget()


@pytest.mark.parametrize(
    ("provider", "model", "window"),
    [
        ("openai", "gpt-4o", 128_000),
        ("anthropic", "claude-sonnet-4-5-20250929", 200_000),
        ("gemini", "gemini-2.5-flash", 1_048_576),
        ("google", "models/gemini-2.5-flash", 1_048_576),
        ("bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 200_000),
        (
            "bedrock",
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            200_000,
        ),
        ("vertex", "claude-sonnet-4-5@20250929", 200_000),
        ("azure", "gpt-4o", 128_000),
        ("openrouter", "openai/gpt-4o:nitro", 128_000),
        ("groq", "llama-3.3-70b-versatile", 131_072),
        ("huggingface", "meta-llama/Llama-3.3-70B-Instruct:together", 131_072),
        ("openai", "ft:gpt-4o-2024-08-06:acme:name:abc", 128_000),
    ],
)
def test_names_as_people_write_them(shared: Facts, provider: str, model: str, window: int) -> None:
    assert shared.profile(provider, model).window_tokens == window


def test_the_public_functions_are_the_room(shared: Facts) -> None:
    from dragoman import facts

    facts.override("openai", "gpt-4o", profile={"context_tokens": 5})
    assert facts.profile("openai", "gpt-4o").context_tokens == 5
    facts.forget()
    assert facts.profile("openai", "gpt-4o").context_tokens == 128_000
    assert facts.prices("openai", "gpt-4o") is not None
    assert set(facts.__all__) <= set(dir(facts))
    assert all(hasattr(facts, name) for name in facts.__all__)


def test_a_models_profile(shared: Facts) -> None:
    import dragoman

    model = dragoman.get_model("gemini/gemini-2.5-flash", api_key="k")
    assert model.profile.context_tokens == 1_048_576
    own = dragoman.get_model("openai_compatible/gpt-4o", base_url="http://localhost:1/v1")
    assert own.profile == Profile(provider="openai_compatible", model="gpt-4o")
    other = dragoman.get_model("anthropic/claude-sonnet-4-5", api_key="k")
    assert dragoman.fallback(model, other).profile == model.profile


def test_making_a_model_loads_no_facts() -> None:
    script = (
        "import sys, dragoman; dragoman.get_model('openai/gpt-4o', api_key='k'); "
        "print(*sorted(name for name in sys.modules if name.startswith('dragoman.facts')))"
    )
    done = run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
