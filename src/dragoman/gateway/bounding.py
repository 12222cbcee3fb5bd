"""The most that an attempt can cost, for its intent: what is booked if nobody lives to tell what it came to.

Mostly worked out from the body without decoding it; where that cannot tell (media by address, contents that the
provider holds, tools that it runs), from the request as values.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.errors import DragomanError
from dragoman.gateway.ingress.shapes import CAPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from types import ModuleType

    from dragoman.engine import Deployment
    from dragoman.gateway.ingress.asked import Asked
    from dragoman.values import Request

__all__ = ["bound_of"]

_decode = msgspec.json.Decoder().decode


def bound_of(asked: Asked, deployment: Deployment, request: Callable[[], Request]) -> tuple[Decimal | None, str]:
    """The bound in US dollars, and how it was found; None with the reason where there is none.

    `request` gives the request as values, where the bytes alone do not tell.
    """
    if deployment.prices is None and not deployment.facts:
        return None, "nothing is known of the model"
    facts = _facts()
    provider, model = deployment.facts_provider, deployment.access.target.model
    known = asked.known_tools
    outline, functions = asked.outline, None if known is None else known.functions
    within = facts.bound_bytes(outline, provider, model, asked.words, asked.members.get("tools"), functions)
    if within is not None:
        within += len(asked.body) - len(outline)
    sizes = asked.shape.sizes
    cap = _cap(asked) if sizes else None
    if not sizes and within is not None:
        # The commonest request of all: what the model itself can say at most, as `bound` has it.
        profile = facts.profile(provider, model)
        cap = profile.output_tokens or profile.context_tokens
        if cap is None:
            return None, f"the answer has no cap, and that of {model} is not known"
    if within is None or cap is None:
        try:
            values = request()
        except DragomanError as error:
            return None, f"the request cannot be read: {error}"  # bytes may pass all the same
        found = facts.bound(values, provider, model, listing=deployment.prices)
    else:
        found = facts.bound_of_tokens(within, cap, provider, model, listing=deployment.prices)
    if found.amount is not None and found.currency == "USD":
        return found.amount, "window" if found.by_window else "tokens"
    return None, "; ".join(each.reason for each in found.unbounded) or f"priced in {found.currency}"


@cache  # an import statement in a function costs half a microsecond each time
def _facts() -> ModuleType:
    from dragoman import facts

    return facts


def _cap(asked: Asked) -> int | None:
    """The most tokens of the answers asked for; None where the members do not say so simply."""
    members = asked.members
    if "n" in members or "extra_body" in members:
        return None
    for name in CAPS:
        raw = members.get(name)
        if raw is not None:
            try:
                value: Any = _decode(raw)
            except msgspec.DecodeError:
                return None  # a number of thousands of digits
            return value if type(value) is int and value >= 0 else None
    return None
