"""Drive a transport through an exchange and tell how it ended, in the terms of `scenarios.Ending`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import TransportError
from tests.transport.scenarios import Ending

if TYPE_CHECKING:
    from dragoman.transport import HttpRequest, Transport


async def send(transport: Transport, request: HttpRequest) -> Ending:
    try:
        response = await transport.send(request)
    except TransportError as error:
        return failed(error)
    return Ending(status=response.status, body=response.body)


async def stream(transport: Transport, request: HttpRequest) -> Ending:
    try:
        answer = await transport.stream(request)
        try:
            body = b"".join([piece async for piece in answer])
        finally:
            await answer.aclose()
    except TransportError as error:
        return failed(error)
    return Ending(status=answer.status, body=body)


def failed(error: TransportError) -> Ending:
    return Ending(status=0, error=type(error), phase=error.phase, sent=error.sent)


def agrees(seen: Ending, wanted: Ending) -> bool:
    """Whether an ending is the wanted one, in all that the wanted one tells."""
    return (
        seen.status == wanted.status
        and seen.body == wanted.body
        and (seen.error is None if wanted.error is None else issubclass(seen.error or object, wanted.error))
        and wanted.phase in (None, seen.phase)
        and wanted.sent in (None, seen.sent)
    )
