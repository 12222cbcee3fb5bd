"""The same faults before real servers: llama.cpp breaks off and LiteLLM's proxy takes over, and vice versa."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dragoman.testing import FaultProxy
from tests.failover.cells import CLIENTS, Cell
from tests.failover.faults import LIMIT_SECONDS, ROWS
from tests.failover.laws import Words
from tests.failover.scene import Faults, asked, gathered, refusing_port
from tests.gateway.running import KEY, running_gateway
from tests.servers.litellm_proxy import MOCK_TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.failover.cells import Outcome

__all__ = ["RealCell", "play_real", "real_cells", "words_of"]

Server = Literal["llama.cpp", "LiteLLM"]
_MODELS: dict[Server, str] = {"llama.cpp": "tiny", "LiteLLM": "mock-text"}
_DIALECTS: dict[Server, tuple[str, ...]] = {
    "llama.cpp": ("openai-chat", "openai-responses", "anthropic"),
    "LiteLLM": ("openai-chat", "anthropic"),  # its mock models have no stream of Responses
}
_THREADS = 4


@dataclass(frozen=True)
class RealCell(Cell):
    """A pair of real servers; `server` is the one behind the fault."""

    server: Server = "llama.cpp"

    @property
    def other(self) -> Server:
        return "LiteLLM" if self.server == "llama.cpp" else "llama.cpp"

    @property
    def place(self) -> str:
        return f"faulty-{self.number}"

    @property
    def model(self) -> str:
        return self.mark


def real_cells() -> list[RealCell]:
    """Every fault × streamed or not, from each of the servers to the other, with callers and dialects in turn."""
    cells: list[RealCell] = []
    servers: tuple[Server, Server] = ("llama.cpp", "LiteLLM")
    for place, row in enumerate(ROWS):
        for streamed in (False, True):
            if row.streams and not streamed:
                continue
            for turn, server in enumerate(servers):
                number = len(cells)
                cell = RealCell(
                    number=number,
                    shape="pair",
                    row=row,
                    client=CLIENTS[(number + place) % len(CLIENTS)],
                    upstream=_DIALECTS[server][(place + streamed) % len(_DIALECTS[server])],
                    healthy=_DIALECTS[servers[1 - turn]][place % len(_DIALECTS[servers[1 - turn]])],
                    streamed=streamed,
                    server=server,
                )
                cells.append(cell)
    return cells


def words_of(cell: RealCell) -> Words:
    """What the two servers say: the one always the same, the other whatever its small model comes upon."""
    return Words(faulty=None, healthy=MOCK_TEXT) if cell.server == "llama.cpp" else Words(MOCK_TEXT, None)


def _config(cells: Sequence[RealCell], faulty: dict[Server, str], healthy: dict[Server, str], refused: int) -> str:
    slow = f"{{connect: 60, first_byte: {LIMIT_SECONDS}, idle: {LIMIT_SECONDS}, total: 60}}"
    providers, models = ["providers:"], ["models:"]
    prices = "prices: {input: 1, output: 2}"
    for cell in cells:
        url = f"http://127.0.0.1:{refused}" if cell.row.fault is None else faulty[cell.server]
        timeout = slow if cell.row.slow else "60"
        for place, dialect, address, limit in (
            (cell.place, cell.upstream, url, timeout),
            (f"healthy-{cell.number}", cell.healthy, healthy[cell.other], "60"),
        ):
            providers.append(
                f'  {place}: {{dialect: {dialect}, base_url: "{address}/v1", api_key: no-key, timeout: {limit}}}'
            )
        deployments = (
            f"{{model: {cell.place}/{_MODELS[cell.server]}, {prices}}}, "
            f"{{model: healthy-{cell.number}/{_MODELS[cell.other]}, {prices}}}"
        )
        models.append(f"  {cell.model}: {{deployments: [{deployments}], max_retries: 0}}")
    return "\n".join([*providers, *models, f"keys:\n  - {{name: ci, key: {KEY}}}\n"])


def play_real(cells: Sequence[RealCell], llama: str, litellm: str, folder: Path) -> list[Outcome]:
    """Makes the call of every cell before these servers, and gathers what came of it."""
    with (
        FaultProxy(llama, choose=Faults(cells)) as llama_faulty,
        FaultProxy(litellm, choose=Faults(cells)) as litellm_faulty,
        FaultProxy(llama) as llama_healthy,
        FaultProxy(litellm) as litellm_healthy,
        refusing_port() as refused,
    ):
        text = _config(
            cells,
            {"llama.cpp": llama_faulty.url, "LiteLLM": litellm_faulty.url},
            {"llama.cpp": llama_healthy.url, "LiteLLM": litellm_healthy.url},
            refused,
        )
        with running_gateway(text, folder) as gateway:
            outcomes = asked(gateway.url, cells, _THREADS)
            for proxy in (llama_faulty, litellm_faulty, llama_healthy, litellm_healthy):
                proxy.settled(30)
        witnesses = [*llama_healthy.requests, *litellm_healthy.requests]
        return gathered(
            outcomes,
            [*llama_faulty.requests, *litellm_faulty.requests],
            [passage.seen for passage in witnesses],
            folder,
        )
