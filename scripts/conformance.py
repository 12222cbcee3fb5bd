"""Writes docs/conformance.md from the recordings: `python -m scripts.conformance` (`make conformance`).

Every recorded exchange is counted: what it asks of a dialect (its request, its answer, stream or error, its vectors) is
put to the same judges that the tests assert, and an exchange that no dialect speaks is counted with the reason why.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dragoman import dialects
from dragoman.errors import InvalidRequest
from dragoman.values import Target, replace
from tests.wire import judging
from tests.wire.judging import Verdict
from tests.wire.recordings import DIALECTS, Exchange, exchanges

PAGE = Path(__file__).resolve().parents[1] / "docs" / "conformance.md"

_WHY_NOT = {
    "bedrock.invoke_model": "the models' own forms; Converse says what they say in one",
    "cohere.chat_v1": "the first version of the API, which the vendor calls legacy; the second says all that it says",
    "cohere.rerank": "reranking is no part of this library",
    "ollama.generate": "one prompt without turns; /api/chat says all that it says",
    "ollama.models": "model listing due later",
    "anthropic.complete": "text completions, withdrawn by the vendor",
    "openai.completions": "text completions, withdrawn by the vendor",
    "openai.models": "model listing due later",
    "openai.responses": "another operation of the API (retrieve, compact)",
    "openai.conversations": "state kept by the provider",
    "openai.files": "state kept by the provider",
    "anthropic.files": "state kept by the provider",
    "google.cached_contents": "state kept by the provider",
    "google.interactions": "dialect due later",
    "openai.audio": "no part of this library",
    "openai.images": "no part of this library",
    "openai.moderations": "no part of this library",
}
"""Why no dialect of ours speaks an API, or an operation of it. One that is missing here stops the program."""

_COLUMNS = ("equal", "adapted", "error", "refused", "different", "n/a")


@dataclass(frozen=True, slots=True)
class Count:
    """One exchange's result for one question."""

    exchange: str
    provider: str
    api: str
    question: str
    outcome: str
    note: str = ""


def counts(recorded: Iterable[Exchange]) -> Iterator[Count]:
    """At least one count for every exchange."""
    for exchange in recorded:
        for question, verdict in _verdicts(exchange):
            yield Count(exchange.id, exchange.provider, exchange.api, question, verdict.outcome, verdict.detail)
        if not exchange.dialect and not exchange.embeddings_dialect and not exchange.counting_dialect:
            yield Count(exchange.id, exchange.provider, exchange.api, "exchange", "n/a", _why_not(exchange))
        elif exchange.request.body is None:
            yield Count(exchange.id, exchange.provider, exchange.api, "request", "n/a", "published without its request")


def _why_not(exchange: Exchange) -> str:
    try:
        return _WHY_NOT[exchange.api]
    except KeyError:
        sys.exit(f"{exchange.id}: no dialect speaks {exchange.api}, and no reason is given why")


def _verdicts(exchange: Exchange) -> Iterator[tuple[str, Verdict]]:
    if exchange.embeddings_dialect:
        yield "embeddings request", judging.judge_embedding_request(exchange)
        if exchange.is_error:
            yield "embeddings error", judging.judge_error(exchange)
        else:
            yield "embeddings answer", judging.judge_embedding_answer(exchange)
    elif exchange.counting_dialect:
        yield "count request", judging.judge_count_request(exchange)
        if exchange.is_error:
            yield "count error", judging.judge_error(exchange)
        else:
            yield "count answer", judging.judge_count_answer(exchange)
    elif exchange.dialect:
        if exchange.request.body is not None:
            yield "request", judging.judge_request(exchange)
            if not exchange.is_error:
                yield "request, fitted to the host", judging.judge_fitted_request(exchange)
        if exchange.is_error:
            yield "error", judging.judge_error(exchange)
        elif exchange.is_stream:
            yield "stream", judging.judge_stream(exchange)
        else:
            yield "answer", judging.judge_answer(exchange)


# -- the page ----------------------------------------------------------------------------------------------------------

