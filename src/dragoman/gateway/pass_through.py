"""Raw pass-through: `/providers/{name}/{path…}`: files, batches, images, audio, whatever a provider has.

A key needs a grant for the provider, the method and the path. The provider's credential is put in the place of the
client's; nothing else of the client's passes but what `forwarding` lists. Bodies of requests are whole before they are
sent, within `server.max_body_bytes`; answers pass as they come, no faster than they are read. Redirects are not
followed. Objects belong to the key or team that made them: others cannot name them, nor see them in a listing.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.engine import Deployment, Meter
from dragoman.errors import DragomanError, PermissionDenied
from dragoman.gateway.bookkeeping import Bookkeeping
from dragoman.gateway.forwarding import destination, passed_query, request_headers
from dragoman.gateway.holdings import account_of, knows_all, may_have
from dragoman.gateway.ingress import anthropic, gemini, openai_chat, openai_responses
from dragoman.gateway.passing_answers import Passage, exchanged
from dragoman.gateway.pinning import accounts_named, no_such
from dragoman.gateway.provider_objects import Named, named_in_body, named_in_path
from dragoman.gateway.server.app import Route
from dragoman.gateway.server.refusals import Disconnected, RequestRefused
from dragoman.gateway.visits import Visit, refuse_as
from dragoman.ledger.permits import CallScope, Terms
from dragoman.transport.seam import HttpRequest
from dragoman.values import Usage

if TYPE_CHECKING:
    from dragoman.gateway.forwarding import Destination
    from dragoman.gateway.ingress.asked import PublicDialect
    from dragoman.gateway.server.app import App
    from dragoman.gateway.server.call import Call
    from dragoman.gateway.visits import Desk

__all__ = ["add_pass_through", "pass_on"]

PREFIX: Final = "/providers/"
_METHODS: Final = "GET HEAD POST PUT PATCH DELETE"
_PUBLIC: Final = {
    public.name: public for public in (anthropic.PUBLIC, gemini.PUBLIC, openai_chat.PUBLIC, openai_responses.PUBLIC)
}
_parse = msgspec.json.Decoder().decode


def add_pass_through(app: App, desk: Desk) -> None:
    """Adds the paths of providers."""

    async def work(visit: Visit) -> None:
        await _passed(visit)

    async def handle(call: Call) -> None:
        await Visit(desk, call, _public_of(desk, call)).run(work)

    app.add_prefix(_METHODS, PREFIX, Route(handle, json=False, refuse=refuse_as(openai_chat.PUBLIC)))


def _public_of(desk: Desk, call: Call) -> PublicDialect:
    """The dialect that the provider's clients read errors in."""
    provider = desk.generation().provider(_provider_name(call))
    dialects = provider.row.dialects if provider is not None else ()
    return next((_PUBLIC[name] for name in dialects if name in _PUBLIC), openai_chat.PUBLIC)


def _provider_name(call: Call) -> str:
    return call.raw_path[len(PREFIX) :].partition("/")[0] if call.raw_path.startswith(PREFIX) else ""


async def _passed(visit: Visit) -> None:
    call, name = visit.call, _provider_name(visit.call)
    provider = visit.generation.provider(name)
    prefix = f"{PREFIX}{name}"
    # One answer for a provider that is not there and for one that this key may not reach.
    refusal = PermissionDenied(
        f"this key has no grant for {call.method} of this path (pass_through in the configuration)",
        status=403,
        code="pass_through_not_allowed",
    )
    if provider is None:
        raise refusal
    method = "GET" if call.method == "HEAD" else call.method
    try:
        access = provider.access("pass-through")
    except DragomanError:
        # Who may reach it is told why it cannot be reached.
        if visit.principal.may_pass(name, method, call.raw_path[len(prefix) :]):
            raise
        raise refusal from None
    to = destination(call.raw_path, prefix, access.base_url)
    if not visit.principal.may_pass(name, method, to.path):
        raise refusal
    visit.admit_call()
    deployment = Deployment(
        access=access,
        timeout=provider.timeout,
        transport=visit.generation.transport(provider),
        label=f"{name}/*",
    )
    await pass_on(visit, deployment, to, prefix)


