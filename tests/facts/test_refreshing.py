"""Newer facts from a file or an address: every form, whole or not at all, without a restart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dragoman import facts
from dragoman.errors import ConfigError
from dragoman.facts.compiled import OWN_FILE
from dragoman.facts.lookup import FACTS
from dragoman.values.profile import Source

LITELLM: dict[str, Any] = {
    "sample_spec": {"mode": "one of them"},
    "groq/new": {
        "litellm_provider": "groq",
        "mode": "chat",
        "max_input_tokens": 77,
        "supports_function_calling": True,
        "input_cost_per_token": 2e-06,
        "output_cost_per_token": 4e-06,
    },
}
MODELS_DEV: dict[str, Any] = {
    "groq": {
        "id": "groq",
        "models": {
            "new": {
                "id": "new",
                "name": "New",
                "tool_call": True,
                "reasoning": False,
                "limit": {"context": 77, "output": 7},
                "modalities": {"input": ["text"], "output": ["text"]},
                "cost": {"input": 2.0, "output": 4.0},
            }
        },
    }
}
GENAI: list[dict[str, Any]] = [
    {
        "id": "groq",
        "models": [
            {
                "id": "new",
                "match": {"starts_with": "new"},
                "context_window": 77,
                "prices": {"input_mtok": 2, "output_mtok": 4},
            }
        ],
    }
]
OWN: dict[str, Any] = {
    "form": 1,
    "sources": [{"name": "mine", "date": "2026-11-19"}],
    "providers": {
        "groq": {"models": {"new": {"0": {"context": 77, "can": "tools", "prices": [{"input": 2, "output": 4}]}}}}
    },
}


@pytest.fixture(autouse=True)
def _no_layers() -> Iterator[None]:
    FACTS.forget()
    yield
    FACTS.forget()


@pytest.mark.parametrize("told", [LITELLM, MODELS_DEV, GENAI, OWN], ids=["litellm", "models.dev", "genai", "own"])
def test_every_form(told: Any, tmp_path: Path) -> None:
    file = tmp_path / "newer.json"
    file.write_bytes(msgspec.json.encode(told))
    assert facts.profile("groq", "new").window_tokens is None
    assert facts.refresh(file) == 1
    profile, prices = facts.profile("groq", "new"), facts.prices("groq", "new")
    assert profile.window_tokens == 77
    assert prices is not None
    assert prices.tables[0].prices["input"].amount == Decimal("0.000002")
    assert facts.profile("groq", "llama-3.3-70b-versatile").tools is True  # what it does not tell stays
    if told is not OWN:
        assert prices.source is not None
        assert prices.source.name == str(file)
        assert all(source.name == str(file) for source in profile.sources.values())


def test_our_own_file_may_be_read_again() -> None:
    before = facts.profile("openai", "gpt-4o")
    assert facts.refresh(OWN_FILE) > 3000
    assert facts.profile("openai", "gpt-4o") == before


def test_a_second_file_takes_the_place_of_the_first() -> None:
    facts.load(msgspec.json.encode(OWN))
    other = msgspec.json.decode(msgspec.json.encode(OWN).replace(b'"new"', b'"newer"'))
    facts.load(msgspec.json.encode(other), Source(name="other"))
    assert facts.profile("groq", "new").window_tokens is None
    assert facts.profile("groq", "newer").window_tokens == 77


def _bad_documents() -> Iterator[tuple[bytes, str]]:
    yield b"", "not JSON"
    yield b"[" * 100_000, "not JSON"
    yield b"\xff\xfe", "not JSON"
    yield b"[]", "neither"
    yield b'{"a": 1}', "neither"
    yield b"3", "neither"
    yield msgspec.json.encode({**OWN, "form": 99}), "has the form 99"
    yield msgspec.json.encode({**OWN, "surprise": 1}), "no file of model facts"
    for row in (
        {"5": {"context": 1}},
        {"0": {"context": "wide"}},
        {"0": {"can": "fly"}},
        {"0": {"suprise": 1}},
        {"0": {"prices": [{"input": "cheap"}]}},
        {"0": {"prices": [{"input": [1, [2]]}]}},
        {"0": {"prices": [{"when": {"moon": "full"}, "input": 1}]}},
    ):
        yield msgspec.json.encode({**OWN, "providers": {"groq": {"models": {"m": row}}}}), "wrong at groq/m"
    for member in (
        {"forms": [["(", False]]},
        {"forms": [["x", False]]},
        {"families": [{"id": "f", "match": {"regex": "("}}]},
        {"families": [{"id": "f", "match": {"sounds_like": "x"}}]},
        {"families_of": "groq"},
    ):
        yield msgspec.json.encode({**OWN, "providers": {"groq": member}}), "wrong at groq"
    yield msgspec.json.encode({**OWN, "providers": {}}), "holds no model"
    yield msgspec.json.encode({"elsewhere": {"id": "elsewhere", "models": {"m": {"id": "m"}}}}), "holds no model"
    yield msgspec.json.encode([{"id": "groq", "models": [{"id": "m"}]}]), "looks like a table of genai-prices"
    yield msgspec.json.encode({"groq": {"id": "groq", "models": [1]}}), "looks like a table of models-dev"


@pytest.mark.parametrize(("content", "message"), list(_bad_documents()))
def test_a_bad_file_is_refused_whole(content: bytes, message: str, tmp_path: Path) -> None:
    facts.load(msgspec.json.encode(OWN))
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        facts.refresh(file)
    assert facts.profile("groq", "new").window_tokens == 77


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        facts.refresh(tmp_path / "absent.json")


def test_an_address_is_asked_by_the_given_function() -> None:
    asked: list[str] = []

    def fetch(address: str) -> bytes:
        asked.append(address)
        return msgspec.json.encode(MODELS_DEV)

    assert facts.refresh("https://facts.example/api.json?token=secret", fetch=fetch) == 1
    assert asked == ["https://facts.example/api.json?token=secret"]
    source = facts.profile("groq", "new").sources["context_tokens"]
    assert (source.name, source.url) == ("https://facts.example/api.json", "https://facts.example/api.json")


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/facts.json"
        self.send_response(200 if found else 404)
        self.end_headers()
        if found:
            self.wfile.write(msgspec.json.encode(OWN))

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    """Return the address of a server that has one file."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_an_address(site: str) -> None:
    assert facts.refresh(f"{site}/facts.json") == 1
    assert facts.profile("groq", "new").window_tokens == 77


def test_an_address_that_has_nothing(site: str) -> None:
    with pytest.raises(ConfigError, match="cannot be fetched: HTTP Error 404"):
        facts.refresh(f"{site}/other.json?key=secret")
