"""Programs that tests drive and that pip does not bring. Absent, they skip a test; in CI they fail it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def in_ci() -> bool:
    """Tell whether a missing program is a failure: CI=true."""
    return os.environ.get("CI") == "true"


def skip_or_fail(reason: str) -> None:
    """Skip the running test with `reason`, or fail it in CI."""
    if in_ci():
        pytest.fail(f"{reason} (CI=true: this may not be skipped)", pytrace=False)
    pytest.skip(reason)


def required_program(name: str, package: str | None = None) -> Path:
    """Return the path of program `name`; where it is missing, skip (in CI: fail), naming its Debian `package`.

    Directories of system programs are searched too: nginx stands in one that users rarely have on PATH.
    """
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        skip_or_fail(f"{name} is not installed: apt-get install {package or name}")
    assert found is not None
    return Path(found)
