"""Vertex AI: where Gemini and Claude are reached, and what the body is there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman import fallback, get_model
from dragoman.catalogue import Access, find, resolve
from dragoman.engine.deployment import Deployment
from dragoman.engine.translate import to_http
from dragoman.errors import ConfigError, MissingKey
from dragoman.transport import FakeTransport, HttpResponse
from dragoman.values import Request, user
from tests.catalogue.test_recorded_hosts import WIRE

GLOBAL = "https://aiplatform.googleapis.com/v1/projects/p/locations/global"
GEMINI = "/models/gemini-x:generateContent"


def vertex(environ: dict[str, str] | None = None, **given: Any) -> Access:
    options: dict[str, Any] = {"model": "gemini-x", "token": "t", **given}
    return resolve("vertex", environ=environ or {}, **options)


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ({"project": "p"}, GLOBAL),
        ({"project": "example.com:p"}, "https://aiplatform.googleapis.com/v1/projects/example.com:p/locations/global"),
        (
            {"project": "p", "location": "europe-west4"},
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4",
        ),
        ({"project": "p", "location": "eu"}, "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu"),
        (
            {"project": "p", "api_version": "v1beta1"},
            "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global",
        ),
        (
            {"base_url": "https://us-central1-aiplatform.googleapis.com", "project": "p"},
            "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1",
        ),
        (
            {"base_url": "https://aiplatform.googleapis.com/v1beta1/projects/q/locations/global"},
            "https://aiplatform.googleapis.com/v1beta1/projects/q/locations/global",
        ),
        (
            {"base_url": "https://aiplatform.googleapis.com/v1beta1", "project": "p"},
            "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global",
        ),
        (
            {"base_url": "https://gw.example.com/vertex", "project": "p"},
            "https://gw.example.com/vertex/v1/projects/p/locations/global",
        ),
    ],
)
def test_addresses(given: dict[str, Any], base: str) -> None:
    access = vertex(**given)
    assert access.base_url == base
    assert access.url(GEMINI) == f"{base}/publishers/google{GEMINI}"


def test_what_the_environment_says() -> None:
    environ = {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "us-east5"}
    assert vertex(environ).base_url == "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5"
    assert vertex(environ, location="global").base_url == GLOBAL
    with pytest.raises(ConfigError, match=r"project=… or set GOOGLE_CLOUD_PROJECT"):
        vertex()
    # The account's settings are not told to another host.
    with pytest.raises(ConfigError, match="project"):
        vertex(environ, base_url="https://gw.example.com")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"project": "p/../q"}, "project cannot be"),
        ({"project": "p", "location": "evil.example.com"}, "location cannot be"),
        ({"project": "p", "api_version": "v1/x"}, "api_version cannot be"),
        ({"project": "p", "api_key": "k"}, "not both"),
        ({"project": "p", "base_url": "https://aiplatform.googleapis.com/v1/projects/q/locations/eu"}, "says 'q'"),
    ],
)
def test_what_cannot_be(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        vertex(**given)


def test_a_key_needs_no_project() -> None:
    access = resolve("vertex", model="gemini-x", environ={"VERTEX_API_KEY": "k"})
    assert access.headers() == (("x-goog-api-key", "k"),)
    assert access.signer is None
    assert access.url(GEMINI) == f"https://aiplatform.googleapis.com/v1/publishers/google{GEMINI}"


def test_models_of_other_collections() -> None:
    access = vertex(project="p")
    assert (
        access.url("/publishers/meta/models/m:generateContent") == f"{GLOBAL}/publishers/meta/models/m:generateContent"
    )
    assert access.url("/endpoints/7:generateContent") == f"{GLOBAL}/endpoints/7:generateContent"
    whole = "/projects/q/locations/us-central1/endpoints/7:generateContent"
    assert access.url(whole) == f"https://aiplatform.googleapis.com/v1{whole}"


def test_claude_is_reached_in_its_own_dialect() -> None:
    access = vertex(project="p", model="claude-sonnet-4-5@20250929")
    assert access.dialect == "anthropic"
    assert vertex(project="p").with_model("claude-x").dialect == "anthropic"
    assert access.with_model("gemini-x").dialect == "gemini"
    assert vertex(project="p", dialect="anthropic", model="other").with_model("another").dialect == "anthropic"


@pytest.mark.parametrize("stream", [False, True])
def test_claudes_requests(stream: bool) -> None:
    deployment = Deployment(access=vertex(project="p", model="claude-sonnet-4-5@20250929"))
    request = Request(model="claude-sonnet-4-5@20250929", messages=(user("hi"),), max_tokens=5)
    http, _ = to_http(deployment, deployment.dialect, request, stream=stream, adapt="note", timeout=None)
    method = "streamRawPredict" if stream else "rawPredict"
    assert http.url == f"{GLOBAL}/publishers/anthropic/models/claude-sonnet-4-5@20250929:{method}"
    body = msgspec.json.decode(http.body)
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in body
    assert body.get("stream", False) is stream
    assert body["max_tokens"] == 5


def test_counting_claudes_tokens_keeps_the_model() -> None:
    body: dict[str, Any] = {"model": "claude-x", "messages": []}
    url, sent = vertex(project="p", model="claude-x").place("/messages/count_tokens", body)
    assert url == f"{GLOBAL}/publishers/anthropic/models/count-tokens:rawPredict"
    assert sent == {**body, "anthropic_version": "vertex-2023-10-16"}


def test_a_prepared_row_has_the_quirks_of_the_host() -> None:
    quirks = find("vertex").quirks.gemini
    assert (quirks.labels, quirks.batch_embeddings, quirks.enum_numbers) == (True, False, "vertex")


def test_recorded_addresses_whole() -> None:
    if not WIRE.is_dir():
        pytest.skip("the recordings are not here: set DRAGOMAN_WIRE")
    compared = 0
    for path in sorted((WIRE / "vertex").glob("*.json")):
        for exchange in msgspec.json.decode(path.read_bytes())["exchanges"]:
            url = exchange["request"]["url"]
            _, version, _, project, _, location, rest = url.partition("://")[2].split("/", 6)
            access = vertex(project=project, location=location, api_version=version)
            path_of_dialect = "/" + rest.removeprefix("publishers/google/")
            assert access.url(path_of_dialect) == url
            compared += 1
    assert compared >= 20


# -- through the library -----------------------------------------------------------------------------------------------


def test_a_chat_with_a_token() -> None:
    answer = {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP", "index": 0}]
    }
    transport = FakeTransport([HttpResponse(200, {"content-type": "application/json"}, msgspec.json.encode(answer))])
    model = get_model("vertex/gemini-x", project="p", token="t", transport=transport)
    assert model.chat("hello").content == "hi"
    (asked,) = transport.requests
    assert asked.url == f"{GLOBAL}/publishers/google{GEMINI}"
    assert dict(asked.headers)["authorization"] == "Bearer t"


def test_credentials_that_are_nowhere_are_told_at_the_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for variable in ("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "VERTEX_API_KEY", "APPDATA", "NO_GCE_CHECK"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    transport = FakeTransport(lambda _request: HttpResponse(404, {}, b""))
    model = get_model("vertex/gemini-x", project="p", transport=transport)
    with pytest.raises(MissingKey, match="gcloud auth application-default login"):
        model.chat("hello")
    with pytest.raises(MissingKey, match="metadata server"), model.stream("hello") as stream:
        list(stream)
    assert all("metadata.google.internal" in request.url for request in transport.requests)
    answer = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}
    other = get_model(
        "groq/m",
        api_key="k",
        transport=FakeTransport([HttpResponse(200, {"content-type": "application/json"}, msgspec.json.encode(answer))]),
    )
    assert fallback(model, other).chat("hello").content == "hi"


def test_the_process_fetches_its_own_token_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    for variable in ("GOOGLE_APPLICATION_CREDENTIALS", "VERTEX_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    first, second = resolve("vertex", model="a"), resolve("vertex", model="b")
    assert first.signer is not None
    assert first.signer is second.signer
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "q")
    assert resolve("vertex", model="a").signer is not first.signer
