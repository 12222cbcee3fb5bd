"""What calls at a deployment take: the mix of tokens that its effective price is worked out from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dragoman.values import Usage

__all__ = ["Mix"]

KEPT = 0.98
"""The part of the past that an answer leaves: the last fifty or so weigh."""


class Mix:
    """Decaying sums over answers. `version` rises with each of them."""

    __slots__ = ("answers", "cache_read", "cache_write", "input", "output", "version")

    def __init__(self) -> None:
        self.answers = 0.0
        self.input = 0.0
        self.output = 0.0
        self.cache_read = 0.0
        self.cache_write = 0.0
        self.version = 0

    def observe(self, usage: Usage) -> None:
        """Notes an answer whose tokens were counted."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return
        self.answers = self.answers * KEPT + 1.0
        self.input = self.input * KEPT + usage.input_tokens
        self.output = self.output * KEPT + usage.output_tokens
        self.cache_read = self.cache_read * KEPT + (usage.cache_read_tokens or 0)
        self.cache_write = self.cache_write * KEPT + (usage.cache_write_tokens or 0)
        self.version += 1
