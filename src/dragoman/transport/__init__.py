"""HTTP to providers: the seam, our own HTTP/1.1 client, an aiohttp adapter and a fake.

`seam.py` holds the two methods and the values that cross them. `HttpTransport` (`http1.py`) is our client: `target.py`
reads addresses, `head.py` writes requests, `response.py` reads answers without touching a socket, `connection.py` is
one socket's protocol with its limits, `connecting.py` opens sockets (`proxy.py`, `tunnel.py`, `tls.py`), `pool.py`
lends connections out, `lifetime.py` ends them with their loop. Everything but the seam is loaded when first named, for
asyncio and ssl are slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.transport.limits import TransportLimits
from dragoman.transport.seam import HttpRequest, HttpResponse, HttpStream, Timeout, Transport

if TYPE_CHECKING:
    from dragoman.transport.aiohttp_adapter import AiohttpTransport
    from dragoman.transport.fake import FakeTransport
    from dragoman.transport.http1 import HttpTransport

__all__ = [
    "AiohttpTransport",
    "FakeTransport",
    "HttpRequest",
    "HttpResponse",
    "HttpStream",
    "HttpTransport",
    "Timeout",
    "Transport",
    "TransportLimits",
]

_LAZY = {
    "AiohttpTransport": "dragoman.transport.aiohttp_adapter",
    "FakeTransport": "dragoman.transport.fake",
    "HttpTransport": "dragoman.transport.http1",
}


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
