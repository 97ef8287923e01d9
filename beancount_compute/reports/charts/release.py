"""The picture of release curves: how fast what was paid for becomes income, vintage by vintage.

vintage     0     1     2
2026-05   0.6   0.8   0.8     ->  a line that rises to 80 %
"""

from __future__ import annotations

from itertools import cycle, product

from beancount_compute.reports.charts.traces import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    TEAL,
    Chart,
    Drawing,
    figure_of,
    floats_of,
    layout_of,
    line,
    parts,
)
from beancount_compute.reports.tables import Table

_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, TEAL, GREY)
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")  # each with every colour


def release(table: Table) -> list[Chart]:
    """A line for each vintage, from the month in which it was paid for."""
    found: list[Chart] = []
    ages = [each.key for each in table.columns if each.is_figure]
    first = len(table.columns) - len(ages)
    for (currency,), part in parts(table, "currency"):
        data = [
            _curve(line(str(row[0]), ages, floats_of(row[first:]), colour, ""), dash)
            for row, (dash, colour) in zip(part.rows, cycle(product(_DASHES, _COLOURS)))
        ]
        layout = layout_of("")
        layout["yaxis"] = {"automargin": True, "tickformat": ".0%", "rangemode": "tozero"}
        layout["xaxis"]["title"] = {"text": "months since it was paid for"}
        title = f"Release curves ({currency})"
        caption = "How much of each month's allocations was recognised, month by month."
        found.append(Chart(f"release-{currency}", title, part, figure_of(data, layout), caption))
    return found


def _curve(trace: Drawing, dash: str) -> Drawing:
    return {**trace, "line": {**trace["line"], "dash": dash}, "hovertemplate": "%{y:.1%}"}
