"""Merging: what several tables say of one model, field by field, and where they disagree.

The rule, from what each table is good at (its own data say the same): capability flags are LiteLLM's, and those that
it does not state are taken from models.dev; limits, modalities, reasoning options, dates and open weights are those of
models.dev, and LiteLLM's where that is silent, but of two caps on the answer the higher one counts; what genai-prices
says of a family counts where neither says anything (`compiled.py` looks there). A modality counts as taken where
either says so, for a list that lacks one is more often old than right, and refusing wrongly costs the caller more than
a provider's own error; a sampling member counts as refused where either says so. What is joined like this bears the
source that was believed first. A hand-checked correction wins over all tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from dragoman.facts.form import FLAGS, Row
from dragoman.values.profile import CacheFacts, ReasoningFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dragoman.values.profile import Source

__all__ = ["Disagreement", "Told", "merged"]


class Told(NamedTuple):
    """What one table says of a model. `table` is "correction", "models.dev" or "litellm"."""

    table: str
    fields: Mapping[str, Any]
    source: Source


class Disagreement(NamedTuple):
    """A field of which two tables say different things, and which was believed."""

    field: str
    believed: Any
    by: str
    other: Any
    other_by: str


_BY_FLAGS = ("correction", "litellm", "models.dev")
_BY_LIMITS = ("correction", "models.dev", "litellm")
_FLAGGED = {*FLAGS, "cache", "retired", "mode"} - {"open_weights"}
_MODALITIES = ("text", "image", "audio", "video", "document")


def merged(told: Sequence[Told]) -> tuple[Row, list[Disagreement]]:
    """One row of what all tables say, each field from one source; and the disagreements, in the order of fields."""
    fields: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    found: list[Disagreement] = []
    for name in sorted({name for table in told for name in table.fields}):
        order = _BY_FLAGS if name in _FLAGGED else _BY_LIMITS
        saying = sorted((table for table in told if name in table.fields), key=lambda table: order.index(table.table))
        if name == "output_tokens":
            saying.sort(key=_longest_answer)
        first, *others = saying
        fields[name], sources[name] = first.fields[name], first.source
        found.extend(
            Disagreement(name, first.fields[name], first.table, other.fields[name], other.table)
            for other in others
            if other.fields[name] != first.fields[name]
        )
    _join_modalities(fields, told)
    _join_refused(fields, told)
    _join_thinking(fields, told)
    _settle(fields, sources, told)
    return Row(fields, sources), found


def _longest_answer(table: Told) -> tuple[bool, int]:
    """A correction first, then the table that allows most: a cap that is too low cuts answers, and breaks bounds."""
    return table.table != "correction", -table.fields["output_tokens"]


def _corrected(name: str, told: Sequence[Told]) -> bool:
    return any(table.table == "correction" and name in table.fields for table in told)


def _join_refused(fields: dict[str, Any], told: Sequence[Told]) -> None:
    if "refused" in fields and not _corrected("refused", told):
        members = dict.fromkeys(member for table in told for member in table.fields.get("refused", ()))
        fields["refused"] = tuple(members)


def _join_modalities(fields: dict[str, Any], told: Sequence[Told]) -> None:
    if "input_modalities" not in fields or _corrected("input_modalities", told):
        return
    taken = {
        word
        for table in told
        for name in ("input_modalities", "some_input_modalities")
        for word in table.fields.get(name, ())
    }
    fields["input_modalities"] = tuple(word for word in _MODALITIES if word in taken)


def _join_thinking(fields: dict[str, Any], told: Sequence[Told]) -> None:
    """What the believed table leaves open about thinking is taken from the next one."""
    facts = fields.get("reasoning_facts")
    if not isinstance(facts, ReasoningFacts):
        return
    for table in told:
        more = table.fields.get("reasoning_facts")
        if isinstance(more, ReasoningFacts):
            missing = {
                name: getattr(more, name)
                for name in ReasoningFacts.__struct_fields__
                if getattr(facts, name) is None and getattr(more, name) is not None
            }
            # Levels of one table beside a form of the other would contradict it.
            if facts.form in ("budget", "none"):
                missing.pop("efforts", None)
            facts = replace(facts, **missing)
    fields["reasoning_facts"] = facts


def _settle(fields: dict[str, Any], sources: dict[str, Source], told: Sequence[Told]) -> None:
    """Takes out what another field makes meaningless."""
    if "input_modalities" in fields:
        _drop("some_input_modalities", fields, sources)
    if fields.get("reasoning") is False or fields.get("reasoning_facts") == ReasoningFacts():
        _drop("reasoning_facts", fields, sources)
    if fields.get("tools") is False:
        for name in ("parallel_tools", "tool_choice"):
            _drop(name, fields, sources)
    if fields.get("cache") == CacheFacts():
        _drop("cache", fields, sources)
    taken = set(fields.get("sampling", ()))
    if taken & set(fields.get("refused", ())):
        _drop("sampling", fields, sources)
    # LiteLLM's longest prompt is often the window by another name; where models.dev states one, it says both.
    said = {name for table in told if table.table in ("correction", "models.dev") for name in table.fields}
    if "context_tokens" in said and "input_tokens" not in said:
        _drop("input_tokens", fields, sources)


def _drop(name: str, fields: dict[str, Any], sources: dict[str, Source]) -> None:
    fields.pop(name, None)
    sources.pop(name, None)
