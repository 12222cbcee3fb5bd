"""What passes through to a provider as it is, and back: paths, queries and headers, each by a list of what may pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from dragoman.gateway.server.refusals import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Destination", "answer_headers", "destination", "passed_query", "request_headers", "upload_address"]

_STEP: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]+")
_VERSION: Final = re.compile(r"v\d+[a-z0-9]*")
_QUERY: Final = re.compile(r"[!-~]*")
_LONGEST_PATH: Final = 2048

_CREDENTIALS: Final = frozenset("key api_key api-key apikey access_token oauth_token token authorization".split())
"""Parameters of a query in which a client may have shown its key to us."""

_SENT: Final = frozenset(
    "accept accept-language anthropic-beta anthropic-version content-type idempotency-key if-match if-modified-since"
    " if-none-match openai-beta prefer range user-agent x-goog-api-client x-request-id".split()
)
_SENT_FAMILIES: Final = ("x-goog-upload-",)

_RETURNED: Final = frozenset(
    "accept-ranges content-disposition content-language content-range content-type etag last-modified openai-model"
    " openai-processing-ms openai-version request-id retry-after retry-after-ms x-request-id x-should-retry".split()
)
_RETURNED_FAMILIES: Final = ("x-ratelimit-", "anthropic-ratelimit-", "x-goog-upload-")
_ADDRESSES: Final = frozenset(("x-goog-upload-url", "x-goog-upload-control-url"))
"""Headers that hold an address at the provider: written anew, so that uploads come through here too."""

_VALUE: Final = re.compile(r"[\t -~\x80-\xff]*")


class Destination:
    """Where a path leads: `path` is what grants are asked with, `address` the absolute one."""

    __slots__ = ("address", "path")

    def __init__(self, path: str, address: str) -> None:
        self.path = path
        self.address = address


def destination(raw_path: str, prefix: str, base_url: str) -> Destination:
    """The destination of `prefix/…` at a provider, whose version may stand before its paths or be left out.

    `/files` is one of the base address; `/v1/files` is the same path in the version that is written, and
    `/upload/v1/files`, as Google has it, stands beside the versions. A path is made of plain segments: whatever another
    reader could take for something else (dot segments, empty ones, percent signs, a scheme) is refused. Raises
    `RequestRefused`.
    """
    if not raw_path.startswith(f"{prefix}/"):
        raise _refused()
    rest = raw_path[len(prefix) :]
    steps = rest[1:].split("/")
    if len(rest) > _LONGEST_PATH or any(step in {".", ".."} or not _STEP.fullmatch(step) for step in steps):
        raise _refused()
    root, _, version = base_url.rstrip("/").rpartition("/")
    if not _VERSION.fullmatch(version):
        root, version = base_url.rstrip("/"), ""
    if version and len(steps) > 1 and _VERSION.fullmatch(steps[0]):
        return Destination(rest[len(steps[0]) + 1 :], root + rest)
    if version and len(steps) > 2 and steps[0] == "upload" and _VERSION.fullmatch(steps[1]):
        return Destination(rest, root + rest)
    return Destination(rest, f"{root}/{version}{rest}" if version else root + rest)


def _refused() -> RequestRefused:
    return RequestRefused(
        400,
        "invalid_path",
        "the path must follow the provider's name as plain segments: no '.', '..', empty or percent-encoded ones",
    )


def passed_query(query: str) -> str:
    """The query without parameters that show a key. Raises `RequestRefused` for what is no query."""
    if not query:
        return ""
    if not _QUERY.fullmatch(query) or "#" in query:
        raise RequestRefused(400, "invalid_query", "the query holds letters that have to be percent-encoded")
    kept = [pair for pair in query.split("&") if pair and _name(pair) not in _CREDENTIALS]
    return "?" + "&".join(kept) if kept else ""


def _name(pair: str) -> str:
    name = pair.partition("=")[0].replace("+", " ")
    # Decoded until nothing changes: whoever reads it decodes it at least once.
    for _ in range(4):
        decoded = unquote(name)
        if decoded == name:
            break
        name = decoded
    return name.strip().casefold().lstrip("$")


def request_headers(fields: Mapping[bytes, bytes]) -> list[tuple[str, str]]:
    """The client's headers that go to the provider: none of its credentials, cookies, or of the connection's."""
    return [
        (name, value.decode("latin-1"))
        for raw, value in fields.items()
        if ((name := raw.decode("latin-1")) in _SENT or name.startswith(_SENT_FAMILIES))
    ]


def answer_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The provider's headers that go to the client."""
    return [
        (name.encode(), value.encode("latin-1"))
        for name, value in headers.items()
        if name not in _ADDRESSES
        and (name in _RETURNED or name.startswith(_RETURNED_FAMILIES))
        and _VALUE.fullmatch(value)
    ]


def upload_address(
    headers: Mapping[str, str], base_url: str, prefix: str, origin: str
) -> Iterable[tuple[bytes, bytes]]:
    """The headers that hold an address of the provider's own, as one of ours; others hold it back."""
    at = urlsplit(base_url)
    for name in _ADDRESSES.intersection(headers):
        found = urlsplit(headers[name])
        if (found.scheme, found.netloc) != (at.scheme, at.netloc) or not _QUERY.fullmatch(headers[name]):
            continue
        root = at.path.rstrip("/")
        head, _, version = root.rpartition("/")
        root = head if _VERSION.fullmatch(version) else root
        if found.path.startswith(f"{root}/"):
            told = f"{origin}{prefix}{found.path[len(root) :]}{passed_query(found.query)}"
            yield name.encode(), told.encode()
