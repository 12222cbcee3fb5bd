"""Profile: what is known about a model of a provider, each piece with its source; None means "not known"."""

from __future__ import annotations

from typing import Literal

from dragoman.values.value import Value

__all__ = ["CacheFacts", "Profile", "ReasoningFacts", "Source"]


class Source(Value, frozen=True, kw_only=True):
    """Where a fact is from, and the day (ISO 8601) on which it was so there."""

    name: str
    date: str | None = None
    url: str | None = None


class ReasoningFacts(Value, frozen=True, kw_only=True):
    """How a model thinks.

    `efforts` are the levels that it knows, `least_budget_tokens` and `most_budget_tokens` the bounds of a budget.
    `form` is how thinking is asked for: by level, by budget, by both, or not at all (the model always or never thinks,
    as `optional` says: False for a model that cannot do without).
    """

    efforts: tuple[str, ...] | None = None
    least_budget_tokens: int | None = None
    most_budget_tokens: int | None = None
    form: Literal["effort", "budget", "both", "none"] | None = None
    optional: bool | None = None


class CacheFacts(Value, frozen=True, kw_only=True):
    """How prompts are cached: without being asked (`automatic`), from marks in the request (`marks`), by a `key`.

    `least_tokens` is the shortest prefix that is cached, `most_marks` the breakpoints that a request may hold,
    `ttls` the lifetimes that can be asked for.
    """

    kinds: tuple[Literal["automatic", "marks", "key"], ...] | None = None
    least_tokens: int | None = None
    most_marks: int | None = None
    ttls: tuple[str, ...] | None = None


class Profile(Value, frozen=True, kw_only=True):
    """Facts about one model at one provider.

    Tokens: `context_tokens` is the whole window (input and output), `input_tokens` the longest prompt where that is
    stated apart, `output_tokens` the longest answer. Modalities are of "text", "image", "audio", "video", "document".
    `input_modalities` and `output_modalities` are whole lists; where no source states the whole one,
    `some_input_modalities` are those that the model is known to take, and nothing is said about others (`takes`).
    `sampling` names the members of a request that the model takes ("temperature", "top_p", "top_k", "stop", "seed",
    "presence_penalty", "frequency_penalty", "logprobs"), `refused` those that it is known to answer with an error or
    to ignore; a member that neither names is unknown. Dates are ISO 8601. `status` is "preview", "deprecated" or
    "retired" where a source says so; `retired` is the day on which the model is (to be) switched off. `weights` is the
    exact id of published weights; `family` is the listed model or the family that the name was resolved to (None
    where the name itself is listed). `sources` has an entry per field that is known.
    """

    provider: str
    model: str
    name: str | None = None
    mode: Literal["chat", "embedding", "image", "audio", "rerank", "moderation", "other"] | None = None
    family: str | None = None
    weights: str | None = None
    context_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_modalities: tuple[str, ...] | None = None
    output_modalities: tuple[str, ...] | None = None
    some_input_modalities: tuple[str, ...] | None = None
    tools: bool | None = None
    parallel_tools: bool | None = None
    tool_choice: bool | None = None
    schema_output: bool | None = None
    json_output: bool | None = None
    system_messages: bool | None = None
    prefill: bool | None = None
    reasoning: bool | None = None
    reasoning_facts: ReasoningFacts | None = None
    sampling: tuple[str, ...] | None = None
    refused: tuple[str, ...] | None = None
    cache: CacheFacts | None = None
    knowledge_until: str | None = None
    status: Literal["preview", "deprecated", "retired"] | None = None
    released: str | None = None
    deprecated: str | None = None
    retired: str | None = None
    open_weights: bool | None = None
    sources: dict[str, Source] = {}

    @property
    def window_tokens(self) -> int | None:
        """The longest prompt with its answer, as far as known: the window, else the longest prompt."""
        return self.context_tokens if self.context_tokens is not None else self.input_tokens

    @property
    def prompt_tokens(self) -> int | None:
        """The longest prompt: where none is stated apart, the whole window."""
        return self.input_tokens if self.input_tokens is not None else self.context_tokens

    def takes(self, modality: str) -> bool | None:
        """Whether the model takes a modality in its input; None where that is not known."""
        if self.input_modalities is not None:
            return modality in self.input_modalities
        return True if modality in (self.some_input_modalities or ()) else None
