"""The keys of lots as integers whose order is the draw-down order.

    allocations  0.20 USD  2026-05-01  pro  2026-06-01   ->   0
    tokens       0.20 USD  2026-04-01  pro  2027-05-01   ->   1

What tells lots of one subscriber and commodity apart: pocket, cost, currency, day, origin and end.
Costs count steps of a power of ten, days are ordinals, names are places in a sorted list.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from beancount_compute.economy import DrawDown

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NEVER = date.max.toordinal() + 1  # the end of a lot that has none
_DAY_BITS = 22
POCKETS_IN_ORDER = ("allocations", "tokens")  # consumption takes from them in this order


class KeyColumns(NamedTuple):
    """Keys of lots, column by column."""

    pocket: Ints
    cost: Ints
    currency: Ints
    day: Ints
    origin: Ints
    end: Ints

    def taken(self, at: npt.NDArray[np.intp]) -> KeyColumns:
        """Some of the keys."""
        return KeyColumns(*[column[at] for column in self])


def no_keys() -> KeyColumns:
    """No keys at all."""
    return KeyColumns(*[np.empty(0, np.int64) for _ in KeyColumns._fields])


def joined(several: Sequence[KeyColumns]) -> KeyColumns:
    """Keys behind each other."""
    return KeyColumns(*[np.concatenate(columns) for columns in zip(*several, strict=True)])


def distinct(keys: KeyColumns, order: DrawDown) -> tuple[KeyColumns, Ints]:
    """The keys, each once and in draw-down order; and where each of the given ones stands there."""
    if not keys.pocket.size:
        return keys, np.empty(0, np.int64)
    high, low = _ranks(keys, order)
    at = np.lexsort((low, high))
    high, low = high[at], low[at]
    new = np.empty(len(at), bool)
    new[0] = True
    new[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    place = np.empty(len(at), np.int64)
    place[at] = np.cumsum(new) - 1
    return keys.taken(at[new]), place


def _ranks(keys: KeyColumns, order: DrawDown) -> tuple[Ints, Ints]:
    """Two numbers whose order is that of `lots.rank_of`, allocations before tokens."""
    _, cost = np.unique(keys.cost, return_inverse=True)
    if order is DrawDown.HIFO:
        cost = cost.max() - cost
    if order in (DrawDown.HIFO, DrawDown.LOFO):
        high = (keys.pocket << 56) | (keys.currency << 44) | cost
        return high, (keys.end << 41) | (keys.day << 19) | keys.origin
    day = NEVER - keys.day if order is DrawDown.LIFO else keys.day
    first, second = (keys.end, day) if order is DrawDown.EXPIRY else (day, keys.end)
    high = (keys.pocket << (2 * _DAY_BITS)) | (first << _DAY_BITS) | second
    return high, (keys.currency << 51) | (cost << 19) | keys.origin
