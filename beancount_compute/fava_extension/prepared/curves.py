"""Release curves: which share of a vintage was recognised one month after it was paid for, two ...

    vintage           0       1       2
    2026-05  USD    0.6     0.8     0.8        ; 240.00, then 80.00 more, of 400.00

Revenue and breakage; what is recognised in the month of the lot itself stands under 0.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

from beancount_compute.economy.months import Month
from beancount_compute.economy.rounding import PRICE_STEP, WIDE, ZERO, round_half_even, trim
from beancount_compute.reports.tables import Cell, Column, Measure, Table


def release_curves(vintages: Table) -> Table:
    """The curves of a table of vintages that begins with the books (without a first day)."""
    months = [each.key for each in vintages.columns if each.key[:1].isdecimal()]
    keys = [each.key for each in vintages.columns]
    last = max(months, default="")
    rows: list[tuple[Cell, ...]] = []
    most = 0
    with localcontext(WIDE):
        for row in vintages.rows:
            cells = dict(zip(keys, row, strict=True))
            shares = _shares(cells, months, last)
            if shares:
                most = max(most, len(shares))
                rows.append((cells["vintage"], cells["currency"], *shares))
    full: list[tuple[Cell, ...]] = [(*row, *[None] * (most + 2 - len(row))) for row in rows]
    figures = [Column(str(age), f"{age}", Measure.RATE) for age in range(most)]
    labels = (Column("vintage", "vintage", Measure.DATE), Column("currency", "currency"))
    return Table("Share recognised, by months since", (*labels, *figures), full, "curves")


def _shares(cells: dict[str, Cell], months: list[str], last: str) -> list[Cell]:
    vintage, added = str(cells["vintage"]), cells["added"]
    if not last or not isinstance(added, Decimal) or added <= 0:
        return []
    recognised = {_age(vintage, month): cells[month] for month in months}
    earlier = [number for age, number in recognised.items() if age < 0]
    sum_so_far = sum([each for each in earlier if isinstance(each, Decimal)], ZERO)
    shares: list[Cell] = []
    for age in range(_age(vintage, last) + 1):
        number = recognised.get(age)
        sum_so_far += number if isinstance(number, Decimal) else ZERO
        shares.append(trim(round_half_even(sum_so_far / added, PRICE_STEP), 0))
    return shares


def _age(vintage: str, month: str) -> int:
    return Month.parse(month).ordinal - Month.parse(vintage).ordinal
