"""TLS settings: whose certificates are believed. There is no way to believe everybody's."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["check_context", "make_context"]


def make_context(ca_file: str | PathLike[str] | None) -> ssl.SSLContext:
    """A context that believes the system's authorities, or those SSL_CERT_FILE and SSL_CERT_DIR name, and `ca_file`'s.

    Where the system has none, those of the certifi package are taken if it is installed. Reading them takes some 20 ms,
    so a transport does it once, with its first TLS connection. Raises `ConfigError` when `ca_file` cannot be used.
    """
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


def check_context(context: ssl.SSLContext) -> ssl.SSLContext:
    """A caller's own context, if it verifies names and certificates; else raises `ConfigError`."""
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
