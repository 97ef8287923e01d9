"""Pictures of vintages: when what was paid for in a month became income, and how fast.

vintage  2026-05  2026-06
2026-05   240.00    80.00     ->  a strong and a weak cell; a line that rises from 60 % to 80 %
"""

from __future__ import annotations

from itertools import cycle, product

from beancount_compute.economy import decimals_of
from beancount_compute.reports.charts.traces import (
    BLUE,
    GREEN,
    GREY,
    HEAT,
    ORANGE,
    PURPLE,
    RED,
    TEAL,
    Chart,
    Drawing,
    figure_of,
    floats,
    floats_of,
    layout_of,
    line,
    parts,
    texts,
)
from beancount_compute.reports.tables import Table

MOST_LABELLED = 14  # columns whose cells show their amounts


def vintages(table: Table) -> list[Chart]:
    """What was recognised of each vintage in each month, as a heat map."""
    found: list[Chart] = []
    months = [each.key for each in table.columns if each.key[:2].isdecimal()]
    for (currency,), part in parts(table, "currency"):
        columns = [floats(part, key) for key in months]
        cells = [[number or None for number in row] for row in zip(*columns, strict=True)]
        trace: Drawing = {
            "type": "heatmap",
            "x": months,
            "y": texts(part, "vintage"),
            "z": cells,
            **HEAT,
            "colorbar": {
                "title": {"text": currency},
                "thickness": 12,
                "outlinewidth": 0,
                "tickformat": ",",
            },
            "hovertemplate": "paid for in %{y}<br>recognised in %{x}<br>"
            f"%{{z:,.{decimals_of(currency)}f}} {currency}<extra></extra>",
            "xgap": 2,
            "ygap": 2,
        }
        if len(months) <= MOST_LABELLED:
            trace["texttemplate"] = "%{z:,.0f}"
        layout = layout_of("", hovermode="closest")
        layout["xaxis"].update(showgrid=False, title={"text": "recognised in"})
        layout["yaxis"].update(
            type="category",
            autorange="reversed",
            showgrid=False,
            title={"text": "paid for in", "standoff": 12},
        )
        title = f"Revenue and breakage by vintage ({currency})"
        caption = (
            "Each row is what was paid for in a month, each column a month in which it became "
            "income; the stronger the colour, the more."
        )
        figure = figure_of([trace], layout)
        found.append(Chart(f"vintages-{currency}", title, part, figure, caption))
    return found


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
        caption = "How much of what was paid for in each month was recognised, month by month."
        found.append(Chart(f"release-{currency}", title, part, figure_of(data, layout), caption))
    return found


def _curve(trace: Drawing, dash: str) -> Drawing:
    return {**trace, "line": {**trace["line"], "dash": dash}, "hovertemplate": "%{y:.1%}"}
