"""Adaptations: the recorded changes made to fit a request, or an answer, to a target."""

from __future__ import annotations

from typing import Any, Literal

from dragoman.values.value import Extras, Value

__all__ = ["Adaptation", "AdaptationLog", "AdaptationPolicy", "are_foreign_notes"]

AdaptationPolicy = Literal["note", "refuse", "silent"]
Action = Literal["dropped", "clamped", "substituted", "emulated", "defaulted"]


class Adaptation(Value, frozen=True, kw_only=True):
    """One change. `path` names the member in our values ("temperature", "messages[2].parts[0].replay")."""

    path: str
    action: Action
    reason: str
    asked: Any = None
    applied: Any = None


def are_foreign_notes(extras: Extras, dialect: str) -> bool:
    """Whether extras hold nothing that an encoder of this dialect would write back, or record as dropped."""
    for name, members in extras.items():
        if name == dialect:
            return False
        for member in members:
            if not member.startswith(":"):
                return False
    return True


class AdaptationLog:
    """Collects adaptations while something is encoded."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[Adaptation] = []

    def add(self, *entries: Adaptation) -> None:
        self._entries.extend(entries)

    def dropped(self, path: str, reason: str, asked: Any = None) -> None:
        self._entries.append(Adaptation(path=path, action="dropped", reason=reason, asked=asked))

    def clamped(self, path: str, reason: str, asked: Any, applied: Any) -> None:
        self._entries.append(Adaptation(path=path, action="clamped", reason=reason, asked=asked, applied=applied))

    def substituted(self, path: str, reason: str, asked: Any = None, applied: Any = None) -> None:
        self._entries.append(Adaptation(path=path, action="substituted", reason=reason, asked=asked, applied=applied))

    def emulated(self, path: str, reason: str, asked: Any = None, applied: Any = None) -> None:
        self._entries.append(Adaptation(path=path, action="emulated", reason=reason, asked=asked, applied=applied))

    def defaulted(self, path: str, reason: str, applied: Any) -> None:
        self._entries.append(Adaptation(path=path, action="defaulted", reason=reason, applied=applied))

    def foreign_extras(self, extras: Extras | None, dialect: str, path: str) -> None:
        """Records each member that only another dialect can say (form notes are no loss and are not recorded)."""
        if not extras:
            return
        for name, members in extras.items():
            if name != dialect:
                for member, asked in members.items():
                    if not member.startswith(":"):
                        self.dropped(f"{path}.extras.{name}.{member}".lstrip("."), f"only {name} has it", asked)

    def entries(self) -> tuple[Adaptation, ...]:
        return tuple(self._entries)
