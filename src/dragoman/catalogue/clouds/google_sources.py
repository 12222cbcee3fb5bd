"""Where Google access tokens come from: service accounts, a user's own credentials, impersonation, the machine."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast
from urllib.parse import quote, urlencode

import msgspec

from dragoman.catalogue.clouds.asking import REMOTE, ask, probe, read_object, read_text, read_time, refusal
from dragoman.catalogue.clouds.renewal import Lasting
from dragoman.catalogue.secret import Secret
from dragoman.errors import ConfigError, MissingExtra
from dragoman.transport.seam import HttpRequest
from dragoman.transport.target import parse_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.transport.seam import HttpResponse, Transport

__all__ = [
    "GoogleSource",
    "GoogleToken",
    "Impersonation",
    "MachineAccount",
    "ServiceAccount",
    "UserCredentials",
    "read",
]

_TOKENS = "https://oauth2.googleapis.com/token"
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFETIME_SECONDS = 3600
_DEFAULT_LIFETIME = 3600.0

Members = dict[str, Any]


class GoogleToken(NamedTuple):
    """An access token, and the project that its use is counted on, where the credentials name one."""

    secret: Secret
    quota_project: str = ""


class GoogleSource(Protocol):
    """One place; `name` is how messages call it."""

    @property
    def name(self) -> str: ...

    @property
    def project(self) -> str:
        """The project that the credentials belong to; empty if they do not say."""
        ...

    async def load(self, transport: Transport) -> Lasting[GoogleToken] | None:
        """A token, or None where this place has none."""
        ...


@dataclass(frozen=True)
class ServiceAccount:
    """A service account's key: a signed assertion is exchanged for a token (RFC 7523)."""

    name: str
    provider: str
    email: str
    key: Secret = field(repr=False)
    key_id: str
    token_uri: str
    scope: str
    project: str
    clock: Callable[[], float]

    async def load(self, transport: Transport) -> Lasting[GoogleToken] | None:
        assertion = self._assertion(int(self.clock()))
        form = {"grant_type": _JWT, "assertion": assertion}
        return await _exchange(transport, self.provider, self.token_uri, form, self.clock)

    def _assertion(self, now: int) -> str:
        header = {"alg": "RS256", "typ": "JWT", "kid": self.key_id}
        claims = {
            "iss": self.email,
            "scope": self.scope,
            "aud": self.token_uri,
            "iat": now,
            "exp": now + _LIFETIME_SECONDS,
        }
        text = f"{_base64url(msgspec.json.encode(header))}.{_base64url(msgspec.json.encode(claims))}"
        return f"{text}.{_base64url(_signature(self.key, text.encode(), self.name))}"


@dataclass(frozen=True)
class UserCredentials:
    """What `gcloud auth application-default login` leaves: a refresh token of a person."""

    name: str
    provider: str
    client_id: str
    client_secret: Secret
    refresh_token: Secret
    token_uri: str
    quota_project: str
    clock: Callable[[], float]

    @property
    def project(self) -> str:
        return self.quota_project

    async def load(self, transport: Transport) -> Lasting[GoogleToken] | None:
        form = {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "client_secret": self.client_secret.reveal(),
            "refresh_token": self.refresh_token.reveal(),
        }
        token = await _exchange(transport, self.provider, self.token_uri, form, self.clock)
        return token._replace(value=token.value._replace(quota_project=self.quota_project))


@dataclass(frozen=True)
class Impersonation:
    """A service account that other credentials may act as."""

    name: str
    provider: str
    url: str
    scope: str
    delegates: tuple[str, ...]
    source: GoogleSource
    quota_project: str = ""

    @property
    def project(self) -> str:
        return self.quota_project or self.source.project

    async def load(self, transport: Transport) -> Lasting[GoogleToken] | None:
        own = await self.source.load(transport)
        if own is None:
            return None
        body = msgspec.json.encode(
            {"delegates": self.delegates, "scope": [self.scope], "lifetime": f"{_LIFETIME_SECONDS}s"}
        )
        headers = [("authorization", f"Bearer {own.value.secret.reveal()}"), ("content-type", "application/json")]
        answer = await ask(transport, HttpRequest("POST", self.url, headers, body, REMOTE))
        who = "Google (impersonation)"
        if answer.status != 200:
            raise refusal(self.provider, who, answer, *_fault(answer))
        members = read_object(answer, who)
        token = Secret(read_text(members, "accessToken", who))
        return Lasting(GoogleToken(token, self.quota_project), read_time(read_text(members, "expireTime", who), who))


