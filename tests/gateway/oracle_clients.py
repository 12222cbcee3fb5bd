"""The official Python clients, made to ask what was recorded, and all that they give: objects, events, errors.

Their objects are read as Any, as a user of theirs finds them at run time.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import anthropic
import httpx2
import openai

from tests.gateway.running import KEY
from tests.official.clients import facts_of

with warnings.catch_warnings():
    # Compiled for the first time, this package warns of its own string literals.
    warnings.simplefilter("ignore")
    from google import genai
    from google.genai import errors as genai_errors
    from google.genai import types as genai_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.official.facts import Facts

__all__ = ["Asking", "Given", "OracleClients"]

_CUT = b"TRIMMED["


@dataclass(frozen=True)
class Asking:
    """What a client is to ask: `body` as its dialect's wire has it, `headers` beside its own."""

    dialect: str
    model: str
    body: dict[str, Any]
    stream: bool
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Given:
    """What a client gave: `objects` in the order in which they came, as plain data; the error that ended it.

    `head` and `wire` are the HTTP answer's own headers and bytes.
    """

    objects: list[Any] = field(default_factory=list[Any])
    error: dict[str, Any] | None = None
    facts: Facts | None = None
    head: dict[str, str] = field(default_factory=dict[str, str])
    wire: bytes = b""


class _Tee(httpx2.HTTPTransport):
    """Keeps what the last answer was made of."""

    head: dict[str, str]
    pieces: list[bytes]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        self.head = dict(response.headers)
        self.pieces = []
        response.stream = _Kept(cast("httpx2.SyncByteStream", response.stream), self.pieces)
        return response


class _Kept(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, pieces: list[bytes]) -> None:
        self._stream = stream
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self._pieces.append(piece)
            yield piece

    def close(self) -> None:
        self._stream.close()


class OracleClients:
    """One client a vendor, for any address. `close` ends their connections."""

    def __init__(self) -> None:
        self._tee = _Tee()
        self._http = httpx2.Client(transport=self._tee, trust_env=False, timeout=30)
        self._openai = openai.OpenAI(api_key=KEY, base_url="http://127.0.0.1:9", max_retries=0, http_client=self._http)
        self._anthropic = anthropic.Anthropic(
            api_key=KEY, base_url="http://127.0.0.1:9", max_retries=0, http_client=self._http
        )
        options = genai_types.HttpOptions(
            httpx_client=self._http, retry_options=genai_types.HttpRetryOptions(attempts=1)
        )
        self._google: Any = genai.Client(api_key=KEY, vertexai=False, http_options=options)

    def close(self) -> None:
        self._http.close()

    def ask(self, asking: Asking, url: str) -> Given:
        """What the client of the asking's dialect gives, talking to this address."""
        ways = {"openai-chat": self._chat, "openai-responses": self._responses, "anthropic": self._messages}
        given = Given()
        found: list[Any] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of models that were withdrawn since, of members of newer hosts
            try:
                for item in ways.get(asking.dialect, self._generate)(asking, url):
                    found.append(item)
                    given.objects.append(_plain(item))
            except (openai.APIError, anthropic.APIError) as error:
                given.error = _told(error, getattr(error, "status_code", None), error.body)
            except genai_errors.APIError as error:
                given.error = _told(error, error.code, getattr(error, "details", None))
            except (ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError) as error:
                # A client that cannot read what its vendor's imitators write.
                given.error = _told(error, None, str(error))
        if given.error is None and found:
            try:
                given.facts = facts_of(asking.dialect, found, streamed=asking.stream)
            except (TypeError, AttributeError):
                pass  # an answer without the members that its dialect promises
        given.head = self._tee.head
        given.wire = b"".join(self._tee.pieces)
        return given

    def _chat(self, asking: Asking, url: str) -> Iterator[Any]:
        client = self._openai.with_options(base_url=f"{url}/v1")
        create: Any = client.chat.completions.create
        yield from _items(create(**_common(asking), messages=[], stream=asking.stream), asking.stream)

    def _responses(self, asking: Asking, url: str) -> Iterator[Any]:
        client = self._openai.with_options(base_url=f"{url}/v1")
        create: Any = client.responses.create
        yield from _items(create(**_common(asking), input=[], stream=asking.stream), asking.stream)

    def _messages(self, asking: Asking, url: str) -> Iterator[Any]:
        client: Any = self._anthropic.with_options(base_url=url)
        common: dict[str, Any] = {**_common(asking), "max_tokens": asking.body.get("max_tokens", 99), "messages": []}
        if not asking.stream:
            yield client.beta.messages.create(**common, timeout=30)
            return
        with client.beta.messages.stream(**common, timeout=30) as stream:
            yield from stream
            yield stream.get_final_message()

    def _generate(self, asking: Asking, url: str) -> Iterator[Any]:
        options = genai_types.HttpOptions(base_url=url, extra_body=asking.body, headers=asking.headers or None)
        config = genai_types.GenerateContentConfig(http_options=options)
        asked: Any = {"model": asking.model, "contents": "Hi", "config": config}
        if asking.stream:
            yield from self._google.models.generate_content_stream(**asked)
        else:
            yield self._google.models.generate_content(**asked)


def _common(asking: Asking) -> dict[str, Any]:
    body = {name: value for name, value in asking.body.items() if name not in ("model", "stream")}
    return {"model": asking.model, "extra_body": body, "extra_headers": asking.headers}


def _items(answer: Any, stream: bool) -> Iterator[Any]:
    if not stream:
        yield answer
        return
    with answer:
        yield from answer


def _plain(item: Any) -> Any:
    """The object as plain data, without what its client notes of the HTTP answer."""
    if not hasattr(item, "model_dump"):
        return item
    told: dict[str, Any] = item.model_dump()
    told.pop("sdk_http_response", None)
    return told


def _told(error: Exception, status: int | None, body: Any) -> dict[str, Any]:
    return {"kind": type(error).__name__, "status": status, "body": body}
