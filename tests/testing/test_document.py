"""docs/testing.md: every block of Python on it is run, as tests, where nothing but this machine can be reached."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import dragoman.testing
from dragoman.testing import faults
from dragoman.testing.conformance import CHECKS

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_every_block_runs(tmp_path: Path) -> None:
    assert len(BLOCKS) >= 8
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    for number, block in enumerate(BLOCKS):
        (tmp_path / f"test_block_{number}.py").write_text(block, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    functions = sum(block.count("\ndef test_") for block in BLOCKS)
    passed, skipped = (int(number) for number in re.findall(r"(\d+) (?:passed|skipped)", done.stdout)[:2])
    assert passed + skipped == functions - 1 + len(CHECKS)


def test_every_public_name_is_told_of() -> None:
    told = set(re.findall(r"\w+", TEXT))
    missing = [name for name in dragoman.testing.__all__ if name not in told]
    assert missing == ["Fault", "MockModel", "Passage", "Reply", "Seen"]  # the types of what is told of
    assert set(faults.__all__) - {"Fault"} <= told
