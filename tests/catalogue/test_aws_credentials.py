"""The chain of AWS credentials: files, roles, containers and instances, over a transport without a network."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from dragoman.catalogue import Access, Option, ProviderRow, Shape, SigningScheme, check_provider, resolve
from dragoman.catalogue.clouds import aws
from dragoman.catalogue.signing import Signing
from dragoman.errors import ConfigError, ConnectFailed, MissingKey, PermissionDenied, TransportError
from dragoman.transport import FakeTransport, HttpRequest, HttpResponse

ROW = ProviderRow(
    name="cloudy",
    dialects=("openai-chat",),
    shapes=(Shape(base_url="https://bedrock-runtime.{region}.amazonaws.com"),),
    signing=SigningScheme(kind="aws", service="bedrock", slots=("region",)),
    key_variables=("AWS_BEARER_TOKEN_BEDROCK",),
    base_url_variables=("CLOUDY_BASE_URL",),
    options={
        "region": Option(slot="region", variable="AWS_REGION", variables=("AWS_DEFAULT_REGION",)),
        "access_key_id": Option(credential=True),
        "secret_access_key": Option(credential=True),
        "session_token": Option(credential=True),
        "profile": Option(credential=True),
    },
)
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "env-very-secret"}
OFF = {"AWS_EC2_METADATA_DISABLED": "true"}
URL = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse"
NOW = 1_760_000_000.0
STS = """<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId>
<SecretAccessKey>sts-very-secret</SecretAccessKey><SessionToken>sts&amp;token</SessionToken>
<Expiration>{ends}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def ends(seconds: float = 3600) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(NOW + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def answer(body: object, status: int = 200) -> HttpResponse:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return HttpResponse(status, {}, data)


def keys(name: str, seconds: float = 3600) -> dict[str, str]:
    return {
        "AccessKeyId": name,
        "SecretAccessKey": "remote-very-secret",
        "Token": "remote-token",
        "Expiration": ends(seconds),
    }


def found(environ: dict[str, str], clock: Callable[[], float] | None = None, **given: Any) -> Signing:
    signing = aws.find(ROW, given, environ, ambient=True, clock=clock or Clock())
    assert signing is not None
    return signing


def signed(signing: Signing, transport: FakeTransport, region: str = "eu-west-1") -> dict[str, str]:
    signer = signing.make({"region": region})
    return headers_of(asyncio.run(signer.sign(HttpRequest("POST", URL, [("accept", "x")], b"{}"), transport)))


def headers_of(request: HttpRequest) -> dict[str, str]:
    return dict(request.headers)


def key_of(headers: dict[str, str]) -> str:
    return headers["authorization"].partition("Credential=")[2].partition("/")[0]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    return tmp_path


def files(home: Path, credentials: str = "", config: str = "") -> dict[str, str]:
    (home / ".aws" / "credentials").write_text(credentials)
    (home / ".aws" / "config").write_text(config)
    return {"HOME": str(home)}


# -- resolving ---------------------------------------------------------------------------------------------------------


def test_the_environment_signs_a_request() -> None:
    access = resolve(ROW, model="m", environ={**KEYS, "AWS_REGION": "eu-west-1", "AWS_SESSION_TOKEN": "t"})
    assert access.url("/model/m/converse") == URL
    assert access.headers() == ()
    assert access.signer is not None
    request = HttpRequest("POST", URL, [("content-type", "application/json"), ("accept", "x")], b"{}")
    done = asyncio.run(access.signer.sign(request, FakeTransport()))
    headers = headers_of(done)
    assert key_of(headers) == "AKIDENV"
    assert "/eu-west-1/bedrock/aws4_request" in headers["authorization"]
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token," in headers["authorization"]
    assert headers["x-amz-security-token"] == "t"
    assert headers["accept"] == "x"
    assert request.headers == [("content-type", "application/json"), ("accept", "x")]
    assert (done.method, done.url, done.body) == (request.method, request.url, request.body)
    for text in (repr(access), repr(access.signer), repr(access.credential), repr(done)):
        assert "very-secret" not in text


def test_a_bearer_key_comes_before_the_chain() -> None:
    environ = {**KEYS, "AWS_REGION": "eu-west-1", "AWS_BEARER_TOKEN_BEDROCK": "bedrock-key"}
    access = resolve(ROW, model="m", environ=environ)
    assert access.signer is None
    assert access.headers() == (("authorization", "Bearer bedrock-key"),)
    given = resolve(ROW, model="m", environ=environ, access_key_id="A", secret_access_key="s")
    assert given.signer is not None
    assert given.headers() == ()
    with pytest.raises(ConfigError, match="not both"):
        resolve(ROW, model="m", environ=environ, api_key="k", access_key_id="A", secret_access_key="s")


def test_the_region() -> None:
    with pytest.raises(ConfigError, match=r"region \(pass region=… or set AWS_REGION or AWS_DEFAULT_REGION\)"):
        resolve(ROW, model="m", environ=KEYS)
    by_argument = resolve(ROW, model="m", environ={**KEYS, "AWS_REGION": "eu-west-1"}, region="us-east-1")
    assert by_argument.base_url == "https://bedrock-runtime.us-east-1.amazonaws.com"
    by_base = resolve(ROW, model="m", environ=KEYS, base_url="https://bedrock-runtime.us-west-2.amazonaws.com")
    assert by_base.signer is not None
    assert "us-west-2" in repr(by_base.signer)
    with pytest.raises(ConfigError, match="base_url says 'us-west-2'"):
        resolve(ROW, model="m", environ=KEYS, base_url=by_base.base_url, region="us-east-1")
    for wrong in ("evil.example/", "a b", "x@y", ""):
        with pytest.raises(ConfigError, match="region"):
            resolve(ROW, model="m", environ=KEYS, region=wrong)


def test_ambient_credentials_never_go_to_another_host() -> None:
    def elsewhere(**given: Any) -> Access:
        environ = {**KEYS, "AWS_REGION": "eu-west-1"}
        return resolve(ROW, model="m", environ=environ, base_url="https://proxy.example.com", **given)

    access = elsewhere()
    assert access.signer is None
    assert access.key_withheld is not None
    assert elsewhere(access_key_id="A", secret_access_key="s", region="eu-west-1").signer is not None
    named = resolve(ROW, model="m", environ={**KEYS, "AWS_REGION": "a1", "CLOUDY_BASE_URL": "https://vpce.example.com"})
    assert named.signer is not None


def test_none_sends_nothing() -> None:
    access = resolve(ROW, model="m", environ={**KEYS, "AWS_REGION": "eu-west-1"}, api_key="none")
    assert access.signer is None
    assert access.headers() == ()


# -- files -------------------------------------------------------------------------------------------------------------


def test_profiles(home: Path) -> None:
    environ = files(
        home,
        "[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = file-very-secret\n"
        "[dev]\naws_access_key_id=AKIDDEV\naws_secret_access_key=file-very-secret\naws_session_token=tok\n",
        "[default]\nregion = eu-north-1\n[profile dev]\nregion = eu-west-3\n",
    )
    assert found(environ).defaults == {"region": "eu-north-1"}
    assert key_of(signed(found(environ), FakeTransport())) == "AKIDDEFAULT"
    dev = found({**environ, "AWS_PROFILE": "dev"})
    assert dev.defaults == {"region": "eu-west-3"}
    headers = signed(dev, FakeTransport())
    assert (key_of(headers), headers["x-amz-security-token"]) == ("AKIDDEV", "tok")
    assert key_of(signed(found({**environ, **KEYS, "AWS_PROFILE": "dev"}), FakeTransport())) == "AKIDENV"
    assert key_of(signed(found({**environ, **KEYS}, profile="dev"), FakeTransport())) == "AKIDDEV"
    with pytest.raises(ConfigError, match="no AWS profile 'nobody'"):
        found(environ, profile="nobody")
    access = resolve(ROW, model="m", environ={**environ, "AWS_PROFILE": "dev"})
    assert access.base_url == "https://bedrock-runtime.eu-west-3.amazonaws.com"
    assert "AWS profile 'dev'" in access.key_source


def test_files_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("[default]\naws_access_key_id=AKIDMINE\naws_secret_access_key=s\n")
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "mine")}
    assert key_of(signed(found(environ), FakeTransport())) == "AKIDMINE"


