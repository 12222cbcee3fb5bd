"""Writes that are held until the turn of the loop is over: in order, bounded, and lost only with their connection."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from dragoman.transport.gathering import Outbox


class _Wire(asyncio.Transport):
    """What was written, in a log that several share."""

    def __init__(self, name: str, log: list[tuple[str, bytes]], error: Exception | None = None) -> None:
        super().__init__()
        self.name, self.log, self.error = name, log, error
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self.error is not None:
            raise self.error
        self.log.append((self.name, bytes(data)))

    def is_closing(self) -> bool:
        return self.ended

    def abort(self) -> None:
        self.ended = True


class _Turn:
    """An outbox in a running loop, and wires that share its log."""

    def __init__(self) -> None:
        self.log: list[tuple[str, bytes]] = []
        self.outbox = Outbox(asyncio.get_running_loop())

    def wire(self, name: str, error: Exception | None = None) -> _Wire:
        return _Wire(name, self.log, error)


def test_the_first_word_of_a_turn_goes_out_at_once_and_the_rest_at_its_end_in_order() -> None:
    async def test() -> None:
        turn = _Turn()
        a, b = turn.wire("a"), turn.wire("b")
        for wire, data in ((a, b"1"), (b, b"2"), (a, b"3")):
            turn.outbox.put(wire, data)
        assert turn.log == [("a", b"1")]
        await asyncio.sleep(0)
        assert turn.log == [("a", b"1"), ("b", b"2"), ("a", b"3")]

    asyncio.run(test())


def test_the_next_turn_is_written_too() -> None:
    async def test() -> None:
        turn = _Turn()
        for first, second in ((b"1", b"2"), (b"3", b"4")):
            turn.outbox.put(turn.wire("a"), first)
            turn.outbox.put(turn.wire("a"), second)
            await asyncio.sleep(0)
        assert turn.log == [("a", b"1"), ("a", b"2"), ("a", b"3"), ("a", b"4")]

    asyncio.run(test())


def test_enough_of_them_are_written_at_once() -> None:
    async def test() -> None:
        turn = _Turn()
        for place in range(20):
            turn.outbox.put(turn.wire(str(place)), b"x")
        written = len(turn.log)
        assert 20 - 8 < written <= 20  # fewer than eight are held
        await asyncio.sleep(0)
        assert [name for name, _ in turn.log] == [str(place) for place in range(20)]

    asyncio.run(test())


def test_small_pieces_for_one_connection_go_in_one_write_and_large_ones_are_not_heaped_up() -> None:
    async def test() -> None:
        turn = _Turn()
        wire = turn.wire("a")
        for data in (b"first", b"head", b"piece", b"end"):
            turn.outbox.put(wire, data)
        turn.outbox.flush()
        assert turn.log == [("a", b"first"), ("a", b"headpieceend")]
        turn.log.clear()
        for _ in range(100):
            turn.outbox.put(wire, bytes(64 * 1024))
        assert len(turn.log) > 90  # of one who never lets the loop turn, no more than a few are held
        turn.outbox.flush()
        assert sum(len(data) for _, data in turn.log) == 100 * 64 * 1024

    asyncio.run(test())


def test_what_is_held_for_a_connection_that_was_aborted_is_dropped() -> None:
    async def test() -> None:
        turn = _Turn()
        gone, there = turn.wire("gone"), turn.wire("there")
        turn.outbox.put(turn.wire("first"), b"")
        turn.outbox.put(gone, b"1")
        turn.outbox.put(there, b"2")
        gone.abort()
        await asyncio.sleep(0)
        assert turn.log == [("first", b""), ("there", b"2")]

    asyncio.run(test())


def test_a_connection_that_cannot_be_written_to_keeps_nobody_from_their_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        turn = _Turn()
        broken, there = turn.wire("broken", RuntimeError("no writing after its end")), turn.wire("there")
        turn.outbox.put(turn.wire("first"), b"")
        turn.outbox.put(broken, b"1")
        turn.outbox.put(there, b"2")
        with caplog.at_level(logging.ERROR, "dragoman.transport"):
            turn.outbox.flush()
        assert turn.log == [("first", b""), ("there", b"2")]
        assert broken.ended
        assert "could not be written to" in caplog.text

    asyncio.run(test())
