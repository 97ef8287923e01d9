"""Pictures of the market: prices, units and fees over time; and the fee rate that breaks even.

date        units  price   low  high   fees  take rate
2026-06-10    500   0.25  0.24  0.26   6.25       0.05     ->  points in a band, bars, a rate
"""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.reports.charts.traces import (
    BLUE,
    GREEN,
    ORANGE,
    TEAL,
    Chart,
    Drawing,
    band_of,
    bar,
    column,
    figure_of,
    floats,
    in_money,
    layout_of,
    line,
    parts,
    texts,
)
from beancount_compute.reports.tables import TOTAL, Table, money, shown

MOST_MARKED = 90  # days


def market(table: Table) -> list[Chart]:
    """Price of each day in the band of its lowest and highest, and the units traded below."""
    found: list[Chart] = []
    for (commodity, currency), part in parts(table, "commodity", "currency"):
        days = texts(part, "date")
        band = band_of(days, floats(part, "low"), floats(part, "high"))
        price = {**line("price", days, floats(part, "price"), BLUE, currency), **_mode(days)}
        volume = bar("units traded", days, floats(part, "units"), TEAL, commodity)
        volume["yaxis"] = "y2"
        layout = layout_of(f"{currency} per {commodity}", hovermode="x unified")
        layout["yaxis"]["domain"] = [0.36, 1]
        layout["yaxis2"] = {
            **layout["yaxis"],
            "domain": [0, 0.26],
            "title": {"text": commodity},
        }
        layout["xaxis"].update(anchor="y2", type="date")
        title = f"Price and volume of {commodity} ({currency})"
        caption = _average(part, commodity, currency)
        figure = figure_of([*band, price, volume], layout)
        found.append(Chart(f"market-{commodity}-{currency}", title, part, figure, caption))
    return found


def _mode(days: list[str]) -> Drawing:
    """A point for each of many days would hide the line."""
    return {"mode": "lines+markers" if len(days) <= MOST_MARKED else "lines"}


def _average(table: Table, commodity: str, currency: str) -> str:
    """The price of the last row that has one: an average, as long as a row is."""
    interval = table.columns[table.place("date")].title.replace("date", "day")
    priced = table._replace(rows=[row for row in table.rows if row[table.place("price")]])
    if not priced.rows:
        return "All trades were reversed: there is no price."
    price = shown(column(priced, "price")[-1])
    name = texts(priced, "date")[-1]
    return (
        f"The average price of {name}, the last {interval} with trades, is {price} {currency} per "
        f"{commodity}."
    )


def fees_and_take_rate(table: Table) -> list[Chart]:
    """The fees of each day as bars, and the take rate, fees / gross, as a line."""
    found: list[Chart] = []
    for (commodity, currency), part in parts(table, "commodity", "currency"):
        days = texts(part, "date")
        rate = {**_rate("take rate", days, floats(part, "take_rate"), ORANGE), **_mode(days)}
        rate["yaxis"] = "y2"
        data = [bar("fees", days, floats(part, "fees"), GREEN, currency), rate]
        layout = layout_of(currency)
        layout["yaxis2"] = _rate_axis(overlaying="y", side="right", showgrid=False, tickmode="auto")
        title = f"Fees and take rate of {commodity} ({currency})"
        fees = [number for number in column(part, "fees") if isinstance(number, Decimal)]
        total = shown(money(sum(fees, Decimal()), currency))
        of_days = part.columns[part.place("date")].title == "date"
        one = f"{'on' if of_days else 'in'} {days[0]}"
        when = one if len(days) == 1 else f"in all, from {days[0]} to {days[-1]}"
        caption = f"The fees are {total} {currency} {when}."
        name = f"fees-{commodity}-{currency}"
        found.append(Chart(name, title, part, figure_of(in_money(data, currency), layout), caption))
    return found


def break_even(table: Table) -> list[Chart]:
    """The fee rate charged beside the one at which the market earns what breakage would have."""
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
            "Where the charged rate lies above the other, the market earns more than breakage "
            "would, once what is held lapses."
        )
        figure = figure_of(data, layout)
        found.append(Chart(f"break-even-{currency}", title, months, figure, caption))
    return found


def _rate(name: str, x: list[str], y: list[float | None], colour: str) -> Drawing:
    return {**line(name, x, y, colour, ""), "hovertemplate": "%{y:.2%}"}


def _rate_axis(**more: object) -> Drawing:
    return {"automargin": True, "tickformat": ".1%", "rangemode": "tozero", **more}
