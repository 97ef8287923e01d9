"""Python's collector of cyclic garbage, stopped while there is much to look through and none of it.

What a load and a report make is referred to by nothing but their results: looking for cycles in it
again and again takes longer than most commands.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_cyclic_garbage(*, freeze: bool = False) -> Iterator[None]:
    """Stop the collector, and leave it behind as it was.

    Frozen, what was made stays out of its sight until the next load thaws it: else what comes
    later, such as Beancount's own checks or the end of a program, would set off collections that
    visit all of it again.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if freeze:
            gc.freeze()
        if enabled:
            gc.enable()
