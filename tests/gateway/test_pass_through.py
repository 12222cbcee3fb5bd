"""Raw pass-through: who may, what passes and what does not, and whose the objects are that are made on the way."""

from __future__ import annotations

import http.client
import re
import socket
import time
from collections.abc import Generator
from pathlib import Path

import openai
import pytest

from tests.gateway.object_service import BIG, ObjectService, ask, object_service
from tests.gateway.running import RunningGateway, running_gateway

ANNA, BERT, CLEO, NOBODY = (f"sk-{name}-0123456789abcdef" for name in ("anna", "bert", "cleo", "nobody"))
MASTER = "sk-master-0123456789abcdefghijklmnop"
CONFIG = """
server: {{master_key: {master}}}
providers:
  shelf: {{dialect: openai-responses, base_url: "{url}/v1", api_key: "sk-upstream"}}
models:
  m: [shelf/m]
keys:
  - {{name: anna, key: {anna}, pass_through: [{{provider: shelf, methods: [GET, POST, DELETE], paths: ["/**"]}}]}}
  - {{name: bert, team: red, key: {bert}, pass_through: [{{provider: shelf, methods: [GET, POST], paths: ["/**"]}}]}}
  - name: cleo
    team: red
    key: {cleo}
    pass_through: [{{provider: shelf, methods: [GET], paths: [/files, /files/*]}}]
  - {{name: nobody, key: {nobody}}}
"""


@pytest.fixture(scope="module")
def service() -> Generator[ObjectService]:
    with object_service() as found:
        yield found


