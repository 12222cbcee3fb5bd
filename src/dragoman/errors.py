"""Every error this library raises, drawn as one tree.

    DragomanError
    ├── ConfigError                 the caller's settings cannot work; nothing was sent
    │   ├── MissingKey              no API key where one is needed
    │   ├── UnknownProvider         a provider name that the catalogue does not know
    │   ├── MissingModel            a provider without a default model was given none
    │   ├── MissingExtra            an optional package is not installed
    │   └── UnknownName             a ModelPool has no such model
    ├── InvalidRequest              the request is not one that any provider could take; nothing was sent
    ├── Unsupported                 the target cannot express it, and the policy is to refuse
    ├── ProviderError               the provider answered with an error
    │   ├── AuthenticationFailed    401: the credential is not accepted
    │   ├── PermissionDenied        403: the credential may not do this
    │   ├── QuotaExhausted          402 and its like: the account has no money or quota left
    │   ├── NotFound                404: no such model, path or object
    │   ├── BadRequest              400, 422: the request is wrong
    │   │   ├── ContextOverflow     the prompt is too long for the model
    │   │   └── ContentBlocked      a policy or filter refused the content
    │   ├── RequestTooLarge         413: too many bytes or tokens in one request
    │   ├── RateLimited             429: wait
    │   │   └── Unavailable         nobody of a route can be asked now; nothing was sent
    │   ├── Overloaded              503, 529: no capacity now
    │   ├── UpstreamTimeout         408, 504: the provider gave up waiting
    │   └── ServerFault             500, 502 and other 5xx
    ├── TransportError              the bytes did not get there or back
    │   ├── ConnectFailed           no connection: name, route, proxy, TLS
    │   ├── ConnectionLost          the connection ended in mid-exchange
    │   ├── TimedOut                connect, first_byte, idle or total limit passed
    │   ├── ProtocolViolation       what came back is not valid HTTP, SSE or JSON, or not the dialect
    │   ├── PoolExhausted           no connection became free in time
    │   └── StreamTruncated         a stream ended without its finish; carries the partial answer
    ├── OutputError                 the answer came and is not what was asked for
    │   ├── InvalidArguments        a tool call's arguments are not valid JSON, or not what the tool takes
    │   ├── SchemaMismatch          the answer is not of the type that was asked for, corrections included
    │   ├── UnusableAnswer          declined, filtered or cut off: there is no whole answer to be of a type
    │   └── TooManyRounds           the tool loop reached its bound; carries the conversation
    ├── AllAttemptsFailed           several targets were tried and none answered
    ├── SpoolFull                   the ledger has no room to write an attempt down; nothing was sent
    └── StreamStateError            a stream was used in a way that it does not allow

Errors are mapped at two borders only: `transport/` raises `TransportError`, the dialects raise `ProviderError` (and
`ProtocolViolation` for frames that are not theirs). Class attributes say what routing may do next; see `Remedy`.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AllAttemptsFailed",
    "AuthenticationFailed",
    "BadRequest",
    "ConfigError",
    "ConnectFailed",
    "ConnectionLost",
    "ContentBlocked",
    "ContextOverflow",
    "DragomanError",
    "InvalidArguments",
    "InvalidRequest",
    "MissingExtra",
    "MissingKey",
    "MissingModel",
    "NotFound",
    "OutputError",
    "Overloaded",
    "PermissionDenied",
    "PoolExhausted",
    "ProtocolViolation",
    "ProviderError",
    "QuotaExhausted",
    "RateLimited",
    "Remedy",
    "RequestTooLarge",
    "SchemaMismatch",
    "Sent",
    "ServerFault",
    "SpoolFull",
    "StreamStateError",
    "StreamTruncated",
    "TimedOut",
    "TooManyRounds",
    "TransportError",
    "Unavailable",
    "UnknownName",
    "UnknownProvider",
    "Unsupported",
    "UnusableAnswer",
    "UpstreamTimeout",
]

Sent = Literal["no", "maybe", "yes"]
"""Whether the request reached the other side: certainly not, possibly, certainly."""


class Remedy(Enum):
    """What may be done about an error: the one classification that retrying and failover go by."""

    CREDENTIAL = "this credential is dead; another one may work"
    WAIT = "the same target may answer later (Retry-After); another one may answer now"
    ILL = "this deployment is ill; the same or another one may answer"
    WRONG = "the request is wrong; nobody should be asked again"
    TOO_LONG = "the prompt is too long; a model with a larger window may take it"
    BLOCKED = "the content is blocked; a configured alternative may take it"
    ABSENT = "this deployment does not have the model or the path; another one may"
    NONE = "nothing can be done by trying again"


class DragomanError(Exception):
    """The root: `except DragomanError` catches everything this library raises on purpose."""

    remedy: ClassVar[Remedy] = Remedy.NONE

    message: str
    attempts: tuple[Any, ...]
    """The attempts made before this was raised (`values.Attempt`), oldest first; empty when nothing was tried."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.attempts = ()

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only constructors do not survive the default reduction, so state is restored by hand.
        return (_restore, (type(self), self.args, self.__dict__.copy()))


