"""Fit: for whom something is being written, and what could not be said to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dragoman.dialects.openai_responses.wire import ISSUER, NAME
from dragoman.values import AdaptationLog, Target, own_replay

if TYPE_CHECKING:
    from dragoman.values import JsonObject
    from dragoman.values.parts import Part

__all__ = ["Fit"]


@dataclass(slots=True)
class Fit:
    """`towards` a provider, whose state alone is sent; towards a client of ours, who gets what was issued to it.

    "self" restates what was just decoded, to see whether anything was lost.
    """

    target: Target
    log: AdaptationLog
    towards: Literal["provider", "client", "self"] = "provider"

    def knows(self, note: JsonObject) -> bool:
        """Whether an item with this note may go to the other side with its id and state."""
        return self.towards != "provider" or note.get(ISSUER, self.target.issuer) == self.target.issuer

    def state(self, part: Part, kind: str) -> Any:
        """The part's replay of this kind that may be sent, or None."""
        if self.towards == "provider":
            return own_replay(part.replay, kind, self.target, NAME)
        for replay in part.replay:
            if replay.kind == kind and replay.dialect == NAME:
                return replay.data
        return None

    def common(self, part: Part, path: str, *, cache: bool = False) -> None:
        """Records what any part may carry and this place of the wire cannot say; `cache`: it can say the mark."""
        self.log.foreign_extras(part.extras, NAME, path)
        if part.cache is not None and not cache:
            self.log.dropped(f"{path}.cache", "only input text, images and files can be marked for the cache")
        for replay in part.replay:
            if replay.dialect != NAME or (self.towards == "provider" and replay.issuer != self.target.issuer):
                self.log.dropped(f"{path}.replay", f"replay state of {replay.issuer or replay.dialect}")
