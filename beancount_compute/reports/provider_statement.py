"""What stands in the statement of a provider: the operator is its subscriber.

    line  date        entry  for                     meter   cost  accrued  variance   open
       1  2026-05-20  cost   2026-05-20              chat   80.00     0.00      0.00   0.00
       2  2026-06-10  cost   2026-06-10              chat   20.00    20.00      0.00  20.00
       3  2026-07-02  bill   2026-06-01/2026-06-30   chat    0.00   -20.00      0.00   0.00
       4  2026-07-02  bill   2026-06-01/2026-06-30           0.00     0.00      1.00   0.00

with what no bill has come for after each line. Its credits move as units of a subscriber do; they
are purchased, drawn by uses, and lapse.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import count
from operator import attrgetter
from typing import NamedTuple

from beancount.core.data import Transaction
from beancount.core.position import Cost

from beancount_compute.economy import (
    STOCK,
    ZERO,
    Flow,
    JournalEntry,
    Kind,
    MoneyLeg,
    Month,
    Role,
)
from beancount_compute.ledger import OPENING_TAG, ORDER, Meaning, kind_of_tags, money_of
from beancount_compute.reports.bills_and_payments import FORWARD
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, LotKey, Movement
from beancount_compute.reports.figures import Contribution, Figure, Layout, Request
from beancount_compute.reports.tables import CURRENCY, DATE, Column, Measure, Row

OPEN = "open"  # accrued, and not billed yet
COSTS = "costs"
_LABELS = (
    Column("line", "line", aside=2),
    DATE,
    Column("event", "event", aside=4, whole=True),
    Column("entry", "entry"),
    Column("for", "for", aside=1),
    Column("meter", "meter"),
    CURRENCY,
)
_FIGURES = (
    Figure("cost", "cost", Measure.MONEY),
    Figure("accrued", "accrued", Measure.MONEY),
    Figure("variance", "variance", Measure.MONEY),
    Figure(OPEN, "not billed\nyet", Measure.MONEY),
)
_FLOWS: dict[str, tuple[Flow, str]] = {
    Kind.PURCHASE: (Flow.TOPPED_UP, "purchased"),
    Kind.COST: (Flow.USED, "drawn"),
}
_LAPSED = (Flow.EXPIRED, "lapsed")
# the column of each role, with the sign of a debit there
_COLUMN = {
    Role.COST: ("cost", 1),
    Role.LAPSED: ("cost", 1),
    Role.ACCRUED: ("accrued", -1),
    Role.VARIANCE: ("variance", 1),
}


class CostLine(NamedTuple):
    """What one transaction books of a meter in a currency."""

    at: int
    date: str
    labels: Row  # event, entry, for, meter, currency
    adds: tuple[tuple[str, Decimal], ...]


def costs_layout(of: str) -> Layout:
    """The table of costs."""
    return Layout(COSTS, f"Costs and bills{of}", _LABELS, _FIGURES, True, adds_up=False)


def credits_moved(books: Books, selection: Selection) -> list[Movement]:
    """A provider's credits as they came and went, up to the last day."""
    account = books.accounts.stock_account(selection.subscriber)
    meaning, keys = Meaning(books.accounts, {}), dict[tuple[object, ...], LotKey]()
    found: list[Movement] = []
    for at, entry in enumerate(books.transactions):
        if selection.end is not None and entry.date > selection.end:
            break
        flow, why, undoes = _way(entry)
        for posting in entry.postings:
            units, cost = money_of(posting.units), posting.cost
            if posting.account != account or units is None or not isinstance(cost, Cost):
                continue
            lot = meaning.lot(account, units.currency, cost)
            if lot is None:
                continue
            number, month = lot.cost, Month.of(lot.date).name
            key = keys.setdefault(
                tuple(cost),
                LotKey(number, lot.currency, lot.date, month, lot.origin, lot.end, cost),
            )
            moved = (STOCK, lot.origin, units.currency, units.number, lot.currency)
            worth, day = units.number * number, entry.date
            of = (day, Month.of(day).name, flow, lot.holder, *moved, worth, key, account, at)
            found.append(Movement(*of, undoes, why))
    return found


