"""Conversations, turn by turn: what was sent in earlier turns is sent again unchanged, byte for byte.

A provider's cache knows a prompt by its beginning, and checks the signatures in it. Each recorded conversation is
followed: the next request is made of the request before, the answer to it as we decode it, and what the recorded client
said next.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import msgspec
import pytest

from dragoman import dialects
from dragoman.errors import DragomanError
from dragoman.values import Message, MessageRole, Reasoning, Request, Response, Target, ToolCall, replace
from tests.wire.judging import dialect_of, request_of, run_stream
from tests.wire.recordings import DIALECTS, Exchange, exchanges, require_recordings, target_for

require_recordings()

_TURNS = {"openai-responses": "input", "gemini": "contents"}
"""The member that holds the turns; `messages` in the other dialects."""

_ASKED = [exchange for exchange in exchanges() if exchange.dialect and exchange.request.body is not None]
_PAIRS = [
    pytest.param(earlier, later, id=f"{later.case}")
    for earlier, later in pairwise(_ASKED)
    if (earlier.file, earlier.dialect, earlier.provider) == (later.file, later.dialect, later.provider)
]


class NotFollowed(Exception):
    """The recorded client did not go on from the exchange before; the message says how."""


def _answer(exchange: Exchange) -> Response:
    """The recorded answer. Raises `NotFollowed` where there is none."""
    if exchange.is_error:
        raise NotFollowed(f"the provider answered with status {exchange.response.status}")
    try:
        if exchange.is_stream:
            response = run_stream(exchange).response
        else:
            response = dialect_of(exchange).decode_response(exchange.response.content, target_for(exchange))
    except DragomanError as error:
        raise NotFollowed(f"the provider gave no answer: {error.message}") from None
    if response is None:
        raise NotFollowed("the answer broke off")
    return response


def _said_next(earlier: Request, later: Request) -> tuple[Message, ...]:
    """What the recorded client said behind the answer. Raises `NotFollowed`."""
    known = len(earlier.messages)
    if later.previous_response_id is not None:
        raise NotFollowed("the recorded client left the earlier turns with the provider")
    if len(later.messages) <= known:
        raise NotFollowed("the recorded client began another conversation")
    if [message.content for message in later.messages[:known]] != [message.content for message in earlier.messages]:
        raise NotFollowed("the recorded client changed the words of earlier turns")
    if later.messages[:known] != earlier.messages:
        raise NotFollowed("the recorded client changed the form of earlier turns, or moved its cache marks")
    rest = later.messages[known:]
    if rest[0].role is not MessageRole.ASSISTANT:
        raise NotFollowed("the recorded client did not send the answer back")
    behind = next((index for index, message in enumerate(rest) if message.role is not MessageRole.ASSISTANT), None)
    if behind is None:
        raise NotFollowed("the recorded client said nothing behind the answer")
    return rest[behind:]


def _next_request(request: Request, exchange: Exchange, later: Exchange) -> Request:
    """The request that goes on from `request`, which asked what `exchange` did."""
    said = _said_next(request_of(exchange), request_of(later))
    return replace(request, messages=(*request.messages, _answer(exchange).message, *said))


def _parts_of(request: Request, dialect: str, target: Target) -> tuple[list[bytes], dict[str, bytes]]:
    """The encoded turns, each as bytes, and all else of the body."""
    body = dict(dialects.load(dialect).encode_request(request, target).body)
    turns: Any = body.pop(_TURNS.get(dialect, "messages"))
    if isinstance(turns, str):  # Responses: a lone text, which a list says as a user's message
        turns = [{"role": "user", "content": turns}]
    return (
        [msgspec.json.encode(turn) for turn in cast("list[Any]", turns)],
        {name: msgspec.json.encode(value) for name, value in body.items()},
    )


def _assert_begins_with(later: Request, earlier: Request, dialect: str, target: Target) -> None:
    before, beside = _parts_of(earlier, dialect, target)
    after, now_beside = _parts_of(later, dialect, target)
    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert now_beside == beside


@pytest.mark.parametrize(("earlier", "later"), _PAIRS)
def test_the_next_request_begins_with_the_one_before(earlier: Exchange, later: Exchange) -> None:
    request, dialect = request_of(earlier), earlier.dialect or ""
    try:
        following = _next_request(request, earlier, later)
    except NotFollowed as reason:
        pytest.skip(str(reason))
    _assert_begins_with(following, request, dialect, target_for(earlier))
    _assert_begins_with(following, request, dialect, target_for(earlier, quirks=False))


def _conversations() -> list[list[Exchange]]:
    """Runs of exchanges, each of which goes on from the one before."""
    found: list[list[Exchange]] = []
    for pair in _PAIRS:
        earlier, later = cast("tuple[Exchange, Exchange]", pair.values)
        try:
            _next_request(request_of(earlier), earlier, later)
        except NotFollowed:
            continue
        if found and found[-1][-1] is earlier:
            found[-1].append(later)
        else:
            found.append([earlier, later])
    return found


_CONVERSATIONS = _conversations()


@pytest.mark.parametrize("followed", _CONVERSATIONS, ids=lambda followed: cast("list[Exchange]", followed)[0].case)
def test_a_conversation_of_our_own_only_grows(followed: list[Exchange]) -> None:
    """From the first request on, all earlier answers are those that we decoded ourselves."""
    dialect, target = followed[0].dialect or "", target_for(followed[0])
    requests = [request_of(followed[0])]
    for earlier, later in pairwise(followed):
        requests.append(_next_request(requests[-1], earlier, later))
    for before, after in pairwise(requests):
        _assert_begins_with(after, before, dialect, target)


@pytest.mark.parametrize("followed", _CONVERSATIONS, ids=lambda followed: cast("list[Exchange]", followed)[0].case)
def test_the_answer_that_is_sent_back_is_the_whole_answer(followed: list[Exchange]) -> None:
    """No thought, signature or call of the issuer's own is left out or noted when it goes back to its issuer."""
    for earlier, later in pairwise(followed):
        target = target_for(earlier, quirks=False)
        following = _next_request(request_of(earlier), earlier, later)
        encoded = dialects.load(earlier.dialect or "").encode_request(following, target)
        answered = f"messages[{len(request_of(earlier).messages)}]"
        lost = [entry for entry in encoded.adaptations if entry.path.startswith(answered) and entry.action == "dropped"]
        state = [
            entry for entry in lost if "replay" in entry.path or "replay" in entry.reason or "though" in entry.reason
        ]
        assert not state
        said = msgspec.json.encode(encoded.body).decode()
        for text in _state_in(_answer(earlier).message):
            assert msgspec.json.encode(text).decode()[1:-1] in said


def _state_in(message: Message) -> list[str]:
    return [
        replay.data
        for part in message.parts
        for replay in part.replay
        if isinstance(replay.data, str) and replay.kind in ("signature", "encrypted", "redacted", "thought-signature")
    ]


def test_tools_and_thinking_are_among_the_conversations() -> None:
    calling: set[str] = set()
    thinking: set[str] = set()
    both: set[str] = set()
    for followed in _CONVERSATIONS:
        dialect = followed[0].dialect or ""
        parts = [part for exchange in followed[:-1] for part in _answer(exchange).message.parts]
        calls = any(isinstance(part, ToolCall) and part.runner == "client" for part in parts)
        thinks = any(isinstance(part, Reasoning) for part in parts) or bool(_state_in(Message(parts=tuple(parts))))
        calling |= {dialect} if calls else set()
        thinking |= {dialect} if thinks else set()
        both |= {dialect} if calls and thinks else set()
    vendors = {"openai-chat", "openai-responses", "anthropic", "gemini", "bedrock"}
    assert vendors | {"cohere"} <= calling <= set(DIALECTS)
    assert vendors <= thinking
    assert vendors - {"anthropic"} <= both
