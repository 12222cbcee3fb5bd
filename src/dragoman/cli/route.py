"""`dragoman route explain`: which deployment a request would go to, and why. Nothing is sent to any provider."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
import typer

from dragoman.cli.chat import OutputForm
from dragoman.cli.notices import explained, harmless
from dragoman.errors import ConfigError, DragomanError, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["route"]

MASTER_KEY = "DRAGOMAN_MASTER_KEY"

route = typer.Typer(name="route", help="How requests find their deployments.", no_args_is_help=True)


@route.callback()
def _several() -> None:  # pyright: ignore[reportUnusedFunction] - typer calls it
    """How requests find their deployments."""


@route.command()
def explain(
    model: Annotated[str, typer.Argument(help="The model that a client asks for.")],
    prompt: Annotated[str, typer.Argument(help="What it says.")] = "Hello",
    body: Annotated[
        str | None, typer.Option(metavar="FILE", help="A whole request in place of the prompt; - reads it from here.")
    ] = None,
    dialect: Annotated[str, typer.Option(help="The client's protocol: the body's.")] = "openai-chat",
    header: Annotated[list[str] | None, typer.Option(metavar="'NAME: VALUE'", help="A header of the request.")] = None,
    key: Annotated[str | None, typer.Option(help="The name of the key that asks.")] = None,
    config: Annotated[str, typer.Option(help="The configuration's file.")] = "dragoman.yaml",
    gateway: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help=f"Ask a running gateway, by the master key in {MASTER_KEY}, what it would do."
        ),
    ] = None,
    output: Annotated[OutputForm, typer.Option(help="'json' writes one JSON document.")] = OutputForm.TEXT,
) -> None:
    """Tell who would be asked, in which order and why: by the configuration alone, or by a gateway's own knowledge."""
    with explained():
        question = _question(model, prompt, body, dialect, header or [], key)
        told = _offline(question, config) if gateway is None else _asked(question, gateway)
        if output is OutputForm.JSON:
            sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        else:
            sys.stdout.write("".join(f"{harmless(line)}\n" for line in _lines(told)))
        sys.stdout.flush()


def _question(
    model: str, prompt: str, body: str | None, dialect: str, headers: list[str], key: str | None
) -> dict[str, Any]:
    question: dict[str, Any] = {"dialect": dialect, "body": _body(model, prompt, dialect)}
    if body is not None:
        question["body"] = _read(body)
    if dialect == "gemini":
        question["model"] = model
    elif isinstance(question["body"], dict):
        question["body"]["model"] = model
    if key is not None:
        question["key"] = key
    found: dict[str, str] = {}
    for each in headers:
        name, colon, value = each.partition(":")
        if not colon or not name.strip():
            raise InvalidRequest(f"a header is written as 'name: value', and not as {each!r}")
        found[name.strip()] = value.strip()
    if found:
        question["headers"] = found
    return question


def _body(model: str, prompt: str, dialect: str) -> dict[str, Any]:
    said = {"role": "user", "content": prompt}
    match dialect:
        case "openai-responses":
            return {"model": model, "input": [said], "store": False}
        case "anthropic":
            return {"model": model, "messages": [said], "max_tokens": 1024}
        case "gemini":
            return {"contents": [{"role": "user", "parts": [{"text": prompt}]}]}
        case _:
            return {"model": model, "messages": [said]}


def _read(path: str) -> Any:
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return msgspec.json.decode(data)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror or error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} is not JSON: {error}") from None


def _offline(question: dict[str, Any], path: str) -> dict[str, Any]:
    import asyncio

    from dragoman.gateway.config import load

    found = load(path)  # says so where the gateway's packages are missing
    from dragoman.gateway.explaining import explain_question, read_question
    from dragoman.gateway.generation import Generations
    from dragoman.gateway.replay_memory import ReplayMemory

    async def told() -> dict[str, Any]:
        generation = Generations(lambda: found).open()
        return await explain_question(read_question(msgspec.json.encode(question)), generation, ReplayMemory())

    return asyncio.run(told())


def _asked(question: dict[str, Any], address: str) -> dict[str, Any]:
    import asyncio

    from dragoman.transport import HttpRequest, HttpTransport, Timeout

    secret = os.environ.get(MASTER_KEY)
    if not secret:
        raise ConfigError(f"a gateway tells this to the master key alone: set {MASTER_KEY}")

    async def ask() -> tuple[int, bytes]:
        headers = (("authorization", f"Bearer {secret}"), ("content-type", "application/json"))
        http = HttpRequest(
            "POST", f"{address.rstrip('/')}/admin/explain", headers, msgspec.json.encode(question), Timeout()
        )
        transport = HttpTransport()
        try:
            answer = await transport.send(http)
        finally:
            await transport.aclose()
        return answer.status, answer.body

    status, data = asyncio.run(ask())
    try:
        told: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = None
    if status != 200 or not isinstance(told, dict):
        raise DragomanError(f"{address} answered {status}: {_message(told)}")
    return cast("dict[str, Any]", told)


def _message(told: Any) -> str:
    try:
        return str(told["error"]["message"])
    except (KeyError, TypeError):
        return "this is no answer of a gateway"


def _lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"{told['model']}: {told['chosen'] or 'nobody can be asked'} (strategy {told['strategy']})"
    width = max((len(each["name"]) for each in told["candidates"]), default=0)
    for each in told["candidates"]:
        state = "" if each["state"] == "closed" else f"; {each['state']}"
        mode = each["mode"] + (f": {each['mode_reason']}" if each["mode_reason"] else "")
        yield (
            f"{each['rank'] or '-':>3}  {each['name']:<{width}}  tier {each['tier']}  {each['reason']}{state}  [{mode}]"
        )
