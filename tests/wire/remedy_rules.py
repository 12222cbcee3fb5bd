"""What may be done about a provider's error: rules by its status and its own words, written without our classes.

The first rule that fits decides. A rule with several remedies names a case on which the provider's code leaves a
choice. Words are the values of `code`, `type`, `status` and `reason` members, and names of exceptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dragoman.routing.remedies import Whom

__all__ = ["REMEDIES", "Permission", "remedies_for"]


@dataclass(frozen=True, slots=True)
class Permission:
    """`again`: the same target; `elsewhere`: who else. `faults`: what the deployment's breaker counts.

    `shuts`: one such error keeps further calls away at once, for the provider's Retry-After or a refused credential.
    """

    again: bool
    elsewhere: Whom
    faults: bool = False
    shuts: bool = False


REMEDIES: dict[str, Permission] = {
    "credential": Permission(again=False, elsewhere="anybody", faults=True, shuts=True),
    "forbidden": Permission(again=False, elsewhere="anybody", faults=True),
    "wait": Permission(again=True, elsewhere="anybody", faults=True, shuts=True),
    "overloaded": Permission(again=True, elsewhere="anybody", faults=True),
    "ill": Permission(again=True, elsewhere="anybody", faults=True),
    "absent": Permission(again=False, elsewhere="anybody", faults=True),
    "wrong": Permission(again=False, elsewhere="nobody"),
    "too long": Permission(again=False, elsewhere="larger"),
    "blocked": Permission(again=False, elsewhere="marked"),
}
"""The issue's classes. Of what is forbidden once, a good credential may still do other things; an overloaded host that
names no time is judged by how often it says so."""


@dataclass(frozen=True, slots=True)
class _Rule:
    remedies: tuple[str, ...]
    word: str | None = None
    status: int | None = None
    provider: str | None = None
    fragment: str | None = None

    def fits(self, provider: str, status: int | None, words: frozenset[str], text: str) -> bool:
        return (
            self.status in (None, status)
            and self.provider in (None, provider)
            and (self.word is None or self.word in words)
            and (self.fragment is None or self.fragment in text)
        )


def _by_word(remedy: str, *words: str) -> tuple[_Rule, ...]:
    return tuple(_Rule((remedy,), word=word) for word in words)


_RULES: tuple[_Rule, ...] = (
    # A word of the provider's own says more than its status.
    *_by_word("too long", "context_length_exceeded", "request_too_large", "exceed_context_size_error"),
    *_by_word("blocked", "content_filter", "ResponsibleAIPolicyViolation"),
    *_by_word("credential", "insufficient_quota", "billing_error", "billing_hard_limit_reached", "BILLING_DISABLED"),
    *_by_word("credential", "invalid_api_key", "authentication_error", "API_KEY_INVALID", "API_KEY_EXPIRED"),
    *_by_word("credential", "ExpiredTokenException"),
    *_by_word("absent", "model_not_found"),
    *_by_word("overloaded", "overloaded_error"),
    *_by_word("wait", "throttlingException"),
    # Some say it in prose alone.
    _Rule(("too long",), status=400, fragment="prompt is too long"),
    _Rule(("too long",), status=400, fragment="maximum context length"),
    _Rule(("credential",), status=400, fragment="credit balance is too low"),
    # One request above a minute's allowance is told as a rate limit, and may need a shorter one.
    _Rule(("wait", "too long"), word="tokens", status=429, provider="openai"),
    # Rates and spending under one word.
    _Rule(("wait", "credential"), word="Some resource has been exhausted", status=429, provider="xai"),
    # "Moderated" as this host documents it, and what its own hosts forbid.
    _Rule(("forbidden", "blocked"), status=403, provider="openrouter"),
    _Rule(("wrong", "ill"), word="tool_use_failed"),  # what the model wrote was wrong, and may not be another time
    _Rule(("wrong", "too long"), status=400, provider="openrouter"),
    # What the status says.
    _Rule(("credential",), status=401),
    _Rule(("credential",), status=402),
    _Rule(("forbidden",), status=403),
    _Rule(("absent",), status=404),
    _Rule(("ill",), status=408),
    _Rule(("too long",), status=413),
    _Rule(("wait",), status=429),
    _Rule(("overloaded",), status=498),
    _Rule(("overloaded",), status=503),
    _Rule(("overloaded",), status=529),
    # What has no status: errors inside of streams.
    *_by_word("ill", "server_error", "api_error"),
    *_by_word("wrong", "invalid_request_error"),
)


def remedies_for(provider: str, status: int | None, words: frozenset[str], text: str) -> tuple[str, ...]:
    """The remedies that are right, by their names in `REMEDIES`. `text` is all that the provider said."""
    for rule in _RULES:
        if rule.fits(provider, status, words, text):
            return rule.remedies
    if status is None:
        raise AssertionError(f"no rule for {provider} {sorted(words)}: {text:.200}")
    return ("wrong",) if 400 <= status < 500 else ("ill",)