def test_keys_that_another_program_renews_in_the_file(home: Path) -> None:
    clock = Clock()
    text = "[default]\naws_access_key_id={}\naws_secret_access_key=s\n"
    signing = found(files(home, text.format("AKIDOLD")), clock)
    assert key_of(signed(signing, FakeTransport())) == "AKIDOLD"
    files(home, text.format("AKIDNEW"))
    clock.now += 601
    assert key_of(signed(signing, FakeTransport())) == "AKIDNEW"


def test_a_file_that_is_no_file_of_profiles_is_not_quoted(home: Path) -> None:
    environ = files(home, "aws_secret_access_key = file-very-secret\n")
    with pytest.raises(ConfigError, match=r"not a file of AWS profiles \(line 1\)") as caught:
        found(environ)
    assert "secret" not in str(caught.value)


def test_a_program_is_not_run(home: Path) -> None:
    environ = files(home, "", "[profile run]\ncredential_process = /bin/false\n")
    with pytest.raises(ConfigError, match="credential_process"):
        found({**environ, "AWS_PROFILE": "run"})
    assert found({**environ, **KEYS, "AWS_PROFILE": "run"}).source.startswith("AWS_ACCESS_KEY_ID")


# -- roles -------------------------------------------------------------------------------------------------------------


def test_a_role_with_a_source_profile(home: Path) -> None:
    environ = files(
        home,
        "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = file-very-secret\n",
        "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
        "external_id = e\nregion = eu-west-1\n",
    )
    clock = Clock()
    transport = FakeTransport([answer(STS.format(key="AKIDROLE", ends=ends())) for _ in range(2)])
    signing = found({**environ, "AWS_PROFILE": "role"}, clock)
    headers = signed(signing, transport)
    assert (key_of(headers), headers["x-amz-security-token"]) == ("AKIDROLE", "sts&token")
    (asked,) = transport.requests
    assert asked.url == "https://sts.eu-west-1.amazonaws.com/"
    assert key_of(headers_of(asked)) == "AKIDBASE"
    form = parse_qs(asked.body.decode())
    assert form["Action"] == ["AssumeRole"]
    assert form["RoleArn"] == ["arn:aws:iam::1:role/r"]
    assert form["ExternalId"] == ["e"]
    clock.now += 3000
    signed(signing, transport)
    assert len(transport.requests) == 1
    clock.now += 400
    signed(signing, transport)
    assert len(transport.requests) == 2


