"""Writes docs/failover.md: `python -m scripts.failover` (`make conformance`).

Every fault is put before fakes of every dialect and before real servers, for callers of every public dialect; what
official clients saw, what was attempted, what was booked and what the servers' logs say is gathered, judged by the laws
that the tests assert, and told in tables. Without the LiteLLM proxy (`make .venv-litellm`) it stops.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from examples.llama_server import running_llama_server
from tests.failover.cells import CLIENTS, SHAPES, all_cells
from tests.failover.faults import LATE, LIMIT_SECONDS, ROWS
from tests.failover.laws import wrong_with
from tests.failover.real import RealCell, play_real, real_cells, words_of
from tests.failover.scene import play
from tests.servers.litellm_proxy import running_litellm_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dragoman.testing import Passage
    from tests.failover.cells import Outcome, Shape

PAGE = Path(__file__).resolve().parents[1] / "docs" / "failover.md"
REAL = "## Before real servers"

_INTRODUCTION = f"""\
# Failover, fault by fault

Written by `make conformance` (`python -m scripts.failover`); do not edit. A test plays all of it again before fakes,
holds the laws below, and compares this page.

A gateway serves routes whose first deployment stands behind a proxy that commits the fault (`dragoman.testing`'s
`FaultProxy`). Official clients of the four public dialects call it, whole and streamed; the deployments are reached in
all seven dialects. Faults "in the body" come after {LATE} events of a stream, or in the middle of a whole answer. Slow
deployments have limits of {LIMIT_SECONDS:g} s. What is told was read from three places: the client's own objects, the
ledger's rows after the gateway had stopped, and the logs of the proxy and of the servers, which are the witness.

The laws that are asserted of every call:

- no caller sees an error that the healthy deployment could have avoided, unless a part of an answer was shown; then it
  is an error in the client's own way, behind a true beginning of one answer, and nobody else is asked
- a wrong request is asked once, of one deployment; so is blocked content
- a dead credential is not tried again, and the provider's words about it do not reach the caller
- a request that may act on the world is asked again only if it provably was not sent
- exactly one row of the ledger for each request that a server saw, and one for each attempt that reached nobody, at no
  cost
- an error answer says `x-should-retry: false`, with the provider's `Retry-After`
- every error is one of the official client's own classes
"""

_ABOUT: dict[Shape, str] = {
    "pair": "`max_retries: 0`, so each deployment has one try. The healthy one answers wherever it may.",
    "alone": "`max_retries: 1`, and the fault at each try: what the client gets when all was tried.",
    "again": "`max_retries: 1`, and the fault at the first try alone.",
    "acts": "`store`, or a tool that the provider runs: only what provably was not sent moves on.",
}


def page(outcomes: Sequence[Outcome]) -> str:
    """The part of the page that is played before fakes."""
    lines = [_INTRODUCTION, f"{len(outcomes)} calls. {_tally(outcomes)}", ""]
    for shape, words in SHAPES.items():
        chosen = [outcome for outcome in outcomes if outcome.cell.shape == shape]
        lines += [f"## {words[0].upper()}{words[1:]}", "", _ABOUT[shape], "", *_table(chosen), ""]
    return "\n".join(lines)


def real_part(outcomes: Sequence[Outcome]) -> str:
    """The part that is played before llama.cpp and LiteLLM's proxy."""
    about = (
        "The fault proxy stands before the llama.cpp server, and LiteLLM's proxy with a mock model is the healthy one "
        "(first table); then the other way round. `max_retries: 0`. LiteLLM answers some streams with one whole "
        "document, where faults in a stream are those of a whole answer."
    )
    lines = [REAL, "", about, "", f"{len(outcomes)} calls. {_tally(outcomes)}", ""]
    for server in ("llama.cpp", "LiteLLM"):
        chosen = [
            outcome for outcome in outcomes if isinstance(outcome.cell, RealCell) and outcome.cell.server == server
        ]
        lines += [f"### The fault before {server}", "", *_table(chosen), ""]
    return "\n".join(lines)


def _tally(outcomes: Sequence[Outcome]) -> str:
    seen = Counter(_kind(outcome) for outcome in outcomes)
    rows = sum(len(outcome.rows) for outcome in outcomes)
    asked = sum(len(outcome.faulty) + len(outcome.healthy) for outcome in outcomes)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(seen.items()))
    return f"What callers saw: {told}. Servers saw {asked} requests; {rows} attempts are booked."


def _kind(outcome: Outcome) -> str:
    saw = outcome.saw
    if saw.error is None:
        return "answers"
    return "errors after a part was shown" if saw.in_band else "errors at the head"


