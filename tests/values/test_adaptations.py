"""The log of adaptations, and the rule whose replay state may be sent."""

from __future__ import annotations

import pytest

from dragoman.values import Adaptation, AdaptationLog, Replay, Target, own_replay


def test_a_log_keeps_its_entries_in_order() -> None:
    log = AdaptationLog()
    log.dropped("seed", "no seed there", 7)
    log.clamped("temperature", "0 to 1", 1.5, 1)
    log.substituted("tool_choice", "no named choice", "weather", "required")
    log.emulated("output", "by a forced tool")
    log.defaulted("max_tokens", "the wire wants one", 4096)
    assert log.entries() == (
        Adaptation(path="seed", action="dropped", reason="no seed there", asked=7),
        Adaptation(path="temperature", action="clamped", reason="0 to 1", asked=1.5, applied=1),
        Adaptation(
            path="tool_choice", action="substituted", reason="no named choice", asked="weather", applied="required"
        ),
        Adaptation(path="output", action="emulated", reason="by a forced tool"),
        Adaptation(path="max_tokens", action="defaulted", reason="the wire wants one", applied=4096),
    )


@pytest.mark.parametrize(("path", "prefix"), [("", ""), ("messages[0]", "messages[0].")])
def test_members_of_another_dialect_are_recorded_and_notes_of_form_are_not(path: str, prefix: str) -> None:
    log = AdaptationLog()
    log.foreign_extras({"anthropic": {"container": "c", ":content": "string"}, "gemini": {"x": 1}}, "gemini", path)
    assert [entry.path for entry in log.entries()] == [f"{prefix}extras.anthropic.container"]
    log.foreign_extras(None, "gemini", path)
    log.foreign_extras({}, "gemini", path)
    assert len(log.entries()) == 1


_SIGNED = Replay(issuer="anthropic", dialect="anthropic", kind="signature", data="abc")
_OF_ONE_MODEL = Replay(issuer="google", dialect="gemini", kind="signature", data="def", model="m-1")


@pytest.mark.parametrize(
    ("target", "kind", "dialect", "data"),
    [
        (Target(issuer="anthropic"), "signature", "anthropic", "abc"),
        (Target(issuer="bedrock"), "signature", "anthropic", None),
        (Target(issuer="anthropic"), "encrypted", "anthropic", None),
        (Target(issuer="anthropic"), "signature", "openai-chat", None),
        (Target(issuer=""), "signature", "anthropic", None),
        (Target(issuer="google", model="m-1"), "signature", "gemini", "def"),
        (Target(issuer="google", model="m-2"), "signature", "gemini", None),
    ],
)
def test_state_is_given_to_its_issuer_alone(target: Target, kind: str, dialect: str, data: str | None) -> None:
    assert own_replay((_SIGNED, _OF_ONE_MODEL), kind, target, dialect) == data
    assert own_replay((), kind, target, dialect) is None
