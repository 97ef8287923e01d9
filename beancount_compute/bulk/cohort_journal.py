"""The month for the general ledger: a balanced transaction a day and kind, on pooled accounts.

2026-05-20 * "Consumption" #compute-bulk
  Liabilities:DeferredRevenue:Allocations     40.00 USD
    cohort: "pro 2026-05"
    out: 200 CU
  Income:Compute                             -40.00 USD

A posting to a pocket is the cost of all lots of one plan, allocated in one month: its metadata says
which, and how many units came in and went out. Which subscriber and which lot stands in Parquet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.economy import (
    POCKETS,
    PRICE_STEP,
    WIDE,
    Role,
    decimals_of,
    digits_of,
    quoted,
    round_half_even,
    trim,
)
from beancount_compute.ledger import BULK_TAG, Accounts

DayRow = dict[str, Any]


class CohortJournal(NamedTuple):
    """A month's journal, and the accounts that it opens."""

    text: str
    opened: list[str]


def journal_of(
    days: pa.Table, prices: pa.Table, bulk: BulkTerms, opened: Collection[str]
) -> CohortJournal:
    """The journal of a month from the sums of its days; some accounts are opened already."""
    rows = sorted(days.to_pylist(), key=_place)
    used: set[str] = set()
    body: list[str] = []
    for (day, kind, undoes), of_kind in groupby(rows, key=lambda row: _place(row)[:3]):
        postings = list(_postings(of_kind, bulk.accounts, used))
        if postings:
            body += [f"{day} * {quoted(_narration(kind, undoes))} #{BULK_TAG}", *postings, ""]
    new = sorted(used.difference(opened))
    first = min([row["date"] for row in rows], default=bulk.month.first)
    lines = [
        f"; {bulk.month}, written by bean-compute bulk: included by the ledger. Don't edit it."
    ]
    lines += ["", *(f"{first} open {account}" for account in new), ""]
    lines += [*body, *_price_lines(prices)]
    return CohortJournal("\n".join(lines).rstrip("\n") + "\n", new)


def _place(row: DayRow) -> tuple[Any, ...]:
    names = ("date", "kind", "undoes", "role", "commodity", "origin", "cohort", "currency")
    return tuple(row[name] for name in names)


def _narration(kind: str, undoes: str) -> str:
    return f"Reversal of {undoes}" if undoes else kind.capitalize()


def _postings(rows: Iterable[DayRow], accounts: Accounts, used: set[str]) -> Iterator[str]:
    for row in rows:
        role, currency = Role(row["role"]), row["currency"]
        of_pocket = role in POCKETS
        if not (row["amount"] or of_pocket):
            continue
        account = accounts.pooled(role, row["origin"])
        used.add(account)
        yield f"  {account}  {_number(row['amount'], currency)} {currency}"
        if of_pocket:
            yield f"    cohort: {quoted(row['origin'] + ' ' + row['cohort'])}"
            for key, name in (("units-in", "units_in"), ("units-out", "units_out")):
                if row[name]:
                    yield f"    {key}: {digits_of(trim(row[name], 0))} {row['commodity']}"


def _number(number: Decimal, currency: str) -> str:
    return digits_of(trim(number, decimals_of(currency)))


def _price_lines(prices: pa.Table) -> Iterator[str]:
    """The average prices of the days' trades."""
    for row in sorted(prices.to_pylist(), key=lambda each: tuple(each.values())[:3]):
        average = round_half_even(WIDE.divide(row["gross"], row["units"]), PRICE_STEP)
        number = _number(average, row["currency"])
        yield f"{row['date']} price {row['commodity']} {number} {row['currency']}"
