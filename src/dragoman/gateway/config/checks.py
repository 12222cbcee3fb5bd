"""Checks between blocks: names that point at nothing, circles, twice the same, and what is not safe to serve."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from dragoman import catalogue
from dragoman.accounts import PathPattern, digest_of
from dragoman.accounts.principals import LOCAL, MASTER
from dragoman.errors import ConfigError, MissingKey
from dragoman.gateway.config.names import matched, name_problem
from dragoman.gateway.config.problems import near_name
from dragoman.gateway.config.providers import Provider, make_provider, missing_key
from dragoman.gateway.config.route_checks import check_spreading
from dragoman.gateway.config.server_tls import ServerTls, make_server_tls
from dragoman.gateway.config.structs import ConfigBlock, DeploymentBlock, KeyBlock, ModelBlock, ProviderBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dragoman.catalogue import Secret

    Steps = tuple[str | int, ...]

__all__ = ["Checks", "Model", "is_loopback", "serves_directly"]

LEAST_SECRET_LETTERS: Final = 16
LEAST_DIFFERENT_LETTERS: Final = 8
_KEY_LETTERS: Final = re.compile(r"[!-~]+")
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")
_HOST: Final = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?"
)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def serves_directly(config: ConfigBlock) -> bool:
    """Whether models of the providers may be asked for without being listed under `models`."""
    chosen = config.server.direct_models
    return not config.models if chosen is None else chosen


class Model(NamedTuple):
    """A model that was checked: each deployment is a block and has a name."""

    deployments: tuple[DeploymentBlock, ...]
    block: ModelBlock


class Checks:
    """One pass over a configuration. `providers`, `models` and `tls` are what it found, as far as it is sound."""

    def __init__(
        self,
        config: ConfigBlock,
        complain: Callable[[Steps, str], None],
        *,
        environ: Mapping[str, str],
        folder: Path,
    ) -> None:
        self._config = config
        self._complain = complain
        self._environ = environ
        self._folder = folder
        self._known = catalogue.names()
        self.providers: dict[str, Provider] = {}
        self.models: dict[str, Model] = {}
        self.tls: ServerTls | None = None
        self._used: set[str] = set()
        self._keyless: set[str] = set()

    def run(self) -> None:
        """Everything, in the order of the file."""
        config = self._config
        self._check_server()
        for name, block in config.providers.items():
            self._add_provider(name, block)
        for name, block in config.models.items():
            self._add_model(name, block)
        for name, model in self.models.items():
            self._check_fallbacks(name, model.block)
        self._check_circles()
        check_spreading(self.models, config.models, self.find, self._complain)
        self._check_keys()
        self._check_unused_keys()
        if not config.storage.database.startswith("sqlite:///"):
            self._complain(("storage", "database"), "a database is an SQLite file, as in 'sqlite:///dragoman.db'")
        spool = config.spool
        if spool.max_bytes is not None and spool.max_bytes < 2 * spool.segment_bytes:
            self._complain(
                ("spool", "max_bytes"), f"there must be room for two segments, which is {2 * spool.segment_bytes} bytes"
            )

    # -- server ----------------------------------------------------------------------------------------------------

    def _check_server(self) -> None:
        server = self._config.server
        for at, host in enumerate(server.trusted_hosts):
            if host and not _HOST.fullmatch(host):
                self._complain(
                    ("server", "trusted_hosts", at), "this is not the name of a host: write 'gateway.example'"
                )
        if server.master_key is not None:
            self._check_secret(("server", "master_key"), server.master_key)
        if server.tls is not None:
            self.tls = make_server_tls(server.tls, self._complain_of_tls, folder=self._folder)
        if not server.host or is_loopback(server.host):
            return
        if server.master_key is None and not self._config.keys:
            self._complain(
                ("server", "host"),
                f"at {server.host} others can reach the gateway, and nobody would need a key: give server.master_key "
                "or keys, or listen at 127.0.0.1",
            )

    def _complain_of_tls(self, member: str | None, message: str) -> None:
        self._complain(("server", "tls") if member is None else ("server", "tls", member), message)

    def _check_secret(self, path: Steps, secret: Secret) -> None:
        text = secret.reveal()
        if not text:
            return
        if not _KEY_LETTERS.fullmatch(text):
            self._complain(path, "a key is made of ASCII letters, digits and signs, without spaces")
        elif self._config.server.host and not is_loopback(self._config.server.host):
            if len(text) < LEAST_SECRET_LETTERS:
                self._complain(
                    path,
                    f"this key is too weak for a gateway that others can reach: it has {len(text)} letters, and needs "
                    f"{LEAST_SECRET_LETTERS}; 'openssl rand -hex 24' makes a good one",
                )
            elif len(set(text)) < LEAST_DIFFERENT_LETTERS:
                self._complain(
                    path,
                    "this key is too weak for a gateway that others can reach: it repeats few letters; "
                    "'openssl rand -hex 24' makes a good one",
                )

    # -- providers and models ------------------------------------------------------------------------------------------

    def _add_provider(self, name: str, block: ProviderBlock) -> None:
        provider = make_provider(
            name,
            block,
            lambda path, message: self._complain(("providers", name, *path), message),
            environ=self._environ,
            folder=self._folder,
        )
        if provider is not None:
            self.providers[name] = provider

    def _add_model(self, name: str, written: tuple[str | DeploymentBlock, ...] | ModelBlock) -> None:
        here: Steps = ("models", name)
        problem = name_problem(name)
        if problem is not None:
            self._complain(here, problem)
            return
        block = written if isinstance(written, ModelBlock) else ModelBlock(deployments=written)
        within: Steps = (*here, "deployments") if isinstance(written, ModelBlock) else here
        deployments: list[DeploymentBlock] = []
        names: set[str] = set()
        for at, each in enumerate(block.deployments):
            path: Steps = (*within, at)
            deployment = DeploymentBlock(model=each) if isinstance(each, str) else each
            model_path = path if isinstance(each, str) else (*path, "model")
            if not deployment.model or not self._check_deployment(name, deployment, model_path):
                continue
            called = deployment.name or deployment.model
            if called in names:
                self._complain(path, f"{called!r} is deployed twice in this model; give one of them a name of its own")
            names.add(called)
            deployments.append(replace(deployment, name=called))
        self.models[name] = Model(tuple(deployments), block)

    def _check_deployment(self, public: str, deployment: DeploymentBlock, path: Steps) -> bool:
        name, slash, model = deployment.model.partition("/")
        if not name or not slash or not model:
            near = near_name(deployment.model, self._config.models)
            self._complain(path, f"{deployment.model!r} is no deployment: write 'provider/model'.{near}")
            return False
        if "*" in name or model.count("*") > 1 or ("*" in model and "*" not in public):
            told = "a star stands in the name of the model, once, and only where the model's own name is a pattern"
            self._complain(path, f"{deployment.model!r}: {told}")
            return False
        provider = self._use_provider(name, path, has_key=deployment.api_key is not None)
        if provider is None:
            return False
        try:
            provider.access(model, deployment.api_key)
        except MissingKey:
            pass  # said of the provider
        except ConfigError as error:
            self._complain(path, error.message)
            return False
        return True

    def _use_provider(self, name: str, path: Steps, *, has_key: bool = False) -> Provider | None:
        """The provider that a deployment or grant names; one of the catalogue needs no block of its own."""
        configured = name in self._config.providers
        if not configured and name not in self._known:
            near = near_name(name, [*self._config.providers, *self._known])
            self._complain(path, f"no provider is called {name!r}.{near}")
            return None
        if not configured and name not in self.providers:

            def say(_: Steps, message: str) -> None:
                self._complain(path, message)

            made = make_provider(name, ProviderBlock(), say, environ=self._environ, folder=self._folder)
            if made is not None:
                self.providers[name] = made
        provider = self.providers.get(name)
        if provider is not None:
            self._used.add(name)
            if not has_key:
                self._need_key(provider, ("providers", name) if configured else path)
        return provider

    def _need_key(self, provider: Provider, path: Steps) -> None:
        if provider.missing is not None and provider.name not in self._keyless:
            self._keyless.add(provider.name)
            self._complain(path, missing_key(provider.name, provider.missing))

    def _check_unused_keys(self) -> None:
        # Who is named by nobody has to have its own key; elsewhere each deployment may bring one.
        directly = serves_directly(self._config)
        for name in self._config.providers:
            provider = self.providers.get(name)
            if provider is not None and (directly or name not in self._used):
                self._need_key(provider, ("providers", name))

    # -- fallbacks -----------------------------------------------------------------------------------------------------

    def find(self, name: str) -> str | None:
        """The name or pattern under `models` that a name leads to."""
        if name in self._config.models:
            return name
        return next((each for each in self._config.models if "*" in each and matched(each, name) is not None), None)

    def _check_fallbacks(self, name: str, model: ModelBlock) -> None:
        for at, fallback in enumerate(model.fallbacks):
            path: Steps = ("models", name, "fallbacks", at)
            if not fallback:
                continue
            found = self.find(fallback)
            if found is None or "*" in fallback:
                near = near_name(fallback, self._config.models)
                if not near and "/" in fallback:
                    near = " A provider's model belongs among the deployments."
                self._complain(path, f"no model here is called {fallback!r}.{near}")
            elif fallback in model.fallbacks[:at]:
                self._complain(path, f"{fallback!r} is named twice")

    def _check_circles(self) -> None:
        finished: set[str] = set()
        for start in self.models:
            self._walk(start, [], finished)

    def _walk(self, name: str, way: list[str], finished: set[str]) -> None:
        model = self.models.get(name)
        if name in finished or model is None:
            return
        way.append(name)
        for at, fallback in enumerate(model.block.fallbacks):
            following = self.find(fallback)
            if following is None:
                continue
            if following in way:
                circle = " → ".join([*way[way.index(following) :], following])
                self._complain(("models", name, "fallbacks", at), f"the fallbacks go in a circle: {circle}")
            else:
                self._walk(following, way, finished)
        way.pop()
        finished.add(name)

    # -- keys ----------------------------------------------------------------------------------------------------------

    def _check_keys(self) -> None:
        names: dict[str, int] = {}
        secrets: dict[bytes, str] = {}
        master = self._config.server.master_key
        if master is not None and master.reveal():
            secrets[digest_of(master.reveal())] = "server.master_key"
        for at, key in enumerate(self._config.keys):
            here: Steps = ("keys", at)
            if key.name in (MASTER, LOCAL):
                self._complain((*here, "name"), f"{key.name!r} is a name of the gateway's own; choose another one")
            elif key.name in names:
                self._complain(
                    (*here, "name"), f"two keys are called {key.name!r}; the first is keys[{names[key.name]}]"
                )
            elif key.name:
                names[key.name] = at
            digest = self._key_digest(key, here)
            if digest is not None:
                if digest in secrets:
                    place = "key" if key.key is not None else "key_sha256"
                    self._complain((*here, place), f"this is the same secret as that of {secrets[digest]}")
                else:
                    secrets[digest] = f"the key {key.name!r}"
            self._check_key_models(key, here)
            self._check_grants(key, here)

    def _key_digest(self, key: KeyBlock, here: Steps) -> bytes | None:
        if key.key is not None and key.key_sha256 is not None:
            self._complain(here, "give key or key_sha256, not both")
        elif key.key is not None:
            self._check_secret((*here, "key"), key.key)
            return digest_of(key.key.reveal()) if key.key.reveal() else None
        elif key.key_sha256 is None and key.name:
            self._complain(here, "'key' is missing; or give its SHA-256 digest as key_sha256")
        elif key.key_sha256 and not _DIGEST.fullmatch(key.key_sha256):
            self._complain((*here, "key_sha256"), "a SHA-256 digest is 64 hexadecimal digits")
        elif key.key_sha256:
            return bytes.fromhex(key.key_sha256)
        return None

    def _check_key_models(self, key: KeyBlock, here: Steps) -> None:
        directly = serves_directly(self._config)
        for at, name in enumerate(key.models):
            path: Steps = (*here, "models", at)
            if not name or name in self._config.models:
                continue
            if name.count("*") > 1:
                self._complain(path, "a pattern has one star")
            elif "*" not in name and self.find(name) is None and not directly:
                near = near_name(name, self._config.models)
                self._complain(path, f"no model here is called {name!r}.{near}")

    def _check_grants(self, key: KeyBlock, here: Steps) -> None:
        for at, grant in enumerate(key.pass_through):
            inside: Steps = (*here, "pass_through", at)
            if grant.provider:
                self._use_provider(grant.provider, (*inside, "provider"))
            for number, path in enumerate(grant.paths):
                try:
                    if path:
                        PathPattern(path)
                except ValueError as error:
                    self._complain((*inside, "paths", number), f"{path!r}: {error}")