def _restore(kind: type[DragomanError], args: tuple[Any, ...], state: dict[str, Any]) -> DragomanError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


# -- nothing was sent --------------------------------------------------------------------------------------------------


class ConfigError(DragomanError):
    """The caller's settings cannot work."""


class MissingKey(ConfigError):
    """No API key was given where one is needed; names the variable that would be read.

    It comes when a model is made; at a call only where credentials are looked for on the network.
    """

    remedy = Remedy.CREDENTIAL

    def __init__(self, message: str, *, provider: str, variables: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.provider = provider
        self.variables = tuple(variables)


class UnknownProvider(ConfigError):
    """A provider name that the catalogue does not know; `near` holds similar names that it does."""

    def __init__(self, message: str, *, name: str, near: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.near = tuple(near)


class MissingModel(ConfigError):
    """A provider without a default model was given none."""


class MissingExtra(ConfigError):
    """An optional package is not installed; the message holds the command that installs it."""


class UnknownName(ConfigError, KeyError):
    """A ModelPool has no model of this name."""

    __str__ = Exception.__str__  # KeyError would show the repr of the message


class InvalidRequest(DragomanError):
    """The request is one that no provider could take; `path` names the member where one is to blame."""

    remedy = Remedy.WRONG

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class Unsupported(DragomanError):
    """The target cannot take something that was asked for.

    Its wire cannot express it, and `adapt="refuse"` was given; or its model is known not to be able to do what the
    request cannot do without (tools, a kind of media). `path` names the member in our values.
    """

    remedy = Remedy.WRONG

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message)
        self.path = path


# -- the provider answered with an error -------------------------------------------------------------------------------


class ProviderError(DragomanError):
    """The provider answered with an error.

    `status` is the HTTP status (None for an error inside a stream that names none), `code` and `kind` the provider's
    own code and type, `param` the member it complains about, `retry_after` seconds, `in_stream` whether an answer had
    begun, `body` the parsed error body, or its text. `final`: the answer says that to ask again is no use
    (`x-should-retry: false`, as gateways say that have tried already).
    """

    remedy: ClassVar[Remedy] = Remedy.WRONG
    advice: ClassVar[str] = "Read the provider's message; the request as it stands is not accepted."

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        model: str | None = None,
        status: int | None = None,
        code: str | None = None,
        kind: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        in_stream: bool = False,
        body: Any = None,
        advice: str | None = None,
    ) -> None:
        self.provider_message = message
        self.provider = provider
        self.model = model
        self.status = status
        self.code = code
        self.kind = kind
        self.param = param
        self.request_id = request_id
        self.retry_after = retry_after
        self.in_stream = in_stream
        self.body = body
        self.final = False
        self.partial: Any = None
        self.usage: Any = None
        super().__init__(_describe(self, advice or type(self).advice))


