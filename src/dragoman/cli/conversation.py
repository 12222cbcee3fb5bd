"""A conversation at the terminal: one line asks, the answer streams, and all of it is context for what follows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dragoman.cli.notices import complain, complain_of, note
from dragoman.cli.printing import Printer, show_answer
from dragoman.errors import DragomanError
from dragoman.values import Message, MessageRole, assistant, system, user

if TYPE_CHECKING:
    from dragoman.face.model import ChatModel

__all__ = ["Conversation"]

PROMPT = "> "


class Conversation:
    """Reads lines and answers them until `/exit` or the end of input.

    Ctrl-C cancels the answer at hand: what was shown of it stays in the conversation. A call that fails is told, and
    its question is taken out again unless part of an answer was shown.
    """

    def __init__(self, model: ChatModel, instruction: str | None, *, streamed: bool) -> None:
        self._model = model
        self._streamed = streamed
        self._messages: list[Message] = [system(instruction)] if instruction else []
        self._printer = Printer()
        self._open = True

    def run(self) -> None:
        """Returns when the user has ended the conversation."""
        _load_line_editing()
        note(f"{self._model.model_id}: Ctrl-C cancels an answer; /exit or Ctrl-D ends the conversation")
        while self._open:
            try:
                self._turn()
            except KeyboardInterrupt:
                self._interrupted()
            except DragomanError as error:
                self._keep_what_was_shown()
                complain_of(error)

    def _turn(self) -> None:
        line = _read_line()
        if line is None or line.strip() == "/exit":
            self._open = False
            return
        if not line.strip():
            return
        self._printer = Printer()
        self._messages.append(user(line))
        response = show_answer(self._model, self._messages, self._printer, streamed=self._streamed)
        if response.message.parts:
            self._messages.append(response.message)

    def _interrupted(self) -> None:
        sys.stderr.write("\n")
        if self._is_unanswered():
            self._keep_what_was_shown()
            note("cancelled")
        else:
            note("/exit or Ctrl-D ends the conversation")

    def _is_unanswered(self) -> bool:
        return bool(self._messages) and self._messages[-1].role is MessageRole.USER

    def _keep_what_was_shown(self) -> None:
        if not self._is_unanswered():
            return
        if self._printer.text:
            self._messages.append(assistant(self._printer.text))
        else:
            self._messages.pop()


def _load_line_editing() -> None:
    try:
        import readline  # noqa: F401  # pyright: ignore[reportUnusedImport] - `input` edits lines once it is loaded
    except ImportError:  # Windows has its own
        pass


def _read_line() -> str | None:
    """The next line; None at the end of input."""
    try:
        if sys.stdout.isatty():
            return input(PROMPT)
        sys.stderr.write(PROMPT)
        sys.stderr.flush()
        return input()
    except EOFError:
        sys.stderr.write("\n")
        return None
    except UnicodeDecodeError:
        complain("this line is not UTF-8 text; write it again")
        return ""
