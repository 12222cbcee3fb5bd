"""What an exchange that failed is reported as: how far it came, and which limit passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import ConnectionLost, TimedOut

if TYPE_CHECKING:
    from dragoman.errors import Sent
    from dragoman.transport.response import ResponseReader
    from dragoman.transport.seam import Timeout

__all__ = ["describe_loss", "describe_time_out"]


def describe_loss(label: str, reader: ResponseReader, sent: Sent, cause: Exception | None) -> ConnectionLost:
    """The other side is gone; `cause` is what the system said, if anything."""
    if not reader.answered:
        where = "before any answer came"
    elif not reader.has_head:
        where = "within the answer's head"
    else:
        where = "before the answer was complete"
    why = f": {cause}" if cause is not None and str(cause) else ""
    loss = ConnectionLost(f"The connection to {label} ended {where}{why}.", phase="read", sent=sent)
    loss.__cause__ = cause
    return loss


def describe_time_out(label: str, phase: str, timeout: Timeout, sent: Sent, *, uploading: bool) -> TimedOut:
    """A limit passed in this phase; `uploading` tells that the request was still on its way out."""
    if phase == "first_byte":
        text = f"{label} had not begun to answer after {timeout.first_byte:g} s."
    elif phase == "idle" and uploading:
        text = f"{label} took no more of the request for {timeout.idle:g} s."
    elif phase == "idle":
        text = f"{label} was silent in mid-answer for {timeout.idle:g} s."
    else:
        text = f"The exchange with {label} was not over after {timeout.total:g} s."
    return TimedOut(text, phase=phase, sent=sent)
