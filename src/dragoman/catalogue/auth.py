"""How a credential is shown to a provider: header schemes as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.values.value import Value

if TYPE_CHECKING:
    from dragoman.catalogue.secret import Secret

__all__ = ["BEARER", "X_API_KEY", "X_GOOG_API_KEY", "X_PORTKEY_API_KEY", "AuthScheme", "auth_headers"]


class AuthScheme(Value, frozen=True):
    """One header: its name (lower case), and what stands before the credential in its value."""

    header: str
    prefix: str = ""


BEARER = AuthScheme("authorization", "Bearer ")
X_API_KEY = AuthScheme("x-api-key")
# The query parameter `?key=` that Google takes as well is left out on purpose: addresses end up in logs.
X_GOOG_API_KEY = AuthScheme("x-goog-api-key")
X_PORTKEY_API_KEY = AuthScheme("x-portkey-api-key")


def auth_headers(scheme: AuthScheme, secret: Secret | None) -> tuple[tuple[str, str], ...]:
    """The header pairs that carry the credential; none for a call without one."""
    if secret is None:
        return ()
    return ((scheme.header, scheme.prefix + secret.reveal()),)
