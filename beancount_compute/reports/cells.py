"""How numbers are written in the cells of a table, column by column.

money in USD   800 -> 800.00   0.0025 -> 0.0025       units   800.00 -> 800
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache

from beancount_compute.economy.rounding import ZERO, decimals_of, trim
from beancount_compute.reports.sheets import Numbers
from beancount_compute.reports.tables import Cell, Measure


def writer(kind: Measure, currency: str) -> Callable[[Decimal], Cell]:
    """How numbers of a kind are written: money with its currency's decimals at least, and no -0."""
    match kind:
        case Measure.MONEY | Measure.PRICE:
            decimals = decimals_of(currency)
            return lambda number: trim(number or ZERO, decimals)
        case Measure.COUNT | Measure.DAYS:
            return int
        case _:
            return lambda number: trim(number or ZERO, 0)


class Pen:
    """Writes columns of figures, each for rows of some currencies; "" for none.

    What it wrote once it remembers: thousands of rows have few different sums.
    """

    def __init__(self) -> None:
        self._written = cache(_Written)

    def cells(
        self,
        kind: Measure,
        numbers: Numbers | None,
        currencies: Sequence[str],
        *,
        none_is_zero: bool,
    ) -> list[Cell]:
        """The cells of figures, where None is either no figure or zero; no numbers are all None."""
        ways = {each: self._written(kind, each, none_is_zero) for each in set(currencies)}
        if len(ways) == 1:  # nearly always
            [way] = ways.values()
            if numbers is None:
                return [way[None]] * len(currencies)
            return list(map(way.__getitem__, numbers))
        numbers = numbers or [None] * len(currencies)
        return [ways[each][number] for each, number in zip(currencies, numbers, strict=True)]


class _Written(dict[Decimal | None, Cell]):
    """The cells of numbers in one way of writing."""

    def __init__(self, kind: Measure, currency: str, none_is_zero: bool) -> None:
        self._write = writer(kind, currency)
        super().__init__({None: self._write(ZERO) if none_is_zero else None})

    def __missing__(self, number: Decimal) -> Cell:
        cell = self[number] = self._write(number)
        return cell
