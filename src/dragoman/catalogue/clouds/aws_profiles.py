"""AWS profiles: the shared `credentials` and `config` files, read as the vendor's tools do.

Source: "Configuration and credential file settings", docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.catalogue.clouds.places import home_of
from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ProfileFiles"]


class ProfileFiles:
    """The two files as the environment places them. Every look reads them anew: other programs write them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        home = home_of(environ)
        self._home = home
        self.folder = home / ".aws" if home is not None else None
        self.credentials = self._file(environ.get("AWS_SHARED_CREDENTIALS_FILE"), "credentials")
        self.config = self._file(environ.get("AWS_CONFIG_FILE"), "config")

    def profile(self, name: str) -> dict[str, str]:
        """A profile's settings; what `credentials` says comes before what `config` says. Empty if there is none."""
        config = self._configured()
        settings = dict(config.get(f"profile {name}") or (config.get(name, {}) if name == "default" else {}))
        return settings | _sections(self.credentials).get(name, {})

    def session(self, name: str) -> dict[str, str]:
        """The settings of an `sso-session`."""
        return dict(self._configured().get(f"sso-session {name}", {}))

    def shown(self) -> str:
        """The files' names, for messages."""
        return " and ".join(str(file) for file in (self.credentials, self.config) if file is not None)

    def path(self, text: str) -> Path:
        """A path in a file or variable; `~` is the user's folder."""
        if text.startswith("~/") and self._home is not None:
            return self._home / text[2:]
        return Path(text)

    def _configured(self) -> dict[str, dict[str, str]]:
        return {_unquoted(name): settings for name, settings in _sections(self.config).items()}

    def _file(self, given: str | None, name: str) -> Path | None:
        if given:
            return self.path(given)
        return self.folder / name if self.folder is not None else None


def _sections(file: Path | None) -> dict[str, dict[str, str]]:
    if file is None:
        return {}
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {type(error).__name__}.") from None
    from configparser import Error, RawConfigParser

    parser = RawConfigParser(default_section="\0", strict=False)  # a section called DEFAULT is a profile like others
    try:
        parser.read_string(text)
    except Error as error:
        # The parser's own message quotes the line, which may hold a secret.
        line = getattr(error, "lineno", None)
        where = f" (line {line})" if isinstance(line, int) else ""
        raise ConfigError(f"{file} is not a file of AWS profiles{where}.") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _unquoted(section: str) -> str:
    """A section's name in `config`, whose words are written as a shell's: `profile "two words"`."""
    import shlex

    try:
        return " ".join(shlex.split(section))
    except ValueError:
        return section
