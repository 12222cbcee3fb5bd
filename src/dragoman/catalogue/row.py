"""ProviderRow: everything that is known about a provider before it is called, as data."""

from __future__ import annotations

from typing import Any, Literal

from msgspec.structs import force_setattr

from dragoman.catalogue.auth import BEARER, AuthScheme
from dragoman.values.quirks import Quirks
from dragoman.values.value import Value

__all__ = ["KeyNeed", "Option", "PathRule", "Place", "ProviderRow", "Shape", "SigningScheme"]

KeyNeed = Literal["required", "optional", "none"]
"""Whether calls need a credential: always; only if the server was set up so; never (one that is passed is sent)."""


class Option(Value, frozen=True, kw_only=True):
    """A setting of one provider's own, and where it goes.

    `header` or `member` names the request header or body member that carries it. `shape` is what a value may be:
    text; an object; a list of texts; `document`: text, or an object that travels as JSON text. `prefix` is put before
    a text that does not begin with it. `variable` is an environment variable that sets it, read only for calls to the
    provider's own hosts; `variables` are read after it.

    `slot` names the `{slot}` of the row's address templates that the option fills instead; `form` is the regular
    expression of what may stand there and `default` what does if nothing else is known. `credential` says that the
    row's signing scheme takes the value.
    """

    header: str = ""
    member: str = ""
    shape: Literal["text", "object", "list", "document"] = "text"
    prefix: str = ""
    variable: str = ""
    variables: tuple[str, ...] = ()
    slot: str = ""
    form: str = r"[A-Za-z0-9][A-Za-z0-9._:-]*"
    default: str = ""
    credential: bool = False

    @property
    def all_variables(self) -> tuple[str, ...]:
        """Every variable that sets the option, in the order of reading."""
        return (self.variable, *self.variables) if self.variable else self.variables


class Place(Value, frozen=True, kw_only=True):
    """Where and how one dialect is spoken, as far as it differs from the rest of the row."""

    base_url: str | None = None
    auth: AuthScheme | None = None


class PathRule(Value, frozen=True, kw_only=True):
    """What becomes of a dialect's path, and of the body that goes there.

    `path` is a whole path, or the beginning of one if it ends with `/`; `to` is the template that takes its place
    (`{model}` is the model's name as a path holds it), absolute if it begins with `{origin}`. `stream` limits the rule
    to streamed or to unstreamed requests, for hosts that tell them apart by address. `members` are put into the body
    (texts are templates), `without` are taken out of it.
    """

    path: str
    to: str
    stream: bool | None = None
    members: dict[str, Any] = {}
    without: tuple[str, ...] = ()


class Shape(Value, frozen=True, kw_only=True):
    """One form of the addresses of a provider that has no fixed one.

    `base_url` is a template whose `{slots}` options fill, `origins` are further hosts (templates too) that serve the
    same. `when` holds, per slot, the values for which this is the shape: a `*` at the end means any that begin so.
    `written` are other paths that callers write in a base URL for this one. `query` is put behind every path,
    `defaults` fill slots of this shape alone. `paths` are tried in order; a path that no rule names stays as it is.
    The slot `credential` is "key" for a call with an API key and "signed" for others.
    """

    base_url: str
    origins: tuple[str, ...] = ()
    when: dict[str, tuple[str, ...]] = {}
    written: tuple[str, ...] = ()
    query: str = ""
    defaults: dict[str, str] = {}
    paths: tuple[PathRule, ...] = ()


class SigningScheme(Value, frozen=True, kw_only=True):
    """How requests are signed where no plain key is used.

    `aws`: Signature Version 4 for `service`, with credentials of AWS's usual chain. `google`: an access token for the
    scope `service`, from a service account, gcloud's or the machine's credentials. `token`: a bearer token that the
    caller gives, or a function that gives it. `slots` are those of the address that the signature needs.
    """

    kind: Literal["aws", "google", "token"]
    service: str = ""
    slots: tuple[str, ...] = ()


class ProviderRow(Value, frozen=True, kw_only=True):
    """A party that answers.

    `dialects` are in order of preference. `base_url` is the whole address before the dialect's own paths, version
    included (None: the caller must give one); `places` holds dialects that live elsewhere on the same host. `hosts`
    are further addresses of the provider (scheme, host, port) to which a key from the environment may go.

    `key_variables` and `base_url_variables` are read in order, the first that is set wins; `host_variables` hold
    `host[:port]` in Ollama's form and are read last. `issuer` is the name under which replay state is kept (its own
    name unless said otherwise). `default_model` is there only where the provider promises that the name lasts.

    `shapes` stand for `base_url` where the address depends on options; the first that fits is used. `signing` is how
    calls without a plain key are authenticated. `reached` gives, for the beginnings of model names, the dialect that
    alone reaches such a model; `model_slot` the slot whose value is the model's name where none is given.
    `issuer_per_host`: what one host issued is nothing to another of the provider's.

    `maker` names, as `module:function`, what makes the provider's models where nobody is reached over a wire; it is
    called with everything that `get_provider` was given.

    `facts` names the row whose facts about models (prices, windows, …) hold for this one (its own unless said
    otherwise). `place_sign` is what parts a model's name from the place where it is to run ("" where names hold none).

    `counts` are the dialects in which the host counts the tokens of a prompt when it is asked to. `lists_models`: it
    tells its models where its dialects have the list, and charges nothing for it.

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
    shapes: tuple[Shape, ...] = ()
    signing: SigningScheme | None = None
    reached: dict[str, str] = {}
    model_slot: str = ""
    issuer_per_host: bool = False
    maker: str = ""
    counts: tuple[str, ...] = ()
    lists_models: bool = True
    facts: str = ""
    place_sign: str = ""
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

    def dialect_of(self, model: str | None) -> str:
        """The dialect in which a model is reached: the one that alone does, else the preferred one."""
        for beginning, dialect in self.reached.items():
            if model is not None and model.startswith(beginning):
                return dialect
        return self.dialects[0]
