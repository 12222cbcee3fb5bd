"""Where workers listen: on one port together, which nobody else has, or will not have in a moment."""

from __future__ import annotations

import socket
import time
from contextlib import closing

import pytest

from dragoman.errors import ConfigError
from dragoman.gateway.workers import listening


def _listening() -> socket.socket:
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.listen()
    return held


def test_a_port_that_is_given_up_in_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _listening()

    def closing_meanwhile(_seconds: float) -> None:
        before.close()

    monkeypatch.setattr(time, "sleep", closing_meanwhile)
    sockets = listening.bind_for_workers("127.0.0.1", before.getsockname()[1], 2)
    assert before.fileno() == -1
    for each in sockets:
        each.close()


def test_a_port_that_is_kept_is_no_place_to_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    now = time.monotonic()
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: now + sum(slept))
    with closing(_listening()) as held, pytest.raises(ConfigError, match="Another program listens there"):
        listening.bind_for_workers("127.0.0.1", held.getsockname()[1], 2)
    assert sum(slept) == pytest.approx(listening.PATIENCE_SECONDS, abs=listening.AGAIN_SECONDS)
