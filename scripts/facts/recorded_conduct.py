"""Writes docs/capabilities.md: facts judged by recorded traffic (`python -m scripts.facts.recorded_conduct`)."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.facts.conduct_judge import findings
from tests.wire.recordings import exchanges

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.facts.conduct_judge import Finding

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "capabilities.md"

_INTRODUCTION = """\
# Capabilities, judged by recordings

Written by `python -m scripts.facts.recorded_conduct` from the recordings of real providers' traffic; do not edit. A
test compares this page with the code.

What a provider accepted may not be forbidden by what is known about its model: fitted by the facts, the request must
stay as it was. What a provider refused as "not supported" should be forbidden, or not be known at all.
"""


def page(found: Sequence[Finding]) -> str:
    """The page as Markdown."""
    return "\n".join([_INTRODUCTION, *_accepted(found), "", *_refused(found)]) + "\n"


def _accepted(found: Sequence[Finding]) -> Iterator[str]:
    accepted = [finding for finding in found if finding.accepted]
    known = sum(finding.known for finding in accepted)
    against = sum(finding.outcome == "contradicts" for finding in accepted)
    yield f"{len(accepted)} requests were accepted. Something is known about the models of {known} of them;"
    yield f"{against} would have been changed or refused."
    yield ""
    yield "| provider | accepted | of known models | contradicted |"
    yield "| --- | ---: | ---: | ---: |"
    for provider in sorted({finding.provider for finding in accepted}):
        own = [finding for finding in accepted if finding.provider == provider]
        numbers = len(own), sum(each.known for each in own), sum(each.outcome == "contradicts" for each in own)
        yield f"| {provider} | " + " | ".join(map(str, numbers)) + " |"


def _refused(found: Sequence[Finding]) -> Iterator[str]:
    refused = [finding for finding in found if not finding.accepted]
    counted = Counter(finding.outcome for finding in refused)
    yield f"{len(refused)} requests were refused as unsupported: {counted['forbidden']} as the facts foretell,"
    yield f"{counted['unknown']} of models of which nothing is known, {counted['other']} for another reason."
    yield ""
    yield "| provider | model | result | what, or why |"
    yield "| --- | --- | --- | --- |"
    for finding in sorted(refused, key=lambda each: (each.provider, each.model, each.exchange)):
        note = re.sub(r"\s+", " ", finding.note).replace("|", "\\|")
        yield f"| {finding.provider} | {finding.model} | {finding.outcome} | {note} |"


def main() -> None:
    """Writes the page."""
    recorded = exchanges()
    if not recorded:
        sys.exit("there are no recordings (../shared/wire, or set DRAGOMAN_WIRE); the page is left as it is")
    PAGE.write_text(page(list(findings(recorded))), encoding="utf-8")


if __name__ == "__main__":
    main()
