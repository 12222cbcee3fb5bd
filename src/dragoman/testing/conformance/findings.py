"""Findings: what a check found out, and all of them together as a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Finding", "NotAsked", "Refused", "Report", "Verdict", "Wrong"]

Verdict = Literal["works", "refused", "wrong", "not asked"]
"""It does what it should; it says that it cannot (or its dialect cannot say it); it does something else; not tried."""


class Refused(Exception):
    """Raised by a check: the other side, or the dialect, says that it cannot."""


class Wrong(Exception):
    """Raised by a check: what came is not what should have come."""


class NotAsked(Exception):
    """Raised by a check: something it needs was not given."""


@dataclass(frozen=True)
class Finding:
    """One check's result; `detail` says what came instead, "" where it works."""

    check: str
    verdict: Verdict
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.check}: {self.verdict}{f' ({self.detail})' if self.detail else ''}"


@dataclass(frozen=True)
class Report:
    """All findings of a run, in the order of the checks; `name` is the model's."""

    name: str
    findings: tuple[Finding, ...]

    def __getitem__(self, check: str) -> Finding:
        return next(finding for finding in self.findings if finding.check == check)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def named(self, verdict: Verdict) -> list[str]:
        """The checks with this verdict."""
        return [finding.check for finding in self.findings if finding.verdict == verdict]

    def __str__(self) -> str:
        return "\n".join([self.name, *(f"  {finding}" for finding in self.findings)])
