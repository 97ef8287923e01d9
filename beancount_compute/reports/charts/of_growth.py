"""Pictures of growth: trade and those who take part, by month and one by the other.

participants  units   by the exponent   95 %
          20  16,000           15,200   13,900 to 16,600     ->  a point, near a line in its band
"""

from __future__ import annotations

from math import floor, log10

from beancount_compute.reports.charts.traces import (
    BLUE,
    ORANGE,
    Chart,
    Drawing,
    band_of,
    bar,
    figure_of,
    floats,
    layout_of,
    line,
    parts,
    texts,
)
from beancount_compute.reports.tables import Table

_FEW_POWERS = 8  # the largest by the smallest, up to which an axis has marks at even steps
_MARKS = 5


def trade_by_month(months: Table) -> list[Chart]:
    """Those who take part each month, and what they trade; by market."""
    found: list[Chart] = []
    for (commodity, currency), part in parts(months, "commodity", "currency"):
        names = texts(part, "month")
        data = [
            bar("units", names, floats(part, "units"), BLUE, commodity),
            {
                **line("participants", names, floats(part, "participants"), ORANGE, ""),
                "yaxis": "y2",
            },
        ]
        layout = layout_of(commodity)
        layout["yaxis2"] = {
            "overlaying": "y",
            "side": "right",
            "automargin": True,
            "showgrid": False,
            "tickmode": "auto",
            "rangemode": "tozero",
            "title": {"text": "participants"},
        }
        title = f"Trade and those who take part ({commodity}, {currency})"
        caption = "Units traded each month, and how many sold or bought."
        name = f"trade-{commodity}-{currency}"
        found.append(Chart(name, title, part, figure_of(data, layout), caption))
    return found


def growth(table: Table, exponents: Table) -> list[Chart]:
    """Units by participants, both on scales of powers, with the line of the exponent and its band.

    `table` has a row for each month with its fitted volume; a slope of 1 is in proportion.
    """
    found: list[Chart] = []
    for (commodity, currency), part in parts(table, "commodity", "currency"):
        part = part._replace(rows=sorted(part.rows, key=lambda row: (row[3], row[0])))
        people, units = floats(part, "participants"), floats(part, "units")
        points: Drawing = {
            "type": "scatter",
            "mode": "markers",
            "name": "months",
            "x": people,
            "y": units,
            "text": texts(part, "month"),
            "marker": {"size": 9, "color": ORANGE},
            "hovertemplate": f"%{{text}}: %{{x}} participants, %{{y:,}} {commodity}<extra></extra>",
        }
        data = [*_fitted(part, people, commodity), points]
        layout = layout_of(f"{commodity} traded", hovermode="closest")
        layout["xaxis"] = {**_of_powers(people), "title": {"text": "participants"}}
        layout["yaxis"].update(_of_powers(units))
        caption = _exponent_said(exponents, commodity, currency)
        title = f"Volume by participants ({commodity}, {currency})"
        name = f"growth-{commodity}-{currency}"
        found.append(Chart(name, title, part, figure_of(data, layout), caption))
    return found


def _of_powers(numbers: list[float | None]) -> Drawing:
    """An axis of powers, with marks at round numbers where it spans few of them."""
    known = [each for each in numbers if each]
    axis: Drawing = {"type": "log", "automargin": True, "tickformat": ",~f"}
    if not known or max(known) > _FEW_POWERS * min(known):
        return {**axis, "dtick": "D2"}
    return {**axis, "tickvals": _round_marks(min(known), max(known))}


def _round_marks(least: float, most: float) -> list[float]:
    """Up to seven multiples of a round step, beside the least and the most."""
    step = 10.0 ** floor(log10((most - least or least) / _MARKS))
    step *= next(each for each in (1, 2, 5, 10) if each * step * _MARKS >= most - least)
    first = floor(least / step)
    return [at * step for at in range(max(first, 1), floor(most / step) + 2)]


def _fitted(part: Table, people: list[float | None], commodity: str) -> list[Drawing]:
    """The line of the exponent, and its band, where there are."""
    fitted, low, high = (floats(part, key) for key in ("fitted", "low", "high"))
    if all(each is None for each in fitted):
        return []
    trace = line("fitted", [], fitted, BLUE, commodity)
    trace.update(x=people, mode="lines", hoverinfo="skip")
    del trace["hovertemplate"]
    if all(each is None for each in low):
        return [trace]
    edges = band_of([], low, high)
    for edge in edges:
        edge.update(x=people, hoverinfo="skip")
        del edge["hovertemplate"]
    return [*edges, trace]


def _exponent_said(exponents: Table, commodity: str, currency: str) -> str:
    """The exponent of units on levels, and what lies within its interval, in words."""
    row = next(
        each
        for each in exponents.by_key()
        if (each["commodity"], each["currency"], each["of"], each["fitted_on"])
        == (commodity, currency, "units", "levels")
    )
    said = "Each point is a month, on scales of powers: the slope of the line is the exponent."
    if row["k"] is None:
        return f"{said} Too few months that differ for one."
    if row["low"] is None:
        return f"{said} It is {row['k']}, of too few months for an interval."
    inside = [name for key, name in (("one", "1"), ("two", "2")) if row[key] == "yes"]
    holds = f"{' and '.join(inside) or 'neither 1 nor 2'} {'lie' if len(inside) > 1 else 'lies'}"
    return (
        f"{said} It is {row['k']}, from {row['low']} to {row['high']} in 95 of 100 cases: {holds} "
        "inside (1 is in proportion, 2 is every pair). Changes from month to month may say "
        "otherwise: see the table of exponents."
    )
