"""A report of estimates: its tables, each with its method; no transactions add up to them.

Figures are floats until they are written: shares with four decimals, money to the minor unit. Below
30 subscribers, or 6 months, there is no interval: "too few".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.insight import ESTIMATES
from beancount_compute.reports import (
    Books,
    Column,
    Measure,
    NotSummed,
    Selection,
    Table,
)
from beancount_compute.reports.figures import CellAsked, Layout

FEWEST_PEOPLE, FEWEST_MONTHS = 30, 6
TOO_FEW = "too few"
SAID = Column("said", "")
LOW, HIGH = Column("low", "low\n95 %", Measure.RATE), Column("high", "high\n95 %", Measure.RATE)


class Estimate(NamedTuple):
    """A report that is worked out and not added up."""

    name: str
    names: tuple[str, ...]  # of its tables
    work_out: Callable[[Books, Selection], Iterable[Table]]
    needs_subscriber: bool = False
    of_sums: bool = False

    @property
    def title(self) -> str:
        """What it shows."""
        return ESTIMATES[self.name]

    def layouts(self, books: Books, selection: Selection) -> list[Layout]:
        """Its tables by name; their columns depend on what is found."""
        return [Layout(name, name, (), ()) for name in self.names]

    def tables(self, books: Books, selection: Selection, *names: str) -> list[Table]:
        """The tables of those names, or all."""
        return [each for each in self.work_out(books, selection) if not names or each.name in names]

    def trace(
        self, books: Books, selection: Selection, asked: CellAsked
    ) -> list[tuple[int, Decimal]]:
        """Raises `NotSummed`."""
        raise NotSummed(f"{asked.column} is estimated, not summed from transactions")

    def sources(self, books: Books, selection: Selection) -> list[int]:
        """Raises `NotSummed`."""
        raise NotSummed(f"{self.name} is estimated, not summed from transactions")


def rate(number: float | None, places: int = 4) -> Decimal | None:
    """A share or another plain number, so many decimals; None for none, and where it is endless."""
    if number is None or number != number or abs(number) == float("inf"):
        return None
    return Decimal(f"{number:.{places}f}") + 0  # no -0


def few(people: int, months: int | None = None) -> bool:
    """Whether they are too few for an interval."""
    return people < FEWEST_PEOPLE or (months is not None and months < FEWEST_MONTHS)


def band(
    low: float, high: float, people: int, months: int | None = None
) -> Sequence[Decimal | str | None]:
    """An interval's ends and what is to be said of them."""
    if few(people, months):
        return None, None, TOO_FEW
    return rate(low), rate(high), ""
