"""The picture of the market: the price of each day, and the units that were traded.

date        units  price   low  high
2026-06-10    500   0.25  0.24  0.26     ->  a point in a band, and a bar below
"""

from __future__ import annotations

from beancount_compute.reports.charts.traces import (
    BLUE,
    TEAL,
    Chart,
    band_of,
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
from beancount_compute.reports.tables import Table, shown

MOST_MARKED = 90  # days


def market(table: Table) -> list[Chart]:
    """Price of each day in the band of its lowest and highest, and the units traded below."""
    found: list[Chart] = []
    for (commodity, currency), part in parts(table, "commodity", "currency"):
        days = texts(part, "date")
        band = band_of(days, floats(part, "low"), floats(part, "high"))
        # a point for each of many days would hide the line
        price = line("price", days, floats(part, "price"), BLUE, currency)
        price["mode"] = "lines+markers" if len(days) <= MOST_MARKED else "lines"
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


def _average(table: Table, commodity: str, currency: str) -> str:
    """The price of the last row that has one: an average, as long as a row is."""
    interval = table.columns[place(table, "date")].title.replace("date", "day")
    priced = table._replace(rows=[row for row in table.rows if row[place(table, "price")]])
    if not priced.rows:
        return "All trades were reversed: there is no price."
    price = shown(column(priced, "price")[-1])
    name = texts(priced, "date")[-1]
    return (
        f"The average price of {name}, the last {interval} with trades, is {price} {currency} per "
        f"{commodity}."
    )
