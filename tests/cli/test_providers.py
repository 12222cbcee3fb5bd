"""`dragoman providers`: who could be called now."""

from __future__ import annotations

import json
from typing import Any

from dragoman.catalogue.rows import BUILT_IN
from tests.cli.programs import environment, run


def told(**variables: str) -> dict[str, Any]:
    done = run("providers", "--output", "json", env=environment(**variables))
    assert (done.status, done.err) == (0, "")
    return {row["name"]: row for row in json.loads(done.out)}


def test_every_provider_is_listed() -> None:
    assert list(told()) == sorted([*BUILT_IN, "mock"])  # `mock` is an entry point of the package itself


def test_a_missing_variable_is_named() -> None:
    groq = told()["groq"]
    assert (groq["ready"], groq["variables"]) == (False, ["GROQ_API_KEY"])
    assert groq["dialects"][0] == "openai-chat"


def test_a_provider_with_its_key_is_ready() -> None:
    assert told(GROQ_API_KEY="gsk-secret")["groq"]["ready"] is True


def test_a_provider_without_an_address_says_so() -> None:
    before = told()["chat_completions"]
    assert (before["ready"], before["variables"]) == (False, ["CHAT_COMPLETIONS_BASE_URL"])
    assert told(CHAT_COMPLETIONS_BASE_URL="http://localhost:8000/v1")["chat_completions"]["ready"] is True


def test_the_table_has_one_row_for_each_and_shows_no_key() -> None:
    done = run("providers", env=environment(GROQ_API_KEY="gsk-secret"))
    assert (done.status, done.err) == (0, "")
    rows = {line.split()[0]: line for line in done.out.splitlines()[2:] if line.strip()}
    assert rows.keys() >= set(BUILT_IN)
    assert "yes, key from GROQ_API_KEY" in rows["groq"]
    assert "no: set OPENAI_API_KEY" in rows["openai"]
    assert "if it runs at http://localhost:8080/v1" in rows["llama_cpp"]
    assert "gsk-secret" not in done.out
