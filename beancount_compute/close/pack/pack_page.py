"""The page of a close pack: figures, tie-outs, tables and charts, in one file without a network.

    Chart("income-USD", ...)  ->  <figure> with a picture, and below it the table that it shows

Names and memos are untrusted: `pack.html` escapes all text, and the page's own policy lets nothing
be fetched. The charts' figures stand in the page as JSON; `page.js` draws them in the page's
colours, by Plotly's JavaScript (4.8 MB), which stands in the page as it is, so that it needs no
network for ever.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from beancount_compute.reports import Measure, Table, rounded, shown
from beancount_compute.reports.charts import Chart, plotly_file

_TEXT = (Measure.TEXT, Measure.DATE)


class PackSection(NamedTuple):
    """A heading with tables below it."""

    name: str
    title: str
    summary: str
    tables: Sequence[Table]


class Headline(NamedTuple):
    """A figure at the top of the page."""

    name: str
    amount: str
    note: str


class PackPage(NamedTuple):
    """All that a page shows."""

    ledger: str  # its title
    month: str
    seal: str
    headlines: Sequence[Headline]
    sections: Sequence[PackSection]
    charts: Sequence[Chart]
    files: Sequence[str]  # beside the page


def plotly_bundle() -> str | None:
    """The text of plotly.min.js, which Plotly's package ships; None where it is not installed."""
    bundle = plotly_file.path()
    return bundle.read_text(encoding="utf-8") if bundle else None


def page_text(page: PackPage, plotly: str | None) -> str:
    """The page as HTML; with pictures where Plotly's JavaScript is given."""
    scripts = [_inline(plotly), _inline(_own("page.js"))] if plotly else []
    return _template().render(
        page=page,
        policy=_policy(scripts),
        scripts=scripts,
        style=Markup(_own("page.css")),
        how_to_get_pictures=plotly_file.HOW_TO_GET_IT,
        is_text=_is_text,
        br=Markup("<br>"),
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters |= {
        "shown": shown,
        "rounded": rounded,
        "figure": _json,
        "without_zeros": _without_zeros,
    }
    return environment.from_string(_own("pack.html"))


def _policy(scripts: Sequence[str]) -> str:
    """Nothing is fetched, and no script runs but the page's own."""
    digests = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    own = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return (
        f"default-src 'none'; script-src {own}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _own(name: str) -> str:
    return (files("beancount_compute.close.pack") / name).read_text(encoding="utf-8")


def _inline(script: str) -> Markup:
    """A script that can stand inside a page."""
    return Markup(re.sub(r"</(script)", r"<\\/\1", script, flags=re.IGNORECASE))


def _json(figure: dict[str, Any]) -> Markup:
    """A chart's figure as JSON in which no markup can stand."""
    text = json.dumps(figure, ensure_ascii=True, sort_keys=True, allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _without_zeros(table: Table) -> Table:
    """The table without columns that hold nothing but zeros; the CSV file has them."""
    kept = [
        at
        for at, column in enumerate(table.columns)
        if column.kind in _TEXT or not table.rows or any(row[at] for row in table.rows)
    ]
    return table.only(kept)


def _is_text(table: Table, at: int) -> bool:
    kind = table.columns[at].kind
    return kind in _TEXT and not any(isinstance(row[at], int) for row in table.rows)
