"""What pictures are made of: a table's columns as numbers to draw, bars, lines, a layout.

bar("added", ["2026-05"], [400.0], GREEN, "USD")  ->  {"type": "bar", "name": "added", ...}
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from beancount_compute.economy import decimals_of
from beancount_compute.reports.tables import Cell, Table, rounded, shown

Drawing = dict[str, Any]
BLUE, ORANGE, GREEN, RED = "#3b82c4", "#e08a2e", "#3f9b6c", "#cc5a4f"
PURPLE, GREY, TEAL, BROWN = "#8a6fc0", "#8b95a1", "#2a9d9d", "#9c6b3f"

# Of a heat map: the text of a cell is readable on every colour of the scale.
HEAT: Drawing = {"colorscale": [[0, "#eef4fa"], [1, "#6aa3d8"]], "textfont": {"color": "#14202c"}}
_HEAD, _OF_A_BAR = 110, 11  # pixels of height: of legend and axis, and of each bar


class Chart(NamedTuple):
    """A picture, the table that it shows, and what it says in words."""

    name: str
    title: str
    table: Table
    figure: Drawing
    caption: str


def only(tables: Sequence[Table]) -> Table:
    (table,) = tables
    return table


def parts(table: Table, *keys: str) -> Iterable[tuple[tuple[str, ...], Table]]:
    """The table in parts, one for each value of some of its columns, in order."""
    places = [table.place(key) for key in keys]
    found: dict[tuple[str, ...], list[tuple[Cell, ...]]] = {}
    for row in table.rows:
        found.setdefault(tuple([str(row[at]) for at in places]), []).append(row)
    for values in sorted(found):
        totals = [row for row in table.totals if [str(row[at]) for at in places] == [*values]]
        yield values, table._replace(rows=found[values], totals=tuple(totals))


def column(table: Table, key: str) -> list[Cell]:
    at = table.place(key)
    return [row[at] for row in table.rows]


def texts(table: Table, key: str) -> list[str]:
    return [str(cell) for cell in column(table, key)]


def floats(table: Table, key: str) -> list[float | None]:
    return floats_of(column(table, key))


def floats_of(cells: Iterable[Cell]) -> list[float | None]:
    """Numbers for drawing only; no number is a gap."""
    return [float(cell) if isinstance(cell, int | Decimal) else None for cell in cells]


def numbers(table: Table, row: tuple[Cell, ...]) -> dict[str, Decimal]:
    return {
        column.key: cell
        for column, cell in zip(table.columns, row, strict=True)
        if isinstance(cell, Decimal)
    }


def last(table: Table, key: str) -> str:
    """The last figure of a column as a person reads it."""
    row = table._replace(rows=table.rows[-1:])
    return shown(column(rounded(row), key)[0])


def figure_of(data: list[Drawing], layout: Drawing) -> Drawing:
    return {"data": data, "layout": layout}


def layout_of(unit: str, *, hovermode: str = "x unified", **more: Any) -> Drawing:
    return {
        **plain_layout(),
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": hovermode,
        "xaxis": {"type": "category", "automargin": True},
        "yaxis": {"automargin": True, "title": {"text": unit}, "tickformat": ",~f"},
        **more,
    }


def plain_layout() -> Drawing:
    """The layout of a picture without axes."""
    return {
        "margin": {"l": 8, "r": 8, "t": 12, "b": 12},
        "height": 380,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }


def lying_layout(unit: str, bars: int) -> Drawing:
    """The layout of bars on their side, so that names have room in any window; gaps count too."""
    layout = layout_of("", barmode="group", hovermode="y unified", bargap=0.25)
    layout["height"] = _HEAD + _OF_A_BAR * bars
    layout["xaxis"] = {**layout["yaxis"], "title": {"text": unit}, "nticks": 7}
    layout["yaxis"] = {"type": "category", "automargin": True, "autorange": "reversed"}
    return layout


def lying(trace: Drawing) -> Drawing:
    """A bar on its side."""
    hover = trace["hovertemplate"].replace("%{y", "%{x")
    sides = {"x": trace["y"], "y": trace["x"], "orientation": "h"}
    return {**trace, **sides, "hovertemplate": hover}


def bar(name: str, x: list[str], y: list[float | None], colour: str, unit: str) -> Drawing:
    return {
        "type": "bar",
        "name": name,
        "x": x,
        "y": y,
        "marker": {"color": colour},
        "hovertemplate": f"%{{y:,}} {unit}",
    }


def line(name: str, x: list[str], y: list[float | None], colour: str, unit: str) -> Drawing:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": x,
        "y": y,
        "line": {"color": colour, "width": 2.5},
        "marker": {"size": 6},
        "hovertemplate": f"%{{y:,}} {unit}",
    }


def in_money(data: list[Drawing], currency: str) -> list[Drawing]:
    """Traces of money, whose figures are told with the decimals of their currency: 85.20 USD."""
    exact = f":,.{decimals_of(currency)}f}} {currency}"
    return [
        {**each, "hovertemplate": each["hovertemplate"].replace(f":,}} {currency}", exact)}
        for each in data
    ]


def band_of(x: list[str], low: list[float | None], high: list[float | None]) -> list[Drawing]:
    edge: Drawing = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}}
    return [
        {**edge, "name": "high", "y": high, "showlegend": False, "hovertemplate": "%{y:,}"},
        {
            **edge,
            "name": "low",
            "y": low,
            "fill": "tonexty",
            "fillcolor": "rgba(59,130,196,0.2)",
            "showlegend": False,
            "hovertemplate": "%{y:,}",
        },
    ]


def whiskers(
    at: list[float | None], lows: list[float | None], highs: list[float | None], colour: str
) -> Drawing:
    """As far as intervals reach to both sides; of no length where there is none."""

    def reach(ends: list[float | None]) -> list[float]:
        both = zip(at, ends, strict=True)
        return [0.0 if None in (one, end) else abs((end or 0) - (one or 0)) for one, end in both]

    return {
        "type": "data",
        "symmetric": False,
        "array": reach(highs),
        "arrayminus": reach(lows),
        "thickness": 1.5,
        "width": 5,
        "color": colour,
    }
