"""Interpolation: `${NAME}`, `${NAME:-default}` and `${file:path}` inside texts; `$${` stands for `${` itself."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Included", "Interpolation", "read_included", "refers"]

MOST_FILE_BYTES: Final = 64 * 1024
"""A file that is referred to holds a key, a password or a chain of certificates, never more."""

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{(?P<body>[^{}]*)\}|\$\{")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Included(NamedTuple):
    """A file that the configuration refers to, and the digest of what it held."""

    path: Path
    digest: bytes


def refers(text: str) -> bool:
    """Whether a text holds a reference, so that what it stands for must not be shown."""
    return "${" in text


def read_included(path: Path) -> bytes:
    """A file's bytes, bounded. Raises `OSError`, or `ValueError` for one that is too large."""
    with path.open("rb") as file:
        data = file.read(MOST_FILE_BYTES + 1)
    if len(data) > MOST_FILE_BYTES:
        raise ValueError(f"it is larger than {MOST_FILE_BYTES // 1024} KiB")
    return data


class Interpolation:
    """Fills references. `folder` is where relative paths begin; `included` collects the files that were read."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self.included: list[Included] = []

    def fill(self, text: str, complain: Callable[[str], None]) -> str | None:
        """The text with every reference filled; None where one could not be, after complaining of each."""
        if "${" not in text:
            return text
        pieces: list[str] = []
        failed = False
        end = 0
        for found in _REFERENCE.finditer(text):
            pieces.append(text[end : found.start()])
            end = found.end()
            if found[0] == "$${":
                pieces.append("${")
                continue
            body = found["body"]
            filled = None
            if body is None:
                complain("a '${' is not closed; write '$${' for the two characters themselves")
            else:
                filled = self._reference(body, complain)
            if filled is None:
                failed = True
            else:
                pieces.append(filled)
        return None if failed else "".join([*pieces, text[end:]])

    def _reference(self, body: str, complain: Callable[[str], None]) -> str | None:
        if body.startswith("file:"):
            return self._file(body.removeprefix("file:"), complain)
        name, mark, default = body.partition(":-")
        if not _NAME.fullmatch(name):
            complain(f"'${{{name}}}' is no reference: write ${{NAME}}, ${{NAME:-default}} or ${{file:path}}")
            return None
        value = self._environ.get(name, "")
        if value:
            return value
        if mark:
            return default
        state = "is empty" if name in self._environ else "is not set"
        complain(f"the environment variable {name} {state}; set it, or write ${{{name}:-default}}")
        return None

    def _file(self, written: str, complain: Callable[[str], None]) -> str | None:
        if not written:
            complain("'${file:}' names no file")
            return None
        path = self._folder / written
        try:
            data = read_included(path)
            text = data.decode("utf-8")
        except OSError as error:
            complain(f"the file {written!r} cannot be read: {error.strerror or error}")
        except UnicodeDecodeError:
            complain(f"the file {written!r} is not UTF-8 text")
        except ValueError as error:
            complain(f"the file {written!r} cannot be used: {error}")
        else:
            self.included.append(Included(path, sha256(data).digest()))
            # Editors and `echo` end a file with a line break that is no part of the secret.
            filled = text.rstrip("\r\n")
            if filled:
                return filled
            complain(f"the file {written!r} is empty")
        return None
