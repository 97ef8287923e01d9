"""Pictures of fees: what they earned and which rate that is; and the rate at which they break even.

date        fees  take rate
2026-06-10  6.25       0.05     ->  a bar, and a point of 5 %
"""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.reports.charts.traces import (
    BLUE,
    GREEN,
    ORANGE,
    Chart,
    Drawing,
    bar,
    column,
    figure_of,
    floats,
    layout_of,
    line,
    parts,
    place,
    texts,
)
from beancount_compute.reports.rollforward import TOTAL
from beancount_compute.reports.tables import Table, money, shown


def fees_and_take_rate(table: Table) -> list[Chart]:
    """The fees of each day as bars, and the take rate, fees / gross, as a line."""
    found: list[Chart] = []
    for (commodity, currency), part in parts(table, "commodity", "currency"):
        days = texts(part, "date")
        rate = _rate("take rate", days, floats(part, "take_rate"), ORANGE)
        rate["yaxis"] = "y2"
        data = [bar("fees", days, floats(part, "fees"), GREEN, currency), rate]
        layout = layout_of(currency)
        layout["yaxis2"] = _rate_axis(overlaying="y", side="right", showgrid=False)
        title = f"Fees and take rate of {commodity} ({currency})"
        fees = [number for number in column(part, "fees") if isinstance(number, Decimal)]
        total = shown(money(sum(fees, Decimal()), currency))
        of_days = part.columns[place(part, "date")].title == "date"
        one = f"{'on' if of_days else 'in'} {days[0]}"
        when = one if len(days) == 1 else f"in all, from {days[0]} to {days[-1]}"
        caption = f"The fees are {total} {currency} {when}."
        name = f"fees-{commodity}-{currency}"
        found.append(Chart(name, title, part, figure_of(data, layout), caption))
    return found


def break_even(table: Table) -> list[Chart]:
    """The fee rate charged beside the one at which fees pay for what the tokens cost."""
    found: list[Chart] = []
    for (currency,), part in parts(table, "currency"):
        months = part._replace(rows=[row for row in part.rows if row[0] != TOTAL])
        names = texts(months, "month")
        rates = [floats(months, "break_even"), floats(months, "fee_rate")]
        if not any(rate is not None for each in rates for rate in each):
            continue
        data = [
            _rate("break-even fee rate", names, rates[0], ORANGE),
            _rate("fee rate charged", names, rates[1], BLUE),
        ]
        layout = layout_of("")
        layout["yaxis"] = _rate_axis()
        title = f"Fee rate, charged and at break-even ({currency})"
        caption = (
            "Where the charged rate lies above the other, fees alone pay for what tokens cost."
        )
        figure = figure_of(data, layout)
        found.append(Chart(f"break-even-{currency}", title, months, figure, caption))
    return found


def _rate(name: str, x: list[str], y: list[float | None], colour: str) -> Drawing:
    return {**line(name, x, y, colour, ""), "hovertemplate": "%{y:.2%}"}


def _rate_axis(**more: object) -> Drawing:
    return {"automargin": True, "tickformat": ".1%", "rangemode": "tozero", **more}
