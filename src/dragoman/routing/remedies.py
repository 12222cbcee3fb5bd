"""What may be done next, per class of error: the one table that retrying and failover go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from dragoman.errors import DragomanError, ProviderError, Remedy, TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.errors import Sent

__all__ = ["Allowed", "Whom", "allowed", "sent_of"]

Whom = Literal["nobody", "anybody", "larger", "marked"]
"""Who else may be asked: nobody; any other target; one whose window is larger, or not known; one that is marked as an
alternative for blocked content."""


class Allowed(msgspec.Struct, frozen=True):
    """`again`: the same target may be asked again; `elsewhere`: who else may be asked."""

    again: bool
    elsewhere: Whom


_TABLE: Mapping[Remedy, Allowed] = {
    Remedy.CREDENTIAL: Allowed(again=False, elsewhere="anybody"),
    Remedy.WAIT: Allowed(again=True, elsewhere="anybody"),
    Remedy.ILL: Allowed(again=True, elsewhere="anybody"),
    Remedy.WRONG: Allowed(again=False, elsewhere="nobody"),
    Remedy.TOO_LONG: Allowed(again=False, elsewhere="larger"),
    Remedy.BLOCKED: Allowed(again=False, elsewhere="marked"),
    Remedy.ABSENT: Allowed(again=False, elsewhere="anybody"),
    Remedy.NONE: Allowed(again=False, elsewhere="nobody"),
}
_NOTHING = Allowed(again=False, elsewhere="nobody")


def allowed(error: DragomanError, *, acts_on_world: bool) -> Allowed:
    """What the error's class allows; a request that may act on the world moves on only if it was provably not sent.

    Whoever says that asking again is no use is believed, of itself.
    """
    if acts_on_world and sent_of(error) != "no":
        return _NOTHING
    found = _TABLE[error.remedy]
    if found.again and isinstance(error, ProviderError) and error.final:
        return Allowed(again=False, elsewhere=found.elsewhere)
    return found


def sent_of(error: DragomanError) -> Sent:
    """How far the request got when this error arose."""
    if isinstance(error, TransportError):
        return error.sent
    return "yes" if isinstance(error, ProviderError) else "no"
