"""A server on raw sockets that answers as the path of the request says: rightly, wrongly, slowly or not at all.

Every connection has a thread. What the server saw is counted: connections, requests, and sockets that are still open,
so that a test can ask the other side whether a connection was really closed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tests.servers.process import wait_until

DEADLINE_SECONDS: Final = 10.0
_LINGER_RESET: Final = struct.pack("ii", 1, 0)


class Gone(Exception):
    """The client has closed the connection, or the server is being stopped."""


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    head: bytes


class Peer:
    """One connection, in the hands of a script."""

    def __init__(self, server: FaultServer, sock: socket.socket) -> None:
        self._server = server
        self.sock = sock
        self._buffer = b""
        self.answered = 0

    def read_head(self) -> bytes | None:
        """The next request's head, None at a clean end."""
        while b"\r\n\r\n" not in self._buffer:
            piece = self._receive()
            if not piece:
                if self._buffer:
                    raise Gone
                return None
            self._buffer += piece
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head

    def read_body(self, length: int) -> bytes:
        pieces = [self._buffer]
        size = len(self._buffer)
        while size < length:
            piece = self._receive()
            if not piece:
                raise Gone
            pieces.append(piece)
            size += len(piece)
        whole = b"".join(pieces)
        self._buffer = whole[length:]
        return whole[:length]

    def send(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def pause(self, seconds: float = 0.01) -> None:
        """The pace of a drip; ends early when the server is stopped."""
        if self._server.stopping.wait(seconds):
            raise Gone

    def stall(self) -> None:
        """Say nothing more; return when the client has closed."""
        while self._receive():
            pass
        raise Gone

    def finish(self) -> None:
        """Close in order: with TLS, say goodbye first."""
        if isinstance(self.sock, ssl.SSLSocket):
            with contextlib.suppress(OSError):
                self.sock.unwrap()
        raise Gone

    def reset(self) -> None:
        """Close so that the client gets a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
        raise Gone

    def _receive(self) -> bytes:
        try:
            return self.sock.recv(65536)
        except OSError as error:
            raise Gone from error


Script = Callable[[Peer, Seen], None]


class FaultServer:
    """Serves `scripts` by path (without the leading slash and the query) until it is closed."""

    def __init__(self, scripts: Mapping[str, Script], context: ssl.SSLContext | None = None) -> None:
        self._scripts = scripts
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.stopping = threading.Event()
        self.connections = 0
        self.requests: list[Seen] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def open_sockets(self) -> int:
        with self._lock:
            return len(self._open)

    def wait_until_quiet(self) -> None:
        """Return once no client's connection is open, as seen from here."""
        wait_until(lambda: self.open_sockets == 0, DEADLINE_SECONDS, "every connection closed")

    def wait_for_requests(self, count: int) -> None:
        wait_until(lambda: len(self.requests) >= count, DEADLINE_SECONDS, f"{count} requests seen")

    def close(self) -> None:
        self.stopping.set()
        # Closing alone would not wake a thread that is in accept.
        _shut(self._listener)
        self._listener.close()
        with self._lock:
            sockets = list(self._open)
        for sock in sockets:
            _shut(sock)
        for thread in self._threads:
            thread.join(DEADLINE_SECONDS)

    @contextlib.contextmanager
    def counted(self, sock: socket.socket) -> Generator[None]:
        """Count a socket as open, close it at the end, or when the server is closed."""
        with self._lock:
            self._open.add(sock)
        try:
            yield
        finally:
            sock.close()
            with self._lock:
                self._open.discard(sock)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with self._lock:
            self._open.add(sock)
        current = sock
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                current = self._context.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._open.discard(sock)
                    self._open.add(current)
            self.converse(Peer(self, current))
        except (Gone, OSError):
            pass
        finally:
            # Closed before it is called closed: a test that sees the count fall may look at its own end at once.
            current.close()
            with self._lock:
                self._open.discard(sock)
                self._open.discard(current)

    def converse(self, peer: Peer) -> None:
        while True:
            head = peer.read_head()
            if head is None:
                return
            seen = _read_request(peer, head)
            self.requests.append(seen)
            name = seen.path.partition("?")[0].strip("/")
            self._scripts[name](peer, seen)
            peer.answered += 1


def parse_head(head: bytes) -> Seen:
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return Seen(method, path, headers, b"", head)


def _read_request(peer: Peer, head: bytes) -> Seen:
    seen = parse_head(head)
    # A path that ends in `unread` leaves the body where it is, for answers that come early.
    length = 0 if seen.path.endswith("unread") else int(seen.headers.get("content-length", "0"))
    return replace(seen, body=peer.read_body(length))


def _shut(sock: socket.socket) -> None:
    """End a socket that another thread uses: it wakes up there, and the thread closes it."""
    with contextlib.suppress(OSError):
        # The plain socket's method: a TLS socket's own would take the session away beneath the other thread.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


@contextlib.contextmanager
def running_fault_server(
    scripts: Mapping[str, Script], context: ssl.SSLContext | None = None
) -> Generator[FaultServer]:
    server = FaultServer(scripts, context)
    try:
        yield server
    finally:
        server.close()
