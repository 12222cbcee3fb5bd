"""Relay or translate: whatever is relayed is what translating would have sent, for every host of the catalogue."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import msgspec
import pytest

from dragoman import catalogue
from dragoman.catalogue.rows import BUILT_IN
from dragoman.engine import Deployment
from dragoman.engine.capabilities.touching import touched_members
from dragoman.engine.fit import fit_facts, fit_form
from dragoman.engine.relay import EDITS, RelayRequest, read_members, touched
from dragoman.engine.relay.eligibility import QUIRK_TOUCHES
from dragoman.engine.relay.request import relay_http
from dragoman.engine.translate import to_http
from dragoman.errors import ConfigError, DragomanError, InvalidRequest
from dragoman.values import Adaptation, Quirks, Target, replace
from dragoman.values.quirks import AnthropicQuirks, ChatQuirks, GeminiQuirks, ResponsesQuirks
from tests.wire.comparing import first_difference
from tests.wire.recordings import Exchange, exchanges, require_recordings, target_for

_ADDRESS: dict[str, Any] = {"base_url": "http://127.0.0.1:9/v1", "api_key": "key"}


@pytest.mark.parametrize("kind", [ChatQuirks, ResponsesQuirks, AnthropicQuirks, GeminiQuirks])
def test_every_deviation_has_a_row(kind: type[Any]) -> None:
    """A deviation without one would end requests to its hosts with an error."""
    assert set(QUIRK_TOUCHES[kind]) == set(kind.__struct_fields__)


def _rows() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, row in sorted(BUILT_IN.items()):
        for dialect in row.dialects:
            if dialect not in EDITS:
                continue
            try:
                catalogue.resolve(row, model="m", dialect=dialect, **_ADDRESS)
            except DragomanError:
                continue  # it wants more than an address
            found.append((name, dialect))
    return found


@cache
def _deployment(name: str, dialect: str, model: str) -> Deployment:
    row = BUILT_IN[name]
    return Deployment(access=catalogue.resolve(row, model=model, dialect=dialect, **_ADDRESS))


def _asked(exchange: Exchange) -> RelayRequest:
    body = msgspec.json.encode(exchange.request.body)
    members = read_members(body)
    stream = ":streamGenerateContent" in exchange.request.url or bytes(members.get("stream", b"")) == b"true"
    model = target_for(exchange).model or "m"
    return RelayRequest(dialect=exchange.dialect or "", model=model, body=body, members=members, stream=stream)


def _touched(deployment: Deployment, asked: RelayRequest) -> str | None:
    found = touched(deployment.target.quirks, asked.dialect, asked.members, asked.body)
    return found or next(iter(touched_members(deployment, asked.members).intersection(asked.members)), None)


def _translated(deployment: Deployment, asked: RelayRequest, path: str) -> tuple[str, Any, tuple[Adaptation, ...]]:
    """The address and the body that translating sends, and what it adapts."""
    target = Target(issuer=deployment.access.issuer, model=asked.model)
    request = deployment.dialect.decode_request(msgspec.json.decode(asked.body), target, path)
    deployment, request, by_facts = fit_facts(deployment, replace(request, stream=asked.stream), "note")
    forming: tuple[Adaptation, ...] = ()
    if request.output is not None or request.tools:
        deployment, request, forming, _ = fit_form(deployment, request, "note")
    http, adaptations = to_http(
        deployment, deployment.dialect, request, stream=asked.stream, adapt="note", timeout=None
    )
    return http.url, msgspec.json.decode(http.body), (*by_facts, *forming, *adaptations)


_MADE_STRICT = ("input_schema", "output.schema")
"""A schema that does not keep the rules of strict ones is made to keep them where values are written; bytes that pass
are what the client wrote, and the host says what is wrong with them."""

_RECORDED = [exchange for exchange in exchanges() if exchange.dialect in EDITS]


@pytest.mark.parametrize(("name", "dialect"), _rows())
def test_what_is_relayed_is_what_translating_would_send(name: str, dialect: str) -> None:
    require_recordings()
    relayed = 0
    for exchange in _RECORDED:
        if exchange.dialect != dialect or not isinstance(exchange.request.body, dict):
            continue
        asked = _asked(exchange)
        deployment = _deployment(name, dialect, asked.model)
        if _touched(deployment, asked) is not None:
            continue
        try:
            url, translated, adaptations = _translated(deployment, asked, exchange.request.path)
        except ConfigError:  # it gives embeddings alone
            with pytest.raises(ConfigError):
                relay_http(deployment, asked, None)
            continue
        except InvalidRequest:
            assert exchange.response.status in (400, 422), exchange.id  # the vendor said so too
            continue
        relayed += 1
        http, _ = relay_http(deployment, asked, None)
        assert http.url == url
        difference = first_difference(msgspec.json.decode(http.body), translated)
        if difference is not None:
            strict = [entry for entry in adaptations if entry.path.endswith(_MADE_STRICT)]
            assert strict, f"{exchange.id}: {difference}; {adaptations!r:.300}"
            assert "schema" in difference or "parameters" in difference, f"{exchange.id}: {difference}"
    assert relayed or BUILT_IN[name].embeddings_only, "nothing of what was recorded is relayed to this host"


def test_a_deviation_that_is_met_is_translated_for() -> None:
    """Of each deviation that touches a member, a body with that member is not relayed to a host that has it."""
    for kind, rows in QUIRK_TOUCHES.items():
        dialect = {
            ChatQuirks: "openai-chat",
            ResponsesQuirks: "openai-responses",
            AnthropicQuirks: "anthropic",
            GeminiQuirks: "gemini",
        }[kind]
        for field, touch in rows.items():
            quirks = _deviating(kind, dialect, field)
            for member in touch.members:
                assert touched(quirks, dialect, {member: b"1"}, b"{}") == member
            for mark in touch.marks:
                assert touched(quirks, dialect, {}, b"{" + mark + b":1}") == mark.decode().strip('"')
            if not touch.members and not touch.marks and field not in ("refused", "reasoning_member"):
                assert touched(quirks, dialect, {}, b"{}") is None


def _deviating(kind: type[Any], dialect: str, field: str) -> Quirks:
    """Quirks of which one is another than usual."""
    usual: Any = kind()
    value: Any = getattr(usual, field)
    other: Any = not value if isinstance(value, bool) else _Another(cast("object", value))
    if field == "refused":
        other = ("a_member",)
    elif field == "reasoning_member":
        other = "reasoning"
    held = msgspec.structs.replace(usual, **{field: other})
    return msgspec.structs.replace(Quirks(), **{dialect.removeprefix("openai-"): held})


class _Another:
    """Equal to nothing but itself."""

    def __init__(self, usual: object) -> None:
        self._usual = usual


def test_thoughts_in_another_hosts_member_are_translated() -> None:
    quirks = _deviating(ChatQuirks, "openai-chat", "reasoning_member")
    assert touched(quirks, "openai-chat", {}, b'{"messages":[{"reasoning_content":"Hm"}]}') == "reasoning_content"
    assert touched(quirks, "openai-chat", {}, b'{"messages":[{"reasoning":"Hm"}]}') is None
