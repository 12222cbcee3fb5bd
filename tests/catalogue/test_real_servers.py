"""Real servers answer at the addresses, and to the headers, that the rows say."""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
import pytest

from dragoman.catalogue import Access, resolve
from tests.servers.litellm_proxy import Proxy

HELLO = [{"role": "user", "content": "Hello"}]
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai-chat": ("/chat/completions", {"messages": HELLO, "max_tokens": 4}),
    "openai-responses": ("/responses", {"input": "Hello", "max_output_tokens": 16}),
    "anthropic": ("/messages", {"messages": HELLO, "max_tokens": 4}),
}


def status_of(access: Access) -> int:
    path, body = CALLS[access.dialect]
    content = msgspec.json.encode({"model": access.model, **body})
    headers = {"content-type": "application/json", **dict(access.headers())}
    try:
        with urlopen(Request(access.url(path), content, headers), timeout=60) as answer:
            return answer.status
    except HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("dialect", CALLS)
@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_llama_cpp_speaks_its_dialects(llama_server: str, dialect: str, suffix: str) -> None:
    access = resolve("llama_cpp", model="tiny", dialect=dialect, base_url=llama_server + suffix, environ={})
    assert status_of(access) == 200


@pytest.mark.parametrize("dialect", CALLS)
def test_litellm_speaks_its_dialects(litellm_proxy: Proxy, dialect: str) -> None:
    environ = {"LITELLM_BASE_URL": litellm_proxy.address}
    assert status_of(resolve("litellm", model="mock-text", dialect=dialect, environ=environ)) == 200


@pytest.mark.parametrize("dialect", CALLS)
def test_litellm_takes_its_key(litellm_proxy_with_key: Proxy, dialect: str) -> None:
    environ = {"LITELLM_API_KEY": litellm_proxy_with_key.key or ""}
    named = {**environ, "LITELLM_BASE_URL": litellm_proxy_with_key.address}
    assert status_of(resolve("litellm", model="mock-text", dialect=dialect, environ=named)) == 200
    elsewhere = resolve(
        "litellm", model="mock-text", dialect=dialect, base_url=litellm_proxy_with_key.address, environ=environ
    )
    assert elsewhere.key_withheld is not None
    assert status_of(elsewhere) == 401
