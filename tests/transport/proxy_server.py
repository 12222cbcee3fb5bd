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

from tests.transport.fault_server import FaultServer, Gone, Peer, Seen


class ProxyServer(FaultServer):
    """Records each request in `requests`; `credentials` is `user:password`."""

    def __init__(self, credentials: str | None = None, context: ssl.SSLContext | None = None) -> None:
        self._wanted = None if credentials is None else "Basic " + b64encode(credentials.encode()).decode()
        super().__init__({}, context)

    def _converse(self, peer: Peer) -> None:
        head = peer.read_head()
        if head is None:
            return
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.requests.append(Seen(method, target, headers, b"", head))
        if self._wanted is not None and headers.get("proxy-authorization") != self._wanted:
            peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            raise Gone
        if method == "CONNECT":
            upstream = self._connect(peer, int(target.rpartition(":")[2]))
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            address = urlsplit(target)
            upstream = self._connect(peer, address.port or 80)
            # One request per connection, so that each one can be seen.
            kept = [line for line in lines[1:] if not line.lower().startswith(("proxy-", "connection:"))]
            path = f"{address.path}?{address.query}" if address.query else address.path
            request = "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "connection: close"]) + "\r\n\r\n"
            upstream.sendall(request.encode("latin-1") + peer.read_body(int(headers.get("content-length", "0"))))
        with upstream:
            self._pump(peer, upstream)

    def _connect(self, peer: Peer, port: int) -> socket.socket:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError as error:
            peer.send(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
            raise Gone from error

    def _pump(self, peer: Peer, upstream: socket.socket) -> None:
        """Copy both ways in one thread, as a TLS socket may not be read and written by two, until one side closes."""
        pairs = {peer.sock: upstream, upstream: peer.sock}
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
def running_proxy(credentials: str | None = None, context: ssl.SSLContext | None = None) -> Generator[ProxyServer]:
    proxy = ProxyServer(credentials, context)
    try:
        yield proxy
    finally:
        proxy.close()
