"""Subscribers of a ledger whose months were booked in bulk, looked up in their Parquet files.

Only the page that is shown is worked out, of ten million subscribers as of ten thousand. Months in
bulk are known at their ends, so the table is of the last day of one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from beancount_compute.bulk import HOW_TO_GET_IT, NO_PAYMENTS
from beancount_compute.close.storage import CloseError
from beancount_compute.economy import ZERO, quoted
from beancount_compute.fava_extension.asked import BadRequest
from beancount_compute.fava_extension.blocks import (
    ROWS_A_PAGE,
    Block,
    controls,
    field,
    linked,
    page_of,
    words,
)
from beancount_compute.fava_extension.page import Page
from beancount_compute.fava_extension.prepared.holdings import Standing
from beancount_compute.fava_extension.prepared.overview import held_on
from beancount_compute.fava_extension.prepared.standing_rows import FIGURES, as_table, totals
from beancount_compute.fava_extension.prepared.subscriptions import Used
from beancount_compute.reports import TOTAL, Selection

if TYPE_CHECKING:
    from beancount_compute.bulk.looking_up.lookup import HolderAsked, MonthFiles
    from beancount_compute.bulk.looking_up.standings import BulkStanding

_NO_POSTINGS = "subscribers of months in bulk have no postings in the ledger"


def subscribers_in_bulk(page: Page) -> list[Block] | None:
    """The table, or the statement that the address names; None where the days are not in bulk."""
    first, end = page.loaded.first_bulk_day, page.asked.selection.end
    if first is None or (end is not None and end < first):
        return None
    for what in ("account", "filter"):
        page.ignores(what, because=_NO_POSTINGS)
    try:
        months = page.loaded.bulk_files
        return _statement(page, months) if page.asked.subscriber else _all(page, months)
    except ImportError as error:
        return [
            words(f"{error.name} is not installed, which reads months in bulk: {HOW_TO_GET_IT}")
        ]
    except CloseError as error:
        return [words(str(error), tone="bad")]


def _all(page: Page, months: Sequence[MonthFiles]) -> list[Block]:
    from beancount_compute.bulk.looking_up.lookup import (
        FIRST_KEY,
        MOST_FOUND,
        ORDERS,
        HolderAsked,
        Search,
    )
    from beancount_compute.bulk.looking_up.standings import standings

    asked, plan = page.asked, page.asked.selection.plan
    end = asked.selection.end
    shown = [each for each in months if end is None or each.month.first <= end]
    files = shown[-1]
    if end is not None and end < files.month.last:
        page.notes.append(f"Months in bulk are known at their ends: on {files.month.last}.")
    key = _sorted_by(page, tuple(ORDERS))
    search = Search(asked.words, plan, key, asked.falling)
    if search == Search():
        pages = max(1, -(-files.count // ROWS_A_PAGE))
        at = min(asked.page, pages)
        listed = [HolderAsked(name) for name in files.page((at - 1) * ROWS_A_PAGE, ROWS_A_PAGE)]
        of_pages = {"page": at, "pages": pages, "found": files.count}
    else:
        found = files.found(search)
        if len(found) > MOST_FOUND:
            page.notes.append(f"Only the first {MOST_FOUND:,} in this order are listed.")
        listed, of_pages = page_of(found[:MOST_FOUND], asked.page, ROWS_A_PAGE, even_of_one=True)
    names = list(dict.fromkeys([each[0] for each in listed]))
    rows = _rows(page, files.month.last, standings(shown, names, plan), listed)
    table = as_table(rows, f"Subscribers on {files.month.last}", owed=False)
    having = [row for row in rows if row.commodity]
    whole = totals(having) if of_pages["pages"] == 1 else _totals(page, files.month.last)
    if len(rows) > 1 and (of_pages["pages"] == 1 or not asked.words):
        table = table._replace(totals=tuple(as_table(whole, "", owed=False).rows))
    sort = {"key": key, "order": "desc" if asked.falling else "asc"}
    block = page.numbers.table(table, **of_pages, sort=sort)
    for column in block["columns"]:
        if column["key"] not in ORDERS:
            column["fixed"] = True
    page.notes.append("What is owed is left out: payments are not told by subscriber in bulk.")
    links = [{"go": _go(row.subscriber)} for row in rows]
    search_field = field("q", "Search subscribers", asked.words, "part of a name", live=True)
    return [controls(search_field, page.plans()), linked(block, FIRST_KEY, links)]


def _sorted_by(page: Page, orders: Sequence[str]) -> str:
    """The column that is asked for, or that of names; by amounts only where they are shown."""
    key = page.asked.sort or orders[0]
    if key not in orders:
        raise BadRequest("sort", f"no order by {quoted(key)} in bulk: sort by {', '.join(orders)}")
    if page.hides_numbers and key in FIGURES:
        page.notes.append("Rows stand in the order of names: an order by amounts would tell them.")
        return orders[0]
    return key


def _totals(page: Page, day: date) -> list[Standing]:
    """What all hold, by unit and currency, from the days of the months."""
    held = held_on(page.loaded.books, Selection(None, day, plan=page.asked.selection.plan))
    found: list[Standing] = []
    for row in held.by_key():
        if row["pocket"] == TOTAL:
            figures = [row[key] for key in ("units", "carrying_amount", "market_value")]
            units, carrying, value = [x if isinstance(x, Decimal) else None for x in figures]
            of = (TOTAL, str(row["commodity"]), str(row["currency"]))
            amounts = units or ZERO, carrying or ZERO
            found.append(Standing(*of, *amounts, value, None, ZERO, ZERO, ZERO))
    return found


def _go(name: str) -> dict[str, str]:
    return {"subscriber": name, "page": "", "sort": "", "order": "", "q": ""}


def _rows(
    page: Page, day: date, found: Iterable[BulkStanding], listed: Sequence[HolderAsked]
) -> list[Standing]:
    """The rows of whom is listed, in that order: all of a name, or of one unit and currency."""
    rows: defaultdict[str, list[Standing]] = defaultdict(list)
    for each in found:
        rows[each.subscriber].append(_standing(page, each, day))
    return [
        row
        for each in listed
        for row in rows[each.subscriber]
        if not each.commodity or row[:3] == each
    ]


def _standing(page: Page, found: BulkStanding, day: date) -> Standing:
    value = None
    if found.tokens:
        price = page.loaded.books.price_on(day, found.commodity, found.currency)
        value = None if price is None else found.tokens * price
    return Standing(
        found.subscriber,
        found.commodity,
        found.currency,
        found.units,
        found.carrying,
        value,
        found.end,
        ZERO,
        ZERO,
        ZERO,
        plan=", ".join(found.plans),
        status=found.status,
        used=Used(found.allocated, found.used),
    )


def _statement(page: Page, months: Sequence[MonthFiles]) -> list[Block]:
    """What each month moved, newest first; what is held, charged and earned."""
    from beancount_compute.bulk.looking_up.statement_of_months import statement_of_months

    page.ignores("interval", because="a statement over months in bulk shows each of them")
    asked = page.asked
    name = asked.subscriber
    if not months[-1].knows(name):
        raise BadRequest("subscriber", f"the months in bulk have no subscriber {quoted(name)}")
    back = {"kind": "link", "text": "All subscribers", "go": {"subscriber": "", "page": ""}}
    found: list[Block] = [back, controls(page.plans())]
    tables = {each.name: each for each in statement_of_months(months, name, asked.selection)}
    if not any(table.rows for table in tables.values()):
        return [*found, words("Nothing in these days.")]
    page.notes.append(NO_PAYMENTS)
    lines = page.numbers.paged(
        tables["lines"]._replace(title="Lines, by month"), asked.page, newest_first=True
    )
    blocks = [page.numbers.table(tables[key]) for key in _ABOVE if tables[key].rows]
    bills = tables["bills"]._replace(rows=tables["bills"].rows[::-1])
    blocks += [page.numbers.table(bills)] if bills.rows else []
    blocks += [lines] if tables["lines"].rows else []
    blocks += [page.numbers.table(tables["revenue"])] if tables["revenue"].rows else []
    return [*found, *blocks]


_ABOVE = ("money", "subscriptions", "lots")
