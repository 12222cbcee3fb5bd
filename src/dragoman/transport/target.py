"""Addresses: an absolute URL read into what a connection and a request line need.

Strict on purpose (RFC 3986, RFC 9110 section 4.2): nothing is guessed or repaired, for a URL that two parsers read
differently is how a credential reaches the wrong host.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dragoman.errors import ConfigError

__all__ = ["Origin", "Target", "parse_url", "without_query"]

_URL = re.compile(r"(?i:(https?))://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::([0-9]{0,5}))?")
_HOST = re.compile(r"(?=.{1,253}\.?\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?")
_VISIBLE = re.compile(r"[!-~]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Whom a connection leads to: lower-case scheme, host (ASCII, no brackets) and port."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """The host as it stands in a URL, with the port unless it is the scheme's own."""
        if self.port == _DEFAULT_PORTS[self.scheme]:
            return self.bracketed
        return f"{self.bracketed}:{self.port}"

    @property
    def bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


class Target(NamedTuple):
    """A parsed URL: whom to connect to, and what to ask for (path and query, never empty)."""

    origin: Origin
    path: str


def without_query(url: str) -> str:
    """The URL as it may be shown: query, fragment and userinfo can hold secrets."""
    shown = url.split("?", 1)[0].split("#", 1)[0]
    scheme, mark, rest = shown.partition("://")
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        authority = "…@" + authority.rpartition("@")[2]
    return f"{scheme}{mark}{authority}{slash}{path}"


def parse_url(url: str) -> Target:
    """Read an absolute http or https URL. Raises `ConfigError` naming the part that cannot be used."""
    found = _URL.fullmatch(url)
    if found is None:
        raise ConfigError(f"{without_query(url)!r} is not an absolute http:// or https:// URL.")
    scheme, authority, path, query = found[1].lower(), found[2], found[3] or "/", found[4] or ""
    if "@" in authority:
        raise ConfigError(
            f"{without_query(url)!r} holds a user name or password; pass credentials as headers or api_key instead."
        )
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise ConfigError(f"{without_query(url)!r} has no valid host and port.")
    path += query
    if _VISIBLE.fullmatch(path) is None:
        raise ConfigError(f"The path or query of {without_query(url)!r} holds characters that must be percent-encoded.")
    return Target(Origin(scheme, _read_host(parts[1], url), _read_port(parts[2], scheme, url)), path)


def _read_host(text: str, url: str) -> str:
    if text.startswith("["):
        from ipaddress import IPv6Address

        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            raise ConfigError(f"{without_query(url)!r} has no valid IPv6 address.") from None
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            raise ConfigError(f"The host of {without_query(url)!r} is not a valid international name.") from None
    if _HOST.fullmatch(text) is None:
        raise ConfigError(f"{without_query(url)!r} has no valid host.")
    return text.lower()


def _read_port(text: str | None, scheme: str, url: str) -> int:
    if not text:
        return _DEFAULT_PORTS[scheme]
    port = int(text)
    if not 0 < port < 65536:
        raise ConfigError(f"{without_query(url)!r} has no valid port.")
    return port
