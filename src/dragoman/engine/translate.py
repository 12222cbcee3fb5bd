"""Translation of one request and of what is no answer: values → HTTP request, HTTP error → typed error."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from dragoman.engine.fit import enforce, fit
from dragoman.errors import AuthenticationFailed, ConfigError, InvalidRequest, NotFound, ProviderError
from dragoman.transport.seam import HttpRequest, Timeout
from dragoman.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dragoman.catalogue import Access
    from dragoman.dialects import Dialect, EncodedRequest
    from dragoman.engine.deployment import Deployment
    from dragoman.values import Adaptation, AdaptationPolicy, EmbeddingRequest, JsonObject, Request

__all__ = ["gives_embeddings_alone", "to_count_http", "to_embedding_http", "to_error", "to_http"]

_Pairs: TypeAlias = tuple[tuple[str, str], ...]
_STREAMS_AS = {
    "sse": "text/event-stream",
    "ndjson": "application/json",
    "eventstream": "application/vnd.amazon.eventstream",
}
_LIST_HEADERS = frozenset({"anthropic-beta"})  # headers whose values add up instead of replacing each other


def to_http(
    deployment: Deployment,
    dialect: Dialect,
    request: Request,
    *,
    stream: bool,
    adapt: AdaptationPolicy,
    timeout: Timeout | None,
) -> tuple[HttpRequest, tuple[Adaptation, ...]]:
    """The HTTP request that asks this deployment, and what had to be adapted. Raises `Unsupported` by policy."""
    target = deployment.target
    if deployment.access.row.embeddings_only:
        raise gives_embeddings_alone(target.provider)
    encoded = dialect.encode_request(fit(request, target, stream=stream), target)
    adaptations = enforce(encoded.adaptations, adapt, target)
    accept = _STREAMS_AS[dialect.framing] if stream else "application/json"
    http = _http(deployment, encoded, request.extra_body, request.extra_headers, accept, timeout)
    return http, adaptations


def gives_embeddings_alone(provider: str) -> ConfigError:
    """The error for whoever asks such a provider for an answer."""
    return ConfigError(f"{provider} gives embeddings alone, and cannot chat; use embed, or another provider")


def to_embedding_http(
    deployment: Deployment,
    dialect: Dialect,
    request: EmbeddingRequest,
    *,
    adapt: AdaptationPolicy,
    timeout: Timeout | None,
) -> tuple[HttpRequest, tuple[Adaptation, ...]]:
    """As `to_http`, for vectors. Raises `ConfigError` where the dialect has no embeddings."""
    if dialect.encode_embedding_request is None:
        raise ConfigError(
            f"{deployment.target.provider} is spoken to in the dialect {dialect.name}, which has no embeddings; "
            "choose another provider or pass dialect=…"
        )
    target = deployment.target
    encoded = dialect.encode_embedding_request(replace(request, model=target.model or request.model), target)
    adaptations = enforce(encoded.adaptations, adapt, target)
    http = _http(deployment, encoded, request.extra_body, request.extra_headers, "application/json", timeout)
    return http, adaptations


def to_count_http(
    deployment: Deployment, dialect: Dialect, request: Request, *, timeout: Timeout | None
) -> HttpRequest:
    """As `to_http`, for the question how many tokens the prompt takes.

    Adaptations are not told: they are those of the call itself. What is laid over a call's body is left out here.
    """
    encode = dialect.encode_count_request
    assert encode is not None  # who asks has looked
    encoded = encode(request, deployment.target)
    return _http(deployment, encoded, None, request.extra_headers, "application/json", timeout)


def _http(
    deployment: Deployment,
    encoded: EncodedRequest,
    extra_body: JsonObject | None,
    extra_headers: Mapping[str, str] | None,
    accept: str,
    timeout: Timeout | None,
) -> HttpRequest:
    body = encoded.body
    if deployment.access.body_members:
        body = {**body, **{name: value for name, value in deployment.access.body_members.items() if name not in body}}
    if extra_body:
        body = {**body, **extra_body}
    headers = _headers(deployment.access, accept, encoded.headers)
    if extra_headers:
        headers = _merged(headers, extra_headers.items())
    url, placed = deployment.access.place(encoded.path, body)
    try:
        payload = msgspec.json.encode(placed)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRequest(f"the request cannot be written as JSON: {error}") from None
    return HttpRequest("POST", url, headers, payload, timeout or deployment.timeout)


def _headers(access: Access, accept: str, more: _Pairs) -> Sequence[tuple[str, str]]:
    """The headers of a request: one tuple for all requests of this form, where none replaces one of the deployment's.

    A transport writes a tuple that comes again but once.
    """
    form, names = _form(accept, more)
    own = access.headers()
    for name, _ in own:
        if name in names:
            return _merged(own, form)
    return access.headers_and(form)


@lru_cache(256)
def _form(accept: str, more: _Pairs) -> tuple[_Pairs, frozenset[str]]:
    form = tuple(_merged((("content-type", "application/json"), ("accept", accept)), more))
    return form, frozenset(name.lower() for name, _ in form)


def _merged(headers: Iterable[tuple[str, str]], more: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """A later header replaces an earlier one of its name, whatever the case; list headers add up."""
    merged = {name.lower(): (name, value) for name, value in headers}
    for name, value in more:
        key = name.lower()
        if key in _LIST_HEADERS and key in merged:
            items = [item.strip() for item in f"{merged[key][1]},{value}".split(",") if item.strip()]
            value = ",".join(dict.fromkeys(items))
        merged[key] = (name, value)
    return list(merged.values())


def to_error(
    deployment: Deployment, dialect: Dialect, status: int, headers: Mapping[str, str], body: bytes
) -> ProviderError:
    """The typed error for an answer that is not 2xx."""
    target = deployment.target
    if status < 400:
        place: Any = headers.get("location", "an address it does not name")
        return NotFound(
            f"the address answers with a redirect to {place}",
            provider=target.provider,
            model=target.model,
            status=status,
            advice="Redirects are never followed, since they would carry the key along: set base_url to the right one.",
        )
    error = dialect.decode_error(status, headers, body, target)
    error.final = headers.get("x-should-retry", "").strip().lower() == "false"
    withheld = deployment.access.key_withheld
    if withheld and isinstance(error, AuthenticationFailed):
        error.args = (f"{error.message} {withheld}",)
        error.message = error.args[0]
    return error
