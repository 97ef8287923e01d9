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

_LOADS = 10  # in one program, at least, until what they left behind is collected
_SHARE = 4  # they must have made one part in so many of all that there is: the collector's own rule
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
    loads again and again and goes on, such as Fava, nothing is ever kept from it; and what loads
    leave behind there is collected when they made much, so that memory stays flat.
    """
    spared = any(isinstance(each, _Thaw) for each in gc.callbacks)  # to count them takes long
    spare = gc.isenabled() and not spared and not gc.get_freeze_count()
    with no_cyclic_garbage():
        yield
        if not spare:
            return
        made = _made()
        gc.freeze()
        if "fava" in sys.modules:
            due = _due()
            gc.unfreeze()  # it counts as old, and that is all
            due.count_load(made)
        else:
            gc.callbacks.append(_Thaw())


def _made() -> int:
    """How many objects were made since the last load, or collection of all, and are not freed."""
    young, of_young, of_middle = gc.get_count()
    most_young, most_of_young, _ = gc.get_threshold()
    return young + most_young * (of_young + most_of_young * of_middle)


def _due() -> _Due:
    """The count of loads; a new one, after a collection of all, while all is kept from the next."""
    for each in gc.callbacks:
        if isinstance(each, _Due):
            return each
    due = _Due(gc.get_freeze_count())
    gc.callbacks.append(due)
    return due


@contextmanager
def nothing_collected() -> Iterator[None]:
    """For a program that ends with what is done here: even its end does not look through it."""
    with no_cyclic_garbage():
        try:
            yield
        finally:  # commands end with `sys.exit`
            gc.freeze()


class _Due:
    """Collects all when it is due: freezing makes the collector forget what it counted."""

    def __init__(self, objects: int) -> None:
        self._loads = self._made = 0
        self._much = objects // _SHARE

    def count_load(self, made: int) -> None:
        """Count what a load made; where loads made much since the last collection, collect."""
        self._loads += 1
        self._made += made
        if self._loads >= _LOADS and self._made > self._much:
            gc.collect()

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
