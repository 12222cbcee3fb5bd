"""nginx, Node and uvicorn as processes of their own, plain and with TLS, with the same paths as far as each can."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import ROOT, accepts_connections, free_port, running
from tests.servers.programs import required_program
from tests.transport.asgi_app import LARGE
from tests.transport.conftest import Authority

HERE = Path(__file__).parent

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
    access_log off;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 1m;
    gzip_types *;
    server {{
        listen 127.0.0.1:{port}{ssl};
        {certificate}
        location = /json {{ default_type application/json; return 200 '{{"hello":"world"}}'; }}
        location = /large {{ alias {folder}/large; }}
        location = /gzip {{ gzip on; alias {folder}/large; }}
        location = /empty {{ return 204; }}
        location = /redirect {{ return 302 /json; }}
        location = /length {{ return 200 $content_length; }}
        location = /close {{ keepalive_timeout 0; return 200 "bye"; }}
        location / {{ return 404 "missing"; }}
    }}
}}
"""


@dataclass(frozen=True)
class Running:
    """A server, and the paths that it has."""

    url: str
    paths: frozenset[str]


COMMON = frozenset({"/json", "/large", "/gzip", "/empty", "/redirect", "/length", "/missing"})


@contextmanager
def running_nginx(authority: Authority, folder: Path, *, encrypted: bool) -> Generator[Running]:
    program = required_program("nginx", "nginx")
    (folder / "large").write_bytes(LARGE)
    port = free_port()
    certificate = f"ssl_certificate {authority.certificate_file}; ssl_certificate_key {authority.key_file};"
    (folder / "nginx.conf").write_text(
        NGINX.format(
            folder=folder,
            port=port,
            ssl=" ssl" if encrypted else "",
            certificate=certificate if encrypted else "",
        )
    )
    command = [program, "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"]
    with running(command, accepts_connections(port)):
        yield Running(address(port, encrypted), COMMON | {"/close"})


@contextmanager
def running_node(authority: Authority, folder: Path, *, encrypted: bool) -> Generator[Running]:
    port = free_port()
    files = [authority.certificate_file, authority.key_file] if encrypted else []
    command = [required_program("node", "nodejs"), HERE / "node_server.js", *files]
    with running(command, accepts_connections(port), env={**os.environ, "PORT": str(port)}):
        yield Running(address(port, encrypted), COMMON | {"/chunked", "/close-delimited", "/early-hints"})


@contextmanager
def running_uvicorn(authority: Authority, folder: Path, *, encrypted: bool) -> Generator[Running]:
    port = free_port()
    files = ["--ssl-certfile", authority.certificate_file, "--ssl-keyfile", authority.key_file] if encrypted else []
    application = ["tests.transport.asgi_app:app", "--lifespan", "off", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", *application, "--port", str(port), *files]
    with running(command, accepts_connections(port), cwd=ROOT):
        yield Running(address(port, encrypted), COMMON | {"/chunked"})


def address(port: int, encrypted: bool) -> str:
    return f"{'https' if encrypted else 'http'}://127.0.0.1:{port}"


PROGRAMS = {"nginx": running_nginx, "node": running_node, "uvicorn": running_uvicorn}
