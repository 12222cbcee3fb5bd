"""Usage and cost: what a call took, with one meaning for every provider."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from dragoman.values.value import JsonObject, Value

__all__ = ["Cost", "Usage"]


class Usage(Value, frozen=True, kw_only=True):
    """Token counts. Totals are inclusive, the rest are named subsets of them; None means "not reported", never 0.

    `input_tokens` includes cached and audio tokens, `output_tokens` includes reasoning. Subsets of input:
    `cache_read_tokens`, `cache_write_tokens` (with `cache_write_5m_tokens` and `cache_write_1h_tokens` within it),
    `input_audio_tokens`, `input_image_tokens` (pages of documents are counted as images by those who count them at
    all), `input_video_tokens`, `input_tool_tokens`; of the cached ones, `cache_read_audio_tokens`,
    `cache_read_image_tokens`, `cache_read_video_tokens`. Subsets of output: `reasoning_tokens`, `citation_tokens`
    (those of the sources that an answer cites, where a provider charges for them), `output_audio_tokens`,
    `output_image_tokens`, `output_video_tokens`, `accepted_prediction_tokens`, `rejected_prediction_tokens`.
    `total_tokens` is the provider's own sum. `tool_uses` counts provider-run tools.
    `billed_input_tokens` and `billed_output_tokens` are what is charged for, where the provider says other counts than
    those of what the call took.
    `reported_cost` is the provider's own figure in USD. `raw` is the wire's object as it came, of dialect `dialect`.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    input_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    input_video_tokens: int | None = None
    input_tool_tokens: int | None = None
    cache_read_audio_tokens: int | None = None
    cache_read_image_tokens: int | None = None
    cache_read_video_tokens: int | None = None
    reasoning_tokens: int | None = None
    citation_tokens: int | None = None
    output_audio_tokens: int | None = None
    output_image_tokens: int | None = None
    output_video_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None
    billed_input_tokens: int | None = None
    billed_output_tokens: int | None = None
    tool_uses: dict[str, int] | None = None
    reported_cost: Decimal | None = None
    dialect: str | None = None
    raw: JsonObject | None = None

    def __bool__(self) -> bool:
        """Whether anything was reported at all."""
        return self.input_tokens is not None or self.output_tokens is not None or self != _NOTHING


_NOTHING = Usage()


class Cost(Value, frozen=True, kw_only=True):
    """What a call cost. `basis` tells where the amount comes from; an unknown price is no Cost at all, not 0."""

    amount: Decimal
    currency: str = "USD"
    basis: Literal["reported", "computed", "estimated", "bound"] = "reported"
