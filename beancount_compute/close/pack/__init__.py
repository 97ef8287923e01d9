"""The close pack: what a closed month shows, as files to hand on.

    index.html                          figures, tie-outs, tables and charts on one page
    tie-outs.csv  journal.csv           the proof, and the journal for the general ledger
    rollforward-money-by-plan.csv ...   every table of every report
    estimate-retention-survival.csv ... estimates, with the extra `[insight]`

All from the loaded ledger; the same ledger gives the same bytes. The charts need the extra
`[charts]`; without it the page shows their tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple

from beancount.core.data import Directive

from beancount_compute.bulk_books import CantReadMonths, with_months_in_bulk
from beancount_compute.close.general_ledger.account_map import NoMap
from beancount_compute.close.general_ledger.formats import PLAIN, By
from beancount_compute.close.general_ledger.month_export import (
    ExportRequest,
    export,
    rounding_account,
)
from beancount_compute.close.general_ledger.slots import Only
from beancount_compute.close.pack.estimates_in_pack import (
    ON_PAGE,
    SUMMARY,
    charts_of,
    estimates_at,
    file_of,
    is_estimate,
)
from beancount_compute.close.pack.pack_page import (
    Headline,
    PackPage,
    PackSection,
    page_text,
    plotly_bundle,
)
from beancount_compute.close.storage import CloseError
from beancount_compute.close.tie_outs import TieOut, tables
from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import EARNED_BY_LOTS, WAYS, Flow, Month, Way
from beancount_compute.reports import (
    SUBSCRIBER,
    TOTAL,
    Books,
    Cell,
    Column,
    NotInBulk,
    Report,
    ReportLike,
    Selection,
    Table,
    counted,
    csv_of,
    read_books,
    rounded,
    shown,
)
from beancount_compute.reports.charts import Chart, charts
from beancount_compute.reports.registry import REPORTS
from beancount_compute.review import Review, table_of

PAGE = "index.html"
NOTHING_FOUND = Review([], [])
UNSEALED = f"sha256:{'0' * 64}"  # stands on the page until there is a seal
# Balances, cohorts and what bills are for stand as at the month's end, all else within the month.
_TO_DATE = frozenset(["vintages", "lots", "aging", "economics", "bill-match", "subscribers"])
# What the page shows in full; tables by subscriber, lot or day can be very long.
_ON_PAGE = {
    "rollforward": ("money-by-pocket", "money-by-plan", "units-by-pocket", "units-by-plan"),
    "revenue": ("by-plan", "lost"),
    "disclosure": (),
    "aging": ("totals",),
    "release": (),
    "subscribers": (),
}


_EARNINGS = (
    "compute",
    "breakage",
    "fees",
    "partner_income",
    "overage",
    "access",
    "refunds",
    "disputes",
)
_LOST = ("bad_debt", "losses", "recoveries")
Cells = dict[str, Cell]  # of a row, by the keys of its columns


class Shown(NamedTuple):
    """A report's tables in a pack."""

    report: ReportLike
    tables: list[Table]


def pack_files(
    entries: Sequence[Directive],
    options: dict[str, Any],
    month: str,
    seal: str,
    tie_outs: Sequence[TieOut],
    *,
    books: Books | None = None,
    review: Review = NOTHING_FOUND,
) -> dict[str, bytes]:
    """The files of a month's pack, by name.

    `seal` is the month's digest, "" before it is closed. `books` saves reading the entries again.
    There is no journal.csv where nothing was booked.
    """
    with no_cyclic_garbage():
        try:
            books = with_months_in_bulk(books or read_books(entries, options), options, month)
            return _files(books, options, month, seal, tie_outs, review)
        except CantReadMonths as error:
            raise CloseError(str(error)) from None


def pack_digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """What the seal of a month vouches for: all its files but the page and the estimates.

    It depends on the ledger alone. The page repeats its files, and shows the seal, and pictures if
    Plotly is installed; estimates depend on whether there is numpy, and on its release.
    """
    return {
        name: f"sha256:{sha256(data).hexdigest()}"
        for name, data in files.items()
        if is_sealed(name)
    }


def is_sealed(name: str) -> bool:
    """Whether the seal of a month vouches for a file of its pack."""
    return name != PAGE and not is_estimate(name)


def sealed_pack(files: Mapping[str, bytes], seal: str) -> dict[str, bytes]:
    """The files of a pack that was made before its seal."""
    return {name: data.replace(UNSEALED.encode(), seal.encode()) for name, data in files.items()}


def _files(
    books: Books,
    options: dict[str, Any],
    month: str,
    seal: str,
    tie_outs: Sequence[TieOut],
    review: Review,
) -> dict[str, bytes]:
    named = Month.parse(month)
    estimated = [Shown(*each) for each in estimates_at(books, named.last)]
    reports = [*_reports(books, named)]
    known = {f"{each.report.name}-{table.name}": table for each in reports for table in each.tables}
    drawn = charts(books, Selection(named.first, named.last), known)
    files: dict[str, str] = {}
    for table in tables(tie_outs):
        files[f"{table.name}.csv"] = csv_of([table])
    files["findings.csv"] = csv_of([table_of(review)])
    rounding = rounding_account(options)
    request = ExportRequest(PLAIN, By.ACCOUNT, Only.BOOKED, NoMap(), rounding)
    for journal in export(books, named, request):  # plain CSV holds all currencies in one file
        files["journal.csv"] = journal.text
    files |= {f"{name}.csv": csv_of([table]) for name, table in known.items()}
    for chart in drawn:
        files[f"chart-{chart.name.replace('/', '_')}.csv"] = csv_of([chart.table])
    files |= {
        file_of(each.report.name, table): csv_of([table])
        for each in estimated
        for table in each.tables
    }
    drawn += charts_of({each.report.name: each.tables for each in estimated})
    page = PackPage(
        str(options.get("title") or "Beancount"),
        month,
        seal,
        list(_headlines({each.report.name: each.tables for each in reports}, drawn)),
        [_tie_outs(tie_outs), _findings(review), *_sections(reports), *_estimates(estimated)],
        drawn,
        sorted(files),
    )
    files[PAGE] = page_text(page, plotly_bundle())
    return {name: files[name].encode() for name in sorted(files)}


