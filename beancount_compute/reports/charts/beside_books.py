"""Pictures of what if: the books and each scenario side by side, by figure and by month.

figure            currency    books   Prices crash   difference
revenue of use    USD        156.00         126.00       -30.00     ->  two bars
"""

from __future__ import annotations

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
    bar,
    figure_of,
    floats,
    layout_of,
    line,
    lying,
    lying_layout,
    parts,
    texts,
)
from beancount_compute.reports.tables import Table

_COLOURS = (ORANGE, PURPLE, TEAL, RED, GREEN, BLUE)  # of scenarios, over again where there are more
_DASHES = ("solid", "dot", "dash", "dashdot")


def scenarios_by_figure(table: Table, beside: list[str]) -> list[Chart]:
    """The figures of the books and of each scenario; `beside` are the columns of both.

    Bars lie, so that their names have room in any window.
    """
    found: list[Chart] = []
    for (currency,), part in parts(table, "currency"):
        names = texts(part, "figure")
        data = [
            lying(bar(_title(part, key), names, floats(part, key), colour, currency))
            for key, colour in zip(beside, _colours(beside), strict=True)
        ]
        layout = lying_layout(currency, len(names) * (len(beside) + 1))
        title = f"The books and scenarios ({currency})"
        caption = "Each figure of the days shown, in the books and under each scenario."
        name = f"by-figure-{currency}"
        found.append(Chart(name, title, part, figure_of(data, layout), caption))
    return found


def scenario_by_month(table: Table, beside: list[str], what: str, currency: str) -> Chart:
    """One figure by month, a line for the books and for each scenario."""
    months = texts(table, "month")
    data: list[Drawing] = []
    for at, (key, colour) in enumerate(zip(beside, _colours(beside), strict=True)):
        trace = line(_title(table, key), months, floats(table, key), colour, currency)
        trace["line"]["dash"] = _DASHES[at % len(_DASHES)]
        data.append(trace)
    title = f"{what[:1].upper()}{what[1:]} by month ({currency})"
    caption = "A line for the books, and one for each scenario; where two agree they are one."
    return Chart(
        f"by-month-{currency}", title, table, figure_of(data, layout_of(currency)), caption
    )


def _title(table: Table, key: str) -> str:
    return table.columns[table.place(key)].title


def _colours(beside: list[str]) -> list[str]:
    """Grey for the books."""
    return [GREY, *(_COLOURS[at % len(_COLOURS)] for at in range(len(beside) - 1))]
