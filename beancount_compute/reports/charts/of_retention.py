"""Pictures of retention: who stays, by month of start and by group, and which groups leave.

months  at risk  left   stay   95 %
1           120    12  0.900   0.830 to 0.942     ->  a step down, within a band

They draw what the tables of the report hold, and need neither numpy nor scipy. Where a table says
"too few" there is no band, and the caption says why.
"""

from __future__ import annotations

from itertools import cycle, product

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
    band_of,
    column,
    figure_of,
    floats,
    layout_of,
    line,
    parts,
    texts,
    whiskers,
)
from beancount_compute.reports.tables import Table

MOST_LABELLED = 24  # columns whose cells show their shares
_ROOM, _OF_A_ROW = 120, 22  # pixels of height: of axes and legend, and of each row
_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, TEAL, GREY)
_DASHES = ("solid", "dash", "dot")  # each with every colour
_TOO_FEW = " Too few subscribers for an interval."
_SOME_TOO_FEW = " Groups without one have too few subscribers for it."
_CHANCE = " A difference between groups is no effect: nobody was put into them by chance."


_SHOWN = {  # what a table of cohorts shows: its title, and what a strong colour is
    "cohorts": ("Who is still there", "the stronger the colour, the more of them are there"),
    "revenue": ("What they pay", "the stronger, the more of what they paid at first they pay"),
}


def cohorts(table: Table) -> list[Chart]:
    """By month of start and months since, the share that is there, as a heat map; by currency."""
    ages = [each.key for each in table.columns if each.key[0] == "m" and each.key[1:].isdecimal()]
    if not table.rows or not ages:
        return []
    title, what = _SHOWN[table.name]
    by_currency = any(each.key == "currency" for each in table.columns)
    found: list[Chart] = []
    for names, part in parts(table, "currency") if by_currency else [((), table)]:
        rows = zip(*[floats(part, key) for key in ages], strict=True)
        trace: Drawing = {
            "type": "heatmap",
            "x": [key[1:] for key in ages],
            "y": texts(part, "cohort"),
            "z": [[*row] for row in rows],
            **HEAT,
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
    layout = _lying_points(len(names), ".1~%")
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

    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": x,
        "y": y,
        "marker": {"size": 9, "color": colour},
        "error_x": whiskers(x, lows, highs, colour),
        "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
    }


def _lying_points(rows: int, form: str) -> Drawing:
    layout = layout_of("", hovermode="closest")
    layout["height"] = _ROOM + 26 * rows
    layout["xaxis"] = {"automargin": True, "tickformat": form, "nticks": 7}
    layout["yaxis"] = {"type": "category", "automargin": True, "autorange": "reversed"}
    return layout
