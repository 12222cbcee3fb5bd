"""Runs the comparison and prints its tables: `python -m benchmarks.gateways [--quick]`."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.gateways.answers import chat, tool_chat
from benchmarks.gateways.bare import running_bare
from benchmarks.gateways.bench import CHAT, Bench, Contender, Taken, medians
from benchmarks.gateways.bodies import uploads
from benchmarks.gateways.machine import GATEWAY, LOAD, own_bytes, resident_bytes, thread_seconds
from benchmarks.gateways.ours import KEY, READING_MODEL, READING_TRANSLATED, ROUTED, TLS_MODEL
from benchmarks.gateways.programs import Missing, program
from benchmarks.gateways.stages import stages
from benchmarks.gateways.streams import stream
from benchmarks.gateways.wrk import Asked
from benchmarks.report import Table


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much is measured: seconds a run, rounds, streams with events, and requests over which memory is watched."""

    seconds: float = 2.0
    rounds: int = 3
    streams: int = 500
    events: int = 200
    period_seconds: float = 0.02
    requests: int = 1_000_000
    peers: bool = True
    connections: Sequence[int] = (1, 32, 256)
    body_bytes: Sequence[int] = (100_000, 1_000_000)


QUICK = Extent(
    seconds=1.0, rounds=1, streams=5, events=5, requests=1, peers=False, connections=(32,), body_bytes=(100_000,)
)


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds < 0.1 else f"{seconds * 1e3:.0f} ms"


def _where() -> str:
    if GATEWAY == LOAD:
        return "Gateway, load and upstream shared one core."
    return "Each gateway ran on one core, load (wrk) and upstream (nginx with a fixed answer) on another one."


def compared(bench: Bench, extent: Extent) -> list[Table]:
    """Every gateway's relay, at each number of connections."""
    contenders = [bench.floor_asked("nginx, proxy_pass with keep-alive", chat())]
    contenders.append(bench.ours_asked("dragoman", chat()))
    for peer, running in bench.running:
        asked = Asked(url=running.url, body=chat(running.model), headers=running.headers)
        contenders.append(Contender(f"{peer.name} {peer.version()}", asked, running.process, peer=True))
    tables: list[Table] = []
    for connections in extent.connections:
        taken = bench.rounds(contenders, connections, extent.seconds, extent.rounds)
        rows = [_row(each.name, runs, taken[0]) for each, runs in zip(contenders, taken, strict=True)]
        about = (
            f"{_where()} Medians of {extent.rounds} rounds in which all took turns. dragoman: one process with a key "
            "and its limits, prices, metrics and the ledger on, whose writer into SQLite has the same core; the others "
            "as they come, without logs and records. "
            + (f"Left out: {' '.join(bench.left_out)}" if bench.left_out else "")
            + " Targets: ≥ 0.20 × nginx at 32 connections, ≤ 70 µs of CPU, p50 ≤ 0.2 ms and p99 ≤ 1 ms at one."
        )
        heads = ("gateway", "answers/s", "÷ nginx", "CPU an answer", "p50", "p99")
        title = f"Gateways: {connections} connection{'s' if connections > 1 else ''}"
        tables.append(Table(title, about if connections == extent.connections[0] else "As above.", heads, rows))
    return tables


def _row(name: str, runs: Sequence[Taken], floor: Sequence[Taken]) -> tuple[str, ...]:
    if not runs:
        return (name, "refused or silent", "", "", "", "")
    rate, ratio, cpu, p50, p99 = medians(runs, floor)
    return (name, f"{rate:,.0f}", f"{ratio:.3f}", _microseconds(cpu), _milliseconds(p50), _milliseconds(p99))


