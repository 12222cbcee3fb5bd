"""Limits: what is known to be forbidden at one target, worked out once from its profile and kept.

Facts set quirks too: where a model differs from what its provider's row says of all its models, the model's own fact
rules. A quirk that somebody set on a row of their own rules over both.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dragoman.engine.capabilities.thinking import Thinking, thinking_of
from dragoman.values.quirks import Quirks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.catalogue import Access, ProviderRow
    from dragoman.engine.deployment import Deployment
    from dragoman.facts.lookup import Facts
    from dragoman.values.profile import Profile

__all__ = ["GROUP_OF", "Limits", "compile_limits", "limits_of", "profile_of"]

GROUP_OF: Final = {
    "openai-chat": "chat",
    "openai-responses": "responses",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "bedrock": "bedrock",
    "cohere": "cohere",
    "ollama": "ollama",
}
"""The name of each dialect's quirks."""

_PERCEIVED: Final = ("image", "audio", "video", "document")
_SAMPLING: Final = frozenset(
    (
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "logprobs",
        "top_logprobs",
    )
)


class Limits(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """What is known to be forbidden. `name` is for messages; the rest is empty, False or None where nothing is known.

    `lacking` are kinds of media that the model does not take, `refused` and `refused_thinking` the members that it
    answers with an error, always and while it thinks; `thinks_unasked`: it thinks where nothing is said about it.
    """

    name: str
    output_tokens: int | None = None
    lacking: frozenset[str] = frozenset()
    no_tools: bool = False
    no_force: bool = False
    no_parallel: bool = False
    no_system: bool = False
    refused: tuple[str, ...] = ()
    refused_thinking: tuple[str, ...] = ()
    thinks_unasked: bool = False
    thinking: Thinking | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing is forbidden."""
        return self == Limits(name=self.name)


class _Kept(msgspec.Struct, frozen=True):
    """What was worked out for one access, good as long as its profile is the same one."""

    profile: Profile
    limits: Limits | None
    access: Access | None


@cache
def _known() -> Facts:
    from dragoman.facts.lookup import FACTS  # here: they are loaded by the first call, and by nothing before it

    return FACTS


def profile_of(deployment: Deployment) -> Profile | None:
    """What is known about a deployment's model; None where facts are switched off for it."""
    profile = deployment.profile
    if profile is not None or not deployment.facts:
        return profile
    access = deployment.access
    return _known().profile(access.row.facts or access.target.provider, access.target.model)


def limits_of(deployment: Deployment) -> tuple[Limits | None, Access]:
    """The limits of a deployment, None where nothing is forbidden, and its access with the quirks that facts set.

    Takes about 1 µs once worked out; facts that were refreshed or overridden since are seen.
    """
    access = deployment.access
    profile = profile_of(deployment)
    if profile is None:
        return None, access
    kept: _Kept | None = access.limits
    if kept is None or kept.profile is not profile:
        kept = access.limits = _work_out(access, profile)
    return kept.limits, access if kept.access is None else kept.access


def _work_out(access: Access, profile: Profile) -> _Kept:
    quirks = quirks_by_facts(profile, access.dialect, access.target.quirks, _base(access.row))
    limits = compile_limits(profile, access.dialect, quirks, provider=access.target.provider)
    changed = None
    if quirks != access.target.quirks:
        changed = access.with_target(msgspec.structs.replace(access.target, quirks=quirks))
    return _Kept(profile, None if limits.idle else limits, changed)


def compile_limits(profile: Profile, dialect: str, quirks: Quirks, *, provider: str = "") -> Limits:
    """What a profile forbids to a request that is said in this dialect."""
    from dragoman.facts.family_quirks import conduct_of

    conduct = conduct_of(profile)
    own: Any = getattr(quirks, GROUP_OF.get(dialect, ""), None)
    taken = profile.input_modalities
    if taken is not None and conduct.reads:
        taken = (*taken, *conduct.reads)
    refused = dict.fromkeys(name for name in profile.refused or () if name in _SAMPLING)
    refused |= dict.fromkeys(conduct.refused)
    return Limits(
        name=f"{provider or profile.provider}/{profile.model}",
        output_tokens=profile.output_tokens,
        lacking=frozenset() if taken is None else frozenset(kind for kind in _PERCEIVED if kind not in taken),
        no_tools=profile.tools is False,
        no_force=profile.tool_choice is False or not getattr(own, "forced_tool", True),
        no_parallel=profile.parallel_tools is False,
        no_system=profile.system_messages is False,
        refused=tuple(name for name in refused if name not in conduct.refused_thinking),
        refused_thinking=conduct.refused_thinking,
        thinks_unasked=conduct.thinks_unasked,
        thinking=thinking_of(profile, dialect, quirks),
    )


# -- quirks ------------------------------------------------------------------------------------------------------------


def quirks_by_facts(profile: Profile, dialect: str, quirks: Quirks, base: Quirks) -> Quirks:
    """The quirks with what the facts say of the model; fields where `quirks` and `base` differ are the user's own."""
    group = GROUP_OF.get(dialect)
    if group is None:
        return quirks
    own: Any = getattr(quirks, group)
    before: Any = getattr(base, group)
    changes = {
        field: value
        for field, value in _facts(profile, group, own).items()
        if getattr(own, field) != value and getattr(own, field) == getattr(before, field)
    }
    if not changes:
        return quirks
    return msgspec.structs.replace(quirks, **{group: msgspec.structs.replace(own, **changes)})


def _base(row: ProviderRow) -> Quirks:
    """The quirks that the catalogue itself gives a provider of this name."""
    from dragoman.catalogue.rows import BUILT_IN

    built_in = BUILT_IN.get(row.name)
    return Quirks() if built_in is None else built_in.quirks


def _facts(profile: Profile, group: str, own: Any) -> Mapping[str, Any]:
    from dragoman.facts.family_quirks import quirks_of

    changes: dict[str, Any] = {}
    if group in ("anthropic", "gemini", "bedrock"):
        changes |= _thinking_form(profile, group)
    changes |= _schema(profile, group, own)
    if group == "anthropic" and profile.output_tokens is not None:
        changes["default_max_tokens"] = min(own.default_max_tokens, profile.output_tokens)
    if False in (profile.tools, profile.tool_choice) and hasattr(own, "forced_tool"):
        changes["forced_tool"] = False
    if group in ("chat", "responses") and own.caching == "unknown" and "automatic" in _kept_by(profile):
        changes["caching"] = "automatic"
    changes |= quirks_of(profile, group)
    if _overridden(profile, "schema_output"):
        changes |= _schema(profile, group, own)
    return changes


def _kept_by(profile: Profile) -> tuple[str, ...]:
    return () if profile.cache is None else profile.cache.kinds or ()


def _overridden(profile: Profile, field: str) -> bool:
    """Whether the program said the fact itself, which then counts more than what families are known for."""
    source = profile.sources.get(field)
    return source is not None and source.name == "override"


_FORMS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "anthropic": ("thinking_form", {"effort": "adaptive", "budget": "budget", "both": "native"}),
    "gemini": ("thinking", {"effort": "level", "budget": "budget"}),
    "bedrock": ("thinking_form", {"effort": "effort", "budget": "budget", "both": "native"}),
}


def _thinking_form(profile: Profile, group: str) -> Mapping[str, Any]:
    how = profile.reasoning_facts
    if how is None or how.form is None:
        return {}
    field, forms = _FORMS[group]
    return {field: forms[how.form]} if how.form in forms else {}


def _schema(profile: Profile, group: str, own: Any) -> Mapping[str, Any]:
    """Quirks about the form of answers. That a row's host takes no schema at all is not undone by a model's fact."""
    able, plain = profile.schema_output, profile.json_output
    changes: dict[str, Any] = {}
    if group == "chat":
        if own.schema_by_some and able is not None:
            changes["schema_by_some"] = not able
        elif able is False and own.schema_output == "json_schema":
            changes["schema_output"] = "json_object"
        if plain is False and not able:
            changes["schema_output"] = "none"
    elif group in ("responses", "gemini", "anthropic", "bedrock"):
        if able is not None:
            changes["schema_output"] = able
        if plain is False and group in ("responses", "gemini"):
            changes["json_object"] = False
    return changes
