"""Addresses: what callers write as a base URL, made into the one address that a dialect's paths are appended to.

A base may be written with or without its version segment. The rules, in order:

1. A path that is empty, or is one of the provider's own paths with or without the version, means the provider's own
   path for the dialect: `https://api.groq.com`, `…/openai` and `…/openai/v1` are the same address.
2. Where the dialect's own clients take the address without the version (`anthropic`, `gemini`), a path that does not
   end with a version gets one: `https://gateway.example/claude` becomes `…/claude/v1`.
3. The dialect `ollama` lies beside the version of the others, at the server's root: `…/ollama/v1` and `…/ollama` become
   `…/ollama/api`.
4. Any other path is kept as it is: what comes before `/chat/completions` is known only to its owner.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dragoman.errors import ConfigError
from dragoman.transport.target import Origin, parse_url, without_query

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Base", "address_for", "is_own", "read_base", "read_host"]

_DEFAULT_VERSIONS = {"gemini": "/v1beta", "cohere": "/v2", "ollama": "/api"}
_VERSION_AT_END = re.compile(r"/v[0-9]+(?:(?:alpha|beta)[0-9]*)?\Z")
_WITHOUT_VERSION = frozenset({"anthropic", "gemini"})
_ENDPOINT_AT_END = re.compile(
    r"/(?:chat/completions|completions|responses|messages|embeddings|models/[^/]*:[A-Za-z]+|(?:api|v2)/(?:chat|embed))\Z"
)
_AT_ROOT = "ollama"
_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f]")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]", "::": "[::1]"}  # noqa: S104


class Base(NamedTuple):
    """An address that was read: whom to connect to, and a path that is empty or begins, but does not end, with `/`."""

    origin: Origin
    path: str

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"


def read_base(text: str, what: str = "base_url") -> Base:
    """Read a base URL that `what` names. Raises `ConfigError` for what cannot be one, and says what to do."""
    if _CONTROL_OR_SPACE.search(text):
        # Not shown: what stands behind a line break may be anything.
        raise ConfigError(f"{what} holds spaces, line breaks or control characters: give the bare address.")
    if "://" not in text:
        raise ConfigError(f"{what} has no scheme: write {without_query(f'http://{text}')!r}, or the same with https.")
    shown = without_query(text)
    if "?" in text or "#" in text:
        raise ConfigError(f"{what} {shown!r} must not hold a query or fragment (? or #): give the address alone.")
    if "\\" in text:
        raise ConfigError(f"{what} {shown!r} holds a backslash: write / instead.")
    try:
        parsed = parse_url(text)
    except ConfigError as error:
        raise ConfigError(f"{what}: {error.message}") from None
    path = parsed.path.rstrip("/")
    if any(segment in {".", ".."} for segment in path.lower().replace("%2e", ".").split("/")):
        raise ConfigError(f"{what} {shown!r} holds dot segments: write the path out.")
    endpoint = _ENDPOINT_AT_END.search(path)
    if endpoint is not None:
        raise ConfigError(f"{what} {shown!r} names an endpoint: give the address before {endpoint[0]!r}.")
    return Base(parsed.origin, path)


def read_host(text: str, default_port: int, what: str = "OLLAMA_HOST") -> Base:
    """Read a `[scheme://]host[:port][/path]` as Ollama does: without a scheme the default port, with one the scheme's.

    An address to listen on everywhere (`0.0.0.0`, `::`, or none) becomes the loopback address.
    """
    text = text.strip().strip("\"'").strip()
    scheme, mark, rest = text.rpartition("://")
    authority, slash, path = rest.partition("/")
    if authority.count(":") > 1 and not authority.startswith("["):
        authority = f"[{authority}]"  # a bare IPv6 address
    host, colon, port = authority, "", ""
    if not authority.endswith("]"):
        head, colon, tail = authority.rpartition(":")
        host, port = (head, tail) if colon else (authority, "")
    host = _ANY_ADDRESS.get(host, host)
    if not port and not mark:
        port = str(default_port)
    return read_base(f"{scheme or 'http'}://{host}{':' + port if port else ''}{slash}{path}", what)


def address_for(base: Base, dialect: str, own: str | None, own_paths: Iterable[str] = ()) -> Base:
    """The address of a dialect at a base that a caller gave.

    `own` is the provider's own address for the dialect, `own_paths` the paths of all its addresses.
    """
    own_path = read_base(own).path if own is not None else _DEFAULT_VERSIONS.get(dialect, "/v1")
    known = {"", own_path, *own_paths}
    known |= {_VERSION_AT_END.sub("", path) for path in known}
    if base.path in known:
        return Base(base.origin, own_path)
    if dialect == _AT_ROOT:
        root = _VERSION_AT_END.sub("", base.path)
        own_end = _DEFAULT_VERSIONS[_AT_ROOT]
        return Base(base.origin, root if root.endswith(own_end) else root + own_end)
    if dialect in _WITHOUT_VERSION and _VERSION_AT_END.search(base.path) is None:
        return Base(base.origin, base.path + _DEFAULT_VERSIONS.get(dialect, "/v1"))
    return base


def is_own(origin: Origin, own: Iterable[Origin]) -> bool:
    """Whether an origin is among a provider's own ones; the names of this machine count as one host."""
    return any(
        (origin.scheme, origin.port) == (other.scheme, other.port)
        and (origin.host == other.host or (origin.host in _LOOPBACK and other.host in _LOOPBACK))
        for other in own
    )
