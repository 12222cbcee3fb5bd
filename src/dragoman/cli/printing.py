"""Answers on standard output: as text while they come, or as one JSON document."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.cli.notices import harmless, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.face.model import ChatModel
    from dragoman.values import Message, Response

__all__ = ["Printer", "document", "show_answer"]

_DIM, _NORMAL = "\x1b[2m", "\x1b[0m"


class Printer:
    """An answer on its way to standard output; `text` is what was shown of it.

    On a terminal visible thinking is shown too, dimmed, and control characters are not passed on. Elsewhere only the
    answer is written, exactly as it came.
    """

    def __init__(self) -> None:
        self.text = ""
        self._out = sys.stdout
        self._terminal = self._out.isatty()
        self._can_dim = self._terminal and os.environ.get("TERM", "dumb") != "dumb"
        self._thinking = False
        self._at_line_start = True

    def write(self, text: str, reasoning: str = "") -> None:
        """Shows the next pieces of the answer and of its thinking."""
        if reasoning and self._can_dim:
            self._put(reasoning if self._thinking else _DIM + reasoning, shown=reasoning)
            self._thinking = True
        if text:
            self._end_thinking()
            self.text += text  # first, so that Ctrl-C in the midst of writing loses nothing that was shown
            self._put(text, shown=text)

    def end(self) -> None:
        """Ends the line, if something stands on it."""
        self._end_thinking()
        if not self._at_line_start:
            self._put("\n", shown="\n")

    def _end_thinking(self) -> None:
        if self._thinking:
            self._thinking = False
            self._out.write(_NORMAL)
            if not self._at_line_start:
                self._put("\n", shown="\n")

    def _put(self, text: str, *, shown: str) -> None:
        lead = text[: len(text) - len(shown)]
        self._out.write(lead + (harmless(shown) if self._terminal else shown))
        self._out.flush()
        self._at_line_start = shown.endswith("\n")


def show_answer(model: ChatModel, messages: Sequence[Message], printer: Printer, *, streamed: bool) -> Response:
    """Asks and writes the answer as text; notes on standard error what the text does not tell."""
    response = _streamed(model, messages, printer) if streamed else _whole(model, messages, printer)
    if not printer.text and response.refusal:
        printer.write(response.refusal)
    printer.end()
    _note_what_text_hides(response, nothing_shown=not printer.text)
    return response


def _streamed(model: ChatModel, messages: Sequence[Message], printer: Printer) -> Response:
    try:
        with model.stream(messages) as stream:
            for chunk in stream:
                printer.write(chunk.delta, chunk.reasoning_delta)
        return stream.response
    except BaseException:
        printer.end()  # what is said next begins on a line of its own
        raise


def _whole(model: ChatModel, messages: Sequence[Message], printer: Printer) -> Response:
    response = model.chat(messages)
    printer.write(response.content, response.reasoning)
    return response


_ENDINGS = {
    "length": "the answer was cut off at its largest length; --max-tokens sets another",
    "content_filter": "the provider's filter ended the answer",
    "refusal": "the model declined",
    "paused": "the provider paused the answer; it is not complete",
    "error": "the provider ended the answer with an error",
}


def _note_what_text_hides(response: Response, *, nothing_shown: bool) -> None:
    for adaptation in response.adaptations:
        if adaptation.action != "defaulted":  # nothing that was asked for has changed
            note(f"{adaptation.path} was {adaptation.action}: {adaptation.reason}")
    ending = _ENDINGS.get(response.finish_reason or "")
    if ending:
        note(ending)
    elif nothing_shown:
        note("the answer holds no text")


def document(response: Response) -> str:
    """The answer as one line of JSON."""
    cost = response.cost
    told: dict[str, Any] = {
        "content": response.content,
        "reasoning": response.reasoning or None,
        "refusal": response.refusal,
        "tool_calls": response.tool_calls,
        "finish_reason": response.finish_reason,
        "model": response.model,
        "provider": response.provider,
        "dialect": response.dialect,
        "usage": response.usage,
        "cost": cost and {"amount": cost.amount, "currency": cost.currency, "basis": cost.basis},
        "adaptations": response.adaptations,
        "attempts": response.attempts,
        "id": response.id,
        "request_id": response.request_id,
    }
    return msgspec.json.encode(told).decode()
