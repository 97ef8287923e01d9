"""The picture of what is owed, by age.

what         current  1-30 days  31-60 days  61-90 days  over 90 days    ->  bars side by side
receivables     0.00     200.00        0.00        0.00        100.00
"""

from __future__ import annotations

from beancount_compute.reports.charts.traces import (
    BLUE,
    ORANGE,
    PURPLE,
    Chart,
    bar,
    figure_of,
    floats_of,
    layout_of,
    parts,
)
from beancount_compute.reports.tables import Table

_COLOURS = {"receivables": BLUE, "payables": ORANGE, "partners": PURPLE}
_FIRST, _LAST = 2, -1  # the ages stand between the labels and the total


def by_age(totals: Table) -> list[Chart]:
    """What is owed to the operator and by it, by age; of the totals of the aging report."""
    found: list[Chart] = []
    for (currency,), part in parts(totals, "currency"):
        ages = [each.title.replace("\n", " ") for each in part.columns[_FIRST:_LAST]]
        data = [
            bar(str(row[0]), ages, floats_of(row[_FIRST:_LAST]), _COLOURS[str(row[0])], currency)
            for row in sorted(part.rows, key=lambda row: list(_COLOURS).index(str(row[0])))
        ]
        figure = figure_of(data, layout_of(currency, barmode="group"))
        caption = "Days since the bill; a credit is what was paid beyond all bills."
        found.append(
            Chart(f"by-age-{currency}", f"Owed, by age ({currency})", part, figure, caption)
        )
    return found
