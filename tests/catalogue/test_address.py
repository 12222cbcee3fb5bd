"""Base URLs in all the forms that people write them, and those that are refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dragoman.catalogue import ProviderRow, resolve
from dragoman.catalogue.address import Base, address_for, is_own, read_base, read_host
from dragoman.catalogue.rows import BUILT_IN
from dragoman.errors import ConfigError

PLAIN = [row for row in BUILT_IN.values() if not row.backends]


def reached(provider: str, base_url: str | None, dialect: str | None = None) -> str:
    return resolve(provider, model="m", api_key="k", base_url=base_url, dialect=dialect, environ={}).base_url


@pytest.mark.parametrize(
    ("provider", "dialect", "base_url", "expected"),
    [
        # With and without the version, and the slash at the end.
        ("ollama", None, "http://localhost:11434", "http://localhost:11434/api"),
        ("ollama", None, "http://localhost:11434/", "http://localhost:11434/api"),
        ("ollama", None, "http://localhost:11434/v1", "http://localhost:11434/api"),
        ("ollama", None, "http://localhost:11434/v1/", "http://localhost:11434/api"),
        ("ollama", None, "http://localhost:11434/v1//", "http://localhost:11434/api"),
        ("ollama", None, "http://localhost:11434/api", "http://localhost:11434/api"),
        ("ollama", None, "https://gpu.example/ollama", "https://gpu.example/ollama/api"),
        ("ollama", None, "https://gpu.example/ollama/v1", "https://gpu.example/ollama/api"),
        ("ollama", "openai-chat", "http://localhost:11434", "http://localhost:11434/v1"),
        ("ollama", "openai-chat", "http://localhost:11434/api", "http://localhost:11434/v1"),
        ("cohere", None, "https://api.cohere.com", "https://api.cohere.com/v2"),
        ("cohere", "openai-chat", "https://api.cohere.com/v2", "https://api.cohere.ai/compatibility/v1"),
        ("openai", None, "https://api.openai.com", "https://api.openai.com/v1"),
        ("openai", None, "HTTPS://API.OpenAI.com:443/v1", "https://api.openai.com/v1"),
        ("openai", None, "http://localhost:8080/v1", "http://localhost:8080/v1"),
        ("openai", None, "http://localhost:8080", "http://localhost:8080/v1"),
        ("anthropic", None, "https://api.anthropic.com", "https://api.anthropic.com/v1"),
        ("anthropic", None, "https://api.anthropic.com/v1", "https://api.anthropic.com/v1"),
        ("google", None, "https://generativelanguage.googleapis.com", "…/v1beta"),
        (
            "google",
            None,
            "https://generativelanguage.googleapis.com/v1",
            "https://generativelanguage.googleapis.com/v1",
        ),
        ("google", None, "https://generativelanguage.googleapis.com/v1alpha", "…/v1alpha"),
        # A provider whose version is not alone.
        ("groq", None, "https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("groq", None, "https://api.groq.com/openai", "https://api.groq.com/openai/v1"),
        ("groq", None, "https://eu.example.com/openai/v1", "https://eu.example.com/openai/v1"),
        ("openrouter", None, "https://openrouter.ai/api", "https://openrouter.ai/api/v1"),
        ("openrouter", "anthropic", "https://openrouter.ai/api", "https://openrouter.ai/api/v1"),
        ("zai", None, "https://api.z.ai", "https://api.z.ai/api/paas/v4"),
        ("zai", None, "https://api.z.ai/api/coding/paas/v4", "https://api.z.ai/api/coding/paas/v4"),
        ("qwen", None, "https://dashscope-intl.aliyuncs.com", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
        ("huggingface", None, "https://router.huggingface.co/together/v1", "https://router.huggingface.co/together/v1"),
        ("perplexity", None, "https://api.perplexity.ai", "https://api.perplexity.ai"),
        ("perplexity", None, "https://api.perplexity.ai/", "https://api.perplexity.ai"),
        # One host, several dialects, several places.
        ("deepseek", "openai-chat", None, "https://api.deepseek.com/v1"),
        ("deepseek", "openai-responses", None, "https://api.deepseek.com"),
        ("deepseek", "anthropic", None, "https://api.deepseek.com/anthropic/v1"),
        ("deepseek", "openai-chat", "https://api.deepseek.com", "https://api.deepseek.com/v1"),
        ("deepseek", "anthropic", "https://api.deepseek.com", "https://api.deepseek.com/anthropic/v1"),
        ("deepseek", "anthropic", "https://api.deepseek.com/v1", "https://api.deepseek.com/anthropic/v1"),
        ("deepseek", "openai-chat", "https://api.deepseek.com/anthropic", "https://api.deepseek.com/v1"),
        ("deepseek", "openai-chat", "https://api.deepseek.com/beta", "https://api.deepseek.com/beta"),
        ("zai", "anthropic", "https://api.z.ai/api/paas/v4", "https://api.z.ai/api/anthropic/v1"),
        # Elsewhere: OpenAI's own client takes the address with its version, Anthropic's and Google's without.
        ("openai", None, "https://gateway.example/team/openai", "https://gateway.example/team/openai"),
        ("anthropic", None, "https://gateway.example/team/claude", "https://gateway.example/team/claude/v1"),
        ("anthropic", None, "https://gateway.example/team/v1", "https://gateway.example/team/v1"),
        ("google", None, "https://gateway.example/team/gemini", "https://gateway.example/team/gemini/v1beta"),
        ("google", None, "https://gateway.example", "https://gateway.example/v1beta"),
        ("google", None, "https://gateway.example/v1", "https://gateway.example/v1"),
        ("chat_completions", None, "http://localhost:8000", "http://localhost:8000/v1"),
        ("chat_completions", None, "http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("chat_completions", None, "http://localhost:8000/engines/v3", "http://localhost:8000/engines/v3"),
        ("bifrost", None, "http://localhost:8080/openai", "http://localhost:8080/openai"),
        ("snowflake", None, "https://a.snowflakecomputing.com/api/v2/cortex/v1", "…/api/v2/cortex/v1"),
        # Hosts that are not plain names.
        ("openai", None, "http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("openai", None, "http://127.0.0.1", "http://127.0.0.1/v1"),
        ("openai", None, "https://bücher.example", "https://xn--bcher-kva.example/v1"),
    ],
)
def test_forms_of_one_address(provider: str, dialect: str | None, base_url: str | None, expected: str) -> None:
    found = reached(provider, base_url, dialect)
    if expected.startswith("…"):
        assert found.endswith(expected[1:])
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("base_url", "reason"),
    [
        ("https://api.openai.com/v1?key=abc", "query"),
        ("https://api.openai.com/v1?", "query"),
        ("https://api.openai.com/v1#top", "query or fragment"),
        ("https://user:password@api.openai.com/v1", "user name or password"),
        ("https://api.openai.com@evil.example/v1", "user name or password"),
        ("ftp://api.openai.com", "http:// or https://"),
        ("file:///etc/passwd", "http:// or https://"),
        ("localhost:8080/v1", "no scheme: write 'http://localhost:8080/v1'"),
        ("//localhost:8080", "no scheme"),
        ("api.openai.com", "no scheme"),
        ("https://", "host"),
        ("https:///v1", "host"),
        ("https://api.openai.com:99999", "port"),
        ("https://api.openai.com:0", "port"),
        ("https://api.openai.com:x", "host and port"),
        ("https://api openai.com", "spaces"),
        (" https://api.openai.com", "spaces"),
        ("https://api.openai.com/v1\r\nHost: evil.example", "line breaks"),
        ("https://api.openai.com/v1\n", "line breaks"),
        ("https://api.openai.com/\x00", "control characters"),
        ("https://api.openai.com\\@evil.example", "backslash"),
        ("https://api.openai.com/v1/../admin", "dot segments"),
        ("https://api.openai.com/%2E%2e/admin", "dot segments"),
        ("https://api.openai.com/ü", "percent-encoded"),
        ("https://api.openai.com/v1/chat/completions", "before '/chat/completions'"),
        ("https://api.openai.com/v1/responses/", "before '/responses'"),
        ("https://api.anthropic.com/v1/messages", "before '/messages'"),
        ("https://g.example/v1beta/models/gemini-pro:generateContent", "names an endpoint"),
        ("", "blank"),
        ("   ", "blank"),
    ],
)
def test_addresses_that_are_refused_with_a_reason(base_url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match="base_url") as caught:
        reached("openai", base_url)
    assert reason in str(caught.value)
    assert "password" not in str(caught.value).replace("user name or password", "")
    assert "abc" not in str(caught.value)


def test_an_error_names_the_variable_that_is_wrong() -> None:
    with pytest.raises(ConfigError, match="GROQ_BASE_URL"):
        resolve("groq", model="m", environ={"GROQ_BASE_URL": "proxy.example.com", "GROQ_API_KEY": "k"})


@pytest.mark.parametrize("name", ["bifrost", "chat_completions", "openai_compatible", "snowflake"])
def test_a_provider_without_an_address_asks_for_one(name: str) -> None:
    with pytest.raises(ConfigError, match=f"pass base_url=…, or set {name.upper()}_BASE_URL"):
        resolve(name, model="m", api_key="k", environ={})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("http://0.0.0.0", "http://127.0.0.1"),
        ("localhost", "http://localhost:11434"),
        ("example.com:1234", "http://example.com:1234"),
        (":1234", "http://127.0.0.1:1234"),
        ("example.com", "http://example.com:11434"),
        ("http://example.com", "http://example.com"),
        ("https://example.com", "https://example.com"),
        ("https://example.com:8443/", "https://example.com:8443"),
        ("https://example.com/ollama", "https://example.com/ollama"),
        ("example.com/ollama/", "http://example.com:11434/ollama"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:1234", "http://[::1]:1234"),
        ("::1", "http://[::1]:11434"),
        ("::", "http://[::1]:11434"),
        ("[::]:1234", "http://[::1]:1234"),
        ("http://[::]:1234", "http://[::1]:1234"),
        ("10.0.0.7", "http://10.0.0.7:11434"),
        ('"10.0.0.7:1"', "http://10.0.0.7:1"),
        (" 10.0.0.7 ", "http://10.0.0.7:11434"),
    ],
)
def test_forms_of_ollama_host(text: str, expected: str) -> None:
    assert str(read_host(text, 11434)) == expected
    assert resolve("ollama", model="m", environ={"OLLAMA_HOST": text}).base_url == f"{expected}/api"


@pytest.mark.parametrize("text", ["host:port", "a b", "http://user@host", "host:1:2]", "ftp://host", "host?x=1"])
def test_an_ollama_host_that_cannot_be_one_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match="OLLAMA_HOST"):
        resolve("ollama", model="m", environ={"OLLAMA_HOST": text})


def test_what_is_passed_comes_before_variables_and_a_url_before_a_host() -> None:
    environ = {"OLLAMA_HOST": "10.0.0.1", "OLLAMA_BASE_URL": "http://10.0.0.2"}
    assert resolve("ollama", model="m", environ=environ).base_url == "http://10.0.0.2/api"
    assert resolve("ollama", model="m", environ=environ, base_url="http://10.0.0.3").base_url == "http://10.0.0.3/api"
    settings = {"base_url": "http://10.0.0.4"}
    assert resolve("ollama", model="m", environ=environ, settings=settings).base_url == "http://10.0.0.4/api"


def test_ollama_host_is_for_ollama_alone() -> None:
    environ = {"OLLAMA_HOST": "10.0.0.1"}
    assert resolve("llama_cpp", model="m", environ=environ).base_url == "http://localhost:8080/v1"


@pytest.mark.parametrize("row", [row for row in PLAIN if row.base_url], ids=lambda row: row.name)
def test_a_rows_own_address_given_back_is_the_same_in_every_dialect(row: ProviderRow) -> None:
    assert row.base_url is not None
    for dialect in row.dialects:
        own = reached(row.name, None, dialect)
        assert own == row.base_for(dialect)
        for given_back in (own, own + "/", own.removesuffix("/v1"), row.base_url, str(read_base(own).origin)):
            assert reached(row.name, given_back, dialect) == own


LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
HOSTS = st.one_of(
    st.lists(LABELS, min_size=1, max_size=3).map(".".join).filter(lambda host: not host[-1].isdigit()),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
)
PATHS = st.lists(st.from_regex(r"[A-Za-z0-9_~-]{1,6}|v[0-9]{1,2}(beta)?", fullmatch=True), max_size=3).map(
    lambda segments: "".join(f"/{segment}" for segment in segments)
)
ADDRESSES = st.tuples(
    st.sampled_from(["http://", "https://", "HTTP://"]),
    HOSTS,
    st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}")),
    PATHS,
    st.sampled_from(["", "/", "//"]),
).map("".join)
DIALECTS = st.sampled_from(["openai-chat", "openai-responses", "anthropic", "gemini"])


def try_read(text: str) -> Base | None:
    try:
        return read_base(text)
    except ConfigError:
        return None


@settings(deadline=None)  # the machine may be busy
@given(
    ADDRESSES, DIALECTS, st.sampled_from([None, "https://a.example/v1", "https://a.example/x/v1", "https://a.example"])
)
def test_normalising_twice_changes_nothing(text: str, dialect: str, own: str | None) -> None:
    base = try_read(text)
    if base is None:
        return  # a path such as /messages
    once = address_for(base, dialect, own)
    assert once.origin == base.origin
    assert not once.path.endswith("/")
    assert once.path == "" or once.path.startswith("/")
    assert read_base(str(once)) == once
    assert address_for(once, dialect, own) == once


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=40))
@example("https://x\r\n.example")
@example("https://api.openai.com\u2028/v1")
@example("https://api.openai.com。evil.example")
def test_any_text_is_an_address_or_a_config_error(text: str) -> None:
    for base in (try_read(text), try_read(f"https://{text}")):
        if base is not None:
            shown = str(base)
            assert shown.isascii()
            assert not any(character <= " " or character == "\x7f" for character in shown)
            assert read_base(shown) == base


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=30))
def test_any_ollama_host_is_an_address_or_a_config_error(text: str) -> None:
    try:
        base = read_host(text, 11434)
    except ConfigError:
        return
    assert base.origin.host not in {"0.0.0.0", "::"}
    assert read_base(str(base)) == base


@settings(deadline=None)  # the machine may be busy
@given(ADDRESSES)
def test_only_an_equal_origin_is_own(text: str) -> None:
    base = try_read(text)
    own = read_base("https://api.groq.com/openai/v1").origin
    if base is not None:
        assert is_own(base.origin, [own]) == (str(base.origin) == "https://api.groq.com")
