"""What an answer says, told the same way by an official client's objects and by our values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from dragoman.values import Choice, Finish, Refusal, Response, Text, ToolCall

__all__ = ["Facts", "Said", "called", "counts_of_vendor", "disagreements", "ours"]


@dataclass(frozen=True, slots=True)
class Said:
    """One choice. A call is (id, name, arguments); an id is None where the wire has none."""

    text: str
    refusal: str
    calls: tuple[tuple[str | None, str, Any], ...]
    finish: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """One answer."""

    said: tuple[Said, ...]
    input_tokens: int | None
    output_tokens: int | None
    id: str | None
    model: str | None


def called(id: str | None, name: str, arguments: Any) -> tuple[str | None, str, Any]:
    """A call with its arguments parsed, where they are JSON, so that spelling does not count."""
    if isinstance(arguments, str):
        try:
            arguments = msgspec.json.decode(arguments) if arguments.strip() else {}
        except msgspec.DecodeError:
            pass
    return (id or None, name, arguments)


def ours(response: Response) -> Facts:
    """The facts of one of our answers."""
    usage = response.usage
    return Facts(
        said=tuple(_said(choice, response.dialect) for choice in response.choices),
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        id=response.id,
        model=None if response.dialect == "bedrock" else response.model,  # whose answers name none
    )


def _said(choice: Choice, dialect: str) -> Said:
    parts = choice.message.parts
    return Said(
        text="".join(part.text for part in parts if isinstance(part, Text)),
        refusal="".join(part.text for part in parts if isinstance(part, Refusal)),
        calls=tuple(
            called(part.id, part.name, part.arguments_text)
            for part in parts
            if isinstance(part, ToolCall) and part.runner == "client"
        ),
        finish=_finish(choice.finish, dialect),
    )


def _finish(finish: Finish | None, dialect: str) -> str | None:
    if finish is None:
        return None
    if dialect == "openai-responses":
        return "incomplete" if finish.reason in ("length", "content_filter") else "completed"
    return finish.raw


def disagreements(official: Facts, own: Facts, *, ids: bool = True) -> list[str]:
    """Where two parties understood an answer differently. `ids` False: ids, models and finish words may differ."""
    found: list[str] = []
    if not official.said and not any(choice.text or choice.refusal or choice.calls for choice in own.said):
        return found  # a blocked prompt: no candidate on the wire, a finish without words in ours
    if len(official.said) != len(own.said):
        return [f"{len(official.said)} choices, and ours has {len(own.said)}"]
    for index, (theirs, mine) in enumerate(zip(official.said, own.said, strict=True)):
        where = f"choice {index}"
        _compare(found, f"{where} text", theirs.text, mine.text)
        _compare(found, f"{where} refusal", theirs.refusal, mine.refusal)
        if len(theirs.calls) != len(mine.calls):
            found.append(f"{where} calls: {theirs.calls!r:.200}, and ours are {mine.calls!r:.200}")
        else:
            for call, own_call in zip(theirs.calls, mine.calls, strict=True):
                _compare(found, f"{where} call name", call[1], own_call[1])
                if not isinstance(own_call[2], str):  # text: the arguments were cut off, which clients repair
                    _compare(found, f"{where} call arguments", call[2], own_call[2])
                if ids and call[0] is not None:
                    _compare(found, f"{where} call id", call[0], own_call[0])
        if ids:
            _compare(found, f"{where} finish", theirs.finish or None, mine.finish or None)
    _compare(found, "input tokens", official.input_tokens, own.input_tokens)
    # Google leaves counts of 0 out.
    _compare(found, "output tokens", official.output_tokens or 0, own.output_tokens or 0)
    if ids:
        _compare(found, "id", official.id or None, own.id)
        _compare(found, "model", official.model, own.model)
    return found


_COUNTING_ALIKE = {"openai-chat": {"openai", "azure"}, "openai-responses": {"openai", "azure"}}


def counts_of_vendor(official: Facts, own: Facts, provider: str, dialect: str | None) -> Facts:
    """Ours with the official counts, where the host does not count as its dialect's own vendor does."""
    if provider in _COUNTING_ALIKE.get(dialect or "", {provider}):
        return own
    return Facts(own.said, official.input_tokens, official.output_tokens, own.id, own.model)


def _compare(found: list[str], what: str, theirs: Any, mine: Any) -> None:
    if theirs != mine:
        found.append(f"{what}: {theirs!r:.200}, and ours is {mine!r:.200}")
