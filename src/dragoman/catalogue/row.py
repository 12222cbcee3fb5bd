"""ProviderRow: everything that is known about a provider before it is called, as data."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import force_setattr

from dragoman.catalogue.auth import BEARER, AuthScheme
from dragoman.values.quirks import Quirks
from dragoman.values.value import Value

__all__ = ["KeyNeed", "Option", "Place", "ProviderRow"]

KeyNeed = Literal["required", "optional", "none"]
"""Whether calls need a credential: always; only if the server was set up so; never (one that is passed is sent)."""


class Option(Value, frozen=True, kw_only=True):
    """A setting of one provider's own, and where it goes.

    `header` or `member` names the request header or body member that carries it. `shape` is what a value may be:
    text; an object; a list of texts; `document`: text, or an object that travels as JSON text. `prefix` is put before
    a text that does not begin with it. `variable` is an environment variable that sets it, read only for calls to the
    provider's own hosts.
    """

    header: str = ""
    member: str = ""
    shape: Literal["text", "object", "list", "document"] = "text"
    prefix: str = ""
    variable: str = ""


class Place(Value, frozen=True, kw_only=True):
    """Where and how one dialect is spoken, as far as it differs from the rest of the row."""

    base_url: str | None = None
    auth: AuthScheme | None = None


class ProviderRow(Value, frozen=True, kw_only=True):
    """A party that answers.

    `dialects` are in order of preference. `base_url` is the whole address before the dialect's own paths, version
    included (None: the caller must give one); `places` holds dialects that live elsewhere on the same host. `hosts`
    are further addresses of the provider (scheme, host, port) to which a key from the environment may go.

    `key_variables` and `base_url_variables` are read in order, the first that is set wins; `host_variables` hold
    `host[:port]` in Ollama's form and are read last. `issuer` is the name under which replay state is kept (its own
    name unless said otherwise). `default_model` is there only where the provider promises that the name lasts.

    `headers` are sent with every call. `options` are the provider's own settings by name. `backends` makes the row a
    name for others: the option `backend` picks one, the first by default. `embeddings_only` says that there
    is nobody to chat with. `documentation` is the vendor's page, `checked` the date (ISO) on which the facts here were
    last compared with it, a recording or a specification ("" when they were not).
    """

    name: str
    dialects: tuple[str, ...] = ()
    base_url: str | None = None
    places: dict[str, Place] = {}
    hosts: tuple[str, ...] = ()
    key: KeyNeed = "required"
    key_variables: tuple[str, ...] = ()
    base_url_variables: tuple[str, ...] = ()
    host_variables: tuple[str, ...] = ()
    auth: AuthScheme = BEARER
    issuer: str = ""
    default_model: str | None = None
    embeddings_only: bool = False
    quirks: Quirks = Quirks()
    headers: tuple[tuple[str, str], ...] = ()
    options: dict[str, Option] = {}
    backends: tuple[str, ...] = ()
    documentation: str = ""
    checked: str = ""

    def __post_init__(self) -> None:
        if not self.issuer:
            force_setattr(self, "issuer", self.name)

    def base_for(self, dialect: str) -> str | None:
        """The provider's own address for a dialect."""
        place = self.places.get(dialect)
        return place.base_url if place is not None and place.base_url is not None else self.base_url

    def auth_for(self, dialect: str) -> AuthScheme:
        """How the credential is shown where a dialect is spoken."""
        place = self.places.get(dialect)
        return place.auth if place is not None and place.auth is not None else self.auth
