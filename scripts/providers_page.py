"""Writes docs/providers.md from conformance runs: `python -m scripts.providers_page`.

Each provider of the catalogue, in each dialect that it speaks, is asked the conformance pack's checks. What answers is
a fake of that dialect, which refuses what the vendor of the dialect refuses; the requests are made with the provider's
own row, so that the page shows what its declared deviations leave of each check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman import catalogue, dialects
from dragoman.catalogue import ProviderRow
from dragoman.engine.deployment import Deployment
from dragoman.face.model import ChatModel
from dragoman.routing.route import Candidate, Route
from dragoman.testing import FakeProvider
from dragoman.testing.conformance import CHECKS, Report, run_conformance
from dragoman.testing.models import parts_of_model, row_of
from dragoman.testing.wires import WIRES
from dragoman.values import Target

PAGE = Path(__file__).resolve().parents[1] / "docs" / "providers.md"

KEY = "a-key-of-this-run"
MODEL = "fake-model"
_SHOWN = {"works": "yes", "refused": "no", "wrong": "WRONG", "not asked": ""}
_LEFT_OUT = ("a wrong key", "an unknown model", "async", "leaving a stream")
"""Checks of a live server's own doing: of a fake they say nothing about the provider."""


@dataclass(frozen=True)
class Run:
    """One provider in one dialect."""

    provider: str
    dialect: str
    report: Report


def rows() -> list[ProviderRow]:
    """The built-in providers that are reached over a wire, by name; a name for others is left out."""
    found = [catalogue.find(name) for name in catalogue.names()]
    return [row for row in found if row.dialects and not row.maker and not row.backends]


def runs() -> Iterator[Run]:
    """Every provider in every dialect that it speaks and a fake can play."""
    spoken = set(dialects.names()) & set(WIRES)
    with FakeProvider(models=[MODEL]) as fake, FakeProvider(models=[MODEL], usage_unasked=True) as unasked:
        for row in rows():
            for dialect in row.dialects:
                if dialect in spoken:
                    # A host that is not asked for usage on streams is one that tells it of its own.
                    played = fake if row.quirks.chat.stream_usage or dialect != "openai-chat" else unasked
                    yield Run(row.name, dialect, _report(played, row, dialect))


def _report(fake: FakeProvider, row: ProviderRow, dialect: str) -> Report:
    route, name, _ = parts_of_model(row_of(row.name, dialect, fake.base_url(dialect)), MODEL, api_key=KEY)
    deployment = _as(row, route.candidates[0].deployment)

    def make(**_changes: Any) -> ChatModel:
        return ChatModel(Route(candidates=(Candidate(deployment=deployment, max_retries=0),)), name=name)

    checks = [name for name in CHECKS if name not in _LEFT_OUT]
    if row.embeddings_only:
        checks = ["embeddings"]
    has_vectors = dialects.load(dialect).encode_embedding_request is not None
    return run_conformance(make, only=checks, embedding_model=MODEL if has_vectors else None)


def _as(row: ProviderRow, deployment: Deployment) -> Deployment:
    """The deployment with the provider's own quirks and members, at the fake's address."""
    access = deployment.access
    target = Target(provider=row.name, issuer=row.issuer, model=MODEL, quirks=row.quirks)
    own = type(access)(
        access.row,
        dialect=access.dialect,
        target=target,
        bases={access.dialect: access.base_url},
        credential=access.credential,
        headers=row.headers,
    )
    return Deployment(access=own, timeout=deployment.timeout)


_INTRODUCTION = """\
# Providers

Written by `python -m scripts.providers_page` from runs of the conformance pack ([testing](testing.md)); do not edit. A
test compares this page with the code.

Every provider of the catalogue was asked, in every dialect that it speaks, with its own row: its quirks, its headers.
What answered was a fake of that dialect over HTTP, which refuses what the vendor of the dialect refuses. So "yes" means
that the request is said in full, is taken, and its answer is read; it does not promise that each of a provider's models
is able to. "no" means that the dialect or the provider's row cannot say it: the call is made without it, and the
answer's `adaptations` name it (or `Unsupported` is raised, with `adapt="refuse"`). An empty cell was not asked.
"WRONG" is a fault. To ask a real provider: `pytest --dragoman-conformance provider/model`.
"""


def page(every: list[Run]) -> str:
    """The whole page as Markdown."""
    return "\n".join([_INTRODUCTION, *_table(every), "", *_legend(), "", *_reasons(every)]) + "\n"


def _table(every: list[Run]) -> Iterator[str]:
    yield "## What works"
    yield ""
    names = [name for name in CHECKS if name not in _LEFT_OUT]
    yield "| provider | dialect | " + " | ".join(names) + " |"
    yield "| --- | --- |" + " --- |" * len(names)
    for run in every:
        found = {finding.check: _SHOWN[finding.verdict] for finding in run.report}
        yield f"| {run.provider} | {run.dialect} | " + " | ".join(found.get(name, "") for name in names) + " |"


def _legend() -> Iterator[str]:
    yield "## What each check holds to be right"
    yield ""
    yield "| check | |"
    yield "| --- | --- |"
    for check in CHECKS.values():
        if check.name not in _LEFT_OUT:
            yield f"| {check.name} | {check.about} |"


def _reasons(every: list[Run]) -> Iterator[str]:
    yield "## Why not"
    yield ""
    yield "| check | why | where |"
    yield "| --- | --- | --- |"
    where: dict[tuple[str, str], list[str]] = {}
    for run in every:
        for finding in run.report:
            if finding.verdict in ("refused", "wrong"):
                where.setdefault((finding.check, finding.detail), []).append(f"{run.provider} ({run.dialect})")
    for (check, detail), places in sorted(where.items()):
        shown = detail.replace("|", "\\|").replace("\n", " ")
        yield f"| {check} | {shown} | {', '.join(places)} |"


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(list(runs())), encoding="utf-8")


if __name__ == "__main__":
    main()
