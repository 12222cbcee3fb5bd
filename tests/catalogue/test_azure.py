"""Azure: both forms of its addresses, its keys and tokens."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from dragoman import get_model
from dragoman.catalogue import Access, Secret, check_provider, resolve
from dragoman.errors import ConfigError, MissingKey, MissingModel
from dragoman.transport import FakeTransport, HttpRequest, HttpResponse
from tests.catalogue.test_recorded_hosts import WIRE

ENDPOINT = {"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/", "AZURE_OPENAI_API_KEY": "k"}
DATED = {"api_version": "2024-10-21"}
V1 = "https://r.openai.azure.com/openai/v1"
CLASSIC = "https://r.openai.azure.com/openai/deployments"


def azure(environ: dict[str, str] | None = None, **given: Any) -> Access:
    options: dict[str, Any] = {"model": "gpt-4o", **given}
    return resolve("azure", environ=ENDPOINT if environ is None else environ, **options)


@pytest.mark.parametrize(
    ("given", "path", "url"),
    [
        ({}, "/chat/completions", f"{V1}/chat/completions"),
        ({}, "/responses", f"{V1}/responses"),
        ({"api_version": "preview"}, "/responses", f"{V1}/responses?api-version=preview"),
        (DATED, "/chat/completions", f"{CLASSIC}/gpt-4o/chat/completions?api-version=2024-10-21"),
        (DATED, "/embeddings", f"{CLASSIC}/gpt-4o/embeddings?api-version=2024-10-21"),
        (
            {"api_version": "2025-04-01-preview"},
            "/responses",
            "https://r.openai.azure.com/openai/responses?api-version=2025-04-01-preview",
        ),
        (
            {**DATED, "deployment": "mine"},
            "/chat/completions",
            f"{CLASSIC}/mine/chat/completions?api-version=2024-10-21",
        ),
        ({**DATED, "model": "a b/c"}, "/embeddings", f"{CLASSIC}/a%20b%2Fc/embeddings?api-version=2024-10-21"),
        (
            {"base_url": "https://s.openai.azure.com/openai/deployments/d"},
            "/chat/completions",
            "https://s.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
        ),
        (
            {"base_url": "https://s.openai.azure.com/openai/deployments/d", "api_version": "2025-01-01-preview"},
            "/chat/completions",
            "https://s.openai.azure.com/openai/deployments/d/chat/completions?api-version=2025-01-01-preview",
        ),
        (
            {"base_url": "https://s.openai.azure.com/openai"},
            "/chat/completions",
            "https://s.openai.azure.com/openai/v1/chat/completions",
        ),
        (
            {"base_url": "https://s.openai.azure.com//openai/v1/"},
            "/responses",
            "https://s.openai.azure.com/openai/v1/responses",
        ),
        (
            {"base_url": "https://s.services.ai.azure.com"},
            "/chat/completions",
            "https://s.services.ai.azure.com/openai/v1/chat/completions",
        ),
        (
            {"base_url": "https://apim.example.com/team", **DATED, "api_key": "k"},
            "/chat/completions",
            "https://apim.example.com/team/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        ),
    ],
)
def test_addresses(given: dict[str, Any], path: str, url: str) -> None:
    assert azure(**given).url(path) == url


def test_the_resource_alone() -> None:
    assert azure({"AZURE_OPENAI_API_KEY": "k"}, resource="mine").base_url == "https://mine.openai.azure.com/openai/v1"
    environ = {"AZURE_OPENAI_API_KEY": "k", "AZURE_RESOURCE_NAME": "mine", "OPENAI_API_VERSION": "2024-10-21"}
    assert azure(environ).url("/embeddings") == (
        "https://mine.openai.azure.com/openai/deployments/gpt-4o/embeddings?api-version=2024-10-21"
    )
    with pytest.raises(ConfigError, match=r"resource .*AZURE_RESOURCE_NAME.*AZURE_BASE_URL or AZURE_OPENAI_ENDPOINT"):
        azure({"AZURE_OPENAI_API_KEY": "k"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resource": "evil.example.com/"}, "resource cannot be"),
        ({"resource": "other"}, "base_url says 'r'"),
        ({"resource": "r", "base_url": "https://gw.example.com", "api_key": "k"}, "resource has no place"),
        ({"api_version": "yesterday"}, "api_version cannot be"),
        ({"api_version": "2024-10-21", "base_url": V1}, "api_version has no place"),
        ({"deployment": "a", "base_url": f"{CLASSIC}/b"}, "base_url says 'b'"),
        ({"deployment": "a/../b"}, "deployment cannot be"),
        ({"deployments": "a"}, "Did you mean 'deployment'"),
    ],
)
def test_what_cannot_be(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        azure(**given)


def test_the_deployment_can_stand_for_the_model() -> None:
    assert azure(model=None, deployment="mine").model == "mine"
    assert azure(model=None, base_url=f"{CLASSIC}/theirs").model == "theirs"
    with pytest.raises(MissingModel):
        azure(model=None)


def test_the_body_names_the_deployment_where_the_path_does_not() -> None:
    body: dict[str, Any] = {"model": "gpt-4o", "messages": []}
    assert azure(deployment="mine").place("/chat/completions", body)[1] == {"model": "mine", "messages": []}
    assert azure().place("/chat/completions", body)[1] == body
    dated = azure(api_version="2024-10-21", deployment="mine")
    assert dated.place("/chat/completions", body)[1] == body
    assert dated.place("/responses", body)[1]["model"] == "mine"
    assert body == {"model": "gpt-4o", "messages": []}


def test_other_models_have_other_deployments() -> None:
    other = azure(api_version="2024-10-21").with_model("gpt-5")
    assert "/deployments/gpt-5/" in other.url("/chat/completions")
    assert "api-version" in other.speaking("openai-responses").url("/responses")


# -- credentials -------------------------------------------------------------------------------------------------------


def test_a_key() -> None:
    access = azure()
    assert access.headers() == (("api-key", "k"),)
    assert access.signer is None


@pytest.mark.parametrize("base", ["https://s.openai.azure.com", "https://s.cognitiveservices.azure.com/openai/v1"])
def test_the_key_goes_to_azure(base: str) -> None:
    assert azure(base_url=base).headers() == (("api-key", "k"),)


@pytest.mark.parametrize(
    "base",
    [
        "https://s.openai.azure.com.evil.example",
        "https://openai.azure.com",
        "http://s.openai.azure.com",
        "https://s.openai.azure.com:8443",
        "https://a.b.openai.azure.com",
        "https://gw.example.com",
    ],
)
def test_the_key_and_the_settings_of_the_environment_go_nowhere_else(base: str) -> None:
    environ = {**ENDPOINT, "AZURE_OPENAI_AD_TOKEN": "t", "OPENAI_API_VERSION": "2024-10-21"}
    access = azure(environ, base_url=base)
    assert access.headers() == ()
    assert access.signer is None
    assert access.key_withheld is not None
    assert "api-version" not in access.url("/chat/completions")


def test_none_without_a_key() -> None:
    with pytest.raises(MissingKey, match="AZURE_OPENAI_API_KEY"):
        azure({"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com"})
    assert check_provider("azure", {"AZURE_RESOURCE_NAME": "r"}).state == "key missing"
    assert check_provider("azure", {"AZURE_OPENAI_API_KEY": "k"}).state == "address missing"
    assert check_provider("azure", ENDPOINT).state == "ready"


def test_tokens_of_entra() -> None:
    environ = {"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com"}
    asked: list[int] = []

    def provide() -> str:
        asked.append(1)
        return "made"

    cases = [
        (azure(environ, token="given"), "given"),
        (azure(environ, token=Secret("given")), "given"),
        (azure(environ, token=provide), "made"),
        (azure({**environ, "AZURE_OPENAI_AD_TOKEN": "set"}), "set"),
    ]
    for access, expected in cases:
        assert access.headers() == ()
        assert access.signer is not None
        request = HttpRequest("POST", access.url("/responses"), [], b"{}")
        for _ in range(2):
            done = asyncio.run(access.signer.sign(request, FakeTransport()))
            assert dict(done.headers) == {"authorization": f"Bearer {expected}"}
    assert len(asked) == 2
    assert azure({**ENDPOINT, "AZURE_OPENAI_AD_TOKEN": "set"}).headers() == (("api-key", "k"),)
    with pytest.raises(ConfigError, match="not both"):
        azure(token="t", api_key="k")
    for wrong in ("", " ", 7, "two words"):
        with pytest.raises(ConfigError, match="token"):
            azure(token=wrong)


# -- through the library -----------------------------------------------------------------------------------------------


def recorded() -> list[tuple[str, str, dict[str, Any]]]:
    found: list[tuple[str, str, dict[str, Any]]] = []
    for path in sorted((WIRE / "azure").glob("*.json")):
        recording = msgspec.json.decode(path.read_bytes())
        for exchange in recording["exchanges"]:
            request = exchange["request"]
            found.append((recording["api"], request["url"].replace(".com//", ".com/"), request["body"]))
    return found


def test_recorded_addresses_whole() -> None:
    if not WIRE.is_dir():
        pytest.skip("the recordings are not here: set DRAGOMAN_WIRE")
    paths = {"openai.chat_completions": "/chat/completions", "openai.embeddings": "/embeddings"}
    for api, url, body in recorded():
        address, _, query = url.partition("?api-version=")
        given: dict[str, Any] = {"api_version": query} if query else {}
        if "/deployments/" in address:
            given["deployment"] = address.partition("/deployments/")[2].partition("/")[0]
        access = azure(
            {"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "https://example-resource.openai.azure.com"},
            model=body["model"],
            dialect="openai-responses" if api == "openai.responses" else "openai-chat",
            **given,
        )
        placed, sent = access.place(paths.get(api, "/responses"), body)
        assert placed == url
        assert sent == body


def test_a_chat() -> None:
    answer = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    }
    transport = FakeTransport([HttpResponse(200, {"content-type": "application/json"}, msgspec.json.encode(answer))])
    model = get_model(
        "azure/gpt-4o",
        base_url="https://r.openai.azure.com",
        api_version="2024-10-21",
        token=lambda: "entra",
        transport=transport,
    )
    assert model.chat("hello").content == "hi"
    (asked,) = transport.requests
    assert asked.url == f"{CLASSIC}/gpt-4o/chat/completions?api-version=2024-10-21"
    assert dict(asked.headers)["authorization"] == "Bearer entra"
    assert "api-key" not in dict(asked.headers)
