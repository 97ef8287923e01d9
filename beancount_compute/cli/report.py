"""`bean-compute report`: a report of a ledger as text, CSV, JSON, or the transactions behind it.

bean-compute report rollforward LEDGER --month 2026-05
bean-compute report revenue LEDGER --from 2026-01 --to 2026-06 --plan pro --format csv
bean-compute report rollforward LEDGER --explain alice used --table units-by-subscriber
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, assert_never
from unicodedata import normalize

import click
from beancount.core.data import Directive

from beancount_compute.bulk import NO_PAYMENTS
from beancount_compute.cli.bulk_statement import statement_in_bulk
from beancount_compute.cli.printing import hand_on, say
from beancount_compute.cli.shell import (
    LEDGER,
    load,
    read_with_bulk,
    say_if_empty,
    show_errors,
    width,
)
from beancount_compute.close.standing import months_of
from beancount_compute.economy import AS_OF, Month, quoted
from beancount_compute.insight import ESTIMATES, HOW_TO_GET_IT
from beancount_compute.ledger import bulk_folders, directive_text
from beancount_compute.reports import (
    Books,
    NoSuchCell,
    NotInBulk,
    NotSummed,
    ReportLike,
    Selection,
    Table,
    csv_of,
    explain,
    find_cell,
    json_of,
    render,
)
from beancount_compute.reports.bulk_reach import books_of, shown
from beancount_compute.reports.registry import (
    REPORTS,
    STATEMENT,
    SUBSCRIBERS,
    disclosure,
    economics,
    two_bills,
)

_SHARE = re.compile(r"[01](\.[0-9]{1,13})?", re.ASCII)
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)


class ReportForm(StrEnum):
    """What a report is written as."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"
    BEANCOUNT = "beancount"


class AskedReport(NamedTuple):
    """What is to be shown, and how."""

    report: ReportLike
    selection: Selection
    table: str  # "" for all
    form: ReportForm
    cell: tuple[str, str] | None  # to explain: a row and a column


class DayOrMonth(click.ParamType[date]):
    """A day, or a month that stands for its first or its last day."""

    name = "date"

    def __init__(self, *, last: bool) -> None:
        self._last = last

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            if not _MONTH.fullmatch(value):
                return date.fromisoformat(value)
            month = Month.parse(value)
            return month.last if self._last else month.first
        except ValueError:
            message = f"{value!r} is no day or month: write one such as 2026-05-31 or 2026-05"
            raise click.BadParameter(message) from None


