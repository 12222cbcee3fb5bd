"""Conversations: kept whole, saved and loaded, and continued on another provider."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

import dragoman
from dragoman import Conversation, Message, Reasoning, Replay, system, tool_result, user
from dragoman.testing import ScriptedModel, call
from dragoman.testing.scripted import ScriptedTransport

if TYPE_CHECKING:
    from pathlib import Path

THOUGHT = Reasoning(
    text="Rain, I think.", replay=(Replay(issuer="one", dialect="anthropic", kind="signature", data="c2ln"),)
)


def sent_by(model: ScriptedModel) -> str:
    transport = model.route.candidates[0].deployment.transport
    assert isinstance(transport, ScriptedTransport)
    return transport.requests[-1].body.decode()


def test_turns_of_every_shape_are_messages_in_order() -> None:
    answer = dragoman.Response(choices=())
    talk = Conversation([system("Be short."), "Hi", {"role": "assistant", "content": "Hello."}])
    assert talk.append(answer, Message("user", "So?")) is talk
    assert [message.role for message in talk] == ["system", "user", "assistant", "assistant", "user"]
    assert len(talk) == 5
    assert talk[1].content == "Hi"
    assert talk[-2:] == list(talk.messages[-2:])
    assert Conversation(talk.messages) == talk
    assert len(Conversation()) == 0


def test_asking_adds_what_was_asked_and_answered_and_nothing_if_it_fails() -> None:
    model = ScriptedModel(["Hello.", "Bye.", dragoman.ServerFault("no")])
    talk = Conversation([system("Be short.")])
    assert talk.ask(model, "Hi", temperature=0.5).content == "Hello."
    assert asyncio.run(talk.aask(model, "Bye")).content == "Bye."
    assert [message.content for message in talk] == ["Be short.", "Hi", "Hello.", "Bye", "Bye."]
    assert [len(request.messages) for request in model.calls] == [2, 4]
    with pytest.raises(dragoman.ServerFault):
        talk.ask(model, "Again")
    assert len(talk) == 5


def test_models_take_it_as_messages() -> None:
    model = ScriptedModel(["ok"])
    assert model.chat(Conversation(["Hi"])).content == "ok"
    assert model.calls[0].messages == (user("Hi"),)


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    wanted = call("weather", {"city": "İzmir"}, id="call_1")
    talk = Conversation(["Weather?", Message("assistant", [THOUGHT, wanted])])
    assert talk.pending == (wanted,)
    talk.append(tool_result(wanted, "rain"))
    assert talk.pending == ()
    file = tmp_path / "talk.json"
    talk.save(file)
    talk.save(file)
    assert Conversation.load(file) == talk
    assert Conversation.from_json(talk.to_json()) == talk
    assert [path.name for path in tmp_path.iterdir()] == ["talk.json"]
    assert json.loads(file.read_text(encoding="utf-8"))["v"] == 1
    assert dragoman.from_json(talk.to_json()) == talk.messages


def test_what_is_no_conversation_is_told(tmp_path: Path) -> None:
    with pytest.raises(dragoman.InvalidRequest, match="no conversation"):
        Conversation.from_json(dragoman.to_json(user("Hi")))
    with pytest.raises(dragoman.InvalidRequest):
        Conversation.from_json("{}")
    with pytest.raises(FileNotFoundError):
        Conversation.load(tmp_path / "nothing.json")
    with pytest.raises(FileNotFoundError):
        Conversation(["Hi"]).save(tmp_path / "nowhere" / "talk.json")


@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat", "openai-responses", "gemini"])
def test_continued_elsewhere_it_does_not_take_the_issuers_state_along(dialect: str, tmp_path: Path) -> None:
    wanted = call("weather", {"city": "İzmir"}, id="call_1")
    talk = Conversation(["Weather?", Message("assistant", [THOUGHT, wanted]), tool_result(wanted, "rain")])
    home = ScriptedModel(["It rains."], provider="one", dialect="anthropic")
    answer = talk.ask(home)
    assert answer.content == "It rains."
    assert "c2ln" in sent_by(home)
    assert [one.path for one in answer.adaptations] == ["max_tokens"]
    talk.save(tmp_path / "talk.json")
    abroad = ScriptedModel(["Take a coat."], provider="two", dialect=dialect)
    later = Conversation.load(tmp_path / "talk.json")
    answer = later.ask(abroad, "What shall I wear?")
    assert answer.content == "Take a coat."
    assert "c2ln" not in sent_by(abroad)
    assert [one for one in answer.adaptations if "replay" in one.path or "parts[0]" in one.path]
    assert later.messages[1].parts[0] == THOUGHT
    assert later[-1].content == "Take a coat."
