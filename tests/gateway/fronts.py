"""A gateway in front of one fake provider that is reached in four dialects, and what that provider says."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING
from zlib import crc32

from dragoman.errors import BadRequest, DragomanError, Overloaded, RateLimited, ServerFault
from dragoman.testing import FakeProvider
from dragoman.testing.answering import plain_answer
from dragoman.testing.replies import pieces_of
from dragoman.values import Finished, Media, PartEnded
from dragoman.values.unrolled import events_of
from tests.gateway.running import KEY, RunningGateway, running_gateway

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from dragoman.testing import Reply
    from dragoman.values import Event, Request

__all__ = ["PUBLIC_DIALECTS", "Front", "front_config", "model_of", "running_front"]

PUBLIC_DIALECTS = ("openai-chat", "openai-responses", "anthropic", "gemini")
"""The dialects in which clients call the gateway, and deployments of it are reached here."""

MODEL = "fake-model"
PROVIDER_KEY = "provider-key-of-the-fake"
_FAIL = re.compile(r"\AFail: (\w+)\Z")
_BREAK = re.compile(r"\ABreak after: (.+)\Z")

_FAILURES: dict[str, DragomanError] = {
    "bad_request": BadRequest("the seed must be even", status=400),
    "rate_limit": RateLimited("slow down, please", status=429, retry_after=7.0),
    "server_fault": ServerFault("something broke here", status=500),
    "overloaded": Overloaded("too busy at the moment", status=503),
}


def say(request: Request) -> Reply:
    """`Fail: …` and `Break after: …` are obeyed, an image is looked at, and the rest is as `answering` has it."""
    last = request.messages[-1]
    words = last.content
    if failing := _FAIL.match(words):
        return _FAILURES[failing[1]]
    if broken := _BREAK.match(words):
        return _broken(request, broken[1])
    for part in last.parts:
        if isinstance(part, Media):
            return f"I see {part.kind} {part.media_type} {crc32(part.bytes()):08x}"
    return plain_answer(request, 1)


def _broken(request: Request, words: str) -> Reply:
    """A stream that fails behind these words."""
    whole = plain_answer(_asking(request, f"Say: {words}"), 1)
    events: list[Event | DragomanError] = [
        event for event in pieces_of(events_of(whole)) if not isinstance(event, (Finished, PartEnded))
    ]
    return [*events, Overloaded("the provider gave up in mid-stream", in_stream=True)]


def _asking(request: Request, words: str) -> Request:
    from dragoman.values import replace, user

    return replace(request, messages=(user(words),))


def model_of(dialect: str) -> str:
    """The public model whose deployment is reached in this dialect."""
    return f"through-{dialect}"


def front_config(url: str, *, more: str = "", retries: int = 0) -> str:
    """One provider a dialect, all at the same fake, and a model for each."""
    lines = ["providers:"]
    for name in PUBLIC_DIALECTS:
        version = "/v1beta" if name == "gemini" else "/v1"
        lines.append(f'  p-{name}: {{dialect: {name}, base_url: "{url}{version}", api_key: "{PROVIDER_KEY}"}}')
    lines.append("models:")
    lines.extend(
        f"  {model_of(name)}: {{deployments: [p-{name}/{MODEL}], max_retries: {retries}}}" for name in PUBLIC_DIALECTS
    )
    lines.append(f"keys:\n  - {{name: ci, key: {KEY}}}\n{more}")
    return "\n".join(lines)


class Front:
    """`gateway` is what clients are pointed at, `fake` what stands behind it."""

    def __init__(self, gateway: RunningGateway, fake: FakeProvider) -> None:
        self.gateway = gateway
        self.fake = fake
        self.url = gateway.url


@contextlib.contextmanager
def running_front(folder: Path, *, more: str = "") -> Generator[Front]:
    """Both, until the block ends."""
    with (
        FakeProvider(say=say, key=PROVIDER_KEY) as fake,
        running_gateway(front_config(fake.url, more=more), folder) as it,
    ):
        yield Front(it, fake)
