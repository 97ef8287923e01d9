"""The lots that are open at a month's end, at their cost, whoever holds them.

bulk/2026-05/lots.parquet:  alice 800 CU, bob 700 CU of {0.20 USD, 2026-05-01, pro}  ->  1500 CU
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import localcontext
from pathlib import Path
from typing import Any

import duckdb

from beancount_compute.bulk_books import CantReadMonths
from beancount_compute.economy import ROLE_OF_POCKET, WIDE, Flow, Month, Pocket, cost_of
from beancount_compute.ledger import BULK_TAG
from beancount_compute.reports import Books, LotKey, Movement
from beancount_compute.reports.books import NotInBulk
from beancount_compute.reports.facts import SUMMED

_KEY = 'pocket, commodity, cost, currency, date, origin, "end"'


class OpenLotsOfMonths:
    """The open lots of months in bulk."""

    def __init__(self, own: Books, folders: Mapping[str, str]) -> None:
        self._accounts = own.accounts
        self._folders = folders
        self._days = sorted({each.date for each in own.transactions if BULK_TAG in each.tags})

    def at(self, day: date) -> tuple[Movement, ...]:
        """Those at the end of a day; raises `NotInBulk` for one within the bookings of a month."""
        month = self._month_at(day)
        return () if month is None else self._read(month)

    def _month_at(self, day: date) -> str | None:
        """The last month of which nothing is booked after a day; None where there is none."""
        for month in sorted(self._folders, reverse=True):
            booked = [each for each in self._days if Month.of(each).name == month]
            booked = booked or [Month.parse(month).first]  # it is as the month before it ended
            if booked[-1] <= day:
                return month
            if booked[0] <= day:
                raise NotInBulk(
                    f"open lots of months in bulk are known as of the months' ends: "
                    f"ask for days up to {Month.parse(month).last}"
                )
        return None

    def _read(self, month: str) -> tuple[Movement, ...]:
        path = Path(self._folders[month]) / "lots.parquet"
        try:
            with duckdb.connect() as connection:
                relation = connection.read_parquet(str(path))
                found = relation.aggregate(f"{_KEY}, sum(units) AS units").order(_KEY).fetchall()
        except duckdb.Error as error:
            raise CantReadMonths(
                f"can't read {path}: {' '.join(str(error).split())[:200]}: book the month anew "
                "with bean-compute bulk"
            ) from None
        with localcontext(WIDE):
            return tuple([self._movement(row, Month.parse(month)) for row in found])

    def _movement(self, row: tuple[Any, ...], month: Month) -> Movement:
        name, commodity, cost, currency, since, origin, end, units = row
        pocket = Pocket(name)
        number = cost_of(cost, currency)
        lot = LotKey(number, currency, since, Month.of(since).name, origin, end, None)
        account = self._accounts.pooled(ROLE_OF_POCKET[pocket], "", origin)
        of = "", pocket, origin, commodity, units, currency, units * cost, lot, account
        return Movement(month.last, month.name, Flow.OPENING, *of, SUMMED, False)
