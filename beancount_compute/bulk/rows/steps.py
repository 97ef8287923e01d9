"""Numbers as integers of the smallest step, and back; sums of many of them that stay exact.

0.20 USD a unit, of two decimals   ->   20 steps
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from beancount_compute.bulk.plain.lot_keys import Ints
from beancount_compute.economy import WIDE

MOST_STEPS = 2.0**61  # what fits well into 64 bits
_WIDEST = 38
_LOW_BITS = 31
_AT_ONCE = 1_000_000
_LEAST, _MOST = np.iinfo(np.int32).min, np.iinfo(np.int32).max


class StepSizes(NamedTuple):
    """Of how many decimals the integers are."""

    units: int
    cost: int


def steps_of(number: Decimal, decimals: int) -> int | None:
    """A number in steps of so many decimals; None where it is finer, or too large."""
    steps = number.scaleb(decimals, WIDE)
    return int(steps) if steps == int(steps) and abs(steps) < MOST_STEPS else None


def fewest_decimals(numbers: Sequence[Ints], decimals: int) -> int:
    """How many of so many decimals the numbers need."""
    for fewer in range(decimals, 0, -1):
        if not any((each % 10**fewer).any() for all in numbers for each in _bits_of(all)):
            return decimals - fewer
    return decimals


def _bits_of(numbers: Ints) -> Iterator[Ints]:
    """Numbers bit by bit: the first of them tell most often, and none of it takes much memory."""
    begin, end = 0, 1000
    while begin < len(numbers):
        yield numbers[begin:end]
        begin, end = end, end + _AT_ONCE


def rescaled(numbers: Ints, decimals: int, wanted: int) -> Ints:
    """Steps of so many decimals as steps of others."""
    if wanted < decimals:
        numbers = numbers // 10 ** (decimals - wanted)
    elif wanted > decimals:
        numbers = numbers.astype(np.int64) * 10 ** (wanted - decimals)
    return numbers


def narrow(numbers: Ints) -> Ints:
    """Numbers in half the memory, where they fit."""
    if len(numbers) and (numbers.min() < _LEAST or numbers.max() > _MOST):
        return numbers
    return numbers.astype(np.int32)


def half_even(steps: Ints, whole: Ints) -> Ints:
    """Steps as whole ones of so many steps, rounded half-even."""
    found, rest = np.divmod(steps, whole)
    up = (2 * rest > whole) | ((2 * rest == whole) & (found % 2 == 1))
    rounded: Ints = found + up
    return rounded


def in_whole(high: int, low: int) -> int:
    """A number from its two halves."""
    return (high << _LOW_BITS) + low


def cost_halves(units: Ints, cost: Ints) -> tuple[Ints, Ints]:
    """What units cost, in two halves, so that sums of many stay exact."""
    spent = units * cost
    return spent >> _LOW_BITS, spent & ((1 << _LOW_BITS) - 1)


def decimal_array(steps: Ints, places: int) -> pa.Array:
    """Numbers of steps as decimals of so many places."""
    words = np.empty((len(steps), 2), np.int64)
    words[:, 0] = steps
    words[:, 1] = steps >> 63
    kind = pa.decimal128(_WIDEST, places)
    return pa.Array.from_buffers(kind, len(steps), [None, pa.py_buffer(words)])


def integers_of(column: pa.Array) -> Ints:
    """The unscaled numbers of a decimal column without nulls; they must fit into 64 bits."""
    words = np.frombuffer(column.buffers()[1], np.int64)
    return words[2 * column.offset : 2 * (column.offset + len(column)) : 2]
