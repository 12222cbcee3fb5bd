"""How the C library hands out memory to a process that holds bodies of many megabytes beside many small things."""

from __future__ import annotations

import ctypes
from typing import Final

__all__ = ["LARGE_BYTES", "keep_large_blocks_apart"]

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
LARGE_BYTES: Final = 1024 * 1024
"""From here on a block grows without being copied; below, copying it costs less than moving its pages."""
_SPARE_BYTES: Final = 16 * 1024 * 1024


def keep_large_blocks_apart() -> None:
    """Blocks from 1 MiB on are mapped each for itself, for good.

    glibc raises that bound to the largest block it ever freed. From then on a body that grows is copied again and
    again, 8 ms at a time where it has 20 MB, instead of having its pages moved; and what it leaves behind is not given
    back to the system. Smaller pieces keep their pages when they are freed, as fresh ones cost more than what is
    written to them. Does nothing where the C library has no such settings.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
    mallopt(_TRIM_THRESHOLD, _SPARE_BYTES)
