"""One call on its way: its plan, who is chosen for it, leave for its attempts, and what each of them came to.

Every attempt runs under permits that are settled in all ways out, cancellation among them: first room at the
deployment, then those of the call (money, the ledger). What the attempt showed of its deployment is noted where they
end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from dragoman.dialects.headers import first_of
from dragoman.engine import Meter
from dragoman.errors import AllAttemptsFailed, DragomanError, Unavailable
from dragoman.routing.call import Call
from dragoman.routing.lineup import lineup_of
from dragoman.routing.plan import FIRST_CHOICE, Choice, GiveUp, Plan, Try
from dragoman.routing.selector import Selector, shut_reason
from dragoman.routing.tally import open_tallies
from dragoman.transport.headers import ResponseHeaders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from dragoman.routing.capacity import Room
    from dragoman.routing.lineup import Lineup, Option
    from dragoman.routing.permits import Permit
    from dragoman.routing.route import Route
    from dragoman.routing.run import Answered
    from dragoman.routing.settings import CallSettings
    from dragoman.routing.strategies import Strategy
    from dragoman.values import Attempt, Cost, Request, Usage

__all__ = ["Dispatch", "Held"]

_Answer = TypeVar("_Answer", bound="Answered")


class Dispatch:
    """One call over a route. `attempts` are those that have ended, `errors` the last one of each target."""

    __slots__ = (
        "_began",
        "_call",
        "_first",
        "_plan",
        "_request",
        "_selector",
        "_shown",
        "acts",
        "attempts",
        "bound",
        "decided",
        "errors",
        "lineup",
        "route",
        "settings",
        "streamed",
    )

    def __init__(
        self,
        route: Route,
        settings: CallSettings,
        *,
        acts: bool,
        request: Request | None = None,
        streamed: bool = False,
    ) -> None:
        self.route = route
        self.settings = settings
        self.acts = acts
        self.streamed = streamed
        self.attempts: list[Attempt] = []
        self.errors: dict[int, DragomanError] = {}
        self.lineup: Lineup | None = None
        self._request = request
        self._call: Call | None = None
        self._plan: Plan | None = None
        self._first: Choice | None = ONLY_CHOICE
        self._selector: Selector | None = None
        self._began = 0.0
        self._shown = False
        self.decided = True
        """Whether `start` will do for the first attempt."""
        self.bound = True
        """Whether the call may belong to a deployment, as far as is known."""
        if route.plain:
            # The path of most calls: nothing is chosen, and nothing watched (benchmarks/routing.py). There is a plan
            # when the first attempt has failed.
            candidate = route.candidates[0]
            if request is not None and (candidate.needs or candidate.max_price is not None):
                from dragoman.routing.suiting import unfit_for

                unfit_for(route, request)
            return
        lineup = route.lineup
        if lineup is None or not route.lined_up:
            lineup = lineup_of(route)
        self.lineup = lineup
        self.decided = lineup.across is None

    @property
    def call(self) -> Call:
        """What is known of the call, for those who choose."""
        call = self._call
        if call is None:
            call = self._call = self.settings.call or Call(self._request)
            call.streamed = self.streamed
        return call

    @property
    def selector(self) -> Selector | None:
        """Who chooses: made when there is more to it than the strategy's choice. None where there is no choice."""
        if self._selector is None and self.lineup is not None:
            self._selector = self._made_selector(None)
        return self._selector

    @property
    def plan(self) -> Plan:
        """What decides of each attempt after the first one: most calls need none, and never have it made."""
        plan = self._plan
        if plan is None:
            plan = self.make_plan()
            plan.resume(self._began, self._first)
            if self._shown:
                plan.shown()
        return plan

    def shown(self) -> None:
        """Part of an answer was shown."""
        self._shown = True
        if self._plan is not None:
            self._plan.shown()

    def make_plan(self) -> Plan:
        """A plan that has not begun, and decides from now on."""
        route, settings, lineup = self.route, self.settings, self.lineup
        given = settings.max_retries
        tries = (1 + route.candidates[0].max_retries,) if lineup is None else lineup.tries
        plan = self._plan = Plan(
            tries if given is None else (1 + given,) * len(tries),
            bounds=route.bounds,
            budget=route.budget,
            acts_on_world=self.acts,
            random=settings.random,
            selector=self.selector,
        )
        return plan

    def _made_selector(self, order: tuple[int, ...] | None) -> Selector:
        route, fit, strategy, lineup = self.route, None, None, self.lineup
        assert lineup is not None  # it is for those who choose
        if self._request is not None:
            from dragoman.routing.suiting import Suiting

            if Suiting.concerns(route):
                fit = Suiting(route, self._request).reason
        if order is not None:
            from dragoman.routing.strategies.custom import Ordered

            strategy = Ordered(order)
        return Selector(
            lineup,
            self.call,
            random=self.settings.random,
            affinity=route.affinity,
            fit=fit,
            strategy=strategy,
        )

    # -- what is done next -------------------------------------------------------------------------------------------

    async def begin(self) -> Try:
        """The first attempt, where a function of the caller's has to be asked first (not `decided`)."""
        if not self.decided:
            self._selector = self._made_selector(await self._decided())
        return self.start()

    def start(self) -> Try:
        """As `begin`, where all is decided."""
        # Most calls are decided here, without a selector, whatever the number of deployments (benchmarks/routing.py).
        route, settings, lineup = self.route, self.settings, self.lineup
        self._began = now = settings.clock.now()
        budget = route.budget
        if budget is not None:
            budget.first_attempt(now)
        if lineup is None:
            return ONLY_TRY
        self.bound = route.affinity is not None and self.call.bonds != []
        if not self.bound and self._request is None:  # else it may belong to somebody, or not fit everybody
            if lineup.seen is not lineup.health.version:
                lineup.look()
            if lineup.at_ease:
                option, strategy = lineup.first[0], lineup.leading
                if strategy is not None or lineup.issuers:
                    option = self._at_ease(lineup, strategy, now)
                if option is not None:
                    self._first = option.choice
                    return option.first_try
        selector = self.selector
        assert selector is not None  # it is for line-ups
        self._first = choice = selector.choose(_NONE_CLOSED, now)
        if choice is not None and choice.target is not None:
            return Try(choice.target, choice.wait_seconds, FIRST_CHOICE + choice.note)
        command = self.make_plan().resume(now, choice)
        assert isinstance(command, GiveUp)  # nobody can be asked
        raise self.given_up(command, None)

    def _at_ease(self, lineup: Lineup, strategy: Strategy | None, now: float) -> Option | None:
        """Whom the strategy chooses of all; None where it matters to the call whose state it holds."""
        call = self._call or self.call
        if lineup.issuers and call.issuer is not None:
            return None
        first = lineup.first
        return first[0] if strategy is None else strategy.choose(call, first, now, self.settings.random)

    def refused(self, error: DragomanError) -> Try:
        """The next attempt after leave for the one at hand was refused. Raises where there is none."""
        self.errors[self.plan.target] = error
        following = self.plan.refused(error, self.settings.clock.now())
        if isinstance(following, GiveUp):
            raised = self.given_up(following, error)
            raise raised from (error if raised is not error else None)
        return following

    async def _decided(self) -> tuple[int, ...] | None:
        """The order that a routing function of the caller's gives."""
        from dragoman.routing.strategies.custom import Custom

        strategy = self.route.strategy
        if not isinstance(strategy, Custom):
            return None
        if self.settings.order is not None:
            return self.settings.order
        assert self.lineup is not None  # strategies make a route one that is not plain
        told = strategy.decide(self.call, self.lineup.options)
        return told if isinstance(told, tuple) else await told

    def after(self, error: DragomanError) -> Try:
        """The next attempt after the one at hand failed. Raises where there is none."""
        self.errors[self.plan.target] = error
        command = self.plan.failed(error, self.settings.clock.now())
        if isinstance(command, GiveUp):
            raised = self.given_up(command, error)
            raise raised from (error if raised is not error else None)
        return command

    def given_up(self, command: GiveUp, error: DragomanError | None) -> DragomanError:
        """The error to raise: the target's own where one target was asked, else one that holds them all."""
        errors = self.errors
        if error is None:
            raised: DragomanError = self._nobody(command)
        elif len(errors) > 1:
            told = "; ".join(str(each) for each in errors.values())
            raised = AllAttemptsFailed(
                f"none of {len(errors)} targets answered in {len(self.attempts)} attempts ({command.reason}): {told}",
                errors=tuple(errors.values()),
            )
        else:
            raised = error
        raised.attempts = tuple(self.attempts)
        return raised

    def _nobody(self, command: GiveUp) -> DragomanError:
        lineup = self.lineup
        selector = self._selector
        if selector is not None and selector.unfit and command.retry_after is None:
            from dragoman.routing.suiting import none_fits

            return none_fits(selector.unfit.values())
        told = ""
        if lineup is not None:
            now = self.settings.clock.now()
            reasons = [(option.name, shut_reason(option, now)) for option in lineup.options]
            told = "; ".join(f"{name}, {reason}" for name, reason in reasons[:10] if reason is not None)
        return Unavailable(
            f"No deployment of the route can be asked now{': ' if told else ''}{told}", retry_after=command.retry_after
        )

    def bind(self, option: Option, meter: Meter) -> None:
        """The call was answered here: what belongs with it will come here too."""
        affinity = self.route.affinity
        if affinity is not None:
            # Answers of the other dialects are not kept by whoever gave them.
            stored = meter.answer_id if option.dialect == "openai-responses" else None
            if stored or self.bound:
                affinity.bind(self.call, option.key, stored, self.settings.clock.now())


