"""Aging: who owes the operator, whom the operator owes, and for how long.

    receivables at 2026-06-30        current   1-30   31-60   61-90   over 90   credit    total
    alice                  USD          0.00  200.00    0.00    0.00    100.00     0.00   300.00
    bob                    USD          0.00    0.00    0.00    0.00      0.00   -50.00   -50.00

An amount is as old as the days from the day on which it was billed to the selection's last day, or
the ledger's. What undoes a bill settles that very bill; payments and all other credits settle the
oldest bills first, also those billed later. What is left of them is a credit. Payables are aged
the same way, from the day on which they were owed, and so is what partners and providers are owed;
what is unbilled from the day of its use, until it is invoiced.

A hand-written posting belongs to the subscriber whose component the account holds; on a pooled
account to the payee, where that is a subscriber. Any other stands on the line "(not named)".
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cache

from beancount.core.data import Transaction

from beancount_compute.economy import OWED, OWED_TO_OPERATOR, OWED_TO_OTHERS, ROLES, Role
from beancount_compute.ledger import component_of
from beancount_compute.reports.books import Books, Selection, until
from beancount_compute.reports.facts import Owed
from beancount_compute.reports.figures import Contribution, Figure, Layout, Report, Request
from beancount_compute.reports.tables import CURRENCY, NOT_NAMED, Column, Measure

_BUCKETS = {"current": 0, "days_1_30": 30, "days_31_60": 60, "days_61_90": 90}  # days at most
_TITLES = ("current", "1-30\ndays", "31-60\ndays", "61-90\ndays", "over 90\ndays", "credit")
_COLUMNS = (*_BUCKETS, "over_90", "credit")
_FIGURES = (
    *[Figure(key, title, Measure.MONEY) for key, title in zip(_COLUMNS, _TITLES, strict=True)],
    Figure("total", "total", Measure.MONEY, _COLUMNS),
)
_TOTALS = "totals"  # what is owed to the operator and what it owes, which is no sum
AGED = {
    role: (f"{ROLES[role].party}s", f"Payables to {ROLES[role].party}s", ROLES[role].party)
    if role in OWED_TO_OTHERS
    else (heading, heading.capitalize(), "subscriber")
    for role, heading in OWED.items()
}
Bill = tuple[date, Decimal, int]  # the day, what is open of it, and its transaction
Credit = tuple[Decimal, int]
Bucketed = tuple[str, Decimal, int]  # a column, what stands in it, and by which transaction


def _layouts(books: Books, selection: Selection) -> list[Layout]:
    day = selection.end or books.last_day
    at = f" at {day}" if day else ""
    at += ", of all plans" if selection.plan else ""  # a bill may be for several
    return [
        Layout(
            name, title + at, (Column(label, label), CURRENCY), _FIGURES, adds_up=name != _TOTALS
        )
        for name, title, label in ((_TOTALS, "Totals", "what"), *AGED.values())
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    day = selection.day_of(books)
    lines: defaultdict[tuple[Role, str, str], list[Owed]] = defaultdict(list)
    others = _others(books)
    subscriber = selection.subscriber
    for owed in until(books.owed, day):
        role, party = owed.role, owed.party
        if role in OWED_TO_OTHERS and not owed.kind:
            party = others.get((role, party), party)
        if not subscriber or subscriber == party:
            lines[role, party, owed.currency].append(owed)
    for (role, party, currency), owed_lines in lines.items():
        name = AGED[role][0]
        aged = _aged(role, owed_lines, books.transactions, day)
        for column, amount, at in aged:
            yield name, (party or NOT_NAMED, currency), column, amount, at
            yield _TOTALS, (name, currency), column, amount, at


def _others(books: Books) -> dict[tuple[Role, str], str]:
    """Partners and providers by account component: a hand-written posting knows no more."""
    return {
        (owed.role, component_of(owed.party)): owed.party
        for owed in books.owed
        if owed.role in OWED_TO_OTHERS and owed.kind and owed.party
    }


def _aged(
    role: Role, lines: Iterable[Owed], transactions: Sequence[Transaction], day: date
) -> Iterator[Bucketed]:
    bills, credits = settle(role, lines, transactions)
    for billed, amount, at in bills:
        yield _bucket((day - billed).days), amount, at
    for amount, at in credits:
        yield "credit", -amount, at


@cache
def _bucket(days: int) -> str:
    return next((name for name, most in _BUCKETS.items() if days <= most), "over_90")


def settle(
    role: Role, lines: Iterable[Owed], transactions: Sequence[Transaction]
) -> tuple[list[Bill], list[Credit]]:
    """What is open of the bills of one party and currency, and what is left of the credits.

    `lines` stand in the order of the books.
    """
    sign = 1 if role in OWED_TO_OPERATOR else -1
    bills: list[Bill] = []
    credits: list[Credit] = []
    billed_by: dict[str, int] = {}  # by the id of the event: the bill's place
    ids_unread: list[tuple[int, int]] = []  # only a reversal asks for them
    for line in lines:
        amount, at = sign * line.amount, line.at
        if amount > 0:
            if line.kind:
                ids_unread.append((at, len(bills)))
            bills.append((line.date, amount, at))
            continue
        if line.kind:
            for billed_at, place in ids_unread:
                billed_by.setdefault(str(transactions[billed_at].meta.get("event")), place)
            ids_unread.clear()
            undone = billed_by.get(str(transactions[at].meta.get("reverses")))
            if undone is not None:
                amount += _reduce(bills, undone, -amount)
        if amount:
            credits.append((-amount, at))
    return _oldest_first(bills, credits)


def _reduce(bills: list[Bill], place: int, credit: Decimal) -> Decimal:
    """Settle one bill as far as it goes; gives what it took."""
    billed, amount, at = bills[place]
    taken = min(amount, credit)
    bills[place] = (billed, amount - taken, at)
    return taken


def _oldest_first(bills: list[Bill], credits: list[Credit]) -> tuple[list[Bill], list[Credit]]:
    left = deque(credits)
    open_bills: list[Bill] = []
    for billed, amount, at in bills:
        while amount and left:
            credit, paid_at = left.popleft()
            settled = min(amount, credit)
            amount -= settled
            if settled < credit:
                left.appendleft((credit - settled, paid_at))
        if amount:
            open_bills.append((billed, amount, at))
    return open_bills, list(left)


AGING = Report("aging", "Receivables and payables by age", _layouts, _contributions)
