"""The most that a call can take and cost: a bound that holds, or why there is none and which setting would give one.

A token of text is at least a byte of it, so a prompt is bounded by its UTF-8 bytes, plus what the template of the
model's family adds to turns and tools, plus media by table. Contents that the provider holds, and media that nothing
limits, are bounded by the model's window; what a provider does by itself, again and again, by its own cap on that, else
by nothing. The answer is bounded by its cap, else by the model's own.

Money is taken at the dearest price that may come to apply: any table that holds now and whose tier the request does not
rule out, the highest step that the prompt can reach, and the dearest kind of token that may be among it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from time import time
from typing import TYPE_CHECKING, Any, Final

from dragoman.facts.dearest import dearest_amount, rates_of
from dragoman.facts.lookup import prices as known_prices
from dragoman.facts.lookup import profile as known_profile
from dragoman.facts.measuring import measure
from dragoman.facts.media_tokens import media_most
from dragoman.facts.prompt_families import family_of, searches_itself
from dragoman.values import Value

if TYPE_CHECKING:
    from dragoman.facts.measuring import PromptSize
    from dragoman.facts.price_lists import PriceList
    from dragoman.values import Request
    from dragoman.values.profile import Profile

__all__ = ["Bound", "Unbounded", "bound", "bound_of_tokens"]

_CAPS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "num_predict")
_TEMPLATED_PART: Final = 16


class Unbounded(Value, frozen=True, kw_only=True):
    """Why there is no bound, and the setting that would give one ("" where there is none)."""

    reason: str
    setting: str = ""


class Bound(Value, frozen=True, kw_only=True):
    """The most tokens and the most money that one attempt can come to.

    With anything in `unbounded` the members that it touches are None, and a hard budget cannot admit the call.
    `by_window`: the prompt is bounded by the model's window alone, since part of it cannot be seen.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    amount: Decimal | None = None
    currency: str = "USD"
    by_window: bool = False
    unbounded: tuple[Unbounded, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the call is bounded, in tokens and in money."""
        return self.amount is not None


def bound(
    request: Request, provider: str, model: str, *, listing: PriceList | None = None, at: datetime | None = None
) -> Bound:
    """The most that a request can take at a model, once.

    `listing` stands for the prices that are known of the model, `at` for now. Never raises.
    """
    size = measure(request)
    facts = known_profile(provider, model)
    missing: list[Unbounded] = []
    rounds = _rounds(request, size, model, missing)
    within, by_window = _input_tokens(size, facts, missing)
    if rounds is None:
        within = None
    elif within is not None and rounds > 1:
        # What a tool finds is put into the prompt of the next round, up to the window.
        within, by_window = (None if facts.context_tokens is None else facts.context_tokens * rounds), True
        if within is None:
            reason = f"the window of {model}, which limits what its tools find, is not known"
            missing.append(Unbounded(reason=reason, setting="tools"))
    output = _output_tokens(request, facts, missing)
    if rounds is None:
        output = None
    elif output is not None:
        output *= rounds
    if missing or within is None or output is None:
        return Bound(input_tokens=within, output_tokens=output, by_window=by_window, unbounded=tuple(missing))
    offered = known_prices(provider, model) if listing is None else listing
    uses = {each.kind: rounds for each in size.elsewhere if each.kind}
    return _priced(within, output, by_window, offered, request, facts, uses, at)


def bound_of_tokens(
    input_tokens: int,
    output_tokens: int,
    provider: str,
    model: str,
    *,
    listing: PriceList | None = None,
    at: datetime | None = None,
) -> Bound:
    """The dearest price of so many tokens, for one who has bounded them himself."""
    offered = known_prices(provider, model) if listing is None else listing
    return _priced(input_tokens, output_tokens, False, offered, None, known_profile(provider, model), {}, at)


# -- tokens ------------------------------------------------------------------------------------------------------------


def _rounds(request: Request, size: PromptSize, model: str, missing: list[Unbounded]) -> int | None:
    """How often at most the provider asks the model; None where nothing says."""
    if searches_itself(model):
        missing.append(Unbounded(reason=f"{model} searches by itself, as often as it likes", setting="model"))
        return None
    most = 1
    limit = _most_calls(request)
    for each in size.elsewhere:
        given = each.rounds if limit is None or each.rounds == 0 else limit
        if given is None:
            missing.append(Unbounded(reason=each.reason, setting=each.setting))
        else:
            most += given
    return None if missing else most


def _most_calls(request: Request) -> int | None:
    for members in (request.extra_body or {}, *request.extras.values()):
        given: Any = members.get("max_tool_calls")
        if isinstance(given, int) and not isinstance(given, bool):
            return given
    return None


def _input_tokens(size: PromptSize, facts: Profile, missing: list[Unbounded]) -> tuple[int | None, bool]:
    """The most tokens of one prompt, and whether the window alone says so."""
    hidden = [each.reason for each in size.elsewhere if each.rounds == 0]
    hidden_setting = next((each.setting for each in size.elsewhere if each.rounds == 0), "messages")
    tokens = _text_most(size, facts)
    for each in size.media:
        most = media_most(each, facts.model)
        if most is None:
            hidden.append(f"nothing tells how long the {each.kind} is")
        else:
            tokens += most
    if not hidden:
        return tokens * (2 if size.repeated else 1), False
    window = facts.context_tokens
    if window is None:
        missing.append(
            Unbounded(reason=f"{hidden[0]}, and the window of {facts.model} is not known", setting=hidden_setting)
        )
        return None, True
    return window * (2 if size.repeated else 1), True


def _text_most(size: PromptSize, facts: Profile) -> int:
    family = family_of(facts.provider, facts.model)
    tokens = size.text_bytes + size.hidden_tokens + family.most_request
    tokens += family.most_turn * (size.turns + size.calls) + _TEMPLATED_PART * (size.parts + size.tools)
    if size.tools or size.has_schema:
        tokens += family.most_tools
    return tokens


def _output_tokens(request: Request, facts: Profile, missing: list[Unbounded]) -> int | None:
    cap = _cap(request)
    if cap is None:
        cap = facts.output_tokens or facts.context_tokens
    if cap is None:
        missing.append(
            Unbounded(reason=f"the answer has no cap, and that of {facts.model} is not known", setting="max_tokens")
        )
        return None
    return cap * max(1, request.choices or 1)


def _cap(request: Request) -> int | None:
    """The cap asked for; one that is laid over the body counts as it stands there."""
    laid = request.extra_body or {}
    for members in (laid, laid.get("inferenceConfig"), laid.get("generationConfig"), laid.get("options")):
        if isinstance(members, dict):
            for name in (*_CAPS, "maxTokens"):
                value: Any = members.get(name)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
                if isinstance(value, int) and not isinstance(value, bool):
                    return value
    return request.max_tokens


# -- money -------------------------------------------------------------------------------------------------------------


def _priced(
    input_tokens: int,
    output_tokens: int,
    by_window: bool,
    listing: PriceList | None,
    request: Request | None,
    facts: Profile,
    uses: dict[str, int | None],
    at: datetime | None,
) -> Bound:
    if listing is None:
        reason = f"the price of {facts.provider}/{facts.model} is not known"
    else:
        amount = dearest_amount(
            rates_of(listing, request, facts),
            input_tokens,
            output_tokens,
            uses,
            time() if at is None else (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp(),
        )
        if amount is not None:
            return Bound(
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                amount=amount,
                currency=listing.currency,
                by_window=by_window,
            )
        reason = f"no price by the token of {facts.provider}/{facts.model} is known for now"
    return Bound(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        by_window=by_window,
        unbounded=(Unbounded(reason=reason, setting="prices"),),
    )