def _month(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Month | None:
    try:
        return None if text is None else Month.parse(text)
    except ValueError:
        message = f"{text!r} is no month: write one such as 2026-05"
        raise click.BadParameter(message) from None


def _share(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Decimal | None:
    """A share from 0 to 1, of at most 14 digits."""
    if text is None:
        return None
    if not _SHARE.fullmatch(text) or Decimal(text) > 1:
        raise click.BadParameter(f"{text!r} is no share: write a number from 0 to 1, such as 0.25")
    return Decimal(text)


def _margin(ctx: click.Context, param: click.Parameter, text: str | None) -> Decimal | None:
    """A margin from 0 to just below 1: no price leaves all of itself."""
    share = _share(ctx, param, text)
    if share == 1:
        raise click.BadParameter(f"{text!r} is all of the price: write a number below 1")
    return share


def _name(_ctx: click.Context, _param: click.Parameter, text: str) -> str:
    """A name, its characters composed as those of a ledger are."""
    return normalize("NFC", text)


class OwnOptions(NamedTuple):
    """The options that only one report has; None for those that are not given."""

    displaced: Decimal | None
    pattern: int | None
    margin: Decimal | None
    discount: Decimal | None
    horizon: int | None


_OWNERS = {
    "displaced": ("economics", "breakeven"),
    "pattern": ("disclosure",),
    "margin": ("bills",),
    "discount": ("lifetime", "breakeven"),
    "horizon": ("breakeven",),
}


def _report(name: str, own: OwnOptions) -> ReportLike:
    """The report of that name, with the option that only it has."""
    for option, owners in _OWNERS.items():
        if getattr(own, option) is not None and name not in owners:
            raise click.UsageError(f"--{option} is an option of {' and '.join(owners)}")
    if own.displaced is not None and name in REPORTS:
        return economics(own.displaced)
    if own.margin is not None:
        return two_bills(own.margin)
    if own.pattern is not None:
        return disclosure(own.pattern)
    return REPORTS[name] if name in REPORTS else _estimate(name, own)


def _estimate(name: str, own: OwnOptions) -> ReportLike:
    """A report that numpy and scipy work out, which not everybody has installed."""
    try:
        from beancount_compute.insight.all_estimates import with_options
    except ImportError as error:
        raise click.ClickException(f"{error.name} is not installed: {HOW_TO_GET_IT}") from None
    return with_options(name, own.discount, own.horizon, own.displaced)


_TITLES = {**{name: each.title for name, each in REPORTS.items()}, **ESTIMATES}
_NAMES = "\n\n".join(f"{name}: {title}" for name, title in _TITLES.items())


@click.command(
    help=f"Show the report NAME of LEDGER.\n\n{_NAMES}\n\n"
    "Errors of the ledger go to standard error; any makes the exit code 1.",
    epilog="\b\nExample:\n"
    "  bean-compute report revenue main.beancount --month 2026-12 --format csv",
)
@click.argument("name", type=click.Choice(list(_TITLES)), metavar="NAME")
@click.argument("ledger", type=LEDGER)
@click.option("--month", callback=_month, help="One month: 2026-05.")
@click.option("--from", "start", type=DayOrMonth(last=False), help="First day, or a month.")
@click.option("--to", "end", type=DayOrMonth(last=True), help="Last day, or a month.")
@click.option("--subscriber", default="", callback=_name, help="Only of this subscriber.")
@click.option("--plan", default="", callback=_name, help="Only of this plan, `top-up` or `grant`.")
@click.option("--table", default="", help="Only this one of the report's tables.")
@click.option(
    "--displaced",
    callback=_share,
    help="economics, breakeven: the share of units bought that would have been overage, 0 to 1.",
)
@click.option(
    "--pattern",
    type=click.IntRange(1, 120),
    help="disclosure: a forecast by the releases of so many months.",
)
@click.option(
    "--margin",
    callback=_margin,
    help="bills: the price that leaves this share of itself after both bills, such as 0.3.",
)
@click.option(
    "--discount",
    callback=_share,
    help="lifetime, breakeven: what a month a year from now counts less, such as 0.1.",
)
@click.option(
    "--horizon",
    type=click.IntRange(1, 120),
    help="breakeven: over how many months, 12 where it is left out.",
)
@click.option(
    "--format", "form", type=click.Choice([each.value for each in ReportForm]), default="text"
)
@click.option(
    "--explain",
    "cell",
    nargs=2,
    metavar="ROW COLUMN",
    help="List the transactions behind a cell: the row's first cell or number, the column.",
)
def report(
    name: str,
    ledger: Path,
    month: Month | None,
    start: date | None,
    end: date | None,
    subscriber: str,
    plan: str,
    table: str,
    displaced: Decimal | None,
    pattern: int | None,
    margin: Decimal | None,
    discount: Decimal | None,
    horizon: int | None,
    form: str,
    cell: tuple[str, str] | None,
) -> None:
    """Say what is selected, read the books, and write the report as it is asked for."""
    selection = Selection(*days_asked(month, start, end), subscriber, plan)
    chosen = _report(name, OwnOptions(displaced, pattern, margin, discount, horizon))
    asked = AskedReport(chosen, selection, table, ReportForm(form), cell)
    if asked.report.needs_subscriber and not subscriber:
        raise click.UsageError(f"{name} is of one subscriber: add --subscriber NAME")
    loaded = load(ledger)
    show_errors(loaded.errors)
    say_if_empty(ledger, loaded)
    books, errors = read_with_bulk(loaded)
    show_errors(errors)
    if chosen is STATEMENT and not books.singly.is_provider(subscriber):
        in_bulk = statement_in_bulk(loaded.options, selection)
        if in_bulk is not None:
            _show_in_bulk(asked, in_bulk, max(bulk_folders(loaded.options["include"])))
            sys.exit(1 if loaded.errors or errors else 0)
    try:
        books = books_of(chosen, books, selection)
    except NotInBulk as error:
        raise click.UsageError(str(error)) from None
    _check_names(books, selection, with_providers=asked.report.needs_subscriber)
    last = _last_day(loaded.entries, books)
    if last is not None and (name in ESTIMATES or name == SUBSCRIBERS.name):
        asked = asked._replace(selection=selection.no_later_than(last))
    text = _output(asked, books, os.path.dirname(str(loaded.options.get("filename") or "")))
    beyond = _beyond(last, selection)
    layouts = chosen.layouts(books, selection)
    if not table and len(shown(layouts, books)) < len(layouts):
        beyond = "\n".join(filter(None, [_left_out(books), beyond]))
    if form == ReportForm.TEXT:
        say(f"{text}\n{beyond}" if beyond else text.removesuffix("\n"))
    else:
        hand_on(text)
        if beyond:
            say(beyond, err=True)
    sys.exit(1 if loaded.errors or errors else 0)


def days_asked(
    month: Month | None, start: date | None, end: date | None
) -> tuple[date | None, date | None]:
    """The first and the last day that are asked for."""
    if month is not None:
        if start or end:
            raise click.UsageError("--month is a --from and a --to: leave those out")
        return month.first, month.last
    if start and end and start > end:
        raise click.UsageError(f"--from {start} is after --to {end}")
    return start, end


def _check_names(books: Books, selection: Selection, *, with_providers: bool) -> None:
    """Refuse a subscriber or a plan that the ledger doesn't know: their report would be empty."""
    of_providers = books.providers if with_providers else frozenset[str]()
    for what, name, known in (
        ("subscriber", selection.subscriber, books.subscribers | of_providers),
        ("plan", selection.plan, books.origins),
    ):
        if name and name not in known:
            near = get_close_matches(name, sorted(known), 3, 0.5)
            hint = f": did you mean {' or '.join(map(quoted, near))}?" if near else ""
            raise click.UsageError(f"the ledger has no {what} {quoted(name)}{hint}")


def _last_day(entries: list[Directive], books: Books) -> date | None:
    """The last day that the books know of; None for empty ones."""
    ends = [books.last_day, books.terms.of_ledger(AS_OF)]
    closed = months_of(entries, books).chain
    if closed.closed:
        ends.append(closed.last_day)
    return max([day for day in ends if day is not None], default=None)


def _beyond(last: date | None, selection: Selection) -> str:
    """What to know about a selection that ends after the books do: "" where it doesn't."""
    if selection.end is None or last is None or selection.end <= last:
        return ""
    return f"The books go up to {last}; nothing after it is booked."


def _left_out(books: Books) -> str:
    """Why tables by subscriber are left out."""
    assert books.bulk is not None
    return (
        f"Nothing by subscriber: {books.bulk.names} was booked in bulk (movements.parquet has it)."
    )


def _output(asked: AskedReport, books: Books, folder: str) -> str:
    """The text of a report; files of transactions are named as seen from a folder."""
    report, selection, name, form, cell = asked
    try:
        if form is ReportForm.BEANCOUNT:
            return "\n".join(directive_text(books.transactions[at]) for at in _places(asked, books))
        tables = _tables(asked, books)
        if cell is not None:
            found = find_cell(tables, *cell, name)
            tables = [explain(report, books, selection, found, folder)]
    except (NoSuchCell, NotInBulk, NotSummed) as error:
        raise click.UsageError(str(error)) from None
    return _written(asked, tables)


def _written(asked: AskedReport, tables: list[Table]) -> str:
    """The text of tables."""
    match asked.form:
        case ReportForm.BEANCOUNT:
            raise click.UsageError("months in bulk have no transactions: choose another --format")
        case ReportForm.TEXT:
            return render(tables, width()) + "\n"
        case ReportForm.CSV:
            return csv_of(tables)
        case ReportForm.JSON:
            return json_of(asked.report.name, _options(asked.selection), tables)
        case _:
            assert_never(asked.form)


def _show_in_bulk(asked: AskedReport, tables: list[Table], last: str) -> None:
    """Write a statement over months in bulk, which no transactions stand behind."""
    if not tables:
        raise click.UsageError(f"the months in bulk go up to {last}; nothing after it is booked")
    if asked.cell is not None:
        raise click.UsageError("months in bulk have no transactions that --explain could list")
    names = [table.name for table in tables]
    _check_table(asked, names)
    text = _written(asked, [each for each in tables if asked.table in ("", each.name)])
    if asked.form is ReportForm.TEXT:
        say(f"{text}\n{NO_PAYMENTS}")
    else:
        hand_on(text)


def _check_table(asked: AskedReport, names: list[str]) -> None:
    if asked.table and asked.table not in names:
        raise click.UsageError(
            f"{asked.report.name} has no table {quoted(asked.table)}: its tables are "
            f"{', '.join(names)}"
        )


def _places(asked: AskedReport, books: Books) -> Iterable[int]:
    """The transactions behind a report, or behind a cell of it."""
    report, selection, name, _, cell = asked
    if cell is None:
        return report.sources(books, selection)
    found = find_cell(_tables(asked, books), *cell, name)
    return [at for at, _ in report.trace(books, selection, found.asked)]


def _tables(asked: AskedReport, books: Books) -> list[Table]:
    report, selection, name, _, _ = asked
    layouts = report.layouts(books, selection)
    names = [layout.name for layout in shown(layouts, books)]
    if name not in names and name in [layout.name for layout in layouts]:
        raise click.UsageError(_left_out(books))
    _check_table(asked, names)
    return report.tables(books, selection, *([name] if name else []))


def _options(selection: Selection) -> dict[str, str]:
    """What was selected, by the names of the options."""
    chosen = {
        "from": str(selection.start or ""),
        "to": str(selection.end or ""),
        "subscriber": selection.subscriber,
        "plan": selection.plan,
    }
    return {name: value for name, value in chosen.items() if value}