def _describe(error: ProviderError, advice: str) -> str:
    who = error.provider or "the provider"
    if error.model:
        who = f"{who} ({error.model})"
    where = "in mid-stream" if error.in_stream else "answered"
    what = " ".join(str(piece) for piece in (error.status, error.code or error.kind) if piece is not None)
    text = error.provider_message.strip() or "no message"
    parts = [f"{who} {where}{' ' + what if what else ''}: {text}"]
    if not text.endswith((".", "!", "?")):
        parts.append(".")
    if error.retry_after is not None:
        parts.append(f" Retry after {error.retry_after:g} s.")
    parts.append(f" {advice}")
    if error.request_id:
        parts.append(f" [request id {error.request_id}]")
    return "".join(parts)


class AuthenticationFailed(ProviderError):
    """401: the credential is missing, wrong, expired or revoked."""

    remedy = Remedy.CREDENTIAL
    advice = "Check the API key: is it of this provider, complete, and still valid?"


class PermissionDenied(ProviderError):
    """403: the credential is good but may not do this."""

    remedy = Remedy.CREDENTIAL
    advice = "Check that the key's project or account may use this model, region and feature."


class QuotaExhausted(ProviderError):
    """402 and its like: the account has no credit or quota left; waiting does not help."""

    remedy = Remedy.CREDENTIAL
    advice = "Add credit or raise the quota in the provider's console, or use another key."


class NotFound(ProviderError):
    """404: no such model, path or object."""

    remedy = Remedy.ABSENT
    advice = "Check the model's name, the base_url, and that the account can see the model."


class BadRequest(ProviderError):
    """400 or 422: the request is wrong and would be wrong again."""

    advice = "Change the request as the provider's message says; it will not be retried."


class ContextOverflow(BadRequest):
    """The prompt (with the answer asked for) is too long for the model."""

    remedy = Remedy.TOO_LONG
    advice = "Shorten the messages, lower max_tokens, or use a model with a larger window."


class ContentBlocked(BadRequest):
    """A policy or filter refused the content."""

    remedy = Remedy.BLOCKED
    advice = "Change the content, or adjust the provider's filter settings where it has them."


class RequestTooLarge(ProviderError):
    """413: the request holds more bytes or tokens than one request may."""

    remedy = Remedy.TOO_LONG
    advice = "Send less in one request: shorten messages or shrink attached media."


class RateLimited(ProviderError):
    """429: too many requests or tokens for now."""

    remedy = Remedy.WAIT
    advice = "Wait and try again, slow down, or add a fallback target."


