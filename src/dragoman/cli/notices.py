"""What is said on standard error, and the exit statuses: 2 for settings that cannot work, 1 for calls that failed."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from dragoman.errors import (
    ConfigError,
    ConnectFailed,
    DragomanError,
    InvalidRequest,
    MissingKey,
    MissingModel,
    StreamTruncated,
    TimedOut,
    UnknownProvider,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["EXIT_CALL", "EXIT_CONFIG", "EXIT_INTERRUPTED", "complain", "complain_of", "explained", "harmless", "note"]

EXIT_CALL = 1
EXIT_CONFIG = 2
EXIT_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it

_CONTROLS = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def harmless(text: str) -> str:
    """The text without control characters: what a provider wrote must not command the terminal."""
    return text.translate(_CONTROLS)


def complain(message: str) -> None:
    """Says what went wrong."""
    sys.stderr.write(f"dragoman: {harmless(message)}\n")
    sys.stderr.flush()


# What the errors advise is said in the library's words; this is the same in those of the command line.
_HINTS: tuple[tuple[type[DragomanError], str], ...] = (
    (UnknownProvider, "'dragoman providers' lists the names."),
    (MissingKey, "Here that is --api-key KEY."),
    (MissingModel, "Here that is -m PROVIDER/MODEL."),
    (ConnectFailed, "Here the address is --base-url."),
    (TimedOut, "Try again, or ask for a shorter answer."),
    (StreamTruncated, "What came is not the whole answer: ask again."),
)


def complain_of(error: DragomanError) -> None:
    """Says what went wrong, and what can be done about it here."""
    hint = next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
    complain(f"{error} {hint}".rstrip())


def note(message: str) -> None:
    """Says what is worth knowing about an answer."""
    sys.stderr.write(f"[{harmless(message)}]\n")
    sys.stderr.flush()


@contextmanager
def explained() -> Generator[None]:
    """Makes the library's errors one message and an exit status, and Ctrl-C an exit without a word."""
    try:
        yield
    except DragomanError as error:
        complain_of(error)
        wrong = isinstance(error, (ConfigError, InvalidRequest, Unsupported))
        raise typer.Exit(EXIT_CONFIG if wrong else EXIT_CALL) from None
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
