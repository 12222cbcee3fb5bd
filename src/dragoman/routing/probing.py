"""Active probes, for who asks for them: the provider's list of models, which costs nothing.

Nothing here starts by itself. A listing that answers shows that the host is there and takes the credential, not that
the model answers: so it closes the breaker of a deployment that did not answer, and lets the next call be the judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.engine.translate import to_error
from dragoman.errors import DragomanError, NotFound
from dragoman.routing.lineup import lineup_of
from dragoman.transport.seam import HttpRequest, Timeout

if TYPE_CHECKING:
    from dragoman.engine import Deployment
    from dragoman.routing.route import Route
    from dragoman.routing.settings import Clock

__all__ = ["list_models", "probe", "probe_forever"]

_PATHS: Final = {
    "openai-chat": "/models",
    "openai-responses": "/models",
    "anthropic": "/models",
    "gemini": "/models",
    "ollama": "/tags",
}
_TIMEOUT: Final = Timeout(connect=5.0, first_byte=10.0, idle=10.0, total=15.0)


async def list_models(deployment: Deployment) -> bool:
    """Asks for the provider's list of models; False where it has none. Raises what an attempt would."""
    access = deployment.access
    path = _PATHS.get(access.dialect)
    if path is None:
        return False
    transport = deployment.open_transport()
    headers = access.headers()
    if access.dialect == "anthropic":
        headers = (*headers, ("anthropic-version", "2023-06-01"))
    http = HttpRequest("GET", access.url(path), headers, b"", _TIMEOUT)
    if access.signer is not None:
        http = await access.signer.sign(http, transport)
    answer = await transport.send(http)
    if not 200 <= answer.status < 300:
        error = to_error(deployment, deployment.dialect, answer.status, answer.headers, answer.body)
        if isinstance(error, NotFound):
            return False
        raise error
    return True


async def probe(route: Route, clock: Clock) -> dict[str, str]:
    """Probes the deployments of a route whose breakers wait to be tried; what came of each, by name."""
    lineup = lineup_of(route)
    told: dict[str, str] = {}
    for option in lineup.options:
        standing = option.standing
        now = clock.now()
        if not standing.opened or standing.shut_until > now or not lineup.health.may_probe(standing, now):
            continue
        try:
            listed = await list_models(option.deployment)
        except DragomanError as error:
            lineup.health.failed(standing, error, clock.now())
            told[option.name] = type(error).__name__
        except BaseException:
            lineup.health.passed(standing, clock.now())
            raise
        else:
            if listed:
                lineup.health.answered(standing, clock.now())
            else:
                lineup.health.passed(standing, clock.now())
            told[option.name] = "answers" if listed else "has no list of models"
    return told


async def probe_forever(route: Route, clock: Clock, every_seconds: float = 10.0) -> None:
    """Probes until it is cancelled."""
    while True:
        await clock.sleep(every_seconds)
        await probe(route, clock)
