"""What every file of this dialect shares: its name, what a writer carries along, and the ids that it mints."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, Target

__all__ = ["NAME", "Writing", "minted_id"]

NAME: Final = "ollama"


@dataclass(slots=True)
class Writing:
    """What an encoder carries along. `answer`: a response is written, not a request."""

    target: Target
    log: AdaptationLog
    answer: bool = False


def minted_id(*said: object) -> str:
    """An id for a call that has none: the same for the same call at the same place."""
    return "call_" + hashlib.sha256("\0".join(map(str, said)).encode()).hexdigest()[:16]
