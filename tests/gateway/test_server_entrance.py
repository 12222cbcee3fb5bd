"""Hundreds of requests at once begin a few at a time, in order, and whoever is being answered has turns between."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from dragoman.gateway.server.entrance import Entrance
from tests.gateway.serving import JSON, running, serving, until


class _Connection:
    """Notes in which turn of the loop each call begins."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.turn = 0
        self.begun: list[tuple[int, int]] = []

    def enter(self, call: int) -> None:
        self.begun.append((self.turn, call))


def test_few_begin_in_a_turn_and_all_begin_in_order() -> None:
    async def test() -> None:
        entrance, connection = Entrance(), _Connection()
        for call in range(100):
            entrance.enter(cast("Any", connection), cast("Any", call))
        assert 0 < len(connection.begun) < 20
        while len(connection.begun) < 100:
            before = len(connection.begun)
            connection.turn += 1
            await asyncio.sleep(0)
            assert before < len(connection.begun) < before + 20
        assert [call for _, call in connection.begun] == list(range(100))
        for _ in range(3):
            await asyncio.sleep(0)
        entrance.enter(cast("Any", connection), cast("Any", 100))
        assert connection.begun[-1][1] == 100  # nobody waits: at once

    asyncio.run(test())


def test_one_who_comes_while_others_wait_does_not_overtake_them() -> None:
    async def test() -> None:
        entrance, connection = Entrance(), _Connection()
        for call in range(30):
            entrance.enter(cast("Any", connection), cast("Any", call))
        await asyncio.sleep(0)
        for call in range(30, 60):
            entrance.enter(cast("Any", connection), cast("Any", call))
        await until(lambda: len(connection.begun) == 60, "all have begun")
        assert [call for _, call in connection.begun] == list(range(60))

    asyncio.run(test())


def test_a_crowd_is_answered_whole() -> None:
    async def test() -> None:
        async with serving() as server:
            clients = [await server.connect() for _ in range(60)]
            for place, client in enumerate(clients):
                body = b"%d" % place
                await client.send(b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            for place, client in enumerate(clients):
                status, headers, body = await client.answer()
                assert (status, headers["content-type"], body) == (200, JSON[1].decode(), b"%d" % place)

    running(test)
