"""The errors that our gateway's clients get in this dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.dialects.contract import EncodedError
from dragoman.dialects.error_table import blamed, row_of, waiting_headers
from dragoman.dialects.error_words import client_message, subject_of
from dragoman.errors import DragomanError, ProviderError

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["encode_error", "error_object"]

_TYPE: Final = "type.googleapis.com/google.rpc."


def encode_error(error: DragomanError) -> EncodedError:
    """Status, body and headers for a client. What a provider says about credentials does not pass."""
    return EncodedError(row_of(error).status, {"error": error_object(error)}, waiting_headers(error))


def error_object(error: DragomanError) -> JsonObject:
    """The object that stands under `error`, in a body and in a stream."""
    subject = subject_of(error)
    row = row_of(subject)
    message = client_message(subject)
    details: list[JsonObject] = []
    field = blamed(subject)
    if field is not None:
        violation = {"field": field, "description": message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if row.reason:
        # One word of the wire stands for several classes; which it is, this tells.
        details.append({"@type": f"{_TYPE}ErrorInfo", "reason": row.reason, "domain": "dragoman"})
    if isinstance(subject, ProviderError) and subject.retry_after is not None:
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{subject.retry_after:g}s"})
    told: JsonObject = {"code": row.status, "message": message, "status": row.google}
    if details:
        told["details"] = details
    return told
