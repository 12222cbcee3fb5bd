"""Whose an object is that a provider keeps for a client."""

from __future__ import annotations

import msgspec

__all__ = ["OwnedState"]


class OwnedState(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a provider: who made it, and where it is.

    `name` is its collection and its id (`files/file-1`), `account` the provider's name in the configuration, with the
    deployment's where that has a credential of its own. It is forgotten at `expires_at`, Unix time in seconds.
    """

    name: str
    account: str
    key: str
    team: str
    expires_at: float
