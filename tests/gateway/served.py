"""`dragoman serve` as processes that can be killed: which of them there are, and that none is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.programs import COMMAND, environment
from tests.gateway.running import KEY
from tests.gateway.witness import INPUT_PRICE, OUTPUT_PRICE
from tests.servers.process import ROOT, free_port, wait_until

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["DEADLINE_SECONDS", "Served", "config_text"]

DEADLINE_SECONDS = 30.0


def config_text(
    folder: Path, url: str, *, server: str = "", spool: str = "segment_bytes: 65536", log: str = "none"
) -> str:
    """Routes `chat-*` and `ant-*` to one provider in two dialects, with prices; ids stand for the star."""
    prices = f"{{input: {INPUT_PRICE}, output: {OUTPUT_PRICE}}}"
    return f"""\
server: {{{server}}}
providers:
  chat: {{dialect: openai-chat, base_url: "{url}", api_key: "key-of-the-witness"}}
  ant: {{dialect: anthropic, base_url: "{url}", api_key: "key-of-the-witness"}}
models:
  "chat-*": {{deployments: [{{model: "chat/*", prices: {prices}}}], max_retries: 1}}
  "ant-*": {{deployments: [{{model: "ant/*", prices: {prices}}}], max_retries: 1}}
keys:
  - {{name: ci, key: {KEY}}}
storage: {{database: "sqlite:///{folder}/ledger.db"}}
spool: {{directory: "{folder}/spool", {spool}}}
log: {{requests: "{log}"}}
"""


def started_at(pid: int) -> int | None:
    """When a living process was started, in the kernel's ticks: with it nobody takes another one for it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _writes_the_ledger(pid: int) -> bool:
    try:
        return b"ledger_writer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


class Served:
    """One life of the command after another, on one port. Leaving the block ends every process of it."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.config = folder / "dragoman.yaml"
        self.config.write_text(text)
        self.log = folder / "log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._known: dict[int, int] = {}
        self.starts = 0

    def __enter__(self) -> Served:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.workers()
        self.kill_all()
        for pid in self._living():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start(self, *arguments: str) -> None:
        """Starts it, without waiting for it."""
        command = [*COMMAND, "serve", "--config", str(self.config), "--port", str(self.port), *arguments]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment(), stdout=output, stderr=output, start_new_session=True
            )
        self._note(self.process.pid)
        self.starts += 1

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def workers(self) -> list[int]:
        """The processes that the first one has started to serve, and that live."""
        return [pid for pid in self._children() if not _writes_the_ledger(pid)]

    def writers(self) -> list[int]:
        """Those that it has started to carry the ledger over."""
        return [pid for pid in self._children() if _writes_the_ledger(pid)]

    def _children(self) -> list[int]:
        if self.process is None:
            return []
        children: list[str] = []
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{self.pid}/task").iterdir():  # a child belongs to the thread that started it
                children += (task / "children").read_text().split()
        return [pid for pid in map(int, children) if self._note(pid)]

    def _note(self, pid: int) -> bool:
        started = started_at(pid)
        if started is not None:
            self._known[pid] = started
        return started is not None

    def _living(self) -> list[int]:
        self._known = {pid: started for pid, started in self._known.items() if started_at(pid) == started}
        return list(self._known)

    def said(self, text: str) -> bool:
        return text in self.log.read_text()

    def accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def tell(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill_all(self) -> None:
        """As when the machine's operator kills the whole group: nobody has time for anything."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def all_gone(self) -> bool:
        return not self._living()

    def ended(self) -> int:
        """Waits for its end; the exit status."""
        assert self.process is not None
        wait_until(lambda: self.process is not None and self.process.poll() is not None, DEADLINE_SECONDS, "its end")
        return self.process.returncode
