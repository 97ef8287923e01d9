"""Books in which alike facts of a day are added up: for tables that tell no subscriber or lot.

2026-05-20  used  alice  pro of 2026-05  -200 CU
2026-05-20  used  bob    pro of 2026-05  -300 CU   ->   used  pro of 2026-05  -500 CU
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import localcontext
from functools import cache

from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.reports.books import Books
from beancount_compute.reports.facts import LotKey
from beancount_compute.reports.fold import fold


def coarse(books: Books) -> Books:
    """The same books, with movements and incomes of a day, plan and vintage added up."""

    @cache
    def vintage(currency: str, month: str, origin: str) -> LotKey:
        """Stands for all lots of a month and origin: no cost, no end, no holder."""
        return LotKey(ZERO, currency, date.min, month, origin, None, None)

    def of(lot: LotKey) -> LotKey:
        return vintage(lot.currency, lot.month, lot.origin)

    moved = [each._replace(lot=of(each.lot)) for each in books.movements_of_all]
    earned = [each._replace(lot=each.lot and of(each.lot)) for each in books.incomes_of_all]
    told = ("date", "month", "origin", "currency", "lot")
    with localcontext(WIDE):
        movements = fold(moved, (*told, "flow", "pocket", "commodity"), ("units", "amount"))
        incomes = fold(earned, (*told, "earning", "kind"), ("amount",))
    money = books.money._replace(earned=tuple(incomes))
    return replace(books, movements=tuple(movements), read_money=lambda: money, lots_earn=False)
