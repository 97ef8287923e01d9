"""What pages are made of, as plain data: figures, tables, charts, words, a line to copy.

    {"kind": "table", "title": "Income", "columns": [...], "rows": [["fees", "6.25"], ...]}

A cell is a text; a figure that is shown otherwise than it is written is [text, all digits]; and
what leads somewhere is {"text", "href"} or, within these pages, {"text", "go": {parameter: value}}.
Everything is text, never markup: the page puts it in as such.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from beancount_compute.economy import round_half_even
from beancount_compute.reports import TOTAL, Cell, Column, Measure, Table
from beancount_compute.reports.charts import Chart

Block = dict[str, Any]
Listed = TypeVar("Listed")
ROWS_A_PAGE = 50
MOST_ROWS = 200  # of a table that is not sorted by the server, before it is shown in pages
PERCENT = Decimal(100)
_RATE_STEP = Decimal("0.01")  # per cent
_DELTA_STEP = Decimal("0.1")
UP, DOWN = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"
_NUMBER = re.compile(
    r"([0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+\.[0-9]+)"
    r"(?: ([A-Z](?:[A-Z0-9'._-]*[A-Z0-9])?)(?![A-Z0-9]| per ))?",  # a price keeps its digits
    re.ASCII,
)


class FavaNumbers:
    """Writes figures in Fava's locale; `amount` rounds for the eye, `grouped` keeps all digits."""

    def __init__(
        self, amount: Callable[[Decimal, str], str], grouped: Callable[[Decimal], str]
    ) -> None:
        self._amount = amount
        self._grouped = grouped

    def cell(self, kind: Measure, cell: Cell, unit: str) -> Any:
        """A cell as the page shows it."""
        if cell is None:
            return ""
        if isinstance(cell, str):
            return _visible(cell)
        number = Decimal(cell)
        exact = f"{number:f}"
        text = self._text(kind, number, unit)
        return text if text == exact else [text, exact]

    def _text(self, kind: Measure, number: Decimal, unit: str) -> str:
        match kind:
            case Measure.MONEY | Measure.UNITS if unit:
                return self._amount(number, unit)
            case Measure.RATE:
                return f"{self._grouped(round_half_even(number * PERCENT, _RATE_STEP))} %"
            case (
                Measure.MONEY  # no more than a number, where nothing says of what
                | Measure.UNITS
                | Measure.PRICE
                | Measure.NUMBER
                | Measure.COUNT
                | Measure.DAYS
                | Measure.TEXT
                | Measure.DATE
            ):
                return self._grouped(number)

    def text(self, kind: Measure, cell: Cell, unit: str) -> str:
        """A cell as the page shows it, in a sentence."""
        shown = self.cell(kind, cell, unit)
        return str(shown[0] if isinstance(shown, list) else shown)

    def item(self, label: str, kind: Measure, cell: Cell, unit: str, note: str = "") -> Block:
        """A headline figure; a dash where there is none."""
        value = "-" if cell is None else self.cell(kind, cell, unit)
        return {"label": label, "value": value, "unit": unit, "note": note}

    def delta(self, kind: Measure, now: Cell, before: Cell, unit: str, when: str) -> str:
        """How a figure differs from that of another time, by sign and by word."""
        if not isinstance(now, Decimal):
            return ""
        then = before if isinstance(before, Decimal) else Decimal()
        change = now - then
        if not change:
            return f"= as {when}"
        sign, mark, more = ("+", UP, "more") if change > 0 else ("-", DOWN, "less")
        share = ""
        if then:
            percent = round_half_even(abs(change / then) * PERCENT, _DELTA_STEP)
            share = f" ({sign}{self._grouped(percent)} %)"
        return f"{mark} {sign}{self._text(kind, abs(change), unit)}{share}, {more} than {when}"

    def table(self, table: Table, **more: Any) -> Block:
        """A table as a block; a unit and a currency that all rows share stand in its title."""
        block = self.plain_table(table, **more)
        footer = self.plain_table(table._replace(rows=[*table.totals]))["rows"]
        shared = [
            at
            for at, column in enumerate(table.columns)
            if column.key in ("commodity", "currency") and len({row[at] for row in table.rows}) == 1
        ]
        units_first = sorted(shared, key=lambda at: table.columns[at].key)
        names = ", ".join([str(table.rows[0][at]) for at in units_first if table.rows[0][at]])
        kept = [at for at in range(len(table.columns)) if at not in shared]
        return {
            **block,
            "title": f"{table.title}, in {names}" if names else table.title,
            "columns": [block["columns"][at] for at in kept],
            "rows": [[row[at] for at in kept] for row in block["rows"]],
            "footer": [[row[at] for at in kept] for row in footer],
        }

    def plain_table(self, table: Table, **more: Any) -> Block:
        """A table as a block, with all its columns."""
        units = [_unit_of(table.columns, at) for at in range(len(table.columns))]
        rows = [
            [
                self.cell(column.kind, cell, str(row[unit]) if unit is not None else "")
                for column, cell, unit in zip(table.columns, row, units, strict=True)
            ]
            for row in table.rows
        ]
        return {
            "kind": "table",
            "name": table.name,
            "title": table.title,
            "columns": [
                _column(column, numbers=_only_numbers(table, at))
                for at, column in enumerate(table.columns)
            ],
            "rows": rows,
            "totals": [at for at, row in enumerate(table.rows) if row[0] == TOTAL],
            **more,
        }

    def paged(self, table: Table, page: int, *, newest_first: bool = False) -> Block:
        """A table of which a long one is shown in pages, each over the totals of all."""
        rows = table.rows[::-1] if newest_first else table.rows
        shown, of_pages = page_of(rows, page, MOST_ROWS)
        return self.table(table._replace(rows=shown), **of_pages)

    def rewritten(self, text: str) -> str:
        """A sentence of a report, with its numbers as Fava writes them."""

        def written(found: re.Match[str]) -> str:
            number, unit = Decimal(found[1].replace(",", "")), found[2]
            return f"{self._amount(number, unit)} {unit}" if unit else self._grouped(number)

        return _NUMBER.sub(written, text)

    def _figure(self, figure: Block) -> Block:
        """A picture; the labels of a flow name numbers."""
        traces: list[Block] = []
        for trace in figure["data"]:
            node = trace.get("node")
            if node:
                labels = [self.rewritten(label) for label in node["label"]]
                trace = {**trace, "node": {**node, "label": labels}}
            traces.append(trace)
        return {**figure, "data": traces}

    def chart(self, chart: Chart, table: Block | None = None) -> Block:
        """A picture, with the table that it shows."""
        return {
            "kind": "chart",
            "name": chart.name,
            "title": chart.title,
            "caption": self.rewritten(chart.caption),
            "figure": self._figure(chart.figure),
            "table": table or self.table(chart.table),
        }


