"""Problems of a configuration: each with its file and line, all of them told at once."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["InvalidConfig", "Problem", "near_name"]


class Problem(NamedTuple):
    """One thing that is wrong. `line` counts from 1; `path` names the member, as in `models.fast.deployments[0]`."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}: {where}{self.message}"


class InvalidConfig(ConfigError):
    """A configuration that cannot be used; `problems` holds everything that is wrong with it, in the file's order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def near_name(name: str, valid: Iterable[str]) -> str:
    """A question that names the nearest valid name, with a space before it; empty if none is near."""
    spellings = {each.lower().replace("-", "_"): each for each in valid}
    near = get_close_matches(name.lower().replace("-", "_"), spellings, 1, 0.6)
    return f" Did you mean {spellings[near[0]]!r}?" if near else ""
