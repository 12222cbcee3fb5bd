"""What providers keep for clients is used where it is, by whom it belongs to, and by nobody else."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import openai
import pytest

from dragoman.testing import FakeProvider
from tests.gateway.object_service import Got, ask
from tests.gateway.running import RunningGateway, running_gateway

ANNA, BERT, CLEO = (f"sk-{name}-0123456789abcdef" for name in ("anna", "bert", "cleo"))
MASTER = "sk-master-0123456789abcdefghijklmnop"
CONFIG = """
server: {{master_key: {master}}}
providers:
  first: {{dialect: openai-responses, base_url: "{first}", api_key: "fake-key-1"}}
  second: {{dialect: openai-responses, base_url: "{second}", api_key: "fake-key-1"}}
  chat: {{dialect: openai-chat, base_url: "{chat}", api_key: "fake-key-1"}}
  claude: {{dialect: anthropic, base_url: "{claude}", api_key: "fake-key-1"}}
  google: {{dialect: gemini, base_url: "{google}", api_key: "fake-key-1"}}
models:
  made-there: [second/fake-model]
  both: [first/fake-model, second/fake-model]
  elsewhere: [first/fake-model]
  chatting: [chat/fake-model]
  claude: [claude/fake-model]
  gemini: [google/fake-model]
  own-account: {{deployments: [{{model: second/fake-model, api_key: fake-key-2, name: other-account}}]}}
keys:
  - {{name: anna, team: red, key: {anna}}}
  - {{name: bert, team: red, key: {bert}}}
  - {{name: cleo, key: {cleo}}}
