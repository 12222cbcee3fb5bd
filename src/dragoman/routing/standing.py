"""Standing: what live traffic tells of one deployment. Shared by all routes that go to it; `health` keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from dragoman.engine import Deployment
    from dragoman.routing.capacity import Capacity
    from dragoman.routing.limits import Limits
    from dragoman.routing.mix import Mix
    from dragoman.routing.pace import Pace

__all__ = ["Standing", "State", "identity"]

State = Literal["closed", "cooling", "open", "half-open"]


class Standing:
    """Attempts in flight, the breaker, and what strategies and limits need where they are asked for.

    `shut_until` is when the deployment may be asked again: 0 while it is well. `opened` tells a breaker that opened for
    faults, after which one probe decides, from a wait that the provider asked for (`certain`), after which all goes on.
    """

    __slots__ = (
        "bad",
        "capacity",
        "certain",
        "cooldown",
        "counted_at",
        "credential",
        "dead",
        "failures",
        "in_flight",
        "key",
        "mix",
        "name",
        "opened",
        "pace",
        "probing",
        "shut_until",
        "tries",
        "warm_from",
        "why",
    )

    def __init__(self, key: str, name: str, credential: str) -> None:
        self.key = key
        self.name = name
        self.credential = credential
        self.in_flight = 0
        self.shut_until = 0.0
        self.why = ""
        self.certain = False
        self.opened = False
        self.dead = False
        self.probing = False
        self.failures = 0
        self.cooldown = 0.0
        self.tries = 0.0
        self.bad = 0.0
        self.counted_at = 0.0
        self.warm_from: float | None = None
        self.capacity: Capacity | None = None
        self.pace: Pace | None = None
        self.mix: Mix | None = None

    def state(self, now: float) -> State:
        """How the breaker stands: closed, cooling (the provider asked for a wait), open, or half-open."""
        if now < self.shut_until:
            return "open" if self.opened else "cooling"
        return "half-open" if self.opened else "closed"

    @property
    def at_ease(self) -> bool:
        """Whether nothing at all keeps calls away from it, now or at a later time."""
        return not (self.shut_until or self.opened or self.warm_from is not None or self.capacity is not None)

    def limit(self, limits: Limits | None) -> Capacity:
        """The capacity, made if need be, held to these limits too."""
        from dragoman.routing.capacity import Capacity

        found = self.capacity
        if found is None:
            found = self.capacity = Capacity(self.name, limits)
        elif limits is not None and limits != found.limits:
            found.limits = limits.tightened(found.limits)
        return found

    def close(self) -> None:
        """Forgets all that shuts it."""
        self.shut_until = 0.0
        self.why = ""
        self.certain = self.opened = self.dead = self.probing = False
        self.failures = 0
        self.cooldown = self.tries = self.bad = 0.0

    def __repr__(self) -> str:
        return f"Standing({self.name!r}, in_flight={self.in_flight}, why={self.why!r})"


def identity(deployment: Deployment) -> tuple[str, str]:
    """What tells a deployment from others, and what tells its credential; the same in all processes of a machine."""
    from hashlib import blake2b

    access = deployment.access
    credential = access.credential
    secret = credential.secret
    mark = credential.source
    if secret is not None:
        # A digest that says nothing of the key and that two processes agree on.
        mark = blake2b(secret.reveal().encode(), digest_size=8, person=b"dragoman-routes").hexdigest()
    owner = f"{access.provider} {access.base_url} {mark}"
    # Labels are names of one route; two routes may give one name to different models.
    return f"{deployment.label or deployment.name} {access.model} {owner}", owner
