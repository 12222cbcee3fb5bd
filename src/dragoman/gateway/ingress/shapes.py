"""What the names of a body's members say by themselves, worked out once for the few sets of names that clients send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.gateway.policy import STEERING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ACTING", "CAPS", "LONGEST_NAMES", "MOST_SHAPES", "Shape", "known", "shape_of"]

ACTING: Final = ("background", "conversation", "mcp_servers", "container", "plugins", "web_search_options", "store")
"""Members that ask for more than an answer, unless they are empty."""
_ACTING: Final = frozenset((*ACTING, "tools"))
CAPS: Final = ("max_completion_tokens", "max_tokens", "max_output_tokens")
"""Members that say how long an answer may be, the one that counts first."""
_SIZING: Final = frozenset(
    (*CAPS, "n", "extra_body", "generationConfig", "generation_config", "inferenceConfig", "options")
)
MOST_SHAPES: Final = 2048
LONGEST_NAMES: Final = 1024


class Shape(msgspec.Struct, frozen=True):
    """`capital` are the names that are not in small letters, `steering` those that may choose who answers.

    `may_act`: there are members that may ask for more than an answer. `sizes`: there are some that may say how long the
    answer is, or how many are wanted.
    """

    capital: tuple[str, ...]
    steering: tuple[str, ...]
    may_act: bool
    sizes: bool


known: dict[tuple[str, ...], Shape] = {}


def shape_of(members: Iterable[str]) -> Shape:
    """The shape of a body with these members, in their order."""
    names = tuple(members)
    found = known.get(names)
    if found is None:
        found = _worked_out(names)
        # Long names are not kept, and of the others no more than a bound: a client may send whatever it likes.
        if sum(map(len, names)) <= LONGEST_NAMES:
            if len(known) >= MOST_SHAPES:
                known.clear()
            known[names] = found
    return found


def _worked_out(names: tuple[str, ...]) -> Shape:
    return Shape(
        capital=tuple(name for name in names if not name.islower()),
        steering=tuple(name for name in names if name.lower() in STEERING),
        may_act=not _ACTING.isdisjoint(names),
        sizes=not _SIZING.isdisjoint(names),
    )
