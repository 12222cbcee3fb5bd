"""Where AWS credentials come from: each place of the usual chain as a source that is asked in turn."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import quote, urlencode

import msgspec

from dragoman.catalogue.clouds.asking import REMOTE, ask, probe, read_object, read_text, read_time, refusal
from dragoman.catalogue.clouds.places import read_file
from dragoman.catalogue.clouds.renewal import Lasting
from dragoman.catalogue.secret import Secret
from dragoman.catalogue.sigv4 import AwsCredentials, signed_headers
from dragoman.errors import ConfigError, MissingKey
from dragoman.transport.seam import HttpRequest
from dragoman.transport.target import parse_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dragoman.transport.seam import HttpResponse, Transport

__all__ = [
    "AssumedRole",
    "AwsSource",
    "Container",
    "InstanceMetadata",
    "SingleSignOn",
    "Static",
    "WebIdentity",
]

_METADATA = "http://169.254.169.254"
_CONTAINER = "http://169.254.170.2"
# What Amazon's own clients allow over plain HTTP: loopback, and the addresses of ECS and EKS.
_CONTAINER_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"})
_SESSION = "dragoman"


class AwsSource(Protocol):
    """One place; `name` is how messages call it."""

    @property
    def name(self) -> str: ...

    async def load(self, transport: Transport) -> Lasting[AwsCredentials] | None:
        """The credentials, or None where this place has none."""
        ...


@dataclass(frozen=True)
class Static:
    """Credentials that are known and do not end here."""

    name: str
    credentials: AwsCredentials = field(repr=False)

    async def load(self, transport: Transport) -> Lasting[AwsCredentials] | None:
        return Lasting(self.credentials)


@dataclass(frozen=True)
class WebIdentity:
    """A role for whoever holds the token in a file (Kubernetes, CI): `AssumeRoleWithWebIdentity`."""

    name: str
    provider: str
    region: str
    role: str
    token_file: Path
    session: str = _SESSION

    async def load(self, transport: Transport) -> Lasting[AwsCredentials] | None:
        token = read_file(self.token_file, self.name)
        query = {"RoleArn": self.role, "RoleSessionName": self.session, "WebIdentityToken": token}
        return await _ask_sts(transport, self.provider, self.region, "AssumeRoleWithWebIdentity", query, None)


@dataclass(frozen=True)
class AssumedRole:
    """A role taken on with other credentials."""

    name: str
    provider: str
    region: str
    role: str
    source: AwsSource
    clock: Callable[[], float]
    session: str = _SESSION
    external_id: str = ""

    async def load(self, transport: Transport) -> Lasting[AwsCredentials] | None:
        own = await self.source.load(transport)
        if own is None:
            return None
        query = {"RoleArn": self.role, "RoleSessionName": self.session}
        if self.external_id:
            query["ExternalId"] = self.external_id
        signing = (own.value, datetime.fromtimestamp(self.clock(), UTC))
        return await _ask_sts(transport, self.provider, self.region, "AssumeRole", query, signing)


@dataclass(frozen=True)
class SingleSignOn:
    """A role of IAM Identity Center, with the token that `aws sso login` left in its cache."""

    name: str
    provider: str
    region: str
    account: str
    role: str
    cache_file: Path
    clock: Callable[[], float]

    async def load(self, transport: Transport) -> Lasting[AwsCredentials] | None:
        token = self._token()
        query = urlencode({"role_name": self.role, "account_id": self.account})
        url = f"https://portal.sso.{self.region}.{_domain(self.region)}/federation/credentials?{query}"
        headers = [("x-amz-sso_bearer_token", token.reveal())]
        answer = await ask(transport, HttpRequest("GET", url, headers, b"", REMOTE))
        who = "AWS single sign-on"
        if answer.status != 200:
            raise refusal(self.provider, who, answer)
        members = read_object(answer, who).get("roleCredentials")
        role = cast("dict[str, object]", members) if isinstance(members, dict) else {}
        credentials = AwsCredentials(
            read_text(role, "accessKeyId", who),
            Secret(read_text(role, "secretAccessKey", who)),
            Secret(read_text(role, "sessionToken", who)),
        )
        ends = role.get("expiration")
        return Lasting(credentials, ends / 1000 if isinstance(ends, (int, float)) else None)

    def _token(self) -> Secret:
        text = read_file(self.cache_file, self.name)
        try:
            kept = msgspec.json.decode(text, type=dict[str, object])
        except msgspec.DecodeError:
            kept = {}
        token, ends = kept.get("accessToken"), kept.get("expiresAt")
        if not isinstance(token, str) or not isinstance(ends, str) or read_time(ends, self.name) <= self.clock():
            raise MissingKey(
                f"{self.provider}: the sign-on of the {self.name} has ended; run `aws sso login` again.",
                provider=self.provider,
            )
        return Secret(token)


@dataclass(frozen=True)
class Container:
    """The address that ECS, EKS and their like put into the environment."""

    name: str
    provider: str
    environ: Mapping[str, str] = field(repr=False)

    async def load(self, transport: Transport) -> Lasting[AwsCredentials] | None:
        url = self._url()
        headers: list[tuple[str, str]] = []
        token = self.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "").strip()
        token_file = self.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "").strip()
        if token_file:
            from pathlib import Path

            token = read_file(Path(token_file), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        if token:
            headers.append(("authorization", token))
        answer = await ask(transport, HttpRequest("GET", url, headers, b"", REMOTE))
        if answer.status != 200:
            raise refusal(self.provider, self.name, answer)
        return _from_metadata(answer, self.name)

    def _url(self) -> str:
        relative = self.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "").strip()
        if relative:
            return _CONTAINER + relative
        full = self.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "").strip()
        origin = parse_url(full).origin
        if origin.scheme != "https" and origin.host not in _CONTAINER_HOSTS:
            raise ConfigError(
                f"AWS_CONTAINER_CREDENTIALS_FULL_URI leads to {origin} over plain HTTP, which only this machine and "
                "the container services' own addresses may have."
            )
        return full


@dataclass(frozen=True)
class InstanceMetadata:
    """The role of the EC2 instance: its metadata service, version 2 (with a session token)."""

    name: str
    endpoint: str = _METADATA

    async def load(self, transport: Transport) -> Lasting[AwsCredentials] | None:
        lifetime = [("x-aws-ec2-metadata-token-ttl-seconds", "21600")]
        token = await probe(transport, "PUT", f"{self.endpoint}/latest/api/token", lifetime)
        if token is None:
            return None
        headers = [("x-aws-ec2-metadata-token", token.body.decode("ascii", "replace").strip())]
        folder = f"{self.endpoint}/latest/meta-data/iam/security-credentials/"
        roles = await probe(transport, "GET", folder, headers)
        names = roles.body.decode("utf-8", "replace").split() if roles is not None else []
        if not names:
            return None
        answer = await probe(transport, "GET", folder + quote(names[0], safe=""), headers)
        return None if answer is None else _from_metadata(answer, self.name)


def _from_metadata(answer: HttpResponse, who: str) -> Lasting[AwsCredentials]:
    members = read_object(answer, who)
    token = members.get("Token")
    credentials = AwsCredentials(
        read_text(members, "AccessKeyId", who),
        Secret(read_text(members, "SecretAccessKey", who)),
        Secret(token) if isinstance(token, str) and token else None,
    )
    ends = members.get("Expiration")
    return Lasting(credentials, read_time(ends, who) if isinstance(ends, str) else None)


# -- the security token service ----------------------------------------------------------------------------------------


async def _ask_sts(
    transport: Transport,
    provider: str,
    region: str,
    action: str,
    query: dict[str, str],
    signing: tuple[AwsCredentials, datetime] | None,
) -> Lasting[AwsCredentials]:
    url = f"https://sts.{region}.{_domain(region)}/"
    body = urlencode({"Action": action, "Version": "2011-06-15", **query}).encode()
    headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]
    if signing is not None:
        credentials, now = signing
        headers += signed_headers(
            "POST", url, headers, body, credentials=credentials, region=region, service="sts", now=now
        )
    answer = await ask(transport, HttpRequest("POST", url, headers, body, REMOTE))
    text = answer.body.decode("utf-8", "replace")
    who = f"AWS ({action})"
    if answer.status != 200:
        raise refusal(provider, who, answer, _element(text, "Code"), _element(text, "Message"))
    found = {name: _element(text, name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")}
    taken = AwsCredentials(
        read_text(found, "AccessKeyId", who),
        Secret(read_text(found, "SecretAccessKey", who)),
        Secret(read_text(found, "SessionToken", who)),
    )
    return Lasting(taken, read_time(read_text(found, "Expiration", who), who))


def _element(text: str, name: str) -> str:
    # Four flat elements of a fixed answer: a whole XML parser (with its entities) would be the larger risk.
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    if found is None:
        return ""
    from html import unescape

    return unescape(found[1].strip())


def _domain(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
