"""Which proxy a request goes through: one that was given, or the environment's, less what NO_PROXY excepts."""

from __future__ import annotations

import os
from base64 import b64encode
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from dragoman.errors import ConfigError
from dragoman.transport.target import Origin, parse_url, without_query

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Proxy", "ProxyRules"]

_LOOPBACK_NAMES: Final = ("localhost", "localhost.")


class Proxy(NamedTuple):
    """An HTTP proxy: where it listens (plain or TLS), and the value of Proxy-Authorization it wants, if any."""

    origin: Origin
    authorization: str | None

    def __repr__(self) -> str:
        return f"Proxy({self.origin}{', with credentials' if self.authorization else ''})"

    __str__ = __repr__


def parse_proxy(url: str, *, where: str) -> Proxy:
    """Read a proxy's URL; a user name and password in it become basic credentials. `where` names its source."""
    scheme, mark, rest = url.strip().partition("://")
    if not mark:
        # `HTTPS_PROXY=proxy.example:3128` is common usage.
        scheme, rest = "http", scheme
    if scheme.lower() not in ("http", "https"):
        raise ConfigError(f"{where} names a {scheme} proxy; only http:// and https:// proxies can be used.")
    authority = rest.split("/", 1)[0]
    userinfo, at, address = authority.rpartition("@")
    try:
        origin = parse_url(f"{scheme}://{address}").origin
    except ConfigError:
        raise ConfigError(f"{where} is not the URL of a proxy: {without_query(url)!r}.") from None
    if not at:
        return Proxy(origin, None)
    user, _, password = userinfo.partition(":")
    credentials = f"{unquote(user)}:{unquote(password)}".encode()
    return Proxy(origin, "Basic " + b64encode(credentials).decode("ascii"))


class ProxyRules:
    """Chooses the proxy of an origin.

    An explicit `proxy` serves every origin that `no_proxy` does not except. Otherwise the environment is read, once:
    HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, lower case first. As Go's and curl's clients do, HTTP_PROXY is
    ignored where REQUEST_METHOD is set, for there a `Proxy:` request header could have written it; and as Go's does,
    loopback addresses are never sent to a proxy that comes from the environment.
    """

    def __init__(
        self,
        proxy: str | None = None,
        no_proxy: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if environment is None:
            environment = os.environ
        self._explicit = None if proxy is None else parse_proxy(proxy, where="proxy=")
        self._environment = {} if proxy is not None else _read_environment(environment)
        if no_proxy is None and proxy is None:
            no_proxy = environment.get("no_proxy") or environment.get("NO_PROXY")
        self._exceptions = _read_exceptions(no_proxy or "")

    def choose(self, origin: Origin) -> Proxy | None:
        """The proxy for an origin, None for a direct connection. Raises `ConfigError` for a kind we cannot use."""
        if self._explicit is not None:
            return None if self._is_excepted(origin) else self._explicit
        named = self._environment.get(origin.scheme) or self._environment.get("all")
        if named is None or _is_loopback(origin.host) or self._is_excepted(origin):
            return None
        return parse_proxy(named[1], where=f"The environment variable {named[0]}")

    def _is_excepted(self, origin: Origin) -> bool:
        return any(_matches(rule, port, origin) for rule, port in self._exceptions)


def _read_environment(environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for scheme in ("http", "https", "all"):
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            if name == "HTTP_PROXY" and "REQUEST_METHOD" in environment:
                continue
            value = environment.get(name)
            if value:
                found[scheme] = (name, value)
                break
    return found


def _read_exceptions(text: str) -> list[tuple[str, int | None]]:
    """NO_PROXY's entries: a host or a domain, an address or a network, each perhaps with a port; or `*`."""
    rules: list[tuple[str, int | None]] = []
    for entry in text.replace(",", " ").lower().split():
        host, port = entry, None
        bracketed, _, tail = entry.rpartition("]")
        if bracketed.startswith("["):
            host = bracketed[1:]
            port = int(tail[1:]) if tail[1:].isdigit() else None
        elif entry.count(":") == 1 and entry.rpartition(":")[2].isdigit():
            host, _, digits = entry.partition(":")
            port = int(digits)
        rules.append((host.removeprefix("*.") if host != "*" else host, port))
    return rules


def _matches(rule: str, port: int | None, origin: Origin) -> bool:
    if port is not None and port != origin.port:
        return False
    if rule == "*":
        return True
    if "/" in rule:
        return _is_in_network(origin.host, rule)
    host, domain = origin.host.rstrip("."), rule.strip(".")
    return bool(domain) and (host == domain or host.endswith("." + domain))


def _is_in_network(host: str, network: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    if host in _LOOPBACK_NAMES or host.endswith(".localhost"):
        return True
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
