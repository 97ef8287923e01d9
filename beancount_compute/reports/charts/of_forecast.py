"""The picture of the forecast: what is deferred, by the month in which it will be used or lapse.

month      used   95 %         lapsed
2026-07  250.00   190 to 310     0.00     ->  two bars, one with a whisker from 190 to 310
"""

from __future__ import annotations

from beancount_compute.reports.charts.traces import (
    BLUE,
    GREY,
    ORANGE,
    Chart,
    bar,
    column,
    figure_of,
    floats,
    in_money,
    layout_of,
    parts,
    texts,
    whiskers,
)
from beancount_compute.reports.tables import TOTAL, Cell, Table, rounded, shown


def forecast(release: Table) -> list[Chart]:
    """What is deferred by month to come: used and lapsed, each with its interval; by market."""
    found: list[Chart] = []
    for (commodity, currency), part in parts(release, "commodity", "currency"):
        by_month = part._replace(rows=[row for row in part.rows if row[0] != TOTAL])
        months = texts(by_month, "month")
        data = []
        for key, colour in (("used", BLUE), ("lapsed", ORANGE)):
            amounts = floats(by_month, key)
            low, high = (floats(by_month, f"{key}_{end}") for end in ("low", "high"))
            trace = bar(key, months, amounts, colour, currency)
            data.append({**trace, "error_y": whiskers(amounts, low, high, GREY)})
        layout = layout_of(currency, barmode="group")
        layout["yaxis"]["rangemode"] = "tozero"
        title = f"{release.title} ({commodity}, {currency})"
        caption = _forecast_said(part, currency)
        name = f"forecast-{commodity}-{currency}"
        found.append(Chart(name, title, part, figure_of(in_money(data, currency), layout), caption))
    return found


def _forecast_said(part: Table, currency: str) -> str:
    """The total in words."""
    row = next(each for each in rounded(part).by_key() if each["month"] == TOTAL)
    said = f"Of {shown(row['opening'])} {currency}, {_between(row, 'used')} will be used and "
    said += f"{_between(row, 'lapsed')} will lapse"
    if row["otherwise"]:
        said += f"; {shown(row['otherwise'])} will be spent, refunded, voided or removed"
    said += f"; {shown(row['closing'])} has no month." if row["closing"] else "."
    if any(each is not None for each in column(part, "used_low")):
        return f"{said} Whiskers are intervals that hold it in 95 of 100 cases."
    return f"{said} Too few subscribers or months for intervals."


def _between(row: dict[str, Cell], key: str) -> str:
    low, high = row[f"{key}_low"], row[f"{key}_high"]
    ends = "" if low is None else f" ({shown(low)} to {shown(high)})"
    return f"{shown(row[key])}{ends}"
