"""A request that is relayed: its members, and the HTTP request that carries them to one deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from dragoman.engine.relay.body import Members, write_members
from dragoman.engine.relay.edits import EDITS, IDLE, AnswerEdit, with_usage_asked
from dragoman.engine.translate import gives_embeddings_alone
from dragoman.errors import InvalidRequest
from dragoman.transport.seam import HttpRequest

if TYPE_CHECKING:
    from dragoman.engine.deployment import Deployment
    from dragoman.transport import Timeout

__all__ = ["RelayRequest", "Relayable", "relay_http"]


_JSON: Final = ("content-type", "application/json")
_FORM: Final = {False: (_JSON, ("accept", "application/json")), True: (_JSON, ("accept", "text/event-stream"))}
_OWN: Final = {
    dialect: {stream: form + edits.headers for stream, form in _FORM.items()} for dialect, edits in EDITS.items()
}


class Relayable(Protocol):
    """What a client asked, unread but for its members.

    `model` is the name that the client gave, `headers` are those of its headers that the dialect's table forwards.
    """

    @property
    def dialect(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def body(self) -> bytes: ...

    @property
    def members(self) -> Members: ...

    @property
    def stream(self) -> bool: ...

    @property
    def headers(self) -> tuple[tuple[str, str], ...]: ...


class RelayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A `Relayable` that is nothing else."""

    dialect: str
    model: str
    body: bytes
    members: Members
    stream: bool = False
    headers: tuple[tuple[str, str], ...] = ()


def relay_http(deployment: Deployment, asked: Relayable, timeout: Timeout | None) -> tuple[HttpRequest, AnswerEdit]:
    """The HTTP request for this deployment, and the edits that its answer takes. Raises `ConfigError` as `to_http`."""
    edits = EDITS[asked.dialect]
    access = deployment.access
    if access.row.embeddings_only:
        raise gives_embeddings_alone(access.provider)
    upstream = access.target.model
    members: dict[str, Any] = asked.members  # pyright: ignore[reportAssignmentType]  # raw values stay raw
    body: bytes | None = asked.body
    renamed = upstream != asked.model
    hide_usage = False
    if edits.model_member is not None and renamed:
        members, body = {**members, edits.model_member: upstream}, None
    if asked.stream and edits.usage_option is not None and access.target.quirks.chat.stream_usage:
        changed = dict(members)
        if with_usage_asked(changed, edits.usage_option):
            members, body, hide_usage = changed, None, True
    if access.body_members:
        more = {name: value for name, value in access.body_members.items() if name not in members}
        if more:
            members, body = {**members, **more}, None
    path = edits.stream_path if asked.stream else edits.path
    if edits.model_member is None:
        path = path.replace("{model}", _model_path(upstream))
    # Address rules look at `stream`, which is raw here.
    given = {**members, "stream": True} if asked.stream and "stream" in members else members
    url, placed = access.place(path, given)
    if placed is not given:
        members, body = dict(placed), None
    if asked.headers:
        headers = (*access.headers(), *_FORM[asked.stream], *_sent(edits.headers, asked.headers))
    else:
        headers = access.headers_and(_OWN[asked.dialect][asked.stream])
    if body is None:
        try:
            body = write_members(members)
        except (TypeError, ValueError) as error:
            raise InvalidRequest(f"the request cannot be written as JSON: {error}") from None
    edit = AnswerEdit(edits, asked.model if renamed else None, hide_usage=hide_usage) if renamed or hide_usage else IDLE
    return HttpRequest("POST", url, headers, body, timeout or deployment.timeout), edit


def _sent(own: tuple[tuple[str, str], ...], forwarded: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The dialect's own headers, where the client did not give them itself."""
    if not forwarded:
        return own
    given = {name for name, _ in forwarded}
    return (*(pair for pair in own if pair[0] not in given), *forwarded)


def _model_path(model: str) -> str:
    from dragoman.dialects.gemini.paths import path_of

    return path_of(model, "")[:-1]
