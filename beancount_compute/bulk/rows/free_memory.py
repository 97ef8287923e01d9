"""Memory that was let go, given back to the system.

What large columns leave behind is kept for more of them, by Arrow and by the C library, and counts
as this program's for so long: after some steps of a month in bulk that is a quarter of all.
"""

from __future__ import annotations

import ctypes
import sys

import pyarrow as pa


def give_back_memory() -> None:
    """Give back what is free, as far as this system can."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # not all of its C libraries have it
        if trim is not None:
            trim(0)
