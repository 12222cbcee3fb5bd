"""Settings of an interpreter that does nothing but serve."""

from __future__ import annotations

import gc
import sys
from typing import Final

__all__ = ["LOG_FORMAT", "quieten"]

LOG_FORMAT: Final = "%(asctime)s %(levelname)s [%(process)d] %(message)s"
COLLECTED_AFTER: Final = (20_000, 20, 20)
SWITCH_SECONDS: Final = 0.0001


def quieten() -> None:
    """Makes pauses rare and short, once the service of this process is made.

    What was made to start with stays for good, so the garbage collector need not look at it; and since a request leaves
    no cycles behind (tests/gateway/test_cycles.py), it need not look often. A thread that wants to run (the one behind
    the spool, the loop after a system call) waits a tenth of a millisecond for its turn and not the usual five, which
    all requests that come meanwhile would wait, too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
    sys.setswitchinterval(SWITCH_SECONDS)
