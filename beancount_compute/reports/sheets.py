"""What was added up, by column: where there are many rows, quicker than row by row.

    rows     (2026-06, alice)  (2026-06, bob)  (2026-07, bob)
    sold                  500               0             200

Added up by the second label:  (alice) 500, (bob) 200.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import count
from typing import NamedTuple

from beancount_compute.economy.rounding import ZERO
from beancount_compute.reports.tables import Cell, Row

Numbers = Sequence[Decimal | None]  # of a column, one for each row; None where nothing was added
Signed = tuple[str, int]  # a column; 1 for what adds to it, -1 for what takes from it


class Sheet(NamedTuple):
    """The labels of rows, and what was added up for them by column."""

    rows: Sequence[Row]
    numbers: Mapping[str, Numbers]  # a column that nothing was added to may be missing

    def added_up(self, labels: Callable[[Row], Row]) -> Sheet:
        """The sums of the rows that have the same of these labels."""
        places: defaultdict[Row, int] = defaultdict(count().__next__)
        place_of = list(map(places.__getitem__, map(labels, self.rows)))
        found: dict[str, list[Decimal]] = {}
        for column, numbers in self.numbers.items():
            sums = found[column] = [ZERO] * len(places)
            for place, number in zip(place_of, numbers, strict=True):
                if number:
                    sums[place] += number
        return Sheet(list(places), found)

    def and_rows_of(self, other: Sheet) -> Sheet:
        """The rows of both, which have the same columns."""
        numbers = {
            column: [*numbers, *other.numbers[column]] for column, numbers in self.numbers.items()
        }
        return Sheet([*self.rows, *other.rows], numbers)

    def in_columns(self, adds: Mapping[str, Iterable[Signed]]) -> Sheet:
        """What each column adds to others (1) or takes from them (-1)."""
        terms: defaultdict[str, list[Numbers]] = defaultdict(list)
        for column, numbers in self.numbers.items():
            for other, sign in adds[column]:
                terms[other].append(numbers if sign > 0 else negative(numbers))
        return Sheet(self.rows, {column: summed(each) for column, each in terms.items()})

    def in_order(self) -> Sheet:
        """Rows sorted by their labels, None last."""
        rows, in_place = self.rows, range(len(self.rows))
        try:
            order = sorted(in_place, key=rows.__getitem__)
        except TypeError:  # None stands beside text
            order = sorted(in_place, key=list(map(_sort_key, rows)).__getitem__)
        if order == list(in_place):
            return self
        numbers = {
            column: [numbers[at] for at in order] for column, numbers in self.numbers.items()
        }
        return Sheet([rows[at] for at in order], numbers)


EMPTY = Sheet((), {})


def _sort_key(labels: Row) -> tuple[tuple[bool, Cell], ...]:
    return tuple([(label is None, "" if label is None else label) for label in labels])


def summed(columns: Sequence[Numbers]) -> Numbers:
    """Columns added up to one, row by row."""
    first, *others = columns
    total: Numbers = first
    for numbers in others:  # many a number is zero
        total = [
            (one + other if one else other) if other else one
            for one, other in zip(total, numbers, strict=True)
        ]
    return total


def negative(numbers: Numbers) -> Numbers:
    """A column with every number turned round."""
    return [-number if number else number for number in numbers]
