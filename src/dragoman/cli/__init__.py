"""Command line: `dragoman chat`, `providers`, `models`, `serve`, `config`, `route` and `ledger`.

`app.py` holds the commands, each in a module of its own; that of `chat` is one answer, or a conversation in
`conversation.py`, written by `printing.py`. `notices.py` says on standard error what went wrong and which exit status
that is. Nothing here is loaded before `main` is called, and only `main` works without the extra.
"""

from __future__ import annotations

import sys

__all__ = ["main"]

EXIT_CONFIG = 2
_EXTRA = frozenset({"click", "pydantic", "rich", "typer"})
"""What the extra brings: its two packages, and what they cannot be imported without."""


def main() -> int:
    """Runs the command in `sys.argv` and exits with its status; without the extra, says how to install it."""
    try:
        import rich  # noqa: F401  # pyright: ignore[reportUnusedImport] - absent, it must be noticed here

        from dragoman.cli.app import app
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(
            'dragoman: the command line needs packages that are not installed: pip install "dragoman[cli]"\n'
        )
        return EXIT_CONFIG
    app(prog_name="dragoman")
    return 0
