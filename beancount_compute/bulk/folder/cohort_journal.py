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

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa

from beancount_compute.bulk.bulk_terms import BulkError, BulkTerms
from beancount_compute.bulk.folder.month_tables import Tables
from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.economy import (
    PRICE_STEP,
    ROLES,
    WIDE,
    ZERO,
    Month,
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
    table: EventTable, made: Tables, bulk: BulkTerms, opened: Collection[str]
) -> CohortJournal:
    """The journal of a month from the sums of its days; some accounts are opened already."""
    rows = sorted(_cohorts(table, made["days"]), key=_place)
    _refuse_earlier(rows, bulk)
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
    lines += [*body, *_price_lines(made["prices"])]
    return CohortJournal("\n".join(lines).rstrip("\n") + "\n", new)


def _refuse_earlier(rows: Sequence[DayRow], bulk: BulkTerms) -> None:
    """The first month books nothing of months before it: they are closed one by one."""
    if rows and rows[0]["date"] < bulk.month.first:
        day, what = rows[0]["date"], _narration(rows[0]["kind"], rows[0]["undoes"])
        raise BulkError(
            f"the ledger's terms and openings give a booking of {day} already ({what}), before "
            f"{bulk.month}: book {Month.of(day)} first, if need be from a file without rows; or "
            "begin them in the month (a capacity with `started`)"
        )


def _place(row: DayRow) -> tuple[Any, ...]:
    names = (
        "date",
        "kind",
        "undoes",
        "role",
        "holder",
        "commodity",
        "origin",
        "cohort",
        "currency",
    )
    return tuple(row[name] for name in names)


def _narration(kind: str, undoes: str) -> str:
    return f"Reversal of {undoes}" if undoes else kind.capitalize()


def _cohorts(table: EventTable, days: pa.Table) -> list[DayRow]:
    """The days by cohort: of lots only the month in which they were allocated is told."""
    table.register("days_given", days)
    month = "CASE WHEN units_in <> 0 OR units_out <> 0 THEN left(CAST(lot_date AS VARCHAR), 7) END"
    found = table.arrow(
        "SELECT date, kind, undoes, role, holder, commodity, origin, "
        f"coalesce({month}, '') AS cohort, currency, "
        "sum(units_in) AS units_in, sum(units_out) AS units_out, sum(amount) AS amount "
        "FROM days_given GROUP BY ALL"
    )
    rows: list[DayRow] = found.to_pylist()
    return rows


def _postings(rows: Iterable[DayRow], accounts: Accounts, used: set[str]) -> Iterator[str]:
    money: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        role, currency = Role(row["role"]), row["currency"]
        account = accounts.pooled(role, row["holder"], row["origin"])
        if ROLES[role].pocket is None:
            with localcontext(WIDE):
                money[account, currency] = money.get((account, currency), ZERO) + row["amount"]
            continue
        used.add(account)
        yield f"  {account}  {_number(row['amount'], currency)} {currency}"
        yield f"    cohort: {quoted(row['origin'] + ' ' + row['cohort'])}"
        for key, name in (("units-in", "units_in"), ("units-out", "units_out")):
            if row[name]:
                yield f"    {key}: {digits_of(trim(row[name], 0))} {row['commodity']}"
    for (account, currency), amount in money.items():
        if amount:
            used.add(account)
            yield f"  {account}  {_number(amount, currency)} {currency}"


def _number(number: Decimal, currency: str) -> str:
    return digits_of(trim(number, decimals_of(currency)))


def _price_lines(prices: pa.Table) -> Iterator[str]:
    """The average prices of the days' trades."""
    for row in sorted(prices.to_pylist(), key=lambda each: tuple(each.values())[:3]):
        average = round_half_even(WIDE.divide(row["gross"], row["units"]), PRICE_STEP)
        number = _number(average, row["currency"])
        yield f"{row['date']} price {row['commodity']} {number} {row['currency']}"
