"""What loads leave behind, in a process of its own.

A collection looks through all that a process holds: in one of tests, what hundreds of others keep.

python -m tests.ledger.left_behind freed alone
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from tests.ledger.docstrings import load_text


def load_beside_garbage(objects: int = 1) -> weakref.ref[ModuleType]:
    """Load a ledger while there is garbage that only the collector can free."""
    garbage = ModuleType("garbage")
    garbage.__dict__["itself"] = [[garbage] for _ in range(objects)]
    left = weakref.ref(garbage)
    del garbage
    load_text("\n")
    return left


def collect() -> None:
    """Collect until what earlier loads keep is over."""
    for _ in range(11):
        gc.collect()


def freed(hosted: bool) -> None:
    """In Fava nothing is kept from the collector, elsewhere for a while."""
    collect()
    callbacks, left = [*gc.callbacks], []
    for _ in range(5):
        left.append(load_beside_garbage())
        assert not hosted or gc.get_freeze_count() == 0
        collect()
    assert gc.get_freeze_count() == 0
    assert gc.callbacks == callbacks
    assert [each() for each in left] == [None] * 5


def flat(hosted: bool) -> None:
    """Each load leaves much behind in a cycle; a few loads later it is gone, and nobody asked."""
    assert hosted
    collect()
    left = []
    for _ in range(40):
        left.append(load_beside_garbage(len(gc.get_objects()) // 20))
    assert sum(each() is not None for each in left) <= 10


def light(hosted: bool) -> None:
    """Loads that make little beside all that the program holds have none of it looked through."""
    assert hosted
    held: list[list[None]] = [[] for _ in range(500_000)]
    collect()
    looked_through: list[int] = []

    def look(phase: str, info: Mapping[str, Any]) -> None:
        if phase == "start" and info["generation"] == 2:
            looked_through.append(1)

    gc.callbacks.append(look)
    for _ in range(40):
        load_text("\n")
    assert held and not looked_through


if __name__ == "__main__":
    what, where = sys.argv[1:]
    sys.modules.pop("fava", None)
    if where == "hosted":
        sys.modules["fava"] = ModuleType("fava")
    {"freed": freed, "flat": flat, "light": light}[what](where == "hosted")
