"""Subscribers: who holds what, searched, sorted and paged; and the statement of one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from beancount_compute.economy import quoted
from beancount_compute.fava_extension.asked import AT_COST, BadRequest
from beancount_compute.fava_extension.blocks import (
    MOST_ROWS,
    ROWS_A_PAGE,
    Block,
    controls,
    field,
    linked,
    page_of,
    words,
)
from beancount_compute.fava_extension.bulk_subscribers_view import subscribers_in_bulk
from beancount_compute.fava_extension.page import Page, last_shown, transaction
from beancount_compute.fava_extension.prepared.holdings import Holdings, Standing
from beancount_compute.fava_extension.prepared.overview import lost_within
from beancount_compute.fava_extension.prepared.standing_rows import (
    FIGURES,
    OWED,
    SORTABLE,
    WHERE_ANY,
    as_table,
    matching,
    ordered,
    totals,
    with_plans,
)
from beancount_compute.ledger import lot_link
from beancount_compute.reports import Movement, Selection, Table
from beancount_compute.reports.registry import REVENUE, STATEMENT

_NARROWED = ("line", "event", "account")  # of bills: the entry, the day and the narration tell them
_ALL_SHOWN = "carrying amount, market value and units stand beside each other"


def subscribers(page: Page) -> list[Block]:
    """The table of all, or the statement of the one that the address names."""
    page.conversion(AT_COST, because=_ALL_SHOWN)
    in_bulk = subscribers_in_bulk(page)
    if in_bulk is not None:
        return in_bulk
    if page.asked.subscriber:
        return _statement(page)
    page.ignores("interval", because="holdings are shown as of one day")
    asked = page.asked
    day = last_shown(page)
    found = matching(_standing(page), asked.words)
    key = _sorted_by(page)
    owed = not asked.selection.plan
    if key in OWED and not owed:
        key = "subscriber"  # the note says that what is owed is left out
    rows = ordered(found, key, falling=asked.falling)
    shown, of_pages = page_of(rows, asked.page, ROWS_A_PAGE, even_of_one=True)
    also = [key for key in WHERE_ANY if any(getattr(row, key) for row in found)]
    table = as_table(shown, f"Subscribers on {day}", owed=owed, also=also)
    if len(found) > 1:
        in_all = as_table(totals(found), "", owed=owed, also=also)
        table = table._replace(totals=tuple(in_all.rows))
    block = page.numbers.table(
        table,
        **of_pages,
        sort={"key": key, "order": "desc" if asked.falling else "asc"},
    )
    links = [{"go": _go(row.subscriber)} if row.subscriber else None for row in shown]
    search = field("q", "Search subscribers", asked.words, "part of a name", live=True)
    return [controls(search, page.plans()), linked(block, "subscriber", links)]


def _sorted_by(page: Page) -> str:
    """The column that is asked for, or the first; by amounts only where they are shown."""
    key = page.asked.sort or SORTABLE[0]
    if key not in SORTABLE:
        raise BadRequest("sort", f"no column {quoted(key)}: sort by {', '.join(SORTABLE)}")
    if page.hides_numbers and key in FIGURES:
        page.notes.append("Rows stand in the order of names: an order by amounts would tell them.")
        return SORTABLE[0]
    return key


def _go(name: str) -> dict[str, str]:
    return {"subscriber": name, "page": "", "sort": "", "order": "", "q": ""}


def _standing(page: Page) -> list[Standing]:
    """All subscribers as of the last day."""
    loaded, plan = page.loaded, page.asked.selection.plan
    books = loaded.books
    day = page.asked.selection.day_of(books)
    if plan:
        page.notes.append("What is owed is left out: a bill may be for several plans.")
    kept = page.kept.transactions
    if kept is not None:
        movements = [each for each in books.movements if each.at in kept]
        owed = [each for each in books.owed if each.at in kept]
        rows = Holdings(books, movements, owed, fine=True).on(day, page.accounts, plan)
    else:
        fine = page.accounts is not None or bool(plan)
        holdings = loaded.holdings_by_account if fine else loaded.holdings
        active = () if fine else loaded.subscriptions.names(day)
        rows = holdings.on(day, page.accounts, plan, frozenset(active))
    return with_plans(rows, loaded.subscriptions, day, plan)


def _statement(page: Page) -> list[Block]:
    page.ignores("interval", because="a statement shows every line")
    page.ignores("account", because="a statement runs over both pockets of its subscriber")
    page.ignores("filter", because="its running figures need every line")
    asked, books = page.asked, page.loaded.books
    selection = asked.selection._replace(subscriber=asked.subscriber)
    lines, bills, money, lots = STATEMENT.tables(
        books, selection, "lines", "bills", "money", "lots"
    )
    back = {"kind": "link", "text": "All subscribers", "go": {"subscriber": "", "page": ""}}
    found: list[Block] = [back, controls(page.plans())]
    if not lines.rows and not bills.rows:
        return [*found, words("Nothing in these days.")]
    moved = [each for each in selection.movements(books) if selection.covers(each.date)]
    return [
        *found,
        page.numbers.table(money),
        _lots(page, lots),
        *_bills(page, bills),
        _lines(page, lines._replace(title="Lines"), moved),
        *_income(page, selection),
        *_lost(page, selection),
    ]


def _bills(page: Page, bills: Table) -> list[Block]:
    """What was charged, credited and paid, newest first, and what is owed then."""
    places = [at for at, each in enumerate(bills.columns) if each.key not in _NARROWED]
    shown = _told(bills.only(places))
    more = len(shown.rows) - MOST_ROWS
    told = [words(f"{more:,} earlier ones are in `bean-compute report statement`.")]
    block = page.numbers.table(shown._replace(rows=shown.rows[::-1][:MOST_ROWS]))
    return [block, *(told if more > 0 else [])] if bills.rows else []


def _income(page: Page, selection: Selection) -> list[Block]:
    """What was earned from the subscriber within the days, month by month."""
    (table,) = REVENUE.tables(page.loaded.books, selection, "by-month")
    title = f"Revenue from {selection.subscriber}, by month"
    shown = _told(table)._replace(title=title, name="revenue")
    return [page.numbers.table(shown)] if table.rows else []


def _lost(page: Page, selection: Selection) -> list[Block]:
    """What was lost with the subscriber within the days, and what of it came in again."""
    title = f"Lost with {selection.subscriber} and recovered, by month"
    found = lost_within(page.loaded.books, selection)
    return [page.numbers.table(each._replace(title=title)) for each in found]


def _told(table: Table) -> Table:
    """The table without columns that tell nothing: empty, or zero, in every row."""
    cells = enumerate(zip(*table.rows, strict=True))
    return table.only([at for at, column in cells if any(column)]) if table.rows else table


def _lots(page: Page, lots: Table) -> Block:
    """The lots held at the end; each leads to its life in Fava's journal."""
    block = page.numbers.table(lots)
    accounts, holder = page.loaded.books.accounts, page.asked.subscriber
    links: list[Mapping[str, Any] | None] = []
    for row in lots.by_key():
        origin, day = str(row["plan"]), str(row["vintage"])
        if not origin:
            links.append(None)
            continue
        link = lot_link(accounts, holder, date.fromisoformat(day), origin)
        links.append({"href": page.links.journal(f"^{link}"), "title": f"Its life: ^{link}"})
    return linked(block, "vintage", links)


def _lines(page: Page, lines: Table, moved: Sequence[Movement]) -> Block:
    """The lines, newest first; each leads to its transaction."""
    forward = len(lines.rows) - len(moved)
    at_of = [None] * forward + [each.at for each in moved]
    newest = list(zip(lines.rows, at_of, strict=True))[::-1]
    shown, of_pages = page_of(newest, page.asked.page, MOST_ROWS)
    table = _told(lines._replace(rows=[row for row, _ in shown]))
    block = page.numbers.table(table, **of_pages)
    links = [None if place is None else transaction(page, place) for _, place in shown]
    return linked(block, "event", links)
