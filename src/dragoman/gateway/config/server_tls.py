"""What the gateway shows to clients over TLS: a certificate with its key, checked when a configuration is read."""

from __future__ import annotations

import re
import ssl
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from dragoman.gateway.config.interpolation import Included, read_included

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dragoman.gateway.config.structs import TlsBlock

    Complain = Callable[[str | None, str], None]

__all__ = ["ServerTls", "make_server_tls"]

_CERTIFICATE: Final = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----")
_KEY: Final = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")
_OTHER_KEY: Final = frozenset(("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"))
"""What OpenSSL calls a key that is not the certificate's, the last of these where it is of another kind."""


class ServerTls(NamedTuple):
    """The context of new connections, and the files that it was made of: a changed one is a changed configuration."""

    context: ssl.SSLContext
    included: tuple[Included, ...]


def make_server_tls(block: TlsBlock, complain: Complain, *, folder: Path) -> ServerTls | None:
    """The context of a block: TLS 1.2 or newer, HTTP/1.1, clients without certificates.

    None after complaining of what is wrong; `complain` takes a member of the block, or None for all of it. Files are
    looked for from `folder` on.
    """
    return _Making(block, complain, folder).made()


class _Making:
    def __init__(self, block: TlsBlock, complain: Complain, folder: Path) -> None:
        self._block = block
        self._complain = complain
        self._certificate = folder / block.certificate_file
        self._key = self._certificate if block.key_file is None else folder / block.key_file
        self._key_shown = block.certificate_file if block.key_file is None else block.key_file
        self._asked = False

    def made(self) -> ServerTls | None:
        block = self._block
        password = None if block.key_password is None else block.key_password.reveal()
        if "" in (block.certificate_file, block.key_file, password):
            return None  # it was complained of when it was read
        certificate = self._read("certificate_file", self._certificate, block.certificate_file)
        key = certificate if block.key_file is None else self._read("key_file", self._key, block.key_file)
        if certificate is None or key is None or not self._are_what_they_should_be(certificate, key):
            return None
        context = self._context()
        if context is None:
            return None
        found = ((self._certificate, certificate), (self._key, key))
        if any(self._changed(path, data) for path, data in found):
            self._complain(None, "the certificate or its key was changed while it was read; it will be read once more")
            return None
        return ServerTls(context, tuple(Included(path, sha256(data).digest()) for path, data in dict(found).items()))

    def _read(self, member: str, path: Path, shown: str) -> bytes | None:
        try:
            return read_included(path)
        except OSError as error:
            self._complain(member, f"the file {shown!r} cannot be read: {error.strerror or error}")
        except ValueError as error:
            self._complain(member, f"the file {shown!r} cannot be used: {error}")
        return None

    def _are_what_they_should_be(self, certificate: bytes, key: bytes) -> bool:
        shown = self._block.certificate_file
        is_certificate, is_key = _CERTIFICATE.search(certificate) is not None, _KEY.search(key) is not None
        if not is_certificate:
            self._complain(
                "certificate_file",
                f"the file {shown!r} holds no certificate as PEM: write the gateway's own there, and behind it those "
                "that vouch for it",
            )
        if not is_key and self._block.key_file is None:
            self._complain(None, f"'key_file' is missing: {shown!r} does not hold the certificate's private key")
        elif not is_key:
            self._complain("key_file", f"the file {self._key_shown!r} holds no private key as PEM")
        return is_certificate and is_key

    def _context(self) -> ssl.SSLContext | None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._certificate, self._key, self._password)
        except ssl.SSLError as error:
            self._complain(*self._meant(error))
        except OSError as error:
            self._complain(None, f"the certificate or its key cannot be read: {error.strerror or error}")
        except ValueError as error:  # of the password
            self._complain("key_password", str(error))
        else:
            return context
        return None

    def _password(self) -> str:
        # Without a function OpenSSL would ask at the terminal.
        self._asked = True
        given = self._block.key_password
        return "" if given is None else given.reveal()

    def _meant(self, error: ssl.SSLError) -> tuple[str | None, str]:
        """What OpenSSL has against the two files, and the member that it is said of."""
        certificate, key = self._block.certificate_file, self._key_shown
        member = "certificate_file" if self._block.key_file is None else "key_file"
        if error.reason in _OTHER_KEY:
            return member, f"the key in {key!r} is not that of the certificate in {certificate!r}"
        if self._asked and self._block.key_password is None:
            return None, f"'key_password' is missing: the key in {key!r} is encrypted"
        if self._asked:
            return "key_password", f"this is not the password of the key in {key!r}"
        if not _holds_certificates(self._certificate):
            return "certificate_file", f"the certificate in {certificate!r} is damaged"
        if error.reason:
            return "certificate_file", f"{certificate!r} cannot be used: {error.reason.replace('_', ' ').lower()}"
        return member, f"the private key in {key!r} is damaged"

    @staticmethod
    def _changed(path: Path, data: bytes) -> bool:
        try:
            return read_included(path) != data
        except (OSError, ValueError):
            return True


def _holds_certificates(path: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cafile=path)
    except OSError:
        return False
    return True
