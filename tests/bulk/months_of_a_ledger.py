"""A ledger's events as months of Parquet, booked in bulk, beside the plugin's books of all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
from beancount.parser import parser
from pyarrow import parquet

from beancount_compute.bulk.bulk_terms import JOURNAL, BulkTerms
from beancount_compute.bulk.month_run import BulkOutcome, MonthAsked, write_month
from beancount_compute.bulk.rows.month_files import find_event_files
from beancount_compute.close.bulk_month import booked_in_bulk
from beancount_compute.close.month_in_parquet import HandedOn, MonthInParquet
from beancount_compute.close.tie_outs import bulk_ties
from beancount_compute.economy import (
    AS_OF,
    NOWHERE,
    POSTING_GRAIN,
    ROLE_OF_POCKET,
    SIGNED,
    STOCK,
    ControlTotal,
    Event,
    Facts,
    Grain,
    JournalEntry,
    Kind,
    Lot,
    LotLeg,
    MoneyLeg,
    Month,
    Pocket,
    Role,
    Terms,
    content_id,
)
from beancount_compute.ledger import COLUMNS, FIELDS, Accounts
from tests.economy.building import Books
from tests.laws.captured import Captured

Sums = dict[tuple[Any, ...], Decimal]


def cells_of(event: Event) -> dict[str, Any]:
    """An event as a row of a file."""
    row: dict[str, Any] = {}
    for column in COLUMNS:
        if column == "event":
            row[column] = event.kind.value
        else:
            row[column] = getattr(event, FIELDS.get(column, column)) or None
    if event.quantity and not event.units:
        row["units"] = None
    if event.kind in SIGNED:
        row["paid"] = event.paid
    return row


def write_events(path: Path, events: Iterable[Event], *, as_text: bool = False) -> Path:
    """Events as a Parquet file; numbers as decimals, or as text."""
    rows = [cells_of(each) for each in events]
    columns: dict[str, pa.Array] = {}
    for name in COLUMNS:
        cells = [row[name] for row in rows]
        if name == "date":
            columns[name] = pa.array(cells, pa.date32())
        elif name in ("units", "price", "paid", "quantity") and not as_text:
            columns[name] = pa.array(cells, pa.decimal128(38, 6 if name == "units" else 12))
        else:
            columns[name] = pa.array(
                [None if c is None else f"{c:f}" if isinstance(c, Decimal) else c for c in cells],
                pa.string(),
            )
    parquet.write_table(pa.table(columns), path)
    return path


def terms_for(captured: Captured, month: Month, **more: Any) -> BulkTerms:
    """What a captured ledger says to a month."""
    terms = captured.terms.setting(AS_OF, month.last).setting(POSTING_GRAIN, Grain.EVENT)
    facts = captured.facts
    given: dict[str, Any] = {
        "month": month,
        "terms": Terms(*[dict(v) if hasattr(v, "keys") else v for v in terms]),
        "accounts": captured.component.__self__,
        "openings": list(facts.openings),
        "removals": list(facts.removals),
        "introductions": list(facts.introductions),
        "accruals": list(facts.accruals),
        "events": [],
        "assertions": list(facts.assertions),
        "controls": [],
        "earned": {},
        "zone": "UTC",
        "title": "",
        "digest": "",
    }
    return BulkTerms(**{**given, **more})


def book_in_months(
    captured: Captured,
    events: Sequence[Event],
    folder: Path,
    months: Iterable[Month],
    *,
    all_in_files: bool = False,
    **how: Any,
) -> list[BulkOutcome]:
    """Each month's events in bulk, one month after the other; some stand in the ledger."""
    by_month: dict[Month, list[Event]] = defaultdict(list)
    own = [] if all_in_files else in_the_ledger(events)
    for event in events:
        if event not in own:
            by_month[Month.of(event.date)].append(event)
    found = []
    for month in months:
        path = folder / f"{month}.parquet"
        write_events(path, by_month[month], as_text=bool(month.number % 2))
        asked = MonthAsked(folder / "main.beancount", month, [str(path)], processes=1, **how)
        files = find_event_files(asked.events)
        bulk = terms_for(captured, month, events=own, controls=rows_of(events))
        found.append(write_month(asked, folder / "bulk", files, bulk))
    return found


