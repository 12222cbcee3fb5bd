"""The one table by which this dialect's errors are classified: rows as data, the first that fits decides.

A row fits by the provider's code or type, by a member of the error object, or by a fragment of its words. Fragments
are exact and few: each stands for hosts that tell a case in prose alone, and its comment names them. Where no row
fits, the status decides (`dialects.statuses`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

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

__all__ = ["ROWS", "Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One class of error and how it is known. `statuses` narrows the row; None is an error without a status."""

    error: type[ProviderError]
    words: frozenset[str] = field(default_factory=frozenset[str])
    members: frozenset[str] = field(default_factory=frozenset[str])
    fragments: tuple[str, ...] = ()
    statuses: frozenset[int | None] | None = None


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WRONG: Final = frozenset((400, 413, 422, None))

ROWS: Final = (
    Row(ContextOverflow, _words("context_length_exceeded exceed_context_size_error context_window_exceeded")),
    Row(
        ContextOverflow,
        fragments=(
            "maximum context length",  # DeepSeek, OpenRouter, vLLM, Mistral: code invalid_request_error or a number
            "maximum prompt length",  # xAI: code is a sentence
            "prompt is too long",  # Anthropic behind OpenRouter, Heroku, Snowflake; Fireworks
            "exceeds the available context size",  # llama.cpp before it named a type
            "exceeds the maximum number of tokens allowed",  # Gemini's compatible endpoint: INVALID_ARGUMENT
            "`inputs` tokens + `max_new_tokens` must be",  # Text Generation Inference, Together
            "contextwindowexceedederror",  # LiteLLM's proxy: its own class in the words, and a bare 400 as code
        ),
        statuses=_WRONG,
    ),
    Row(
        ContentBlocked,
        _words(
            "content_filter content_policy_violation ResponsibleAIPolicyViolation moderation_blocked"
            " data_inspection_failed DataInspectionFailed content_filtered 1301"
        ),
    ),
    Row(ContentBlocked, members=_words("flagged_input"), statuses=frozenset((400, 403, None))),  # OpenRouter
    # xAI answers 403 with a code about permission; its words alone tell that the content was meant.
    Row(ContentBlocked, fragments=("content violates usage guidelines",), statuses=frozenset((400, 403, None))),
    Row(
        QuotaExhausted,
        _words(
            "insufficient_quota billing_hard_limit_reached billing_not_active insufficient_balance"
            " insufficient_credits exceeded_current_quota_error payment_required 1113"
        ),
    ),
    # xAI answers 429 for money and for rates alike, with one code for both.
    Row(QuotaExhausted, fragments=("used all available credits",), statuses=frozenset((403, 429, None))),
    # OpenAI and Groq: one request larger than a minute's allowance never fits, however long one waits.
    Row(RequestTooLarge, fragments=("request too large for",), statuses=frozenset((413, 429, None))),
    Row(RequestTooLarge, _words("request_too_large payload_too_large")),
    Row(
        AuthenticationFailed,
        _words("invalid_api_key API_KEY_INVALID authentication_error invalid_authentication_error"),
    ),
    # xAI and Gemini's compatible endpoint answer 400 for a wrong key, with the code of any wrong argument.
    Row(
        AuthenticationFailed,
        fragments=("incorrect api key provided", "api key not valid"),
        statuses=frozenset((400, 401, None)),
    ),
    Row(PermissionDenied, _words("unsupported_country_region_territory permission_error insufficient_permissions")),
    Row(
        NotFound,
        _words(
            "model_not_found DeploymentNotFound not_found_error model_decommissioned model_not_available"
            " unknown_model resource_not_found_error"
        ),
    ),
    Row(
        Overloaded,
        _words(
            "overloaded overloaded_error engine_overloaded engine_overloaded_error capacity_exceeded NoCapacity"
            " service_tier_capacity_exceeded queue_exceeded server_overloaded 1305 3505"
        ),
    ),
    Row(RateLimited, _words("rate_limit_exceeded rate_limit_error rate_limit_reached_error tokens requests 1302 1303")),
    Row(UpstreamTimeout, _words("timeout timeout_error request_timeout")),
    Row(BadRequest, _words("tool_use_failed"), statuses=frozenset((None,))),
    # A mid-stream error often has a type and no status.
    Row(BadRequest, _words("invalid_request_error BadRequestError invalid_argument"), statuses=frozenset((None,))),
    Row(ServerFault, _words("server_error internal_error internal_server_error"), statuses=frozenset((None,))),
)
