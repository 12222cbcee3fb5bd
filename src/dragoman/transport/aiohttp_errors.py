"""aiohttp's errors told as ours. Imported only where aiohttp is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp import http_exceptions

from dragoman.errors import ConnectFailed, ConnectionLost, ProtocolViolation, TimedOut, TransportError

if TYPE_CHECKING:
    from dragoman.errors import Sent
    from dragoman.transport.seam import Timeout
    from dragoman.transport.target import Origin

__all__ = ["MAPPED", "translate"]


MAPPED: Final = (aiohttp.ClientError, TimeoutError, OSError, ValueError)


def translate(error: Exception, origin: Origin, timeout: Timeout, *, sent: Sent, head: bool) -> TransportError:
    """One of `MAPPED` as ours; `head` says that no byte of a body has come yet."""
    return (
        _translate_silence(error, origin, timeout, sent, head=head)
        or _translate_connecting(error, origin)
        or _translate_answer(error, origin, sent)
    )


def _translate_silence(
    error: Exception, origin: Origin, timeout: Timeout, sent: Sent, *, head: bool
) -> TransportError | None:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TimedOut(f"No connection to {origin} within the limit of time.", phase="connect", sent="no")
    if isinstance(error, aiohttp.SocketTimeoutError):
        if head:
            text = f"{origin} had not begun to answer after {timeout.first_byte:g} s."
            return TimedOut(text, phase="first_byte", sent=sent)
        return TimedOut(f"{origin} was silent in mid-answer for {timeout.idle:g} s.", phase="idle", sent=sent)
    if isinstance(error, TimeoutError):
        return TimedOut(f"The exchange with {origin} was not over in time.", phase="total", sent=sent)
    return None


def _translate_connecting(error: Exception, origin: Origin) -> TransportError | None:
    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError):
        return ConnectFailed(f"The proxy opened no tunnel to {origin}: {error}.", phase="proxy")
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return ConnectFailed(f"No TLS with {origin}: {error}.", phase="tls")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return ConnectFailed(f"The name {origin.host!r} cannot be resolved: {error}.", phase="name")
    if isinstance(error, aiohttp.ClientConnectorError):
        return ConnectFailed(f"No connection to {origin}: {error}.")
    return None


def _translate_answer(error: Exception, origin: Origin, sent: Sent) -> TransportError:
    if isinstance(error, aiohttp.ClientPayloadError):
        # Where a body is wrong in itself, and not merely cut, the cause tells. A chunked body that is cut raises
        # TransferEncodingError too, for want of its last chunk.
        cause = error.__cause__
        wrong = isinstance(cause, http_exceptions.ContentEncodingError | http_exceptions.TransferEncodingError)
        if wrong and "Not enough data" not in str(cause):
            return ProtocolViolation(f"The answer's body is not valid: {error}.")
        return ConnectionLost(f"The connection to {origin} ended before the answer was complete: {error}.", sent="yes")
    if isinstance(error, aiohttp.ClientResponseError):
        return ProtocolViolation(f"The answer is not valid HTTP: {error.message}.")
    return ConnectionLost(f"The connection to {origin} ended before the answer was complete: {error}.", sent=sent)
