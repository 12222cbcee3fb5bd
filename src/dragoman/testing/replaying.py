"""Replayer: a transport that answers from recordings, strictly, and knows no network."""

from __future__ import annotations

import difflib
from collections import defaultdict, deque
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from dragoman.errors import ConnectionLost
from dragoman.testing.recording import read_recordings, recorded_request
from dragoman.transport.fake import FakeTransport
from dragoman.transport.seam import HttpResponse

if TYPE_CHECKING:
    import os

    from dragoman.testing.recording import RecordedRequest, Recording
    from dragoman.transport.fake import Answer, Chunk
    from dragoman.transport.seam import HttpRequest

__all__ = ["ReplayTransport", "UnknownExchange"]

MOST_LINES = 40


class UnknownExchange(AssertionError):
    """A request that no recording answers; the message shows how it differs from the nearest one."""


class ReplayTransport(FakeTransport):
    """Answers from the recordings of `folder`: the same method, address and body, or `UnknownExchange`.

    >>> model = get_model("openai/gpt-4o", api_key="any", transport=ReplayTransport("tests/recorded"))

    Several recordings of one request are answered in the order in which they were made, each once. `unused` names the
    files that were not asked for. Streams come in the pieces in which they came; one that was not recorded to its end
    ends as a lost connection.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__(self._play)
        self._recordings = read_recordings(folder)
        self._waiting: defaultdict[bytes, deque[tuple[str, Recording]]] = defaultdict(deque)
        self._mutex = Lock()
        for name, recording in self._recordings:
            self._waiting[_key(recording.request)].append((name, recording))

    @property
    def unused(self) -> list[str]:
        """The files that no request has asked for."""
        return sorted(name for left in self._waiting.values() for name, _ in left)

    def _play(self, request: HttpRequest) -> Answer:
        asked = recorded_request(request, ())
        with self._mutex:
            left = self._waiting.get(_key(asked))
            if not left:
                raise self._unknown(asked, used_up=left is not None)
            _, recording = left.popleft()
        answer = recording.answer
        chunks: list[Chunk] = [*answer.chunks()]
        if not answer.complete:
            chunks.append(ConnectionLost("the recording ends here: its reader left, or the connection was lost"))
            return self.streamed(chunks, status=answer.status, headers=answer.headers)
        if answer.streamed:
            return self.streamed(chunks, status=answer.status, headers=answer.headers)
        return HttpResponse(answer.status, answer.headers, b"".join(answer.chunks()))

    def _unknown(self, asked: RecordedRequest, *, used_up: bool) -> UnknownExchange:
        where = f"{asked.method} {asked.url}"
        if used_up:
            return UnknownExchange(f"every recording of this request was used already: {where}")
        if not self._recordings:
            return UnknownExchange(f"there are no recordings; {where} was asked")
        shown = _shown(asked)
        near_name, near = max(
            self._recordings,
            key=lambda one: (
                one[1].request.url == asked.url,
                difflib.SequenceMatcher(None, _shown(one[1].request), shown, autojunk=False).quick_ratio(),
            ),
        )
        lines = list(
            difflib.unified_diff(
                _shown(near.request).splitlines(), shown.splitlines(), near_name, "this request", lineterm="", n=1
            )
        )
        told = "\n".join([*lines[:MOST_LINES], *(["…"] if len(lines) > MOST_LINES else [])])
        return UnknownExchange(f"no recording answers {where}. The nearest is {near_name}:\n{told}")


def _key(request: RecordedRequest) -> bytes:
    return msgspec.json.encode((request.method, request.url, request.json, request.text), order="sorted")


def _shown(request: RecordedRequest) -> str:
    body = msgspec.json.encode(request.json if request.text is None else request.text, order="sorted")
    return f"{request.method} {request.url}\n{msgspec.json.format(body, indent=1).decode()}"
