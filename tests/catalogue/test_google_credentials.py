"""Google's credentials: keys, users, impersonation and machines, over a transport without a network."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from dragoman.catalogue import check_provider, find, resolve
from dragoman.catalogue.clouds import google
from dragoman.catalogue.signing import Signing
from dragoman.errors import (
    AuthenticationFailed,
    ConfigError,
    ConnectFailed,
    MissingExtra,
    MissingKey,
    ServerFault,
    TransportError,
)
from dragoman.transport import FakeTransport, HttpRequest, HttpResponse

NOW = 1_760_000_000.0
TOKENS = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
CALL = HttpRequest("POST", "https://aiplatform.googleapis.com/v1/x", [("accept", "x")], b"{}")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def service_account(**changes: Any) -> dict[str, Any]:
    pem = private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "key-project",
        "private_key_id": "kid-1",
        "private_key": pem.decode(),
        "client_email": "robot@key-project.iam.gserviceaccount.com",
        "token_uri": TOKENS,
        **changes,
    }


USER = {
    "type": "authorized_user",
    "client_id": "id.apps.googleusercontent.com",
    "client_secret": "client-very-secret",
    "refresh_token": "refresh-very-secret",
    "quota_project_id": "quota-project",
}


def answer(body: object, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, dumps(body))


def dumps(body: object) -> bytes:
    return json.dumps(body).encode()


def token(name: str, seconds: float = 3599) -> HttpResponse:
    return answer({"access_token": name, "expires_in": seconds, "token_type": "Bearer"})


def found(environ: dict[str, str] | None = None, clock: Callable[[], float] | None = None, **given: Any) -> Signing:
    signing = google.find(find("vertex"), given, environ or {}, ambient=True, clock=clock or Clock())
    assert signing is not None
    return signing


def signed(signing: Signing, transport: FakeTransport) -> dict[str, str]:
    return dict(asyncio.run(signing.make({}).sign(CALL, transport)).headers)


# -- service accounts --------------------------------------------------------------------------------------------------


def test_a_service_accounts_assertion_is_exchanged_for_a_token() -> None:
    clock = Clock()
    signing = found(clock=clock, credentials=service_account())
    assert signing.defaults == {"project": "key-project"}
    transport = FakeTransport([token("first"), token("second")])
    assert signed(signing, transport) == {"accept": "x", "authorization": "Bearer first"}
    (asked,) = transport.requests
    assert (asked.method, asked.url) == ("POST", TOKENS)
    form = parse_qs(asked.body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    text, _, signature = form["assertion"][0].rpartition(".")
    private_key().public_key().verify(decoded(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    header, claims = (json.loads(decoded(piece)) for piece in text.split("."))
    assert header == {"alg": "RS256", "typ": "JWT", "kid": "kid-1"}
    assert claims == {
        "iss": "robot@key-project.iam.gserviceaccount.com",
        "scope": SCOPE,
        "aud": TOKENS,
        "iat": NOW,
        "exp": NOW + 3600,
    }
    clock.now += 3200
    assert signed(signing, transport)["authorization"] == "Bearer first"
    clock.now += 200
    assert signed(signing, transport)["authorization"] == "Bearer second"


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_credentials_by_object_text_path_and_variable(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_bytes(dumps(service_account()))
    for signing in (
        found(credentials=service_account()),
        found(credentials=json.dumps(service_account())),
        found(credentials=str(file)),
        found(credentials=file),
        found({"GOOGLE_APPLICATION_CREDENTIALS": str(file)}),
    ):
        assert signed(signing, FakeTransport([token("t")]))["authorization"] == "Bearer t"


def test_no_secret_is_printed_or_told() -> None:
    access = resolve("vertex", model="m", environ={}, credentials=service_account())
    assert access.signer is not None
    pem: str = service_account()["private_key"]
    lines = [line for line in pem.splitlines() if len(line) > 20 and "KEY" not in line]
    signer: Any = access.signer
    texts = [repr(access), repr(signer), repr(access.credential), repr(signer._source)]
    for broken in (service_account(private_key="not-a-key-very-secret"), {**USER, "type": "external_account"}):
        try:
            signed(found(credentials=broken), FakeTransport())
        except ConfigError as error:
            texts.append(str(error))
    assert len(texts) == 6
    for text in texts:
        assert "secret" not in text.replace("secret=None", "").replace("client_secret", "")
        assert not any(line in text for line in lines)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"type": "service_account"}, "no client_email"),
        ({"type": "external_account"}, "'external_account'"),
        ({}, "None"),
        (service_account(token_uri="http://evil.example.com/t"), "not https"),
        ("/nowhere/key.json", "cannot be read"),
        ("{broken", "no JSON object"),
        ("[]", "cannot be read"),
        (7, "path of a credentials file"),
    ],
)
def test_credentials_that_cannot_be(broken: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        found(credentials=broken)


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    with pytest.raises(MissingExtra, match=r"dragoman\[vertex\]"):
        signed(found(credentials=service_account()), FakeTransport())


def test_a_refusal_is_typed() -> None:
    refused = answer({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
    with pytest.raises(AuthenticationFailed, match="Invalid JWT Signature") as caught:
        signed(found(credentials=service_account()), FakeTransport([refused]))
    assert (caught.value.code, caught.value.status, caught.value.provider) == ("invalid_grant", 400, "vertex")
    with pytest.raises(ServerFault):
        signed(found(credentials=service_account()), FakeTransport([answer("ill", 502)]))
    with pytest.raises(TransportError) as lost:
        signed(found(credentials=service_account()), FakeTransport([TransportError("cut", sent="yes")]))
    assert lost.value.sent == "no"
    with pytest.raises(TransportError, match="no access_token"):
        signed(found(credentials=service_account()), FakeTransport([answer({"expires_in": 3})]))


# -- users and impersonation -------------------------------------------------------------------------------------------


def test_gclouds_user_credentials(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "gcloud"
    folder.mkdir(parents=True)
    (folder / "application_default_credentials.json").write_bytes(dumps(USER))
    moved = tmp_path / "moved"
    folder_moved = moved / "application_default_credentials.json"
    moved.mkdir()
    folder_moved.write_bytes(dumps(USER))
    for environ in ({"HOME": str(tmp_path)}, {"CLOUDSDK_CONFIG": str(moved)}):
        signing = found(environ)
        assert signing.defaults == {"project": "quota-project"}
        transport = FakeTransport([token("user-token")])
        assert signed(signing, transport) == {
            "accept": "x",
            "authorization": "Bearer user-token",
            "x-goog-user-project": "quota-project",
        }
        form = parse_qs(transport.requests[0].body.decode())
        assert form["grant_type"] == ["refresh_token"]
        assert form["refresh_token"] == ["refresh-very-secret"]


def test_impersonation() -> None:
    url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b:generateAccessToken"
    credentials = {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": url,
        "source_credentials": USER,
    }
    answers = [token("user-token"), answer({"accessToken": "robot-token", "expireTime": "2125-01-01T00:00:00Z"})]
    transport = FakeTransport(answers)
    assert signed(found(credentials=credentials), transport)["authorization"] == "Bearer robot-token"
    asked = transport.requests[1]
    assert asked.url == url
    assert dict(asked.headers)["authorization"] == "Bearer user-token"
    assert json.loads(asked.body) == {"delegates": [], "scope": [SCOPE], "lifetime": "3600s"}


# -- machines ----------------------------------------------------------------------------------------------------------


def machine(request: HttpRequest) -> HttpResponse:
    """The metadata server."""
    assert request.url.startswith(
        "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A"
    )
    assert dict(request.headers) == {"metadata-flavor": "Google"}
    assert request.timeout.total is not None
    assert request.timeout.total <= 5
    members = {"access_token": "machine-token", "expires_in": 3599}
    return answer(members, metadata_flavor="Google")


def test_the_machines_own_account() -> None:
    signing = found()
    assert signing.source == ""
    transport = FakeTransport(machine)
    signer = signing.make({})

    async def run() -> None:
        done = await asyncio.gather(*(signer.sign(CALL, transport) for _ in range(100)))
        assert {dict(one.headers)["authorization"] for one in done} == {"Bearer machine-token"}

    asyncio.run(run())
    assert len(transport.requests) == 1


def test_a_metadata_server_elsewhere() -> None:
    transport = FakeTransport([answer({"access_token": "t"}, metadata_flavor="Google")])
    signed(found({"GCE_METADATA_HOST": "127.0.0.1:8080"}), transport)
    assert transport.requests[0].url.startswith("http://127.0.0.1:8080/computeMetadata/v1/")


@pytest.mark.parametrize(
    "nothing", [ConnectFailed("no route"), HttpResponse(404, {}, b""), token("of-a-router")], ids=repr
)
def test_nothing_anywhere_names_all_places(nothing: HttpResponse | TransportError, tmp_path: Path) -> None:
    with pytest.raises(MissingKey) as caught:
        signed(found({"HOME": str(tmp_path)}), FakeTransport([nothing]))
    for place in (
        "GOOGLE_APPLICATION_CREDENTIALS",
        f"{tmp_path}/.config/gcloud/application_default_credentials.json",
        "metadata.google.internal",
    ):
        assert place in caught.value.message
    assert caught.value.variables == ("GOOGLE_APPLICATION_CREDENTIALS",)


def test_metadata_that_is_switched_off_is_not_asked() -> None:
    with pytest.raises(MissingKey, match="off: NO_GCE_CHECK"):
        signed(found({"NO_GCE_CHECK": "true"}), FakeTransport())


# -- tokens of the caller's --------------------------------------------------------------------------------------------


def test_tokens_given() -> None:
    async def later() -> str:
        return "async-token"

    for given, expected in (
        ("text-token", "text-token"),
        (lambda: "made-token", "made-token"),
        (later, "async-token"),
    ):
        access = resolve("vertex", model="m", environ={}, project="p", token=given)
        assert access.signer is not None
        done = asyncio.run(access.signer.sign(CALL, FakeTransport()))
        assert dict(done.headers)["authorization"] == f"Bearer {expected}"
        assert "token" not in repr(access).replace("signed with token", "")
    access = resolve("vertex", model="m", environ={}, project="p", token=lambda: 7)
    assert access.signer is not None
    with pytest.raises(ConfigError, match="token"):
        asyncio.run(access.signer.sign(CALL, FakeTransport()))


def test_readiness(tmp_path: Path) -> None:
    assert check_provider("vertex", {}).state == "address missing"
    waiting = check_provider("vertex", {"GOOGLE_CLOUD_PROJECT": "p"})
    assert waiting.state == "key missing"
    assert "metadata.google.internal" in waiting.detail
    file = tmp_path / "key.json"
    file.write_bytes(dumps(service_account()))
    ready = check_provider("vertex", {"GOOGLE_APPLICATION_CREDENTIALS": str(file)})
    assert (ready.state, ready.keyless) == ("ready", False)
    assert ready.detail == "signed with GOOGLE_APPLICATION_CREDENTIALS"
