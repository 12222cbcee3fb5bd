"""Until a part of the answer is shown another deployment may take over; after that a failure is told in the stream."""

from __future__ import annotations

import contextlib
import itertools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from dragoman.testing import Cut, FakeProvider, Malformed, Status
from tests.gateway.fronts import PROVIDER_KEY, PUBLIC_DIALECTS, say
from tests.gateway.official_asking import PythonClients
from tests.gateway.official_cases import Case, wrong_with
from tests.gateway.running import KEY, RunningGateway, running_gateway
from tests.gateway.scripted_upstream import Scripted, running_scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

_START = {
    "openai-chat": b": PROCESSING\n\n"
    b'data: {"id":"first","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
    b": PROCESSING\n\n",
    "openai-responses": b'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":'
    b'{"id":"resp_first","object":"response","created_at":1,"model":"m","status":"in_progress","output":[]}}\n\n'
    b'event: response.in_progress\ndata: {"type":"response.in_progress","sequence_number":1,"response":'
    b'{"id":"resp_first","object":"response","created_at":1,"model":"m","status":"in_progress","output":[]}}\n\n'
    b'event: response.output_item.added\ndata: {"type":"response.output_item.added","sequence_number":2,'
    b'"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant",'
    b'"content":[]}}\n\n',
    "anthropic": b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_first","type":"message",'
    b'"role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":5,"output_tokens":1}}}\n\n'
    b'event: ping\ndata: {"type": "ping"}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
    b'event: ping\ndata: {"type": "ping"}\n\n',
    "gemini": b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"index":0}],'
    b'"modelVersion":"m","responseId":"first"}\n\n',
}
"""What comes before any part of an answer: starts, comments, pings, empty deltas."""

_ERROR = {
    "openai-chat": b'data: {"error":{"message":"overloaded","type":"server_error","code":503}}\n\n',
    "openai-responses": b'event: error\ndata: {"type":"error","sequence_number":3,"code":"server_error",'
    b'"message":"overloaded","param":null}\n\n',
    "anthropic": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
    "gemini": b'data: {"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}\n\n',
}


@dataclass
class Pair:
    """A gateway whose models lead to `first`, and to `second` where that fails."""

    gateway: RunningGateway
    clients: PythonClients
    first: Scripted
    second: FakeProvider


_CONFIG = """
server: {{hold_seconds: {hold_seconds}, master_key: {key}}}
providers:
{providers}
models:
{models}
"""


@contextlib.contextmanager
def _running_pair(folder: Path, hold_seconds: float) -> Generator[Pair]:
    with running_scripted() as first, FakeProvider(say=say, key=PROVIDER_KEY) as second:
        providers: list[str] = []
        models: list[str] = []
        for dialect in PUBLIC_DIALECTS:
            version = "/v1beta" if dialect == "gemini" else "/v1"
            for name, url in (("first", first.url), ("second", second.url)):
                block = f'dialect: {dialect}, base_url: "{url}{version}", api_key: "{PROVIDER_KEY}"'
                providers.append(f"  {name}-{dialect}: {{{block}}}")
            for other in PUBLIC_DIALECTS:
                tried = f'["first-{dialect}/*", "second-{other}/*"]'
                models.append(f'  "{dialect}-then-{other}-*": {{deployments: {tried}, max_retries: 0}}')
            tried = f'["second-{dialect}/*", "first-{dialect}/*"]'
            models.append(f'  "good-{dialect}-*": {{deployments: {tried}, max_retries: 0}}')
        text = _CONFIG.format(
            hold_seconds=hold_seconds, key=KEY, providers="\n".join(providers), models="\n".join(models)
        )
        with running_gateway(text, folder) as gateway:
            clients = PythonClients(gateway.url)
            yield Pair(gateway, clients, first, second)
            clients.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pair]:
    """One that sends the head, with keep-alives, soon."""
    with _running_pair(tmp_path_factory.mktemp("pair"), 0.05) as running:
        yield running


@pytest.fixture(scope="module")
def patient_pair(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pair]:
    """One that sends nothing before there is something to say, however busy the machine is."""
    with _running_pair(tmp_path_factory.mktemp("patient"), 60) as running:
        yield running


_numbers = itertools.count()


def _fresh(name: str) -> str:
    """A model of deployments that nobody has seen fail yet: ill ones are passed over."""
    return f"{name}-{next(_numbers)}"


def _told(pieces: Callable[[str], Iterable[bytes]], dialect: str) -> Callable[[], Iterable[bytes]]:
    return lambda: pieces(dialect)


def _breaks_off(dialect: str) -> Iterable[bytes]:
    yield _START[dialect]


def _fails(dialect: str) -> Iterable[bytes]:
    yield _START[dialect] + _ERROR[dialect]


