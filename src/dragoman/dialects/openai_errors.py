"""What hosts of OpenAI's wires answer in place of an answer: its words, and its class.

One table classifies: rows as data, the first that fits decides.

A row fits by the provider's code or type, by a member of the error object, or by a fragment of its words. Fragments
are exact and few: each stands for hosts that tell a case in prose alone, and its comment names them. Where no row
fits, the status decides (`dialects.statuses`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

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

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from dragoman.values import JsonObject

__all__ = ["LONGEST", "class_of", "prose_of"]

LONGEST: Final = 1200
"""Characters of an error's words that are kept."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One class of error and how it is known. `statuses` narrows the row; None is an error without a status."""

    error: type[ProviderError]
    words: frozenset[str] = field(default_factory=frozenset[str])
    members: frozenset[str] = field(default_factory=frozenset[str])
    fragments: tuple[str, ...] = ()
    statuses: frozenset[int | None] | None = None


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WRONG: Final = frozenset((400, 413, 422, None))

_ROWS: Final = (
    _Row(ContextOverflow, _words("context_length_exceeded exceed_context_size_error context_window_exceeded")),
    _Row(
        ContextOverflow,
        fragments=(
            "maximum context length",  # DeepSeek, OpenRouter, vLLM, Mistral: code invalid_request_error or a number
            "maximum prompt length",  # xAI: code is a sentence
            "please reduce the length of the messages or completion",  # Groq
            "prompt is too long",  # Anthropic behind OpenRouter, Heroku, Snowflake; Fireworks
            "exceeds the available context size",  # llama.cpp before it named a type
            "exceeds the context window",
            "exceed context limit",  # Anthropic behind others: prompt and answer together
            "input is too long",  # Bedrock behind others
            "exceeds the maximum number of tokens allowed",  # Gemini's compatible endpoint: INVALID_ARGUMENT
            "`inputs` tokens + `max_new_tokens` must be",  # Text Generation Inference, Together
            "`inputs` must have less than",  # Text Generation Inference
            "contextwindowexceedederror",  # LiteLLM's proxy: its own class in the words, and a bare 400 as code
        ),
        statuses=_WRONG,
    ),
    _Row(
        ContentBlocked,
        _words(
            "content_filter content_policy_violation ResponsibleAIPolicyViolation moderation_blocked"
            " data_inspection_failed DataInspectionFailed content_filtered 1301"
        ),
    ),
    _Row(ContentBlocked, members=_words("flagged_input"), statuses=frozenset((400, 403, None))),  # OpenRouter
    # xAI answers 403 with a code about permission; its words alone tell that the content was meant.
    _Row(ContentBlocked, fragments=("content violates usage guidelines",), statuses=frozenset((400, 403, None))),
    _Row(
        QuotaExhausted,
        _words(
            "insufficient_quota billing_hard_limit_reached billing_not_active billing_error insufficient_balance"
            " insufficient_credits exceeded_current_quota_error payment_required 1113"
        ),
    ),
    # xAI answers 429 for money and for rates alike, with one code for both.
    _Row(QuotaExhausted, fragments=("used all available credits",), statuses=frozenset((403, 429, None))),
    # MiniMax, in a body of status 200.
    _Row(QuotaExhausted, fragments=("insufficient balance",), statuses=frozenset((402, 403, 429, None))),
    # Ollama's cloud has one status for a week's allowance and for too many calls at once.
    _Row(QuotaExhausted, fragments=("weekly usage limit", "monthly usage limit"), statuses=frozenset((429, None))),
    # OpenAI and Groq: one request larger than a minute's allowance never fits, however long one waits.
    _Row(RequestTooLarge, fragments=("request too large for",), statuses=frozenset((413, 429, None))),
    _Row(RequestTooLarge, _words("request_too_large payload_too_large")),
    _Row(
        AuthenticationFailed,
        _words("invalid_api_key API_KEY_INVALID authentication_error invalid_authentication_error account_deactivated"),
    ),
    # xAI and Gemini's compatible endpoint answer 400 for a wrong key, with the code of any wrong argument.
    _Row(
        AuthenticationFailed,
        fragments=("incorrect api key provided", "api key not valid"),
        statuses=frozenset((400, 401, None)),
    ),
    _Row(
        PermissionDenied,
        _words("unsupported_country_region_territory permission_error permission_denied insufficient_permissions"),
    ),
    _Row(
        NotFound,
        _words(
            "model_not_found DeploymentNotFound not_found_error model_decommissioned model_not_available"
            " unknown_model resource_not_found_error invalid_model"
        ),
    ),
    _Row(
        Overloaded,
        _words(
            "overloaded overloaded_error engine_overloaded engine_overloaded_error capacity_exceeded NoCapacity"
            " service_tier_capacity_exceeded queue_exceeded server_overloaded slow_down 1305 3505"
        ),
    ),
    _Row(
        RateLimited, _words("rate_limit_exceeded rate_limit_error rate_limit_reached_error tokens requests 1302 1303")
    ),
    _Row(UpstreamTimeout, _words("timeout timeout_error request_timeout")),
    _Row(BadRequest, _words("tool_use_failed"), statuses=frozenset((None,))),
    # A mid-stream error often has a type and no status.
    _Row(BadRequest, _words("invalid_request_error BadRequestError invalid_argument"), statuses=frozenset((None,))),
    _Row(RateLimited, fragments=("rate limit",), statuses=frozenset((None,))),
    _Row(ServerFault, _words("server_error internal_error internal_server_error"), statuses=frozenset((None,))),
)


def class_of(
    words: AbstractSet[str | None], members: AbstractSet[str], prose: str, status: int | None
) -> type[ProviderError] | None:
    """The class of the first row that fits: `words` are codes and types, `prose` is what the error says."""
    prose = prose.lower()
    for row in _ROWS:
        if row.statuses is not None and status not in row.statuses:
            continue
        if words & row.words or members & row.members or any(fragment in prose for fragment in row.fragments):
            return row.error
    return None


def prose_of(error: JsonObject) -> str:
    """What an error object says in words, wherever its host puts them."""
    for name in ("message", "msg", "detail", "error_description", "error_msg", "status_msg"):
        held = error.get(name)
        if isinstance(held, str):
            return held[:LONGEST]
        if isinstance(held, list):
            return "; ".join(_complaint(item) for item in cast("list[Any]", held))[:LONGEST]
        if isinstance(held, dict):
            return prose_of(cast("JsonObject", held))
    return ""


def _complaint(item: Any) -> str:
    """One of FastAPI's: where, and what."""
    if not isinstance(item, dict):
        return str(item)
    held = cast("JsonObject", item)
    place = held.get("loc")
    where = ".".join(str(step) for step in cast("list[Any]", place)) if isinstance(place, list) else ""
    words = str(held.get("msg") or held.get("message") or "")
    return f"{where}: {words}" if where else words
