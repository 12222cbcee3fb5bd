"""The oracle: what an official client gets from a recorded provider, and what it gets through the gateway before it.

One verdict per exchange and client: tests assert it, `docs/gateway-oracle.md` counts it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import httpx2

from dragoman import dialects
from dragoman.errors import AuthenticationFailed, DragomanError, InvalidRequest, PermissionDenied, QuotaExhausted
from dragoman.gateway.answers import BAD_GATEWAY
from dragoman.values import Request, Response, Target, replace, user
from tests.gateway.oracle_clients import Asking, Given, OracleClients
from tests.gateway.recorded_upstream import Gateways, Upstream, model_of, running_gateways, running_upstream
from tests.gateway.running import KEY
from tests.official.clients import readable
from tests.official.facts import Facts, ours
from tests.wire.judging import dialect_of, request_of, run_stream
from tests.wire.recordings import Exchange, body_bytes, exchanges, target_for

if TYPE_CHECKING:
    from dragoman.errors import ProviderError

__all__ = ["PUBLIC_DIALECTS", "Oracle", "Verdict", "judged_exchanges", "running_oracle"]

PUBLIC_DIALECTS = ("openai-chat", "openai-responses", "anthropic", "gemini")


@dataclass(frozen=True)
class Verdict:
    """`equal`, or `named`: a difference that is meant, and by what name; `different` is a fault."""

    outcome: Literal["equal", "named", "different"]
    note: str = ""


_EQUAL = Verdict("equal")


def judged_exchanges() -> list[Exchange]:
    """Everything that was recorded of the public dialects."""
    return [exchange for exchange in exchanges() if exchange.dialect in PUBLIC_DIALECTS]


@contextmanager
def running_oracle(judged: Iterable[Exchange], folder: Path) -> Generator[Oracle]:
    """An upstream, gateways before it, and the clients."""
    with running_upstream() as upstream, running_gateways(judged, upstream.url, folder) as gateways:
        clients = OracleClients()
        try:
            yield Oracle(upstream, gateways, clients)
        finally:
            clients.close()


class Oracle:
    def __init__(self, upstream: Upstream, gateways: Gateways, clients: OracleClients) -> None:
        self._upstream = upstream
        self._gateways = gateways
        self._clients = clients

    def _told(self, exchange: Exchange, given: Given) -> dict[str, Any]:
        """What the gateway tells of the request: its attempts with their mode, and the adaptations."""
        answer = httpx2.get(
            f"{self._gateways.before(exchange).url}/v1/requests/{given.head['x-dragoman-request-id']}",
            headers={"authorization": f"Bearer {KEY}"},
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    # -- within a dialect --------------------------------------------------------------------------------------------

    def same(self, exchange: Exchange) -> Verdict:
        """The client of the recorded dialect, directly and through the gateway."""
        self._upstream.give(exchange)
        asking = _as_recorded(exchange)
        direct = self._clients.ask(asking, self._upstream.url)
        through = self._clients.ask(asking, self._gateways.before(exchange).url)
        if direct.objects == through.objects and direct.error == through.error:
            return _EQUAL
        if through.error is not None:
            return _error_verdict(exchange, direct, through)
        if asking.stream:
            return self._streams(exchange, asking, direct, through)
        return Verdict("different", f"{direct.objects!r:.300} became {through.objects!r:.300}")

    def _streams(self, exchange: Exchange, asking: Asking, direct: Given, through: Given) -> Verdict:
        if not direct.wire.endswith((b"\n\n", b"\r\n\r\n")):
            # The client drops an event that no blank line ends; the gateway gives it one.
            status, headers, body = self._upstream.answer
            self._upstream.answer = (status, headers, body.rstrip() + b"\n\n")
            if self._clients.ask(asking, self._upstream.url).objects == through.objects:
                return Verdict("named", "the recording ends without the last event's blank line, which is added")
        if _without_usage(direct.objects) == _without_usage(through.objects) and not _asks_usage(asking):
            return Verdict("named", "usage that the client did not ask for is taken out of the stream")
        told = self._told(exchange, through)
        if told["attempts"][-1]["mode"] != "translate":
            return Verdict("different", f"relayed, and {_first(direct.objects, through.objects)}")
        wrong = _disagreements(_facts(exchange), through.facts, usage=_asks_usage(asking))
        if through.facts is None and direct.facts is None and not readable(exchange):
            return Verdict("named", "the vendor's own client reads no thoughts in lists, neither here nor there")
        if wrong:
            return Verdict("different", f"translated within the dialect: {'; '.join(wrong)}")
        return Verdict("named", "the host takes a member in another form: the request and the stream are written anew")

    # -- across dialects ---------------------------------------------------------------------------------------------

    def across(self, exchange: Exchange, dialect: str) -> Verdict:
        """The client of another dialect, against what the recorded answer says in its own."""
        self._upstream.give(exchange)
        through = self._clients.ask(_said_in(exchange, dialect), self._gateways.before(exchange).url)
        try:
            facts = _facts(exchange)
        except DragomanError as error:
            return _error_across(error, through)
        if through.error is not None:
            if "TRIMMED[" in str(through.error):
                return Verdict("named", "the recording's media were cut short, and are no base64")
            return Verdict("different", f"{through.error!r:.400}")
        wrong = _disagreements(facts, through.facts, usage=True)
        wrong += _finish_disagreements(exchange, dialect, through.facts)
        if not wrong:
            return _EQUAL
        adaptations = self._told(exchange, through)["adaptations"]
        named: set[str] = set()
        for difference in wrong:
            names = _names_of(difference, adaptations)
            if not names:
                return Verdict("different", f"{difference}; adaptations: {adaptations!r:.300}")
            named.update(f"{difference.partition(':')[0]}: {name}" for name in names)
        return Verdict("named", ", ".join(sorted(named)))


# -- what is asked -----------------------------------------------------------------------------------------------------


def _as_recorded(exchange: Exchange) -> Asking:
    """The recorded request; a plain one where an answer was published alone."""
    dialect = exchange.dialect or ""
    recorded: Any = exchange.request.body
    body = cast("dict[str, Any]", recorded) if isinstance(recorded, dict) else _plain_body(exchange)
    stream = exchange.is_stream or (
        exchange.is_error and (body.get("stream") is True or ":streamGenerateContent" in exchange.request.url)
    )
    forwarded = ("anthropic-beta", "anthropic-version")
    headers = {name: value for name, value in exchange.request.headers.items() if name in forwarded}
    return Asking(dialect, model_of(exchange), body, stream, headers)


def _plain_body(exchange: Exchange) -> dict[str, Any]:
    if exchange.dialect == "openai-responses":
        return {"input": "Hi"}
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
    return {**body, "stream_options": {"include_usage": True}} if exchange.dialect == "openai-chat" else body


def _said_in(exchange: Exchange, dialect: str) -> Asking:
    """The recorded request as a client of another dialect would ask it."""
    model = model_of(exchange)
    try:
        asked = request_of(exchange)
    except InvalidRequest:
        asked = Request(model=model, messages=(user("Hi"),))
    request: Request = replace(asked, model=model, stream=exchange.is_stream, stream_usage=True)
    target = Target(provider="the client", issuer="the client", model=model)
    encoded = dialects.load(dialect).encode_request(request, target)
    return Asking(dialect, model, dict(encoded.body), exchange.is_stream, dict(encoded.headers))


def _asks_usage(asking: Asking) -> bool:
    if asking.dialect != "openai-chat":
        return True
    options: Any = asking.body.get("stream_options")
    return isinstance(options, dict) and cast("dict[str, Any]", options).get("include_usage") is True


# -- what was said -----------------------------------------------------------------------------------------------------


def _answer(exchange: Exchange) -> Response:
    """The recorded answer, as our decoders read it; tests of their own hold that official clients read the same."""
    if not exchange.is_stream:
        return dialect_of(exchange).decode_response(exchange.response.content, target_for(exchange))
    run = run_stream(exchange)
    if run.response is None:
        assert run.error is not None  # a stream ends in one or the other
        raise run.error
    return run.response


def _facts(exchange: Exchange) -> Facts:
    if exchange.is_error:
        raise _recorded_error(exchange)
    return ours(_answer(exchange))


def _recorded_error(exchange: Exchange) -> ProviderError:
    return dialect_of(exchange).decode_error(
        exchange.response.status, exchange.response.headers, body_bytes(exchange), target_for(exchange)
    )


def _disagreements(expected: Facts, got: Facts | None, *, usage: bool) -> list[str]:
    """Where text, calls or usage differ. Each begins with its kind."""
    if got is None:
        return ["answer: the client could not read it"]
    wrong: list[str] = []
    for at in range(max(len(expected.said), len(got.said))):
        ours_of = expected.said[at] if at < len(expected.said) else None
        theirs = got.said[at] if at < len(got.said) else None
        if ours_of is None or theirs is None:
            said = ours_of or theirs
            if at and said is not None:
                wrong.append(f"choices: {len(expected.said)} became {len(got.said)}")
                break
            if said is not None and (said.text or said.refusal or said.calls):
                wrong.append(f"choices: {len(expected.said)} became {len(got.said)}")
            continue
        # Where a dialect has no place for refusals of their own, they are text.
        if ours_of.text + ours_of.refusal != theirs.text + theirs.refusal:
            wrong.append(f"text: {ours_of.text + ours_of.refusal!r:.120} became {theirs.text + theirs.refusal!r:.120}")
        wrong += _call_disagreements(ours_of.calls, theirs.calls)
    counted = (expected.input_tokens or 0, expected.output_tokens or 0)
    if usage and counted != (got.input_tokens or 0, got.output_tokens or 0):
        wrong.append(f"usage: {counted} became {(got.input_tokens, got.output_tokens)}")
    return wrong


def _call_disagreements(expected: tuple[Any, ...], got: tuple[Any, ...]) -> list[str]:
    if [call[1] for call in expected] != [call[1] for call in got]:
        return [f"calls: {expected!r:.160} became {got!r:.160}"]
    wrong: list[str] = []
    for (_, name, arguments), (_, _, theirs) in zip(expected, got, strict=True):
        if arguments != theirs:
            cut = isinstance(arguments, str) and arguments.startswith("{")
            wrong.append(f"{'cut arguments' if cut else 'calls'}: {name} {arguments!r:.80} became {theirs!r:.80}")
    return wrong


_FINISHES: dict[str, dict[str, set[str | None]]] = {
    "stop": {
        "openai-chat": {"stop"},
        "openai-responses": {"completed"},
        "anthropic": {"end_turn", "stop_sequence"},
        "gemini": {"STOP"},
    },
    "length": {
        "openai-chat": {"length"},
        "openai-responses": {"incomplete"},
        "anthropic": {"max_tokens", "model_context_window_exceeded"},
        "gemini": {"MAX_TOKENS"},
    },
    "tool_calls": {
        "openai-chat": {"tool_calls"},
        "openai-responses": {"completed"},
        "anthropic": {"tool_use"},
        "gemini": {"STOP"},
    },
    "content_filter": {
        "openai-chat": {"content_filter"},
        "openai-responses": {"incomplete"},
        "anthropic": {"refusal"},
        "gemini": {"SAFETY"},
    },
    "refusal": {
        # A refusal in words of its own ends with "stop" where there is a member for those words.
        "openai-chat": {"content_filter", "stop"},
        "openai-responses": {"completed"},
        "anthropic": {"refusal"},
        "gemini": {"SAFETY"},
    },
    "error": {"openai-responses": {"failed"}},
}
"""The words of each dialect for one reason to end; for other reasons no dialect but their own has a word."""


def _finish_disagreements(exchange: Exchange, dialect: str, got: Facts | None) -> list[str]:
    if got is None or not got.said:
        return []
    answer = _answer(exchange)
    words = _FINISHES.get(answer.finish_reason or "")
    if words is None:
        return [] if answer.finish is None else [f"finish: {answer.finish_reason} became {got.said[0].finish}"]
    said = got.said[0].finish
    return [] if said in words.get(dialect, ()) else [f"finish: {answer.finish_reason} became {said}"]


_NAMED_BY = {
    "text": r"\.parts\[\d+\]$",
    "calls": r"\.(arguments_text|arguments|input)$",
    "choices": r"^choices\[\d+\]$",
    "finish": r"\.finish(\.reason)?$",
    "usage": r"usage",
}


def _names_of(difference: str, adaptations: list[dict[str, Any]]) -> list[str]:
    """The adaptations that speak of what differs; what no adaptation could know of has a name of its own."""
    kind = difference.partition(":")[0]
    if kind == "cut arguments":
        return ["the answer broke off in a call's arguments, and each client reads those its own way"]
    paths = [entry for entry in adaptations if re.search(_NAMED_BY[kind], entry["path"])]
    return [f"{entry['path']} {entry['action']}" for entry in paths]


# -- errors ------------------------------------------------------------------------------------------------------------


def _error_verdict(exchange: Exchange, direct: Given, through: Given) -> Verdict:
    """A difference between errors, or an error where the client saw none, by its name."""
    assert through.error is not None
    try:
        _facts(exchange)
    except DragomanError as error:
        recorded = error
    else:
        return Verdict("different", f"an answer became {through.error!r:.400}")
    status = through.error["status"]
    if isinstance(recorded, (AuthenticationFailed, PermissionDenied, QuotaExhausted)):
        if _provider_words(recorded) in str(through.error):
            return Verdict("different", f"what the provider said of our account passed: {through.error!r:.300}")
        if status != BAD_GATEWAY:
            return Verdict("different", f"status {exchange.response.status} became {status}")
        return Verdict("named", "a provider that refuses the gateway's own credential or account is a fault behind it")
    if not exchange.is_error:
        known = "an error inside an answer with status 200 has its own status, and the client raises its class"
        return Verdict("named" if _says(through, recorded) and (status or 0) >= 400 else "different", known)
    assert direct.error is not None
    if status != exchange.response.status or direct.error["kind"] != through.error["kind"]:
        return Verdict("different", f"{direct.error!r:.300} became {through.error!r:.300}")
    if isinstance(direct.error["body"], str):
        return Verdict("named", "an error that is no JSON (a proxy's page) is said in the dialect's form")
    if status in (400, 422):
        return Verdict("named", "what the provider refused as wrong is refused before it is asked")
    return Verdict("different", f"{direct.error!r:.300} became {through.error!r:.300}")


def _error_across(recorded: DragomanError, through: Given) -> Verdict:
    """The recorded error, against what a client of another dialect was told."""
    if through.error is None:
        return Verdict("different", f"{type(recorded).__name__} was recorded, and an answer came")
    if _says(through, recorded):
        return _EQUAL
    if through.error["status"] in (400, 404, 422) and getattr(recorded, "status", None) in (400, 422):
        return Verdict("named", "what the provider refused as wrong is refused before it is asked")
    return Verdict("different", f"{recorded!r:.200} became {through.error!r:.300}")


def _provider_words(error: Any) -> str:
    return str(error.provider_message or "").strip() or "\0"


def _says(given: Given, error: DragomanError) -> bool:
    """Whether the client's error says what the recorded one does, as far as it may."""
    words = str(getattr(error, "provider_message", "") or error.message).strip()
    if isinstance(error, (AuthenticationFailed, PermissionDenied)):
        return words not in str(given.error)
    if isinstance(error, QuotaExhausted):
        return True  # of our own account: the class alone is owed
    return " ".join(words.split())[:60] in " ".join(str(given.error).split())


# -- streams -----------------------------------------------------------------------------------------------------------


def _without_usage(objects: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in objects:
        if not isinstance(item, dict):
            return objects
        chunk = {**cast("dict[str, Any]", item), "usage": None}
        if chunk.get("choices") or not cast("dict[str, Any]", item).get("usage"):
            kept.append(chunk)
    return kept


def _first(one: list[Any], other: list[Any]) -> str:
    for at, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return f"object {at}: {mine!r:.200} became {theirs!r:.200}"
    return f"{len(one)} objects became {len(other)}"
