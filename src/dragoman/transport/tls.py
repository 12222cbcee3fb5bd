"""TLS settings: whose certificates are believed. There is no way to believe everybody's."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["TlsSettings"]


class TlsSettings:
    """One transport's settings. `context` is made when it is first asked for, and once: that takes some 20 ms.

    The system's authorities are believed, or those SSL_CERT_FILE and SSL_CERT_DIR name, and `ca_file`'s; where the
    system has none, those of the certifi package if it is installed. A caller's own `ssl_context` replaces all that.
    Raises `ConfigError` for a context that does not verify, or for both arguments together.
    """

    def __init__(self, ca_file: str | PathLike[str] | None, ssl_context: ssl.SSLContext | None) -> None:
        if ca_file is not None and ssl_context is not None:
            raise ConfigError("Pass ca_file or ssl_context, not both: load the file into the context.")
        self._ca_file = ca_file
        self._context = None if ssl_context is None else _checked(ssl_context)

    def context(self) -> ssl.SSLContext:
        """The context. Raises `ConfigError` when `ca_file` cannot be used."""
        if self._context is None:
            self._context = _make_context(self._ca_file)
        return self._context


def _make_context(ca_file: str | PathLike[str] | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if not _has_authorities(context):
        _add_certifi(context)
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=os.fspath(ca_file))
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"ca_file {os.fspath(ca_file)!r} cannot be used: {error}.") from error
    return context


def _checked(context: ssl.SSLContext) -> ssl.SSLContext:
    if context.verify_mode != ssl.CERT_REQUIRED or not context.check_hostname:
        raise ConfigError(
            "ssl_context does not verify the server's certificate and name, so anybody could read the API key; "
            "pass a private authority as ca_file instead."
        )
    return context


def _has_authorities(context: ssl.SSLContext) -> bool:
    if context.cert_store_stats()["x509_ca"]:
        return True
    # A directory of authorities is read during handshakes, so it does not count yet.
    paths = ssl.get_default_verify_paths()
    try:
        return any(os.scandir(paths.capath or paths.openssl_capath))
    except OSError:
        return False


def _add_certifi(context: ssl.SSLContext) -> None:
    try:
        from certifi import where
    except ImportError:
        return
    context.load_verify_locations(cafile=where())
