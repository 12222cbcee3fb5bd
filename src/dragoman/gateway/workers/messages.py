"""What the supervisor and a worker say to each other.

Both are the same version of the same program, so an unknown message is a fault and no newer dialect. Further kinds are
further members of `Message`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dragoman.observe.metrics import Snapshot

__all__ = [
    "Abort",
    "Commit",
    "Done",
    "Drain",
    "Failed",
    "Frame",
    "Hello",
    "InService",
    "MergedMetricsAsk",
    "Message",
    "MetricsAsk",
    "MetricsSnapshot",
    "Order",
    "Prepare",
    "Ready",
    "Reload",
    "Start",
    "Told",
]


class _Message(msgspec.Struct, frozen=True, tag_field="kind"):
    """One message; its class's name is its kind."""


class Hello(_Message, frozen=True, tag="hello"):
    """Worker: I run."""

    pid: int


class Start(_Message, frozen=True, tag="start"):
    """Supervisor: serve this. `options` is a `ServeOptions`; `sockets` are inherited descriptors to listen on."""

    options: dict[str, Any]
    sockets: list[int]
    drain_delay_seconds: float


class Ready(_Message, frozen=True, tag="ready"):
    """Worker: I accept connections."""


class Prepare(_Message, frozen=True, tag="prepare"):
    """Supervisor: make the configuration with this digest ready; the old one serves on. Answer: `Done` or `Failed`."""

    number: int
    digest: str


class Commit(_Message, frozen=True, tag="commit"):
    """Supervisor: serve the configuration that you prepared. Answer: `Done`."""

    number: int


class Abort(_Message, frozen=True, tag="abort"):
    """Supervisor: forget the configuration that you prepared. Answer: `Done`."""

    number: int


class Done(_Message, frozen=True, tag="done"):
    """It is done."""


class Failed(_Message, frozen=True, tag="failed"):
    """It could not be done, and why."""

    reason: str


class Drain(_Message, frozen=True, tag="drain"):
    """Supervisor: end, without cutting anyone off before the bound."""


class MetricsAsk(_Message, frozen=True, tag="metrics-ask"):
    """Supervisor: tell what you have counted; it also shows that the worker's loop still turns."""


class MetricsSnapshot(_Message, frozen=True, tag="metrics"):
    """What one process, or all together, counted."""

    snapshot: Snapshot


class MergedMetricsAsk(_Message, frozen=True, tag="merged-metrics-ask"):
    """Worker: tell what all have counted together."""


class Reload(_Message, frozen=True, tag="reload"):
    """Worker: take the files into service, changed or not. Answer: `InService` or `Failed`."""


class InService(_Message, frozen=True, tag="in-service"):
    """The configuration with this digest is served by all."""

    digest: str


class Order(_Message, frozen=True, tag="order"):
    """Worker: let each worker do this. Supervisor: do it. Answer: `Told`, with what each gave in return."""

    name: str
    argument: str = ""


class Told(_Message, frozen=True, tag="told"):
    """What each of those who were asked gave in return, as plain data."""

    values: list[Any]


Message = (
    Hello
    | Start
    | Ready
    | Prepare
    | Commit
    | Abort
    | Done
    | Failed
    | Drain
    | MetricsAsk
    | MetricsSnapshot
    | MergedMetricsAsk
    | Reload
    | InService
    | Order
    | Told
)


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """A message on the wire: `id` 0 wants no answer; an answer carries the id of what it answers."""

    id: int
    answer: bool
    message: Message
