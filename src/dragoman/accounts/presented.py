"""Where a client shows its key: the headers of four official clients, and the query parameter of Gemini's REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Presented", "presented_in", "secret_in"]

Place = Literal["authorization", "x-api-key", "x-goog-api-key", "query"]


class Presented(NamedTuple):
    """A secret, and where it stood."""

    secret: bytes
    place: Place


def presented_in(fields: Mapping[bytes, bytes], query: str = "", *, in_query: bool = False) -> Presented | None:
    """The key of a request; None without one.

    Names of header fields are lower case. Of several places the first counts: `Authorization: Bearer`, `x-api-key`,
    `x-goog-api-key`, then `?key=`, which is looked at only for `in_query`: addresses end up in logs. A field that is
    empty shows nothing.
    """
    value = fields.get(b"authorization")
    if value is not None and value[:7].lower() == b"bearer " and (secret := value[7:].strip()):
        return Presented(secret, "authorization")
    value = fields.get(b"x-api-key")
    if value is not None and (secret := value.strip()):
        return Presented(secret, "x-api-key")
    value = fields.get(b"x-goog-api-key")
    if value is not None and (secret := value.strip()):
        return Presented(secret, "x-goog-api-key")
    return _in_query(query) if in_query and query else None


def secret_in(fields: Mapping[bytes, bytes], query: str = "", *, in_query: bool = False) -> bytes | None:
    """As `presented_in`, the secret alone."""
    value = fields.get(b"authorization")
    if value is not None and value[:7] == b"Bearer " and (secret := value[7:].strip()):
        return secret  # as most clients have it
    shown = presented_in(fields, query, in_query=in_query)
    return None if shown is None else shown.secret


def _in_query(query: str) -> Presented | None:
    from urllib.parse import unquote_to_bytes

    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name == "key" and value:
            return Presented(unquote_to_bytes(value.replace("+", " ")), "query")
    return None
