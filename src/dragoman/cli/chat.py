"""`dragoman chat`: one answer to a prompt, or a conversation where none is given."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dragoman.cli.notices import explained
from dragoman.errors import InvalidRequest

if TYPE_CHECKING:
    from dragoman.face.model import ChatModel

__all__ = ["OutputForm", "chat"]

STANDARD_INPUT = "-"


class OutputForm(StrEnum):
    """What standard output holds."""

    TEXT = "text"
    JSON = "json"


def chat(
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="PROVIDER/MODEL", help="The model to ask, such as openai/gpt-4o.")
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROMPT",
            help="What to ask. A word '-' stands for standard input. Without words the prompt is read from standard "
            "input, or a conversation begins if that is a terminal.",
            show_default=False,
        ),
    ] = None,
    system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Instruction that stands before the conversation.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Address of the API, with or without its version.")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="API key, or 'none' to send none. Others on this machine can see it: prefer the variable.",
        ),
    ] = None,
    dialect: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Protocol to speak, where the provider has several, such as anthropic."),
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Largest length of the answer, in tokens.", min=1)
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(metavar="X", help="Randomness of the answer; 0 is the least.")
    ] = None,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Ask for the whole answer at once.")] = False,
    output: Annotated[
        OutputForm, typer.Option(help="'json' writes one JSON document: content, usage, cost, attempts ...")
    ] = OutputForm.TEXT,
) -> None:
    """Ask a model; without a prompt, have a conversation.

    dragoman chat -m openai/gpt-4o "What is a dragoman?"

    git diff | dragoman chat -m openai/gpt-4o "Review:" -
    """
    with explained():
        _check_text(system or "", "--system")
        prompt = _prompt(words or [])
        if prompt is None and output is OutputForm.JSON:
            raise InvalidRequest("--output json needs a prompt: as words, or on standard input")
        given = {"api_key": api_key, "base_url": base_url, "dialect": dialect}
        chosen = _model(model, given, max_tokens=max_tokens, temperature=temperature)
        if prompt is None:
            from dragoman.cli.conversation import Conversation

            Conversation(chosen, system, streamed=not no_stream).run()
        else:
            _answer(chosen, prompt, system, output, streamed=not no_stream)


def _model(name: str, given: dict[str, str | None], **options: Any) -> ChatModel:
    from dragoman.face.registry import get_model

    return get_model(name, **{key: value for key, value in given.items() if value is not None}).with_options(**options)


def _answer(model: ChatModel, prompt: str, instruction: str | None, output: OutputForm, *, streamed: bool) -> None:
    from dragoman.cli.printing import Printer, document, show_answer
    from dragoman.values import system, user

    messages = [*([system(instruction)] if instruction else []), user(prompt)]
    if output is OutputForm.JSON:
        sys.stdout.write(document(model.chat(messages)) + "\n")
    else:
        show_answer(model, messages, Printer(), streamed=streamed)


def _prompt(words: list[str]) -> str | None:
    """The prompt, or None where a person sits at the terminal to write it."""
    if not words and sys.stdin.isatty():
        return None
    text = _with_input(words) if words else _standard_input()
    _check_text(text, "the prompt")
    if not text.strip():
        raise InvalidRequest("the prompt is empty: give it as words, or on standard input")
    return text


def _with_input(words: list[str]) -> str:
    """The words joined by spaces; standard input, where a word asks for it, stands apart from them."""
    if STANDARD_INPUT not in words:
        return " ".join(words)
    place = words.index(STANDARD_INPUT)
    pieces = (" ".join(words[:place]), _standard_input(), " ".join(words[place + 1 :]))
    return "\n\n".join(piece for piece in pieces if piece)


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"standard input is not UTF-8 text (byte {error.start}): convert it first") from None


def _check_text(text: str, what: str) -> None:
    # Bytes of the command line that are not UTF-8 arrive as lone surrogates, which no provider can be sent.
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"{what} is not UTF-8 text") from None
