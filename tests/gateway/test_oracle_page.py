"""docs/gateway-oracle.md says what clients get."""

from __future__ import annotations

import pytest

from scripts import gateway_oracle
from tests.wire.recordings import require_recordings

require_recordings()


@pytest.mark.soak
def test_the_page_is_what_the_generator_writes() -> None:
    written = gateway_oracle.PAGE.read_text(encoding="utf-8")
    assert written == gateway_oracle.page(gateway_oracle.judged()), "run `make conformance`"
