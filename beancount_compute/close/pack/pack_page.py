"""The page of a close pack: figures, tie-outs, tables and charts, in one file without a network.

    Chart("income-USD", ...)  ->  <figure> with a picture, and below it the table that it shows

Names and memos are untrusted: all text is escaped, and the page's own policy lets nothing be
fetched. The charts' figures stand in the page as JSON; `page.js` draws them in the page's colours.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import NamedTuple

from beancount_compute.close.pack.bundle import HOW_TO_GET_IT
from beancount_compute.reports.charts import Chart
from beancount_compute.reports.tables import Cell, Column, Measure, Table, shown

_TEXT = (Measure.TEXT, Measure.DATE)


class Section(NamedTuple):
    """A heading with tables below it."""

    name: str
    title: str
    said: str
    tables: Sequence[Table]


class Headline(NamedTuple):
    """A figure at the top of the page."""

    name: str
    amount: str
    note: str


class Page(NamedTuple):
    """All that a page shows."""

    ledger: str  # its title
    month: str
    seal: str
    headlines: Sequence[Headline]
    sections: Sequence[Section]
    charts: Sequence[Chart]
    files: Sequence[str]  # beside the page


def page_text(page: Page, plotly: str | None) -> str:
    """The page as HTML; with pictures where Plotly's JavaScript is given."""
    return "".join(_pieces(page, plotly))


def _pieces(page: Page, plotly: str | None) -> Iterator[str]:
    title = escape(f"{page.ledger}: close of {page.month}")
    scripts = [_inline(plotly), _inline(_own("page.js"))] if plotly else []
    style = _own("page.css")
    yield "<!DOCTYPE html>\n"
    yield '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="color-scheme" content="light dark">\n'
    yield f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
    yield f"<header>\n<h1>{escape(page.ledger)}</h1>\n<p>Close of {escape(page.month)}</p>\n"
    yield f"<p class=seal>{_seal(page.seal)}</p>\n</header>\n"
    yield from _headlines(page.headlines)
    yield from _contents(page)
    yield "<main>\n"
    yield from _charts(page.charts, drawn=bool(scripts))
    for section in page.sections:
        yield from _section(section)
    yield from _files(page.files)
    yield "</main>\n"
    for script in scripts:
        yield f"<script>{script}</script>\n"
    yield "</body>\n</html>\n"


def _policy(scripts: Iterable[str]) -> str:
    """Nothing is fetched, and no script runs but the page's own."""
    digests = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    own = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    policy = (
        f"default-src 'none'; script-src {own}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    return escape(policy)


def _own(name: str) -> str:
    return (files("beancount_compute.close.pack") / name).read_text(encoding="utf-8")


def _inline(script: str) -> str:
    """A script that can stand inside a page."""
    return re.sub(r"</(script)", r"<\\/\1", script, flags=re.IGNORECASE)


def _seal(seal: str) -> str:
    return f"Sealed <code>{escape(seal)}</code>" if seal else "Not sealed yet"


def _headlines(headlines: Sequence[Headline]) -> Iterator[str]:
    if headlines:
        yield "<dl class=figures>\n"
        for name, amount, note in headlines:
            yield f"<div><dt>{escape(name)}</dt><dd class=amount>{escape(amount)}</dd>"
            yield f"<dd class=note>{escape(note)}</dd></div>\n"
        yield "</dl>\n"


def _contents(page: Page) -> Iterator[str]:
    links = [("charts", "Charts")] if page.charts else []
    links += [(section.name, section.title) for section in page.sections]
    links.append(("files", "Files"))
    yield '<nav aria-label="Contents"><ul>\n'
    for name, title in links:
        yield f'<li><a href="#{escape(name)}">{escape(title)}</a></li>\n'
    yield "</ul></nav>\n"


def _charts(charts: Sequence[Chart], *, drawn: bool) -> Iterator[str]:
    if not charts:
        return
    yield '<section id="charts">\n<h2>Charts</h2>\n'
    if not drawn:
        how = f"<code>{escape(HOW_TO_GET_IT)}</code>"
        yield f"<p>The tables stand below. For the pictures: {how}</p>\n"
    for at, chart in enumerate(charts):
        yield f'<figure id="{escape(chart.name)}">\n'
        title, said = escape(chart.title), escape(chart.said)
        yield f"<figcaption><h3>{title}</h3><p>{said}</p></figcaption>\n"
        if drawn:
            label = f"{title}. {said} The figures are in the table below."
            yield f'<div class=chart role="img" aria-label="{label}" data-chart="{at}"></div>\n'
            yield f'<script type="application/json" data-figure="{at}">{_json(chart)}</script>\n'
        yield f"<details{'' if drawn else ' open'}><summary>Table: {title}</summary>\n"
        yield from _table(chart.table)
        yield "</details>\n</figure>\n"
    yield "</section>\n"


def _json(chart: Chart) -> str:
    """The figure as JSON in which no markup can stand."""
    text = json.dumps(chart.figure, ensure_ascii=True, sort_keys=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _section(section: Section) -> Iterator[str]:
    yield f'<section id="{escape(section.name)}">\n<h2>{escape(section.title)}</h2>\n'
    if section.said:
        yield f"<p>{escape(section.said)}</p>\n"
    for table in section.tables:
        yield from _table(_telling(table))
    yield "</section>\n"


def _table(table: Table) -> Iterator[str]:
    title = escape(table.title)
    yield f'<div class=table tabindex="0" role="region" aria-label="{title}">\n'
    yield f"<table>\n<caption>{title}</caption>\n<thead><tr>"
    for at, column in enumerate(table.columns):
        kind = "" if _is_text(table, at, column) else " class=n"
        words = escape(column.title).replace("\n", "<br>") or "<span class=hidden>unit</span>"
        yield f"<th scope=col{kind}>{words}</th>"
    yield "</tr></thead>\n<tbody>\n"
    for row in table.rows:
        yield "<tr>"
        for at, cell in enumerate(row):
            yield _cell(cell, first=at == 0)
        yield "</tr>\n"
    if not table.rows:
        yield f"<tr><td colspan={len(table.columns)}>none</td></tr>\n"
    yield "</tbody>\n</table>\n</div>\n"


def _telling(table: Table) -> Table:
    """The table without columns that hold nothing but zeros; the CSV file has them."""
    kept = [
        at
        for at, column in enumerate(table.columns)
        if column.kind in _TEXT or not table.rows or any(row[at] for row in table.rows)
    ]
    return table._replace(
        columns=tuple([table.columns[at] for at in kept]),
        rows=[tuple([row[at] for at in kept]) for row in table.rows],
    )


def _cell(cell: Cell, *, first: bool) -> str:
    text = escape(shown(cell))
    if first:
        return f"<th scope=row>{text}</th>"
    if isinstance(cell, str) or cell is None:
        return f"<td>{text}</td>"
    return f"<td class=n>{text}</td>"


def _is_text(table: Table, at: int, column: Column) -> bool:
    return column.kind in _TEXT and not any(isinstance(row[at], int) for row in table.rows)


def _files(names: Sequence[str]) -> Iterator[str]:
    yield '<section id="files">\n<h2>Files</h2>\n<ul class=files>\n'
    for name in names:
        yield f'<li><a href="{escape(name)}">{escape(name)}</a></li>\n'
    yield "</ul>\n</section>\n"
