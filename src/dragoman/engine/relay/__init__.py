"""Relay: an attempt between two ends of one dialect passes bytes, but for a short list of edits, and reads along.

`edits` is the list, `eligibility` says when bytes may pass, `body` reads the members of a request without touching
what they hold, `request` makes the HTTP request, `whole` and `stream` carry answers.
"""

from __future__ import annotations

from dragoman.engine.relay.body import Members, read_body, read_members, text_member, true_member
from dragoman.engine.relay.edits import EDITS, DialectEdits
from dragoman.engine.relay.eligibility import touched
from dragoman.engine.relay.request import RelayRequest
from dragoman.engine.relay.stream import Passed, RelayStream, relay_stream
from dragoman.engine.relay.whole import Relayed, relay
from dragoman.engine.relay.words import holds_any, words_of

__all__ = [
    "EDITS",
    "DialectEdits",
    "Members",
    "Passed",
    "RelayRequest",
    "RelayStream",
    "Relayed",
    "holds_any",
    "read_body",
    "read_members",
    "relay",
    "relay_stream",
    "text_member",
    "touched",
    "true_member",
    "words_of",
]