def _fails_late(dialect: str) -> Iterable[bytes]:
    """When the head has gone to the client, with keep-alives."""
    yield _START[dialect]
    time.sleep(0.12)
    yield _ERROR[dialect]


_FAILURES = {"breaks off": _breaks_off, "fails": _fails, "fails late": _fails_late}


@pytest.mark.parametrize("failure", _FAILURES)
@pytest.mark.parametrize("dialect", PUBLIC_DIALECTS)
@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_before_a_part_is_shown_another_deployment_takes_over(
    client: str, dialect: str, failure: str, pair: Pair
) -> None:
    pair.first.pieces = _told(_FAILURES[failure], dialect)
    asked, answered = pair.first.asked, len(pair.second.requests)
    case = Case(client, dialect, "chat", streamed=True)
    assert wrong_with(case, pair.clients.does(case, _fresh(f"{dialect}-then-{dialect}"))) == []
    assert pair.first.asked == asked + 1
    assert len(pair.second.requests) == answered + 1


@pytest.mark.parametrize("other", PUBLIC_DIALECTS)
@pytest.mark.parametrize("dialect", PUBLIC_DIALECTS)
def test_who_takes_over_may_speak_another_dialect(dialect: str, other: str, pair: Pair) -> None:
    """Nothing of the first one's start is left in the stream: the client's own helper demands a faultless one."""
    pair.first.pieces = _told(_fails, dialect)
    client: Any = pair.clients.anthropic
    asked: Any = {"max_tokens": 99, "messages": [{"role": "user", "content": "Say: good morning"}]}
    with client.messages.stream(model=_fresh(f"{dialect}-then-{other}"), **asked) as stream:
        starts = [event for event in stream if event.type == "message_start"]
        assert stream.get_final_text() == "good morning"
    assert len(starts) == 1
    assert "first" not in starts[0].message.id


@pytest.mark.parametrize("fault", [Cut(after=7), Cut(after=7, clean=True), Malformed(after=7)], ids=repr)
@pytest.mark.parametrize("dialect", PUBLIC_DIALECTS)
@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_after_a_part_was_shown_the_failure_is_the_clients_own_error(
    client: str, dialect: str, fault: Any, pair: Pair
) -> None:
    """Whatever the failure: no text of another model is put behind what was shown."""
    pair.second.fail(fault)
    asked = pair.first.asked
    text, error = _read_until_error(pair.clients, client, _fresh(f"good-{dialect}"))
    assert text, "nothing was shown"
    assert "one two three four five six seven eight nine ten".startswith(text.strip())
    assert error is not None, f"it ended as if it were whole: {text!r}"
    assert pair.first.asked == asked


def _read_until_error(clients: PythonClients, client: str, model: str) -> tuple[str, Exception | None]:
    """The text that a client was given, and the error of its own class that ended it."""
    import anthropic
    import openai
    from google.genai import errors as genai_errors

    text = ""
    try:
        for piece in _text_of(clients, client, model):
            text += piece
    except (openai.APIError, anthropic.APIError, genai_errors.APIError) as error:
        return text, error
    return text, None


_COUNTING: Any = [{"role": "user", "content": "Say: one two three four five six seven eight nine ten"}]


def _text_of(clients: PythonClients, client: str, model: str) -> Iterable[str]:
    if client == "openai-chat":
        for chunk in clients.openai.chat.completions.create(model=model, messages=_COUNTING, stream=True):
            yield (chunk.choices[0].delta.content or "") if chunk.choices else ""
    elif client == "openai-responses":
        for event in clients.openai.responses.create(model=model, input=_COUNTING, stream=True):
            yield event.delta if event.type == "response.output_text.delta" else ""
    elif client == "anthropic":
        with clients.anthropic.messages.stream(model=model, max_tokens=99, messages=_COUNTING) as stream:
            yield from stream.text_stream
    else:
        contents = _COUNTING[0]["content"]
        for answer in clients.genai.models.generate_content_stream(model=model, contents=contents):
            yield answer.text or ""


@pytest.mark.parametrize("dialect", PUBLIC_DIALECTS)
@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_when_nobody_can_answer_the_error_has_a_status(client: str, dialect: str, patient_pair: Pair) -> None:
    """Nothing was shown and nothing was sent: the client reads an error, not a stream."""
    patient_pair.first.pieces = _told(_fails, dialect)
    patient_pair.second.fail(Status(503, "too busy"))
    case = Case(client, dialect, "chat", streamed=True)
    outcome = patient_pair.clients.does(case, _fresh(f"{dialect}-then-{dialect}"))
    assert outcome["error"]["status"] >= 500
    assert outcome["error"]["should_retry"] == "false"
