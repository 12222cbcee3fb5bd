"""The server's bounds are those of the configuration, each under its own name."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dragoman.gateway.assembly import server_limits
from dragoman.gateway.config.loading import read

TOLD = {
    "max_requests": ("requests", 11),
    "max_bytes_in_flight": ("bytes_in_flight", 12_000),
    "max_header_bytes": ("head_bytes", 13_000),
    "max_headers": ("headers", 14),
    "header_seconds": ("head_seconds", 15.0),
    "body_seconds": ("progress_seconds", 16.0),
    "body_total_seconds": ("body_seconds", 17.0),
    "keep_alive_seconds": ("idle_seconds", 18.0),
    "max_body_bytes": ("body_bytes", 19_000),
    "write_seconds": ("write_seconds", 20.0),
}


def test_each_member_sets_its_bound() -> None:
    text = "server:\n" + "".join(f"  {member}: {value}\n" for member, (_, value) in TOLD.items())
    config = read(
        text + "providers: {here: {dialect: openai-chat, base_url: 'http://127.0.0.1:9', api_key: none}}\n",
        "test.yaml",
        folder=Path.cwd(),
        environ={},
    )
    limits = msgspec.structs.asdict(server_limits(config))
    assert {bound: limits[bound] for bound, _ in TOLD.values()} == dict(TOLD.values())
