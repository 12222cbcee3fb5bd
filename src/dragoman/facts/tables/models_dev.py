"""models.dev: limits, modalities, reasoning options, dates and open weights of each model of a provider.

It states whether a model has tools and whether it reasons of every model, so there False is said, not only left out. A
limit of nothing means that it is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.values.profile import ReasoningFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["models_dev_fields"]

_Json = dict[str, Any]

_MODALITIES = {"text": "text", "image": "image", "audio": "audio", "video": "video", "pdf": "document"}
_STATUS = {"deprecated": "deprecated", "beta": "preview", "alpha": "preview"}


def models_dev_fields(entry: Mapping[str, Any]) -> _Json:
    """Fields of `Profile` that one entry states."""
    limits, modalities = _object(entry, "limit"), _object(entry, "modalities")
    fields: dict[str, Any] = {
        "name": entry.get("name"),
        "mode": _mode(entry),
        "context_tokens": limits.get("context") or None,
        "input_tokens": limits.get("input") or None,
        "output_tokens": limits.get("output") or None,
        "input_modalities": _modalities(modalities.get("input")),
        "output_modalities": _modalities(modalities.get("output")),
        "tools": entry.get("tool_call"),
        "schema_output": entry.get("structured_output"),
        "reasoning": entry.get("reasoning"),
        "reasoning_facts": _reasoning(entry),
        "sampling": ("temperature",) if entry.get("temperature") is True else None,
        "refused": ("temperature",) if entry.get("temperature") is False else None,
        "knowledge_until": entry.get("knowledge"),
        "status": _STATUS.get(entry.get("status") or ""),
        "released": entry.get("release_date"),
        "open_weights": entry.get("open_weights"),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _mode(entry: Mapping[str, Any]) -> str | None:
    """It states no mode; what calls tools, reasons or has a temperature and answers in text is there to chat with."""
    talks = entry.get("tool_call") or entry.get("reasoning") or entry.get("temperature")
    return "chat" if talks and "text" in _object(entry, "modalities").get("output", ()) else None


def _object(entry: Mapping[str, Any], name: str) -> _Json:
    told = entry.get(name)
    return cast("_Json", told) if isinstance(told, dict) else {}


def _modalities(told: Any) -> tuple[str, ...] | None:
    if not told:
        return None
    known = {_MODALITIES[word] for word in cast("list[str]", told) if word in _MODALITIES}
    return tuple(word for word in _MODALITIES.values() if word in known)


def _reasoning(entry: Mapping[str, Any]) -> ReasoningFacts | None:
    options: list[_Json] | None = entry.get("reasoning_options")
    if not entry.get("reasoning") or options is None:
        return None
    by_type = {option["type"]: option for option in options}
    effort, budget = by_type.get("effort"), by_type.get("budget_tokens")
    levels = tuple(cast("list[str]", effort["values"])) if effort is not None else None
    least = None if budget is None else budget.get("min")
    return ReasoningFacts(
        efforts=levels,
        least_budget_tokens=least if least is None or least >= 0 else None,
        most_budget_tokens=None if budget is None else budget.get("max"),
        form=_form(effort is not None, budget is not None, "toggle" in by_type),
        optional=_optional(levels, least, toggle="toggle" in by_type),
    )


def _form(effort: bool, budget: bool, toggle: bool) -> Any:
    if effort and budget:
        return "both"
    if effort or budget:
        return "effort" if effort else "budget"
    return None if toggle else "none"


def _optional(levels: tuple[str, ...] | None, least: int | None, *, toggle: bool) -> bool | None:
    """True where one of the controls turns thinking off; that none is listed does not prove that none exists."""
    return True if toggle or "none" in (levels or ()) or least == 0 else None
