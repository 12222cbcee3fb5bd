"""Typed output: an answer as a value of the type that was asked for.

`TypedCall` asks for corrections until the answer is of its type or the tries are used
up. How a target is made to answer in the right form is the engine's business; the answer is always validated against
the type as it was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec.structs import replace

from dragoman.engine.output.spans import ObjectSpan, through
from dragoman.errors import InvalidRequest, SchemaMismatch, UnusableAnswer
from dragoman.face.schemas import Mismatch, TypeSchema, type_schema
from dragoman.values import OutputFormat, Request, Response, Text, user
from dragoman.values.response import typed_response

if TYPE_CHECKING:
    from dragoman.errors import DragomanError
    from dragoman.values import Attempt

__all__ = ["TypedCall", "checked_mode", "output_format", "parse_answer"]

T = TypeVar("T")

DEFAULT_RETRIES = 2
_HOPELESS = ("length", "refusal", "content_filter", "error")


def output_format(schema: TypeSchema[Any], mode: Any = None) -> OutputFormat:
    """What is asked of the target: strict where it can be, by the mode where the caller chose one."""
    return OutputFormat(type="json_schema", schema=schema.schema, strict=True, mode=mode)


def parse_answer(schema: TypeSchema[T], response: Response) -> Response[T]:
    """The answer with its value. Raises `SchemaMismatch`, or `UnusableAnswer` where there is no whole answer."""
    if response.tool_calls or response.finish_reason == "paused":
        return typed_response(response)
    try:
        return typed_response(response, _parse(schema, response))
    except Mismatch as mismatch:
        reason = response.finish_reason
        if response.refusal is not None:
            reason = "refusal"
        if reason in _HOPELESS:
            raise _unusable(reason, schema, response) from None
        raise SchemaMismatch(
            f"the answer is not the {schema.name or 'value'} that was asked for: {mismatch}; "
            "the answer is in .response, what it says in .response.content",
            problem=str(mismatch),
            response=response,
        ) from None


def _parse(schema: TypeSchema[T], response: Response) -> T:
    texts = [part.text for part in response.message.parts if isinstance(part, Text) and part.channel == "answer"]
    joined = "".join(texts)
    if not joined.strip():
        raise Mismatch("the answer has no text")
    try:
        return schema.parse(joined)
    except Mismatch as mismatch:
        # Models put words before an answer, in a part of their own or in one with it.
        for other in dict.fromkeys((texts[-1], through(ObjectSpan(), joined))):
            if other == joined:
                continue
            try:
                return schema.parse(other)
            except Mismatch:
                continue
        raise mismatch from None


def _unusable(reason: str, schema: TypeSchema[Any], response: Response) -> UnusableAnswer:
    advice = {
        "length": "it was cut off: raise max_tokens, or ask for less",
        "refusal": f"the model declined: {response.refusal or response.content!r:.300}",
        "content_filter": "a filter of the provider's stepped in: change the content or the filter's settings",
    }.get(reason, "the provider ended it with an error")
    return UnusableAnswer(
        f"there is no whole {schema.name or 'value'} in the answer ({reason}); {advice}. What came is in .response.",
        reason=reason,
        response=response,
    )


class TypedCall(Generic[T]):
    """One typed question with its corrections: `request` is what to ask next, `take` judges an answer.

    Each correction is a call of its own, with a plan of its own; the answer in the end carries the attempts of all.
    """

    def __init__(self, kind: Any, request: Request, *, mode: Any = None, retries: int | None = None) -> None:
        self.schema: TypeSchema[T] = type_schema(kind)
        self._left = DEFAULT_RETRIES if retries is None else retries
        self._attempts: tuple[Attempt, ...] = ()
        self.request = replace(request, output=output_format(self.schema, mode))

    def take(self, response: Response) -> Response[T] | None:
        """The typed answer; None when `request` is to be asked now. Raises when the tries are used up, or of no use."""
        self._attempts = (*self._attempts, *response.attempts)
        try:
            return parse_answer(self.schema, replace(response, attempts=self._attempts))
        except SchemaMismatch as mismatch:
            mismatch.attempts = self._attempts
            if not self._left:
                raise
            self._left -= 1
            said = (response.message,) if response.content.strip() else ()
            told = user(
                f"That is not what was asked for: {mismatch.problem}. Give the whole answer again, corrected, and "
                "nothing else."
            )
            self.request = replace(self.request, messages=(*self.request.messages, *said, told))
            return None
        except UnusableAnswer as unusable:
            unusable.attempts = self._attempts
            raise

    def failed(self, error: DragomanError) -> None:
        """Notes the attempts of the answers before on an error of a correction."""
        error.attempts = (*self._attempts, *error.attempts)


def checked_mode(mode: Any) -> Any:
    """The mode as `OutputFormat` has it; None for "auto"."""
    if mode in (None, "auto"):
        return None
    if mode not in ("native", "tool", "prompted"):
        raise InvalidRequest(
            f'output_mode is "auto", "native", "tool" or "prompted", and not {mode!r}', path="output_mode"
        )
    return mode
