"""What commands leave behind in a process of tests.

A command keeps all from the collector, for its program ends with it; tests go on. Without this a
worker grows by a gigabyte, and each fork of it takes as long as its memory is large.
"""

from __future__ import annotations

import gc
import sys

MUCH_LEFT = 50_000  # blocks of memory, until what nothing refers to is collected
PART = 40  # or one part in so many of all that there is
_held: list[int] = []  # blocks after the last collection; objects kept are slow to count


def let_go() -> None:
    """Give back to the collector what commands kept from it, and collect where it is much."""
    gc.unfreeze()
    held = sys.getallocatedblocks()
    if not _held or held - _held[0] > max(MUCH_LEFT, _held[0] // PART):
        gc.collect()
        _held[:] = [sys.getallocatedblocks()]
