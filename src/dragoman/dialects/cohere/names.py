"""What every file of this dialect shares: its name, and what a writer carries along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, Target

__all__ = ["NAME", "Writing"]

NAME: Final = "cohere"


@dataclass(slots=True)
class Writing:
    """What an encoder carries along.

    `mend`: the values come from elsewhere, so what this wire refuses is mended and recorded. `answer`: a response is
    written, not a request.
    """

    target: Target
    log: AdaptationLog
    mend: bool = True
    answer: bool = False
