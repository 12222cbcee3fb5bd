"""Google: application default credentials, and the signer that sends their access tokens.

The order is Google's: what the caller gives, GOOGLE_APPLICATION_CREDENTIALS, what gcloud left in the user's folder, the
machine's own account. Source: cloud.google.com/docs/authentication/application-default-credentials.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.catalogue.clouds.google_sources import GoogleSource, GoogleToken, MachineAccount, read
from dragoman.catalogue.clouds.places import file_stamp, home_of
from dragoman.catalogue.clouds.renewal import Lasting, Renewing
from dragoman.catalogue.signing import Signing, TokenSigner, with_headers
from dragoman.errors import ConfigError, MissingKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.catalogue.row import ProviderRow
    from dragoman.catalogue.signing import Signer
    from dragoman.transport.seam import HttpRequest, Transport

__all__ = ["GoogleSigner", "find", "fingerprint"]

_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
_METADATA = "metadata.google.internal"


class GoogleSigner:
    """Sends an access token, fetched once and kept until shortly before its end."""

    def __init__(
        self,
        source: GoogleSource | None,
        *,
        provider: str,
        looked: tuple[str, ...],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._provider = provider
        self._looked = looked
        self._tokens = Renewing(self._load, clock)

    async def sign(self, request: HttpRequest, transport: Transport) -> HttpRequest:
        """The request with its `authorization` header, and the project to count it on if the credentials name one."""
        token = await self._tokens.get(transport)
        headers = [("authorization", f"Bearer {token.secret.reveal()}")]
        if token.quota_project:
            headers.append(("x-goog-user-project", token.quota_project))
        return with_headers(request, headers)

    async def _load(self, transport: Transport) -> Lasting[GoogleToken]:
        found = await self._source.load(transport) if self._source is not None else None
        if found is not None:
            return found
        raise MissingKey(
            f"{self._provider} found no Google credentials. Looked at: {'; '.join(self._looked)}. Set {_VARIABLE} to a "
            "credentials file, run `gcloud auth application-default login`, or pass credentials=…, token=… or "
            "api_key=….",
            provider=self._provider,
            variables=(_VARIABLE,),
        )

    def __repr__(self) -> str:
        return f"GoogleSigner({self._provider})"


def find(
    row: ProviderRow,
    given: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    ambient: bool,
    clock: Callable[[], float] = time.time,
) -> Signing | None:
    """The credentials for a row: see `signing.find_signing`."""
    assert row.signing is not None  # asked of rows that sign
    scope = row.signing.service
    if given.get("token") is not None:
        return Signing("token", ("token",), {}, _always(TokenSigner(row.name, given["token"])))
    looked: list[str] = []
    members, name = _given(row, given), "credentials"
    if members is None and ambient:
        members, name = _left(environ, looked)
    if members is None and not ambient:
        return None
    source: GoogleSource | None
    if members is not None:
        source, looked = read(members, name, row.name, scope, clock), [name]
    else:
        source = _machine(environ, scope, clock, looked)
    signer = GoogleSigner(source, provider=row.name, looked=tuple(looked), clock=clock)
    project = source.project if source is not None else ""
    return Signing(
        source=name if members is not None else "",
        looked=tuple(looked),
        defaults={"project": project} if project else {},
        make=_always(signer),
    )


def fingerprint(environ: Mapping[str, str]) -> tuple[object, ...]:
    """What `find` goes by: two equal ones find the same."""
    beginnings = ("GOOGLE_", "CLOUDSDK_", "GCE_", "NO_GCE_")
    variables = sorted((name, value) for name, value in environ.items() if name.startswith(beginnings))
    named = environ.get(_VARIABLE, "").strip()
    return (*variables, file_stamp(Path(named) if named else None), file_stamp(_gcloud_file(environ)))


def _given(row: ProviderRow, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """`credentials` as passed: the object of a credentials file, its text, or the file's path."""
    value = given.get("credentials")
    if value is None:
        return None
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return _parsed(value.encode(), "credentials")
    if isinstance(value, (str, Path)) and str(value).strip():
        return _read(Path(value), "credentials")
    raise ConfigError(f"{row.name}: credentials is the path of a credentials file or what it holds.")


def _left(environ: Mapping[str, str], looked: list[str]) -> tuple[dict[str, Any] | None, str]:
    """The file that the environment names, else the one that gcloud writes, and what messages call it."""
    named = environ.get(_VARIABLE, "").strip()
    looked.append(_VARIABLE)
    if named:
        return _read(Path(named), _VARIABLE), _VARIABLE
    file = _gcloud_file(environ)
    title = f"gcloud's application default credentials ({file or 'no user folder'})"
    looked.append(title)
    if file is not None and file.is_file():
        return _read(file, title), title
    return None, ""


def _gcloud_file(environ: Mapping[str, str]) -> Path | None:
    name = "application_default_credentials.json"
    folder = environ.get("CLOUDSDK_CONFIG", "").strip()
    if folder:
        return Path(folder) / name
    if environ.get("APPDATA"):
        return Path(environ["APPDATA"]) / "gcloud" / name
    home = home_of(environ)
    return home / ".config" / "gcloud" / name if home is not None else None


def _machine(
    environ: Mapping[str, str], scope: str, clock: Callable[[], float], looked: list[str]
) -> GoogleSource | None:
    if environ.get("NO_GCE_CHECK", "").strip().lower() == "true":
        looked.append("the machine's metadata server (off: NO_GCE_CHECK)")
        return None
    host = environ.get("GCE_METADATA_HOST", "").strip() or _METADATA
    looked.append(f"the machine's metadata server ({host})")
    return MachineAccount("the machine's metadata server", host, scope, clock)


def _read(file: Path, what: str) -> dict[str, Any]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{what}: {file} cannot be read ({type(error).__name__}).") from None
    return _parsed(data, what)


def _parsed(data: bytes, what: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The parser's message may quote what it read.
        raise ConfigError(f"{what} holds no JSON object.") from None


def _always(signer: Signer) -> Callable[[Mapping[str, str]], Signer]:
    return lambda _slots: signer
