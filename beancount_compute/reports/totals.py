"""Totals: what the rows of a table add up to, for each unit and currency of which there are two.

pro      USD   240.00
starter  USD    60.00
pro      EUR    10.00      ->  total  USD  300.00
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from beancount_compute.economy import ZERO
from beancount_compute.reports.tables import CURRENCY, TOTAL, UNIT, Column, ColumnSums, Row

Pick = Callable[[Iterable[Decimal]], Decimal]
_UNITS = (UNIT.key, CURRENCY.key)


def units_of(labels: Sequence[Column], row: Row) -> Row:
    """The unit and the currency of a row: what rows have alike whose figures add up."""
    return tuple([row[at] for at, each in enumerate(labels) if each.key in _UNITS])


def totals_of(
    labels: Sequence[Column],
    rows: Sequence[Row],
    sums: Mapping[str, ColumnSums],
    picks: Mapping[str, Pick | None],
) -> tuple[list[Row], dict[str, ColumnSums]]:
    """The labels of the totals, and the total of each column of contributions.

    `picks` has the columns that don't add up: the least of them is the least of all.
    """
    places: defaultdict[Row, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        places[units_of(labels, row)].append(at)
    among = {units: of for units, of in sorted(places.items()) if len(of) > 1}
    totals: dict[str, ColumnSums] = {}
    for column, numbers in sums.items():
        pick = picks.get(column) or _sum
        known = [[numbers[at] for at in of if numbers[at] is not None] for of in among.values()]
        totals[column] = [pick(filter(None, of)) if any(of) else None for of in known]
    return [_labels_of(labels, units) for units in among], totals


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    return sum(numbers, ZERO)


def _labels_of(labels: Sequence[Column], units: Row) -> Row:
    """The name of a total in front, its unit and currency where they stand."""
    left = iter(units)
    return (TOTAL, *[next(left) if each.key in _UNITS else "" for each in labels[1:]])
