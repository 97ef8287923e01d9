"""Rows of subscribers as a table: searched, sorted, added up, with plans and how these stand.

subscriber  plan  status   unit  open units  used of period  carrying amount ...
alice       pro   running  CU         1,300          20.00 %           260.00
total             1 running           1,300          20.00 %           260.00
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from decimal import localcontext
from operator import itemgetter
from unicodedata import combining, normalize

from beancount_compute.close.standing import Status
from beancount_compute.economy import PRICE_STEP, WIDE, ZERO, round_half_even
from beancount_compute.fava_extension.prepared.holdings import Standing
from beancount_compute.fava_extension.prepared.subscriptions import Subscriptions, Used
from beancount_compute.reports import (
    CURRENCY,
    NOT_NAMED,
    PLAN,
    SUBSCRIBER,
    UNIT,
    Cell,
    Column,
    Measure,
    Table,
    grouped,
    written,
)

COLUMNS = (
    SUBSCRIBER,
    PLAN,
    Column("status", "status"),
    UNIT,
    CURRENCY,
    Column("units", "open units", Measure.UNITS),
    Column("share_used", "used of period", Measure.RATE),
    Column("carrying_amount", "carrying amount", Measure.MONEY),
    Column("market_value", "tokens at market", Measure.MONEY),
    Column("access", "access to be earned", Measure.MONEY),
    Column("next_expiry", "next expiry", Measure.DATE),
    Column("receivable", "receivable", Measure.MONEY),
    Column("unbilled", "unbilled", Measure.MONEY),
    Column("payable", "payable", Measure.MONEY),
)
SORTABLE = tuple(column.key for column in COLUMNS)
FIGURES = tuple(column.key for column in COLUMNS if column.is_figure)
OWED = ("receivable", "unbilled", "payable")
WHERE_ANY = ("access", "unbilled")  # columns that few ledgers need


def matching(rows: Iterable[Standing], words: str) -> list[Standing]:
    """The rows whose subscriber holds the words, in whatever case, with accents or without."""
    wanted = _spoken(words)
    return [row for row in rows if wanted in _spoken(row.subscriber)] if wanted else list(rows)


def _spoken(name: str) -> str:
    """A name without case and accents: "Zoë" as "zoe"."""
    if name.isascii():
        return name.lower()
    return "".join([c for c in normalize("NFKD", name.casefold()) if not combining(c)])


def ordered(rows: list[Standing], key: str, *, falling: bool) -> list[Standing]:
    """The rows by a column; what has no such figure comes last, names decide between equals.

    In the order of names, case and accents count last.
    """
    at = SORTABLE.index(key)
    keyed = [(row.cells[at], row) for row in sorted(rows, key=lambda row: _spoken(row.subscriber))]
    having = [each for each in keyed if each[0] is not None and each[0] != ""]
    missing = [row for cell, row in keyed if cell is None or cell == ""]
    if at:
        having.sort(key=itemgetter(0), reverse=falling)
    elif falling:
        having.reverse()
    return [row for _, row in having] + missing


def as_table(
    rows: Iterable[Standing], title: str, *, owed: bool = True, also: Collection[str] = ()
) -> Table:
    """The rows as a table, with or without what is owed; `also` those of `WHERE_ANY`."""
    table = Table(title, COLUMNS, [_written(row) for row in rows], "subscribers")
    left_out = {*(() if owed else OWED), *(key for key in WHERE_ANY if key not in also)}
    return table.only([at for at, column in enumerate(COLUMNS) if column.key not in left_out])


def totals(rows: Iterable[Standing]) -> list[Standing]:
    """The rows added up, by unit and currency, with how many stand how.

    Who has no units counts among the holders of the currency's only one.
    """
    rows = list(rows)
    units_of = grouped({row[1:3] for row in rows if row.commodity}, itemgetter(1))
    only = {currency: pairs[0][0] for currency, pairs in units_of.items() if len(pairs) == 1}
    of_pair = grouped(rows, lambda row: (row.commodity or only.get(row.currency, ""), row.currency))
    found: list[Standing] = []
    with localcontext(WIDE):
        for commodity, currency in sorted(of_pair):
            among = of_pair[commodity, currency]
            values = [row.value for row in among if row.value is not None]
            found.append(
                Standing(
                    "total",
                    commodity,
                    currency,
                    units=sum([row.units for row in among], ZERO),
                    carrying=sum([row.carrying for row in among], ZERO),
                    value=sum(values, ZERO) if values else None,
                    end=None,
                    receivable=sum([row.receivable for row in among], ZERO),
                    unbilled=sum([row.unbilled for row in among], ZERO),
                    payable=sum([row.payable for row in among], ZERO),
                    access=sum([row.access for row in among], ZERO),
                    status=_counted([row.status for row in among]),
                    used=Used(
                        sum([row.used.allocated for row in among], ZERO),
                        sum([row.used.used for row in among], ZERO),
                    ),
                )
            )
    return found


def _counted(statuses: Sequence[str]) -> str:
    return ", ".join(f"{statuses.count(each):,} {each}" for each in Status if statuses.count(each))


def with_plans(
    rows: Iterable[Standing], subscriptions: Subscriptions, day: date, plan: str = ""
) -> list[Standing]:
    """The rows with the plans of their subscribers, how these stand, and what of them was used."""
    found: list[Standing] = []
    for row in rows:
        on = subscriptions.on(day, row.subscriber, plan)
        used = subscriptions.used(day, row.subscriber, row.commodity, plan)
        found.append(row._replace(plan=", ".join(on.plans), status=on.status, used=used))
    return found


def _written(row: Standing) -> tuple[Cell, ...]:
    money = [
        written(Measure.MONEY, number, row.currency)
        for number in (row.carrying, row.value, row.access, *row[7:10])
    ]
    units = written(Measure.UNITS, row.units, "")
    end = str(row.end) if row.end else None
    name = row.subscriber or NOT_NAMED
    share = row.used.share
    rate = None if share is None else round_half_even(share, PRICE_STEP)
    labels = (name, row.plan, row.status, row.commodity, row.currency)
    return (*labels, units, written(Measure.RATE, rate, ""), *money[:3], end, *money[3:])
