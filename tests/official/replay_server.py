"""A local HTTP server that answers every call below a prefix with the bytes it was given for that prefix."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["ReplayServer", "running_replay_server"]

_PIECE = 1460


class ReplayServer:
    """`serve(...)` gives the address of a new prefix; calls below it, whatever their path, get that answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = itertools.count(1)
        self._answers: dict[str, tuple[int, dict[str, str], bytes]] = {}

    def serve(self, body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> str:
        number = str(next(self._numbers))
        self._answers = {number: (status, dict(headers or {}), body)}
        return f"http://127.0.0.1:{self._port}/{number}"

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        return self._answers.get(path.split("/")[1], (404, {}, b"this prefix answers no more"))


@contextmanager
def running_replay_server() -> Generator[ReplayServer]:
    server: ReplayServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            status, headers, body = server.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            for start in range(0, len(body), _PIECE):
                self.wfile.write(body[start : start + _PIECE])

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up in the middle of an answer is no fault of the server."""

    with Server(("127.0.0.1", 0), Handler) as http:
        server = ReplayServer(http.server_address[1])
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
