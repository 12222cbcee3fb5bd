"""`dragoman config`: what people read before they serve."""

from __future__ import annotations

import json
from pathlib import Path

import trustme

from scripts import config_schema
from tests.cli.programs import environment, run

GOOD = """
providers:
  openai: {api_key: "${OPENAI_API_KEY}"}
  here: {dialect: openai-chat, base_url: "http://127.0.0.1:8000/v1", api_key: none}
models:
  fast: {deployments: [here/mine], fallbacks: [gpt-4o]}
  gpt-4o: [openai/gpt-4o]
  "claude-*": ["anthropic/*"]
keys:
  - {name: ci, team: build, key: "${CI_KEY}", models: [fast], limits: {rpm: 600, concurrency: 20}}
"""


def test_a_good_configuration_is_told_in_short_without_its_secrets(tmp_path: Path) -> None:
    file = tmp_path / "dragoman.yaml"
    file.write_text(GOOD)
    variables = {"OPENAI_API_KEY": "sk-secret", "CI_KEY": "ci-secret", "ANTHROPIC_API_KEY": "a-secret"}
    done = run("config", "check", str(file), env=environment(**variables))
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"{file} can be used.",
        "server     127.0.0.1:4000, 1 worker",
        "providers  openai     openai-responses, openai-chat at https://api.openai.com/v1; key from this file",
        "           here       openai-chat at http://127.0.0.1:8000/v1; without a key",
        "           anthropic  anthropic at https://api.anthropic.com/v1; key from ANTHROPIC_API_KEY",
        "models     fast      here/mine, openai/gpt-4o",
        "           gpt-4o    openai/gpt-4o",
        "           claude-*  anthropic/*",
        "keys       ci (build)  models fast; 600 requests a minute; 20 at once",
    ]


def test_tls_is_told_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "dragoman.yaml"
    file.write_text("server:\n  tls: {certificate_file: both.pem}\nmodels: {a: [ollama/x]}\n")
    done = run("config", "check", str(file), env=environment())
    assert done.status == 1
    assert done.out.splitlines() == [
        f"{file}:2: server.tls.certificate_file: the file 'both.pem' cannot be read: No such file or directory",
        "1 problem",
    ]
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
    done = run("config", "check", str(file), env=environment())
    assert done.out.splitlines()[1] == "server     127.0.0.1:4000, 1 worker, TLS with both.pem"


def test_who_cannot_be_probed_is_told(tmp_path: Path) -> None:
    file = tmp_path / "dragoman.yaml"
    file.write_text(
        "providers: {openai: {api_key: a}, voyage: {api_key: b}}\nmodels: {v: [voyage/voyage-3]}\n"
        "health: {probe_seconds: 30}\n"
    )
    told = run("config", "check", str(file), env=environment()).out.splitlines()
    assert told[2].endswith("at https://api.openai.com/v1; key from this file")
    assert told[3].endswith("at https://api.voyageai.com/v1; key from this file; no free list: not probed")
    assert told[-1] == "health     lists of models every 30 s"


def test_every_problem_has_its_line_and_the_status_is_1(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("server: {port: high}\nmodels:\n  a: [opnai/x]\n")
    done = run("config", "check", str(file), env=environment())
    assert (done.status, done.err) == (1, "")
    assert done.out.splitlines() == [
        f"{file}:1: server.port: a whole number is wanted here, and not the text 'high'",
        f"{file}:3: models.a[0]: no provider is called 'opnai'. Did you mean 'openai'?",
        "2 problems",
    ]


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "dragoman.yaml"
    done = run("config", "check", str(file), env=environment())
    assert (done.status, done.out) == (1, f"{file} cannot be read: No such file or directory.\n")


def test_the_schema_is_the_published_one() -> None:
    done = run("config", "schema", env=environment())
    assert (done.status, done.err) == (0, "")
    assert json.loads(done.out) == json.loads(config_schema.text())
