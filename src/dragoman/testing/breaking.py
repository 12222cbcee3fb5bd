"""How an answer is broken off: faults in the midst of it, as fakes and the fault proxy commit them alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, assert_never

from dragoman.testing.faults import Cut, ErrorInStream, Malformed, Reset, Stall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dragoman.errors import DragomanError
    from dragoman.testing.faults import Fault
    from dragoman.testing.http_server import Connection

__all__ = ["Breaking", "Broken", "break_stream", "break_whole", "events_before"]

LONGEST_STALL_SECONDS = 60.0
_NO_JSON = {"text/event-stream": b"data: {this is no JSON\n\n", "application/x-ndjson": b"{this is no JSON\n"}

Breaking = Cut | ErrorInStream | Malformed | Reset | Stall
"""The faults that are committed in the midst of a stream."""

Broken = Literal["cut", "left"]
"""How a broken answer ended: by the fault, or because the caller had gone."""


def events_before(fault: Fault | None) -> int | None:
    """The events of a stream that go out before the fault; None for a fault that is not committed in its midst."""
    return fault.after if isinstance(fault, (Cut, ErrorInStream, Malformed, Reset, Stall)) else None


async def break_stream(
    fault: Breaking, connection: Connection, content_type: str, fail: Callable[[DragomanError], bytes]
) -> Broken:
    """Breaks a stream off where it stands; `fail` writes an error as its dialect does."""
    match fault:
        case Cut(clean=True):
            await connection.chunk(b"")
        case Cut():
            connection.usable = False
        case Reset():
            connection.reset()
        case Stall():
            return await _stall(connection)
        case Malformed():
            await connection.chunk(_NO_JSON.get(content_type.partition(";")[0], b"\0\0\0\1malformed"))
            await connection.chunk(b"")
        case ErrorInStream():
            await connection.chunk(fail(fault.error))
            await connection.chunk(b"")
        case _:
            assert_never(fault)
    return "cut"


async def break_whole(
    fault: Cut | Reset | Stall, connection: Connection, status: int, headers: Iterable[tuple[str, str]], body: bytes
) -> Broken:
    """Breaks a whole answer off in its middle; one that stalls has not even a head."""
    if isinstance(fault, Stall):
        return await _stall(connection)
    await connection.head(status, headers, length=len(body))
    await connection.raw(body[: len(body) // 2])
    if isinstance(fault, Reset):
        connection.reset()
    connection.usable = False
    return "cut"


async def _stall(connection: Connection) -> Broken:
    await connection.until_left(LONGEST_STALL_SECONDS)
    connection.usable = False
    return "left"
