"""Pinning: a request that names what a provider keeps goes where that is, and only for whom it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from dragoman.engine.relay import holds_any
from dragoman.errors import InvalidRequest, NotFound
from dragoman.gateway.holdings import account_of, knows_all, may_have
from dragoman.gateway.provider_objects import hides_letters, named_in_body

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dragoman.accounts import Principal
    from dragoman.gateway.holdings import Holdings
    from dragoman.gateway.ingress.asked import Asked
    from dragoman.gateway.provider_objects import Named
    from dragoman.routing import Route

__all__ = ["accounts_named", "made_by", "may_name", "no_such", "pinned"]

_MARKS: Final[Mapping[str, tuple[bytes, ...]]] = {
    "openai-chat": (b'"file_id"',),
    "openai-responses": (
        b'"previous_response_id"',
        b'"conversation"',
        b'"file_id"',
        b'"vector_store_ids"',
        b'"container"',
    ),
    "anthropic": (b'"file_id"', b'"container"'),
    "gemini": (
        b'"cachedContent"',
        b'"cached_content"',
        b'"fileUri"',
        b'"file_uri"',
        b'"fileSearchStoreNames"',
        b'"file_search_store_names"',
    ),
}
"""Members by which a request for an answer names objects, by dialect."""

_STORES: Final = {"openai-responses": "responses", "openai-chat": "completions"}
_NOT_STORED: Final = {"openai-responses": (b"false",), "openai-chat": (b"false", b"null", b"")}
"""The Responses API keeps what it is not told to forget; chat completions are kept where that is asked for."""

_decode = msgspec.json.Decoder().decode


def may_name(asked: Asked) -> bool:
    """Whether a request may name anything that a provider keeps: looked at quickly, since most do not."""
    text = asked.outline
    named = holds_any(_MARKS[asked.dialect], text, asked.words) is not None
    return named or hides_letters(text)


async def pinned(principal: Principal, holdings: Holdings, asked: Asked, route: Route) -> Route:
    """The route, narrowed to where the objects are that the request names.

    Raises `NotFound` for what is not this principal's (whether it exists is not told), `InvalidRequest` where the
    objects are in different places, or in one that the route does not lead to.
    """
    if not may_name(asked):
        return route
    try:
        named = named_in_body(_decode(asked.body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return route  # whoever decodes it says what is wrong
    if not named:
        return route
    accounts = await accounts_named(principal, holdings, named)
    if accounts is None:
        return route
    candidates = tuple(each for each in route.candidates if account_of(each.deployment) in accounts)
    if not candidates:
        first = named[0]
        raise InvalidRequest(
            f"{first.name.partition('/')[2]} is kept by a provider that the model {asked.model!r} is not served by; "
            "use the model with which it was made",
            path=first.member,
        )
    return route if len(candidates) == len(route.candidates) else replace(route, candidates=candidates)


async def accounts_named(
    principal: Principal, holdings: Holdings, named: Sequence[Named], *, within: bool = False
) -> frozenset[str] | None:
    """The accounts that hold all of these objects; None where nothing is recorded of any, and that is no matter.

    `within`: the first one holds the others, which need not be known if it is (a store's files, a container's).
    """
    found = await holdings.find([each.name for each in named])
    accounts: frozenset[str] | None = None
    for at, each in enumerate(named):
        states = found.get(each.name, ())
        own = [state for state in states if may_have(principal, state)]
        if not own:
            if not states and (knows_all(principal) or (within and at and accounts is not None)):
                continue
            raise no_such(each)
        held = frozenset(state.account for state in own)
        accounts = held if accounts is None else accounts & held
        if not accounts:
            raise InvalidRequest(
                "the objects that this request names are kept by different providers", path=each.member
            )
    return accounts


def no_such(named: Named) -> NotFound:
    """404, alike for what does not exist and for what is another's."""
    identity = named.name.partition("/")[2]
    code = "previous_response_not_found" if named.member == "previous_response_id" else "not_found"
    error = NotFound(f"There is no {identity!r} here that this key may use.", status=404, code=code, param=named.member)
    error.message = error.provider_message  # nobody upstream was asked
    error.args = (error.message,)
    return error


def made_by(asked: Asked, dialect: str, identity: str | None, containers: Iterable[str] = ()) -> list[str]:
    """The objects that an answer leaves with its provider, where the provider was spoken to in this dialect."""
    found = [f"containers/{each}" for each in containers] if containers else []
    collection = _STORES.get(dialect)
    if collection is None or not identity or asked.dialect != dialect:
        return found
    if bytes(asked.members.get("store", b"")) not in _NOT_STORED[dialect]:
        found.append(f"{collection}/{identity}")
    return found
