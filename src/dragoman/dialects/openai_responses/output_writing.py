"""Tool results → the output item that answers the kind of call they belong to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dragoman.dialects.call_ids import CallIdForm, fitted_id
from dragoman.dialects.openai_responses.content import encode_content, plain
from dragoman.dialects.openai_responses.rows import OUTPUT_OF
from dragoman.dialects.openai_responses.wire import CONTENT, ITEM, members, notes
from dragoman.values import Media, Opaque, ToolResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.dialects.openai_responses.fitting import Fit
    from dragoman.values import JsonObject

__all__ = ["fitted_call_id", "write_output"]

_ID_FORM = CallIdForm(longest=64)


def fitted_call_id(call_id: str, fit: Fit, path: str) -> str:
    """The id as the wire takes it: a longer one is cut and told apart by a hash, the same for call and output."""
    if fit.towards != "provider":
        return call_id
    fitted = fitted_id(call_id, _ID_FORM)
    if fitted != call_id:
        fit.log.substituted(path, f"the wire takes ids of {_ID_FORM.longest} characters", call_id, fitted)
    return fitted


def write_output(result: ToolResult, call_types: Mapping[str, str], fit: Fit, path: str) -> JsonObject | None:
    """The output item; None (recorded) for a result that another provider's own tool came to."""
    note: JsonObject = notes(result.extras).get(ITEM, {})
    own = ITEM in notes(result.extras)
    if result.runner == "provider" and not own:
        fit.log.dropped(path, "a tool that another provider runs")
        fit.common(result, path)
        return None
    kind: str = note.get("type") or OUTPUT_OF.get(call_types.get(result.call_id, ""), "function_call_output")
    body: JsonObject = {"type": kind}
    if "status" in note:
        body["status"] = note["status"]
    if "id" in note and fit.knows(note):
        body["id"] = note["id"]
    identified = "id" if kind == "local_shell_call_output" else "call_id"
    body[identified] = fitted_call_id(result.call_id, fit, f"{path}.call_id")
    if "name" in note and result.name is not None:
        body["name"] = result.name
    write = _WRITERS.get(kind)
    if write is not None:
        write(result, body, fit, path)
    else:
        body["output"] = _content(result, note.get(CONTENT), fit, path)
        if result.is_error:
            fit.log.dropped(f"{path}.is_error", "the wire does not tell a failed call from another", True)
    fit.common(result, path)
    return body | members(result.extras)


def _content(result: ToolResult, form: Any, fit: Fit, path: str) -> str | list[JsonObject]:
    if not result.content:
        return [] if form == "list" else ""
    if len(result.content) == 1 and form != "list" and plain(result.content[0]):
        return result.text
    return encode_content(result.content, "input", fit, f"{path}.content")


def _screenshot(result: ToolResult, body: JsonObject, fit: Fit, path: str) -> None:
    pieces = encode_content(result.content, "input", fit, f"{path}.content")
    images = [piece for piece in pieces if piece["type"] in ("input_image", "computer_screenshot")]
    if images:
        body["output"] = {**images[0], "type": "computer_screenshot"}
        body["output"].pop("detail", None)
    if len(images) != len(pieces) or len(images) != 1:
        fit.log.dropped(f"{path}.content", "a computer call is answered by one screenshot")


def _shell(result: ToolResult, body: JsonObject, fit: Fit, path: str) -> None:
    entries: list[Any] = []
    for index, part in enumerate(result.content):
        if isinstance(part, Opaque) and part.kind == "shell_output":
            entries.append(part.data)
        elif isinstance(part, Media | Opaque):
            fit.log.dropped(f"{path}.content[{index}]", "a shell call is answered by text")
        else:
            outcome = {"type": "exit", "exit_code": 1 if result.is_error else 0}
            entries.append({"stdout": part.text, "stderr": "", "outcome": outcome})
    body["output"] = entries


def _text_alone(result: ToolResult, body: JsonObject, fit: Fit, path: str) -> None:
    body["output"] = result.text
    if any(isinstance(part, Media | Opaque) for part in result.content):
        fit.log.dropped(f"{path}.content", "the output of this call is text")


def _patch(result: ToolResult, body: JsonObject, fit: Fit, path: str) -> None:
    _text_alone(result, body, fit, path)
    body["status"] = "failed" if result.is_error else "completed"


_WRITERS: dict[str, Callable[[ToolResult, JsonObject, Fit, str], None]] = {
    "computer_call_output": _screenshot,
    "shell_call_output": _shell,
    "local_shell_call_output": _text_alone,
    "apply_patch_call_output": _patch,
}
