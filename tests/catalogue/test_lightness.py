"""Importing the catalogue and resolving a built-in name load nothing that is slow to import."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import dragoman.catalogue
dragoman.catalogue.resolve("openai", model="gpt-4o", environ={"OPENAI_API_KEY": "k"})
print(" ".join(sys.modules))
"""
HEAVY = {
    "asyncio",
    "difflib",
    "email",
    "hmac",
    "http.client",
    "httptools",
    "importlib.metadata",
    "ipaddress",
    "json",
    "logging",
    "socket",
    "ssl",
    "urllib.parse",
    "urllib.request",
}


def test_nothing_heavy_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "dragoman.catalogue" in loaded
    assert not HEAVY & loaded
