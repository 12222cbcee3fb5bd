"""One attempt that relays a whole answer: the bytes pass, a reading of them is metered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dragoman.dialects import load
from dragoman.dialects.reading import parse
from dragoman.engine.attempt import taken, told
from dragoman.engine.relay.request import relay_http
from dragoman.errors import DragomanError, TransportError

if TYPE_CHECKING:
    from dragoman.engine.deployment import Deployment
    from dragoman.engine.meter import Meter
    from dragoman.engine.relay.request import Relayable
    from dragoman.transport import Timeout
    from dragoman.values import Response

__all__ = ["Relayed", "relay"]


class Relayed(msgspec.Struct, frozen=True):
    """The bytes for the client, and what they say: usage, cost and names always, the content not."""

    body: bytes
    response: Response


async def relay(deployment: Deployment, asked: Relayable, meter: Meter, *, timeout: Timeout | None = None) -> Relayed:
    """Asks once. Raises a `DragomanError`, for an answer that is none (an error or another shape in a 200) too."""
    http, edit = relay_http(deployment, asked, timeout)
    meter.asked = (None, len(http.body))
    access = deployment.access
    dialect = load(access.dialect)
    # As `exchange`, without another coroutine in the chain that every answer is awaited through.
    try:
        transport = deployment.transport or deployment.open_transport()
        if access.signer is not None:
            http = await access.signer.sign(http, transport)
        answer = await transport.send(http)
    except TransportError as error:
        error.met_at(access.provider)
        raise
    taken(deployment, dialect, answer, meter)
    meter_response = dialect.meter_response
    response = None
    try:
        if meter_response is not None:
            response = meter_response(answer.body, access.target)
        if response is None:
            response = dialect.decode_response(parse(answer.body), deployment.target)
    except DragomanError as error:
        raise told(error, answer, deployment) from None
    body = answer.body if edit.idle else edit.whole(answer.body)
    return Relayed(body, meter.priced(response))
