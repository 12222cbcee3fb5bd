"""Fitting by facts: what a model is known to refuse is adapted, or refused before it is sent.

`limits` works out, once per target, what the facts forbid and which quirks they set; `fitting` applies it to a request,
`thinking` to how much the model shall think; `touching` answers from the same rows whether a body that is not decoded
holds a member that the fitting would change; `needed` says what a request needs of a model. A fact that is not known
changes nothing. What is changed:

| member | the model is known | what becomes of it |
| --- | --- | --- |
| max_tokens | to write less | clamped |
| media of a kind | not to take it | `Unsupported`: without it the question would be another one |
| tools (functions) | not to call tools | `Unsupported`; dropped where `tool_choice` is "none" |
| tool_choice required, named | to take no force | substituted by "auto" |
| tool_choice.parallel | not to call in parallel | dropped |
| sampling members | to refuse them | dropped; what is the default anyway is no loss |
| system messages | to take none | substituted by turns of the user |
| reasoning | not to think | dropped |
| reasoning off | to think always | substituted by its least |
| reasoning.effort | to know other levels | substituted by the nearest |
| reasoning.budget_tokens | to take others | clamped |
| one of the two | to take the other alone | substituted by the table of `values.thinking` |
| output with a schema | to follow none | emulated, see `engine.output` |

`extra_body` is the caller's own and is never touched.
"""

from __future__ import annotations

from dragoman.engine.capabilities.fitting import fit_request
from dragoman.engine.capabilities.limits import Limits, limits_of, profile_of
from dragoman.engine.capabilities.needed import needs_of
from dragoman.engine.capabilities.touching import touched_members

__all__ = ["Limits", "fit_request", "limits_of", "needs_of", "profile_of", "touched_members"]
