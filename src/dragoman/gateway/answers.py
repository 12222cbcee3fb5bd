"""What the gateway writes to its clients beside the answer itself: headers, errors, the closing comment of a stream."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import msgspec

from dragoman.dialects.error_words import client_message, subject_of, withheld
from dragoman.errors import ProviderError, ServerFault, SpoolFull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.dialects import Dialect
    from dragoman.errors import DragomanError
    from dragoman.gateway.ingress.asked import PublicDialect
    from dragoman.values import Adaptation, Attempt, Cost, JsonObject

__all__ = [
    "BAD_GATEWAY",
    "CREDENTIAL_REFUSED",
    "JSON",
    "closing_comment",
    "error_answer",
    "facts_headers",
    "shown_error",
    "stream_headers",
]

JSON = (b"content-type", b"application/json")
CREDENTIAL_REFUSED = "upstream_credential_refused"
BAD_GATEWAY = 502
MOST_ADAPTATIONS = 20
LONGEST_PATH = 200
_UNPRINTABLE = re.compile(r"[^ -~]")
Header = tuple[bytes, bytes]


def facts_headers(
    request_id: str, deployment: str, attempts: int, cost: Cost | None, adaptations: Sequence[Adaptation]
) -> list[Header]:
    """`x-dragoman-…` headers of a whole answer."""
    headers = [
        JSON,
        (b"x-dragoman-request-id", request_id.encode()),
        (b"x-dragoman-deployment", deployment.encode("ascii", "replace")),
        (b"x-dragoman-attempts", b"%d" % attempts),
    ]
    if cost is not None:
        headers.append((b"x-dragoman-cost", f"{cost.amount:f} {cost.currency}".encode()))
    if adaptations:
        headers.append((b"x-dragoman-adaptations", adaptations_text(adaptations).encode("ascii", "replace")))
    return headers


def adaptations_text(adaptations: Sequence[Adaptation]) -> str:
    """`action path, …` in one line of plain letters; beyond a bound their number alone.

    A path may hold names of members that a client chose: whatever else is in them is no part of a header.
    """
    told = ", ".join(f"{entry.action} {entry.path[:LONGEST_PATH]}" for entry in adaptations[:MOST_ADAPTATIONS])
    more = len(adaptations) - MOST_ADAPTATIONS
    return _UNPRINTABLE.sub("?", f"{told}, and {more} more" if more > 0 else told)


def stream_headers(public: PublicDialect, request_id: str) -> list[Header]:
    """The head of a streamed answer."""
    return [
        (b"content-type", public.stream_type.encode()),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
        (b"x-dragoman-request-id", request_id.encode()),
    ]


def closing_comment(
    deployment: str, attempts: Sequence[Attempt], cost: Cost | None, adaptations: Sequence[Adaptation]
) -> bytes:
    """What headers say of a whole answer, as the comment that closes a stream."""
    told = f": dragoman deployment={deployment} attempts={len(attempts)}"
    if cost is not None:
        told += f" cost={cost.amount:f} {cost.currency}"
    if adaptations:
        told += f" adaptations={adaptations_text(adaptations)}"
    return told.replace("\r", " ").replace("\n", " ").encode() + b"\n\n"


def shown_error(error: DragomanError) -> DragomanError:
    """The error as clients are shown it: that a provider refuses the gateway's credential is no fault of theirs.

    A 401, 402 or 403 would read as if the client's own key were bad, or its account empty.
    """
    subject = subject_of(error)
    if not (isinstance(subject, ProviderError) and withheld(subject)):
        return error
    return ServerFault(
        client_message(subject), status=BAD_GATEWAY, code=CREDENTIAL_REFUSED, retry_after=subject.retry_after, advice=""
    )


def error_answer(
    error: DragomanError, codec: Dialect, public: PublicDialect, request_id: str, *, tried: bool
) -> tuple[int, list[Header], bytes]:
    """Status, headers and body of an error in the client's dialect.

    What a provider of the same dialect said passes as it was said, unless it is about our credential. `tried`: attempts
    were made by the plan, so the client's own retries would only multiply them; not so where the ledger had no room.
    """
    shown = shown_error(error)
    encoded = codec.encode_error(shown)
    status, body = encoded.status, encoded.body
    subject = subject_of(shown)
    if (
        shown is error
        and isinstance(subject, ProviderError)
        and subject.status is not None
        and subject.status >= 400  # some hosts say with status 200 that they failed
        and isinstance(given := subject.body, dict)
        and error.attempts
        and error.attempts[-1].dialect == codec.name
    ):
        status, body = subject.status, cast("JsonObject", given)
    elif body.get("request_id", request_id) is None:  # Anthropic's envelope names it
        body = {**body, "request_id": request_id}
    if shown is not error:
        status = BAD_GATEWAY  # where a vendor has another status for faults of its own, too
    headers = [JSON, (b"x-dragoman-request-id", request_id.encode())]
    seen: set[str] = set()
    for name, value in encoded.headers:
        seen.add(name)
        headers.append((name.encode(), value.encode("latin-1", "replace")))
    if (tried or shown is not error) and "x-should-retry" not in seen and not isinstance(subject, SpoolFull):
        headers.append((b"x-should-retry", b"false"))
    if public.request_id_header not in seen:
        headers.append((public.request_id_header.encode(), request_id.encode()))
    if error.attempts:
        headers.append((b"x-dragoman-attempts", b"%d" % len(error.attempts)))
    return status, headers, msgspec.json.encode(body)
