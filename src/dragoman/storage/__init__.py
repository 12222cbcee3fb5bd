"""The store: SQLite through SQLAlchemy Core.

`tables` are what is kept, `database` opens it, `ledger_store` is where the ledger's drain writes, `ledger_queries` what
may be asked and `ledger_tail` what is seen of it as it comes. `state_store`
holds whose the objects are that providers keep. Needs the extra: `pip install "dragoman[gateway]"`.
"""

from __future__ import annotations

from dragoman.errors import MissingExtra

try:
    from sqlalchemy import Engine
except ModuleNotFoundError:
    raise MissingExtra('the store needs SQLAlchemy, which is not installed: pip install "dragoman[gateway]"') from None

from dragoman.storage.database import open_database
from dragoman.storage.ledger_queries import Grouping, Sum, find_request, latest_attempts, sums
from dragoman.storage.ledger_store import LedgerStore
from dragoman.storage.ledger_tail import LedgerTail
from dragoman.storage.state_store import StateStore

__all__ = [
    "Engine",
    "Grouping",
    "LedgerStore",
    "LedgerTail",
    "StateStore",
    "Sum",
    "find_request",
    "latest_attempts",
    "open_database",
    "sums",
]
