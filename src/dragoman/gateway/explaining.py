"""What would become of a request: the route, who would be asked in which order and why. Nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from dragoman.accounts import Principal
from dragoman.accounts.principals import MASTER
from dragoman.errors import InvalidRequest
from dragoman.gateway.attempts import Caller
from dragoman.gateway.choosing import call_of, nearest, request_to_suit
from dragoman.gateway.ingress import anthropic, gemini, openai_chat, openai_responses
from dragoman.gateway.pinning import pinned
from dragoman.routing.explaining import explain
from dragoman.routing.lineup import lineup_of

if TYPE_CHECKING:
    from dragoman.gateway.generation import Generation
    from dragoman.gateway.holdings import Holdings
    from dragoman.gateway.ingress.asked import Asked
    from dragoman.gateway.replay_memory import ReplayMemory

__all__ = ["Question", "explain_question", "read_question"]

PublicDialectName = Literal["openai-chat", "openai-responses", "anthropic", "gemini"]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that a client might send: its `body` as it would be, in this dialect, with these headers.

    `key` is the name of the key that it would show; without one, whoever may use everything. `model` and `stream` are
    for Gemini's bodies, which do not tell them.
    """

    body: msgspec.Raw
    dialect: PublicDialectName = "openai-chat"
    headers: dict[str, str] = {}
    key: str | None = None
    model: str | None = None
    stream: bool = False


_decoder = msgspec.json.Decoder(Question)


def read_question(body: bytes) -> Question:
    """Raises `InvalidRequest`."""
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"this is no question: {error}") from None


async def explain_question(
    question: Question, generation: Generation, memory: ReplayMemory, holdings: Holdings | None = None
) -> dict[str, Any]:
    """The answer, as plain data. Raises what the request itself would be refused with before anybody is asked.

    `holdings` None knows of no objects that providers keep.
    """
    fields = {name.lower().encode(): value.encode("latin-1", "replace") for name, value in question.headers.items()}
    asked = _asked(question, fields)
    principal = _principal(question, generation)
    route = generation.routes.find(asked.model)
    if not principal.may_use(route.name):
        raise InvalidRequest(f"the key {principal.name!r} may not use the model {route.name!r}", path="key")
    route.policy.check(asked.shape.steering, asked.tool_types(b'"mcp'))
    spoken = route.spoken(asked.dialect)
    if holdings is not None:
        spoken = await pinned(principal, holdings, asked, spoken)
    issuers = memory.issuers_in(asked.body) if asked.holds_state else []
    thinkers = memory.thinkers_in(principal.name, asked.body)
    spoken, issuer = nearest(spoken, dict.fromkeys((*issuers, *thinkers)))
    foremost = issuer or spoken.candidates[0].deployment.access.issuer
    caller = Caller(asked, spoken, foremost, memory, principal.name, tuple(issuers))
    request = request_to_suit(spoken, asked, caller.request, route.fitting)
    call = call_of(asked, spoken, principal, fields, issuer=issuer, request=request)
    explanation = explain(spoken, request, call=call)
    options = {(option.name, option.tier): option for option in lineup_of(spoken).options}
    model = generation.config.models.get(route.label)
    told: dict[str, Any] = {
        "model": route.name,
        "route": route.label,
        "key": principal.name,
        "strategy": explanation.strategy if model is None else model.block.strategy,
        "chosen": explanation.chosen,
        "prompt_tokens": call.prompt_tokens,
        "candidates": [],
    }
    for each in explanation.candidates:
        deployment = options[each.name, each.tier].deployment
        mode, reason = caller.mode_with_reason(deployment)
        told["candidates"].append(
            {
                **msgspec.to_builtins(each),
                "deployment": route.deployment_name(deployment),
                "provider": deployment.access.provider,
                "upstream_model": deployment.access.model,
                "dialect": deployment.access.dialect,
                "mode": mode,
                "mode_reason": reason,
            }
        )
    return told


def _asked(question: Question, fields: dict[bytes, bytes]) -> Asked:
    body = bytes(question.body)
    match question.dialect:
        case "openai-chat":
            return openai_chat.read(body)
        case "openai-responses":
            return openai_responses.read(body)
        case "anthropic":
            return anthropic.read(body, fields.items())
        case "gemini":
            if not question.model:
                raise InvalidRequest("a body of Gemini's names no model: give it as `model`", path="model")
            method = "streamGenerateContent" if question.stream else "generateContent"
            path = f"/v1beta/models/{question.model}:{method}"
            return gemini.read(body, path, "alt=sse", question.model, method)


def _principal(question: Question, generation: Generation) -> Principal:
    if question.key is None:
        return Principal(MASTER, master=True)
    for principal in generation.keys.principals():
        if principal.name == question.key:
            return principal
    raise InvalidRequest(f"no key is called {question.key!r}", path="key")
