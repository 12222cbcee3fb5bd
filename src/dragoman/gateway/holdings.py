"""Holdings: whose the objects are that providers keep for clients, and in which account each is.

Recorded in the store before the answer that tells of one is whole, so that every worker knows it from then on. What is
read is kept in memory, within a bound; what is not known is always asked of the store.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Final

from dragoman.accounts import OwnedState
from dragoman.accounts.principals import LOCAL
from dragoman.gateway.server.refusals import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.accounts import Principal
    from dragoman.engine import Deployment
    from dragoman.storage import StateStore

__all__ = ["Holdings", "account_of", "knows_all", "may_have"]

logger = logging.getLogger("dragoman.gateway")

KEPT_SECONDS: Final = 400 * 86_400.0
"""How long an owner is remembered: longer than any provider keeps what it was asked to keep for a while."""

MOST_IN_MEMORY: Final = 20_000
_PRUNED_EVERY: Final = 10_000


def account_of(deployment: Deployment) -> str:
    """Where a deployment's state is kept: by names of the configuration, so that a renewed key changes nothing."""
    access = deployment.access
    # A credential of the deployment's own may be another account's than the provider's.
    own = access.key_source == "api_key"
    return f"{access.provider}#{deployment.label or deployment.name}" if own else access.provider


def may_have(principal: Principal, state: OwnedState) -> bool:
    """Whether an object is this principal's: its key's, its team's, or anybody's for the master key."""
    if principal.master or state.key == principal.name:
        return True
    return bool(principal.team) and state.team == principal.team


def knows_all(principal: Principal) -> bool:
    """Whether a principal may name what is not recorded: the operator, and who is alone on this machine."""
    return principal.master or principal.name == LOCAL


class _Gathering:
    """What waits for the next transaction."""

    def __init__(self) -> None:
        self.states: list[OwnedState] = []
        self.written: asyncio.Future[None] | None = None


class Holdings:
    """The holdings of one process; belongs to its event loop. `close` waits for what is being written."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._store: StateStore | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="holdings")
        self._known: OrderedDict[str, tuple[OwnedState, ...]] = OrderedDict()
        self._lock = Lock()
        self._gathering: _Gathering | None = None
        self._added = 0

    async def record(self, principal: Principal, account: str, names: Iterable[str]) -> None:
        """Notes that this principal has made these objects; on return every worker knows.

        An owner that cannot be written down is logged: nobody can use the object through the gateway then.
        """
        until = time.time() + KEPT_SECONDS
        fresh = [
            OwnedState(name=name, account=account, key=principal.name, team=principal.team, expires_at=until)
            for name in names
        ]
        if not fresh:
            return
        # One transaction takes whatever has gathered while the thread was busy with the one before.
        with self._lock:
            gathering = self._gathering
            if gathering is None:
                gathering = self._gathering = _Gathering()
                gathering.written = asyncio.get_running_loop().run_in_executor(self._thread, self._add)
            gathering.states += fresh
            written = gathering.written
        assert written is not None
        await asyncio.shield(written)

    def _add(self) -> None:
        with self._lock:
            gathering, self._gathering = self._gathering, None
        states = gathering.states if gathering is not None else []
        try:
            store = self._opened()
            store.add(states)
            self._added += len(states)
            if self._added >= _PRUNED_EVERY:
                self._added = 0
                store.prune()
        except Exception:
            logger.exception("who made %d objects of providers could not be recorded", len(states))

    async def find(self, names: Iterable[str]) -> dict[str, tuple[OwnedState, ...]]:
        """What is known of objects, by name: usually one each, and none of those that are not known."""
        found: dict[str, tuple[OwnedState, ...]] = {}
        missing: list[str] = []
        for name in names:
            known = self._known.get(name)
            if known is None:
                missing.append(name)
            else:
                self._known.move_to_end(name)
                found[name] = known
        if missing:
            loop = asyncio.get_running_loop()
            for state in await loop.run_in_executor(self._thread, self._read, missing):
                found[state.name] = (*found.get(state.name, ()), state)
            for name in missing:
                if name in found:
                    self._keep(name, found[name])
        return found

    async def forget(self, name: str, account: str) -> None:
        """An object was deleted. Other workers may believe for a while that it is there; its provider knows better."""
        self._known.pop(name, None)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._remove, name, account)

    def close(self) -> None:
        """Ends the thread, when everything is written."""
        self._thread.shutdown(wait=True)
        if self._store is not None:
            self._store.close()

    def _keep(self, name: str, states: tuple[OwnedState, ...]) -> None:
        self._known[name] = states
        if len(self._known) > MOST_IN_MEMORY:
            self._known.popitem(last=False)

    def _read(self, names: list[str]) -> list[OwnedState]:
        try:
            return self._opened().find(names)
        except Exception as error:
            # Whose an object is must be known before it is used.
            logger.exception("the store does not answer")
            raise RequestRefused(
                503, "store_unavailable", "the gateway's store does not answer", retry_after=1
            ) from error

    def _remove(self, name: str, account: str) -> None:
        try:
            self._opened().remove(name, account)
        except Exception:
            logger.exception("an object of a provider that was deleted could not be forgotten")

    def _opened(self) -> StateStore:
        # In the one thread that all of this runs in. SQLAlchemy takes 17 MB, and most gateways never come here.
        if self._store is None:
            from dragoman.storage import StateStore, open_database

            self._store = StateStore(open_database(self._url, durable=False))
        return self._store