def in_the_ledger(events: Sequence[Event]) -> list[Event]:
    """Some events of all kinds, which stand in the ledger itself: those of every fifth memo."""
    return [each for at, each in enumerate(sorted(events)) if at % 5 == 2]


def rows_of(events: Iterable[Event]) -> list[ControlTotal]:
    """The control totals of all months and kinds, each id once."""
    each_id = {(event.id or at): event for at, event in enumerate(events)}
    rows = Counter((Month.of(each.date), each.kind) for each in each_id.values())
    return [
        ControlTotal(month.last, kind, count, None, "", None, "", NOWHERE)
        for (month, kind), count in rows.items()
    ]


def lots_of_bulk(outcome: BulkOutcome) -> Sums:
    """The open lots of a month, by value."""
    rows = parquet.read_table(outcome.folder / "lots.parquet").to_pylist()
    found = {
        tuple([v for k, v in row.items() if k not in ("units", "terms_day")]): row["units"]
        for row in rows
    }
    operator = parquet.read_table(outcome.folder / "operator.parquet").to_pylist()
    names = ("commodity", "cost", "currency", "date", "origin", "end")
    found |= {
        (row["name"], "prepaid", *[row[name] for name in names]): row["units"]
        for row in operator
        if row["what"] == "stock"
    }
    return found


def lots_of_books(books: Books, facts: Facts) -> Sums:
    """The open lots of the plugin's books, by value; the operator's from what moved them."""
    stock: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    refused = {each.place for each in books.refusals}
    for sign, postings in ((1, facts.openings), (-1, facts.removals)):
        for each in postings:
            if each.lot.pocket is STOCK and each.place not in refused:
                stock[tuple(map(_plain, each.lot))] += sign * each.units
    for entry in books.journal:
        for leg in entry.legs:
            if isinstance(leg, LotLeg) and leg.lot.pocket is STOCK:
                stock[tuple(map(_plain, leg.lot))] += leg.units
    held = {lot: units for lot, units in stock.items() if units}
    return held | {tuple(map(_plain, lot)): units for lot, units in books.lots}


def movements_of_bulk(outcomes: Iterable[BulkOutcome]) -> Sums:
    """What months moved, by month, subscriber, kind, and lot or role."""
    found: Sums = {}
    for outcome in outcomes:
        for row in parquet.read_table(outcome.folder / "movements.parquet").to_pylist():
            units_in, units_out, amount = (row.pop(n) for n in ("units_in", "units_out", "amount"))
            key = outcome.folder.name, *row.values()
            for what, number in (("in", units_in), ("out", units_out), ("amount", amount)):
                if number:
                    found[what, *key] = number
    return found


def movements_of_books(books: Books) -> Sums:
    """The same of the plugin's books."""
    found: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for entry in books.journal:
        month = Month.of(entry.date).name
        for leg in entry.legs:
            if isinstance(leg, LotLeg):
                holder, pocket, *lot = map(_plain, leg.lot)
                key = (month, holder, entry.kind.value, entry.undoes, pocket, *lot)
                out = (leg.units > 0) != (leg.lot.pocket is STOCK)
                found["out" if out else "in", *key] += abs(leg.units)
                found["amount", *key] += leg.units * leg.lot.cost
            elif leg.role is Role.ACCESS_REVENUE and entry.kind is Kind.CHANGE:
                for lot, earned in _earned_until(entry):
                    key = (month, lot.holder, entry.kind.value, "", leg.role.value, None, None)
                    key += (lot.currency, lot.date, lot.origin, lot.end)
                    found["amount", *key] -= earned
            else:
                key = (
                    month,
                    leg.holder,
                    entry.kind.value,
                    entry.undoes,
                    leg.role.value,
                    None,
                    None,
                    leg.currency,
                    None,
                    leg.origin,
                    None,
                )
                found["amount", *key] += leg.number
    return {key: number for key, number in found.items() if number}


