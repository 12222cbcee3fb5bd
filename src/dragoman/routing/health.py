"""Health: which deployments are well, from what their own traffic shows. Nothing is sent to find out.

A breaker for each deployment, in three states. *Closed*: it is asked. *Open*: after five faults in a row, or when half
of at least ten recent attempts failed; it is passed over for 10 s, twice as long after each probe that fails, two
minutes at most. *Half-open*: one call, in the whole machine, is the probe; its success closes the breaker, after which
traffic comes back slowly for 30 s.

A Retry-After shuts a deployment for as long as it says, within bounds; nothing need be proved after it. A credential
that was refused, or has no quota left, shuts all deployments that it is used for: they are not ill, and asking again
helps nobody but whoever renewed the key, so one probe every five minutes looks.

What is no fault of the deployment (a wrong request, a prompt too long, blocked content) shows that it answers.

Several processes that share a gate have one probe among them; what one of them tells (`share`) the others `hear`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dragoman.errors import (
    AuthenticationFailed,
    ConfigError,
    PermissionDenied,
    PoolExhausted,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Remedy,
)
from dragoman.routing.gates import LocalGate
from dragoman.routing.limits import Limits
from dragoman.routing.news import StandingNews, news_of
from dragoman.routing.standing import Standing, State, identity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.engine import Deployment
    from dragoman.errors import DragomanError
    from dragoman.routing.gates import ProbeGate
    from dragoman.routing.rate_headers import Kind

__all__ = ["DeploymentView", "Health", "HealthSettings"]

MOST_KEPT = 4096
DENIED_IN_A_ROW = 3
WORTH_TELLING_SECONDS = 0.5
"""Of a burst of answers that ask for a wait the first is news, and the others change it by less than this."""


class HealthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When a breaker opens, and for how long. Seconds; `failure_share` counts over about the last half minute.

    `longest_retry_after_seconds` is how long a provider may shut itself. `slow_start_seconds` 0 brings all of the
    traffic back at once.
    """

    failures_in_a_row: int = 5
    failure_share: float = 0.5
    least_attempts: int = 10
    cooldown_seconds: float = 10.0
    longest_cooldown_seconds: float = 120.0
    longest_retry_after_seconds: float = 300.0
    credential_seconds: float = 300.0
    slow_start_seconds: float = 30.0


class DeploymentView(msgspec.Struct, frozen=True, kw_only=True):
    """How one deployment stands. `seconds` is how long it stays as it is, where that is known."""

    name: str
    state: State
    reason: str
    seconds: float
    failures_in_a_row: int
    in_flight: int
    waiting: int
    credential_dead: bool


