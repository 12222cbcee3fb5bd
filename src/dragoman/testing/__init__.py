"""Means to test what is built on this library, and providers themselves. Public, and free of any network but our own.

- `FakeProvider` (`fakes.py`): a provider over real HTTP, in every dialect, which refuses what the real one refuses
  (`refusals/`) and commits faults on demand (`faults.py`); its log is the witness
- `FaultProxy` (`fault_proxy.py`): the same faults before any real server, with a log of what passed
- `ScriptedModel`, `echo` (`scripted.py`): a model with given replies (`replies.py`), through the whole face
- the provider `mock` (`mock.py`): answers from fixtures, for programs whose provider is a setting
- `RecordingTransport` (`recording.py`), `ReplayTransport` (`replaying.py`): real exchanges kept, and answered again
- `no_network` (`network.py`): a guard that lets nothing connect beyond this machine
- `conformance/`: the pack of checks that finds out what a provider can and cannot do, ours or anyone's

The pytest plugin (`plugin.py`) has fixtures for these. Names are loaded at their first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragoman.testing.fakes import FakeProvider
    from dragoman.testing.fault_proxy import FaultProxy, Passage
    from dragoman.testing.faults import (
        Cut,
        ErrorIn200,
        ErrorInStream,
        Fault,
        Garbage,
        Malformed,
        Reset,
        SlowHead,
        Stall,
        Status,
    )
    from dragoman.testing.mock import MockModel
    from dragoman.testing.network import NetworkForbidden, no_network
    from dragoman.testing.party import Seen
    from dragoman.testing.recording import RecordingTransport
    from dragoman.testing.replaying import ReplayTransport, UnknownExchange
    from dragoman.testing.replies import Reply, call
    from dragoman.testing.scripted import ScriptedModel, echo

_ROOMS = {
    "dragoman.testing.fakes": "FakeProvider",
    "dragoman.testing.fault_proxy": "FaultProxy Passage",
    "dragoman.testing.faults": "Cut ErrorIn200 ErrorInStream Fault Garbage Malformed Reset SlowHead Stall Status",
    "dragoman.testing.mock": "MockModel",
    "dragoman.testing.network": "NetworkForbidden no_network",
    "dragoman.testing.party": "Seen",
    "dragoman.testing.recording": "RecordingTransport",
    "dragoman.testing.replaying": "ReplayTransport UnknownExchange",
    "dragoman.testing.replies": "Reply call",
    "dragoman.testing.scripted": "ScriptedModel echo",
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}

__all__ = [
    "Cut",
    "ErrorIn200",
    "ErrorInStream",
    "FakeProvider",
    "Fault",
    "FaultProxy",
    "Garbage",
    "Malformed",
    "MockModel",
    "NetworkForbidden",
    "Passage",
    "RecordingTransport",
    "ReplayTransport",
    "Reply",
    "Reset",
    "ScriptedModel",
    "Seen",
    "SlowHead",
    "Stall",
    "Status",
    "UnknownExchange",
    "call",
    "echo",
    "no_network",
]


def __getattr__(name: str) -> Any:
    room = _HOME.get(name)
    if room is None:
        raise AttributeError(f"module 'dragoman.testing' has no attribute {name!r}")
    value = getattr(import_module(room), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