class Unavailable(RateLimited):
    """No deployment could take the call, and nothing was sent: all of them are cooling down, or full.

    `retry_after` is when the first of them is free again, where that is known. It is told to clients as a 429.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, status=429, retry_after=retry_after)
        wait = "" if retry_after is None else f" Retry after {retry_after:.3g} s."
        self.message = f"{message}.{wait}"
        self.args = (self.message,)


class Overloaded(ProviderError):
    """503 or 529: the provider has no capacity now."""

    remedy = Remedy.WAIT
    advice = "Wait and try again, or add a fallback target."


class UpstreamTimeout(ProviderError):
    """408 or 504: the provider, or something before it, gave up waiting."""

    remedy = Remedy.ILL
    advice = "Try again; for long answers use streaming."


class ServerFault(ProviderError):
    """500, 502 or another 5xx: the provider failed."""

    remedy = Remedy.ILL
    advice = "Try again later; if it lasts, see the provider's status page."


# -- the bytes did not get there or back -------------------------------------------------------------------------------


class TransportError(DragomanError):
    """The bytes did not get there or back.

    `phase` names what was being done, `sent` whether the request reached the other side. Only `sent == "no"` allows a
    resend of a request that acts on the world.
    """

    remedy = Remedy.ILL
    advice: ClassVar[str] = ""

    def __init__(self, message: str, *, phase: str = "read", sent: Sent = "maybe") -> None:
        super().__init__(message)
        self.phase = phase
        self.sent: Sent = sent
        self.provider = ""
        self.partial: Any = None
        self.usage: Any = None

    def met_at(self, provider: str) -> None:
        """Notes which provider was being asked, and says in the message what to do about it. Called once."""
        self.provider = provider
        pieces = (f"{provider}: {self.message}", self.advice.format(phase=self.phase))
        self.message = " ".join(piece for piece in pieces if piece)
        self.args = (self.message,)


class ConnectFailed(TransportError):
    """No connection came about: name, route, refusal, proxy or TLS."""

    advice = "Check base_url, that the server runs, and the proxy settings (HTTPS_PROXY, NO_PROXY)."

    def __init__(self, message: str, *, phase: str = "connect", sent: Sent = "no") -> None:
        super().__init__(message, phase=phase, sent=sent)


class ConnectionLost(TransportError):
    """The connection ended in mid-exchange."""

    advice = "The call may be made again; a long answer is better streamed."


class TimedOut(TransportError):
    """A limit passed; `phase` is connect, first_byte, idle or total."""

    advice = "Raise the limit with timeout=Timeout({phase}=…), or stream a long answer."


class ProtocolViolation(TransportError):
    """What came back is not valid HTTP, SSE or JSON, or is not the dialect it should be; `path` names the member."""

    advice = "Check that base_url leads to an API of this dialect."

    def __init__(self, message: str, *, path: str = "", phase: str = "read", sent: Sent = "yes") -> None:
        super().__init__(message, phase=phase, sent=sent)
        self.path = path


class PoolExhausted(TransportError):
    """No connection became free in time; nothing was sent."""

    remedy = Remedy.WAIT
    advice = "Make fewer calls at once, or give the transport larger limits."

    def __init__(self, message: str, *, phase: str = "pool", sent: Sent = "no") -> None:
        super().__init__(message, phase=phase, sent=sent)


class StreamTruncated(TransportError):
    """A stream ended without its finish.

    `partial` is the answer as far as it came (`values.Response`), `usage` what the provider had reported by then.
    """

    def __init__(self, message: str, *, partial: Any = None, phase: str = "read", sent: Sent = "yes") -> None:
        super().__init__(message, phase=phase, sent=sent)
        self.partial = partial
        self.usage = getattr(partial, "usage", None)


# -- the answer came and is not what was asked for ---------------------------------------------------------------------


class OutputError(DragomanError):
    """The answer came, and it is not what was asked for."""


class InvalidArguments(OutputError):
    """A tool call's arguments are not valid JSON, no object, or not what the tool takes; `text` is what came."""

    def __init__(self, message: str, *, name: str, text: str) -> None:
        super().__init__(message)
        self.name = name
        self.text = text


class SchemaMismatch(OutputError):
    """The answer is not of the type that was asked for.

    `problem` is what the validator said about the last answer, `response` that answer (`values.Response`); `attempts`
    are those of all calls, the corrections included.
    """

    def __init__(self, message: str, *, problem: str, response: Any = None) -> None:
        super().__init__(message)
        self.problem = problem
        self.response = response


class UnusableAnswer(OutputError):
    """The model declined, a filter stepped in, or the answer was cut off: asking it to correct itself is no use.

    `reason` is the finish reason ("length", "refusal", "content_filter", …), `response` the answer as it came.
    """

    def __init__(self, message: str, *, reason: str, response: Any = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.response = response


class TooManyRounds(OutputError):
    """The tool loop reached its bound and the model still asks for tools.

    `messages` is the whole conversation, the last request for tools included; `response` is the last answer.
    """

    def __init__(self, message: str, *, messages: Sequence[Any] = (), response: Any = None) -> None:
        super().__init__(message)
        self.messages = tuple(messages)
        self.response = response


class AllAttemptsFailed(DragomanError):
    """Several targets were tried and none answered; `errors` holds each target's last error, in order."""

    def __init__(self, message: str, *, errors: Sequence[DragomanError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class SpoolFull(DragomanError):
    """The ledger cannot take another attempt, so none is made: no room on the disk, or it cannot be written to.

    It recovers by itself once there is room. Attempts that were begun are settled all the same.
    """


class StreamStateError(DragomanError):
    """A stream was used in a way that it does not allow: iterated twice, or asked for its response too early."""
