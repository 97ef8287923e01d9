"""How lots go on from a day: as past vintages went on that were as old.

    100.00 that are 1 month old and end in the third month to come; a quarter is used at the age of
    2 months, a tenth of the rest at that of 3:

    ahead    used   lapsed
        1   25.00
        2    7.50
        3           67.50

One rule for the figure that is expected (exact numbers, by what all vintages did) and for the draws
that make its interval (arrays, by what some vintage did in each).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from beancount_compute.insight.vintage_flows import AlikeLots

Draws = npt.NDArray[np.float64]  # a number for each draw
Number = TypeVar("Number", Decimal, Draws)
RatesAt = Callable[[int, int], tuple[Number, Number, Number] | None]


class Went(NamedTuple, Generic[Number]):
    """What went in a month to come of one that was open at the day."""

    ahead: int  # the month, from 1
    age: int | None  # by which vintages; None where it lapses, which the books say
    left: Number  # before it went
    used: Number
    lapsed: Number
    otherwise: Number
    sold: Number  # which stays


def going_on(
    lots: AlikeLots, one: Number, oldest: int, rates: RatesAt[Number]
) -> Iterator[Went[Number]]:
    """What goes month by month, of one, up to the age that was seen and to the end.

    `rates` says of a month ahead and an age what part is used, leaves otherwise, and is sold; None
    where no vintage says it.
    """
    left, nothing = one, one * 0
    last = oldest - lots.age
    if lots.ends is not None:
        last = min(last, lots.ends - (not lots.usable))
    for ahead in range(1, last + 1):
        found = rates(ahead, lots.age + ahead)
        if found is not None:
            used, otherwise, sold = (left * rate for rate in found)
            yield Went(ahead, lots.age + ahead, left, used, nothing, otherwise, sold)
            left = left - used - otherwise
    if lots.ends is not None:
        yield Went(lots.ends, None, left, nothing, left, nothing, nothing)
