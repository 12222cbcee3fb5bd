"""The response cache as clients meet it: what is equal, what is kept, for whom, and what is booked."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from dragoman.testing import Cut, SlowHead, Status
from tests.gateway.cache_fronts import KEYS, CacheFront, request_of, running_cache_front
from tests.gateway.fronts import PUBLIC_DIALECTS

if TYPE_CHECKING:
    from collections.abc import Generator

_COMMENT = re.compile(rb": dragoman [^\n]*\n\n\Z")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Generator[CacheFront]:
    with running_cache_front(tmp_path_factory.mktemp("cache")) as running:
        yield running


def told(answer: httpx2.Response) -> str | None:
    return answer.headers.get("x-dragoman-cache")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("behind", PUBLIC_DIALECTS)
@pytest.mark.parametrize("dialect", PUBLIC_DIALECTS)
def test_equal_requests_get_the_same_bytes_of_one_call(
    front: CacheFront, dialect: str, behind: str, stream: bool
) -> None:
    words = f"Say: {dialect} before {behind}, {'streamed' if stream else 'whole'}"
    model = f"kept-{behind}"
    query = "?alt=sse" if dialect == "gemini" and stream else ""
    first = front.ask(words, dialect=dialect, model=model, stream=stream, query=query)
    second = front.ask(words, dialect=dialect, model=model, stream=stream, query=query)
    assert (first.status_code, second.status_code) == (200, 200), (first.text, second.text)
    assert (told(first), told(second)) == ("miss", "hit")
    assert _COMMENT.sub(b"", second.content) == _COMMENT.sub(b"", first.content)
    assert second.headers["content-type"] == first.headers["content-type"]
    assert int(second.headers["age"]) < 60
    assert front.asked_upstream(words) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("behind", ["openai-chat", "anthropic"])
def test_an_answer_of_the_cache_has_one_row_at_no_cost(front: CacheFront, behind: str, stream: bool) -> None:
    words = f"Say: booked {behind} {stream}"
    front.ask(words, model=f"kept-{behind}", stream=stream)
    again = front.ask(words, model=f"kept-{behind}", stream=stream)
    ((intent, settled),) = front.rows(again)
    assert settled is not None
    assert (settled.cache_hit, settled.cost, settled.basis, settled.sent) == (True, "0", "computed", "no")
    assert (settled.outcome, settled.input_tokens, settled.output_tokens) == ("ok", None, None)
    assert intent.mode == ("relay" if behind == "openai-chat" else "translate")
    assert (intent.route, intent.key, intent.stream) == (f"kept-{behind}", "ci", stream)
    assert intent.reason.startswith("kept for ")
    if stream:
        assert b"attempts=0 cost=0 USD" in again.content
    else:
        assert again.headers["x-dragoman-attempts"] == "0"
        assert again.headers["x-dragoman-cost"] == "0 USD"
        assert again.headers["x-dragoman-deployment"] == f"p-{behind}/fake-model"


def test_hits_and_misses_are_counted(front: CacheFront) -> None:
    def count(result: str) -> float:
        line = f'dragoman_cache_requests_total{{dialect="gemini",result="{result}",route="asked"}} '
        found = re.search(re.escape(line) + r"(\S+)", front.client.get("/metrics").text)
        return float(found[1]) if found else 0.0

    before = count("hit"), count("miss")
    for _ in range(3):
        front.ask("Say: counted", dialect="gemini", model="asked", headers={"x-dragoman-cache": "60"})
    assert (count("hit"), count("miss")) == (before[0] + 2, before[1] + 1)


def test_order_and_spaces_of_members_make_no_difference(front: CacheFront) -> None:
    head = {"authorization": f"Bearer {KEYS['ci']}", "content-type": "application/json"}
    one = b'{"model":"kept-openai-chat","messages":[{"role":"user","content":"Say: order"}],"temperature":0.5}'
    two = b'{ "temperature" : 0.5, "messages" : [{"role":"user","content":"Say: order"}], "model":"kept-openai-chat" }'
    answers = [front.client.post("/v1/chat/completions", content=body, headers=head) for body in (one, two)]
    assert list(map(told, answers)) == ["miss", "hit"]


@pytest.mark.parametrize(
    "more",
    [{"temperature": 0.1}, {"seed": 2}, {"user": "b"}, {"max_completion_tokens": 5}, {"stream": True}],
    ids=lambda more: next(iter(more)),
)
def test_any_difference_is_another_request(front: CacheFront, more: dict[str, Any]) -> None:
    words = f"Say: without {next(iter(more))}"
    front.ask(words)
    assert told(front.ask(words, **more)) == "miss"
    assert front.asked_upstream(words) == 2


def test_another_model_and_a_forwarded_header_are_other_requests(front: CacheFront) -> None:
    words = "Say: elsewhere"
    for model in ("kept-anthropic", "kept-openai-chat"):
        assert told(front.ask(words, dialect="anthropic", model=model)) == "miss"
    beta = {"anthropic-beta": "something-2025-01-01"}
    assert told(front.ask(words, dialect="anthropic", model="kept-anthropic", headers=beta)) == "miss"


def test_a_team_shares_and_nobody_else_does(front: CacheFront) -> None:
    words = "Say: whose is it"
    asked = ["ada", "bob", "eve", "ann", "ci", "eve", "ann"]
    found = [told(front.ask(words, key=key)) for key in asked]
    assert found == ["miss", "hit", "miss", "miss", "miss", "hit", "hit"]


# -- who wishes it -----------------------------------------------------------------------------------------------------


def test_nothing_is_kept_unless_the_model_or_the_request_says_so(front: CacheFront) -> None:
    words = "Say: unasked"
    assert [told(front.ask(words, model="asked")) for _ in range(2)] == [None, None]
    assert front.asked_upstream(words) == 2


def test_a_request_may_wish_it_and_decline_it(front: CacheFront) -> None:
    def ask(model: str, wish: str) -> str | None:
        return told(front.ask("Say: wished", model=model, headers={"x-dragoman-cache": wish}))

    assert [ask("asked", "60"), ask("asked", "60"), ask("asked", "off")] == ["miss", "hit", None]
    assert [ask("kept-openai-chat", "off"), ask("kept-openai-chat", "300")] == [None, "miss"]
    assert [ask("never", "60"), ask("never", "60")] == [None, None]


def test_refresh_makes_a_new_answer_and_keeps_it(front: CacheFront) -> None:
    words = "Say: anew"
    wishes = ["60", "refresh", "60"]
    found = [told(front.ask(words, headers={"x-dragoman-cache": wish})) for wish in wishes]
    assert found == ["miss", "miss", "hit"]
    assert front.asked_upstream(words) == 2


@pytest.mark.parametrize("wish", ["0", "-5", "86401", "on", "1.5", "", "9" * 400])
def test_a_wish_that_cannot_be_read_is_refused(front: CacheFront, wish: str) -> None:
    answer = front.ask("Say: what", model="asked", headers={"x-dragoman-cache": wish})
    assert answer.status_code == 400
    assert "x-dragoman-cache" in answer.json()["error"]["message"]


# -- what is never kept ------------------------------------------------------------------------------------------------


def test_errors_and_broken_streams_are_not_kept(front: CacheFront) -> None:
    words = "Say: at last there is an answer to this"
    front.fake.fail(Status(500), Cut(after=3))
    assert front.ask(words).status_code == 500
    assert '"error"' in front.ask(words, stream=True).text
    assert [told(front.ask(words)), told(front.ask(words, stream=True))] == ["miss", "miss"]
    assert [told(front.ask(words)), told(front.ask(words, stream=True))] == ["hit", "hit"]


_PASSING_BY: list[tuple[str, dict[str, Any]]] = [
    ("openai-chat", {"store": True}),
    ("openai-chat", {"web_search_options": {}, "tools": [{"type": "web_search"}]}),
    ("openai-responses", {"store": True}),
    ("openai-responses", {"store": None}),
    ("openai-responses", {"background": True}),
    ("anthropic", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
    ("gemini", {"tools": [{"googleSearch": {}}]}),
]


@pytest.mark.parametrize(("dialect", "more"), _PASSING_BY)
def test_what_may_act_on_the_world_or_is_stored_passes_by(
    front: CacheFront, dialect: str, more: dict[str, Any]
) -> None:
    answers = [front.ask("Say: do it", dialect=dialect, model=f"kept-{dialect}", **more) for _ in range(2)]
    assert list(map(told, answers)) == [None, None]


# -- one call for several ----------------------------------------------------------------------------------------------


def _at_once(front: CacheFront, words: str, count: int, *, stream: bool) -> list[httpx2.Response]:
    answers: list[httpx2.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(front.ask(words, stream=stream))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_equal_requests_at_once_are_one_call(front: CacheFront, stream: bool) -> None:
    words = f"Say: all together {stream}"
    front.fake.fail(SlowHead(0.4))
    answers = _at_once(front, words, 6, stream=stream)
    assert sorted(str(told(answer)) for answer in answers) == ["hit"] * 5 + ["miss"]
    assert len({_COMMENT.sub(b"", answer.content) for answer in answers}) == 1
    assert front.asked_upstream(words) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_when_the_first_one_leaves_another_makes_the_call(front: CacheFront, stream: bool) -> None:
    words = f"Say: hand over {stream}"
    path, body = request_of("openai-chat", "kept-openai-chat", words, stream)
    front.fake.caller_left.clear()
    front.fake.fail(SlowHead(20))
    head = {"authorization": f"Bearer {KEYS['ci']}"}
    leaving = httpx2.Client(base_url=front.url, timeout=1.0)
    answers: list[httpx2.Response] = []
    with leaving:

        def leave() -> None:
            with pytest.raises(httpx2.ReadTimeout):
                leaving.post(path, json=body, headers=head)

        first = threading.Thread(target=leave)
        first.start()
        front.fake.wait_for(lambda: front.asked_upstream(words) == 1)
        answers = _at_once(front, words, 3, stream=stream)
        first.join(30)
    assert front.fake.caller_left.wait(10)
    assert sorted(str(told(answer)) for answer in answers) == ["hit", "hit", "miss"]
    assert front.asked_upstream(words) == 2