async def pass_on(visit: Visit, deployment: Deployment, to: Destination, prefix: str) -> None:
    """Sends the client's request to a deployment's provider, and the answer back; books it as one attempt.

    `prefix` is the path of ours that stands before the provider's, for addresses that point back to it.
    """
    call = visit.call
    body = await call.body()
    outer = await _check(visit, deployment, to, body)
    http = HttpRequest(
        call.method,
        to.address + passed_query(call.query),
        [*_without(request_headers(call.fields), deployment), *deployment.access.headers()],
        body,
        deployment.timeout,
    )
    scope = CallScope(
        request_id=visit.request_id,
        key=visit.principal.name,
        team=visit.principal.team,
        route=deployment.label,
        dialect_in=visit.public.name,
    )

    def terms(_deployment: Deployment) -> Terms:
        return Terms(deployment=deployment.label, mode="pass-through")

    permits = Bookkeeping(visit.desk.books, scope, terms)
    permit = await permits.acquire(deployment, f"{call.method} {to.path}"[:200])
    meter = Meter(deployment, "pass-through")
    visit.tried = True
    try:
        rest = await exchanged(Passage(visit, deployment, to, prefix, outer), http, meter)
    except DragomanError as error:
        permit.settle(meter.failed(error))
        if call.started:
            # Half an answer has left, and no word of ours may follow it: the connection ends before its end.
            raise Disconnected("the provider's answer broke off") from error
        raise
    except BaseException:
        permit.settle(meter.cancelled())
        raise
    # Written before the last byte leaves.
    permit.settle(meter.ok(Usage()))
    await rest.end()


def _without(headers: list[tuple[str, str]], deployment: Deployment) -> list[tuple[str, str]]:
    own = {name for name, _ in deployment.access.headers()}
    return [pair for pair in headers if pair[0] not in own]


async def _check(visit: Visit, deployment: Deployment, to: Destination, body: bytes) -> bool:
    """Refuses what names other people's objects; tells whether the path goes through an object of the caller's."""
    principal, holdings = visit.principal, visit.desk.holdings
    account = account_of(deployment)
    in_path = named_in_path(to.path)
    if in_path:
        await _held(visit, account, in_path, within=True)
    if body and visit.call.fields.get(b"content-type", b"").lower().startswith(b"application/json"):
        try:
            parsed = _parse(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise RequestRefused(400, "invalid_json", "the body is declared to be JSON, and is not") from None
        named = named_in_body(parsed)
        if named:
            await _held(visit, account, named, within=False)
    elif body and not knows_all(principal):
        # A form, or a file of many requests (JSON lines): names in it are looked for as text.
        known = await holdings.find(await _looked_for(body))
        for name, states in known.items():
            if not any(may_have(principal, state) for state in states):
                raise no_such(Named(name, "body"))
    return bool(in_path)


async def _held(visit: Visit, account: str, named: list[Named], *, within: bool) -> None:
    accounts = await accounts_named(visit.principal, visit.desk.holdings, named, within=within)
    if accounts is not None and account not in accounts:
        raise no_such(named[0])


_ID_IN_TEXT: Final = re.compile(
    rb"(?<![A-Za-z0-9_-])(file-|file_|resp_|conv_|vs_|cntr_|container_)[A-Za-z0-9_-]{6,200}"
)
_LONGEST_ID: Final = 256
_WINDOW_BYTES: Final = 256 * 1024
_MOST_LOOKED_FOR: Final = 10_000


async def _looked_for(body: bytes) -> list[str]:
    """The objects whose ids stand in a body of another kind, as the lines of a batch name files."""
    found: dict[str, None] = {}
    for start in range(0, len(body), _WINDOW_BYTES):
        for match in _ID_IN_TEXT.finditer(body, start, start + _WINDOW_BYTES + _LONGEST_ID):
            found[f"{_BY_PREFIX[match[1].decode()]}/{match[0].decode()}"] = None
        if len(found) > _MOST_LOOKED_FOR:
            raise RequestRefused(413, "too_many_references", f"the body names more than {_MOST_LOOKED_FOR} objects")
        await asyncio.sleep(0)  # others have their turn while a large file is looked through
    return list(found)


_BY_PREFIX: Final = {
    "file-": "files",
    "file_": "files",
    "resp_": "responses",
    "conv_": "conversations",
    "vs_": "vector_stores",
    "cntr_": "containers",
    "container_": "containers",
}