_INTRODUCTION = """\
# Conformance

Written by `make conformance` (`python -m scripts.conformance`) from the recordings of real providers' traffic; do not
edit. A test compares this page with the code.

Each recorded exchange puts questions to the dialect that speaks its API:

| question | what "equal" means |
| --- | --- |
| request | decoded to values and encoded again, the JSON is the same, types and unknown members too |
| request, fitted to the host | the same with the deviations that the catalogue declares; "adapted": each is named |
| answer | decoded and encoded again, the JSON is the same |
| stream | the events are lawful; the answer equals its unstreamed form; our encoder's stream decodes to it again |
| count request, count answer | the question how long a prompt is, and its answer, likewise |
| error | the provider's error, or an error inside an answer, became the right class, with its ids and times |

"refused": the provider itself refused the request as malformed, and so do we. "n/a": no dialect speaks it (yet), with
the reason. "different" is a fault.
"""


def page(recorded: tuple[Exchange, ...], every: list[Count]) -> str:
    """The whole page as Markdown, of exchanges and their counts."""
    lines = [_INTRODUCTION, _totals(recorded, every), *_table(every), "", *_notes(every), "", *_crossings(recorded)]
    return "\n".join(lines) + "\n"


def _totals(recorded: tuple[Exchange, ...], every: list[Count]) -> str:
    by_outcome = Counter(count.outcome for count in every)
    told = ", ".join(f"{by_outcome[name]} {name}" for name in _COLUMNS)
    return f"{len(recorded)} exchanges, {len(every)} counts: {told}.\n"


def _table(every: list[Count]) -> Iterator[str]:
    yield "| provider | API | question | " + " | ".join(_COLUMNS) + " |"
    yield "| --- | --- | --- |" + " ---: |" * len(_COLUMNS)
    cells = Counter((count.provider, count.api, count.question, count.outcome) for count in every)
    for provider, api, question in sorted({key[:3] for key in cells}):
        numbers = (cells[provider, api, question, name] for name in _COLUMNS)
        told = " | ".join(str(number) if number else "" for number in numbers)
        yield f"| {provider} | {api} | {question} | {told} |"


def _notes(every: list[Count]) -> Iterator[str]:
    yield "## What was adapted, which errors, and what is not spoken"
    yield ""
    yield "| provider | API | question | result | times | which, or why |"
    yield "| --- | --- | --- | --- | ---: | --- |"
    noted = Counter(
        (count.provider, count.api, count.question, count.outcome, _plain(count.note)) for count in every if count.note
    )
    for (provider, api, question, outcome, note), times in sorted(noted.items()):
        yield f"| {provider} | {api} | {question} | {outcome} | {times} | {note} |"


def _plain(note: str) -> str:
    return re.sub(r"\[\d+\]", "[*]", note).replace("|", "\\|").replace("\n", " ")[:300]


# -- one dialect's requests in another ---------------------------------------------------------------------------------


def _crossings(recorded: tuple[Exchange, ...]) -> Iterator[str]:
    yield "## Recorded requests said in other dialects"
    yield ""
    yield "How often an adaptation was recorded, by the member it names. Tests hold that what is not named is said."
    yield ""
    yield "| from | to | requests | without adaptation | adapted members (times) |"
    yield "| --- | --- | ---: | ---: | --- |"
    for origin in DIALECTS:
        for dialect in DIALECTS:
            if origin != dialect:
                yield _crossing(recorded, origin, dialect)


def _crossing(recorded: tuple[Exchange, ...], origin: str, dialect: str) -> str:
    target = Target(provider="elsewhere", issuer="elsewhere", model="a-model")
    encode = dialects.load(dialect).encode_request
    asked = clean = 0
    members: Counter[str] = Counter()
    for exchange in recorded:
        if exchange.dialect != origin or exchange.request.body is None:
            continue
        try:
            request = replace(judging.request_of(exchange), model="a-model")
        except InvalidRequest:
            continue
        asked += 1
        adaptations = encode(request, target).adaptations
        clean += not adaptations
        members.update({f"{re.sub(r'[0-9]+', '*', entry.path)} {entry.action}" for entry in adaptations})
    told = ", ".join(
        f"{name} ({times})" for name, times in sorted(members.items(), key=lambda item: (-item[1], item[0]))
    )
    return f"| {origin} | {dialect} | {asked} | {clean} | {told} |"


def main() -> None:
    """Writes the page."""
    recorded = exchanges()
    if not recorded:
        sys.exit("there are no recordings (../shared/wire, or set DRAGOMAN_WIRE); the page is left as it is")
    PAGE.write_text(page(recorded, list(counts(recorded))), encoding="utf-8")


if __name__ == "__main__":
    main()
