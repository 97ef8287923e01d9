"""Corrections: what came late, what was undone, and which months were opened again.

    booked      occurred    event   kind         subscriber  units  deferred revenue  income
    2026-06-01  2026-05-20  use-17  consumption  alice         -50            -10.00   10.00

A late event is dated in a month that was closed when it came; it is booked on the first open day.
Deferred revenue and income are what the correction changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from beancount_compute.economy import ZERO
from beancount_compute.ledger import kind_of_tags
from beancount_compute.reports.books import LATE, REVERSAL, Books, Selection
from beancount_compute.reports.facts import SUMMED
from beancount_compute.reports.figures import Contribution, Figure, Layout, Report, Request
from beancount_compute.reports.fold import grouped
from beancount_compute.reports.tables import (
    CURRENCY,
    DATE,
    MONTH,
    SUBSCRIBER,
    UNIT,
    Column,
    Measure,
    Row,
)

_place = attrgetter("at")
_WHO = (
    Column("kind", "kind", aside=1),
    SUBSCRIBER,
    Column("what", "what", aside=2),
    UNIT,
    CURRENCY,
)
_FIGURES = (
    Figure("units", "units", Measure.UNITS),
    Figure("deferred", "deferred\nrevenue", Measure.MONEY),
    Figure("income", "income", Measure.MONEY),
)
_BOOKED = Column("booked", "booked", Measure.DATE)
_EVENT = Column("event", "event", whole=True)


_REOPENED = (
    DATE,
    MONTH,
    Column("reason", "reason"),
    Column("place", "place", aside=1, whole=True),
)


def _layouts(*_: object) -> list[Layout]:
    late = (_BOOKED, Column("occurred", "occurred", Measure.DATE), _EVENT, *_WHO)
    undone = (_BOOKED, Column("reverses", "reverses", whole=True), _EVENT, *_WHO)
    return [
        Layout("late", "Late events", late, _FIGURES, keeps_zeros=True),
        Layout("reversals", "Reversals", undone, _FIGURES, keeps_zeros=True),
        Layout("reopened", "Months opened again", _REOPENED, (), keeps_zeros=True),
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    yield from _of_transactions(books, selection)
    for each in books.reopened:
        if selection.covers(each.date):
            row = (str(each.date), each.month, each.reason, f"{each.file}:{each.line}")
            yield "reopened", row, "", ZERO, SUMMED


def _of_transactions(books: Books, selection: Selection) -> Iterator[Contribution]:
    corrected = _corrected(books, selection)
    if not corrected:
        return
    movements = grouped([e for e in selection.movements(books) if e.at in corrected], _place)
    incomes = grouped([e for e in selection.incomes(books) if e.at in corrected], _place)
    for at, tables in corrected.items():
        units = {each.currency: each.commodity for each in reversed(movements[at])}
        for table, labels in tables:
            for each in movements[at]:
                row = (*labels, each.commodity, each.currency)
                yield table, row, "units", each.units, at
                yield table, row, "deferred", each.amount, at
            for earned in incomes[at]:
                row = (*labels, units.get(earned.currency, ""), earned.currency)
                yield table, row, "income", earned.amount, at


def _corrected(books: Books, selection: Selection) -> dict[int, list[tuple[str, Row]]]:
    """The transactions that correct something, with the tables and labels that they go under."""
    found: dict[int, list[tuple[str, Row]]] = {}
    for at in books.corrections:
        entry = books.transactions[at]
        if not selection.covers(entry.date):
            continue
        kind = str(entry.meta.get("undoes") or kind_of_tags(entry.tags))
        who = (str(entry.meta.get("event", "")), kind, entry.payee or "", entry.narration or "")
        tables = found[at] = []
        if LATE in entry.tags:
            tables.append(("late", (str(entry.date), str(entry.meta.get("occurred", "")), *who)))
        if REVERSAL in entry.tags:
            undone = str(entry.meta.get("reverses", ""))
            tables.append(("reversals", (str(entry.date), undone, *who)))
    return found


CORRECTIONS = Report(
    "corrections", "Late events, reversals, reopened months", _layouts, _contributions
)
