"""Access: what a call is made of, worked out once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman.catalogue import ProviderRow, Secret, find, resolve
from dragoman.errors import ConfigError, MissingModel, UnknownProvider
from dragoman.values import Target


def test_everything_at_once() -> None:
    access = resolve("anthropic", model="claude-sonnet-4-5", environ={"ANTHROPIC_API_KEY": "k"})
    assert access.headers() == (("x-api-key", "k"),)
    assert access.url("/messages") == "https://api.anthropic.com/v1/messages"
    assert access.url("messages") == "https://api.anthropic.com/v1/messages"
    assert access.dialect == "anthropic"
    assert access.target == Target(provider="anthropic", issuer="anthropic", model="claude-sonnet-4-5")
    assert access.provider == "anthropic"
    assert access.issuer == "anthropic"
    assert access.model == "claude-sonnet-4-5"
    assert access.key_source == "ANTHROPIC_API_KEY"
    assert access.key_withheld is None
    assert dict(access.body_members) == {}
    assert repr(access) == (
        "Access(anthropic/claude-sonnet-4-5, anthropic at https://api.anthropic.com/v1, key from ANTHROPIC_API_KEY)"
    )


def test_headers_are_worked_out_once() -> None:
    access = resolve("openai", model="m", api_key="k", environ={})
    assert access.headers() is access.headers()


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("openai", ("authorization", "Bearer k")),
        ("anthropic", ("x-api-key", "k")),
        ("google", ("x-goog-api-key", "k")),
        ("portkey", ("x-portkey-api-key", "k")),
        ("ollama", ("authorization", "Bearer k")),
    ],
)
def test_how_a_key_is_shown(provider: str, expected: tuple[str, str]) -> None:
    assert resolve(provider, model="m", api_key="k", environ={}).headers() == (expected,)


def test_a_model_is_needed_where_there_is_no_default() -> None:
    with pytest.raises(MissingModel, match="openrouter/<model>"):
        resolve("openrouter", api_key="k", environ={})


def test_litellm_needs_nothing() -> None:
    access = resolve("litellm", environ={})
    assert access.url("/chat/completions") == "http://localhost:4000/v1/chat/completions"
    assert access.headers() == ()
    assert access.model == "gpt-4o"
    assert access.key_withheld is None


@pytest.mark.parametrize("model", ["", "  ", 7])
def test_a_model_must_be_a_name(model: Any) -> None:
    with pytest.raises(ConfigError, match="model"):
        resolve("openai", model=model, api_key="k", environ={})


def test_model_names_are_left_as_they_are() -> None:
    access = resolve("openrouter", model="vendor/model:free", api_key="k", environ={})
    assert access.model == "vendor/model:free"


def test_an_unknown_provider() -> None:
    with pytest.raises(UnknownProvider, match="groq"):
        resolve("grok_", model="m", environ={})


def test_the_callers_dialect_must_be_the_rows() -> None:
    assert resolve("openai", model="m", api_key="k", dialect="openai-chat", environ={}).dialect == "openai-chat"
    with pytest.raises(ConfigError, match="openai does not speak 'gemini'; it speaks openai-responses, openai-chat"):
        resolve("openai", model="m", api_key="k", dialect="gemini", environ={})


def test_another_dialect_of_the_same_deployment() -> None:
    access = resolve("deepseek", model="m", environ={"DEEPSEEK_API_KEY": "k"})
    other = access.speaking("anthropic")
    assert other.url("/messages") == "https://api.deepseek.com/anthropic/v1/messages"
    assert other.headers() == (("x-api-key", "k"),)
    assert other.target == access.target
    assert access.headers() == (("authorization", "Bearer k"),)
    assert access.speaking("openai-chat") is access
    assert other.speaking("openai-chat").url("/x") == access.url("/x")
    with pytest.raises(ConfigError, match="does not speak"):
        access.speaking("gemini")


def test_another_model_by_the_same_way() -> None:
    access = resolve("openrouter", model="a", api_key="k", environ={}, title="T", models=["x"])
    other = access.with_model("b")
    assert other.model == "b"
    assert other.headers() == access.headers()
    assert other.body_members == access.body_members
    assert access.model == "a"
    assert access.with_model("a") is access


def test_openrouters_options() -> None:
    routing = {"order": ["anthropic"], "allow_fallbacks": False}
    access = resolve(
        "openrouter",
        model="m",
        api_key="k",
        environ={},
        referer="https://app.example",
        title="My app",
        provider=routing,
        models=("a/b", "c/d"),
        transforms=["middle-out"],
        route=None,
    )
    assert dict(access.headers()) == {
        "http-referer": "https://app.example",
        "x-title": "My app",
        "authorization": "Bearer k",
    }
    assert access.body_members == {"provider": routing, "models": ["a/b", "c/d"], "transforms": ["middle-out"]}
    assert "app.example" not in repr(access)


def test_body_members_cannot_be_changed() -> None:
    access = resolve("openrouter", model="m", api_key="k", environ={}, models=["a"])
    members: Any = access.body_members
    with pytest.raises(TypeError):
        members["models"] = []


def test_portkeys_options() -> None:
    access = resolve(
        "portkey",
        model="m",
        environ={"PORTKEY_API_KEY": "p"},
        provider="openai",
        authorization="sk-upstream",
        config={"retry": {"attempts": 3}, "name": "ü"},
        virtual_key="vk",
        trace_id="t-1",
    )
    assert dict(access.headers()) == {
        "x-portkey-virtual-key": "vk",
        "x-portkey-config": '{"retry":{"attempts":3},"name":"\\u00fc"}',
        "x-portkey-provider": "openai",
        "authorization": "Bearer sk-upstream",
        "x-portkey-trace-id": "t-1",
        "x-portkey-api-key": "p",
    }
    same = resolve("portkey", model="m", api_key="p", environ={}, authorization="Bearer sk-upstream", config="pc-1")
    assert ("authorization", "Bearer sk-upstream") in same.headers()
    assert ("x-portkey-config", "pc-1") in same.headers()


def test_openais_account_options() -> None:
    environ = {"OPENAI_ORG_ID": "org-environment"}
    access = resolve("openai", model="m", api_key="k", environ=environ, organization="org-1", project="proj-1")
    assert dict(access.headers()) == {
        "openai-organization": "org-1",
        "openai-project": "proj-1",
        "authorization": "Bearer k",
    }
    assert ("openai-organization", "org-environment") in resolve(
        "openai", model="m", api_key="k", environ=environ
    ).headers()


@pytest.mark.parametrize(
    ("provider", "option", "hint"),
    [
        ("openrouter", "titel", "'title'"),
        ("openrouter", "modles", "'models'"),
        ("groq", "modle", "'model'"),
        ("groq", "organization", "no options of its own"),
        ("openai", "apikey", "'api_key'"),
        ("openai", "backend", "backend"),
    ],
)
def test_an_unknown_option_is_answered_with_a_near_one(provider: str, option: str, hint: str) -> None:
    given: dict[str, Any] = {option: "x"}
    with pytest.raises(ConfigError, match=f"{provider} has no option '{option}'") as caught:
        resolve(provider, model="m", api_key="k", environ={}, **given)
    assert hint in str(caught.value)
    with pytest.raises(ConfigError, match=option):
        resolve(provider, model="m", api_key="k", environ={}, settings=given)


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("provider", "openai", "must be a dict"),
        ("provider", ["openai"], "must be a dict"),
        ("models", "a/b", "must be a list"),
        ("title", 7, "must be a text"),
        ("title", "", "not an empty text"),
        ("route", {"a": 1}, "must be a text"),
        ("title", "two\r\nlines: x", "one line of ASCII"),
        ("title", "Café", "one line of ASCII"),
        ("title", "trailing ", "one line of ASCII"),
    ],
)
def test_an_option_of_the_wrong_shape_is_refused(option: str, value: Any, wanted: str) -> None:
    with pytest.raises(ConfigError, match=wanted) as caught:
        resolve("openrouter", model="m", api_key="k", environ={}, **{option: value})
    assert option in str(caught.value)


def test_settings_are_used_where_no_argument_was_given() -> None:
    settings = {
        "api_key": "set",
        "model": "set-model",
        "base_url": "https://proxy.example/v1",
        "dialect": "openai-chat",
        "organization": "org-set",
    }
    access = resolve("openai", settings=settings, environ={})
    assert (access.model, access.dialect, access.base_url) == ("set-model", "openai-chat", "https://proxy.example/v1")
    assert dict(access.headers()) == {"openai-organization": "org-set", "authorization": "Bearer set"}
    assert access.key_source == "settings"
    given = resolve(
        "openai",
        model="m",
        api_key="k",
        base_url="https://api.openai.com",
        dialect="openai-responses",
        organization="org",
        settings=settings,
        environ={},
    )
    assert (given.model, given.dialect, given.base_url) == ("m", "openai-responses", "https://api.openai.com/v1")
    assert dict(given.headers()) == {"openai-organization": "org", "authorization": "Bearer k"}


@pytest.mark.parametrize(
    ("provider", "given", "issuer"),
    [
        ("openai", {}, "openai"),
        ("openai", {"base_url": "https://eu.api.openai.com/v1"}, "openai"),
        ("openai", {"base_url": "http://localhost:8080/v1"}, "openai@localhost:8080"),
        ("chat_completions", {"base_url": "https://a.example"}, "chat_completions@a.example"),
        ("chat_completions", {"base_url": "https://b.example:8443"}, "chat_completions@b.example:8443"),
        ("ollama_compat", {}, "ollama"),
        ("litellm", {"base_url": "http://127.0.0.1:4000"}, "litellm"),
    ],
)
def test_state_is_issued_by_whoever_answers(provider: str, given: dict[str, Any], issuer: str) -> None:
    assert resolve(provider, model="m", api_key="k", environ={}, **given).issuer == issuer


def test_llama_is_its_backend() -> None:
    access = resolve("llama", model="m", environ={"TOGETHER_API_KEY": "t"})
    assert access.provider == "together"
    assert access.base_url == "https://api.together.xyz/v1"
    assert resolve("llama", model="m", backend="ollama", environ={}).base_url == "http://localhost:11434/api"
    assert resolve("llama", model="m", settings={"backend": "groq"}, api_key="k", environ={}).provider == "groq"
    for wrong in ("openai", 7):
        with pytest.raises(ConfigError, match="backend must be one of together"):
            resolve("llama", model="m", backend=wrong, environ={})


def test_a_row_in_place_of_a_name() -> None:
    row = msgspec.structs.replace(
        find("groq"), name="groq-eu", base_url="https://eu.example.com/openai/v1", key_variables=()
    )
    access = resolve(row, model="m", api_key=Secret("k"), environ={})
    assert access.target.provider == "groq-eu"
    assert access.issuer == "groq"
    assert access.url("/chat/completions") == "https://eu.example.com/openai/v1/chat/completions"


def test_static_headers_of_a_row_come_first() -> None:
    row = ProviderRow(
        name="mine", dialects=("openai-chat",), base_url="https://m.example", key="none", headers=(("x-tenant", "7"),)
    )
    assert resolve(row, model="m", api_key="k", environ={}).headers() == (
        ("x-tenant", "7"),
        ("authorization", "Bearer k"),
    )


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "from-the-process")
    assert resolve("groq", model="m").headers() == (("authorization", "Bearer from-the-process"),)
