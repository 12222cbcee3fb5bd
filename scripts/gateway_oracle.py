"""Writes docs/gateway-oracle.md from the recordings: `python -m scripts.gateway_oracle` (`make conformance`).

Every recorded exchange of the public dialects is asked for by official clients, through a gateway that runs for it; the
verdicts are those that the tests assert.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.gateway.oracle import PUBLIC_DIALECTS, Verdict, judged_exchanges, running_oracle

PAGE = Path(__file__).resolve().parents[1] / "docs" / "gateway-oracle.md"

_INTRODUCTION = """\
# What official clients get through the gateway

Written by `make conformance` (`python -m scripts.gateway_oracle`) from the recordings of real providers' traffic; do
not edit. A test compares this page with the code.

Each recorded answer of a public dialect is given by an upstream, and asked for with the recorded request:

- by the official Python client of its own dialect, directly and through the gateway before it. "Equal": equal objects,
  equal streams object by object, or an error of the same class with the same status and body;
- by the official client of each other public dialect, through the gateway, with the request said in that dialect.
  "Equal": the same text, tool calls, reason to end and usage, or an error that says the same.

"Named" differences are meant, and listed below. "Different" would be a fault.
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """One exchange's verdict for one client."""

    provider: str
    dialect: str
    client: str
    form: str
    verdict: Verdict


def judged() -> list[Judged]:
    """All verdicts."""
    recorded = judged_exchanges()
    found: list[Judged] = []
    with tempfile.TemporaryDirectory() as folder, running_oracle(recorded, Path(folder)) as oracle:
        for exchange in recorded:
            dialect = exchange.dialect or ""
            form = "error" if exchange.is_error else "stream" if exchange.is_stream else "answer"
            for client in PUBLIC_DIALECTS:
                verdict = oracle.same(exchange) if client == dialect else oracle.across(exchange, client)
                found.append(Judged(exchange.provider, dialect, client, form, verdict))
    return found


def page(every: list[Judged]) -> str:
    """The whole page as Markdown."""
    own = [one for one in every if one.client == one.dialect]
    across = [one for one in every if one.client != one.dialect]
    lines = [
        _INTRODUCTION,
        f"{len(own)} exchanges. In their own dialect: {_sum(own)}. Across dialects: {_sum(across)}.",
        "",
        "## In one dialect",
        "",
        *_table(own),
        "",
        *_notes(own),
        "",
        "## Across dialects",
        "",
        *_table(across),
        "",
        *_notes(across),
    ]
    return "\n".join(lines) + "\n"


def _sum(every: list[Judged]) -> str:
    counts = Counter(one.verdict.outcome for one in every)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("equal", "named", "different"))


def _table(every: list[Judged]) -> Iterator[str]:
    yield "| recorded | client | form | equal | named | different |"
    yield "| --- | --- | --- | ---: | ---: | ---: |"
    cells = Counter((one.dialect, one.client, one.form, one.verdict.outcome) for one in every)
    for dialect, client, form in sorted({key[:3] for key in cells}):
        told = [cells[dialect, client, form, outcome] or "" for outcome in ("equal", "named", "different")]
        yield f"| {dialect} | {client} | {form} | " + " | ".join(map(str, told)) + " |"


def _notes(every: list[Judged]) -> Iterator[str]:
    yield "| recorded | client | form | times | difference |"
    yield "| --- | --- | --- | ---: | --- |"
    noted = Counter(
        (one.dialect, one.client, one.form, re.sub(r"\[\d+\]", "[]", one.verdict.note).replace("|", "\\|"))
        for one in every
        if one.verdict.outcome != "equal"
    )
    for (dialect, client, form, note), times in sorted(noted.items()):
        yield f"| {dialect} | {client} | {form} | {times} | {note} |"


def main() -> None:
    """Writes the page."""
    if not judged_exchanges():
        sys.exit("there are no recordings (../shared/wire, or set DRAGOMAN_WIRE); the page is left as it is")
    PAGE.write_text(page(judged()), encoding="utf-8")


if __name__ == "__main__":
    main()