def test_a_web_identity(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("the-web-token\n")
    environ = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": "arn:r"}
    transport = FakeTransport([answer(STS.format(key="AKIDWEB", ends=ends()))])
    assert key_of(signed(found(environ), transport)) == "AKIDWEB"
    form = parse_qs(transport.requests[0].body.decode())
    assert form["Action"] == ["AssumeRoleWithWebIdentity"]
    assert form["WebIdentityToken"] == ["the-web-token"]
    assert "authorization" not in headers_of(transport.requests[0])


def test_a_role_that_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("the-web-token")
    environ = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": "arn:r"}
    body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorised</Message></Error></ErrorResponse>"
    with pytest.raises(PermissionDenied, match="Not authorised") as caught:
        signed(found(environ), FakeTransport([answer(body, 403)]))
    assert caught.value.code == "AccessDenied"
    assert caught.value.provider == "cloudy"


def test_single_sign_on(home: Path) -> None:
    environ = files(
        home,
        "",
        "[profile sso]\nsso_session = corp\nsso_account_id = 12\nsso_role_name = Reader\nregion = eu-west-1\n"
        "[sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://corp.example.com/start\n",
    )
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    file = cache / f"{hashlib.sha1(b'corp', usedforsecurity=False).hexdigest()}.json"
    file.write_text(json.dumps({"accessToken": "sso-token", "expiresAt": ends()}))
    role = {
        "accessKeyId": "AKIDSSO",
        "secretAccessKey": "s",
        "sessionToken": "t",
        "expiration": int((NOW + 3600) * 1000),
    }
    transport = FakeTransport([answer({"roleCredentials": role})])
    assert key_of(signed(found({**environ, "AWS_PROFILE": "sso"}), transport)) == "AKIDSSO"
    (asked,) = transport.requests
    assert asked.url.startswith("https://portal.sso.eu-central-1.amazonaws.com/federation/credentials?role_name=Reader")
    assert headers_of(asked)["x-amz-sso_bearer_token"] == "sso-token"
    file.write_text(json.dumps({"accessToken": "sso-token", "expiresAt": ends(-1)}))
    with pytest.raises(MissingKey, match="aws sso login"):
        signed(found({**environ, "AWS_PROFILE": "sso"}), FakeTransport())


# -- machines ----------------------------------------------------------------------------------------------------------


def test_a_container(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("container-token\n")
    environ = {
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/x",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
    }
    transport = FakeTransport([answer(keys("AKIDBOX"))])
    headers = signed(found(environ), transport)
    assert (key_of(headers), headers["x-amz-security-token"]) == ("AKIDBOX", "remote-token")
    assert transport.requests[0].url == "http://169.254.170.2/v2/credentials/x"
    assert headers_of(transport.requests[0]) == {"authorization": "container-token"}


def test_a_containers_address_over_plain_http_is_local() -> None:
    environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example.com/x"}
    with pytest.raises(ConfigError, match="over plain HTTP"):
        signed(found(environ), FakeTransport())
    transport = FakeTransport([answer(keys("AKIDPOD"))])
    pod = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials"}
    assert key_of(signed(found(pod), transport)) == "AKIDPOD"


class Instance:
    """An instance's metadata service, version 2."""

    def __init__(self) -> None:
        self.given = 0
        self.life = 3600.0 * 6

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.url.removeprefix("http://169.254.169.254")
        if (request.method, path) == ("PUT", "/latest/api/token"):
            assert headers_of(request) == {"x-aws-ec2-metadata-token-ttl-seconds": "21600"}
            return answer("imds-token")
        assert headers_of(request) == {"x-aws-ec2-metadata-token": "imds-token"}
        assert request.timeout.total is not None
        assert request.timeout.total <= 5
        if path == "/latest/meta-data/iam/security-credentials/":
            return answer("the-role\n")
        assert path == "/latest/meta-data/iam/security-credentials/the-role"
        self.given += 1
        return answer(keys(f"AKIDEC2-{self.given}", self.life))


def test_an_instance() -> None:
    clock, instance = Clock(), Instance()
    signing = found({}, clock)
    assert signing.source == ""
    transport = FakeTransport(instance)
    assert key_of(signed(signing, transport)) == "AKIDEC2-1"
    clock.now += 3600 * 5
    assert key_of(signed(signing, transport)) == "AKIDEC2-1"
    clock.now += 3600
    assert key_of(signed(signing, transport)) == "AKIDEC2-2"


def test_a_hundred_calls_at_once_ask_the_instance_once() -> None:
    instance = Instance()
    signer = found({}).make({"region": "eu-west-1"})
    transport = FakeTransport(instance)

    async def run() -> None:
        await asyncio.gather(*(signer.sign(HttpRequest("POST", URL, (), b"{}"), transport) for _ in range(100)))

    asyncio.run(run())
    assert instance.given == 1
    assert len(transport.requests) == 3


@pytest.mark.parametrize(
    "nothing", [ConnectFailed("no route"), HttpResponse(404, {}, b""), HttpResponse(200, {}, b"")], ids=repr
)
def test_nothing_anywhere_names_all_places(nothing: HttpResponse | TransportError, home: Path) -> None:
    signing = found(files(home))
    with pytest.raises(MissingKey) as caught:
        signed(signing, FakeTransport(lambda _request: nothing))
    for place in (
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        f"AWS profile 'default' in {home}/.aws/credentials and {home}/.aws/config",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "the instance's metadata service",
    ):
        assert place in caught.value.message
    assert caught.value.provider == "cloudy"


def test_metadata_that_is_switched_off_is_not_asked() -> None:
    with pytest.raises(MissingKey, match="off: AWS_EC2_METADATA_DISABLED"):
        signed(found(OFF), FakeTransport())


def test_an_error_of_the_way_says_that_the_call_was_not_sent(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    environ = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": "arn:r"}
    with pytest.raises(TransportError) as caught:
        signed(found(environ), FakeTransport([TransportError("cut", sent="yes")]))
    assert caught.value.sent == "no"


def test_readiness() -> None:
    assert check_provider(ROW, {}).state == "address missing"
    waiting = check_provider(ROW, {"AWS_REGION": "eu-west-1"})
    assert waiting.state == "key missing"
    assert "the instance's metadata service" in waiting.detail
    ready = check_provider(ROW, {**KEYS, "AWS_REGION": "eu-west-1"})
    assert (ready.state, ready.keyless) == ("ready", False)
    assert "AWS_ACCESS_KEY_ID" in ready.detail
