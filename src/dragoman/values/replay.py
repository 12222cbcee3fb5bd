"""Replay: opaque provider state that goes back to its issuer and to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.values.value import Value

if TYPE_CHECKING:
    from dragoman.values.target import Target

__all__ = ["Replay", "own_replay"]


class Replay(Value, frozen=True, kw_only=True):
    """A piece of a provider's state, kept exactly as it came.

    `issuer` says whose keys can read it ("openai", "anthropic", "gemini", "openrouter" …), `dialect` at which wire it
    was issued, `kind` what it is there ("signature", "encrypted", "redacted", "thought-signature", "details" …), `data`
    the state itself, and `model` is set only where the state is good for that model alone.
    """

    issuer: str
    dialect: str
    kind: str
    data: Any
    model: str | None = None


def own_replay(replays: tuple[Replay, ...], kind: str, target: Target, dialect: str) -> Any:
    """The data of the replay of this kind that `target` itself issued over `dialect`, or None."""
    for replay in replays:
        if replay.kind == kind and replay.dialect == dialect and replay.issuer == target.issuer:
            return replay.data if replay.model in (None, target.model) else None
    return None