def kinds(bench: Bench, extent: Extent) -> Table:
    """What else the gateway does, beside nginx doing as much of it as it can."""
    plain = bench.floor_asked("", chat())
    small = (
        ("relay", plain, bench.ours_asked("", chat())),
        ("translated to anthropic, with tools", bench.floor_asked("", tool_chat()), bench.ours_asked("", tool_chat())),
        *(
            (f"relay, one of four deployments by {strategy}", plain, bench.ours_asked("", chat(model)))
            for strategy, model in ROUTED.items()
        ),
        ("TLS upstream", bench.floor_asked("", chat(), "/tls"), bench.ours_asked("", chat(TLS_MODEL))),
    )
    # All in the same rounds, so that what the machine does beside is in each row alike.
    contenders: list[Contender] = []
    for _, floor, ours in small:
        contenders += [ours] if floor in contenders else [floor, ours]
    taken = bench.rounds(contenders, 32, extent.seconds, extent.rounds)

    def runs_of(contender: Contender) -> Sequence[Taken]:
        return taken[contenders.index(contender)]

    relayed = runs_of(small[0][2])
    rows = [_kind(name, runs_of(ours), runs_of(floor), relayed) for name, floor, ours in small]
    for size in extent.body_bytes:
        floor = bench.floor_asked("", chat(READING_MODEL, size_bytes=size), "/reading")
        ours = bench.ours_asked("", chat(READING_MODEL, size_bytes=size))
        base, runs = bench.rounds((floor, ours), 8, extent.seconds, extent.rounds)
        rows.append(_kind(f"bodies of {size // 1000:,} kB", runs, base, None))
    heads = ("what", "nginx/s", "dragoman/s", "÷ nginx", "÷ relay", "nginx CPU", "dragoman CPU", "p50", "p99")
    about = (
        "32 connections, in rounds in which all rows took turns; large bodies 8. nginx passes the same requests to the "
        "same upstreams; it translates nothing. Large bodies go to an upstream that reads them to their end. Targets: "
        "translated ≥ 0.60 of the relay, routed ≥ 0.90."
    )
    return Table("Gateway: what it does to an answer", about, heads, rows)


def _kind(name: str, runs: Sequence[Taken], floor: Sequence[Taken], relayed: Sequence[Taken] | None) -> tuple[str, ...]:
    rate, ratio, cpu, p50, p99 = medians(runs, floor)
    return (
        name,
        f"{statistics.median(run.load.rate for run in floor):,.0f}",
        f"{rate:,.0f}",
        f"{ratio:.3f}",
        "" if relayed is None else f"{medians(runs, relayed)[1]:.2f}",
        _microseconds(statistics.median(run.cpu_seconds for run in floor)),
        _microseconds(cpu),
        _milliseconds(p50),
        _milliseconds(p99),
    )


def spent(bench: Bench, extent: Extent) -> Table:
    """Where the gateway's time goes: what the server and the client alone take, and the stages between them."""
    alone: dict[str, float] = {}
    for kind in ("answering", "passing"):
        with running_bare(kind, bench.upstream.url) as (url, process):
            contender = Contender(kind, Asked(url=url, body=chat()), process)
            alone[kind] = statistics.median(
                bench.take(contender, 32, extent.seconds).cpu_seconds for _ in range(extent.rounds)
            )
    served = sum(thread_seconds(bench.ours.process).values())
    whole = bench.take(bench.ours_asked("", chat()), 32, extent.seconds * 2)
    serving = (sum(thread_seconds(bench.ours.process).values()) - served) / whole.load.requests
    between = stages(extent.seconds / 4)
    handled = between.pop("all of it")
    rows = [
        ("server: sockets, HTTP, a task, the answer", _microseconds(alone["answering"])),
        ("client: sockets, HTTP, the pool", _microseconds(alone["passing"] - alone["answering"])),
        ("between them, without sockets", _microseconds(handled)),
        *((f"… {name}", f"{seconds * 1e6:.1f} µs") for name, seconds in between.items()),
        ("… the plan, and what joins these", f"{(handled - sum(between.values())) * 1e6:.1f} µs"),
        ("under load: the process that serves", _microseconds(serving)),
        ("under load: the ledger's writer into SQLite", _microseconds(whole.cpu_seconds - serving)),
        ("all, under load", _microseconds(whole.cpu_seconds)),
    ]
    about = (
        "A relayed answer. The first two rows are measured under load at 32 connections by a server that does nothing "
        "else; what is between them in a process without sockets, one call after the other, and each stage of it again "
        "and again by itself. In its turn with all others a stage takes more than by itself; the difference is in the "
        "row of what joins them."
    )
    return Table("Gateway: where the CPU time of an answer goes", about, ("stage", "CPU"), rows)


def streamed(bench: Bench, extent: Extent) -> Table:
    """Events that come in a segment each, on many streams at once."""
    rows: list[tuple[str, ...]] = []
    lasts = extent.events * extent.period_seconds
    for name, url, model, process in (
        ("nginx", f"{bench.floor.url}/reading{CHAT}", READING_MODEL, bench.floor.process),
        ("dragoman, relayed", bench.ours.url + CHAT, READING_MODEL, bench.ours.process),
        ("dragoman, translated from anthropic", bench.ours.url + CHAT, READING_TRANSLATED, bench.ours.process),
    ):
        got = stream(url, model, KEY, extent.streams, process, lasts)
        if process == bench.ours.process:
            bench.answered += extent.streams
        rows.append(
            (
                name,
                f"{got.events:,}",
                f"{got.cpu_seconds / got.events * 1e6:.1f} µs",
                f"{got.per_core_second:,.0f}" if got.cpu_seconds else "–",
                _milliseconds(got.p50_seconds),
                _milliseconds(got.p99_seconds),
            )
        )
    about = (
        f"{extent.streams} streams of {extent.events} events at once, one event a stream every "
        f"{extent.period_seconds * 1000:g} ms, each in a segment of its own. Late is what passes between an event's "
        "being sent by the upstream and its being read by the client; both share a core, which the row of nginx shows. "
        "Opening the streams is in the figures. Targets: ≥ 40,000 relayed and ≥ 20,000 translated a second of CPU, "
        "p99 ≤ 20 ms."
    )
    heads = ("what", "events", "CPU an event", "events a core-second", "late, p50", "late, p99")
    return Table("Gateway: streams", about, heads, rows)


