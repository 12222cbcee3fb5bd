"""AWS: the usual chain of credentials, and the signer that uses them.

The order is Amazon's: what the caller gives, the environment, a web identity, the profile, a container's address, the
instance's metadata. An explicit `profile` is used alone.
Source: docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragoman.catalogue.clouds.aws_profiles import ProfileFiles
from dragoman.catalogue.clouds.aws_sources import (
    AssumedRole,
    AwsSource,
    Container,
    InstanceMetadata,
    SingleSignOn,
    Static,
    WebIdentity,
)
from dragoman.catalogue.clouds.places import file_stamp
from dragoman.catalogue.clouds.renewal import Lasting, Renewing
from dragoman.catalogue.secret import Secret
from dragoman.catalogue.signing import Signing, with_headers
from dragoman.catalogue.sigv4 import AwsCredentials, signed_headers
from dragoman.errors import ConfigError, MissingKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dragoman.catalogue.row import ProviderRow
    from dragoman.transport.seam import HttpRequest, Transport

__all__ = ["AwsSigner", "find", "fingerprint"]

_KEYS = ("access_key_id", "secret_access_key", "session_token")
_SIGNED = frozenset({"content-type", "host"})
_FILE_SECONDS = 600.0
"""How long a profile's own keys are used before the files are read again: other programs renew them there."""


