"""Mixed requests over real sockets, while each of three deployments commits faults at a fifth of what it is asked.

Callers are the library's own models, four dialects in turn, whole and streamed; some requests act on the world, and
some are wrong. Which fault a request meets is drawn from its number, so that what must come of it is known.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from dragoman.errors import DragomanError, Overloaded, ProviderError, RateLimited, UpstreamTimeout
from dragoman.gateway.config.structs import SpoolBlock
from dragoman.testing import (
    Cut,
    ErrorIn200,
    ErrorInStream,
    FakeProvider,
    FaultProxy,
    Garbage,
    Malformed,
    Reset,
    SlowHead,
    Stall,
    Status,
)
from dragoman.testing.models import model_at
from dragoman.testing.wires import WIRES
from tests.failover.cells import CLIENTS
from tests.failover.scene import ledger_rows, mark_in
from tests.gateway.running import KEY, running_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from dragoman import ChatModel
    from dragoman.testing import Fault, Seen

    Entries = list[tuple[int, Fault | None]]
    Log = defaultdict[str, Entries]

__all__ = ["FAULTS", "FAULT_SHARE", "LIMIT_SECONDS", "RETRY_RESERVE", "RETRY_SHARE", "Asked", "Report", "soak"]

FAULT_SHARE = 0.2
RETRY_SHARE = 0.2
RETRY_RESERVE = 10
"""Of the share of retries: what a route may save up before its first call, and one a second besides."""

_CALLS_AT_ONCE = 64
_PLACES = ("first", "second", "third")
_DIALECTS = ("openai-chat", "anthropic", "gemini")
_WORDS = (
    "one two three four five six seven eight nine ten",
    "uno due tre quattro cinque sei sette otto nove dieci",
    "bir iki uc dort bes alti yedi sekiz dokuz on",
)
LIMIT_SECONDS = 5.0
SEGMENT_BYTES = SpoolBlock().segment_bytes  # as it is where nothing is configured

# As often as each stands here. Those that only a caller's limit ends are rare, for each of them costs as long as that.
FAULTS: tuple[Fault, ...] = (
    *(Reset(), Reset(after=5), Cut(after=0), Cut(after=5), Cut(after=5, clean=True), Malformed(after=0)) * 6,
    *(Status(429), Status(429, retry_after=0.05), Status(500), Status(503), Status(529), Garbage(status=502)) * 6,
    *(ErrorIn200(RateLimited("slow down")), ErrorInStream(Overloaded("full"), 0), ErrorInStream(Overloaded("full"), 5))
    * 6,
    *(Malformed(after=5), Garbage()) * 6,
    SlowHead(30),
    Stall(after=5),
)
_WRONG = Status(400, "the seed must be even")


@dataclass(frozen=True)
class Asked:
    """One request: drawn from its number."""

    number: int
    client: str
    route: int
    streamed: bool
    kind: str

    @property
    def mark(self) -> str:
        return f"cell-{self.number:06d}"


@dataclass(frozen=True)
class _Missed:
    """A call that failed while these places had seen nothing of it: whether they were tried, the ledger tells."""

    asked: Asked
    error: DragomanError
    places: set[str]
    entries: Entries


@dataclass
class Report:
    """What came of all of them. `broken` holds what is against a law, by request.

    `unreached` counts calls that failed at every deployment, one of which an attempt did not get through to.
    """

    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter[str])
    faults: Counter[str] = field(default_factory=Counter[str])
    requests: Counter[str] = field(default_factory=Counter[str])
    faulted: Counter[str] = field(default_factory=Counter[str])
    booked: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    retries: Counter[str] = field(default_factory=Counter[str])
    calls: Counter[str] = field(default_factory=Counter[str])
    unfinished: int = 0
    unreached: int = 0
    broken: dict[str, str] = field(default_factory=dict[str, str])
    kinds: Counter[str] = field(default_factory=Counter[str])
    missed: list[_Missed] = field(default_factory=list[_Missed])

    def break_law(self, asked: Asked, error: DragomanError | None, wrong: str) -> None:
        """A call that is against a law, in words."""
        self.kinds[f"{type(error).__name__}: {_law(wrong)}"] += 1
        self.broken[f"{asked.mark} ({asked.client}, soak-{asked.route}, {asked.kind})"] = wrong


def _drawn(seed: int, number: int) -> Asked:
    dice = Random(f"{seed} {number}")
    client = dice.choice(CLIENTS)
    kind = dice.choices(("plain", "acts", "wrong"), (93, 5, 2))[0]
    if kind == "acts" and not client.startswith("openai"):
        kind = "plain"
    return Asked(number, client, dice.randrange(3), dice.random() < 0.5, kind)


class _Deployment:
    """Decides which fault each request meets, and keeps what it was asked: (place, fault) by mark, in their order."""

    def __init__(self, place: int, seed: int, faults: tuple[Fault, ...], log: Log, wrong: set[str]) -> None:
        self._place = place
        self._seed = seed
        self._faults = faults
        self._log = log
        self._wrong = wrong

    def __call__(self, seen: Seen) -> Fault | None:
        mark = mark_in(seen)
        entries = self._log[mark]
        turn = sum(place == self._place for place, _ in entries)
        dice = Random(f"{self._seed} {self._place} {mark} {turn}")
        fault: Fault | None = dice.choice(self._faults) if dice.random() < FAULT_SHARE else None
        if mark in self._wrong:
            fault = _WRONG
        entries.append((self._place, fault))
        return fault


def _config(urls: list[str]) -> str:
    limits = f"{{connect: 10, first_byte: {LIMIT_SECONDS}, idle: {LIMIT_SECONDS}, total: 60}}"
    lines = ["providers:"]
    for place, dialect, url in zip(_PLACES, _DIALECTS, urls, strict=True):
        address = f'base_url: "{url}{WIRES[dialect].version}", api_key: key-of-{place}'
        lines.append(f"  {place}: {{dialect: {dialect}, {address}, timeout: {limits}}}")
    lines.append("models:")
    for route in range(3):
        order = [_PLACES[(route + turn) % 3] for turn in range(3)]
        deployments = ", ".join(f"{{model: {place}/m, prices: {{input: 1, output: 2}}}}" for place in order)
        lines.append(f"  soak-{route}: {{deployments: [{deployments}], max_retries: 1}}")
    lines.append(f"keys:\n  - {{name: ci, key: {KEY}}}\n")
    return "\n".join(lines)


def soak(count: int, folder: Path, *, seed: int = 6, faults: tuple[Fault, ...] = FAULTS) -> Report:
    """Makes so many calls, and judges each of them and the ledger as a whole."""
    log: Log = defaultdict(list)
    asked = [_drawn(seed, number) for number in range(count)]
    wrong = {each.mark for each in asked if each.kind == "wrong"}
    report = Report()
    fakes = [FakeProvider(say=_saying(words)) for words in _WORDS]
    proxies: list[FaultProxy] = []
    try:
        for place, fake in enumerate(fakes):
            fake.start()
            proxies.append(FaultProxy(fake.url, choose=_Deployment(place, seed, faults, log, wrong)).start())
        began = time.monotonic()
        with running_gateway(_config([proxy.url for proxy in proxies]), folder, segment_bytes=SEGMENT_BYTES) as gateway:
            asyncio.run(_call_all(asked, gateway.url, log, report, lambda: _forget(fakes, proxies)))
            for proxy in proxies:
                proxy.settled(30)
        report.seconds = time.monotonic() - began
    finally:
        for server in (*proxies, *fakes):
            server.stop()
    _sum_up(report, asked, log, ledger_rows(folder))
    return report


def _saying(words: str) -> Callable[[object], str]:
    return lambda _: words


def _forget(fakes: list[FakeProvider], proxies: list[FaultProxy]) -> None:
    for server in (*fakes, *proxies):
        server.forget()


# -- callers -----------------------------------------------------------------------------------------------------------


async def _call_all(
    asked: list[Asked],
    url: str,
    log: Log,
    report: Report,
    forget: Callable[[], None],
) -> None:
    models = {
        (client, route): model_at(
            url + WIRES[client].version, client, f"soak-{route}", api_key=KEY, max_retries=0, timeout=60.0
        )
        for client in CLIENTS
        for route in range(3)
    }
    waiting = iter(asked)

    async def caller() -> None:
        for each in waiting:
            text, error = await _call(models[each.client, each.route], each)
            report.outcomes[_kind(text, error)] += 1
            missing = _missing(each, text, error, log[each.mark])
            if missing:
                assert error is not None  # only errors miss somebody
                report.missed.append(_Missed(each, error, missing, list(log[each.mark])))
            elif wrong := _wrong_with(each, text, error, log[each.mark]):
                report.break_law(each, error, wrong)
            if each.number % 500 == 499:
                forget()

    callers: list[Coroutine[Any, Any, None]] = [caller() for _ in range(_CALLS_AT_ONCE)]
    await asyncio.gather(*callers)
    for model in models.values():
        await model.aclose()


async def _call(model: ChatModel, asked: Asked) -> tuple[str, DragomanError | None]:
    """What the caller has in hand at the end: text, and the error that ended it."""
    options: dict[str, Any] = {"extra_body": {"store": True}} if asked.kind == "acts" else {}
    text = ""
    try:
        if not asked.streamed:
            return (await model.achat(asked.mark, **options)).content, None
        async with model.astream(asked.mark, **options) as stream:
            async for chunk in stream:
                text += chunk.delta
    except DragomanError as error:
        return text, error
    return text, None


def _kind(text: str, error: DragomanError | None) -> str:
    if error is None:
        return "answered"
    return "an error after a part was shown" if text else "an error"


# -- judging -----------------------------------------------------------------------------------------------------------


def _wrong_with(asked: Asked, text: str, error: DragomanError | None, entries: Entries) -> str | None:
    """Which law a call breaks; `entries` is what the deployments saw of it, in their order."""
    last = entries[-1] if entries else None
    if error is None:
        if last is None or last[1] is not None or text != _WORDS[last[0]]:
            return f"the answer {text!r} is not that of the deployment asked last: {entries}"
        return None
    if text:
        if last is None or last[1] is None or text == _WORDS[last[0]] or not _WORDS[last[0]].startswith(text):
            return f"{text!r} before {error!r:.200} is no beginning of the answer asked last: {entries}"
        return None
    if asked.kind == "acts" and not entries and isinstance(error, UpstreamTimeout):
        return None  # it was sent, and not read in time: nobody may be asked again, and nobody was
    if asked.kind in ("wrong", "acts"):
        return (
            None if len(entries) == 1 else f"a request that is {asked.kind} was asked {len(entries)} times: {entries}"
        )
    if any(fault is None for _, fault in entries):
        return f"{error!r:.200} in spite of an answer: {entries}"
    return None


def _missing(asked: Asked, text: str, error: DragomanError | None, entries: Entries) -> set[str]:
    """The deployments that saw nothing of a call that ended in an error, and that might have answered it."""
    if error is None or text or asked.kind != "plain" or any(fault is None for _, fault in entries):
        return set()
    seen = {place for place, _ in entries}
    return {name for place, name in enumerate(_PLACES) if place not in seen}


def _law(wrong: str) -> str:
    """Which of the laws these words are about."""
    if "were not asked" in wrong:
        return "deployments were not asked"
    return "one had answered" if "in spite of" in wrong else "another law"


def _judge_missed(report: Report, rows: list[dict[str, Any]]) -> None:
    """A deployment that saw nothing was asked all the same if an attempt at it is booked that did not get through."""
    tried: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        tried[row["request_id"]].add(row["deployment"].partition("/")[0])
    for each in report.missed:
        request_id = each.error.request_id if isinstance(each.error, ProviderError) else None
        never = each.places - tried[request_id or ""]
        if never:
            said = f"{each.error!r:.300}, and {sorted(never)} were not asked: {each.entries}"
            report.break_law(each.asked, each.error, said)
        else:
            report.unreached += 1


def _sum_up(
    report: Report,
    asked: list[Asked],
    log: Log,
    rows: list[dict[str, Any]],
) -> None:
    for entries in log.values():
        for place, fault in entries:
            report.requests[_PLACES[place]] += 1
            if fault is not None:
                report.faulted[_PLACES[place]] += 1
                report.faults[type(fault).__name__] += 1
    attempts = _count_rows(report, rows)
    _judge_missed(report, rows)
    for each in asked:
        report.calls[f"soak-{each.route}"] += 1
    if report.booked != report.requests:
        report.broken["ledger"] = f"servers saw {dict(report.requests)}, and {dict(report.booked)} are booked"
    for route, retries in report.retries.items():
        most = RETRY_SHARE * report.calls[route] + RETRY_RESERVE + report.seconds
        if retries > most:
            report.broken[f"retries of {route}"] = (
                f"{retries} of {report.calls[route]} calls, and {most:.0f} are allowed"
            )
    if attempts != len(asked):
        report.broken["requests"] = f"{len(asked)} were made, and {attempts} are booked"


def _count_rows(report: Report, rows: list[dict[str, Any]]) -> int:
    """Counts what is booked; gives the number of calls that it was booked for."""
    calls: set[str] = set()
    for row in rows:
        place = row["deployment"].partition("/")[0]
        if row["sent"] != "no":
            report.booked[place] += 1
        calls.add(row["request_id"])
        retried = row["reason"].startswith("retry")
        report.reasons["retry of the same deployment" if retried else row["reason"].partition(";")[0]] += 1
        if retried:
            report.retries[row["route"]] += 1
        if row["outcome"] not in ("ok", "error"):
            report.unfinished += 1
    return len(calls)
