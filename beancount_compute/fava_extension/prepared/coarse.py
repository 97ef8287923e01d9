"""Books in which alike facts of a day are added up: for tables that tell no subscriber or lot.

2026-05-20  used  alice  pro of 2026-05  -200 CU
2026-05-20  used  bob    pro of 2026-05  -300 CU   ->   used  pro of 2026-05  -500 CU
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.reports.books import Books
from beancount_compute.reports.facts import SUMMED, Income, LotKey, Movement


def coarse(books: Books) -> Books:
    """The same books, with movements and incomes of a day, plan and vintage added up."""
    lots: dict[tuple[str, str, str], LotKey] = {}
    money = books.money._replace(earned=_incomes(books.incomes, lots))
    movements = _movements(books.movements, lots)
    summed = replace(books, movements=movements, read_money=lambda: money, lots_earn=False)
    # What is added up already need not be looked through again.
    vars(summed)["movements_of_all"] = summed.movements
    vars(summed)["incomes_of_all"] = summed.incomes
    return summed


def _movements(
    movements: Iterable[Movement], lots: dict[tuple[str, str, str], LotKey]
) -> tuple[Movement, ...]:
    sums: dict[tuple[Any, ...], list[Decimal]] = {}
    months: dict[tuple[Any, ...], str] = {}
    with localcontext(WIDE):
        for (
            day,
            month,
            flow,
            _,
            pocket,
            origin,
            unit,
            units,
            currency,
            amount,
            lot,
            *_,
        ) in movements:
            key = (day, flow, pocket, origin, unit, currency, lot[3])
            found = sums.get(key)
            if found is None:
                sums[key] = [units, amount]
                months[key] = month
            else:
                found[0] += units
                found[1] += amount
    return tuple(
        [
            Movement(
                day,
                months[key],
                flow,
                "",
                pocket,
                origin,
                unit,
                sums[key][0],
                currency,
                sums[key][1],
                _lot(lots, currency, vintage, origin),
                "",
                SUMMED,
                False,
            )
            for key in sums
            for day, flow, pocket, origin, unit, currency, vintage in [key]
        ]
    )


def _incomes(
    incomes: Iterable[Income], lots: dict[tuple[str, str, str], LotKey]
) -> tuple[Income, ...]:
    sums: dict[tuple[Any, ...], Decimal] = {}
    with localcontext(WIDE):
        for day, month, earning, _, origin, currency, amount, lot, _, _, kind in incomes:
            key = (day, month, earning, origin, currency, lot and (lot[1], lot[3], lot[4]), kind)
            sums[key] = sums.get(key, ZERO) + amount
    return tuple(
        [
            Income(
                day,
                month,
                earning,
                "",
                origin,
                currency,
                amount,
                _lot(lots, *lot) if lot else None,
                SUMMED,
                False,
                kind,
            )
            for (day, month, earning, origin, currency, lot, kind), amount in sums.items()
        ]
    )


def _lot(
    lots: dict[tuple[str, str, str], LotKey], currency: str, vintage: str, origin: str
) -> LotKey:
    """Stands for all lots of a month and origin: no cost, no end, no holder."""
    key = (currency, vintage, origin)
    if key not in lots:
        lots[key] = LotKey(ZERO, currency, date.min, vintage, origin, None, None)
    return lots[key]
