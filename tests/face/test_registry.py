"""Models by name: what is found, what is said when it is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import dragoman
from dragoman import MissingKey, MissingModel, ModelPool, UnknownName, UnknownProvider, get_model
from dragoman.catalogue import ProviderRow, lookup
from dragoman.providers import Message, MessageRole, ProviderRegistry, ProviderResponse, litellm, openrouter


def test_a_model_is_named_by_vendor_and_model() -> None:
    model = get_model("openrouter/anthropic/claude-sonnet-4-5", api_key="k")
    assert model.model_id == "openrouter/anthropic/claude-sonnet-4-5"
    assert repr(model) == "ChatModel('openrouter/anthropic/claude-sonnet-4-5')"


def test_an_unknown_vendor_names_near_ones() -> None:
    with pytest.raises(UnknownProvider, match="openai") as caught:
        get_model("opnai/gpt-4o")
    assert "openai" in caught.value.near


def test_a_missing_key_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "not-for-groq")
    with pytest.raises(MissingKey, match="GROQ_API_KEY"):
        get_model("groq/llama-3.1-8b-instant")


def test_a_missing_model_says_how_to_name_one() -> None:
    with pytest.raises(MissingModel, match="model="):
        ProviderRegistry.get_provider("groq", api_key="k")


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(dragoman.ConfigError, match="organisation"):
        get_model("openai/gpt-4o", api_key="k", organisation="o")


@pytest.mark.parametrize(("misspelt", "meant"), [("temprature", "temperature"), ("max_retry", "max_retries")])
def test_a_misspelt_setting_names_the_one_that_was_meant(misspelt: str, meant: str) -> None:
    with pytest.raises(dragoman.ConfigError, match=f"{misspelt}'; did you mean '{meant}'"):
        get_model("openai/gpt-4o", api_key="k", **{misspelt: 1})


def test_providers_are_listed_sorted_and_constructed_directly() -> None:
    names = ProviderRegistry.list_providers()
    assert names == sorted(names)
    assert {"openai", "anthropic", "google", "groq", "openrouter", "litellm", "ollama"} <= set(names)
    assert openrouter.new(model="openai/gpt-4o", api_key="k").model_id == "openrouter/openai/gpt-4o"
    assert litellm.new().model_id == "litellm/gpt-4o"
    assert ProviderRegistry.get_env_var_name("groq") == "GROQ_API_KEY"
    assert Message(role=MessageRole.USER, content="x").content == "x"
    assert ProviderResponse is dragoman.Response
    with pytest.raises(ImportError):
        from dragoman.providers import nobody  # noqa: F401  # pyright: ignore[reportUnusedImport]


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Takes back what the test registers: the catalogue is the process's own."""
    yield
    for name in ("mine", "mine-too"):
        lookup.unregister(name)


@pytest.mark.usefixtures("forgotten")
def test_a_provider_can_be_registered_as_row_or_by_decorator() -> None:
    row = ProviderRow(name="mine", dialects=("openai-chat",), base_url="http://127.0.0.1:9/v1", key="none")
    ProviderRegistry.register("mine", row)

    @ProviderRegistry.register("mine-too")
    def factory() -> ProviderRow:
        return ProviderRow(name="mine-too", dialects=("anthropic",), base_url="http://127.0.0.1:9/v1", key="none")

    assert callable(factory)
    assert get_model("mine/m").model_id == "mine/m"
    assert get_model("mine-too/m").route.candidates[0].deployment.access.dialect == "anthropic"


def test_a_pool_finds_names_and_says_what_it_has() -> None:
    pool = ModelPool()
    with pytest.raises(UnknownName, match="empty"):
        pool.get("smart")
    model = get_model("openai/gpt-4o", api_key="k")
    pool.add("smart", model)
    assert pool.get("smart") is model
    assert pool.names() == list(pool) == ["smart"]
    assert "smart" in pool
    assert len(pool) == 1
    with pytest.raises(UnknownName, match="'smart'"):
        pool.get("smrt")
    assert pool.remove("smart") is model
    assert len(pool) == 0


def test_the_front_door_lists_everything_it_has() -> None:
    for name in dragoman.__all__:
        assert getattr(dragoman, name) is not None
    assert set(dragoman.__all__) <= set(dir(dragoman))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = dragoman.nonsense  # pyright: ignore[reportAttributeAccessIssue]


def test_no_secret_is_in_what_prints() -> None:
    model = get_model("openai/gpt-4o", api_key="sk-very-secret")
    shown = repr(model) + repr(model.route) + str(model.route.candidates)
    assert "very-secret" not in shown
