"""What `/metrics` tells of the ledger: how the spool stands, and whether the store takes what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dragoman.gateway.workers.ledger_writer import LedgerWriter
    from dragoman.ledger import Spool
    from dragoman.observe.metrics import Metrics

__all__ = ["count_spool", "count_writer"]


def count_spool(metrics: Metrics, spool: Spool) -> None:
    """Lets the metrics read how a process's spool stands. Merged, the values of all processes are added."""
    metrics.read_gauge(
        "dragoman_spool_open_attempts",
        "Attempts that were written down and are not settled yet.",
        lambda: spool.state().open_intents,
    )
    metrics.read_gauge(
        "dragoman_spools_full",
        "Processes whose spool takes no attempts, so that they answer 503.",
        lambda: not spool.state().has_room,
    )
    metrics.read_gauge(
        "dragoman_spool_segments", "Segments that are written, prepared, or wait to be drained.", spool.segments
    )


def count_writer(metrics: Metrics, writer: LedgerWriter) -> None:
    """Lets the metrics read what the writer reports: those of whoever runs it."""
    metrics.read_gauge(
        "dragoman_ledger_drains", "Writers that carry spools into the store: one, of all.", lambda: writer.elected
    )
    metrics.read_gauge(
        "dragoman_ledger_store_failing",
        "Writers whose store does not take what the spools hold.",
        lambda: writer.problem is not None,
    )
    metrics.read_counter(
        "dragoman_ledger_rows",
        "Rows that were added to the store.",
        "table",
        lambda: [("attempts", writer.carried)],
    )