"""


@pytest.fixture(scope="module")
def fakes() -> Generator[tuple[FakeProvider, FakeProvider]]:
    with FakeProvider(strict=False) as first, FakeProvider(strict=False) as second:
        yield first, second


def _config(fakes: tuple[FakeProvider, FakeProvider]) -> str:
    first, second = fakes
    return CONFIG.format(
        first=first.base_url("openai-responses"),
        second=second.base_url("openai-responses"),
        chat=first.base_url("openai-chat"),
        claude=first.base_url("anthropic"),
        google=first.base_url("gemini"),
        master=MASTER,
        anna=ANNA,
        bert=BERT,
        cleo=CLEO,
    )


@pytest.fixture(scope="module")
def front(
    fakes: tuple[FakeProvider, FakeProvider], tmp_path_factory: pytest.TempPathFactory
) -> Generator[RunningGateway]:
    with running_gateway(_config(fakes), tmp_path_factory.mktemp("front")) as found:
        yield found


def _respond(front: RunningGateway, key: str, model: str, **members: Any) -> Got:
    return ask(front.url, "POST", "/v1/responses", key, {"model": model, "input": "Say: hello", **members})


def _id_of(answer: Got) -> str:
    assert answer.status == 200, answer
    if answer.headers["content-type"].startswith("text/event-stream"):
        lines = [line for line in answer.body.decode().splitlines() if line.startswith("data: {")]
        return json.loads(lines[0].removeprefix("data: "))["response"]["id"]
    return answer.json["id"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_goes_on_where_it_began(
    front: RunningGateway, fakes: tuple[FakeProvider, FakeProvider], stream: bool
) -> None:
    made = _id_of(_respond(front, ANNA, "made-there", stream=stream))
    first, second = (len(fake.requests) for fake in fakes)
    assert _respond(front, ANNA, "both", previous_response_id=made, stream=stream).status == 200
    assert (len(fakes[0].requests), len(fakes[1].requests)) == (first, second + 1)
    assert fakes[1].requests[-1].body["previous_response_id"] == made


def test_it_is_its_makers_and_the_teams_and_nobody_elses(
    front: RunningGateway, fakes: tuple[FakeProvider, FakeProvider]
) -> None:
    made = _id_of(_respond(front, ANNA, "both"))
    assert _respond(front, BERT, "both", previous_response_id=made).status == 200
    assert _respond(front, MASTER, "both", previous_response_id=made).status == 200
    before = [len(fake.requests) for fake in fakes]
    for identity in (made, "resp_unheard_of"):
        answer = _respond(front, CLEO, "both", previous_response_id=identity)
        assert answer.status == 404
        error = answer.json["error"]
        assert (error["code"], error["param"]) == ("previous_response_not_found", "previous_response_id")
    assert [len(fake.requests) for fake in fakes] == before


def test_the_official_client_is_told_in_its_own_class(front: RunningGateway) -> None:
    client = openai.OpenAI(base_url=f"{front.url}/v1", api_key=CLEO, max_retries=0)
    with client, pytest.raises(openai.NotFoundError):
        client.responses.create(model="both", input="Hi", previous_response_id="resp_unheard_of")


@pytest.mark.parametrize("model", ["elsewhere", "own-account"])
def test_a_model_that_does_not_lead_there_is_refused(front: RunningGateway, model: str) -> None:
    made = _id_of(_respond(front, ANNA, "made-there"))
    answer = _respond(front, ANNA, model, previous_response_id=made)
    assert (answer.status, answer.json["error"]["param"]) == (400, "previous_response_id")


def test_what_is_not_stored_is_not_there_later(fakes: tuple[FakeProvider, FakeProvider], tmp_path: Path) -> None:
    with running_gateway(_config(fakes), tmp_path) as front:
        made = _id_of(_respond(front, ANNA, "both", store=False))
        assert _respond(front, ANNA, "both", previous_response_id=made).status == 404


def test_it_survives_the_process(fakes: tuple[FakeProvider, FakeProvider], tmp_path: Path) -> None:
    with running_gateway(_config(fakes), tmp_path) as front:
        made = _id_of(_respond(front, ANNA, "made-there"))
    with running_gateway(_config(fakes), tmp_path) as front:
        assert _respond(front, ANNA, "both", previous_response_id=made).status == 200
        assert _respond(front, CLEO, "both", previous_response_id=made).status == 404


def test_another_ones_file_is_refused_in_every_dialect(
    front: RunningGateway, fakes: tuple[FakeProvider, FakeProvider]
) -> None:
    file: Any = {"type": "file", "file": {"file_id": "file-theirs"}}
    document: Any = {"type": "document", "source": {"type": "file", "file_id": "file_theirs"}}
    address = "https://generativelanguage.googleapis.com/v1beta/files/theirs"
    asked: list[tuple[str, dict[str, Any]]] = [
        ("/v1/chat/completions", {"model": "chatting", "messages": [{"role": "user", "content": [file]}]}),
        ("/v1/messages", {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": [document]}]}),
        (
            "/v1/responses",
            {
                "model": "both",
                "input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-theirs"}]}],
            },
        ),
        (
            "/v1beta/models/gemini:generateContent",
            {"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": address}}]}]},
        ),
        (
            "/v1beta/models/gemini:generateContent",
            {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "cachedContent": "cachedContents/theirs"},
        ),
    ]
    before = [len(fake.requests) for fake in fakes]
    for path, body in asked:
        answer = ask(front.url, "POST", path, ANNA, body)
        assert answer.status == 404, (path, answer)
        assert "theirs" in answer.json["error"]["message"]
    assert [len(fake.requests) for fake in fakes] == before


def test_a_name_written_with_escapes_hides_nothing(
    front: RunningGateway, fakes: tuple[FakeProvider, FakeProvider]
) -> None:
    body = b'{"model": "both", "input": "Hi", "previous\\u005fresponse_id": "resp_unheard_of"}'
    before = [len(fake.requests) for fake in fakes]
    answer = ask(front.url, "POST", "/v1/responses", ANNA, body, {"content-type": "application/json"})
    assert answer.status == 404
    assert [len(fake.requests) for fake in fakes] == before


def test_a_tool_of_the_callers_own_may_have_any_members(front: RunningGateway) -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"file_id": "of-my-own"}}
    schema = {"type": "object", "properties": {"file_id": {"type": "string", "id": "x"}}}
    body = {
        "model": "claude",
        "max_tokens": 9,
        "tools": [{"name": "read", "input_schema": schema}],
        "messages": [
            {"role": "user", "content": "Say: hello"},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "text"}]},
        ],
    }
    assert ask(front.url, "POST", "/v1/messages", ANNA, body).status == 200
