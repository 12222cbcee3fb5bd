"""The pages of other libraries, where they are at hand: nothing of them is kept here.

`../shared/seeds` beside the project, or the folder in DRAGOMAN_SEEDS. allos' guide runs with the package's name
changed; every call on Beluga's pages is named in docs/coming-from.md beside its line.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.docs.snippets import named, run_python
from tests.servers.fake_provider import TEXT, FakeProvider
from tests.servers.process import ROOT

SEEDS = Path(os.environ.get("DRAGOMAN_SEEDS") or ROOT.parent / "shared" / "seeds")

_PACKAGES = r"llm|schema|config|litellm|openrouter|os|log"
_VALUES = r"model|modelWithTools|gpt4|claude|pool|resp|chunk"
_CALL = re.compile(rf"\b(?:(?:{_PACKAGES})\.[A-Z]\w*|(?:{_VALUES})(?:\.[A-Z]\w*)+|NewModelPool)\b")
_GO_BLOCK = re.compile(r"^```go\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def seed(name: str) -> str:
    file = SEEDS / name
    if not file.exists():
        pytest.skip(f"{name} is not at hand: it stands in ../shared/seeds or in the folder DRAGOMAN_SEEDS names")
    return file.read_text(encoding="utf-8")


def test_the_guide_of_allos_runs_with_the_package_renamed(fake: FakeProvider, tmp_path: Path) -> None:
    found = _PYTHON_BLOCK.findall(seed("allos-providers.txt"))
    assert len(found) >= 5
    done = run_python("\n".join(found).replace("allos", "dragoman"), fake, tmp_path)
    assert done.status == 0, done.err
    assert done.out.count(TEXT) == 2  # what both providers said; the metadata, printed last, holds no text
    assert [seen.provider for seen in fake.requests] == ["openai", "anthropic", "openai"]
    assert fake.requests[0].headers["authorization"] == "Bearer openai-key"
    assert fake.requests[1].headers["x-api-key"] == "anthropic-key"


@pytest.mark.parametrize(
    ("page", "block"),
    [
        ("beluga-litellm.txt", "beluga-litellm"),
        ("beluga-openrouter.txt", "beluga-openrouter"),
        ("beluga-multi-provider-chat.txt", "beluga-multi-provider"),
    ],
)
def test_every_call_of_beluga_has_its_line(page: str, block: str) -> None:
    text = seed(page)
    code = "\n".join(_GO_BLOCK.findall(text)) or text  # one page lost its fences
    calls = set(_CALL.findall(code))
    assert len(calls) >= 10
    lines = named(block).code
    # `log.Fatal` and its kind are Go's own way of ending; one line shows the way here.
    missing = sorted(call for call in calls if call not in lines and call not in ("log.Fatal", "schema.Message"))
    assert not missing
