"""Faults before the real llama.cpp server and LiteLLM's proxy, each of which takes over from the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from examples.llama_server import running_llama_server
from tests.failover.laws import wrong_with
from tests.failover.real import play_real, real_cells, words_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.litellm_proxy import Proxy


@pytest.mark.timeout(300)
def test_one_real_server_takes_over_from_another(litellm_proxy: Proxy, tmp_path: Path) -> None:
    cells = real_cells()
    # A short answer would be whole before the faults that come late, and nobody would have to take over.
    with running_llama_server(endless=True) as llama_server:
        outcomes = play_real(cells, llama_server, litellm_proxy.address, tmp_path)
    pairs = zip(outcomes, cells, strict=True)
    broken = {
        f"{cell.server}: {cell}": told for outcome, cell in pairs if (told := wrong_with(outcome, words_of(cell)))
    }
    assert broken == {}
    answers = [outcome for outcome in outcomes if outcome.saw.error is None]
    assert len(answers) > len(cells) * 3 // 4
