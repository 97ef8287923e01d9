"""Python's collector of cyclic garbage, stopped while there is much to look through and none of it.

What a load and a report make is referred to by nothing but their results: looking for cycles in it
again and again takes longer than most commands.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_LOADS = 10  # in one program, until what they left behind is collected
_SPARED = 10  # collections of all that there is; some of them come while a load goes on


@contextmanager
def no_cyclic_garbage() -> Iterator[None]:
    """Stop the collector, and leave it behind as it was."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def much_made() -> Iterator[None]:
    """The same around what makes most of a load, which Beancount's own checks follow.

    What was made is spared by the next few collections: they would visit all of it again and find
    nothing, at a tenth of the load. Then it is the collector's like all else. In a program that
    loads again and again and goes on, such as Fava, nothing is ever kept from it; and what each
    load leaves behind there is collected after some of them, so that memory stays flat.
    """
    spared = any(isinstance(each, _Thaw) for each in gc.callbacks)  # to count them takes long
    spare = gc.isenabled() and not spared and not gc.get_freeze_count()
    with no_cyclic_garbage():
        yield
        if spare:
            gc.freeze()
            if "fava" in sys.modules:
                gc.unfreeze()  # it counts as old, and that is all
                _count_load()
            else:
                gc.callbacks.append(_Thaw())


def _count_load() -> None:
    """Collect all after some loads: freezing makes the collector forget that it is due."""
    due = next((each for each in gc.callbacks if isinstance(each, _Due)), None)
    if due is None:
        due = _Due()
        gc.callbacks.append(due)
    due.loads += 1
    if due.loads == _LOADS:
        gc.collect()


@contextmanager
def nothing_collected() -> Iterator[None]:
    """For a program that ends with what is done here: even its end does not look through it."""
    with no_cyclic_garbage():
        try:
            yield
        finally:  # commands end with `sys.exit`
            gc.freeze()


class _Due:
    """Counts loads since the last collection of all that there is."""

    def __init__(self) -> None:
        self.loads = 0

    def __call__(self, phase: str, info: Mapping[str, Any]) -> None:
        """Begin anew after a collection of all, as the collector tells of it."""
        if phase == "stop" and info["generation"] == 2:
            gc.callbacks.remove(self)


class _Thaw:
    """Gives back to the collector what is kept from it, after some of its collections."""

    def __init__(self) -> None:
        self._left = _SPARED

    def __call__(self, phase: str, info: Mapping[str, Any]) -> None:
        """Count a collection, as the collector tells of it."""
        if phase == "stop" and info["generation"] == 2:
            self._left -= 1
            if not self._left:
                gc.callbacks.remove(self)
                gc.unfreeze()
