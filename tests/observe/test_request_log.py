"""The request log: one attempt one line, and a disk that does not keep up keeps nobody waiting."""

from __future__ import annotations

import io
import json
import os
import threading
import time
from pathlib import Path

from dragoman.observe.request_log import AttemptLine, RequestLog
from tests.servers.process import wait_until


def line(number: int = 1) -> AttemptLine:
    return AttemptLine(
        at=1763600000.5,
        request_id=f"req-{number}",
        attempt_id="a",
        outcome="ok",
        route="fast",
        deployment="openai/gpt-4o",
        provider="openai",
        model="gpt-4o",
        dialect_in="anthropic",
        dialect_out="openai-chat",
        mode="translate",
        input_tokens=5,
        cost="0.0025",
        currency="USD",
        basis="computed",
    )


def test_each_attempt_is_one_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text('{"older":true}\n')
    log = RequestLog(path)
    for number in range(3):
        log.write(line(number))
    log.close()
    older, *written = [json.loads(text) for text in path.read_text().splitlines()]
    assert older == {"older": True}
    assert [entry["request_id"] for entry in written] == ["req-0", "req-1", "req-2"]
    assert written[0]["cost"] == "0.0025"
    assert "key" not in written[0]  # what is not known is left out


def test_a_file_that_was_moved_away_is_begun_anew_when_told(tmp_path: Path) -> None:
    path, moved = tmp_path / "requests.jsonl", tmp_path / "requests.1"
    log = RequestLog(path)
    log.write(line(1))
    wait_until(lambda: path.exists() and path.stat().st_size > 0, 5, "the first line")
    path.rename(moved)
    log.reopen()
    log.write(line(2))
    log.close()
    assert "req-1" in moved.read_text()
    assert "req-2" in path.read_text()


def test_a_pipe_that_nobody_reads_keeps_nobody_waiting_and_drops_are_counted() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "wb", buffering=0) as stream:
        log = RequestLog(stream, most_lines=100)
        started = time.monotonic()
        for number in range(20_000):
            log.write(line(number))
            if number % 100 == 0:
                os.sched_yield()
        assert time.monotonic() - started < 5
        assert log.dropped > 0
        read: list[bytes] = []

        def drain() -> None:
            read.extend(reader)

        draining = threading.Thread(target=drain)
        draining.start()
        log.close()
        stream.close()
        draining.join(5)
        assert len(read) + log.dropped == 20_000
        assert all(json.loads(text)["outcome"] == "ok" for text in read)


def test_a_log_that_cannot_be_written_drops_and_counts(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "missing" / "requests.jsonl")
    log.write(line())
    log.close()
    assert log.dropped == 1
    closed = io.BytesIO()
    closed.close()
    log = RequestLog(closed)
    log.write(line())
    log.close()
    assert log.dropped == 1
