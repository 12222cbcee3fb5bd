"""What is learnt of deployments from their traffic, and outlives the configuration under which it was learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.routing.affinity import Affinity
from dragoman.routing.health import Health, HealthSettings
from dragoman.routing.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.gateway.config.structs import AffinityBlock, DeploymentLimitsBlock, HealthBlock
    from dragoman.routing import Route

__all__ = ["RouteState", "limits_of"]


def limits_of(block: DeploymentLimitsBlock, worker: int, workers: int) -> Limits:
    """A deployment's limits as one of several processes has them, so that all together keep them; at least one each."""

    def part(limit: int | None) -> int | None:
        return None if limit is None else max(1, limit // workers + (worker < limit % workers))

    return Limits(
        rpm=part(block.rpm),
        tpm=part(block.tpm),
        concurrency=part(block.concurrency),
        queue_seconds=block.queue_seconds,
        queue_length=block.queue_length,
    )


class RouteState:
    """`health` of all deployments, and by model where its sessions and conversations are. Belongs to one event loop."""

    def __init__(self) -> None:
        self.health = Health()
        self._affinities: dict[str, Affinity] = {}

    def affinity(self, label: str, block: AffinityBlock) -> Affinity:
        """A model's affinity as this block has it, with what the one before it remembers. Changes nothing yet."""
        made = Affinity(sessions=block.sessions, prefixes=block.prefixes, seconds=block.seconds, most=block.max_entries)
        before = self._affinities.get(label)
        return made if before is None or not _alike(before, made) else before

    def take(self, settings: HealthBlock, affinities: Mapping[str, Affinity | None], routes: Iterable[Route]) -> None:
        """A configuration is in use from now on: its settings hold, and what it does not name is forgotten."""
        kept = HealthSettings.__struct_fields__
        self.health.settings = HealthSettings(**{name: getattr(settings, name) for name in kept})
        limits: dict[str, Limits] = {}
        for route in routes:
            for candidate in route.candidates:
                if candidate.limits is not None:
                    key = self.health.standing(candidate.deployment).key
                    known = limits.get(key)
                    limits[key] = candidate.limits if known is None else candidate.limits.tightened(known)
        self._affinities = {label: each for label, each in affinities.items() if each is not None}
        self.health.limit(limits)  # wider ones hold at once, as narrower ones do


def _alike(one: Affinity, other: Affinity) -> bool:
    return (one.sessions, one.prefixes, one.seconds, one.most) == (
        other.sessions,
        other.prefixes,
        other.seconds,
        other.most,
    )