class AwsSigner:
    """Signs with Signature Version 4; credentials are fetched once and kept until shortly before they end."""

    def __init__(
        self,
        sources: Sequence[AwsSource],
        *,
        provider: str,
        region: str,
        service: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sources = tuple(sources)
        self._provider = provider
        self._region = region
        self._service = service
        self._clock = clock
        self._credentials = Renewing(self._load, clock)

    async def sign(self, request: HttpRequest, transport: Transport) -> HttpRequest:
        """The request with its date, its session token and its signature."""
        credentials = await self._credentials.get(transport)
        # Proxies rewrite `accept` and its like; Amazon asks for the host, the content type and its own headers alone.
        own = [pair for pair in request.headers if pair[0].lower() in _SIGNED or pair[0].lower().startswith("x-amz-")]
        own = [pair for pair in own if pair[0].lower() not in ("x-amz-date", "x-amz-security-token")]
        added = signed_headers(
            request.method,
            request.url,
            own,
            request.body,
            credentials=credentials,
            region=self._region,
            service=self._service,
            now=datetime.fromtimestamp(self._clock(), UTC),
        )
        return with_headers(request, added)

    async def _load(self, transport: Transport) -> Lasting[AwsCredentials]:
        for source in self._sources:
            found = await source.load(transport)
            if found is not None:
                return found
        raise MissingKey(
            f"{self._provider} found no AWS credentials. Looked at: "
            f"{'; '.join(source.name for source in self._sources)}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "log in with the AWS command line, pass access_key_id=… and secret_access_key=…, or pass api_key=….",
            provider=self._provider,
            variables=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        )

    def __repr__(self) -> str:
        return f"AwsSigner({self._provider}, {self._region})"


def find(
    row: ProviderRow,
    given: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    ambient: bool,
    clock: Callable[[], float] = time.time,
) -> Signing | None:
    """The chain for a row: see `signing.find_signing`."""
    assert row.signing is not None  # asked of rows that sign
    service = row.signing.service
    files = ProfileFiles(environ)
    profile = _text(row, given, "profile") or environ.get("AWS_PROFILE", "").strip() or "default"
    keys = _given_keys(row, given)
    if not ambient and keys is None and given.get("profile") is None:
        return None
    settings = files.profile(profile) if ambient or given.get("profile") is not None else {}
    if given.get("profile") is not None and not settings:
        raise ConfigError(f"{row.name}: {files.shown() or 'no file'} holds no AWS profile {profile!r}.")
    region = settings.get("region", "")
    chain = _Chain(row.name, environ, files, clock)
    alone = keys is not None or given.get("profile") is not None

    def sources(region: str) -> list[AwsSource]:
        if keys is not None:
            return [keys]
        return chain.of_profile(profile, region, ()) if alone else chain.ambient(profile, region)

    local = [source for source in sources(region or "us-east-1") if isinstance(source, _LOCAL)]
    signers: dict[str, AwsSigner] = {}

    def make(slots: Mapping[str, str]) -> AwsSigner:
        place = slots["region"]
        if place not in signers:
            signers[place] = AwsSigner(sources(place), provider=row.name, region=place, service=service, clock=clock)
        return signers[place]

    return Signing(
        source=local[0].name if local else "",
        looked=tuple(source.name for source in sources(region or "us-east-1")),
        defaults={"region": region} if region else {},
        make=make,
    )


def fingerprint(environ: Mapping[str, str]) -> tuple[object, ...]:
    """What `find` goes by: two equal ones find the same."""
    files = ProfileFiles(environ)
    variables = sorted((name, value) for name, value in environ.items() if name.startswith("AWS_"))
    return (*variables, *map(file_stamp, (files.credentials, files.config)))


class _Chain:
    """Makes the sources that the environment and the files point to."""

    def __init__(
        self, provider: str, environ: Mapping[str, str], files: ProfileFiles, clock: Callable[[], float]
    ) -> None:
        self._provider = provider
        self._environ = environ
        self._files = files
        self._clock = clock

    def ambient(self, profile: str, region: str) -> list[AwsSource]:
        """The places of the usual chain in its order, up to the first that is there without asking anybody."""
        steps: tuple[Callable[[], list[AwsSource]], ...] = (
            self._environment,
            lambda: self._web_identity(region),
            lambda: self.of_profile(profile, region, ()),
            self._machine,
        )
        found: list[AwsSource] = []
        for step in steps:
            found += step()
            if any(isinstance(source, _LOCAL) for source in found):
                break
        return found

    def of_profile(self, name: str, region: str, seen: tuple[str, ...]) -> list[AwsSource]:
        """What a profile says; `seen` are those that led to it."""
        settings = self._files.profile(name)
        title = f"AWS profile {name!r} in {self._files.shown() or 'no file'}"
        place = settings.get("region", region)
        session = settings.get("role_session_name", "dragoman")
        role = settings.get("role_arn")
        if role and "web_identity_token_file" in settings:
            file = self._files.path(settings["web_identity_token_file"])
            return [WebIdentity(title, self._provider, place, role, file, session)]
        if role and name not in seen:
            source = self._source_of(settings, name, region, seen)
            external = settings.get("external_id", "")
            return [AssumedRole(title, self._provider, place, role, source, self._clock, session, external)]
        if "aws_access_key_id" in settings:
            return [_FileKeys(title, self._files, name, self._clock)]
        if "sso_account_id" in settings:
            return [self._sign_on(title, settings)]
        if "credential_process" in settings:
            raise ConfigError(
                f"{self._provider}: the {title} names a credential_process, which is not run here. Let that program "
                "write AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or pass the keys."
            )
        return [_Nothing(title)]

    def _source_of(self, settings: Mapping[str, str], name: str, region: str, seen: tuple[str, ...]) -> AwsSource:
        kind = settings.get("credential_source", "")
        if settings.get("source_profile"):
            found = self.of_profile(settings["source_profile"], region, (*seen, name))
        elif kind == "Environment":
            found = self._environment()
        elif kind in ("Ec2InstanceMetadata", "EcsContainer"):
            found = self._machine()
        else:
            raise ConfigError(f"The AWS profile {name!r} has a role_arn, but says no source_profile for it.")
        return found[0]

    def _sign_on(self, title: str, settings: Mapping[str, str]) -> SingleSignOn:
        import hashlib

        session = settings.get("sso_session", "")
        more = {**settings, **self._files.session(session)} if session else dict(settings)
        if self._files.folder is None or not {"sso_role_name", "sso_region", "sso_start_url"} <= more.keys():
            raise ConfigError(f"The {title} lacks one of sso_role_name, sso_region and sso_start_url.")
        # The vendor's tools name the cached token so; no secret is hashed here.
        key = hashlib.sha1((session or more["sso_start_url"]).encode(), usedforsecurity=False).hexdigest()
        cache = self._files.folder / "sso" / "cache" / f"{key}.json"
        account, role = more["sso_account_id"], more["sso_role_name"]
        return SingleSignOn(title, self._provider, more["sso_region"], account, role, cache, self._clock)

    def _environment(self) -> list[AwsSource]:
        name = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        key, secret = self._set("AWS_ACCESS_KEY_ID"), self._set("AWS_SECRET_ACCESS_KEY")
        if not key or not secret:
            return [_Nothing(name)]
        token = self._set("AWS_SESSION_TOKEN")
        return [Static(name, AwsCredentials(key, Secret(secret), Secret(token) if token else None))]

    def _web_identity(self, region: str) -> list[AwsSource]:
        name = "AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN"
        file, role = self._set("AWS_WEB_IDENTITY_TOKEN_FILE"), self._set("AWS_ROLE_ARN")
        if not file or not role:
            return [_Nothing(name)]
        session = self._set("AWS_ROLE_SESSION_NAME") or "dragoman"
        return [WebIdentity(name, self._provider, region, role, Path(file), session)]

    def _machine(self) -> list[AwsSource]:
        relative, full = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"
        if self._set(relative) or self._set(full):
            return [Container(relative if self._set(relative) else full, self._provider, self._environ)]
        absent = _Nothing(f"{relative} and {full}")
        if self._set("AWS_EC2_METADATA_DISABLED").lower() == "true":
            return [absent, _Nothing("the instance's metadata service (off: AWS_EC2_METADATA_DISABLED)")]
        endpoint = self._set("AWS_EC2_METADATA_SERVICE_ENDPOINT").rstrip("/")
        name = "the instance's metadata service"
        return [absent, InstanceMetadata(name, endpoint) if endpoint else InstanceMetadata(name)]

    def _set(self, variable: str) -> str:
        return self._environ.get(variable, "").strip()


class _Nothing:
    """A place where there is nothing; it is named all the same."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def load(self, transport: Transport) -> Lasting[AwsCredentials] | None:
        return None


class _FileKeys:
    """A profile's own keys, read anew from time to time."""

    def __init__(self, name: str, files: ProfileFiles, profile: str, clock: Callable[[], float]) -> None:
        self.name = name
        self._files = files
        self._profile = profile
        self._clock = clock

    async def load(self, transport: Transport) -> Lasting[AwsCredentials] | None:
        settings = self._files.profile(self._profile)
        key, secret = settings.get("aws_access_key_id"), settings.get("aws_secret_access_key")
        if not key or not secret:
            raise ConfigError(f"The {self.name} has an aws_access_key_id without its aws_secret_access_key.")
        token = settings.get("aws_session_token")
        credentials = AwsCredentials(key, Secret(secret), Secret(token) if token else None)
        return Lasting(credentials, self._clock() + _FILE_SECONDS)


_LOCAL = (Static, WebIdentity, AssumedRole, SingleSignOn, Container, _FileKeys)
"""Sources that are only made where something points to them."""


def _given_keys(row: ProviderRow, given: Mapping[str, Any]) -> Static | None:
    key, secret, token = (_text(row, given, name) for name in _KEYS)
    if not key and not secret and not token:
        return None
    if not key or not secret:
        raise ConfigError(f"{row.name}: access_key_id and secret_access_key are passed together.")
    return Static("access_key_id", AwsCredentials(key, Secret(secret), Secret(token) if token else None))


def _text(row: ProviderRow, given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if isinstance(value, Secret):
        return value.reveal()
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{row.name}: {name} must be a text that is not blank.")
    return value.strip()
