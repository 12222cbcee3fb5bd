"""The key law (section 5 of the design): which credential goes where, and which never does."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from dragoman.catalogue import ProviderRow, Secret, find, resolve
from dragoman.catalogue.auth import BEARER
from dragoman.errors import ConfigError, MissingKey

ALL_KEYS = {
    variable: f"key-in-{variable}"
    for name in ("openai", "anthropic", "google", "groq", "openrouter", "mistral", "litellm", "together", "portkey")
    for variable in find(name).key_variables
}


def sent(provider: str, **given: Any) -> str | None:
    """The credential that a call would carry, as it stands in its header, without the scheme's prefix."""
    access = resolve(provider, model="m", **given)
    scheme = access.row.auth_for(access.dialect)
    values = [value.removeprefix(scheme.prefix) for name, value in access.headers() if name == scheme.header]
    assert len(values) <= 1
    everything = " ".join(f"{name}: {value}" for name, value in access.headers())
    if not values:
        assert "key-in-" not in everything
    return values[0] if values else None


class Case(NamedTuple):
    title: str
    provider: str
    environ: dict[str, str]
    given: dict[str, Any]
    carried: str | None
    withheld: str | None = None
    """A piece of the explanation; None where there is none."""


OWN = {"GROQ_API_KEY": "env-key"}
ELSEWHERE = "https://proxy.example.com/openai/v1"
CASES = [
    Case("its own variable", "groq", OWN, {}, "env-key"),
    Case("the argument before the variable", "groq", OWN, {"api_key": "given"}, "given"),
    Case(
        "the argument before the settings", "groq", OWN, {"api_key": "given", "settings": {"api_key": "set"}}, "given"
    ),
    Case("the settings before the variable", "groq", OWN, {"settings": {"api_key": "set"}}, "set"),
    Case("a Secret as argument", "groq", {}, {"api_key": Secret("given")}, "given"),
    Case("a Secret in settings", "groq", {}, {"settings": {"api_key": Secret("set")}}, "set"),
    Case("none asked for", "groq", OWN, {"api_key": "none"}, None),
    Case("none asked for in settings", "groq", OWN, {"settings": {"api_key": "none"}}, None),
    Case("an argument before none in settings", "groq", OWN, {"api_key": "k", "settings": {"api_key": "none"}}, "k"),
    Case("blank variables are not set", "huggingface", {"HF_TOKEN": " ", "HUGGINGFACE_API_KEY": "b"}, {}, "b"),
    Case("the first variable wins", "huggingface", {"HF_TOKEN": "a", "HUGGINGFACE_API_KEY": "b"}, {}, "a"),
    # Addresses.
    Case("an address of its own, passed", "groq", OWN, {"base_url": "https://api.groq.com/openai/v1"}, "env-key"),
    Case("its own host in capitals", "groq", OWN, {"base_url": "HTTPS://API.GROQ.COM"}, "env-key"),
    Case("its own host and port", "groq", OWN, {"base_url": "https://api.groq.com:443/"}, "env-key"),
    Case("another own host", "together", {"TOGETHER_API_KEY": "t"}, {"base_url": "https://api.together.ai/v1"}, "t"),
    Case(
        "its former host", "huggingface", {"HF_TOKEN": "h"}, {"base_url": "https://api-inference.huggingface.co"}, "h"
    ),
    Case("another address", "groq", OWN, {"base_url": ELSEWHERE}, None, "GROQ_API_KEY was not sent to"),
    Case("another address in settings", "groq", OWN, {"settings": {"base_url": ELSEWHERE}}, None, "GROQ_BASE_URL"),
    Case("another address with a key", "groq", OWN, {"base_url": ELSEWHERE, "api_key": "given"}, "given"),
    Case("another address and none", "groq", OWN, {"base_url": ELSEWHERE, "api_key": "none"}, None),
    Case("another address, no key at all", "groq", {}, {"base_url": ELSEWHERE}, None, "pass api_key"),
    Case("clear text", "groq", OWN, {"base_url": "http://api.groq.com/openai/v1"}, None, "was not sent"),
    Case("another port", "groq", OWN, {"base_url": "https://api.groq.com:8443"}, None, "was not sent"),
    Case("a longer name", "groq", OWN, {"base_url": "https://api.groq.com.evil.example"}, None, "was not sent"),
    Case("a sub-domain", "groq", OWN, {"base_url": "https://eu.api.groq.com"}, None, "was not sent"),
    Case("a parent domain", "groq", OWN, {"base_url": "https://groq.com"}, None, "was not sent"),
    Case("its own host in the path", "groq", OWN, {"base_url": "https://evil.example/api.groq.com"}, None, "not sent"),
    Case("a trailing dot", "groq", OWN, {"base_url": "https://api.groq.com./openai/v1"}, None, "was not sent"),
    Case("a named address", "groq", OWN | {"GROQ_BASE_URL": ELSEWHERE}, {}, "env-key"),
    Case("a named address, passed too", "groq", OWN | {"GROQ_BASE_URL": ELSEWHERE}, {"base_url": ELSEWHERE}, "env-key"),
    Case(
        "a named address, and another of that host",
        "groq",
        OWN | {"GROQ_BASE_URL": ELSEWHERE},
        {"base_url": "https://proxy.example.com/other/v1"},
        None,
        "was not sent",
    ),
    Case(
        "a named address that cannot be one, and another",
        "groq",
        OWN | {"GROQ_BASE_URL": "nonsense"},
        {"base_url": ELSEWHERE},
        None,
        "was not sent",
    ),
    Case("another's address variable", "groq", OWN | {"OPENAI_BASE_URL": ELSEWHERE}, {}, "env-key"),
    # Local servers and gateways: the port is part of who it is.
    Case("a local gateway without a key", "litellm", {}, {}, None),
    Case("a local gateway with a key", "litellm", {"LITELLM_API_KEY": "l"}, {}, "l"),
    Case("this machine by number", "litellm", {"LITELLM_API_KEY": "l"}, {"base_url": "http://127.0.0.1:4000"}, "l"),
    Case("this machine by IPv6", "litellm", {"LITELLM_API_KEY": "l"}, {"base_url": "http://[::1]:4000/v1"}, "l"),
    Case(
        "another local server", "litellm", {"LITELLM_API_KEY": "l"}, {"base_url": "http://localhost:4001"}, None, "not"
    ),
    Case("a gateway elsewhere, without a key", "litellm", {}, {"base_url": "http://10.0.0.1:4000"}, None),
    Case("an empty optional key", "litellm", {"LITELLM_API_KEY": "l"}, {"api_key": ""}, None),
    Case(
        "openai's name for a local server", "openai", {}, {"base_url": "http://localhost:8080/v1"}, None, "pass api_key"
    ),
    Case("keyless", "ollama", ALL_KEYS | {"OLLAMA_API_KEY": "key-in-OLLAMA_API_KEY"}, {}, None),
    Case("keyless, a key passed", "ollama", {}, {"api_key": "given"}, "given"),
    # Nobody is lent the key of another.
    Case("a host of one's own", "openai_compatible", ALL_KEYS, {"base_url": "http://localhost:8000"}, None),
    Case("the same by its other name", "chat_completions", ALL_KEYS, {"base_url": "http://localhost:8000"}, None),
    Case("bifrost", "bifrost", ALL_KEYS, {"base_url": "http://localhost:8080/v1"}, None),
    Case(
        "the row of another vendor",
        "openai",
        ALL_KEYS,
        {"base_url": "https://api.groq.com/openai/v1"},
        None,
        "not sent",
    ),
    Case("portkey's own header", "portkey", {"PORTKEY_API_KEY": "p"}, {}, "p"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_what_is_sent(case: Case) -> None:
    assert sent(case.provider, environ=case.environ, **case.given) == case.carried
    withheld = resolve(case.provider, model="m", environ=case.environ, **case.given).key_withheld
    if case.withheld is None:
        assert withheld is None
    else:
        assert withheld is not None
        assert case.withheld in withheld
        assert "env-key" not in withheld
        assert withheld.endswith(".")


@pytest.mark.parametrize("name", ["groq", "deepseek", "xai", "cerebras", "mistral", "google", "openai", "fireworks"])
def test_the_keys_of_all_others_do_not_help(name: str) -> None:
    row = find(name)
    environ = {variable: value for variable, value in ALL_KEYS.items() if variable not in row.key_variables}
    with pytest.raises(MissingKey) as caught:
        resolve(name, model="m", environ=environ)
    assert row.key_variables[0] in str(caught.value)
    assert caught.value.variables == row.key_variables
    assert caught.value.provider == name
    assert "key-in-" not in str(caught.value)


def test_a_missing_key_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(MissingKey, match=r"groq needs an API key: set GROQ_API_KEY, pass api_key=….*none"):
        resolve("groq", model="m", environ={"OPENAI_API_KEY": "sk-openai"})


@pytest.mark.parametrize("given", [{"api_key": ""}, {"api_key": "  "}, {"settings": {"api_key": ""}}])
def test_an_empty_key_does_not_fall_back_to_the_variable(given: dict[str, Any]) -> None:
    with pytest.raises(MissingKey, match="empty"):
        resolve("groq", model="m", environ=OWN, **given)


def test_a_key_withheld_from_clear_text_says_so_without_the_key() -> None:
    access = resolve("groq", model="m", environ=OWN, base_url="http://api.groq.com")
    assert access.key_withheld is not None
    assert "http://api.groq.com/openai/v1" in access.key_withheld


@pytest.mark.parametrize("backend", ["together", "fireworks", "groq", "sambanova", "cerebras"])
def test_llama_uses_the_key_of_its_backend_alone(backend: str) -> None:
    variable = find(backend).key_variables[0]
    assert sent("llama", backend=backend, environ={variable: "k"}) == "k"
    with pytest.raises(MissingKey, match=variable):
        resolve("llama", model="m", backend=backend, environ={"LLAMA_API_KEY": "x", "OPENAI_API_KEY": "y"})


@pytest.mark.parametrize("variable", ["OPENAI_ORG_ID", "OPENAI_PROJECT_ID"])
@pytest.mark.parametrize(
    ("environ", "given", "own"),
    [
        ({}, {}, True),
        ({}, {"base_url": "https://eu.api.openai.com"}, True),
        ({}, {"base_url": "http://localhost:8080/v1", "api_key": "k"}, False),
        ({"OPENAI_BASE_URL": "https://proxy.example.com/v1"}, {}, False),
    ],
)
def test_account_variables_go_to_own_hosts_alone(
    variable: str, environ: dict[str, str], given: dict[str, Any], own: bool
) -> None:
    access = resolve("openai", model="m", environ={"OPENAI_API_KEY": "k", variable: "account-7"} | environ, **given)
    assert ("account-7" in [value for _, value in access.headers()]) is own


def test_account_variables_are_openais_own() -> None:
    environ = {"GROQ_API_KEY": "k", "OPENAI_ORG_ID": "org", "OPENAI_PROJECT_ID": "project"}
    assert resolve("groq", model="m", environ=environ).headers() == (("authorization", "Bearer k"),)


def test_a_row_of_ones_own_follows_the_same_law() -> None:
    row = ProviderRow(
        name="mine",
        dialects=("openai-chat",),
        base_url="https://llm.mine.example/v1/",
        key_variables=("MINE_API_KEY",),
        auth=BEARER,
    )
    environ = {"MINE_API_KEY": "m"}
    access = resolve(row, model="m", environ=environ)
    assert access.base_url == "https://llm.mine.example/v1"
    assert access.headers() == (("authorization", "Bearer m"),)
    elsewhere = resolve(row, model="m", environ=environ, base_url="https://other.example")
    assert elsewhere.headers() == ()
    assert elsewhere.key_withheld is not None


@pytest.mark.parametrize("bad", [7, b"key", ["key"]])
def test_a_key_of_another_type_is_refused(bad: Any) -> None:
    with pytest.raises(ConfigError, match="api_key"):
        resolve("groq", model="m", api_key=bad, environ={})