def _visible(text: str) -> str:
    """A text whole: the page isolates it, so that only what controls a terminal is escaped."""
    if text.isprintable():
        return text
    return "".join([ascii(c)[1:-1] if unicodedata.category(c) in _CONTROLS else c for c in text])


_CONTROLS = frozenset(["Cc", "Cs", "Zl", "Zp"])


def _only_numbers(table: Table, at: int) -> bool:
    """Whether a column, whatever its kind, holds figures, as the unit cost that names a lot."""
    return bool(table.rows) and all(isinstance(row[at], Decimal) for row in table.rows)


def _column(column: Column, *, numbers: bool) -> Block:
    title = column.title.replace("\n", " ")
    found: Block = {"key": column.key, "title": title}
    if column.is_figure or numbers:
        found["figure"] = True
    elif column.kind is Measure.DATE:
        found["date"] = True
    return found


def _unit_of(columns: Sequence[Column], at: int) -> int | None:
    """The column that names the unit or the currency of another's figures."""
    if columns[at].kind is Measure.UNITS:
        keys = ["commodity"]
    elif columns[at].kind in (Measure.MONEY, Measure.PRICE):
        keys = ["currency"]
    else:
        return None
    places = {column.key: place for place, column in enumerate(columns)}
    return next((places[key] for key in keys if key in places), None)


def figures(items: Iterable[tuple[str, Any, str, str]], title: str) -> Block:
    """A row of headline figures: what it is, the figure, its unit, a remark."""
    found = [
        {"label": label, "value": value, "unit": unit, "note": note}
        for label, value, unit, note in items
    ]
    return {"kind": "figures", "title": title, "items": found}


def page_of(
    rows: list[Listed], page: int, most: int, *, even_of_one: bool = False
) -> tuple[list[Listed], dict[str, int]]:
    """The rows of a page, and what its table says of the pages, if there are several.

    A page behind the last is the last.
    """
    pages = max(1, -(-len(rows) // most))
    page = min(page, pages)
    of_pages = {"page": page, "pages": pages, "found": len(rows)}
    return rows[(page - 1) * most : page * most], of_pages if pages > 1 or even_of_one else {}


def controls(*items: Block) -> Block:
    """The choices of a view."""
    return {"kind": "controls", "items": list(items)}


def words(text: str, *, tone: str = "") -> Block:
    """A paragraph."""
    return {"kind": "words", "text": text, "tone": tone}


def copied(label: str, text: str) -> Block:
    """A line to copy."""
    return {"kind": "copy", "label": label, "text": text}


def choice(name: str, label: str, value: str, options: Iterable[tuple[str, str]]) -> Block:
    """A choice among a few values of a parameter."""
    return {
        "kind": "choice",
        "name": name,
        "label": label,
        "value": value,
        "options": [list(each) for each in options],
    }


def field(name: str, label: str, value: str, hint: str = "", **more: Any) -> Block:
    """A text that is typed in."""
    return {"kind": "field", "name": name, "label": label, "value": value, "hint": hint, **more}


def linked(block: Block, key: str, links: Sequence[Mapping[str, Any] | None]) -> Block:
    """The table with links on one of its columns, one for each row or none."""
    at = next(at for at, column in enumerate(block["columns"]) if column["key"] == key)
    for row, link in zip(block["rows"], links, strict=True):
        if link:
            row[at] = {"text": row[at], **link}
    return block
