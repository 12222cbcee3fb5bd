"""A gateway whose models keep their answers, and plain requests in every public dialect."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import httpx2

from dragoman.storage import find_request, open_database
from dragoman.testing import FakeProvider
from tests.gateway.fronts import MODEL, PROVIDER_KEY, PUBLIC_DIALECTS, Front, say
from tests.gateway.running import KEY, running_gateway

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from dragoman.ledger import Intent, Settlement

__all__ = ["KEYS", "CacheFront", "running_cache_front"]

KEYS = {
    "ci": KEY,
    "ada": "sk-ada-of-science-0123456789",
    "bob": "sk-bob-of-science-0123456789",
    "eve": "sk-eve-of-history-0123456789",
    "ann": "sk-ann-alone-0123456789abcd",
}
_TEAMS = {"ada": "science", "bob": "science", "eve": "history"}


def _config(url: str) -> str:
    lines = ["server: {hold_seconds: 5}", "providers:"]
    for name in PUBLIC_DIALECTS:
        version = "/v1beta" if name == "gemini" else "/v1"
        lines.append(f'  p-{name}: {{dialect: {name}, base_url: "{url}{version}", api_key: "{PROVIDER_KEY}"}}')
    lines.append("models:")
    for name in PUBLIC_DIALECTS:
        lines.append(f"  kept-{name}:")
        lines.append(f"    {{deployments: [p-{name}/{MODEL}], max_retries: 0, cache: {{max_bytes: 1048576}}}}")
    lines.append(f"  asked: {{deployments: [p-openai-chat/{MODEL}], max_retries: 0}}")
    lines.append(f"  never: {{deployments: [p-openai-chat/{MODEL}], max_retries: 0, cache: off}}")
    lines.append("keys:")
    for name, key in KEYS.items():
        lines.append(f"  - {{name: {name}, key: {key}, team: '{_TEAMS.get(name, '')}'}}")
    return "\n".join(lines)


class CacheFront(Front):
    """`ask` sends what a client of a dialect would; `asked_upstream` is the witness of how often words got through."""

    def __init__(self, front: Front) -> None:
        super().__init__(front.gateway, front.fake)
        self.client = httpx2.Client(base_url=self.url, timeout=20)

    def ask(
        self,
        words: str,
        *,
        dialect: str = "openai-chat",
        model: str = "kept-openai-chat",
        stream: bool = False,
        key: str = "ci",
        headers: dict[str, str] | None = None,
        query: str = "",
        **more: Any,
    ) -> httpx2.Response:
        path, body = request_of(dialect, model, words, stream)
        sent = {"authorization": f"Bearer {KEYS[key]}", **(headers or {})}
        return self.client.post(path + query, json={**body, **more}, headers=sent)

    def asked_upstream(self, words: str) -> int:
        return sum(words in str(seen.body) for seen in self.fake.requests)

    def rows(self, answer: httpx2.Response) -> list[tuple[Intent, Settlement | None]]:
        """What the ledger has of an answered request."""
        folder = self.gateway.folder
        engine = open_database(f"sqlite:///{folder}/ledger.db")
        try:
            return find_request(engine, folder / "spool", answer.headers["x-dragoman-request-id"]).attempts
        finally:
            engine.dispose()


def request_of(dialect: str, model: str, words: str, stream: bool) -> tuple[str, dict[str, Any]]:
    said = [{"role": "user", "content": words}]
    streamed: dict[str, Any] = {"stream": True} if stream else {}
    match dialect:
        case "openai-chat":
            return "/v1/chat/completions", {"model": model, "messages": said, **streamed}
        case "openai-responses":
            return "/v1/responses", {"model": model, "input": said, "store": False, **streamed}
        case "anthropic":
            return "/v1/messages", {"model": model, "messages": said, "max_tokens": 99, **streamed}
        case _:
            method = "streamGenerateContent" if stream else "generateContent"
            return f"/v1beta/models/{model}:{method}", {"contents": [{"role": "user", "parts": [{"text": words}]}]}


@contextlib.contextmanager
def running_cache_front(folder: Path) -> Generator[CacheFront]:
    with FakeProvider(say=say, key=PROVIDER_KEY) as fake, running_gateway(_config(fake.url), folder) as gateway:
        front = CacheFront(Front(gateway, fake))
        with front.client:
            yield front
