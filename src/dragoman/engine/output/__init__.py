"""Output: how the form of an answer is had from a target, and how an emulation of it is undone on the answer.

`abilities` tells what a target can do and `choosing` picks the mode; `rules` holds what each target's schemas may say
and `rewriting` fits a schema to them; `fitting` changes the request; `undoing` is the filter on the answer, whole and
streamed, over the text machines of `spans`. Nothing here validates: that is the caller's, against the original type.
"""

from __future__ import annotations

from dragoman.engine.output.fitting import FittedOutput, fit_output
from dragoman.engine.output.undoing import Undoing

__all__ = ["FittedOutput", "Undoing", "fit_output"]
