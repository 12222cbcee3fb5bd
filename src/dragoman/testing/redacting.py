"""What a recording must not hold: credentials, and what identifies an account. By name, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["REMOVED", "safe_headers", "safe_request_headers", "safe_url", "without_secrets"]

REMOVED = "[removed]"

# Of a request only what shapes the answer is kept, and of an answer only what clients read: a header that nobody
# thought of is left out, so that it cannot be a secret.
_REQUEST_HEADERS = ("content-type", "accept", "anthropic-version", "anthropic-beta", "openai-beta")
_ANSWER_HEADERS = (
    "content-type",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "x-amzn-errortype",
    "date",
)
_SECRET_PARAMETERS = {"key", "api_key", "api-key", "apikey", "access_token", "token", "signature", "sig", "code"}
_SECRET_MEMBERS = {"api_key", "apikey", "access_token", "authorization", "password", "secret", "client_secret"}


def safe_request_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers of a request that a recording keeps."""
    return {name.lower(): value for name, value in headers if name.lower() in _REQUEST_HEADERS}


def safe_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers of an answer that a recording keeps; limits are kept too, by the beginnings of their names."""
    return {
        name.lower(): value
        for name, value in headers
        if name.lower() in _ANSWER_HEADERS or name.lower().startswith(("x-ratelimit-", "anthropic-ratelimit-"))
    }


def safe_url(url: str) -> str:
    """The address without user and password, and without the values of parameters that are secret."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    pairs = [
        (name, REMOVED if name.lower() in _SECRET_PARAMETERS or name.lower().startswith("x-amz-") else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(pairs), ""))


def without_secrets(value: Any, secrets: Collection[str]) -> Any:
    """A JSON value with the members that are secret by name, and the given secrets wherever they stand, removed."""
    if isinstance(value, dict):
        return {
            _cleaned(name, secrets): REMOVED
            if name.lower() in _SECRET_MEMBERS and isinstance(each, str)
            else without_secrets(each, secrets)
            for name, each in cast("dict[str, Any]", value).items()
        }
    if isinstance(value, list):
        return [without_secrets(each, secrets) for each in cast("list[Any]", value)]
    return _cleaned(value, secrets) if isinstance(value, str) else value


def _cleaned(text: str, secrets: Collection[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, REMOVED)
    return text