def _way(entry: Transaction) -> tuple[Flow, str, bool]:
    """Why a transaction moves credits, and whether that is undone."""
    if ORDER not in entry.meta:
        opening = OPENING_TAG in (entry.tags or ())
        return (Flow.OPENING if opening else Flow.REMOVED), "", False
    undone = entry.meta.get("undoes")
    flow, why = _FLOWS.get(undone or kind_of_tags(entry.tags), _LAPSED)
    return flow, why, bool(undone)


def costs(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    """What the lines of the table of costs add; behind what is open stand all lines up to it."""
    lines = list(_numbered(books, selection))
    for labels, of_line in lines:
        for each in of_line:
            for column, number in each.adds:
                if labels[3] != FORWARD:
                    yield COSTS, labels, column, number, each.at
    open_now: defaultdict[object, Decimal] = defaultdict(Decimal)
    for at, (labels, of_line) in enumerate(lines):
        for each in of_line:
            open_now[labels[-1]] += _accrued(each)
        if not request.each:
            yield COSTS, labels, OPEN, open_now[labels[-1]], SUMMED
        elif labels == request.row:
            for each in [one for _, line in lines[: at + 1] for one in line]:
                if each.labels[-1] == labels[-1]:
                    yield COSTS, labels, OPEN, _accrued(each), each.at


def open_accruals(books: Books, selection: Selection) -> Iterator[tuple[bool, CostLine, Decimal]]:
    """What is accrued, and cleared, with whether that was before the days."""
    for line in _lines(books, selection):
        if number := _accrued(line):
            before = selection.start is not None and line.date < str(selection.start)
            yield before, line, number


def _accrued(line: CostLine) -> Decimal:
    return sum([number for column, number in line.adds if column == "accrued"], ZERO)


def _numbered(books: Books, selection: Selection) -> Iterator[tuple[Row, list[CostLine]]]:
    """What is brought forward, by currency, and then each line."""
    number, start = count(1), str(selection.start or "")
    lines = list(_lines(books, selection))
    before = [each for each in lines if each.date < start]
    for currency in sorted({str(each.labels[-1]) for each in before}):
        of_currency = [each for each in before if each.labels[-1] == currency]
        if sum(map(_accrued, of_currency), ZERO):
            yield (next(number), start, "", FORWARD, "", "", currency), of_currency
    for each in lines[len(before) :]:
        yield (next(number), each.date, *each.labels), [each]


def _lines(books: Books, selection: Selection) -> list[CostLine]:
    """What each transaction books of each meter and currency, up to the last day."""
    found: list[CostLine] = []
    for at, opened in books.accruals_opened:
        if opened.provider == selection.subscriber and _by_the_end(selection, opened.date):
            labels = ("", "opening", str(opened.served), opened.meter, opened.currency)
            found.append(CostLine(at, str(opened.date), labels, (("accrued", opened.number),)))
    for at, entry in books.of_providers:
        if entry.subscriber == selection.subscriber and _by_the_end(selection, entry.date):
            found += _of_entry(at, entry)
    return sorted(found, key=attrgetter("at"))


def _of_entry(at: int, entry: JournalEntry) -> Iterator[CostLine]:
    sums: defaultdict[tuple[str, str], defaultdict[str, Decimal]]
    sums = defaultdict(lambda: defaultdict(Decimal))
    for leg in entry.legs:
        if isinstance(leg, MoneyLeg) and leg.role in _COLUMN:
            column, sign = _COLUMN[leg.role]
            sums[leg.origin, leg.currency][column] += sign * leg.number
    days = entry.period or str(entry.served or entry.date)
    what = "credit note" if entry.kind is Kind.BILL and _is_credit(entry) else entry.kind.value
    for (meter, currency), columns in sums.items():
        labels = (entry.id, what, days, meter, currency)
        yield CostLine(at, str(entry.date), labels, tuple(columns.items()))


def _is_credit(bill: JournalEntry) -> bool:
    return any(
        leg.number > 0
        for leg in bill.legs
        if isinstance(leg, MoneyLeg) and leg.role is Role.PROVIDER
    )


def _by_the_end(selection: Selection, day: date) -> bool:
    return selection.end is None or day <= selection.end
