"""Calls whose bodies pass unread: what is decoded before a deployment is chosen, and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from dragoman.accounts import Principal
from dragoman.gateway.choosing import Fitting, call_of, request_to_suit
from dragoman.gateway.ingress import openai_chat
from dragoman.routing import Rule, Rules
from dragoman.values import Request
from dragoman.values.profile import Profile
from tests.routing.virtual import candidate, route_of

if TYPE_CHECKING:
    from dragoman.gateway.ingress.asked import Asked
    from dragoman.routing import Route

TOOLS: list[Any] = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
IMAGE: dict[str, Any] = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}
DECODED = Request(model="m")


def asked(words: Any = "Hello", **more: Any) -> Asked:
    body = {"model": "m", "messages": [{"role": "user", "content": words}], **more}
    return openai_chat.read(msgspec.json.encode(body))


def decoded(route: Route, call: Asked) -> bool:
    return request_to_suit(route, call, lambda: DECODED, Fitting.of(route)) is DECODED


def known(name: str, **facts: Any) -> Any:
    """A candidate of whose model these facts are known."""
    made = candidate(name)
    profile = Profile(provider="p", model=name, **facts)
    return msgspec.structs.replace(made, deployment=msgspec.structs.replace(made.deployment, profile=profile))


def test_tools_are_looked_at_only_where_they_matter_to_somebody() -> None:
    with_tools = asked(tools=TOOLS)
    assert not decoded(route_of("a", "b"), with_tools)
    assert not decoded(route_of(known("a", tools=True), "b"), with_tools)
    assert decoded(route_of(known("a", tools=False), "b"), with_tools)
    assert not decoded(route_of(known("a", tools=False), "b"), asked())
    assert decoded(route_of("a", "b", strategy=Rules([Rule(use=("a",), needs=("tools",))])), with_tools)


def test_media_long_bodies_and_wishes_are_looked_at() -> None:
    assert decoded(route_of("a", "b"), asked([IMAGE]))
    assert decoded(route_of(known("a", context_tokens=100), "b"), asked("word " * 100))
    assert decoded(route_of(msgspec.structs.replace(candidate("a"), needs=("vision",)), "b"), asked())
    assert not decoded(route_of("a"), asked([IMAGE], tools=TOOLS))


@pytest.mark.parametrize("read", [False, True])
def test_a_call_tells_what_its_body_and_headers_say(read: bool) -> None:
    said = asked(user="u", metadata={"a": "b"}, max_tokens=7, prompt_cache_key="k")
    fields = {b"x-session-id": b"s"}
    request = DECODED if read else None
    call = call_of(said, route_of("a", "b"), Principal("p", team="t"), fields, issuer="i", request=request)
    assert (call.model, call.key, call.team, call.issuer) == ("m", "p", "t", "i")
    assert (call.user, call.metadata, call.max_tokens, call.conversation) == ("u", {"a": "b"}, 7, "k")
    assert (call.session, call.prompt_tokens, call.bonds) == ("s", len(said.body) // 4 + 1, None)


def test_a_call_of_which_nothing_says_where_it_belongs_has_no_bonds() -> None:
    call = call_of(asked(), route_of("a", "b"), Principal("p"), {}, issuer=None, request=None)
    assert call.bonds == []
    assert (call.issuer, call.max_tokens, call.prefix, call.session) == (None, None, None, None)
