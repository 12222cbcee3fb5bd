"""The errors that our gateway's clients get in this dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects.contract import EncodedError
from dragoman.dialects.error_table import blamed, code_of, row_of, waiting_headers
from dragoman.dialects.error_words import client_message

if TYPE_CHECKING:
    from dragoman.errors import DragomanError
    from dragoman.values import JsonObject

__all__ = ["encode_error", "error_object"]


def encode_error(error: DragomanError) -> EncodedError:
    """Status, body and headers for a client."""
    return EncodedError(row_of(error).status, {"error": error_object(error)}, waiting_headers(error))


def error_object(error: DragomanError) -> JsonObject:
    """The object that stands under `error`, in a body and in a stream."""
    return {
        "message": client_message(error),
        "type": row_of(error).openai_type,
        "param": blamed(error),
        "code": code_of(error),
    }