def _reports(books: Books, month: Month) -> Iterator[Shown]:
    """All reports; of a month in bulk those that need no single transactions."""
    for report in REPORTS.values():
        try:
            yield _shown(report, books, month.first, month.last)
        except CantReadMonths:
            raise
        except NotInBulk:
            continue


def _shown(report: Report, books: Books, first: date, last: date) -> Shown:
    start = None if report.name in _TO_DATE else first
    selection = Selection(start, last)
    if report.needs_subscriber:
        return Shown(report, _of_everyone(report, books, selection))
    return Shown(report, report.tables(books, selection))


def _of_everyone(report: Report, books: Books, selection: Selection) -> list[Table]:
    """A report that is of one subscriber, for all of them, with their names in front."""
    found: dict[str, Table] = {}
    for name in sorted(books.subscribers):
        for table in report.tables(books, selection._replace(subscriber=name)):
            rows: list[tuple[Cell, ...]] = [(name, *row) for row in table.rows]
            if table.name in found:
                found[table.name].rows.extend(rows)
            else:
                columns = (SUBSCRIBER, *table.columns)
                found[table.name] = Table(report.title, columns, rows, table.name)
    return list(found.values())


def _tie_outs(tie_outs: Sequence[TieOut]) -> PackSection:
    hold = sum(tie.holds for tie in tie_outs)
    summary = f"{hold} of {len(tie_outs)} hold."
    return PackSection("tie-outs", "Tie-outs", summary, tables(tie_outs))


def _findings(review: Review) -> PackSection:
    if not review.judged:
        return PackSection("findings", "Findings", "The review found nothing.", ())
    summary = f"{counted(len(review.judged), 'finding')}, each with its answer in the ledger."
    return PackSection("findings", "Findings", summary, [table_of(review)])


def _sections(reports: Sequence[Shown]) -> Iterator[PackSection]:
    for each in reports:
        names = _ON_PAGE.get(each.report.name)
        if names is not None:
            kept = [table for table in each.tables if not names or table.name in names]
            yield PackSection(each.report.name, each.report.title, "", kept)


def _estimates(reports: Sequence[Shown]) -> Iterator[PackSection]:
    for each in reports:
        kept = [table for table in each.tables if table.name in ON_PAGE[each.report.name]]
        yield PackSection(each.report.name, each.report.title, SUMMARY, kept)


__all__ = ["Chart", "pack_files"]


def _headlines(
    reports: Mapping[str, Sequence[Table]], charts: Sequence[Chart]
) -> Iterator[Headline]:
    """Deferred revenue, income, what was lost, units held and the market of the month."""
    moved = {
        row["currency"]: row
        for row in _of(reports, "rollforward", "money-by-pocket")
        if row["pocket"] == TOTAL
    }
    for chart in charts:
        if chart.name.startswith("deferred-revenue-"):
            row = _cells(chart.table)[-1]
            yield _deferred(row, moved.get(row["currency"], {}))
    for row in _of(reports, "revenue", "by-month"):
        parts = [f"{key.replace('_', ' ')} {shown(row[key])}" for key in _EARNINGS if row.get(key)]
        yield Headline("Income of the month", _amount(row, "total", "currency"), ", ".join(parts))
    for row in _of(reports, "revenue", "lost"):
        parts = [f"{key.replace('_', ' ')} {shown(row[key])}" for key in _LOST if row[key]]
        yield Headline("Lost, less recovered", _amount(row, "total", "currency"), ", ".join(parts))
    held = _of(reports, "rollforward", "units-by-pocket")
    for row in held:
        if row["pocket"] == TOTAL:
            pockets = [
                f"{each['pocket']} {shown(each['closing'])}"
                for each in held
                if each["commodity"] == row["commodity"] and each is not row
            ]
            yield Headline("Units held", _amount(row, "closing", "commodity"), ", ".join(pockets))
    for row in _of(reports, "market", "by-month"):
        if row["price"] is None:  # trades of earlier months were reversed
            continue
        price = f"{shown(row['price'])} {row['currency']}"
        traded = f"{shown(row['units'])} {row['commodity']} in {shown(row['trades'])} trades"
        yield Headline("Average price of the month", price, traded)


def _deferred(row: Cells, moved: Cells) -> Headline:
    note = f"{shown(row['opening'])} + {shown(row['added'])} added"
    note += f" - {_taken(row, 'released')} released"
    for flow in Flow:
        if WAYS[flow] is Way.RELEASES and flow not in EARNED_BY_LOTS and moved.get(flow.key):
            note += f" - {_taken(moved, flow.key)} {flow.value}"
    return Headline("Deferred revenue", _amount(row, "closing", "currency"), note)


def _taken(row: Cells, key: str) -> str:
    """What went, as it stands behind a minus."""
    number = row[key]
    return shown(-number if isinstance(number, Decimal) else number)


def _amount(row: Cells, key: str, unit: str) -> str:
    return f"{shown(row[key])} {row[unit]}"


def _of(reports: Mapping[str, Sequence[Table]], report: str, name: str) -> list[Cells]:
    return [cells for table in reports[report] if table.name == name for cells in _cells(table)]


def _cells(table: Table) -> list[Cells]:
    """The rows as a person reads them."""
    return rounded(table).by_key()
