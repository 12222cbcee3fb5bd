"""nginx, twice: the upstream that gives fixed answers, plain and over TLS, and the floor that only passes them."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.gateways.answers import ANTHROPIC_ANSWER, CHAT_ANSWER
from benchmarks.gateways.machine import GATEWAY, LOAD, on_core
from benchmarks.gateways.programs import answers_ok, free_port, program, running

__all__ = ["Floor", "Upstream", "running_floor", "running_upstream"]

_FRAME = """
worker_processes 1;
daemon off;
pid {folder}/{name}.pid;
error_log {folder}/{name}.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_max_body_size 64m;
  client_body_buffer_size 32m;
  client_body_temp_path {folder}/{name}-body;
  proxy_temp_path {folder}/{name}-proxy;
  fastcgi_temp_path {folder}/{name}-fastcgi;
  uwsgi_temp_path {folder}/{name}-uwsgi;
  scgi_temp_path {folder}/{name}-scgi;
  {contents}
}}
"""

_UPSTREAM = """
  server {{
    listen 127.0.0.1:{plain} backlog=4096;
    listen 127.0.0.1:{tls} ssl backlog=4096;
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    ssl_protocols TLSv1.2 TLSv1.3;
    default_type application/json;
    location = /v1/chat/completions {{ return 200 '{chat}'; }}
    location = /v1/messages {{ return 200 '{anthropic}'; }}
    location = /status {{ stub_status; }}
  }}
"""

_FLOOR = """
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_buffering off;
  upstream plain {{ server 127.0.0.1:{plain}; keepalive 1024; keepalive_requests 1000000000; keepalive_timeout 600s; }}
  upstream tls {{ server 127.0.0.1:{tls}; keepalive 1024; keepalive_requests 1000000000; keepalive_timeout 600s; }}
  upstream reading {{ server 127.0.0.1:{reading}; keepalive 1024; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://plain; }}
    location /tls/ {{
      proxy_pass https://tls/;
      proxy_ssl_verify on;
      proxy_ssl_trusted_certificate {authority};
      proxy_ssl_name upstream.test;
    }}
    location /reading/ {{ proxy_pass http://reading/; }}
    location = /status {{ stub_status; }}
  }}
"""


@dataclass(frozen=True)
class Upstream:
    """Its addresses without a path, and the file of the authority that signed its certificate."""

    url: str
    tls_url: str
    authority: Path

    def requests(self) -> int:
        """How many requests came so far, this question not counted."""
        with urllib.request.urlopen(f"{self.url}/status", timeout=10) as answer:
            said = answer.read().decode()
        counted = re.search(r"^ (\d+) (\d+) (\d+) ", said, re.MULTILINE)
        assert counted is not None
        return int(counted[3]) - 1


@dataclass(frozen=True)
class Floor:
    """Its address without a path; `/tls` and `/reading` in front of a path lead to the other upstreams."""

    url: str
    process: int


@contextmanager
def _nginx(folder: Path, name: str, contents: str, core: int, ready: str) -> Generator[int]:
    configuration = folder / f"{name}.conf"
    configuration.write_text(_FRAME.format(folder=folder, name=name, contents=contents))
    command = [program("nginx"), "-c", configuration, "-p", folder, "-e", folder / f"{name}.log"]
    with on_core(core):
        starting = running(command, answers_ok(ready))
        process = starting.__enter__()
    try:
        yield process.pid
    finally:
        starting.__exit__(None, None, None)


@contextmanager
def running_upstream(folder: Path) -> Generator[Upstream]:
    """The upstream on the load's core, for the length of the block."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    authority.issue_cert("127.0.0.1", "upstream.test").private_key_and_cert_chain_pem.write_to_path(
        folder / "certificate.pem"
    )
    plain, tls = free_port(), free_port()
    contents = _UPSTREAM.format(
        plain=plain,
        tls=tls,
        certificate=folder / "certificate.pem",
        chat=CHAT_ANSWER.decode(),
        anthropic=ANTHROPIC_ANSWER.decode(),
    )
    with _nginx(folder, "upstream", contents, LOAD, f"http://127.0.0.1:{plain}/status"):
        yield Upstream(f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{tls}", folder / "authority.pem")


@contextmanager
def running_floor(folder: Path, upstream: Upstream, reading_url: str) -> Generator[Floor]:
    """The floor, which passes requests on, on the gateway's core, for the length of the block."""
    port = free_port()
    contents = _FLOOR.format(
        port=port,
        plain=upstream.url.rpartition(":")[2],
        tls=upstream.tls_url.rpartition(":")[2],
        reading=reading_url.rpartition(":")[2],
        authority=upstream.authority,
    )
    with _nginx(folder, "floor", contents, GATEWAY, f"http://127.0.0.1:{port}/status") as process:
        yield Floor(f"http://127.0.0.1:{port}", process)