ONLY_CHOICE: Final = Choice(0)
ONLY_TRY: Final = Try(0, 0.0, FIRST_CHOICE)
"""The first attempt where there is one target."""
_NONE_CLOSED: Final[frozenset[int]] = frozenset()


class Held:
    """An attempt under its permits: the one place where they end, where tallies are told, and health is noted."""

    __slots__ = ("_dispatch", "_option", "_permit", "_room", "_tallies", "meter")

    def __init__(
        self, dispatch: Dispatch, permit: Permit, meter: Meter, option: Option | None = None, room: Room | None = None
    ) -> None:
        self._dispatch = dispatch
        self._permit: Permit | None = permit
        self._option = option
        self._room = room
        self._tallies = open_tallies()
        self.meter = meter

    @classmethod
    async def acquire(cls, dispatch: Dispatch, command: Try) -> Held:
        """Leave for one attempt. Raises the `DragomanError` of whoever refuses it."""
        route, target, reason = dispatch.route, command.target, command.reason
        permits = dispatch.settings.permits or route.permits
        lineup = dispatch.lineup
        if lineup is None:
            deployment = route.candidates[target].deployment
            return cls(dispatch, await permits.acquire(deployment, reason), Meter(deployment, reason))
        option = lineup.options[target]
        standing = option.standing
        standing.in_flight += 1
        room: Room | None = None
        try:
            if standing.capacity is not None:
                room = await standing.capacity.acquire(dispatch.settings.clock, float(dispatch.call.tokens))
            deployment = route.candidates[target].deployment
            permit = await permits.acquire(deployment, reason)
        except BaseException:
            now = dispatch.settings.clock.now()
            standing.in_flight -= 1
            if room is not None:
                room.release(now, 0.0)
            lineup.health.passed(standing, now)
            raise
        return cls(dispatch, permit, Meter(deployment, reason), option, room)

    async def run(self, answer: Awaitable[_Answer]) -> _Answer:
        """The answer, with the attempt ended in whichever way it ends."""
        try:
            got = await answer
        except DragomanError as error:
            self.failed(error)
            raise
        except BaseException:
            self.cancelled()
            raise
        self.answered(got.usage, got.cost)
        return got

    @property
    def ended(self) -> bool:
        return self._permit is None

    def answered(self, usage: Usage, cost: Cost | None) -> None:
        """The attempt was answered."""
        if self._permit is None:
            return
        record = self.meter.ok(usage, cost)
        self._end(record)
        option = self._option
        if option is not None:
            self._note_answer(option, record)
            if self._dispatch.bound or option.dialect == "openai-responses":
                self._dispatch.bind(option, self.meter)

    def failed(self, error: DragomanError) -> Attempt | None:
        """The attempt failed; the record of it, unless it had ended before."""
        if self._permit is None:
            return None
        record = self.meter.failed(error)
        self._end(record)
        option, lineup = self._option, self._dispatch.lineup
        if option is not None and lineup is not None:
            now = self._dispatch.settings.clock.now()
            lineup.health.failed(option.standing, error, now, self.meter.headers)
        return record

    def cancelled(self, usage: Usage | None = None) -> None:
        """The attempt was given up, with the usage that was seen."""
        if self._permit is None:
            return
        record = self.meter.cancelled(usage)
        self._end(record)
        option, lineup = self._option, self._dispatch.lineup
        if option is not None and lineup is not None:
            lineup.health.passed(option.standing, self._dispatch.settings.clock.now())

    def _end(self, record: Attempt) -> None:
        """Settles the permit with the record, once."""
        permit, self._permit = self._permit, None
        assert permit is not None  # whoever ends looks first
        self._dispatch.attempts.append(record)
        try:
            permit.settle(record)
        finally:
            option, room = self._option, self._room
            if option is not None:
                option.standing.in_flight -= 1
                if room is not None:
                    usage = record.usage
                    spent = 0 if usage is None else (usage.input_tokens or 0) + (usage.output_tokens or 0)
                    room.release(self._dispatch.settings.clock.now(), float(spent) if spent else None)
        for tally in self._tallies:
            tally.add(record)

    def _note_answer(self, option: Option, record: Attempt) -> None:
        """What an answer shows of its deployment."""
        dispatch, standing, headers = self._dispatch, option.standing, self.meter.headers
        lineup = dispatch.lineup
        assert lineup is not None  # options come from it
        health, now = lineup.health, dispatch.settings.clock.now()
        health.answered(standing, now)
        if standing.capacity is not None:
            standing.capacity.answered(now, headers)
        elif headers is not None and health.watching and nearly_spent(headers):
            standing.limit(None).told(now, headers)
            health.changed()
        usage, pace = record.usage, standing.pace
        if pace is not None:
            pace.observe(
                now,
                dispatch.streamed,
                record.first_byte_seconds,
                record.duration_seconds,
                None if usage is None else usage.input_tokens,
                None if usage is None else usage.output_tokens,
            )
        if standing.mix is not None and usage is not None:
            standing.mix.observe(usage)


_REQUESTS_LEFT: Final = ("x-ratelimit-remaining-requests", "anthropic-ratelimit-requests-remaining")
_TOKENS_LEFT: Final = ("x-ratelimit-remaining-tokens", "anthropic-ratelimit-tokens-remaining")
_LEFT: Final = frozenset(name.encode() for name in _REQUESTS_LEFT + _TOKENS_LEFT)


def nearly_spent(headers: Mapping[str, str]) -> bool:
    """Whether headers tell of a limit that is nearly used up, looked at quickly: most have plenty left."""
    if type(headers) is ResponseHeaders and not headers.holds_any(_LEFT):
        return False
    left = first_of(headers, _REQUESTS_LEFT)
    tokens = first_of(headers, _TOKENS_LEFT)
    return (left is not None and len(left) <= 2) or (tokens is not None and len(tokens) <= 4)