@pytest.fixture(scope="module")
def front(service: ObjectService, tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    text = CONFIG.format(url=service.url, anna=ANNA, bert=BERT, cleo=CLEO, nobody=NOBODY, master=MASTER)
    folder: Path = tmp_path_factory.mktemp("front")
    with running_gateway(text, folder) as found:
        yield found


def _made(front: RunningGateway, key: str, collection: str = "files") -> str:
    answer = ask(front.url, "POST", f"/providers/shelf/{collection}", key, {"model": "m"})
    assert answer.status == 200, answer
    return answer.json["id"]


def test_the_providers_key_takes_the_place_of_the_clients(front: RunningGateway, service: ObjectService) -> None:
    headers = {
        "cookie": "session=1",
        "x-api-key": "another",
        "openai-organization": "org-other",
        "x-forwarded-for": "10.0.0.1",
        "openai-beta": "assistants=v2",
        "connection": "keep-alive, x-hop",
        "x-hop": "1",
    }
    answer = ask(front.url, "GET", "/providers/shelf/files?key=mine&limit=2&%6bey=mine", ANNA, headers=headers)
    assert answer.status == 200
    seen = service.requests[-1]
    assert seen.path == "/v1/files?limit=2"
    assert seen.headers["authorization"] == "Bearer sk-upstream"
    assert seen.headers["openai-beta"] == "assistants=v2"
    assert not {"cookie", "x-api-key", "openai-organization", "x-forwarded-for", "x-hop"} & seen.headers.keys()


def test_the_version_may_be_written_or_left_out(front: RunningGateway, service: ObjectService) -> None:
    for path in ("/files", "/v1/files"):
        assert ask(front.url, "GET", f"/providers/shelf{path}", CLEO).status == 200
        assert service.requests[-1].path == "/v1/files"


def test_an_answer_comes_in_full_with_the_headers_that_may_pass(front: RunningGateway) -> None:
    answer = ask(front.url, "GET", "/providers/shelf/images/x", ANNA)
    assert (answer.status, len(answer.body), answer.headers["content-type"]) == (200, BIG, "image/png")
    assert not {"set-cookie", "x-internal"} & answer.headers.keys()


@pytest.mark.parametrize(
    "path",
    [
        "/providers/shelf/files/../models",
        "/providers/shelf/files/%2e%2e/models",
        "/providers/shelf/files/%252e%252e/models",
        "/providers/shelf/files%2fx",
        "/providers/shelf/files//x",
        "/providers/shelf//files",
        "/providers/shelf/./files",
        "/providers/shelf/http://127.0.0.1:9/files",
        "/providers/shelf/files\\x",
        "/providers/shelf/",
        "/providers/%73helf/files",
        "/%70roviders/shelf/files",
    ],
)
def test_a_path_that_could_be_read_otherwise_is_refused(
    front: RunningGateway, service: ObjectService, path: str
) -> None:
    before = len(service.requests)
    assert ask(front.url, "GET", path, ANNA).status in (400, 403, 404)
    assert len(service.requests) == before


@pytest.mark.parametrize(
    ("key", "method", "path"),
    [
        (NOBODY, "GET", "/providers/shelf/files"),
        (CLEO, "POST", "/providers/shelf/files"),
        (CLEO, "GET", "/providers/shelf/batches"),
        (BERT, "DELETE", "/providers/shelf/files"),
        (ANNA, "GET", "/providers/elsewhere/files"),
    ],
)
def test_without_a_grant_nothing_passes(
    front: RunningGateway, service: ObjectService, key: str, method: str, path: str
) -> None:
    before = len(service.requests)
    answer = ask(front.url, method, path, key)
    assert answer.status == 403
    assert answer.json["error"]["code"] == "pass_through_not_allowed"
    assert len(service.requests) == before


def test_without_a_key_nothing_passes(front: RunningGateway) -> None:
    assert ask(front.url, "GET", "/providers/shelf/files", None).status == 401


def test_an_object_is_its_makers_and_its_teams(front: RunningGateway, service: ObjectService) -> None:
    mine, teams = _made(front, ANNA), _made(front, BERT)
    assert ask(front.url, "GET", f"/providers/shelf/files/{mine}", ANNA).status == 200
    assert ask(front.url, "GET", f"/providers/shelf/files/{teams}", CLEO).status == 200
    assert ask(front.url, "GET", f"/providers/shelf/files/{mine}", MASTER).status == 200
    before = len(service.requests)
    for path in (f"/providers/shelf/files/{teams}", "/providers/shelf/files/unheard-of"):
        answer = ask(front.url, "GET", path, ANNA)
        assert answer.status == 404
    assert len(service.requests) == before


def test_what_names_another_ones_object_is_refused(front: RunningGateway, service: ObjectService) -> None:
    mine, theirs = _made(front, ANNA), _made(front, BERT)
    before = len(service.requests)
    refused = ask(front.url, "POST", "/providers/shelf/batches", ANNA, {"input_file_id": theirs})
    escaped = b'{"input\\u005ffile_id": "%b"}' % theirs.encode()
    hidden = ask(front.url, "POST", "/providers/shelf/batches", ANNA, escaped, {"content-type": "application/json"})
    assert (refused.status, hidden.status) == (404, 404)
    assert len(service.requests) == before
    assert ask(front.url, "POST", "/providers/shelf/batches", ANNA, {"input_file_id": mine}).status == 200


def test_a_listing_shows_what_is_the_callers_alone(front: RunningGateway) -> None:
    mine, theirs = _made(front, ANNA), _made(front, BERT)
    listed = ask(front.url, "GET", "/providers/shelf/files", ANNA).json
    ids = [item["id"] for item in listed["data"]]
    assert mine in ids
    assert theirs not in ids
    assert listed["first_id"] == ids[0]
    everything = [item["id"] for item in ask(front.url, "GET", "/providers/shelf/files", MASTER).json["data"]]
    assert {mine, theirs} <= set(everything)


def test_the_files_of_a_batch_are_its_owners(front: RunningGateway) -> None:
    answer = ask(front.url, "POST", "/providers/shelf/batches", ANNA, {})
    result = answer.json["output_file_id"]
    assert ask(front.url, "GET", f"/providers/shelf/files/{result}", ANNA).status == 200
    assert ask(front.url, "GET", f"/providers/shelf/files/{result}", BERT).status == 404


def test_a_deleted_object_is_forgotten(front: RunningGateway, service: ObjectService) -> None:
    mine = _made(front, ANNA)
    assert ask(front.url, "DELETE", f"/providers/shelf/files/{mine}", ANNA).status == 200
    before = len(service.requests)
    assert ask(front.url, "GET", f"/providers/shelf/files/{mine}", ANNA).status == 404
    assert len(service.requests) == before


def test_an_upload_in_steps_goes_through_the_gateway(front: RunningGateway, service: ObjectService) -> None:
    begun = ask(front.url, "POST", "/providers/shelf/upload/v1/files", ANNA, b"", {"x-goog-upload-command": "start"})
    address = begun.headers["x-goog-upload-url"]
    assert address == f"{front.url}/providers/shelf/upload/v1/files?upload_id=7"
    path = address.removeprefix(front.url)
    done = ask(front.url, "POST", path, ANNA, b"data", {"x-goog-upload-command": "upload, finalize"})
    assert done.json["file"]["name"] == "files/abc"
    assert service.requests[-1].body == b"data"
    before = len(service.requests)
    assert ask(front.url, "GET", "/providers/shelf/files/abc", BERT).status == 404
    assert len(service.requests) == before


def test_what_a_provider_says_of_its_account_stays_here(front: RunningGateway) -> None:
    answer = ask(front.url, "GET", "/providers/shelf/forbidden", ANNA)
    assert (answer.status, answer.json["error"]["code"]) == (502, "upstream_credential_refused")
    assert b"proj_secret" not in answer.body
    assert "credential or account" in answer.json["error"]["message"]


def test_other_errors_pass_as_they_are(front: RunningGateway) -> None:
    answer = ask(front.url, "GET", "/providers/shelf/wrong", ANNA)
    assert (answer.status, answer.json["error"]["message"]) == (400, "no such purpose")


def test_a_redirect_is_not_followed(front: RunningGateway) -> None:
    answer = ask(front.url, "GET", "/providers/shelf/redirect", ANNA)
    assert answer.status == 502
    assert "location" not in answer.headers


def test_an_answer_that_breaks_off_does_not_look_whole(front: RunningGateway) -> None:
    with pytest.raises(http.client.IncompleteRead):
        ask(front.url, "GET", "/providers/shelf/cut", ANNA)


def test_a_slow_reader_holds_the_provider_back_and_its_going_ends_the_call(
    front: RunningGateway, service: ObjectService
) -> None:
    host, _, port = front.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as reader:
        head = f"GET /providers/shelf/endless HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {ANNA}\r\n\r\n"
        reader.sendall(head.encode())
        answer = reader.recv(1024)
        assert b"200 OK" in answer
        request_id = re.search(rb"x-dragoman-request-id: (\S+)", answer)
        assert request_id is not None
        deadline = time.monotonic() + 20
        seen, still = -1, 0
        while still < 20 and time.monotonic() < deadline:
            still = still + 1 if service.sent == seen else 0
            seen = service.sent
            service.left.wait(0.02)
        assert still == 20, "the provider was read on, though nobody took what it said"
        assert service.sent < 32 * 1024 * 1024
    assert service.left.wait(5)
    deadline = time.monotonic() + 5
    outcome = ""
    while outcome != "cancelled" and time.monotonic() < deadline:
        told = ask(front.url, "GET", f"/v1/requests/{request_id[1].decode()}", ANNA).json
        outcome = told["attempts"][0]["outcome"]
    assert outcome == "cancelled"


def test_head_asks_for_the_head_alone(front: RunningGateway, service: ObjectService) -> None:
    answer = ask(front.url, "HEAD", f"/providers/shelf/files/{_made(front, ANNA)}", ANNA)
    assert (answer.status, answer.body) == (200, b"")
    assert service.requests[-1].method == "HEAD"


def test_lines_of_a_batch_cannot_name_another_ones_file(front: RunningGateway, service: ObjectService) -> None:
    theirs = "file-of-another-one"
    gateway = front.gateway
    assert gateway is not None
    principal = next(each for each in gateway.generations.current().keys.principals() if each.name == "bert")
    front.run(gateway.holdings.record(principal, "shelf", [f"files/{theirs}"]))
    before = len(service.requests)
    line = b'{"custom_id": "1", "body": {"input": [{"type": "input_file", "file_id": "%b"}]}}' % theirs.encode()
    body = b"x" * 600_000 + line
    answer = ask(front.url, "POST", "/providers/shelf/files", ANNA, body, {"content-type": "multipart/form-data"})
    assert answer.status == 404
    assert len(service.requests) == before
    assert ask(front.url, "POST", "/providers/shelf/files", BERT, body, {"content-type": "text/plain"}).status == 200


def test_each_call_is_one_row_of_the_ledger(front: RunningGateway) -> None:
    answer = ask(front.url, "POST", "/providers/shelf/files", ANNA, {})
    told = ask(front.url, "GET", f"/v1/requests/{answer.headers['x-dragoman-request-id']}", ANNA).json
    (attempt,) = told["attempts"]
    assert (told["mode"], attempt["outcome"], attempt["cost"], attempt["basis"]) == (
        "pass-through",
        "ok",
        None,
        "unknown",
    )
    assert attempt["reason"] == "POST /files"


def test_a_kept_response_is_fetched_where_it_is(front: RunningGateway, service: ObjectService) -> None:
    made = ask(front.url, "POST", "/v1/responses", ANNA, {"model": "m", "input": "Hi"}).json["id"]
    for method, path in (("GET", ""), ("GET", "/input_items"), ("POST", "/cancel"), ("DELETE", "")):
        answer = ask(front.url, method, f"/v1/responses/{made}{path}", ANNA)
        assert answer.status == 200, answer
        assert service.requests[-1].path == f"/v1/responses/{made}{path}"
    before = len(service.requests)
    assert ask(front.url, "GET", f"/v1/responses/{made}", ANNA).status == 404
    theirs = ask(front.url, "POST", "/v1/responses", BERT, {"model": "m", "input": "Hi"}).json["id"]
    assert ask(front.url, "GET", f"/v1/responses/{theirs}", ANNA).status == 404
    assert len(service.requests) == before + 1


def test_the_official_client_keeps_files_and_batches_through_it(front: RunningGateway) -> None:
    with openai.OpenAI(base_url=f"{front.url}/providers/shelf/v1", api_key=ANNA, max_retries=0) as client:
        file = client.files.create(file=("lines.jsonl", b'{"custom_id": "1"}\n' * 50_000), purpose="batch")
        assert file.id in [each.id for each in client.files.list().data]
        batch = client.batches.create(input_file_id=file.id, endpoint="/v1/responses", completion_window="24h")
        assert batch.output_file_id is not None
        assert client.files.retrieve(batch.output_file_id).id == batch.output_file_id
        assert client.files.delete(file.id).deleted
        with pytest.raises(openai.NotFoundError):
            client.files.retrieve(file.id)
    stranger = openai.OpenAI(base_url=f"{front.url}/providers/shelf", api_key=NOBODY, max_retries=0)
    with stranger, pytest.raises(openai.PermissionDeniedError):
        stranger.files.list()
