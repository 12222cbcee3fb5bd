"""Programs that pip does not bring, and free ports for those that cannot say which one they took."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.servers.process import ROOT, answers_ok, free_port, running, wait_until

__all__ = ["ROOT", "Missing", "answers_ok", "free_port", "program", "running", "wait_until"]


class Missing(Exception):
    """Something that a comparison needs is not installed; the text says what, and how to install it."""


def program(name: str, package: str | None = None) -> Path:
    """The path of a program. Raises `Missing` naming the Debian package. nginx stands where users rarely look."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise Missing(f"{name} is not installed: apt-get install {package or name}")
    return Path(found)