def beside_bodies(bench: Bench, extent: Extent) -> Table:
    """A small request, while bodies of 20 MB arrive."""
    body = chat(READING_MODEL, size_bytes=20_000_000)
    rows: list[tuple[str, ...]] = []
    for name, small, url in (
        ("nginx", bench.floor_asked("", chat()), f"{bench.floor.url}/reading{CHAT}"),
        ("dragoman", bench.ours_asked("", chat()), bench.ours.url + CHAT),
    ):
        alone = bench.take(small, 1, extent.seconds)
        with uploads(url, body, {"authorization": f"Bearer {KEY}"}, 2) as large:
            beside = bench.take(small, 1, extent.seconds * 2)
        if small.ours:
            bench.answered += large.done
        rows.append(
            (
                name,
                _milliseconds(alone.load.p50_seconds),
                _milliseconds(alone.load.p99_seconds),
                _milliseconds(beside.load.p50_seconds),
                _milliseconds(beside.load.p99_seconds),
                f"{large.done}",
            )
        )
    about = (
        "One connection asks small requests while two send bodies of 20 MB one after the other. Target: p99 ≤ 15 ms."
    )
    heads = ("gateway", "alone, p50", "alone, p99", "beside, p50", "beside, p99", "large ones answered")
    return Table("Gateway: a small request beside large bodies", about, heads, rows)


def _memory(process: int) -> tuple[int, int]:
    """Resident memory of the process that serves, and of the ledger's writer beside it."""
    own = own_bytes(process)
    return own, resident_bytes(process) - own


def _in_megabytes(memory: tuple[int, int]) -> str:
    return f"{memory[0] / 1e6:.0f} MB + {memory[1] / 1e6:.0f} MB"


def footing(bench: Bench, idle: tuple[int, int], extent: Extent) -> Table:
    """Start, memory at rest, and memory over many requests."""
    relay = bench.ours_asked("", chat())
    after_first = after = _memory(bench.ours.process)
    done = 0
    while done < extent.requests:
        done += bench.take(relay, 32, 10.0 if extent.requests > 1 else extent.seconds).load.requests
        after = _memory(bench.ours.process)
    rows = [
        (
            "dragoman",
            f"{bench.ours.start_seconds:.2f} s",
            _in_megabytes(idle),
            _in_megabytes(after_first),
            f"{_in_megabytes(after)} after {done:,} more",
        )
    ]
    rows += [
        (
            peer.name,
            f"{running.start_seconds:.2f} s",
            f"{resident_bytes(running.process) / 1e6:.0f} MB",
            "",
            "",
        )
        for peer, running in bench.running
    ]
    about = (
        "From the start of the process to the first answer (of others: to their being ready); resident memory at rest "
        "(of others: after all that was asked of them above), after everything above, and after further requests; ours "
        "of the process that serves, and of the ledger's writer beside it, one for all workers. "
        "Targets: ≤ 1 s, ≤ 80 MB a worker, flat."
    )
    heads = ("gateway", "start", "at rest", "after the above", "and then")
    return Table("Gateway: start and memory", about, heads, rows)


def report(extent: Extent) -> str:
    """All tables, and what the ledger says."""
    try:
        program("nginx")
        program("wrk")
    except Missing as missing:
        return f"### Gateways\n\nNot measured: {missing}.\n"
    with Bench(extent.events, extent.period_seconds, extent.peers) as bench:
        bench.ours.wait_for_writer()
        idle = _memory(bench.ours.process)
        tables = [
            *compared(bench, extent),
            spent(bench, extent),
            kinds(bench, extent),
            streamed(bench, extent),
            beside_bodies(bench, extent),
            footing(bench, idle, extent),
        ]
        ledger = bench.settle()
    return "\n".join([*(table.markdown() for table in tables), ledger]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the least that runs everything; the figures mean nothing")
    arguments = parser.parse_args()
    print(report(QUICK if arguments.quick else Extent()))


if __name__ == "__main__":
    main()
