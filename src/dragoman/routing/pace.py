"""How fast a deployment answers: decaying estimates, made independent of the size of what was asked."""

from __future__ import annotations

import math
from collections import deque

__all__ = ["Pace"]

SAMPLE_WEIGHT = 0.3
MEMORY_SECONDS = 60.0
"""An estimate so old weighs about a third of what it weighed when it was fresh."""
HALF_LIFE_SECONDS = 120.0
"""A deployment that nobody asks is taken for faster and faster, until somebody asks it again."""
PROMPT_SCALE_TOKENS = 10_000
LEAST_TOKENS = 20
KEPT_SAMPLES = 64


class Pace:
    """Of streams: seconds to the first byte (for a short prompt) and per token after it. Of whole answers: per token.

    The two are kept apart, since the first byte of a whole answer comes when all of it is written.
    """

    __slots__ = ("_first", "_per_token", "_samples", "_seen_at", "_whole", "_whole_samples")

    def __init__(self) -> None:
        self._first: float | None = None
        self._per_token: float | None = None
        self._whole: float | None = None
        self._seen_at = 0.0
        self._samples: deque[float] = deque(maxlen=KEPT_SAMPLES)
        self._whole_samples: deque[float] = deque(maxlen=KEPT_SAMPLES)

    def observe(
        self,
        now: float,
        streamed: bool,
        first_seconds: float | None,
        seconds: float,
        input_tokens: int | None,
        output_tokens: int | None,
    ) -> None:
        """Notes an answer."""
        # Written out, for every answer of a route that goes by pace comes here.
        age = now - self._seen_at
        keep = (1.0 - SAMPLE_WEIGHT) * (math.exp(-age / MEMORY_SECONDS) if age > 0 else 1.0)
        self._seen_at = now
        if not streamed:
            self._whole_samples.append(seconds)
            sample = seconds / (
                output_tokens if output_tokens is not None and output_tokens > LEAST_TOKENS else LEAST_TOKENS
            )
            whole = self._whole
            self._whole = sample if whole is None else whole * keep + sample * (1.0 - keep)
            return
        if first_seconds is None:
            return
        self._samples.append(first_seconds)
        self._first = _mixed(self._first, first_seconds / (1.0 + (input_tokens or 0) / PROMPT_SCALE_TOKENS), keep)
        if output_tokens is not None and output_tokens >= LEAST_TOKENS:
            self._per_token = _mixed(self._per_token, max(0.0, seconds - first_seconds) / output_tokens, keep)

    def expected(self, now: float, streamed: bool, prompt_tokens: int, output_tokens: int) -> float | None:
        """Seconds that such a call would take; None where nothing is known. The prompt tells of streams alone."""
        if streamed and self._first is not None:
            seconds = self._first * (1.0 + prompt_tokens / PROMPT_SCALE_TOKENS)
            seconds += (self._per_token or 0.0) * output_tokens
        elif self._whole is not None:
            seconds = self._whole * (output_tokens if output_tokens > LEAST_TOKENS else LEAST_TOKENS)
        elif self._first is not None:
            seconds = self._first + (self._per_token or 0.0) * output_tokens
        else:
            return None
        age = now - self._seen_at
        return seconds * 0.5 ** (age / HALF_LIFE_SECONDS) if age > 0 else seconds

    def quantile(self, share: float, *, streamed: bool, least: int = 1) -> float | None:
        """The time to the first byte (of whole answers: to the end) that this share stays below; None for too few."""
        samples = self._samples if streamed else self._whole_samples
        if len(samples) < least:
            return None
        ordered = sorted(samples)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def _mixed(old: float | None, sample: float, keep: float) -> float:
    return sample if old is None else old * keep + sample * (1.0 - keep)
