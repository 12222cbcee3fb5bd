"""Active probes, for who asks for them: the provider's list of models, which costs nothing.

Nothing here starts by itself. A listing that answers shows that the host is there, not that the model answers, nor at
every host that the credential is good: so it closes the breaker of a deployment that did not answer, lets the next call
be the judge, and revives no dead credential. A listing that this credential may not see shows nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.engine.translate import to_error
from dragoman.errors import BadRequest, DragomanError, NotFound, PermissionDenied, Remedy
from dragoman.routing.lineup import lineup_of
from dragoman.transport.seam import HttpRequest, Timeout

if TYPE_CHECKING:
    from dragoman.catalogue import Access
    from dragoman.engine import Deployment
    from dragoman.routing.health import Health
    from dragoman.routing.lineup import Option
    from dragoman.routing.route import Route
    from dragoman.routing.settings import Clock

__all__ = ["list_models", "listing_url", "probe", "probe_forever", "probe_option"]

_PATHS: Final = {
    "openai-chat": "/models",
    "openai-responses": "/models",
    "anthropic": "/models",
    "gemini": "/models",
    "ollama": "/tags",
}
_TIMEOUT: Final = Timeout(connect=5.0, first_byte=10.0, idle=10.0, total=15.0)
_SAYS_NOTHING: Final = (NotFound, PermissionDenied, BadRequest)
"""No such path, or none for this credential: many that may call models may not list them."""


def listing_url(access: Access) -> str | None:
    """Where the provider lists its models at no cost; None where it does not, or where that is not known."""
    if not access.row.lists_models:
        return None
    base = access.base_url
    if access.dialect == "cohere":  # the list lives beside version 2: docs.cohere.com/reference/list-models
        return f"{base.removesuffix('/v2')}/v1/models" if base.endswith("/v2") else None
    if access.dialect == "bedrock":
        # The control plane has a host of its own (docs.aws.amazon.com/general/latest/gr/bedrock.html), which is not
        # known of an endpoint that a caller gave.
        return f"{base.replace('//bedrock-runtime', '//bedrock', 1)}/foundation-models" if _is_runtime(base) else None
    path = _PATHS.get(access.dialect)
    return None if path is None else access.url(path)


def _is_runtime(base: str) -> bool:
    host = base.partition("//")[2]
    return host.startswith("bedrock-runtime") and host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


async def list_models(deployment: Deployment) -> bool:
    """Asks for the provider's list of models; False where none is to be seen. Raises what an attempt would."""
    access = deployment.access
    url = listing_url(access)
    if url is None:
        return False
    transport = deployment.open_transport()
    headers = access.headers()
    if access.dialect == "anthropic":
        headers = (*headers, ("anthropic-version", "2023-06-01"))
    http = HttpRequest("GET", url, headers, b"", _TIMEOUT)
    if access.signer is not None:
        http = await access.signer.sign(http, transport)
    answer = await transport.send(http)
    if 200 <= answer.status < 300:
        return True
    error = to_error(deployment, deployment.dialect, answer.status, answer.headers, answer.body)
    if answer.status == 405 or isinstance(error, _SAYS_NOTHING):
        return False
    raise error


async def probe(route: Route, clock: Clock, *, well: bool = False) -> dict[str, str]:
    """Probes the deployments of a route whose breakers wait to be tried; what came of each, by name.

    With `well` those that are well are asked too: a host that does not answer counts as a fault of theirs, and one that
    answers says nothing that calls would not say better.
    """
    lineup = lineup_of(route)
    told: dict[str, str] = {}
    for option in lineup.options:
        said = await probe_option(option, lineup.health, clock, well=well)
        if said is not None:
            told[option.name] = said
    return told


async def probe_option(option: Option, health: Health, clock: Clock, *, well: bool) -> str | None:
    """The same for one deployment; None where it was not asked."""
    standing = option.standing
    now = clock.now()
    if standing.dead or standing.shut_until > now:
        return None
    if standing.opened:
        return await _probe_open(option, health, clock) if health.may_probe(standing, now) else None
    return await _look_at(option, health, clock) if well else None


async def _probe_open(option: Option, health: Health, clock: Clock) -> str:
    standing = option.standing
    try:
        listed = await list_models(option.deployment)
    except DragomanError as error:
        health.failed(standing, error, clock.now())
        return type(error).__name__
    except BaseException:
        health.passed(standing, clock.now())
        raise
    if not listed:
        health.passed(standing, clock.now())
        return "has no list of models"
    health.answered(standing, clock.now())
    return "answers"


async def _look_at(option: Option, health: Health, clock: Clock) -> str:
    try:
        listed = await list_models(option.deployment)
    except DragomanError as error:
        # A limit on listings is none on calls, and whether the credential is dead a call will tell.
        if error.remedy is Remedy.ILL:
            health.failed(option.standing, error, clock.now())
        return type(error).__name__
    return "answers" if listed else "has no list of models"


async def probe_forever(route: Route, clock: Clock, every_seconds: float = 10.0, *, well: bool = False) -> None:
    """Probes until it is cancelled; `well` as for `probe`."""
    while True:
        await clock.sleep(every_seconds)
        await probe(route, clock, well=well)
