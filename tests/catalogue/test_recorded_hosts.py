"""The rows agree with recorded traffic: addresses, and the members that hosts accepted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from dragoman.catalogue import find, resolve
from dragoman.catalogue.address import read_base
from dragoman.catalogue.rows import BUILT_IN

WIRE = Path(os.environ.get("DRAGOMAN_WIRE", Path(__file__).parents[3] / "shared" / "wire"))
PATHS = {
    "openai.chat_completions": ("openai-chat", "/chat/completions"),
    "mistral.chat": ("openai-chat", "/chat/completions"),
    "openai.embeddings": ("openai-chat", "/embeddings"),
    "mistral.embeddings": ("openai-chat", "/embeddings"),
    "openai.responses": ("openai-responses", "/responses"),
    "anthropic.messages": ("anthropic", "/messages"),
    "ollama.chat": ("ollama", "/chat"),
    "ollama.embeddings": ("ollama", "/embed"),
    "cohere.chat": ("cohere", "/chat"),
    "cohere.embeddings": ("cohere", "/embed"),
}
# Compatibility layers that the rows leave out on purpose; see rows/vendors.py.
ROW_OF = {
    ("bedrock", "openai-chat"): "bedrock_mantle",
    ("bedrock", "openai-responses"): "bedrock_mantle",
}
LEFT_OUT = {("anthropic", "openai-chat"), ("google", "openai-chat")}


class Exchange(NamedTuple):
    file: str
    provider: str
    api: str
    url: str
    status: int
    body: dict[str, Any] | None


def exchanges() -> list[Exchange]:
    if not WIRE.is_dir():
        pytest.skip("the recordings are not here: set DRAGOMAN_WIRE")
    found: list[Exchange] = []
    for path in sorted(WIRE.glob("*/*.json")):
        recording = msgspec.json.decode(path.read_bytes())
        for exchange in recording["exchanges"]:
            provider = exchange.get("provider", recording["provider"])
            api = exchange.get("api", recording["api"])
            request, status = exchange["request"], exchange["response"]["status"]
            if provider in BUILT_IN:
                # One client wrote the slash before `openai` twice.
                url = request["url"].split("?")[0].replace(".com//", ".com/")
                found.append(Exchange(path.name, provider, api, url, status, request["body"]))
    return found


def test_recorded_addresses_are_those_of_the_rows() -> None:
    compared: set[str] = set()
    for exchange in exchanges():
        dialect, path = PATHS.get(exchange.api, ("", ""))
        if exchange.api == "google.generate_content":
            dialect, path = "gemini", "/models/" + exchange.url.rpartition("/models/")[2]
        if exchange.api == "bedrock.converse":
            dialect, path = "bedrock", "/model/" + exchange.url.rpartition("/model/")[2]
        if not exchange.url.endswith(path) or not dialect or (exchange.provider, dialect) in LEFT_OUT:
            continue
        row = find(ROW_OF.get((exchange.provider, dialect), exchange.provider))
        assert dialect in row.dialects, exchange
        given = exchange.url.removesuffix(path)
        access = resolve(row, model="m", api_key="k", base_url=given, dialect=dialect, environ={})
        if row.base_url is not None:
            assert access.issuer == row.issuer, exchange
            own = resolve(row, model="m", api_key="k", dialect=dialect, environ={})
            assert read_base(own.base_url).origin.scheme == read_base(given).origin.scheme
        # DeepSeek answers at its root and under /v1; both mean the row's own address.
        url = access.url(path).split("?")[0]
        assert url == exchange.url or access.base_url == row.base_for(dialect), exchange
        compared.add(exchange.provider)
    assert len(compared) >= 15


def test_no_refused_member_is_in_a_recorded_request_that_was_answered() -> None:
    compared = 0
    for exchange in exchanges():
        dialect, _ = PATHS.get(exchange.api, ("", ""))
        if exchange.status != 200 or exchange.body is None or dialect == "":
            continue
        quirks = find(exchange.provider).quirks
        refused = {"openai-chat": quirks.chat.refused, "openai-responses": quirks.responses.refused}.get(dialect, ())
        present = {name for name, value in exchange.body.items() if value is not None}
        assert not present & set(refused), exchange.file
        compared += 1
    assert compared > 100
