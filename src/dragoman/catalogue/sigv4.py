"""AWS Signature Version 4, as pure functions.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.
The rules are those of every service but S3: the path is encoded once more than it was sent, and normalised.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from dragoman.transport.target import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from dragoman.catalogue.secret import Secret

__all__ = ["AwsCredentials", "canonical_request", "signed_headers"]

ALGORITHM = "AWS4-HMAC-SHA256"


class AwsCredentials(NamedTuple):
    """An access key; `session_token` with temporary ones."""

    access_key_id: str
    secret_access_key: Secret
    session_token: Secret | None = None


def signed_headers(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    credentials: AwsCredentials,
    region: str,
    service: str,
    now: datetime,
) -> list[tuple[str, str]]:
    """The headers to add to a request: its date, the session token if any, and the signature over all of it.

    Everything in `headers`, and the host, is signed: give only what nothing on the way changes. `now` is in UTC. The
    URL must be sent as it is here.
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    added = [("x-amz-date", stamp)]
    if credentials.session_token is not None:
        added.append(("x-amz-security-token", credentials.session_token.reveal()))
    names, canonical = canonical_request(method, url, [*headers, *added], body)
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = _signing_key(credentials.secret_access_key, stamp[:8], region, service)
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{credentials.access_key_id}/{scope}"
    value = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return [*added, ("authorization", value)]


def canonical_request(method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> tuple[str, str]:
    """The names of the signed headers, and the text that is hashed."""
    origin, target = parse_url(url)
    path, _, query = target.partition("?")
    values: dict[str, list[str]] = {"host": [origin.authority]}
    for name, value in headers:
        if name.lower() != "host":
            values.setdefault(name.lower(), []).append(" ".join(value.split()))
    names = ";".join(sorted(values))
    lines = "".join(f"{name}:{','.join(values[name])}\n" for name in sorted(values))
    parts = (method.upper(), _canonical_path(path), _canonical_query(query), lines, names)
    return names, "\n".join((*parts, hashlib.sha256(body).hexdigest()))


def _canonical_path(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    end = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return quote("/" + "/".join(kept) + end, safe="/-_.~")


def _canonical_query(query: str) -> str:
    pairs = [piece.partition("=") for piece in query.split("&") if piece]
    # A plus is a plus in AWS's rules, not a space.
    encoded = [(quote(unquote(name), safe="-_.~"), quote(unquote(value), safe="-_.~")) for name, _, value in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _signing_key(secret: Secret, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret.reveal()}".encode()
    for piece in (date, region, service, "aws4_request"):
        key = hmac.new(key, piece.encode(), hashlib.sha256).digest()
    return key