class Health:
    """The standings of deployments, kept by deployment and credential, and the rules by which they change.

    Time is given, in seconds of any steady clock. `gate` None is a gate of this process.
    """

    def __init__(
        self, settings: HealthSettings | None = None, *, gate: ProbeGate | None = None, watching: bool = True
    ) -> None:
        """`watching` False keeps standings and shuts nobody."""
        self.settings = settings or HealthSettings()
        self.watching = watching
        self._gate: ProbeGate = gate or LocalGate()
        self._tell: Callable[[Standing], None] | None = None
        self._standings: dict[str, Standing] = {}
        self.version: object = object()
        """Another one whenever something may have changed that keeps calls away from somebody."""

    def changed(self) -> None:
        """Whoever has worked out who is well looks again. To be called after the change."""
        self.version = object()  # and no count, of which two threads might make the same

    # -- who is known ------------------------------------------------------------------------------------------------

    def standing(self, deployment: Deployment, number: int = 1) -> Standing:
        """The standing of a deployment; `number` tells several of one name apart in one route."""
        key, credential = identity(deployment)
        if number > 1:
            key = f"{key} #{number}"
        found = self._standings.get(key)
        if found is None:
            found = self._add(key, deployment.label or deployment.name, credential)
            self._take_over(found)
        return found

    def _add(self, key: str, name: str, credential: str) -> Standing:
        if len(self._standings) >= MOST_KEPT:
            self._drop_some()
        made = self._standings[key] = Standing(key, name, credential)
        return made

    def _take_over(self, new: Standing) -> None:
        """A new deployment whose credential is known to be dead begins shut."""
        for other in self._standings.values():
            if other.dead and other.credential == new.credential:
                new.dead = new.opened = True
                new.shut_until, new.why, new.failures = other.shut_until, other.why, other.failures
                return

    def _drop_some(self) -> None:
        """Forgets the older half of those that are idle and well."""
        idle = [key for key, each in self._standings.items() if not each.in_flight and not each.shut_until]
        for key in idle[: max(1, len(idle) // 2)]:
            del self._standings[key]

    def view(self, now: float) -> tuple[DeploymentView, ...]:
        """How every deployment stands, by name."""
        views = [
            DeploymentView(
                name=each.name,
                state=each.state(now),
                reason=each.why,
                seconds=max(0.0, each.shut_until - now),
                failures_in_a_row=each.failures,
                in_flight=each.in_flight,
                waiting=0 if each.capacity is None else each.capacity.waiting,
                credential_dead=each.dead,
            )
            for each in self._standings.values()
        ]
        return tuple(sorted(views, key=lambda view: view.name))

    def limit(self, limits: Mapping[str, Limits]) -> None:
        """Limits in place of all that were written down before, by standings' keys; what was used counts on."""
        for key, each in self._standings.items():
            if each.capacity is not None:
                each.capacity.limits = limits.get(key) or Limits()

    def reset(self, name: str | None = None) -> int:
        """Closes the breakers of this name, or all; gives how many there were."""
        count = 0
        for each in self._standings.values():
            if name is None or each.name == name:
                each.close()
                each.warm_from = None
                self._gate.end(each.key, recovered=True, now=0.0)
                count += 1
        self.changed()
        return count

    # -- among several processes -------------------------------------------------------------------------------------

    def share(self, gate: ProbeGate, tell: Callable[[Standing], None]) -> None:
        """From now on probes go by this gate, and `tell` is called with every standing that others should hear of.

        It is called in the midst of things: it may not wait, and looks at the standing later.
        """
        self._gate = gate
        self._tell = tell

    def news(self, now: float) -> list[StandingNews]:
        """All that shuts anybody, for a process that has just begun."""
        return [news_of(each, now) for each in self._standings.values() if each.opened or each.shut_until > now]

    def hear(self, news: StandingNews, now: float) -> None:
        """What another process told. It is not told on."""
        standing = self._standings.get(news.key)
        if news.closed:
            if standing is not None and (standing.opened or standing.shut_until > now):
                self._close(standing, now)
            return
        if standing is None:
            standing = self._add(news.key, news.name, news.credential)
        until = now + news.seconds
        longer = until > standing.shut_until or (news.opened and not standing.opened)
        if not longer or (standing.probing and not news.dead):
            return  # a probe that is under way here will tell more
        standing.shut_until = max(standing.shut_until, until)
        standing.why, standing.certain, standing.opened, standing.dead = news.why, news.certain, news.opened, news.dead
        standing.failures = max(standing.failures, news.failures)
        standing.cooldown = max(standing.cooldown, news.cooldown)
        self.changed()

    def _told(self, standing: Standing) -> None:
        if self._tell is not None:
            self._tell(standing)

    # -- before an attempt -------------------------------------------------------------------------------------------

    def may_probe(self, standing: Standing, now: float) -> bool:
        """Leave for the one probe of a half-open deployment."""
        if standing.probing or not self._gate.begin(standing.key, now):
            return False
        standing.probing = True
        return True

    def warmth(self, standing: Standing, now: float) -> float:
        """The share of its traffic that a deployment gets: less than 1 for a while after it recovered."""
        since = standing.warm_from
        if since is None:
            return 1.0
        share = (now - since) / self.settings.slow_start_seconds if self.settings.slow_start_seconds > 0 else 1.0
        if share >= 1.0:
            standing.warm_from = None
            self.changed()
            return 1.0
        return max(0.1, share)

    # -- after it ----------------------------------------------------------------------------------------------------

    def answered(self, standing: Standing, now: float) -> None:
        """An attempt was answered."""
        standing.failures = 0
        # As in `_fault`; written out, for every answer comes here.
        passed = now - standing.counted_at
        keep = 0.5 ** (passed / 30.0) if passed > 0 else 1.0
        standing.tries = standing.tries * keep + 1.0
        standing.bad *= keep
        standing.counted_at = now
        if standing.opened:
            # An answer that was under way when the breaker opened proves less than the faults that opened it.
            if standing.probing or now >= standing.shut_until:
                self._recovered(standing, now)
        elif standing.shut_until and now >= standing.shut_until:
            standing.shut_until, standing.why, standing.certain = 0.0, "", False
            self.changed()

    def failed(
        self, standing: Standing, error: DragomanError, now: float, headers: Mapping[str, str] | None = None
    ) -> None:
        """An attempt failed."""
        if not self.watching:
            return
        try:
            self._failed(standing, error, now, headers)
        finally:
            self.changed()

    def _failed(self, standing: Standing, error: DragomanError, now: float, headers: Mapping[str, str] | None) -> None:
        remedy = error.remedy
        if isinstance(error, PoolExhausted):
            self.passed(standing, now)  # our own pool was empty: nothing was asked of the deployment
        elif remedy is Remedy.CREDENTIAL:
            self._credential_failed(standing, error, now)
        elif remedy is Remedy.WAIT:
            self._asked_to_wait(standing, error, now, headers)
        elif remedy in (Remedy.ILL, Remedy.ABSENT):
            self._fault(standing, type(error).__name__, now)
        else:
            self.answered(standing, now)

    def passed(self, standing: Standing, now: float) -> None:
        """An attempt ended and says nothing of the deployment: it was cancelled, or never made."""
        if standing.probing:
            standing.probing = False
            self._gate.end(standing.key, recovered=False, now=now)

    def _recovered(self, standing: Standing, now: float) -> None:
        for closed in self._close(standing, now):
            self._told(closed)

    def _close(self, standing: Standing, now: float) -> list[Standing]:
        """Closes a breaker, and with a credential that lives again all that were shut for it."""
        closed = [standing]
        if standing.dead:
            closed += [
                other
                for other in self._standings.values()
                if other.dead and other.credential == standing.credential and other is not standing
            ]
        for each in closed:
            self._end_probe(each, now, recovered=True)
            each.close()
        standing.warm_from = now
        self.changed()
        return closed

    def _end_probe(self, standing: Standing, now: float, *, recovered: bool) -> None:
        if standing.probing:
            standing.probing = False
            self._gate.end(standing.key, recovered=recovered, now=now)

    def _credential_failed(self, standing: Standing, error: DragomanError, now: float) -> None:
        standing.failures += 1
        whole = isinstance(error, (AuthenticationFailed, QuotaExhausted, ConfigError))
        if isinstance(error, PermissionDenied) and standing.failures < DENIED_IN_A_ROW and not standing.opened:
            return  # a good credential may be refused one thing and not the others
        wait = self.settings.credential_seconds
        asked = error.retry_after if isinstance(error, ProviderError) else None
        if asked is not None:
            wait = min(max(asked, 1.0), wait)
        why = f"its credential is refused ({type(error).__name__})"
        shared = (each for each in self._standings.values() if each.credential == standing.credential)
        for each in shared if whole else (standing,):
            self._end_probe(each, now, recovered=False)
            each.dead = each.opened = True
            each.certain = False
            each.shut_until = now + wait
            each.why = why
            self._told(each)

    def _asked_to_wait(
        self, standing: Standing, error: DragomanError, now: float, headers: Mapping[str, str] | None
    ) -> None:
        limited = isinstance(error, RateLimited)
        standing.limit(None).refused(now, headers, _kind(error), overload=not limited)
        asked = error.retry_after if isinstance(error, ProviderError) else None
        if asked is not None:
            wait = min(asked, self.settings.longest_retry_after_seconds)
            self._end_probe(standing, now, recovered=False)
            if now + wait >= standing.shut_until:  # what else shuts it for longer is no certain wait
                news = now + wait > max(now, standing.shut_until) + WORTH_TELLING_SECONDS
                standing.shut_until = now + wait
                standing.certain = True
                standing.opened = standing.dead
                standing.why = f"{type(error).__name__}, which asks for {asked:g} s"
                if news:
                    self._told(standing)
        elif limited:
            # It answers, and too much is asked of it: a pause that doubles, and the learned cap, keep calls away.
            self._end_probe(standing, now, recovered=False)
            standing.failures += 1
            pause = min(2.0 ** (standing.failures - 1), 30.0)
            if now + pause >= standing.shut_until:
                standing.shut_until = now + pause
                standing.certain = False
                standing.why = "RateLimited"
        else:
            self._fault(standing, type(error).__name__, now)

    def _fault(self, standing: Standing, name: str, now: float) -> None:
        settings = self.settings
        standing.failures += 1
        passed = now - standing.counted_at
        keep = 0.5 ** (passed / 30.0) if passed > 0 else 1.0
        standing.tries = standing.tries * keep + 1.0
        standing.bad = standing.bad * keep + 1.0
        standing.counted_at = now
        if not (
            standing.opened
            or standing.failures >= settings.failures_in_a_row
            or (standing.tries >= settings.least_attempts and standing.bad >= settings.failure_share * standing.tries)
        ):
            return
        if standing.opened and now < standing.shut_until:
            # One of those that were in flight when it opened, or a probe that was made early since nobody was well.
            self._end_probe(standing, now, recovered=False)
            return
        self._end_probe(standing, now, recovered=False)
        cooldown = min(standing.cooldown * 2, settings.longest_cooldown_seconds) or settings.cooldown_seconds
        standing.cooldown = cooldown
        standing.opened = True
        standing.certain = False
        standing.shut_until = now + cooldown
        standing.why = f"{name}, {standing.failures} in a row" if standing.failures > 1 else name
        self._told(standing)


def _kind(error: DragomanError) -> Kind | None:
    """What there was too much of, where the provider says so."""
    if isinstance(error, ProviderError):
        said = f"{error.kind or ''} {error.code or ''}".casefold()
        if "token" in said:
            return "tokens"
        if "request" in said:
            return "requests"
    return None
