"""Facts: what models can do and what they cost, each piece with its source; what is not known is None.

    from dragoman import facts

    facts.profile("openai", "gpt-4o").context_tokens
    facts.prices("openai", "gpt-4o")

`lookup.py` holds the layers (our data, a provider's own listing, a file the user named, what the program says);
`compiled.py` and `form.py` read the data file, `families.py` resolves names by declared patterns, `tables/` reads the
tables of others that it is compiled from. `price_lists.py` says what a price is. Providers go by their names in the
catalogue. Names are loaded at their first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragoman.facts.body_bounds import bound_bytes
    from dragoman.facts.bounding import Bound, Unbounded, bound, bound_of_tokens
    from dragoman.facts.costing import cost
    from dragoman.facts.equivalence import Tier, comparable, equivalents, tier
    from dragoman.facts.estimating import TokenEstimate, estimate_bytes, estimate_tokens, forget_observations, observe
    from dragoman.facts.expecting import Expectation, expectation, expectation_of_bytes
    from dragoman.facts.finder import Candidate, models
    from dragoman.facts.listing import listed
    from dragoman.facts.lookup import forget, override, prices, profile
    from dragoman.facts.meeting import NEEDS, check_needs, meets
    from dragoman.facts.refreshing import load, refresh

# One line for each module, sorted; a function never has the name of a module.
_HOMES = {
    "dragoman.facts.body_bounds": "bound_bytes",
    "dragoman.facts.bounding": "Bound Unbounded bound bound_of_tokens",
    "dragoman.facts.costing": "cost",
    "dragoman.facts.equivalence": "Tier comparable equivalents tier",
    "dragoman.facts.estimating": "TokenEstimate estimate_bytes estimate_tokens forget_observations observe",
    "dragoman.facts.expecting": "Expectation expectation expectation_of_bytes",
    "dragoman.facts.finder": "Candidate models",
    "dragoman.facts.listing": "listed",
    "dragoman.facts.lookup": "forget override prices profile",
    "dragoman.facts.meeting": "NEEDS check_needs meets",
    "dragoman.facts.refreshing": "load refresh",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "NEEDS",
    "Bound",
    "Candidate",
    "Expectation",
    "Tier",
    "TokenEstimate",
    "Unbounded",
    "bound",
    "bound_bytes",
    "bound_of_tokens",
    "check_needs",
    "comparable",
    "cost",
    "equivalents",
    "estimate_bytes",
    "estimate_tokens",
    "expectation",
    "expectation_of_bytes",
    "forget",
    "forget_observations",
    "listed",
    "load",
    "meets",
    "models",
    "observe",
    "override",
    "prices",
    "profile",
    "refresh",
    "tier",
]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module 'dragoman.facts' has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
