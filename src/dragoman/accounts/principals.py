"""Principals: who calls, and what that one may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.accounts.limits import Gauge, Limits
from dragoman.accounts.patterns import NamePatterns, PathPattern

if TYPE_CHECKING:
    from dragoman.accounts.limits import Lease

__all__ = ["LOCAL", "MASTER", "Grant", "Principal"]

MASTER: Final = "master"
"""The name of the principal that the master key stands for; no key may have it."""
LOCAL: Final = "local"
"""The name of whoever calls a gateway that has no keys and listens on this machine alone; no key may have it."""


class Grant(msgspec.Struct, frozen=True):
    """Leave to reach paths of one provider with some methods; `provider` "*" is every one."""

    provider: str
    methods: frozenset[str]
    paths: tuple[PathPattern, ...]


class Principal:
    """A key's owner under one configuration. Its gauge is shared with the configurations before and after.

    `master` may administer. What it may call is asked with the name of the route that was found, never with a text
    that a client wrote.
    """

    __slots__ = ("admit_at", "gauge", "grants", "limits", "master", "models", "name", "team")

    def __init__(
        self,
        name: str,
        *,
        team: str = "",
        models: NamePatterns | None = None,
        limits: Limits | None = None,
        grants: tuple[Grant, ...] = (),
        gauge: Gauge | None = None,
        master: bool = False,
    ) -> None:
        self.name = name
        self.team = team
        self.models = NamePatterns(["*"]) if models is None else models
        self.limits = Limits() if limits is None else limits
        self.grants = grants
        self.gauge = Gauge(name) if gauge is None else gauge
        self.master = master
        # Bound ahead of time: it is called once a request.
        self.admit_at = self.gauge.admit

    def admit(self, now: float) -> Lease:
        """Leave for one request at `now` (seconds of a steady clock), or `LimitReached`; release it when it is over."""
        return self.admit_at(now)

    def enforce(self) -> None:
        """From now on this configuration's limits hold for the key."""
        self.gauge.limit(self.limits)

    def may_use(self, route: str) -> bool:
        """Whether the route of this public name may be used."""
        return route in self.models

    def may_pass(self, provider: str, method: str, path: str) -> bool:
        """Whether a path of a provider may be reached through the gateway as it is."""
        return any(
            grant.provider in ("*", provider)
            and method in grant.methods
            and any(pattern.matches(path) for pattern in grant.paths)
            for grant in self.grants
        )

    def __repr__(self) -> str:
        return f"Principal({self.name!r}, team={self.team!r}, {self.models!r})"