def _earned_until(change: JournalEntry) -> Iterator[tuple[Lot, Decimal]]:
    """Access that was earned before a change returned it: as much of what leaves its lots."""
    legs = [leg for leg in change.legs if isinstance(leg, LotLeg) and leg.units > 0]
    money = [leg for leg in change.legs if isinstance(leg, MoneyLeg)]
    left = -sum(leg.number for leg in money if leg.role is Role.ACCESS_REVENUE)
    for leg in legs:
        if leg.lot.pocket is Pocket.ACCESS:
            part = min(left, leg.units)
            left -= part
            yield leg.lot, part
    assert not left


def days_of(journals: Iterable[str]) -> Sums:
    """The money of journals by day, narration and account."""
    found: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    head: tuple[str, ...] = ()
    for line in chain.from_iterable(map(str.splitlines, journals)):
        if line[:1].isdigit() and " * " in line:
            head = line[:10], line.split('"')[1]
        elif line.startswith("  ") and line[2] != " ":
            account, number, currency = line.split()
            found[(*head, account, currency)] += Decimal(number)
    return {key: number for key, number in found.items() if number}


def _plain(value: Any) -> Any:
    return value if isinstance(value, (Decimal, date)) or value is None else str(value)


def refused_rows(outcomes: Iterable[BulkOutcome]) -> list[dict[str, Any]]:
    """The refused events of all months."""
    return [
        row
        for outcome in outcomes
        for row in parquet.read_table(outcome.folder / "refused.parquet").to_pylist()
    ]


def within_a_month(events: Sequence[Event]) -> list[Event]:
    """The events but for ids that come again in another month: bulk compares those of one."""
    month_of: dict[str, set[Month]] = defaultdict(set)
    for event in events:
        month_of[event.id or content_id(event)].add(Month.of(event.date))
    return [event for event in events if not event.id or len(month_of[event.id]) == 1]


def money_by_day(books: Books, accounts: Accounts) -> Sums:
    """The money of the plugin's books by day, kind and pooled account, as a journal has it."""
    found: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for entry in books.journal:
        kind = f"Reversal of {entry.undoes}" if entry.undoes else entry.kind.value.capitalize()
        for leg in entry.legs:
            if isinstance(leg, LotLeg):
                lot = leg.lot
                account = accounts.pooled(ROLE_OF_POCKET[lot.pocket], lot.holder, lot.origin)
                found[f"{entry.date}", kind, account, lot.currency] += leg.units * lot.cost
            else:
                account = accounts.pooled(leg.role, leg.holder, leg.origin)
                found[f"{entry.date}", kind, account, leg.currency] += leg.number
    return {key: number for key, number in found.items() if number}


def ties_of_last(outcomes: Sequence[BulkOutcome], ledger: Captured) -> dict[str, bool]:
    """The tie-outs that a close makes of the last of some months, and whether each holds.

    That of the ledger's accounts needs what stands in the ledger itself.
    """
    before, last = outcomes[-2:]
    month = Month.parse(last.folder.name)
    texts = [(each.folder / JOURNAL).read_text(encoding="utf-8") for each in outcomes]
    entries, _, _ = parser.parse_string("\n".join(texts))  # without the ledger's own, by hand
    by_hand = [(each.lot, each.units, each.date) for each in ledger.facts.openings]
    by_hand += [(each.lot, -each.units, each.date) for each in ledger.facts.removals]
    lots = [(lot, units) for lot, units, day in by_hand if month.first <= day <= month.last]
    tables = MonthInParquet(last.folder, HandedOn(before.folder, lots))
    accounts = ledger.component.__self__
    found = bulk_ties(booked_in_bulk(month, last.folder, ()), tables, entries, accounts)
    of_ledger = "deferred revenue = lots.parquet"
    return {f"{tie.name} {tie.about}": tie.holds for tie in found if tie.name != of_ledger}
