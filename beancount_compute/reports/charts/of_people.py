"""Pictures of subscribers over time: who came and left, churn, and revenue that recurs.

month    at start  new  won back  cancelled  at end
2026-06         3    1         0          1       3    ->  2 that stayed, 1 new; 1 below the line
"""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.reports.charts.traces import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    TEAL,
    Chart,
    Drawing,
    bar,
    column,
    figure_of,
    floats,
    in_money,
    layout_of,
    line,
    numbers,
    parts,
    texts,
)
from beancount_compute.reports.tables import Table, rounded, shown

_CAME = {"new": GREEN, "won_back": TEAL}
_REVENUE_CAME = {**_CAME, "expansion": BLUE}
_REVENUE_WENT = {"contraction": ORANGE, "lost": RED}
_KEPT = {"net_retention": BLUE, "gross_retention": ORANGE}


def subscribers_by_month(people: Table) -> list[Chart]:
    """Those who stayed, came and left each month, and their churn; of the table `people`."""
    if not people.rows:
        return []
    months = texts(people, "month")
    stayed = [row["at_start"] - row["cancelled"] for row in _counts(people)]
    data = [
        bar("stayed", months, [float(each) for each in stayed], GREY, ""),
        *_bars(people, months, _CAME, ""),
        *_bars(people, months, {"cancelled": RED}, "", sign=-1),
        line("at end", months, floats(people, "at_end"), BLUE, ""),
    ]
    figure = figure_of(data, layout_of("", barmode="relative"))
    end = shown(column(people, "at_end")[-1])
    caption = f"{end} subscribers at the end of {months[-1]}; who cancelled stands below the line."
    by_month = Chart("subscribers", "Subscribers by month", people, figure, caption)
    return [by_month, _churn(people, months)]


def _churn(people: Table, months: list[str]) -> Chart:
    keys = ("month", "at_start", "cancelled", "churn", "repurchase")
    table = people.only([people.place(key) for key in keys])._replace(name="churn")
    data = [_share(line("churn", months, floats(people, "churn"), RED, ""))]
    layout = _of_shares()
    layout["yaxis"]["rangemode"] = "tozero"
    last = column(people, "churn")[-1]
    caption = "The share of those who were there at the start of a month and cancelled in it"
    caption += f"; {float(last):.1%} in {months[-1]}." if isinstance(last, Decimal) else "."
    title = "Churn by month"
    return Chart("churn", title, table._replace(title=title), figure_of(data, layout), caption)


def recurring_revenue(table: Table) -> list[Chart]:
    """What recurs and how it changed each month, and how much of it is kept; by currency."""
    found: list[Chart] = []
    for (currency,), part in parts(table, "currency"):
        months = texts(part, "month")
        kept = [float(row["opening"] - row["contraction"] - row["lost"]) for row in _amounts(part)]
        data = [
            bar("kept", months, [*kept], GREY, currency),
            *_bars(part, months, _REVENUE_CAME, currency),
            *_bars(part, months, _REVENUE_WENT, currency, sign=-1),
            line("closing", months, floats(part, "closing"), BLUE, currency),
        ]
        figure = figure_of(in_money(data, currency), layout_of(currency, barmode="relative"))
        closing = shown(column(rounded(part), "closing")[-1])
        caption = f"{closing} {currency} recur at the end of {months[-1]}, each month counted once."
        title = f"Recurring revenue by month ({currency})"
        found.append(Chart(f"recurring-{currency}", title, part, figure, caption))
        found.append(_kept(part, months, currency))
    return found


def _kept(part: Table, months: list[str], currency: str) -> Chart:
    keys = ("month", "currency", "opening", *_KEPT)
    table = part.only([part.place(key) for key in keys])
    data = [
        _share(line(key.replace("_", " "), months, floats(part, key), colour, ""))
        for key, colour in _KEPT.items()
    ]
    data[-1]["line"]["dash"] = "dot"  # it is the other one where nobody pays more than before
    title = f"Net and gross retention ({currency})"
    caption = (
        "What is left at the end of a month of the revenue that recurred at its start, without new "
        "subscribers; gross counts no expansion."
    )
    table = table._replace(title=title, name=f"kept-{currency}", totals=())
    return Chart(f"kept-{currency}", title, table, figure_of(data, _of_shares()), caption)


def _bars(
    table: Table, months: list[str], colours: dict[str, str], unit: str, sign: int = 1
) -> list[Drawing]:
    """A bar for each column that is not all zero."""
    return [
        bar(
            key.replace("_", " "),
            months,
            [None if each is None else sign * each for each in floats(table, key)],
            colour,
            unit,
        )
        for key, colour in colours.items()
        if any(column(table, key))
    ]


def _counts(table: Table) -> list[dict[str, int]]:
    return [
        {key: cell for key, cell in row.items() if isinstance(cell, int)} for row in table.by_key()
    ]


def _amounts(table: Table) -> list[dict[str, Decimal]]:
    return [numbers(table, row) for row in table.rows]


def _share(trace: Drawing) -> Drawing:
    return {**trace, "hovertemplate": "%{y:.1%}"}


def _of_shares() -> Drawing:
    layout = layout_of("")
    layout["yaxis"] = {"automargin": True, "tickformat": ".1~%"}
    return layout
