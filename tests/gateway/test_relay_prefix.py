"""What arrives upstream: the bytes that clients wrote, but for the listed edits, and each turn as it was before."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from dragoman import catalogue
from dragoman.engine.relay import EDITS, read_members, touched
from tests.gateway.fronts import PUBLIC_DIALECTS
from tests.gateway.recorded_upstream import running_upstream
from tests.gateway.running import running_gateway
from tests.gateway.upstream_bytes import (
    ASKED,
    TURNS,
    VENDORS,
    Sender,
    model_at,
    raw_members,
    raw_turns,
    streams,
    upstream_config,
    written,
)
from tests.wire.recordings import Exchange, require_recordings

if TYPE_CHECKING:
    from collections.abc import Generator

require_recordings()

_REFUSAL = (
    b'{"error":{"message":"no more today","type":"invalid_request_error","code":400,"status":"INVALID_ARGUMENT"}}'
)


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sender]:
    with running_upstream() as upstream:
        upstream.answer = (400, {"content-type": "application/json"}, _REFUSAL)  # what it answers is no matter here
        with running_gateway(upstream_config(upstream.url), tmp_path_factory.mktemp("gateway")) as gateway:
            made = Sender(gateway, upstream)
            yield made
            made.close()


def _named(exchange: Exchange, model: str) -> dict[str, Any]:
    """The recorded body, with this model where the dialect names it in the body."""
    body = exchange.request.body
    return body if exchange.dialect == "gemini" else {**body, "model": model}


def _touched(dialect: str, body: bytes) -> str | None:
    quirks = catalogue.find(VENDORS[dialect]).quirks
    return touched(quirks, dialect, read_members(body), body)


def test_most_of_what_was_recorded_is_relayed() -> None:
    written_anew = [
        exchange.id for exchange in ASKED if _touched(exchange.dialect or "", written(exchange.request.body))
    ]
    assert len(written_anew) < len(ASKED) // 10


@pytest.mark.parametrize("renamed", [False, True], ids=["own-name", "renamed"])
@pytest.mark.parametrize("exchange", ASKED, ids=lambda exchange: exchange.case)
def test_only_listed_members_are_edited(exchange: Exchange, renamed: bool, sender: Sender) -> None:
    dialect = exchange.dialect or ""
    model = model_at(dialect)
    asked = f"other-{model}" if renamed else model
    sent = written(_named(exchange, asked))
    arrived = sender.arrives(dialect, sent, asked, stream=streams(exchange))
    assert arrived is not None
    if _touched(dialect, sent) is not None:
        return  # written anew for this vendor, as other tests judge
    edits = EDITS[dialect]
    before, after = raw_members(sent), raw_members(arrived)
    edited: set[str] = set()
    if renamed and edits.model_member is not None:
        edited.add(edits.model_member)
        assert msgspec.json.decode(after[edits.model_member]) == model
    if streams(exchange) and edits.usage_option is not None:
        holder, option = edits.usage_option
        given: Any = exchange.request.body.get(holder) or {}
        if given.get(option) is not True:
            edited.add(holder)
            assert msgspec.json.decode(after[holder]) == {**given, option: True}
    if not edited:
        assert arrived == sent
    assert {name: value for name, value in after.items() if name not in edited} == {
        name: value for name, value in before.items() if name not in edited
    }
    assert [name for name in after if name in before] == list(before)
    assert set(after) - set(before) <= edited


_PICTURE = "QUJD" * 750_000
_SHOWN = {
    "openai-chat": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PICTURE}"}},
    "openai-responses": {"type": "input_image", "image_url": f"data:image/png;base64,{_PICTURE}"},
    "anthropic": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _PICTURE}},
    "gemini": {"inlineData": {"mimeType": "image/png", "data": _PICTURE}},
}


@pytest.mark.parametrize("spaced", [False, True], ids=["compact", "spaced"])
@pytest.mark.parametrize("renamed", [False, True], ids=["own-name", "renamed"])
@pytest.mark.parametrize("dialect", PUBLIC_DIALECTS)
def test_a_picture_of_megabytes_arrives_as_it_was(dialect: str, sender: Sender, *, renamed: bool, spaced: bool) -> None:
    model = model_at(dialect)
    asked = f"other-{model}" if renamed else model
    turn: dict[str, Any] = {"role": "user", "parts" if dialect == "gemini" else "content": [_SHOWN[dialect]]}
    named = {} if dialect == "gemini" else {"model": asked}
    body: dict[str, Any] = {**named, TURNS[dialect]: [turn], "metadata": {"x": 'a "quoted" é \\'}}
    sent = written(body) if spaced else msgspec.json.encode(body)
    arrived = sender.arrives(dialect, sent, asked, stream=False)
    assert arrived is not None
    if renamed and dialect != "gemini":
        before, after = raw_members(sent), raw_members(arrived)
        assert after.pop("model") == msgspec.json.encode(model)
        assert before.pop("model") == msgspec.json.encode(asked)
        assert after == before
    else:
        assert arrived == sent


# -- one turn more -----------------------------------------------------------------------------------------------------

_SAID = {
    "openai-chat": [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "And then?"}],
    "openai-responses": [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "And then?"}],
    "anthropic": [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "And then?"}],
    "gemini": [{"role": "model", "parts": [{"text": "Yes."}]}, {"role": "user", "parts": [{"text": "And then?"}]}],
}


def _one_turn_more(dialect: str, body: dict[str, Any]) -> dict[str, Any]:
    """The same conversation with an answer and what its user said to that."""
    member = TURNS[dialect]
    turns: Any = body[member]
    if isinstance(turns, str):
        turns = [{"role": "user", "content": turns}]
    elif isinstance(turns, dict):
        turns = [turns]
    more = _SAID[dialect]
    last: Any = turns[-1] if turns else {}
    spoken_last = isinstance(last, dict) and cast("dict[str, Any]", last).get("role") in ("assistant", "model")
    return {**body, member: [*turns, *(more[1:] if spoken_last else more)]}


_FOLLOWED = [exchange for exchange in ASKED if exchange.request.body.get(TURNS[exchange.dialect or ""])]


@pytest.mark.parametrize("target", PUBLIC_DIALECTS)
@pytest.mark.parametrize("exchange", _FOLLOWED, ids=lambda exchange: exchange.case)
def test_a_conversation_only_grows(exchange: Exchange, target: str, sender: Sender) -> None:
    """Relayed and translated: all that was sent upstream before is sent again as the same bytes, in the same place."""
    dialect = exchange.dialect or ""
    model, stream = model_at(target), streams(exchange)
    body = _named(exchange, model)
    if isinstance(body[TURNS[dialect]], str) and target == dialect:
        body = {**body, TURNS[dialect]: [{"role": "user", "content": body[TURNS[dialect]]}]}
    first = sender.arrives(dialect, body, model, stream=stream)
    second = sender.arrives(dialect, _one_turn_more(dialect, body), model, stream=stream)
    if first is None:
        assert dialect != target, "relayed, and refused"
        return
    _assert_begins_with(target, second, first)


def _turns(exchange: Exchange) -> list[Any]:
    turns = exchange.request.body[TURNS[exchange.dialect or ""]]
    return cast("list[Any]", turns) if isinstance(turns, list) else []


_CONVERSATIONS = [
    (earlier, later)
    for earlier, later in pairwise(_FOLLOWED)
    if (earlier.file, earlier.dialect) == (later.file, later.dialect)
    and _turns(earlier)
    and len(_turns(later)) > len(_turns(earlier))
    and _turns(later)[: len(_turns(earlier))] == _turns(earlier)
]


@pytest.mark.parametrize("target", PUBLIC_DIALECTS)
@pytest.mark.parametrize(("earlier", "later"), _CONVERSATIONS, ids=lambda exchange: exchange.case)
def test_a_recorded_conversation_only_grows(earlier: Exchange, later: Exchange, target: str, sender: Sender) -> None:
    """With the answers, the thoughts and the results of tools that its client sent back."""
    dialect, model = earlier.dialect or "", model_at(target)
    first = sender.arrives(dialect, _named(earlier, model), model, stream=streams(earlier))
    second = sender.arrives(dialect, _named(later, model), model, stream=streams(earlier))
    assert first is not None
    assert second is not None
    before, after = raw_turns(target, first), raw_turns(target, second)
    assert after[: len(before)] == before
    assert len(after) > len(before)


def test_conversations_of_every_dialect_are_among_the_recorded() -> None:
    assert {earlier.dialect for earlier, _ in _CONVERSATIONS} == set(PUBLIC_DIALECTS)


def _assert_begins_with(target: str, second: bytes | None, first: bytes) -> None:
    assert second is not None
    before, after = raw_turns(target, first), raw_turns(target, second)
    if before and before[0].startswith(b'"'):
        assert before[0] in after[0]
    else:
        assert after[: len(before)] == before
    assert len(after) > len(before)
    beside = TURNS[target]
    assert {name: value for name, value in raw_members(first).items() if name != beside} == {
        name: value for name, value in raw_members(second).items() if name != beside
    }
