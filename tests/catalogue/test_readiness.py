"""What `dragoman providers` tells: ready, or what is missing."""

from __future__ import annotations

import pytest

from dragoman.catalogue import ProviderRow, check_provider, check_providers, names
from dragoman.catalogue.rows import BUILT_IN
from dragoman.errors import UnknownProvider


@pytest.mark.parametrize(
    ("name", "environ", "state", "detail"),
    [
        ("groq", {"GROQ_API_KEY": "k"}, "ready", "key from GROQ_API_KEY"),
        ("groq", {}, "key missing", "set GROQ_API_KEY"),
        ("groq", {"GROQ_API_KEY": "  "}, "key missing", "set GROQ_API_KEY"),
        ("groq", {"OPENAI_API_KEY": "k"}, "key missing", "set GROQ_API_KEY"),
        ("huggingface", {}, "key missing", "set HF_TOKEN or HUGGINGFACE_API_KEY"),
        ("ollama", {}, "ready", "without a key, at http://localhost:11434/api"),
        ("ollama", {"OLLAMA_HOST": "0.0.0.0:1"}, "ready", "without a key, at http://127.0.0.1:1/api"),
        ("litellm", {}, "ready", "without a key, at http://localhost:4000/v1"),
        ("litellm", {"LITELLM_API_KEY": "k"}, "ready", "key from LITELLM_API_KEY"),
        ("bifrost", {}, "address missing", "pass base_url or set BIFROST_BASE_URL"),
        (
            "bifrost",
            {"BIFROST_BASE_URL": "http://localhost:8080"},
            "ready",
            "without a key, at http://localhost:8080/v1",
        ),
        ("snowflake", {"SNOWFLAKE_TOKEN": "k"}, "address missing", "pass base_url or set SNOWFLAKE_BASE_URL"),
        ("snowflake", {"SNOWFLAKE_BASE_URL": "https://a.example/v1"}, "key missing", "set SNOWFLAKE_TOKEN"),
        ("openai", {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "nonsense"}, "wrong", "OPENAI_BASE_URL has no scheme"),
        ("openai", {"OPENAI_API_KEY": "a b"}, "wrong", "OPENAI_API_KEY holds spaces"),
        ("llama", {"TOGETHER_API_KEY": "k"}, "ready", "key from TOGETHER_API_KEY"),
        ("llama", {}, "key missing", "set TOGETHER_API_KEY"),
    ],
)
def test_how_a_provider_stands(name: str, environ: dict[str, str], state: str, detail: str) -> None:
    found = check_provider(name, environ)
    assert (found.provider, found.state) == (name, state)
    assert detail in found.detail
    assert found.ready == (state == "ready")
    assert found.keyless == (state == "ready" and found.source == "")
    assert found.dialects


def test_a_missing_variable_is_named_as_data() -> None:
    assert check_provider("google", {}).variables == ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_API_KEY")
    assert check_provider("bifrost", {}).variables == ("BIFROST_BASE_URL",)
    assert check_provider("groq", {"GROQ_API_KEY": "k"}).variables == ()


def test_the_report_has_every_name_and_no_key() -> None:
    found = check_providers({"GROQ_API_KEY": "sk-very-secret"})
    assert [one.provider for one in found] == names()
    assert "sk-very-secret" not in repr(found)
    ready = {one.provider for one in found if one.ready and one.provider in BUILT_IN}
    assert ready == {"groq", "litellm", "llama_cpp", "lmstudio", "ollama", "ollama_compat", "vllm"}


def test_an_unknown_provider_is_an_error() -> None:
    with pytest.raises(UnknownProvider):
        check_provider("gorq", {})


def test_a_row_of_ones_own() -> None:
    row = ProviderRow(name="mine", dialects=("openai-chat",), base_url="https://m.example")
    assert check_provider(row, {}).detail == "pass api_key"
    nowhere = ProviderRow(name="mine", dialects=("openai-chat",))
    assert check_provider(nowhere, {}).detail == "pass base_url"
