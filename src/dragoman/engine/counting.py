"""Token counts: the provider is asked where it has an endpoint for it, else the prompt is estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace as changed

from dragoman.dialects import load
from dragoman.dialects.reading import parse
from dragoman.engine.attempt import exchange, told
from dragoman.engine.fit import fit, fit_facts, fit_form
from dragoman.engine.meter import Meter
from dragoman.engine.translate import to_count_http
from dragoman.errors import BadRequest, DragomanError, NotFound
from dragoman.values.counts import TokenCount

if TYPE_CHECKING:
    from dragoman.engine.deployment import Deployment
    from dragoman.transport import Timeout
    from dragoman.values import AdaptationPolicy, Request

__all__ = ["count_tokens", "estimated", "is_counted_by"]


def is_counted_by(deployment: Deployment) -> bool:
    """Whether the deployment's provider is asked for a count."""
    return _counting(deployment) is not None


async def count_tokens(
    deployment: Deployment,
    request: Request,
    *,
    adapt: AdaptationPolicy = "note",
    timeout: Timeout | None = None,
    meter: Meter | None = None,
) -> TokenCount:
    """Asks once how many tokens the prompt of a request takes, as it would be sent.

    Where the provider has no endpoint, or does not count for this model (it answers that there is no such thing), the
    estimate is given. `meter` is that of the attempt, where one is kept. Raises a `DragomanError` for everything else.
    """
    speaking = _counting(deployment)
    if speaking is None:
        return estimated(deployment, request, f"{deployment.target.provider} does not count tokens")
    deployment, request, _ = fit_facts(speaking, request, adapt)
    if request.output is not None or request.tools:
        deployment, request, _, _ = fit_form(deployment, request, adapt)
    dialect = deployment.dialect
    decode = dialect.decode_count_response
    assert decode is not None  # a dialect has all four or none; `_counting` looked
    http = to_count_http(deployment, dialect, fit(request, deployment.target, stream=False), timeout=timeout)
    try:
        answer = await exchange(deployment, dialect, http, meter or Meter(deployment, "token count"))
    except (NotFound, BadRequest) as error:
        return estimated(deployment, request, error.message)
    try:
        tokens = decode(parse(answer.body), deployment.target)
    except DragomanError as error:
        raise told(error, answer, deployment) from None
    return TokenCount(tokens=tokens, basis="provider")


def estimated(deployment: Deployment, request: Request, reason: str) -> TokenCount:
    """The estimate, and why it is one."""
    from dragoman.facts.estimating import estimate_tokens  # here: making a model must not load facts

    found = estimate_tokens(
        request, deployment.facts_provider, deployment.target.model, dialect=deployment.access.dialect
    )
    return TokenCount(tokens=found.tokens, reason=reason, observations=found.observations)


def _counting(deployment: Deployment) -> Deployment | None:
    """The deployment in a dialect in which its provider counts tokens, preferably its own; None where it has none."""
    row = deployment.access.row
    own = deployment.access.dialect
    for name in sorted(set(row.counts).intersection(row.dialects), key=lambda name: (name != own, name)):
        # A model that one dialect alone reaches is not known in the others.
        if load(name).encode_count_request is not None and row.dialect_of(deployment.target.model) in (
            name,
            row.dialects[0],
        ):
            return changed(deployment, access=deployment.access.speaking(name))
    return None
