"""Target: the party that a request is fitted to, and that an answer comes from."""

from __future__ import annotations

from dragoman.values.quirks import Quirks
from dragoman.values.value import Value

__all__ = ["Target"]


class Target(Value, frozen=True, kw_only=True):
    """Whom a codec speaks with.

    `provider` is the catalogue name, `issuer` the name under which its replay state is kept (two rows that share keys,
    such as `google` and `gemini`, share an issuer), `model` the upstream model name, `quirks` the declared
    deviations. The same value serves encoding towards the party and decoding what came from it.
    """

    provider: str = ""
    issuer: str = ""
    model: str = ""
    quirks: Quirks = Quirks()
