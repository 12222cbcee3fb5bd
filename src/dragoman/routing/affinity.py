"""Affinity: calls that belong together go to the same deployment, as long as it can take them.

A session that the client names; a conversation known by how it begins, whose prompt the provider has kept; an answer
whose state the provider keeps (`previous_response_id`). What is bound is bound by a call that succeeded there, and only
then: where nobody has answered yet, nobody is preferred.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dragoman.routing.call import Call

__all__ = ["Affinity"]


class Affinity:
    """Remembers where calls were answered, at most `most` of them, each for `seconds` from its last use.

    `sessions` and `prefixes` switch two of the kinds off; state that a provider keeps is always gone by.
    """

    __slots__ = ("_bound", "most", "prefixes", "seconds", "sessions")

    def __init__(
        self, *, sessions: bool = True, prefixes: bool = True, seconds: float = 3600.0, most: int = 10_000
    ) -> None:
        self.sessions = sessions
        self.prefixes = prefixes
        self.seconds = seconds
        self.most = most
        self._bound: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def find(self, call: Call, now: float) -> tuple[str, str] | None:
        """The key of the deployment that the call belongs to, and what binds it; None where nothing does."""
        bonds = call.bonds
        if bonds is None:
            bonds = call.bonds = self._keys(call)
        for key, what in bonds:
            found = self._bound.get(key)
            if found is not None:
                if found[1] > now:
                    return found[0], what
                del self._bound[key]
        return None

    def bind(self, call: Call, deployment: str, answer: str | None, now: float) -> None:
        """A deployment answered the call; `answer` is the provider's id of its answer."""
        bonds = self._keys(call) if call.bonds is None else call.bonds
        until = now + self.seconds
        for key, what in bonds:
            if what != "state":
                self._keep(key, deployment, until)
        if answer:
            self._keep(f"state {answer}", deployment, until)

    def _keep(self, key: str, deployment: str, until: float) -> None:
        bound = self._bound
        bound[key] = (deployment, until)
        bound.move_to_end(key)
        while len(bound) > self.most:
            bound.popitem(last=False)

    def _keys(self, call: Call) -> list[tuple[str, str]]:
        """By what a call may be bound, the strongest first."""
        keys: list[tuple[str, str]] = []
        if call.state:
            keys.append((f"state {call.state}", "state"))
        if self.sessions and call.session:
            keys.append((f"session {call.key} {call.session}", "session"))
        elif self.prefixes and call.prefix:
            keys.append((f"prefix {call.key} {call.prefix}", "conversation"))
        return keys

    def __len__(self) -> int:
        return len(self._bound)
