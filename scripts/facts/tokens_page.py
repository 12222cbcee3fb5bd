"""Writes docs/tokens.md: `python -m scripts.facts.tokens_page`. The figures are those of `token_figures`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from statistics import median

from scripts.facts.fit_priors import learnable, prompts
from scripts.facts.token_figures import after, before, bounds, median_error, provider_of, whole

__all__ = ["PAGE", "main", "page"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tokens.md"

_HEAD = """# Tokens: estimates, bounds, counts

This page is written by `python -m scripts.facts.tokens_page` from the recorded traffic of providers; a test holds it
equal.

## Three questions, three answers

- How many tokens is this prompt? `model.count_tokens(messages)`: the provider's own count where it gives one (`basis`
  "provider"), else the estimate (`basis` "estimated", and `reason`).
- About how many, without asking? `facts.estimate_tokens(request, provider, model)`: needs no tokenizer and downloads
  nothing; how good it is stands below.
- How many, and how much money, at most? `facts.bound(request, provider, model)`: a bound that holds, or why there is
  none and which setting would give one.

`facts.expectation` adds how long the model's answers have been. `facts.estimate_bytes`, `facts.expectation_of_bytes`
and `facts.bound_bytes` answer from a body that is not decoded.

## How the estimate works

Texts are counted by what their characters are (words, letters, digits, signs, scripts), with weights measured on a
tokenizer of 100,000 entries. What a family of models makes of texts, tools, schemas and turns is in nine weights,
fitted to the recorded prompts (`python -m scripts.facts.fit_priors`). Every prompt whose length a provider reports
moves the model's own weights, in this process alone, over each dialect by itself: the same tools cost other counts
over chat completions than over responses. Media go by the vendors' published rules, from the pixels, seconds and
pages that stand in the content. What providers add by themselves (Claude's words about tools, some hundred tokens) is
in the weights; what their tools find is not foreseen, and named in `TokenEstimate.beyond`.
"""

_BOUNDS = """## Bounds

A token of text is at least a byte of it. A bound is the UTF-8 bytes of all texts, tools and schemas, an allowance of
the family's template for the request, each turn, each part and for having tools (data, in
`facts/prompt_families.py`), the vendor's own words for tools that the caller runs (`facts/prompt_members.py`), media
by table, and the answer's cap, or the model's. What cannot be seen but is read once (a conversation, a file, a cached
content that the provider holds; media by address that no table limits) is bounded by the model's window. Tools that
the provider runs are bounded by the window for each use that `max_uses` or `max_tool_calls` allows, and by nothing
without. Money is taken at the dearest price that may apply.
"""


def page() -> str:
    """The page's text."""
    return "\n".join([_HEAD, *_estimates(), _BOUNDS, *_bounds()])


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _estimates() -> list[str]:
    own, vendor, everything = before(), before(provider_of), whole()
    unseen = [entry for entry in everything if not entry[0].size.elsewhere]
    lines = [
        "## How good it is",
        "",
        "Errors are relative to the prompt's tokens as reported. For each row the weights are fitted anew without what",
        "it leaves out; how fast a model's own weights move was chosen with these recordings in view.",
        "",
        "| before anything was seen of a model | prompts | median error | 90 % are within |",
        "| --- | ---: | ---: | ---: |",
    ]
    rows = (
        ("text and tools; no recording of the model was fitted to, at any provider", own),
        ("the same; no recording of the provider was fitted to", vendor),
        ("with media too", unseen),
        ("all recorded prompts, with contents and tools of the provider's that nobody can see", everything),
    )
    for words, entries in rows:
        errors = sorted(error for _, error in entries)
        nine = _share(errors[int(0.9 * len(errors))])
        lines.append(f"| {words} | {len(entries)} | {_share(median_error(entries))} | {nine} |")
    figures = after()
    most = max(each.prompts for each in figures)
    first, then = (median(values) for values in zip(*((each.before, each.after) for each in figures), strict=True))
    lines += [
        "",
        "After the model's other recorded prompts were seen (each prompt judged by what was learned from the model's",
        f"other files). The target of 10 % is for 20 observations and more; no model has over {most} prompts.",
        f"Over all of them the median falls from {_share(first)} to {_share(then)}.",
        "",
        "| model (dialect) | prompts | median error before | after |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [f"| {each.name} | {each.prompts} | {_share(each.before)} | {_share(each.after)} |" for each in figures]
    return [*lines, ""]


def _bounds() -> list[str]:
    found = list(bounds())
    tokens = [each for each in found if each.bound.input_tokens is not None and each.bound.output_tokens is not None]
    money = [each for each in found if each.bound.holds]
    exceeded = sum(each.exceeded for each in found)
    seen = [each for each in tokens if not each.bound.by_window]
    ratio = median((each.bound.input_tokens or 0) / each.prompt.tokens for each in seen)
    reasons = Counter(entry.setting or "nothing" for each in found for entry in each.bound.unbounded[:1])
    lines = [
        "| recorded prompts with reported usage | count |",
        "| --- | ---: |",
        f"| all | {len(found)} |",
        f"| bounded in tokens | {len(tokens)} ({_share(len(tokens) / len(found))}) |",
        f"| bounded in money too | {len(money)} ({_share(len(money) / len(found))}) |",
        f"| of those bounded, by the window alone | {len(tokens) - len(seen)} |",
        f"| exceeded | {exceeded} |",
        "",
        f"The median bound of a prompt that is seen whole is {ratio:.1f} times its tokens; the allowance weighs",
        "on short prompts most.",
        "",
        "Why the others have no bound, by the setting that would give one:",
        "",
        "| setting | prompts |",
        "| --- | ---: |",
    ]
    lines += [
        f"| `{setting}` | {count} |" for setting, count in sorted(reasons.items(), key=lambda item: (-item[1], item))
    ]
    return [*lines, ""]


def main() -> int:
    """Writes the page. 1 where there are no recordings."""
    if not any(map(learnable, prompts())):
        print("there are no recordings (../shared/wire, or set DRAGOMAN_WIRE)", file=sys.stderr)
        return 1
    PAGE.write_text(page())
    print(f"{PAGE.name} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
