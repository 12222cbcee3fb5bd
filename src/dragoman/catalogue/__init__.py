"""The catalogue: who can be called, where, as whom, and how each host deviates; all of it data.

`row.py` says what a `ProviderRow` is and `rows/` holds the built-in ones; `lookup.py` finds them by name. `resolve`
(`access.py`) makes an `Access` of a row and what the caller passed: `address.py` and `location.py` work out where,
`credentials.py` keeps the key law, `auth.py` writes the credential's header, `options.py` the provider's own settings.
Rows of clouds have templates for addresses (`shapes.py`), and calls that are signed (`signing.py`, `sigv4.py`,
`clouds/`); `connection.py` works out both together. Nothing here speaks to a network before a call is signed.
`readiness.py` tells which providers could be called now.
"""

from __future__ import annotations

from dragoman.catalogue.access import Access, resolve
from dragoman.catalogue.auth import AuthScheme
from dragoman.catalogue.lookup import Catalogue, find, names, register, split
from dragoman.catalogue.readiness import Readiness, check_provider, check_providers
from dragoman.catalogue.row import Option, PathRule, Place, ProviderRow, Shape, SigningScheme
from dragoman.catalogue.secret import Secret
from dragoman.catalogue.signing import Signer

__all__ = [
    "Access",
    "AuthScheme",
    "Catalogue",
    "Option",
    "PathRule",
    "Place",
    "ProviderRow",
    "Readiness",
    "Secret",
    "Shape",
    "Signer",
    "SigningScheme",
    "check_provider",
    "check_providers",
    "find",
    "names",
    "register",
    "resolve",
    "split",
]
