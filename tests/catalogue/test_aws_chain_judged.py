"""The files of AWS profiles are read as Amazon's own client reads them."""

from __future__ import annotations

import asyncio
import os
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dragoman.catalogue.clouds import aws
from dragoman.transport import FakeTransport, HttpRequest
from tests.catalogue.test_aws_credentials import ROW, headers_of, key_of


class Case(NamedTuple):
    title: str
    credentials: str = ""
    config: str = ""
    environ: dict[str, str] = {}


BOTH = "aws_access_key_id = {}\naws_secret_access_key = s\n"
ENV = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "s"}
CASES = [
    Case("default", f"[default]\n{BOTH.format('AKIDONE')}", "[default]\nregion = eu-west-1\n"),
    Case("a profile", f"[default]\n{BOTH.format('AKIDONE')}[b]\n{BOTH.format('AKIDTWO')}", "", {"AWS_PROFILE": "b"}),
    Case("keys in config", "", f"[profile b]\nregion=eu-west-3\n{BOTH.format('AKIDTWO')}", {"AWS_PROFILE": "b"}),
    Case("keys of the default in config", "", f"[default]\n{BOTH.format('AKIDTWO')}"),
    Case("credentials before config", f"[default]\n{BOTH.format('AKIDONE')}", f"[default]\n{BOTH.format('AKIDTWO')}"),
    Case("the environment before files", f"[default]\n{BOTH.format('AKIDONE')}", "", ENV),
    Case("the environment beside a profile", f"[b]\n{BOTH.format('AKIDONE')}", "", {**ENV, "AWS_PROFILE": "b"}),
    Case("comments", f"# c\n[default]\n; c\n{BOTH.format('AKIDONE')}\n\n", ""),
    Case("two words", "", f'[profile "b c"]\nregion=eu-west-3\n{BOTH.format("AKIDTWO")}', {"AWS_PROFILE": "b c"}),
    Case(
        "nested settings", f"[default]\n{BOTH.format('AKIDONE')}", "[default]\nregion = a1\ns3 =\n  max_bandwidth = 1\n"
    ),
    Case("a percent sign", "[default]\naws_access_key_id = AKIDONE\naws_secret_access_key = a%b/+=\n"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_amazons_own_client_finds_the_same(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "credentials").write_text(case.credentials)
    (tmp_path / "config").write_text(case.config)
    environ = {
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        **case.environ,
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    session: Any = import_module("botocore.session").Session()
    judged: Any = session.get_credentials()
    signing = aws.find(ROW, {}, environ, ambient=True)
    assert signing is not None
    signer = signing.make({"region": "eu-west-1"})
    done = asyncio.run(signer.sign(HttpRequest("POST", "https://x.amazonaws.com/", [], b""), FakeTransport()))
    assert key_of(headers_of(done)) == judged.access_key
    assert signing.defaults.get("region") == session.get_config_variable("region")
