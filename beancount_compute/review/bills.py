"""The bills of books, ready to be asked which of them nobody paid.

Paid is what the report `aging` settles: what undoes a bill settles that bill, and payments take the
oldest bills first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from beancount_compute.economy import Flow, Role
from beancount_compute.reports import Books, LotKey
from beancount_compute.reports.aging import settle
from beancount_compute.reports.facts import Owed

LotSold = tuple[str, Decimal, str, date, str]  # holder, unit cost, currency, date, origin


class Bills:
    """What was billed, by subscriber and currency, and for which lots."""

    def __init__(self, books: Books) -> None:
        self._transactions = books.transactions
        self._lines: defaultdict[tuple[str, str], list[Owed]] = defaultdict(list)
        self._payments: dict[str, date] = {}  # by currency, the first one
        self._of_nobody: dict[str, date] = {}  # the first that can't be told whose it is
        for line in books.owed:
            if line.role is Role.RECEIVABLE:
                self._lines[line.party, line.currency].append(line)
                if not line.kind and not line.party:
                    self._of_nobody.setdefault(line.currency, line.date)
                elif not line.kind and line.amount < 0:
                    self._payments.setdefault(line.currency, line.date)
        self._for_lot: defaultdict[LotSold, list[int]] = defaultdict(list)
        for each in books.movements:
            if each.flow in (Flow.ALLOCATED, Flow.TOPPED_UP) and each.amount > 0:
                self._for_lot[_sold(each.subscriber, each.lot)].append(each.at)

    def can_tell(self, currency: str, day: date) -> bool:
        """Whether payments in a currency were written by a day, each for somebody."""
        paid, of_nobody = self._payments.get(currency), self._of_nobody.get(currency)
        return paid is not None and paid <= day and (of_nobody is None or of_nobody > day)

    def unpaid(self, subscriber: str, currency: str, day: date) -> dict[int, Decimal]:
        """The bills of which nothing was paid by a day, by their transaction; needs `WIDE`."""
        lines = self._lines.get((subscriber, currency), [])
        lines = lines[: bisect_right(lines, day, key=lambda line: line.date)]
        billed = {line.at: line.amount for line in lines}
        bills, _ = settle(Role.RECEIVABLE, lines, self._transactions)
        return {at: left for _, left, at in bills if left == billed[at]}

    def for_lot(self, subscriber: str, lot: LotKey) -> Iterable[int]:
        """The transactions that billed a lot, also where it became tokens since."""
        return self._for_lot.get(_sold(subscriber, lot), ())


def _sold(holder: str, lot: LotKey) -> LotSold:
    return holder, lot.cost, lot.currency, lot.date, lot.origin
