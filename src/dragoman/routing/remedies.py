"""What may be done next, per class of error: the one table that retrying and failover go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dragoman.errors import DragomanError, ProviderError, Remedy, TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.errors import Sent

__all__ = ["Allowed", "allowed", "sent_of"]


class Allowed(msgspec.Struct, frozen=True):
    """`again`: the same target may be asked again; `elsewhere`: another target may be asked."""

    again: bool
    elsewhere: bool


_TABLE: Mapping[Remedy, Allowed] = {
    Remedy.CREDENTIAL: Allowed(again=False, elsewhere=True),
    Remedy.WAIT: Allowed(again=True, elsewhere=True),
    Remedy.ILL: Allowed(again=True, elsewhere=True),
    Remedy.WRONG: Allowed(again=False, elsewhere=False),
    Remedy.TOO_LONG: Allowed(again=False, elsewhere=True),
    Remedy.BLOCKED: Allowed(again=False, elsewhere=False),
    Remedy.ABSENT: Allowed(again=False, elsewhere=True),
    Remedy.NONE: Allowed(again=False, elsewhere=False),
}


def allowed(error: DragomanError, *, acts_on_world: bool) -> Allowed:
    """What the error's class allows; a request that may act on the world moves on only if it was provably not sent."""
    entry = _TABLE[error.remedy]
    if acts_on_world and sent_of(error) != "no":
        return Allowed(again=False, elsewhere=False)
    return entry


def sent_of(error: DragomanError) -> Sent:
    """How far the request got when this error arose."""
    if isinstance(error, TransportError):
        return error.sent
    return "yes" if isinstance(error, ProviderError) else "no"
