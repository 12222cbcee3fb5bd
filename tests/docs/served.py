"""A gateway with the configuration of a document, before the provider that plays all others, and its commands run."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cli.programs import COMMAND, DEADLINE_SECONDS, Finished
from tests.docs.snippets import Block, blocks, played_by
from tests.servers.fake_provider import FakeProvider, running_fake_provider
from tests.servers.process import wait_until

CI_KEY = "sk-of-the-ci-0123456789"
MASTER_KEY = "sk-of-the-operator-0123456789"
_HERE = "http://localhost:4000"


@dataclass(frozen=True)
class Served:
    """`url` is the gateway's; commands run in `folder`, where its records are too."""

    url: str
    folder: Path
    fake: FakeProvider
    env: dict[str, str]

    def run(self, block: Block) -> Finished:
        """Run a block as a person would paste it; `localhost:4000` is this gateway."""
        code = block.code.replace(_HERE, self.url)
        command = ["bash", "-euo", "pipefail", "-c", code]
        if block.language == "python":
            command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self.env, cwd=self.folder, timeout=DEADLINE_SECONDS
        )
        return Finished(done.returncode, done.stdout.replace(self.url, _HERE), done.stderr)


def configuration(document: Path) -> str:
    """The configuration that a document says its gateway has."""
    (found,) = (block for block in blocks(document) if block.mark == "gateway: configuration")
    return found.code


def shown(document: Path) -> list[tuple[Block, Block | None]]:
    """The blocks that ask a document's gateway, each with what it is said to print."""
    asked: list[tuple[Block, Block | None]] = []
    for block in blocks(document):
        if block.mark == "gateway: run":
            asked.append((block, None))
        elif block.mark == "gateway: printed":
            asked[-1] = (asked[-1][0], block)
    return asked


def prints(told: str, printed: str) -> bool:
    """Whether `printed` is what is told; `…` stands for anything on its line."""
    pattern = re.escape(told.strip()).replace("…", "[^\n]*")
    return re.fullmatch(pattern, printed.strip()) is not None


@contextmanager
def served(document: Path, folder: Path) -> Generator[Served]:
    """`dragoman serve` with a document's configuration, on a free port, until the block ends."""
    (folder / "dragoman.yaml").write_text(configuration(document), encoding="utf-8")
    with running_fake_provider() as fake:
        # What is no variable of a provider's own is for the shell of these commands alone; clients may warn there.
        env = played_by(fake) | {"CI_KEY": CI_KEY, "DRAGOMAN_MASTER_KEY": MASTER_KEY}
        env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
        log = folder / "said"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*COMMAND, "serve", "--port", "0"], cwd=folder, env=env, stdout=output, stderr=output
            )
        try:

            def ready() -> bool:
                assert process.poll() is None, log.read_text()
                return " at http://" in log.read_text()

            wait_until(ready, DEADLINE_SECONDS, "the gateway serves")
            url = log.read_text().split(" at ")[1].split()[0]
            clients = {name: value for name, value in env.items() if name != "PYTHONWARNINGS"}
            yield Served(url, folder, fake, clients)
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE_SECONDS)
            finally:
                process.kill()
