"""The real llama.cpp server with the tiny model, in a process of its own.

It speaks three protocols under `/v1`: chat completions, Responses, and Anthropic's messages. The process lives as long
as its standard input is open, so it ends with whoever started it, however that one ends.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.tiny_model import CONTEXT_TOKENS, MODEL_NAME, write_tiny_model

PARALLEL_ANSWERS = 2
STOP_SECONDS = 10
ERRORS_ONLY = 1  # llama.cpp's `verbosity`


@contextmanager
def running_llama_server(*, endless: bool = False) -> Generator[str]:
    """Write the model, start the server on a free port of the loopback, and yield its address (without `/v1`).

    `endless` answers end at the caller's cap on tokens and never before it.

    Raises:
        RuntimeError: the server ended before it listened; the message carries what it wrote.
    """
    with TemporaryDirectory(prefix="dragoman-llama-") as folder:
        model = write_tiny_model(Path(folder) / f"{MODEL_NAME}.gguf")
        log = Path(folder) / "log"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "examples.llama_server", str(model), *(["endless"] if endless else [])],
                cwd=Path(__file__).parent.parent,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C is for the caller, who then closes the pipe
            )
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if not address:
                process.wait(STOP_SECONDS)
                raise RuntimeError(f"the llama.cpp server did not start:\n{log.read_text(errors='replace')}")
            yield address
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    try:
        process.communicate(timeout=STOP_SECONDS)  # closes its standard input, which asks it to end
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def serve(model: Path, *, endless: bool) -> None:
    """Serve `model` in this process, print the address, and return when standard input ends."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {MODEL_NAME}
    parameters.n_ctx = CONTEXT_TOKENS * PARALLEL_ANSWERS
    parameters.n_parallel = PARALLEL_ANSWERS
    parameters.cpuparams.n_threads = 1
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.warmup = False
    parameters.ui = False
    parameters.verbosity = ERRORS_ONLY
    parameters.sampling.ignore_eos = endless
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    del server  # stops the listener and joins its threads


if __name__ == "__main__":
    serve(Path(sys.argv[1]), endless="endless" in sys.argv[2:])
