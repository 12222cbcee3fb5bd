"""What `make run` runs: the real llama.cpp server on this machine, asked by the library and through the gateway.

On a terminal the gateway serves until Ctrl-C, so that the commands shown can be pasted; elsewhere, and with CI=true,
each client asks once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import dragoman
from examples.first_gateway import RunningGateway, ask_once, running_gateway
from examples.llama_server import running_llama_server
from examples.tiny_model import MODEL_NAME

DIALECTS = ("openai-chat", "openai-responses", "anthropic")
QUESTION = "What is a dragoman?"
MAX_TOKENS = 16
LOOK_SECONDS = 0.2

CITY = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 12},
        "bridges": {"type": "integer", "minimum": 0, "maximum": 99},
    },
    "required": ["city", "bridges"],
    "additionalProperties": False,
}

NEXT = f"""\
What to type next

  make test                                   every test, on this machine alone
  .venv/bin/dragoman providers                who can be asked, and which variable each needs

  With a key of yours:

  export OPENAI_API_KEY=...
  .venv/bin/dragoman chat -m openai/gpt-4o "{QUESTION}"
  .venv/bin/python -c 'import dragoman; print(dragoman.get_model("openai/gpt-4o").chat("{QUESTION}").content)'
  .venv/bin/dragoman serve                    the gateway, for every provider whose key is set

  Without one, with this same model (the second command prints its address and serves until Ctrl-D):

  .venv/bin/python -m examples.tiny_model tiny.gguf
  .venv/bin/python -m examples.llama_server tiny.gguf
  .venv/bin/dragoman chat -m llama_cpp/{MODEL_NAME} --base-url http://127.0.0.1:PORT

README.md and docs/gateway.md have the rest."""


def main() -> None:
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("CI") != "true"
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)  # the processes that were started end with this one
    with running_llama_server() as address:
        print(f"The real llama.cpp server listens at {address} with a model of random weights: its words are noise,")
        print(f"everything else is as it is with a trained one. Asked each time: {QUESTION}\n")
        for dialect in DIALECTS:
            model = dragoman.get_model(f"llama_cpp/{MODEL_NAME}", base_url=address, dialect=dialect)
            show(model, dialect)
        show_schema(dragoman.get_model(f"llama_cpp/{MODEL_NAME}", base_url=address))
        with running_gateway(address, on_terminal=on_terminal) as gateway:
            ask_once(gateway, QUESTION, MAX_TOKENS)
            print(NEXT)
            if on_terminal:
                serve(gateway)


def serve(gateway: RunningGateway) -> None:
    """Until Ctrl-C, or until the gateway ends. Pressed again, it changes nothing: the end is under way."""
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    print(f"\nThe gateway serves at {gateway.url} until Ctrl-C, and writes a line for each attempt:", flush=True)
    while not pressed and gateway.process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            gateway.process.wait(LOOK_SECONDS)


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def show(model: dragoman.ChatModel, dialect: str) -> None:
    """The same lines for every protocol: a whole answer, and a streamed one."""
    print(dialect)
    answer = model.chat(QUESTION, max_tokens=MAX_TOKENS)
    print(f"  chat    {on_one_line(answer.content)}")
    print(f"          {taken(answer)}")
    print("  stream  ", end="")
    with model.stream(QUESTION, max_tokens=MAX_TOKENS) as stream:
        for chunk in stream:
            print(on_one_line(chunk.delta), end="", flush=True)
    print(f"\n          {taken(stream.response)}\n")


def show_schema(model: dragoman.ChatModel) -> None:
    """Output held to a JSON Schema, which this server does on its chat endpoint alone."""
    answer = model.chat(
        "Name a city and how many bridges it has.",
        response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}},
    )
    print(f"openai-chat, held to a JSON Schema\n  chat    {json.loads(answer.content)}\n          {taken(answer)}\n")


def taken(answer: dragoman.Response) -> str:
    """What the answer took."""
    usage = answer.usage
    assert usage is not None  # this server reports it in all three protocols
    return f"{usage.input_tokens} tokens in, {usage.output_tokens} out, finish: {answer.finish_reason}"


def on_one_line(text: str) -> str:
    """The text without line breaks: noise has them anywhere."""
    return text.replace("\n", " ")


if __name__ == "__main__":
    main()
