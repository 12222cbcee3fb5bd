"""What the head of a request must be (RFC 9112), beyond what the parser holds to.

The parser refuses by itself: bare LF, folded headers, space before a colon, control characters, Content-Length beside
Transfer-Encoding or twice, lengths and chunk sizes that are not plain digits. Here is what it lets pass.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from dragoman.gateway.server.refusals import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ONCE",
    "UNKNOWN_LENGTH",
    "Target",
    "bad_request",
    "body_length",
    "check_host",
    "expects_continue",
    "head_too_large",
    "read_target",
    "without_upgrade",
]

ONCE = frozenset((b"host", b"content-length", b"transfer-encoding", b"authorization", b"content-type", b"expect"))
"""Headers whose repetition is refused: two readers would not agree which one counts."""

UNKNOWN_LENGTH = -1
LONGEST_HOST = 300
REMEMBERED_BYTES = 512

# A name, an IPv4 address or an IPv6 address in brackets, and a port.
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?\Z")
_UPGRADE_FIELDS = frozenset((b"connection", b"upgrade", b"http2-settings"))
_ABSOLUTE = re.compile(rb"https?://([^/?#@]*)(/[^#]*)?\Z", re.IGNORECASE)


class Target(NamedTuple):
    """What the request line asks for: `path` decoded, `raw_path` as it came, the query without its question mark."""

    path: str
    raw_path: str
    query: str


def bad_request(code: str, message: str) -> RequestRefused:
    """A 400 after which the connection is not read further: what follows cannot be trusted to be a request."""
    return RequestRefused(400, code, message, close=True)


def head_too_large(limit: int) -> RequestRefused:
    """431: a head beyond the bound."""
    return RequestRefused(431, "head_too_large", f"the head of the request is larger than {limit} bytes", close=True)


def read_target(target: bytes, host: bytes) -> Target:
    """The parts of a request target in origin form, or in absolute form for this host."""
    if len(target) <= REMEMBERED_BYTES:
        return _remembered_target(target, host)
    return _read_target(target, host)


def _read_target(target: bytes, host: bytes) -> Target:
    if not target.startswith(b"/"):
        absolute = _ABSOLUTE.match(target)
        if absolute is None or absolute[1].lower() != host.lower():
            raise bad_request("invalid_target", "the request target must be a path of this host")
        target = absolute[2] or b"/"
    try:
        raw_path, _, query = target.decode("ascii").partition("?")
    except UnicodeDecodeError:
        raise bad_request("invalid_target", "the request target holds bytes that are not ASCII") from None
    if "#" in raw_path or "#" in query:
        raise bad_request("invalid_target", "the request target holds a fragment")
    return Target(unquote(raw_path) if "%" in raw_path else raw_path, raw_path, query)


# Clients ask for the same few targets of the same host again and again.
_remembered_target = lru_cache(maxsize=512)(_read_target)


@lru_cache(maxsize=512)
def check_host(host: bytes) -> None:
    """Raises unless this is what a Host header may hold."""
    if len(host) > LONGEST_HOST or _HOST.match(host) is None:
        raise bad_request("invalid_host", "the Host header is not a host and a port")


def body_length(fields: Mapping[bytes, bytes], *, http11: bool) -> int:
    """The length that the head announces, 0 without a body, `UNKNOWN_LENGTH` for one in chunks."""
    coding = fields.get(b"transfer-encoding")
    if coding is None:
        length = fields.get(b"content-length")
        return 0 if length is None else int(length)
    if not http11:
        raise bad_request("transfer_encoding", "HTTP/1.0 has no Transfer-Encoding")
    if coding.strip().lower() != b"chunked":
        raise RequestRefused(501, "transfer_encoding", "the only Transfer-Encoding taken is chunked", close=True)
    return UNKNOWN_LENGTH


def expects_continue(expect: bytes | None, *, http11: bool) -> bool:
    """Whether the client waits for 100 Continue before it sends its body."""
    if expect is None or not http11:
        return False
    if expect.strip().lower() != b"100-continue":
        raise RequestRefused(417, "expectation", "the only expectation met is 100-continue", close=True)
    return True


def without_upgrade(method: str, target: bytes, fields: Mapping[bytes, bytes]) -> bytes:
    """The head of a request that offered another protocol, without the offer."""
    kept = [name + b": " + value for name, value in fields.items() if name not in _UPGRADE_FIELDS]
    return b"\r\n".join([b"%b %b HTTP/1.1" % (method.encode(), target), *kept, b"", b""])
