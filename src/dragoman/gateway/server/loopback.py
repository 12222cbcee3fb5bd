"""What is demanded of every request while no key is asked for, so that web pages cannot call a local gateway.

A page may make a browser send requests to 127.0.0.1, by its own name for that address too (DNS rebinding). Such a
request carries a foreign Host or a foreign Origin, or it is one that forms can send, which JSON is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.gateway.server.refusals import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LOOPBACK_HOSTS", "KeylessGuard"]

LOOPBACK_HOSTS = frozenset(("localhost", "127.0.0.1", "[::1]"))

_WITHOUT_BODY = frozenset(("GET", "HEAD", "OPTIONS", "DELETE"))
_JSON = b"application/json"


class KeylessGuard:
    """Holds requests to hosts that are known, their own origin, and JSON. Ports are not compared in Host."""

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self._hosts = LOOPBACK_HOSTS | {host.lower() for host in hosts}

    def check_origin(self, fields: Mapping[bytes, bytes]) -> None:
        """Raises `RequestRefused` for a foreign Host or Origin."""
        host = fields.get(b"host", b"").decode("latin-1").lower()
        if _without_port(host) not in self._hosts:
            raise RequestRefused(
                403,
                "host",
                f"the host {host[:100]!r} is not one of this gateway's: while no key is asked for, requests must name "
                "localhost, 127.0.0.1 or a host listed in server.trusted_hosts",
            )
        origin = fields.get(b"origin")
        if origin is not None and origin.decode("latin-1").lower() not in (f"http://{host}", f"https://{host}"):
            raise RequestRefused(
                403,
                "origin",
                "requests of other origins' web pages are refused while no key is asked for",
            )

    def check_content_type(self, method: str, fields: Mapping[bytes, bytes]) -> None:
        """Raises `RequestRefused` for a body that is not declared to be JSON."""
        if method not in _WITHOUT_BODY:
            kind = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
            if kind != _JSON:
                raise RequestRefused(415, "content_type", "the content type must be application/json")


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.partition(":")[0]
