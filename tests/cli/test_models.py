"""`dragoman models`: what is known, and what is said where nothing or something wrong is asked for."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.cli.programs import environment, run


def test_the_cheapest_that_see_and_call_tools() -> None:
    done = run(*"models --needs tools,vision --max-price 1 --min-window 200000 --sort price --json".split())
    assert (done.status, done.err) == (0, "")
    found = json.loads(done.out)
    assert len(found) > 20
    prices = [Decimal(row["input_price"]) for row in found]
    assert prices == sorted(prices)
    assert all(row["profile"]["tools"] and "image" in _taken(row["profile"]) for row in found)
    assert all(row["profile"]["sources"]["tools"]["name"] for row in found)


def _taken(profile: dict[str, list[str]]) -> list[str]:
    return profile.get("input_modalities") or profile.get("some_input_modalities") or []


def test_the_table_has_a_model_a_line() -> None:
    done = run("models", "gpt-4.1-mini", "--provider", "openai")
    assert (done.status, done.err) == (0, "")
    rows = {line.split()[0]: line for line in done.out.splitlines()[2:] if line.strip()}
    assert "openai/gpt-4.1-mini" in rows
    row = rows["openai/gpt-4.1-mini"].split()
    assert row[1:5] == ["1,047,576", "32,768", "0.4", "1.6"]
    assert {"tools", "vision", "schema"} <= set(row)
    assert all(name.startswith("openai/") for name in rows if name.strip("─"))


def test_needs_may_be_given_one_by_one() -> None:
    apart = run("models", "--provider", "anthropic", "--needs", "tools", "--needs", "vision", "--json")
    together = run("models", "--provider", "anthropic", "--needs", "tools, vision", "--json")
    assert apart.out == together.out != "[]\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--needs tool", "did you mean 'tools'"),
        ("--sort cheapest", "sort is one of name, price, window, released"),
        ("--provider opnai", "Did you mean 'openai'"),
        ("--max-price cheap", "number of US dollars"),
        ("--mode chats", "Did you mean 'chat'"),
    ],
)
def test_wrong_words(arguments: str, told: str) -> None:
    done = run("models", *arguments.split())
    assert (done.status, done.out) == (2, "")
    assert told in done.err
    assert "Traceback" not in done.err


def test_nothing_found_is_said() -> None:
    done = run("models", "no-such-model-anywhere", env=environment())
    assert (done.status, done.out) == (0, "")
    assert "no model is known" in done.err
    assert run("models", "no-such-model-anywhere", "--json").out == "[]\n"
