"""Which class of error a provider's answer has to become: rules by status and by the provider's own words, not by file.

The first rule that fits decides. A rule with several classes names a case on which the provider's own code leaves a
choice. Words are the values of `code`, `type`, `status` and `reason` members of the error object and of its details.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    ContentBlocked,
    ContextOverflow,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFault,
    UpstreamTimeout,
)

__all__ = ["Rule", "expected_classes", "own_words"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Fits where every given condition does. `exact`: a subclass of the class would be wrong too."""

    classes: tuple[type[ProviderError], ...]
    status: int | None = None
    word: str | None = None
    provider: str | None = None

    def fits(self, provider: str, status: int | None, words: frozenset[str]) -> bool:
        return (
            self.status in (None, status)
            and self.provider in (None, provider)
            and (self.word is None or self.word in words)
        )


_RULES: tuple[Rule, ...] = (
    # What the provider's own words decide, whatever the status.
    Rule((ContextOverflow,), word="context_length_exceeded"),
    Rule((ContentBlocked,), word="content_filter"),
    Rule((ContentBlocked,), word="ResponsibleAIPolicyViolation"),
    Rule((QuotaExhausted,), word="insufficient_quota"),
    Rule((QuotaExhausted,), word="billing_error"),
    Rule((AuthenticationFailed,), word="invalid_api_key"),
    Rule((AuthenticationFailed,), word="API_KEY_INVALID"),
    Rule((AuthenticationFailed,), word="authentication_error"),
    Rule((NotFound,), word="model_not_found"),
    Rule((Overloaded,), word="overloaded_error"),
    # AWS says by the name of the exception alone that it is the credential, and not what it may do.
    Rule((AuthenticationFailed,), word="ExpiredTokenException"),
    Rule((RateLimited,), word="throttlingException"),
    # One request above the whole minute's allowance: the code says "rate limit", the remedy is a smaller request.
    Rule((RateLimited, RequestTooLarge), status=429, word="tokens", provider="openai"),
    # gRPC's RESOURCE_EXHAUSTED covers both rates and spending; the host tells them apart in prose alone.
    Rule((RateLimited, QuotaExhausted), status=429, word="Some resource has been exhausted", provider="xai"),
    # OpenRouter documents 403 as "the model requires moderation and the input was flagged".
    Rule((PermissionDenied, ContentBlocked), status=403, provider="openrouter"),
    # The model wrote a call that its host could not take: nobody's wrong request, and it may go well another time.
    Rule((BadRequest, ServerFault), word="tool_use_failed"),
    # A thinking cap that the answer ran into, told as an error of the request.
    Rule((BadRequest, ContextOverflow), status=400, provider="openrouter"),
    # What the status decides.
    Rule((BadRequest,), status=400),
    Rule((BadRequest,), status=422),
    Rule((AuthenticationFailed,), status=401),
    Rule((QuotaExhausted,), status=402),
    Rule((PermissionDenied,), status=403),
    Rule((NotFound,), status=404),
    Rule((UpstreamTimeout,), status=408),
    Rule((RequestTooLarge,), status=413),
    Rule((RateLimited,), status=429),
    Rule((Overloaded,), status=498),
    Rule((ServerFault,), status=500),
    Rule((ServerFault,), status=502),
    Rule((Overloaded,), status=503),
    Rule((UpstreamTimeout,), status=504),
    Rule((Overloaded,), status=529),
    # Errors inside a stream, which name no status.
    Rule((ServerFault,), word="server_error"),
    Rule((ServerFault,), word="api_error"),
    Rule((BadRequest,), word="invalid_request_error"),
)


def expected_classes(
    provider: str, status: int | None, body: Any, exception: str | None = None
) -> tuple[type[ProviderError], ...]:
    """The classes that are right for this answer. A new case without a rule fails loudly: add the rule.

    `exception` is the name that stands beside the body, where the wire has it there.
    """
    words = frozenset([*own_words(body), *([exception] if exception else ())])
    code = _status_in(body) if status is None or status < 400 else status
    for rule in _RULES:
        if rule.fits(provider, code, words):
            return rule.classes
    raise AssertionError(f"no rule for {provider} {status} {sorted(words)}")


def own_words(body: Any) -> Iterator[str]:
    """The provider's codes and types in an error body, at any depth."""
    if isinstance(body, list):
        for item in cast("list[Any]", body):
            yield from own_words(item)
    elif isinstance(body, dict):
        for name, value in cast("dict[str, Any]", body).items():
            if name in ("code", "type", "status", "reason") and isinstance(value, str):
                yield value
            else:
                yield from own_words(value)


def _status_in(body: Any) -> int | None:
    """The HTTP status that an error object inside a 200 names."""
    error: Any = cast("dict[str, Any]", body).get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        for name in ("status", "status_code", "code"):
            value: Any = cast("dict[str, Any]", error).get(name)
            if isinstance(value, int):
                return value
    return None
