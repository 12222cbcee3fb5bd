"""Request heads: checked header pairs to bytes.

A line break inside a header would let its author write further headers, or a second request; so what cannot stand in
a header is refused before anything is sent (RFC 9110 section 5.5, RFC 9112 section 3).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dragoman.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["build_head", "check_method"]

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(r"[\t -~\x80-\xff]*")

_ORDINARY, _HOST, _LENGTH, _ENCODING, _REFUSED = range(5)
_SPECIAL: Final = {
    "host": _HOST,
    "content-length": _LENGTH,
    "accept-encoding": _ENCODING,
    # What frames a message or belongs to one connection is the transport's own business.
    "connection": _REFUSED,
    "expect": _REFUSED,
    "keep-alive": _REFUSED,
    "proxy-authorization": _REFUSED,
    "proxy-connection": _REFUSED,
    "te": _REFUSED,
    "trailer": _REFUSED,
    "transfer-encoding": _REFUSED,
    "upgrade": _REFUSED,
}
# Spellings that were found valid, so that a request pays one look-up per header; bounded, and cleared when full.
_known_names: dict[str, int] = {}
_KNOWN_NAMES_BOUND: Final = 1024


def check_method(method: str) -> None:
    """Raise `InvalidRequest` for what is no method, and for CONNECT, which asks for a tunnel and not for an answer."""
    if _TOKEN.fullmatch(method) is None or method.upper() == "CONNECT":
        raise InvalidRequest(f"{method!r} is not a method that can be sent.")


def build_head(
    opening: str, host: str, headers: Sequence[tuple[str, str]], body_length: int | None, accept_encoding: str
) -> bytes:
    """Write a request head: `opening` is the request line with its CRLF, `host` the Host header's value.

    A caller's own Host or Accept-Encoding takes the place of ours; a Content-Length has to be true. `body_length` None
    writes none. Raises `InvalidRequest` naming the header, never its value, which may be a secret.
    """
    lines = [opening]
    own_host = own_encoding = False
    for name, value in headers:
        kind = _known_names.get(name)
        if kind is None:
            kind = _learn_name(name)
        # isprintable is the quickest test that excludes every control character; tabs and letters beyond ASCII that
        # it leaves open are looked at again.
        if not (value.isprintable() and value.isascii()):
            _check_value(name, value)
        if kind != _ORDINARY:
            if kind == _LENGTH:
                _check_length(value, body_length)
                continue
            if kind == _HOST:
                if own_host:
                    raise InvalidRequest("The header host is given twice; a request has one.")
                own_host = True
            else:
                own_encoding = True
        lines.append(f"{name}: {value}\r\n")
    if not own_host:
        lines[0] = f"{opening}host: {host}\r\n"
    if not own_encoding:
        lines.append(accept_encoding)
    lines.append("\r\n" if body_length is None else f"content-length: {body_length}\r\n\r\n")
    return "".join(lines).encode("latin-1")


def _learn_name(name: str) -> int:
    if _TOKEN.fullmatch(name) is None:
        raise InvalidRequest(f"{name!r} is not a valid header name.")
    kind = _SPECIAL.get(name.lower(), _ORDINARY)
    if kind == _REFUSED:
        raise InvalidRequest(f"The header {name!r} belongs to the connection; the transport sets it and nobody else.")
    if len(_known_names) >= _KNOWN_NAMES_BOUND:
        _known_names.clear()
    _known_names[name] = kind
    return kind


def _check_value(name: str, value: str) -> None:
    if _VALUE.fullmatch(value) is None:
        raise InvalidRequest(
            f"The value of the header {name!r} holds a control character or one beyond Latin-1; it was not sent."
        )


def _check_length(value: str, body_length: int | None) -> None:
    if value.strip() != str(body_length or 0):
        raise InvalidRequest(f"The header content-length says {value!r}, but the body has {body_length or 0} bytes.")
