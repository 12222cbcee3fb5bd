"""Files that hold credentials: where they are, and reading them without showing what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["file_stamp", "home_of", "read_file"]


def home_of(environ: Mapping[str, str]) -> Path | None:
    """The user's folder, as the environment says; None if it does not."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) if home else None


def file_stamp(file: Path | None) -> object:
    """Something that changes when the file does."""
    try:
        return None if file is None else (str(file), file.stat().st_mtime_ns)
    except OSError:
        return str(file)


def read_file(file: Path, what: str) -> str:
    """A small file's text. Raises `ConfigError` naming it, never its content."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{what}: {file} cannot be read ({type(error).__name__}).") from None
