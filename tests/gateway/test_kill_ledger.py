"""kill -9 of workers, the ledger's writer, the supervisor, and everything, at random moments under load: all exact.

Every attempt that the provider saw has one row, every answer that was given whole a settled one, nothing is settled
that was not sent, and what nobody settled is booked at its bound. `make soak` does it hundreds of times and writes
docs/soak-kill.md.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.gateway.kill_run import KillRun, Round
from tests.servers.process import ROOT

if TYPE_CHECKING:
    from tests.gateway.ledger_audit import Audit

TWO, ONE, ALONE = ("--workers", "2"), ("--workers", "1", "--supervised"), ("--workers", "1")
SOAK_KILLS = 400
MOST_IN_A_ROW = 5
"""Of one life's workers: beyond it, a supervisor waits longer and longer before it starts another."""
MOST_WRITERS_IN_A_ROW = 3
SOAK_SEED = 2026
CLIENTS = 16


def test_thirty_deaths_under_load_leave_the_ledger_exact(tmp_path: Path) -> None:
    rounds = [
        Round(TWO, 5, "first", 2),
        Round(TWO, 5, "group", 3),
        Round(ALONE, 0, "first", 2),
        Round(ALONE, 0, "first"),
        Round(ONE, 2, "first", 2),
        Round(ALONE, 0, "group", 3),
    ]
    run = KillRun(tmp_path, random.Random(5), clients=CLIENTS)
    found = run.run(rounds)
    assert run.kills == sum(each.kills for each in rounds) == 30
    assert run.killed_writers == 12
    assert found.outcomes["ok"] >= len(run.load.delivered) > 50
    assert found.outcomes["unknown"] > 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_hundreds_of_deaths_under_load_leave_the_ledger_exact(tmp_path: Path) -> None:
    dice = random.Random(SOAK_SEED)
    rounds: list[Round] = []
    while sum(each.kills for each in rounds) < SOAK_KILLS:
        arguments = dice.choice([TWO, TWO, TWO, ONE, ALONE])
        rounds.append(
            Round(
                arguments,
                0 if arguments is ALONE else dice.randint(0, MOST_IN_A_ROW),
                dice.choice(["first", "first", "group"]),
                dice.randint(0, MOST_WRITERS_IN_A_ROW),
            )
        )
    run = KillRun(tmp_path, dice, clients=CLIENTS)
    found = run.run(rounds)
    assert run.kills >= SOAK_KILLS
    (ROOT / "docs/soak-kill.md").write_text(_report(run, found))


def _report(run: KillRun, found: Audit) -> str:
    load = run.load
    lines = [
        "# kill -9 under load",
        "",
        f"Written by `make soak` on {datetime.now(UTC):%Y-%m-%d} (`tests/gateway/test_kill_ledger.py`); it is written",
        "only when every check holds.",
        "",
        "| what | count |",
        "| --- | ---: |",
        f"| deaths of a worker | {run.killed_workers} |",
        f"| deaths of the ledger's writer | {run.killed_writers} |",
        f"| deaths of the first process (supervisor, or the only one) | {run.killed_first} |",
        f"| deaths of all processes at once | {run.killed_groups} |",
        f"| starts of `dragoman serve` | {run.starts} |",
        f"| requests of {CLIENTS} clients in {run.seconds:.0f} s | {load.asked} |",
        f"| answers given whole | {len(load.delivered)} |",
        f"| connections that broke before that | {load.broken} |",
        f"| rows in the ledger | {found.rows} |",
        *(f"| … of them `{outcome}` | {count} |" for outcome, count in found.outcomes.items()),
        f"| their sum in USD | {found.total} |",
        "",
        "The provider's own log is the witness: each request carries an id in the name of its model. Held for every",
        "id: the rows are as many as the requests that the provider read (a row more only where its process died, or",
        "its client went, before anything was read); an answer that a client got whole has one row `ok` with the",
        "tokens and the cost that the provider told; rows `unknown` stand at their bound; the database's sum is the",
        "exact one; and no spool, no open attempt is left. Half of the requests are streamed, half are translated.",
        "",
    ]
    return "\n".join(lines)
