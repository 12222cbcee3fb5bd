"""The built-in rows: complete, consistent, and each on its own."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from dragoman.catalogue import ProviderRow, find, names, resolve
from dragoman.catalogue.address import read_base
from dragoman.catalogue.rows import BUILT_IN

PLAIN = [row for row in BUILT_IN.values() if not row.backends]
DIALECTS = {"bedrock", "openai-chat", "openai-responses", "anthropic", "gemini", "cohere", "ollama"}
LOCAL = {"litellm", "ollama", "ollama_compat", "llama_cpp", "vllm", "lmstudio"}
PROMISED = (
    "openai anthropic google gemini mistral cohere groq together fireworks deepseek openrouter perplexity huggingface "
    "xai qwen sambanova cerebras portkey litellm bifrost ollama ollama_compat llama chat_completions openai_compatible "
    "llama_cpp vllm lmstudio zai snowflake heroku crusoe ollama_cloud voyage azure bedrock bedrock_mantle vertex"
).split()


def by_name(row: ProviderRow) -> str:
    return row.name


def test_the_promised_names_are_there_and_no_stubs() -> None:
    assert sorted(PROMISED) == sorted(BUILT_IN)
    assert not {"mock"} & set(BUILT_IN)
    assert set(PROMISED) <= set(names())


@pytest.mark.parametrize("row", PLAIN, ids=by_name)
def test_each_row_resolves_in_each_of_its_dialects_with_its_own_variable(row: ProviderRow) -> None:
    environ = {row.key_variables[0]: "key-of-this-row"} if row.key_variables else {}
    if row.base_url is None:
        environ[row.base_url_variables[0]] = "https://llm.example.com/v1"
    for dialect in row.dialects:
        access = resolve(row.name, model="some/model:tag", dialect=dialect, environ=environ)
        assert access.dialect == dialect
        assert access.target.provider == row.name
        assert access.model == "some/model:tag"
        assert access.quirks == row.quirks
        carried = [value for name, value in access.headers() if name == row.auth_for(dialect).header]
        assert carried == ([row.auth_for(dialect).prefix + "key-of-this-row"] if row.key_variables else [])
        assert access.key_withheld is None
        assert access.url("/x?y=z").endswith("/x?y=z")


@pytest.mark.parametrize("row", PLAIN, ids=by_name)
def test_each_row_is_well_formed(row: ProviderRow) -> None:
    assert row.dialects
    assert set(row.dialects) <= DIALECTS
    assert set(row.places) <= set(row.dialects)
    own = [address for address in (row.base_url, *(place.base_url for place in row.places.values())) if address]
    for address in own:
        assert str(read_base(address)) == address
        assert address.startswith("http://localhost:" if row.name in LOCAL else "https://")
    for host in row.hosts:
        assert str(read_base(host)) == host
        assert read_base(host).path == ""
        assert host.startswith("https://")
    assert row.base_url_variables[0] == f"{row.name.upper()}_BASE_URL"
    assert bool(row.key_variables) == (row.key != "none")
    for refused in (row.quirks.chat.refused, row.quirks.responses.refused):
        assert list(refused) == sorted(set(refused))
    for name, option in row.options.items():
        assert sum(map(bool, (option.header, option.member, option.slot, option.credential))) == 1, name
        assert option.header == option.header.lower()


@pytest.mark.parametrize("row", BUILT_IN.values(), ids=by_name)
def test_each_row_says_where_its_vendor_speaks_and_a_check_has_a_date(row: ProviderRow) -> None:
    assert not row.checked or date.fromisoformat(row.checked).year >= 2026
    assert row.documentation.startswith("https://") or row.name in {"openai_compatible", "chat_completions"}


def test_no_two_parties_read_the_same_variable() -> None:
    """A key variable is one party's own: this is what keeps a key from reaching another vendor."""
    owner: dict[str, str] = {}
    for row in PLAIN:
        organisational = tuple(name for option in row.options.values() for name in option.all_variables)
        for variable in (*row.key_variables, *row.base_url_variables, *row.host_variables, *organisational):
            assert owner.setdefault(variable, row.issuer) == row.issuer, variable


def test_no_two_parties_share_a_host() -> None:
    owner: dict[str, str] = {}
    for row in PLAIN:
        places = [place.base_url for place in row.places.values() if place.base_url]
        for address in (*([row.base_url] if row.base_url else []), *places, *row.hosts):
            assert owner.setdefault(str(read_base(address).origin), row.issuer) == row.issuer, address


@pytest.mark.parametrize(
    ("name", "issuer"),
    [("google", "google"), ("gemini", "google"), ("ollama", "ollama"), ("ollama_compat", "ollama"), ("groq", "groq")],
)
def test_names_of_one_party_share_its_issuer(name: str, issuer: str) -> None:
    assert find(name).issuer == issuer
    assert resolve(name, model="m", api_key="k", environ={}).issuer == issuer


def test_rows_are_data() -> None:
    for row in BUILT_IN.values():
        assert msgspec.json.decode(msgspec.json.encode(row), type=ProviderRow) == row


@pytest.mark.parametrize(
    ("name", "model"), [("litellm", "gpt-4o"), ("mistral", "mistral-large-latest"), ("deepseek", "deepseek-flash")]
)
def test_default_models(name: str, model: str) -> None:
    assert resolve(name, api_key="k", environ={}).model == model


@pytest.mark.parametrize(
    ("name", "dialects"),
    [
        ("openai", ("openai-responses", "openai-chat")),
        ("openrouter", ("openai-chat", "openai-responses", "anthropic")),
        ("llama_cpp", ("openai-chat", "openai-responses", "anthropic")),
        ("anthropic", ("anthropic",)),
        ("gemini", ("gemini",)),
    ],
)
def test_order_of_preference(name: str, dialects: tuple[str, ...]) -> None:
    assert find(name).dialects == dialects
