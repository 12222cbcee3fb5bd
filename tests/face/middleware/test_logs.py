"""Logging: one record a call, and no word of the prompt unless asked for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

import dragoman
from dragoman import wrap
from dragoman.middleware import CallLog
from dragoman.testing import ScriptedModel
from tests.face.middleware.verbs import VERBS, leave

if TYPE_CHECKING:
    from tests.face.middleware.verbs import Verb

SECRET = "the words of the prompt"


def details(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = caplog.records
    told: dict[str, Any] = record.__dict__["dragoman"]
    return told


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "dragoman")
    return caplog


@pytest.mark.parametrize("verb", VERBS)
def test_an_answer_is_one_record_without_words(verb: Verb, log: pytest.LogCaptureFixture) -> None:
    ticks = iter([10.0, 10.25])
    model = wrap(ScriptedModel(["the words of the answer"]), CallLog(clock=lambda: next(ticks)))
    verb(model, SECRET)
    (record,) = log.records
    assert record.levelno == logging.INFO
    assert record.getMessage() == "scripted/scripted-model answered in 0.250 s: stop, 5 + 5 tokens"
    told = details(log)
    assert (told["outcome"], told["seconds"], told["input_tokens"], told["output_tokens"]) == ("ok", 0.25, 5, 5)
    assert told["request_id"] == "req_1"
    assert told["attempts"] == 1
    assert "the words" not in repr(record.__dict__)


@pytest.mark.parametrize("verb", VERBS)
def test_a_failure_is_a_warning_without_the_providers_words(verb: Verb, log: pytest.LogCaptureFixture) -> None:
    model = wrap(ScriptedModel([dragoman.BadRequest(f"cannot take {SECRET}")]), CallLog())
    with pytest.raises(dragoman.BadRequest):
        verb(model, SECRET)
    (record,) = log.records
    assert record.levelno == logging.WARNING
    told = details(log)
    assert (told["error"], told["status"], told["provider"]) == ("BadRequest", 400, "scripted")
    assert SECRET not in repr(record.__dict__)


def test_words_are_there_when_asked_for(log: pytest.LogCaptureFixture) -> None:
    model = ScriptedModel(["answered", dragoman.BadRequest("quoted")])
    loud = wrap(model, CallLog("dragoman.loud", level=logging.DEBUG, content=True))
    loud.chat(SECRET)
    with pytest.raises(dragoman.BadRequest):
        loud.chat(SECRET)
    first, second = log.records
    assert first.name == "dragoman.loud"
    assert first.levelno == logging.DEBUG
    assert SECRET in repr(first.__dict__["dragoman"]["prompt"])
    assert first.__dict__["dragoman"]["answer"] == "answered"
    assert "quoted" in second.getMessage()


def test_a_stream_that_its_reader_leaves_is_told(log: pytest.LogCaptureFixture) -> None:
    model = wrap(ScriptedModel(["one two three"]), CallLog())
    leave(model, "Hi")
    assert details(log)["outcome"] == "left"
