"""Raw requests to a gateway, and the bytes that arrive upstream: what clients wrote and what became of it."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from tests.gateway.fronts import PUBLIC_DIALECTS
from tests.gateway.recorded_upstream import Upstream
from tests.gateway.running import KEY, RunningGateway
from tests.wire.recordings import Exchange, exchanges

__all__ = [
    "ASKED",
    "TURNS",
    "VENDORS",
    "Sender",
    "model_at",
    "path_of",
    "raw_members",
    "raw_turns",
    "streams",
    "upstream_config",
]

VENDORS = {"openai-chat": "openai", "openai-responses": "openai", "anthropic": "anthropic", "gemini": "google"}
"""The provider of the catalogue whose own dialect each is."""

TURNS = {"openai-chat": "messages", "openai-responses": "input", "anthropic": "messages", "gemini": "contents"}
"""The member that holds the turns."""

ASKED = [
    exchange
    for exchange in exchanges()
    if exchange.dialect in PUBLIC_DIALECTS and isinstance(exchange.request.body, dict)
]
"""Every recorded exchange whose request is known."""


def model_at(dialect: str) -> str:
    """The upstream's model, and the route to it, in a dialect."""
    return f"model-at-{dialect}"


def upstream_config(url: str) -> str:
    """The vendors of the public dialects, all at one upstream; `other-…` names the same model differently."""
    lines = ["providers:"]
    for dialect in PUBLIC_DIALECTS:
        version = "/v1beta" if dialect == "gemini" else "/v1"
        like = f"like: {VENDORS[dialect]}, dialect: {dialect}"
        lines.append(f'  p-{dialect}: {{{like}, base_url: "{url}{version}", api_key: "upstream-key"}}')
    lines.append("models:")
    for dialect in PUBLIC_DIALECTS:
        target = f"deployments: [p-{dialect}/{model_at(dialect)}], max_retries: 0"
        allow = "allow: [provider, models, plugins, transforms, route, mcp_tools, mcp_servers]"
        lines.append(f"  {model_at(dialect)}: {{{target}, {allow}}}")
        lines.append(f"  other-{model_at(dialect)}: {{{target}, {allow}}}")
    return "\n".join([*lines, f"server: {{master_key: {KEY}}}", ""])


def streams(exchange: Exchange) -> bool:
    """Whether the recorded request asks for a stream."""
    return exchange.request.body.get("stream") is True or ":streamGenerateContent" in exchange.request.url


def path_of(dialect: str, model: str, *, stream: bool) -> str:
    """Where a client of a dialect asks."""
    if dialect == "gemini":
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"/v1beta/models/{quote(model, safe='')}:{method}"
    paths = {"openai-chat": "/v1/chat/completions", "openai-responses": "/v1/responses"}
    return paths.get(dialect, "/v1/messages")


def raw_members(body: bytes) -> dict[str, bytes]:
    """The members of an object, each as its bytes."""
    return {name: bytes(value) for name, value in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()}


def raw_turns(dialect: str, body: bytes) -> list[bytes]:
    """The turns, each as its bytes; a lone text is one."""
    raw = raw_members(body)[TURNS[dialect]]
    if raw.startswith(b'"'):
        return [raw]
    return [bytes(turn) for turn in msgspec.json.decode(raw, type=list[msgspec.Raw])]


@dataclass
class Sender:
    """Sends bodies to a gateway, and gives what arrived upstream."""

    gateway: RunningGateway
    upstream: Upstream

    def __post_init__(self) -> None:
        host = self.gateway.url.removeprefix("http://")
        self._connection = http.client.HTTPConnection(host, timeout=20)

    def close(self) -> None:
        self._connection.close()

    def send(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of the gateway's answer."""
        told = {"authorization": f"Bearer {KEY}", "content-type": "application/json", **(headers or {})}
        self._connection.request("POST", path, body, told)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def arrives(self, dialect: str, body: dict[str, Any] | bytes, model: str, *, stream: bool) -> bytes | None:
        """The body that arrives upstream; None where the gateway refused the request, with a 4xx."""
        before = len(self.upstream.received)
        data = body if isinstance(body, bytes) else written(body)
        status, said = self.send(path_of(dialect, model, stream=stream), data)
        arrived = self.upstream.received[before:]
        if not arrived:
            assert 400 <= status < 500, said
            return None
        assert len(arrived) == 1
        return arrived[0].body


def written(body: dict[str, Any]) -> bytes:
    """JSON as no encoder of ours writes it: with spaces, and letters as escapes."""
    return json.dumps(body, indent=1, ensure_ascii=True).encode()
