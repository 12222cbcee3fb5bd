"""Small pieces that many tests of the transport need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from dragoman.transport import HttpRequest, Timeout

PATIENT = Timeout(connect=10, first_byte=10, idle=10, total=20)
DEADLINE_SECONDS = 10.0


def get(url: str, *, timeout: Timeout = PATIENT, headers: tuple[tuple[str, str], ...] = ()) -> HttpRequest:
    return HttpRequest("GET", url, headers, b"", timeout)


def post(url: str, body: bytes, *, timeout: Timeout = PATIENT) -> HttpRequest:
    return HttpRequest("POST", url, (("content-type", "application/json"),), body, timeout)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine, and fail where it leaves a task behind or the loop had something to complain about."""
    complaints: list[dict[str, Any]] = []

    async def watched() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        await main()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left behind: {left}"

    asyncio.run(watched())
    assert not complaints, complaints


async def until(condition: Callable[[], bool], what: str) -> None:
    """Return once `condition` holds; raise TimeoutError naming `what` if it does not come to hold."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition():  # noqa: ASYNC110  # another thread or the kernel makes it true, and sets no event
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise TimeoutError(f"{what}: not within {DEADLINE_SECONDS} s") from None