@dataclass(frozen=True)
class MachineAccount:
    """The service account of the machine (Compute Engine, Cloud Run, GKE …), from its metadata server."""

    name: str
    host: str
    scope: str
    clock: Callable[[], float]
    project: str = ""

    async def load(self, transport: Transport) -> Lasting[GoogleToken] | None:
        url = f"http://{self.host}/computeMetadata/v1/instance/service-accounts/default/token"
        url += f"?scopes={quote(self.scope, safe='')}"
        answer = await probe(transport, "GET", url, [("metadata-flavor", "Google")])
        # The header is how Google's server shows that it is one, and not some router's page for every address.
        if answer is None or answer.headers.get("metadata-flavor") != "Google":
            return None
        return _token(read_object(answer, self.name), self.name, self.clock)


def read(
    members: Members, name: str, provider: str, scope: str, clock: Callable[[], float], depth: int = 0
) -> GoogleSource:
    """The source that a credentials file describes. Raises `ConfigError` for a kind that cannot be used."""
    kind = members.get("type")
    if kind == "service_account":
        return ServiceAccount(
            name,
            provider,
            _member(members, "client_email", name),
            Secret(_member(members, "private_key", name)),
            str(members.get("private_key_id") or ""),
            _secure(str(members.get("token_uri") or _TOKENS), name),
            scope,
            str(members.get("project_id") or ""),
            clock,
        )
    if kind == "authorized_user":
        return UserCredentials(
            name,
            provider,
            _member(members, "client_id", name),
            Secret(_member(members, "client_secret", name)),
            Secret(_member(members, "refresh_token", name)),
            _secure(str(members.get("token_uri") or _TOKENS), name),
            str(members.get("quota_project_id") or ""),
            clock,
        )
    inner = members.get("source_credentials")
    if kind == "impersonated_service_account" and isinstance(inner, dict) and depth == 0:
        source = read(cast("Members", inner), name, provider, scope, clock, depth + 1)
        url = _secure(_member(members, "service_account_impersonation_url", name), name)
        delegates = tuple(str(one) for one in cast("list[object]", members.get("delegates") or []))
        return Impersonation(name, provider, url, scope, delegates, source, str(members.get("quota_project_id") or ""))
    known = "service_account, authorized_user and impersonated_service_account"
    raise ConfigError(
        f"{provider}: {name} holds credentials of the type {kind!r}; {known} can be used. For others, pass a function "
        "that returns an access token: token=…."
    )


def _member(members: Members, member: str, name: str) -> str:
    value = members.get(member)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{name} is no file of Google credentials: it has no {member}.")
    return value


def _secure(url: str, name: str) -> str:
    if parse_url(url).origin.scheme != "https":
        raise ConfigError(f"{name} sends credentials to an address that is not https.")
    return url


async def _exchange(
    transport: Transport, provider: str, url: str, form: dict[str, str], clock: Callable[[], float]
) -> Lasting[GoogleToken]:
    headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")]
    answer = await ask(transport, HttpRequest("POST", url, headers, urlencode(form).encode(), REMOTE))
    who = "Google's token service"
    if answer.status != 200:
        raise refusal(provider, who, answer, *_fault(answer))
    return _token(read_object(answer, who), who, clock)


def _token(members: Members, who: str, clock: Callable[[], float]) -> Lasting[GoogleToken]:
    seconds = members.get("expires_in")
    life = float(seconds) if isinstance(seconds, (int, float)) else _DEFAULT_LIFETIME
    return Lasting(GoogleToken(Secret(read_text(members, "access_token", who))), clock() + life)


def _fault(answer: HttpResponse) -> tuple[str, str]:
    """The code and the sentence of an OAuth error (RFC 6749 section 5.2) or of one of Google's own."""
    try:
        members = msgspec.json.decode(answer.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", ""
    fault = members.get("error")
    if isinstance(fault, dict):
        own = cast("Members", fault)
        return str(own.get("status") or ""), str(own.get("message") or "")
    return str(fault or ""), str(members.get("error_description") or "")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _signature(key: Secret, text: bytes, name: str) -> bytes:
    try:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise MissingExtra(
            'A Google service account\'s key needs cryptography: pip install "dragoman[vertex]"'
        ) from None
    try:
        private = load_pem_private_key(key.reveal().encode(), None)
    except (ValueError, TypeError):
        raise ConfigError(f"The private_key in {name} is not a private key in PEM form.") from None
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ConfigError(f"The private_key in {name} is no RSA key.")
    return private.sign(text, padding.PKCS1v15(), hashes.SHA256())
