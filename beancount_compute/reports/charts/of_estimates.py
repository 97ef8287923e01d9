"""Pictures of estimates on people: who stays, which groups leave, how trade grows.

months  at risk  left   stay   95 %
1           120    12  0.900   0.830 to 0.942     ->  a step down, within a band

They draw what a table of the insight reports holds, and need neither numpy nor scipy. Where a table
says "too few" there is no band, and the caption says why.
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
    band_of,
    bar,
    column,
    figure_of,
    floats,
    layout_of,
    line,
    parts,
    texts,
)
from beancount_compute.reports.tables import Table

MOST_LABELLED = 24  # columns whose cells show their shares
_ROOM, _OF_A_ROW = 120, 22  # pixels of height: of axes and legend, and of each row
_FEW_POWERS = 8  # the largest by the smallest, up to which an axis shows every digit
_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, TEAL, GREY)
_DASHES = ("solid", "dash", "dot")  # each with every colour
_TOO_FEW = " Too few subscribers for an interval."
_SOME_TOO_FEW = " Groups without one have too few subscribers for it."
_CHANCE = " A difference between groups is no effect: nobody was put into them by chance."


def cohorts(table: Table, what: str, title: str) -> list[Chart]:
    """By month of start and months since, the share that is there, as a heat map; by currency."""
    ages = [each.key for each in table.columns if each.key[0] == "m" and each.key[1:].isdecimal()]
    if not table.rows or not ages:
        return []
    by_currency = any(each.key == "currency" for each in table.columns)
    found: list[Chart] = []
    for names, part in parts(table, "currency") if by_currency else [((), table)]:
        rows = zip(*[floats(part, key) for key in ages], strict=True)
        trace: Drawing = {
            "type": "heatmap",
            "x": [key[1:] for key in ages],
            "y": texts(part, "cohort"),
            "z": [[*row] for row in rows],
            "colorscale": [[0, "#e4edf6"], [1, "#2a6cab"]],
            "colorbar": {"thickness": 12, "outlinewidth": 0, "tickformat": ".0%"},
            "hovertemplate": "started in %{y}<br>after %{x} months<br>%{z:.1%}<extra></extra>",
            "hoverongaps": False,
            "xgap": 2,
            "ygap": 2,
        }
        if len(ages) <= MOST_LABELLED:
            trace["texttemplate"] = "%{z:.0%}"
        layout = layout_of("", hovermode="closest")
        layout["height"] = max(layout["height"] - 80, _ROOM + _OF_A_ROW * len(part.rows))
        layout["xaxis"].update(showgrid=False, title={"text": "months since the start"})
        layout["yaxis"].update(
            type="category",
            autorange="reversed",
            showgrid=False,
            title={"text": "started in", "standoff": 12},
        )
        caption = f"Each row is a month of start, each column an age; {what}."
        ends = "".join(f"-{name}" for name in names), "".join(f" ({name})" for name in names)
        figure = figure_of([trace], layout)
        found.append(Chart(f"{table.name}{ends[0]}", title + ends[1], part, figure, caption))
    return found


def survival(table: Table) -> list[Chart]:
    """The share that stays by age, as steps within their band."""
    if not table.rows:
        return []
    data = _curve("stay", table, BLUE, "solid", banded=True)
    caption = "The estimate of Kaplan and Meier of the share that stays so many months"
    has_band = any(each is not None for each in column(table, "low"))
    caption += ", with the interval that holds it in 95 of 100 cases." if has_band else "."
    figure = figure_of(data, _of_ages())
    return [Chart("survival", "Who stays", table, figure, caption + ("" if has_band else _TOO_FEW))]


def survival_by_group(table: Table) -> list[Chart]:
    """A curve for each group, a picture for each way to part them."""
    found: list[Chart] = []
    for (by,), part in parts(table, "by"):
        data: list[Drawing] = []
        for (dash, colour), ((name,), of_group) in zip(
            cycle(product(_DASHES, _COLOURS)), parts(part, "group")
        ):
            data += _curve(name, of_group, colour, dash, banded=False)
        title = f"Who stays, by {by}"
        caption = f"Groups are those of the months before each decision.{_CHANCE}"
        name = f"survival-by-{by.replace(' ', '-')}"
        found.append(Chart(name, title, part, figure_of(data, _of_ages()), caption))
    return found


def _curve(name: str, table: Table, colour: str, dash: str, *, banded: bool) -> list[Drawing]:
    """Steps from all of them at the start, with a band where there is one."""
    ages = ["0", *texts(table, "age")]
    shares = [1.0, *floats(table, "stay")]
    trace = line(name, ages, shares, colour, "")
    trace["line"].update(shape="hv", dash=dash)
    trace.update(x=[int(age) for age in ages], hovertemplate="%{y:.1%}")
    low, high = [[1.0, *floats(table, key)] for key in ("low", "high")]
    if not banded or None in low or len(low) == 1:
        return [trace]
    edges = band_of(ages, low, high)
    for edge in edges:
        edge["line"]["shape"] = "hv"
        edge.update(x=trace["x"], hovertemplate="%{y:.1%}")
    return [*edges, trace]


def _of_ages() -> Drawing:
    layout = layout_of("")
    layout["xaxis"] = {
        "type": "linear",
        "automargin": True,
        "rangemode": "tozero",
        "title": {"text": "months since the start"},
    }
    layout["yaxis"] = {"automargin": True, "tickformat": ".0%", "range": [0, 1.03]}
    return layout


def leaving_by_group(groups: Table) -> list[Chart]:
    """Who leaves at a decision, a point for each group with its interval."""
    if not groups.rows:
        return []
    data = []
    names: list[str] = []
    for ((by,), part), colour in zip(parts(groups, "by"), cycle(_COLOURS)):
        of_groups = [f"{by}: {name}" for name in texts(part, "group")]
        names += of_groups
        shares, lows, highs = (floats(part, key) for key in ("leaving", "low", "high"))
        data.append(_points(by, shares, of_groups, colour, lows, highs))
    layout = _lying_points(len(names), ".0%")
    layout["xaxis"].update(title={"text": "leave at a decision"}, rangemode="tozero")
    caption = "The share of the ends of periods at which subscribers left, with 95 % intervals."
    if all(each is None for each in column(groups, "low")):
        caption = "The share of the ends of periods at which subscribers left." + _TOO_FEW
    elif any(each is None for each in column(groups, "low")):
        caption += _SOME_TOO_FEW
    figure = figure_of(data, layout)
    return [Chart("groups", "Who leaves, by group", groups, figure, caption + _CHANCE)]


def _points(
    name: str,
    x: list[float | None],
    y: list[str],
    colour: str,
    lows: list[float | None],
    highs: list[float | None],
) -> Drawing:
    """Points on their lines, with whiskers as far as their intervals reach."""

    def reach(ends: list[float | None]) -> list[float]:
        both = zip(x, ends, strict=True)
        return [0.0 if None in (at, end) else abs((end or 0) - (at or 0)) for at, end in both]

    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": x,
        "y": y,
        "marker": {"size": 9, "color": colour},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": reach(highs),
            "arrayminus": reach(lows),
            "thickness": 1.5,
            "width": 5,
            "color": colour,
        },
        "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
    }


def _lying_points(rows: int, form: str) -> Drawing:
    layout = layout_of("", hovermode="closest")
    layout["height"] = _ROOM + 26 * rows
    layout["xaxis"] = {"automargin": True, "tickformat": form, "nticks": 7}
    layout["yaxis"] = {"type": "category", "automargin": True, "autorange": "reversed"}
    return layout


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
    """An axis of powers, with a mark at each digit where it spans few of them."""
    known = [each for each in numbers if each]
    narrow = max(known, default=1) < _FEW_POWERS * min(known, default=1)
    marks = "D1" if narrow else "D2"
    return {"type": "log", "automargin": True, "dtick": marks, "tickformat": ",~f"}


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
