"""Models for tests: at an address of a test's own, or over a transport of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman import catalogue
from dragoman.catalogue import ProviderRow
from dragoman.engine.deployment import Deployment
from dragoman.face.model import ChatModel
from dragoman.face.options import as_timeout, option_names
from dragoman.routing.route import Candidate, Route
from dragoman.testing.wires import WIRES
from dragoman.transport.seam import Timeout

if TYPE_CHECKING:
    from dragoman.transport import Transport

__all__ = ["model_at", "parts_of_model", "row_of"]

NOWHERE = "http://nowhere.invalid"


def row_of(name: str, dialect: str, base_url: str) -> ProviderRow:
    """A row of a provider that speaks one dialect, shows a key as that dialect's own vendor wants it, has no quirks."""
    from dragoman.catalogue.auth import BEARER, X_API_KEY, X_GOOG_API_KEY

    auth = {"x-api-key": X_API_KEY, "x-goog-api-key": X_GOOG_API_KEY}
    wire = WIRES[dialect]
    first = (*wire.key_headers, "authorization")[0]
    return ProviderRow(
        name=name,
        dialects=(dialect,),
        base_url=base_url,
        key="optional",
        auth=auth.get(first, BEARER),
        issuer=name,
        counts=(dialect,) if wire.counts else (),
    )


def parts_of_model(
    row: ProviderRow,
    model: str,
    *,
    api_key: str | None = None,
    transport: Transport | None = None,
    timeout: float | Timeout | None = None,
    max_retries: int = 2,
    **options: Any,
) -> tuple[Route, str, dict[str, Any]]:
    """What a `ChatModel` is made of: the route, the name, and the options for its calls."""
    defaults = {name: options.pop(name) for name in list(options) if name in option_names()}
    access = catalogue.resolve(row, model=model, api_key=api_key or "none", **options)
    deployment = Deployment(access=access, timeout=as_timeout(timeout) or Timeout(), transport=transport)
    route = Route(candidates=(Candidate(deployment=deployment, max_retries=max_retries),))
    return route, deployment.name, defaults


def model_at(base_url: str, dialect: str, model: str, **options: Any) -> ChatModel:
    """A model of whoever answers at this address in this dialect."""
    route, name, defaults = parts_of_model(row_of("fake", dialect, base_url), model, **options)
    return ChatModel(route, name=name, options=defaults)
