"""The sums of a plain month's days, by lots that are alike but for their cost.

2026-05-20  consumption  allocations pro 2026-05-01/2026-06-01   200 CU   40.00 USD
2026-05-20  consumption  revenue pro                                     -40.00 USD
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from beancount_compute.bulk.folder.month_tables import day_row
from beancount_compute.bulk.plain.lot_keys import NEVER, POCKETS_IN_ORDER, Ints
from beancount_compute.bulk.plain.plain_lots import Arrivals, DrawnByDay, Ended
from beancount_compute.bulk.plain.plain_month import PlainBooks
from beancount_compute.bulk.plain.plain_rows import DAYS
from beancount_compute.bulk.rows.steps import StepSizes, cost_halves, in_whole
from beancount_compute.economy import Kind, Role, decimals_of

INCOME = {Kind.CONSUMPTION.value: Role.REVENUE, Kind.EXPIRY.value: Role.BREAKAGE}


class Words(NamedTuple):
    """What integers stand for."""

    names: pa.Array  # of subscribers, by code
    commodities: Sequence[str]
    origins: Sequence[str]
    currencies: Sequence[str]
    first: date
    scale: StepSizes


class _MovedByDay(NamedTuple):
    """What one kind moves, by day and group of lots."""

    kind: Kind
    out: bool
    sums: DrawnByDay


def plain_days(books: PlainBooks, words: Words) -> Iterator[tuple[Any, ...]]:
    """The sums of each day."""
    commodities = len(words.commodities)
    good = np.repeat(books.good, commodities)
    ended = books.ended.some(good[books.ended.row])
    minted = ended.token >= 0
    arrived = books.arrived.some(good[books.arrived.row])
    moved: list[tuple[Kind, bool, Ended | Arrivals, Ints]] = [
        (Kind.EXPIRY, True, ended.some(~minted), ended.key[~minted]),
        (Kind.MINT, True, ended.some(minted), ended.key[minted]),
        (Kind.MINT, False, ended.some(minted), ended.token[minted]),
        (Kind.ALLOCATION, False, arrived, arrived.key),
    ]
    yield from _day_rows(_MovedByDay(Kind.CONSUMPTION, True, books.drawn), books, words)
    for kind, out, lots, key in moved:
        group = books.group[key] + lots.row % commodities
        sums = DrawnByDay(*[np.zeros_like(each) for each in books.drawn])
        halves = cost_halves(lots.units, books.keys.cost[key])
        for total, each in zip(sums, (lots.units, *halves), strict=True):
            np.add.at(total, (lots.day, group), each)
        yield from _day_rows(_MovedByDay(kind, out, sums), books, words)
    yield from _money_rows(books, words)


def _day_rows(moved: _MovedByDay, books: PlainBooks, words: Words) -> Iterator[tuple[Any, ...]]:
    kind, out, sums = moved
    income: defaultdict[tuple[date, str, str], int] = defaultdict(int)
    for day, place in np.argwhere(sums.units).tolist():
        units, high, low = (int(each[day, place]) for each in sums)
        cost = in_whole(high, low)
        on = words.first + timedelta(day)
        group, commodity = divmod(place, len(words.commodities))
        pocket, _, currency_at, lot_day, origin_at, lot_end = (
            int(column[group]) for column in books.groups
        )
        currency, origin = words.currencies[currency_at], words.origins[origin_at]
        yield day_row(
            on,
            kind.value,
            "",
            POCKETS_IN_ORDER[pocket],
            currency,
            words.commodities[commodity],
            origin,
            date.fromordinal(lot_day),
            None if lot_end == NEVER else date.fromordinal(lot_end),
            currency,
            out,
            Decimal(units).scaleb(-words.scale.units),
            _money(cost if out else -cost, words),
        )
        income[on, currency, origin] -= cost
    if role := INCOME.get(kind.value):
        for (on, currency, origin), cost in income.items():
            if cost:
                yield _of_role(on, kind, role, currency, origin, _money(cost, words))


def _of_role(
    on: date, kind: Kind, role: Role, currency: str, origin: str, amount: Decimal
) -> tuple[Any, ...]:
    """The row of an account that holds no units."""
    of_no_lots = "", origin, None, None, None, True, Decimal()
    return day_row(on, kind.value, "", role.value, currency, *of_no_lots, amount)


def _money_rows(books: PlainBooks, words: Words) -> Iterator[tuple[Any, ...]]:
    """What is owed for units that come in, and for use beyond the holdings."""
    receipts = books.receipts
    kept = books.good[receipts.code]
    names = receipts.origin[kept], receipts.currency[kept]
    for on, plan, unit, amount in _by_day(receipts.day[kept], *names, receipts.paid[kept]):
        name, origin = words.currencies[unit], words.origins[plan]
        owed = Decimal(amount).scaleb(-decimals_of(name))
        day = words.first + timedelta(on)
        yield _of_role(day, Kind.ALLOCATION, Role.RECEIVABLE, name, origin, owed)
    overage = books.overage
    charges = overage.charges(books.good)
    of_plan = overage.only.plan[charges.code]
    of_unit = np.zeros_like(of_plan)  # a plan has one
    for on, plan, _, amount in _by_day(charges.day, of_plan, of_unit, charges.amount):
        origin, name = overage.only.plans[plan], overage.currencies[plan]
        owed = Decimal(amount).scaleb(-decimals_of(name))
        day = words.first + timedelta(on)
        yield _of_role(day, Kind.CONSUMPTION, Role.RECEIVABLE, name, origin, owed)
        yield _of_role(day, Kind.CONSUMPTION, Role.OVERAGE, name, origin, -owed)


def _by_day(day: Ints, origin: Ints, currency: Ints, amount: Ints) -> Iterator[list[int]]:
    """Amounts added up by day, origin and currency; those that are zero left out."""
    if not len(day):
        return
    origins, currencies = int(origin.max()) + 1, int(currency.max()) + 1
    packed = (day * origins + origin) * currencies + currency
    sums = np.zeros(DAYS * origins * currencies, np.int64)
    np.add.at(sums, packed, amount)
    for at in np.flatnonzero(sums).tolist():
        rest, of_currency = divmod(at, currencies)
        yield [*divmod(rest, origins), of_currency, int(sums[at])]


def _money(cost: int, words: Words) -> Decimal:
    return Decimal(cost).scaleb(-words.scale.units - words.scale.cost)
