"""What commands leave behind in a process of tests.

A command keeps all from the collector, for its program ends with it; tests go on. Without this a
worker grows by a gigabyte, and each fork of it takes as long as its memory is large.
"""

from __future__ import annotations

import gc

MUCH_LEFT = 30_000  # objects, until they are collected; where there are many, a part of them
PART = 10
_kept: list[int] = []  # how much was kept from the collector since it last looked through all


def let_go() -> None:
    """Give back to the collector what commands kept from it, and collect where it is much."""
    count = gc.get_freeze_count()
    if count:
        _kept.append(count)
        gc.unfreeze()
        if count - _kept[0] > max(MUCH_LEFT, _kept[0] // PART):
            gc.collect()
            _kept.clear()
