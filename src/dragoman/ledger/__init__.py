"""The ledger: the durable record of every attempt.

`records` are what is written: an intent before an attempt, a settlement after it. A process writes them to its own
`spool` (memory-mapped segments, `frames` in `segments`, with a thread for `keeping` it), usually through the `permits`
of a call. `births` tells spools of the living from those of the dead. The `drain` carries all spools into a store, as
`rows`, where `closing` books what a dead process left open; `lookup` finds what was not carried over yet. Amounts are
`money`, ids are `identity`.

Durable means: in the kernel when the call returns, so nothing is lost when the process is killed. `sync="group"` adds
the disk, for power failures.
"""

from __future__ import annotations

from dragoman.ledger.births import left_behind
from dragoman.ledger.births import spools as find_spools
from dragoman.ledger.closing import close_at_bound
from dragoman.ledger.drain import Batch, Drain, Standing, Store
from dragoman.ledger.drain_thread import DrainThread
from dragoman.ledger.identity import new_attempt_id
from dragoman.ledger.lookup import Found, find_in_spools
from dragoman.ledger.money import amount_text, exact_sum
from dragoman.ledger.permits import CallPermits, CallScope, LedgerPermit, Terms
from dragoman.ledger.reading import Place, SpoolReader, read_records
from dragoman.ledger.records import Correction, Intent, Record, RequestRecord, Settlement
from dragoman.ledger.spool import MAX_BYTES, SEGMENT_BYTES, Spool, SpoolState, Sync

__all__ = [
    "MAX_BYTES",
    "SEGMENT_BYTES",
    "Batch",
    "CallPermits",
    "CallScope",
    "Correction",
    "Drain",
    "DrainThread",
    "Found",
    "Intent",
    "LedgerPermit",
    "Place",
    "Record",
    "RequestRecord",
    "Settlement",
    "Spool",
    "SpoolReader",
    "SpoolState",
    "Standing",
    "Store",
    "Sync",
    "Terms",
    "amount_text",
    "close_at_bound",
    "exact_sum",
    "find_in_spools",
    "find_spools",
    "left_behind",
    "new_attempt_id",
    "read_records",
]
