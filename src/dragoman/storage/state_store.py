"""Whose the objects are that providers keep for clients: responses, conversations, files, batches, cached contents."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, func, insert, select

from dragoman.accounts import OwnedState
from dragoman.storage.tables import states

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Engine

__all__ = ["StateStore"]

_AT_ONCE = 500
"""Names in one statement; SQLite takes a bounded number of parameters."""


class StateStore:
    """The table of them. Blocks on the disk: call it in a thread."""

    def __init__(self, engine: Engine, *, most: int = 5_000_000) -> None:
        """Beyond `most` objects those that expire first are forgotten."""
        self._engine = engine
        self._most = most

    def add(self, found: Sequence[OwnedState]) -> None:
        """Adds objects; whoever is known to have made one stays its owner. In the kernel when this returns."""
        rows = [msgspec.structs.asdict(each) for each in found]
        with self._engine.begin() as connection:
            connection.execute(insert(states).prefix_with("OR IGNORE"), rows)

    def find(self, names: Iterable[str]) -> list[OwnedState]:
        """What is known of objects of these names, expired ones not."""
        wanted = list(names)
        now = time.time()
        found: list[OwnedState] = []
        with self._engine.connect() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                query = select(states).where(
                    states.c.name.in_(wanted[start : start + _AT_ONCE]), states.c.expires_at > now
                )
                found += [OwnedState(**row._mapping) for row in connection.execute(query)]  # pyright: ignore[reportPrivateUsage] - SQLAlchemy's public name
        return found

    def remove(self, name: str, account: str) -> None:
        """Forgets an object that its provider has deleted."""
        with self._engine.begin() as connection:
            connection.execute(delete(states).where(states.c.name == name, states.c.account == account))

    def prune(self) -> None:
        """Forgets what has expired, and what is too much."""
        with self._engine.begin() as connection:
            connection.execute(delete(states).where(states.c.expires_at <= time.time()))
            beyond = connection.execute(select(func.count()).select_from(states)).scalar_one() - self._most
            if beyond > 0:
                soonest = select(states.c.expires_at).order_by(states.c.expires_at).offset(beyond - 1).limit(1)
                limit = connection.execute(soonest).scalar_one()
                connection.execute(delete(states).where(states.c.expires_at <= limit))

    def close(self) -> None:
        """Closes the database's connections."""
        self._engine.dispose()