# -- tables ------------------------------------------------------------------------------------------------------------


def _table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "| fault | asked | the caller sees | attempts, and what is booked | the faulty server saw | calls |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in ROWS:
        for streamed in (False, True):
            chosen = [one for one in outcomes if one.cell.row is row and one.cell.streamed == streamed]
            groups: defaultdict[tuple[str, ...], list[Outcome]] = defaultdict(list)
            for outcome in chosen:
                groups[_seen(outcome), _booked(outcome), _witnessed(outcome)].append(outcome)
            for (_, booked, witnessed), held in sorted(groups.items()):
                how = "streamed" if streamed else "whole"
                calls = "all" if len(held) == len(chosen) else _calls(held)
                yield f"| {row.name} | {how} | {_told(held)} | {booked} | {witnessed} | {calls} |"


def _seen(outcome: Outcome) -> str:
    """What calls of a group have in common; their errors' classes are the clients' own."""
    saw = outcome.saw
    if saw.error is None:
        whose = "the healthy one's" if outcome.healthy else "the same one's"
        return f"an answer, {whose}"
    wait = saw.headers.get("retry-after")
    waits = f", `retry-after: {wait}`" if wait else ""
    return "a part, then an error in the stream" if saw.in_band else f"an error{waits}"


def _told(held: Sequence[Outcome]) -> str:
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for outcome in held:
        if outcome.saw.error is not None:
            status = "" if outcome.saw.in_band or " " in outcome.saw.error else f" {outcome.saw.status}"
            kinds[f"`{outcome.saw.error}`{status}"].add(outcome.cell.client)
    told = ", ".join(
        f"{', '.join(client for client in CLIENTS if client in clients)}: {kind}"
        for kind, clients in sorted(kinds.items(), key=lambda item: (CLIENTS.index(_first(item[1])), item[0]))
    )
    return f"{_seen(held[0])} ({told})" if told else _seen(held[0])


def _first(clients: set[str]) -> str:
    return next(client for client in CLIENTS if client in clients)


def _booked(outcome: Outcome) -> str:
    return "; ".join(
        f"{row['number']} {row['reason']}: {row['error'] or row['outcome']}, sent {row['sent']}, cost {_cost(row)}"
        for row in outcome.rows
    )


def _cost(row: dict[str, str | None]) -> str:
    if row["cost"] is None:
        return str(row["basis"])
    amount = "0 " if row["cost"] == "0" else ""
    return f"{amount}{row['basis']}"


def _witnessed(outcome: Outcome) -> str:
    if not outcome.faulty:
        return "nothing"
    return "; ".join(map(_passage, outcome.faulty))


def _passage(passage: Passage) -> str:
    if passage.fault is None:
        return "a request, answered"
    ended = {"whole": "answered by the fault", "cut": "broken off", "left": "the gateway left"}[passage.seen.ended]
    if passage.upstream == "closed":
        ended += ", closed behind"
    return f"a request, {ended}"


def _calls(held: Sequence[Outcome]) -> str:
    """Which calls a line is about: caller → faulty deployment's dialect → the healthy one's."""
    told = [" → ".join(name for name in (one.cell.client, one.cell.upstream, one.cell.healthy) if name) for one in held]
    return ", ".join(dict.fromkeys(told))


# -- the program -------------------------------------------------------------------------------------------------------


def fakes_part(written: str) -> str:
    """The part of a written page that needs no other server."""
    return written.partition(REAL)[0]


def _judged(outcomes: Sequence[Outcome], wrong: Sequence[list[str]]) -> None:
    broken = [f"{outcome.cell}: {'; '.join(told)}" for outcome, told in zip(outcomes, wrong, strict=True) if told]
    if broken:
        sys.exit("\n".join(["the page is left as it is, for laws are broken:", *broken]))


def main() -> None:
    """Plays everything and writes the page."""
    with TemporaryDirectory(prefix="dragoman-failover-") as folder:
        outcomes = play(all_cells(), Path(folder))
    _judged(outcomes, [wrong_with(outcome) for outcome in outcomes])
    cells = real_cells()
    with (
        TemporaryDirectory(prefix="dragoman-failover-") as folder,
        running_llama_server(endless=True) as llama,
        running_litellm_proxy() as litellm,
    ):
        real = play_real(cells, llama, litellm.address, Path(folder))
    _judged(real, [wrong_with(outcome, words_of(cell)) for outcome, cell in zip(real, cells, strict=True)])
    text = f"{page(outcomes)}\n{real_part(real)}"
    PAGE.write_text(re.sub(r"\n{3,}", "\n\n", text), encoding="utf-8")


if __name__ == "__main__":
    main()
