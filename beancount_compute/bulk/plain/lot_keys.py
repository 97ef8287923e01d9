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
    """Keys of lots, column by column; those that are joined have all but costs in 32 bits."""

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
    pocket, cost, *names_and_days = zip(*several, strict=True)
    return KeyColumns(
        small_behind(pocket), np.concatenate(cost), *map(small_behind, names_and_days)
    )


def small_behind(several: Sequence[Ints]) -> Ints:
    """Small numbers behind each other, in 32 bits: names are places in a list, days ordinals."""
    return np.concatenate(several, dtype=np.int32, casting="same_kind")


def wide(numbers: Ints) -> Ints:
    """Numbers in 64 bits, for sums and products of them."""
    return numbers.astype(np.int64)


def distinct(keys: KeyColumns, order: DrawDown) -> tuple[KeyColumns, Ints]:
    """The keys, each once and in draw-down order; and where each of the given ones stands there."""
    if not keys.pocket.size:
        return keys, np.empty(0, np.int64)
    high, low = _ranks(keys, order)
    at = np.lexsort((low, high))
    new = np.zeros(len(at), bool)
    new[0] = True
    for rank in (high, low):
        in_order = rank[at]
        new[1:] |= in_order[1:] != in_order[:-1]
    place = np.empty(len(at), np.int64)
    place[at] = np.cumsum(new) - 1
    return keys.taken(at[new]), place


def _ranks(keys: KeyColumns, order: DrawDown) -> tuple[Ints, Ints]:
    """Two numbers whose order is that of `lots.rank_of`, allocations before tokens."""
    _, cost = np.unique(keys.cost, return_inverse=True)
    if order is DrawDown.HIFO:
        cost = cost.max() - cost
    if order in (DrawDown.HIFO, DrawDown.LOFO):
        high = (wide(keys.pocket) << 56) | (wide(keys.currency) << 44) | cost
        return high, (wide(keys.end) << 41) | (wide(keys.day) << 19) | keys.origin
    day = NEVER - keys.day if order is DrawDown.LIFO else keys.day
    first, second = (keys.end, day) if order is DrawDown.EXPIRY else (day, keys.end)
    high = (wide(keys.pocket) << (2 * _DAY_BITS)) | (wide(first) << _DAY_BITS) | second
    return high, (wide(keys.currency) << 51) | (cost << 19) | keys.origin
