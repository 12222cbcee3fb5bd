"""A small forward proxy: CONNECT and absolute-form requests, with or without credentials, plain or TLS.

Whatever name it is asked for lies on the loopback, so that tests may use names that do not exist.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
from base64 import b64encode
from collections.abc import Generator
from urllib.parse import urlsplit

from tests.transport.fault_server import FaultServer, Gone, Peer, Seen, parse_head


class ProxyServer(FaultServer):
    """Records each request in `requests`. `credentials` is `user:password`; `interim` precedes an answer to CONNECT."""

    def __init__(
        self, credentials: str | None = None, context: ssl.SSLContext | None = None, interim: bytes = b""
    ) -> None:
        self._interim = interim
        self._wanted = None if credentials is None else "Basic " + b64encode(credentials.encode()).decode()
        super().__init__({}, context)

    def converse(self, peer: Peer) -> None:
        while True:
            head = peer.read_head()
            if head is None:
                return
            seen = parse_head(head)
            self.requests.append(seen)
            if self._wanted is not None and seen.headers.get("proxy-authorization") != self._wanted:
                peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
                raise Gone
            if seen.method == "CONNECT":
                self._tunnel(peer, seen)
            else:
                self._forward(peer, seen)

    def _tunnel(self, peer: Peer, seen: Seen) -> None:
        upstream = self._connect(peer, int(seen.path.rpartition(":")[2]))
        with self.counted(upstream):
            if self._interim:
                peer.send(self._interim + b"HTTP/1.1 200 Connec")
                peer.pause()
                peer.send(b"tion established\r\n\r\n")
            else:
                peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _pump(peer.sock, upstream)

    def _forward(self, peer: Peer, seen: Seen) -> None:
        """Pass on one request and its answer, which has to say its length."""
        address = urlsplit(seen.path)
        upstream = self._connect(peer, address.port or 80)
        with self.counted(upstream):
            path = f"{address.path}?{address.query}" if address.query else address.path
            kept = [f"{name}: {value}" for name, value in seen.headers.items() if not name.startswith("proxy-")]
            request = "\r\n".join([f"{seen.method} {path} HTTP/1.1", *kept]) + "\r\n\r\n"
            upstream.sendall(request.encode("latin-1") + peer.read_body(int(seen.headers.get("content-length", "0"))))
            answering = Peer(self, upstream)
            head = answering.read_head()
            if head is None:
                raise Gone
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            peer.send(head + b"\r\n\r\n" + answering.read_body(length))

    def _connect(self, peer: Peer, port: int) -> socket.socket:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError as error:
            peer.send(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
            raise Gone from error


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Copy both ways in one thread, as a TLS socket may not be read and written by two, until one side closes."""
    pairs = {one: other, other: one}
    while True:
        readable: list[socket.socket] = [sock for sock in pairs if _has_pending(sock)]
        if not readable:
            readable, _, _ = select.select(list(pairs), [], [])
        for source in readable:
            data = source.recv(65536)
            if not data:
                raise Gone
            pairs[source].sendall(data)


def _has_pending(sock: socket.socket) -> bool:
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0


@contextlib.contextmanager
def running_proxy(
    credentials: str | None = None, context: ssl.SSLContext | None = None, interim: bytes = b""
) -> Generator[ProxyServer]:
    proxy = ProxyServer(credentials, context, interim)
    try:
        yield proxy
    finally:
        proxy.close()
