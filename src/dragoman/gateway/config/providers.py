"""Providers of a configuration: a block and a row of the catalogue made into everything that reaches the provider."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from dragoman import catalogue
from dragoman.catalogue import ProviderRow
from dragoman.catalogue.access import backend_of
from dragoman.catalogue.rows import BUILT_IN
from dragoman.errors import ConfigError, MissingKey, UnknownProvider
from dragoman.gateway.config.problems import near_name
from dragoman.gateway.config.structs import ProviderBlock, TimeoutBlock
from dragoman.transport import Timeout
from dragoman.transport.proxy import ProxyRules
from dragoman.transport.tls import TlsSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.catalogue import Access, Option, Secret

    Complain = Callable[[tuple[str | int, ...], str], None]

__all__ = ["Provider", "Trust", "as_timeout", "make_provider", "missing_key", "named_fields"]

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_VALUE: Final = re.compile(r"[!-~](?:[\t -~]*[!-~])?")
_OWN_HEADERS: Final = frozenset(
    "accept-encoding authorization connection content-length content-type cookie expect host keep-alive "
    "proxy-authorization proxy-connection te trailer transfer-encoding upgrade".split()
)
"""Headers that frame a message, or that the gateway writes itself."""

_CREDENTIAL_HEADERS: Final = frozenset(("authorization", "x-api-key", "x-goog-api-key"))

_SHAPES: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "text": ((str,), "a text"),
    "object": ((dict,), "a block of members"),
    "list": ((list,), "a list"),
    "document": ((str, dict), "a text or a block of members"),
}


class Trust(NamedTuple):
    """Whom a provider's connections believe and go through; providers with equal ones share a transport."""

    ca_file: Path | None = None
    proxy: Secret | None = None


class Provider:
    """A provider that deployments of a configuration name.

    `missing` is there for one without a key of its own, which then only deployments that bring one can use. `secure`
    tells that it is reached over TLS.
    """

    __slots__ = ("_environ", "_headers", "_settings", "missing", "name", "row", "secure", "timeout", "trust")

    def __init__(
        self,
        name: str,
        row: ProviderRow,
        *,
        settings: Mapping[str, Any],
        headers: tuple[tuple[str, str], ...],
        timeout: Timeout,
        trust: Trust,
        environ: Mapping[str, str],
    ) -> None:
        self.name = name
        self.row = row
        self.timeout = timeout
        self.trust = trust
        self.missing: MissingKey | None = None
        self.secure = True
        self._settings = settings
        self._headers = headers
        self._environ = environ

    def access(self, model: str, api_key: Secret | None = None) -> Access:
        """How to reach one of its models, with a credential of the deployment's own if it has one.

        Raises `ConfigError`; nothing is sent.
        """
        key = None if api_key is None else api_key.reveal()
        found = catalogue.resolve(self.row, model=model, api_key=key, settings=self._settings, environ=self._environ)
        return found.with_headers(self._headers) if self._headers else found

    def __repr__(self) -> str:
        return f"Provider({self.name!r}, {self.row.name!r})"


def as_timeout(given: float | TimeoutBlock | None) -> Timeout | None:
    """Seconds mean: no phase and not the whole may take longer."""
    if given is None:
        return None
    if isinstance(given, TimeoutBlock):
        return Timeout(connect=given.connect, first_byte=given.first_byte, idle=given.idle, total=given.total)
    return Timeout(connect=min(10.0, given), first_byte=given, idle=given, total=given)


def named_fields() -> tuple[str, ...]:
    """The members of a provider's block that are not options of some provider's own."""
    return tuple(name for name in ProviderBlock.__struct_fields__ if name != "options")


def make_provider(
    name: str, block: ProviderBlock, complain: Complain, *, environ: Mapping[str, str], folder: Path
) -> Provider | None:
    """The provider of a block; None after complaining of everything that is wrong with it.

    `complain` takes a path within the block. Files are looked for from `folder` on.
    """
    said = 0

    def say(path: tuple[str | int, ...], message: str) -> None:
        nonlocal said
        said += 1
        complain(path, message)

    row = _row(name, block, say)
    if row is None:
        _check_options(_anyones_options(), block.options, say)
        return None
    _check_options({option: (row.options[option],) for option in row.options}, block.options, say)
    headers = _headers(row, block.headers, say)
    if said:
        return None
    settings: dict[str, Any] = dict(block.options)
    if block.base_url is not None:
        settings["base_url"] = block.base_url
    if block.api_key is not None:
        # An empty one was complained of when it was read.
        settings["api_key"] = block.api_key.reveal() or "none"
    provider = Provider(
        name,
        row,
        settings=settings,
        headers=headers,
        timeout=as_timeout(block.timeout) or Timeout(),
        trust=Trust(None if block.ca_file is None else folder / block.ca_file, block.proxy),
        environ=environ,
    )
    _check_trust(provider.trust, block, say)
    try:
        provider.secure = provider.access("model").base_url.startswith("https:")
    except MissingKey as error:
        provider.missing = error
    except ConfigError as error:
        say((), error.message)
    return None if said else provider


