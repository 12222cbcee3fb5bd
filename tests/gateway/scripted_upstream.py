"""An upstream that writes what a test tells it, piece by piece, and counts what of it was taken."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Scripted", "running_scripted"]

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\nconnection: close\r\n\r\n"


@dataclass
class Scripted:
    """`pieces` is asked anew for each call, and may wait between its pieces; a body ends with its connection.

    `taken` are the bytes that went out, `asked` the calls, `left` tells that a caller went away before the end.
    """

    url: str = ""
    pieces: Callable[[], Iterable[bytes]] = tuple
    content_type: bytes = b"text/event-stream"
    asked: int = 0
    taken: int = 0
    left: threading.Event = field(default_factory=threading.Event)


@contextmanager
def running_scripted() -> Generator[Scripted]:
    scripted = Scripted()

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            self.rfile.read(length)
            scripted.asked += 1
            try:
                self.wfile.write(_HEAD % scripted.content_type)
                for piece in scripted.pieces():
                    self.wfile.write(piece)
                    scripted.taken += len(piece)
            except ConnectionError:
                scripted.left.set()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A caller that hangs up is what tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        scripted.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield scripted
        finally:
            server.shutdown()
            thread.join()
