"""What the estimates say at a month's end, in its pack: only where the extra `[insight]` is there.

    estimate-retention-survival.csv, estimate-growth-exponent.csv ...

The seal does not cover them: it depends on the ledger alone, and another release of numpy may work
out another last digit. No figure of the books rests on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date

from beancount_compute.reports import Books, NotInBulk, ReportLike, Selection, Table
from beancount_compute.reports.bulk_reach import books_of
from beancount_compute.reports.charts import (
    Chart,
    cohorts,
    forecast,
    growth,
    leaving_by_group,
    survival,
    survival_by_group,
)

_NAMES = ("retention", "growth", "forecast")
_PREFIX = "estimate-"
# What the page shows beside the pictures and their tables
ON_PAGE = {
    "retention": ("tests", "notes"),
    "growth": ("exponent",),
    "forecast": ("sold-on", "bands", "notes"),
}
SUMMARY = "An estimate: it is not booked, and no figure of the books rests on it."


def is_estimate(file: str) -> bool:
    """Whether a file of a pack holds estimates."""
    return file.startswith(_PREFIX)


def file_of(report: str, table: Table) -> str:
    """The name of the file of a table."""
    return f"{_PREFIX}{report}-{table.name}.csv"


def estimates_at(books: Books, day: date) -> Iterator[tuple[ReportLike, list[Table]]]:
    """The reports of estimates at a day, as far as they can be worked out here."""
    try:
        from beancount_compute.insight.all_estimates import INSIGHTS
    except ImportError:
        return
    for name in _NAMES:
        report, selection = INSIGHTS[name], Selection(None, day)
        with suppress(NotInBulk):
            yield report, report.tables(books_of(report, books, selection), selection)


def charts_of(found: Mapping[str, list[Table]]) -> Iterator[Chart]:
    """Their pictures, those of Fava."""
    tables = {(name, table.name): table for name, of in found.items() for table in of}
    if "retention" in found:
        yield from cohorts(tables["retention", "cohorts"])
        yield from survival(tables["retention", "survival"])
        yield from leaving_by_group(tables["retention", "groups"])
        yield from survival_by_group(tables["retention", "curves"])
    if "growth" in found:
        yield from growth(tables["growth", "line"], tables["growth", "exponent"])
    if "forecast" in found:
        yield from forecast(tables["forecast", "release"])