def _check_trust(trust: Trust, block: ProviderBlock, say: Complain) -> None:
    try:
        if trust.ca_file is not None:
            TlsSettings(trust.ca_file, None).context()
    except ConfigError:
        say(("ca_file",), f"{block.ca_file!r} cannot be read, or holds no certificates (PEM)")
    try:
        if trust.proxy is not None:
            ProxyRules(trust.proxy.reveal(), None, {})
    except ConfigError:
        # Its URL is not shown: it may hold a password.
        say(("proxy",), "this is not the URL of a proxy: write 'http://user:password@host:port'")


def missing_key(name: str, error: MissingKey) -> str:
    """What is said of a provider without a key, in the words of a configuration."""
    variables = f", or set {' or '.join(error.variables)}" if error.variables else ""
    return f"{name} needs an API key: give api_key in providers.{name}{variables}; 'api_key: none' sends none"


def _row(name: str, block: ProviderBlock, say: Complain) -> ProviderRow | None:
    if not name or "/" in name or name != name.strip():
        say((), "a provider's name is a word without '/' and without spaces around it")
        return None
    known = catalogue.names()
    dialects = (block.dialect,) if block.dialect is not None else block.dialects
    if block.dialect is not None and block.dialects:
        say(("dialects",), "give dialect or dialects, not both")
    if block.like is not None and name in known:
        say(("like",), f"{name!r} is itself a name of the catalogue; choose another name for one like {block.like!r}")
        return None
    if block.like is None and name not in known:
        return _own_row(name, block, dialects, say)
    try:
        row = catalogue.find(name if block.like is None else block.like)
        row = backend_of(row, block.backend)
    except UnknownProvider:
        say(("like",), f"no provider of the catalogue is called {block.like!r}.{near_name(block.like or '', known)}")
        return None
    except ConfigError as error:
        say(("backend",) if block.backend is not None else (), error.message)
        return None
    if row.maker:
        say((), f"{row.name} makes its models inside of a program; the gateway cannot reach it")
        return None
    unspoken = [dialect for dialect in dialects if dialect not in row.dialects]
    for dialect in unspoken:
        place = "dialect" if block.dialect is not None else "dialects"
        say((place,), f"{row.name} does not speak {dialect!r}; it speaks {', '.join(row.dialects)}")
    if unspoken:
        return None
    facts = row.facts or row.name
    return replace(row, name=name, facts=facts, dialects=dialects or row.dialects)


def _own_row(name: str, block: ProviderBlock, dialects: tuple[str, ...], say: Complain) -> ProviderRow | None:
    if not dialects:
        near = near_name(name, catalogue.names())
        say(
            (),
            f"no provider of the catalogue is called {name!r}.{near} For one of your own give a dialect and its "
            "base_url, or like: with the name of one of its kind",
        )
        return None
    if block.backend is not None:
        say(("backend",), "this provider has no backends")
    if block.base_url is None:
        say((), f"'base_url' is missing: {name} is a provider of your own, so nobody knows its address")
        return None
    generic = catalogue.find("openai_compatible")
    return ProviderRow(name=name, dialects=dialects, key="optional", quirks=generic.quirks)


def _anyones_options() -> dict[str, tuple[Option, ...]]:
    """The options of all rows of the catalogue: for a block of which nobody knows whose it is."""
    found: dict[str, tuple[Option, ...]] = {}
    for row in BUILT_IN.values():
        for name, option in row.options.items():
            found[name] = (*found.get(name, ()), option)
    return found


def _check_options(known: Mapping[str, tuple[Option, ...]], options: Mapping[str, Any], say: Complain) -> None:
    for name, value in options.items():
        meant = known.get(name)
        if meant is None:
            valid = [*named_fields(), *known]
            near = near_name(name, valid) or f" There are {', '.join(valid)}."
            say((name,), f"there is no such member.{near}")
            continue
        if not any(isinstance(value, _SHAPES[option.shape][0]) for option in meant):
            words = dict.fromkeys(_SHAPES[option.shape][1] for option in meant)
            say((name,), f"{' or '.join(words)} is wanted here")
        elif value == "":
            say((name,), "the text is empty")
        elif isinstance(value, str) and len(meant) == 1 and not meant[0].credential:
            _check_slot(meant[0], name, value, say)


def _check_slot(option: Option, name: str, value: str, say: Complain) -> None:
    if option.slot and not re.fullmatch(option.form, value):
        say((name,), "this cannot be a part of the provider's address")


def _headers(row: ProviderRow, given: Mapping[str, Secret], say: Complain) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    taken = _OWN_HEADERS | {row.auth.header} | {place.auth.header for place in row.places.values() if place.auth}
    seen: set[str] = set()
    for name, secret in given.items():
        lowered = name.lower()
        value = secret.reveal()
        if not _HEADER_NAME.fullmatch(name):
            say(("headers", name), "this cannot be the name of a header")
        elif lowered in taken:
            hint = "; the key is given as api_key" if lowered in _CREDENTIAL_HEADERS | {row.auth.header} else ""
            say(("headers", name), f"this header is written by the gateway itself{hint}")
        elif lowered in seen:
            say(("headers", name), "this header is given twice; letters of names count alike, large or small")
        elif value and not _HEADER_VALUE.fullmatch(value):
            # The value is not shown: it may be a credential.
            say(("headers", name), "a header's value is one line of ASCII text without spaces around it")
        seen.add(lowered)
        pairs.append((lowered, value))
    return tuple(pairs)
