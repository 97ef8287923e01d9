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

from beancount_compute.bulk.lot_keys import NEVER, POCKETS_IN_ORDER, Ints
from beancount_compute.bulk.month_tables import day_row
from beancount_compute.bulk.plain_lots import cost_halves, in_whole
from beancount_compute.bulk.plain_month import PlainBooks, StepSizes
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


def plain_days(books: PlainBooks, words: Words) -> Iterator[tuple[Any, ...]]:
    """The sums of each day."""
    sums: defaultdict[tuple[int, Kind, int, bool], list[int]] = defaultdict(lambda: [0, 0])
    for day, drawn in enumerate(books.drawn):
        for place in np.flatnonzero(drawn.units):
            cost = in_whole(int(drawn.cost_high[place]), int(drawn.cost_low[place]))
            sums[day, Kind.CONSUMPTION, int(place), True] = [int(drawn.units[place]), cost]
    commodities = len(words.commodities)
    good = np.repeat(books.good, commodities)
    for ended in books.ended:
        kept, minted = good[ended.row], ended.token >= 0
        for kind, which, of, out in (
            (Kind.EXPIRY, kept & ~minted, ended.key, True),
            (Kind.MINT, kept & minted, ended.key, True),
            (Kind.MINT, kept & minted, ended.token, False),
        ):
            _add(
                sums,
                books,
                ended.day,
                kind,
                ended.row[which] % commodities,
                of[which],
                ended.units[which],
                out,
            )
    arrived = books.arrived
    for day in np.unique(arrived.day):
        which = (arrived.day == day) & good[arrived.row]
        _add(
            sums,
            books,
            int(day),
            Kind.ALLOCATION,
            arrived.row[which] % commodities,
            arrived.key[which],
            arrived.units[which],
            False,
        )
    yield from _day_rows(sums, books, words)
    yield from _receipts(books, words)


def _add(
    sums: dict[tuple[int, Kind, int, bool], list[int]],
    books: PlainBooks,
    day: int,
    kind: Kind,
    commodity: Ints,
    key: Ints,
    units: Ints,
    out: bool,
) -> None:
    if not len(key):
        return
    of = books.group[key] + commodity
    high, low = cost_halves(units, books.keys.cost[key])
    places, place = np.unique(of, return_inverse=True)
    found = [np.zeros(len(places), np.int64) for _ in range(3)]
    for total, each in zip(found, (units, high, low), strict=True):
        np.add.at(total, place, each)
    for at, number, upper, lower in zip(places, *found, strict=True):
        so_far = sums[day, kind, int(at), out]
        so_far[0] += int(number)
        so_far[1] += in_whole(int(upper), int(lower))


def _day_rows(
    sums: dict[tuple[int, Kind, int, bool], list[int]], books: PlainBooks, words: Words
) -> Iterator[tuple[Any, ...]]:
    income: defaultdict[tuple[date, Kind, Role, str, str], int] = defaultdict(int)
    for (day, kind, place, out), (units, cost) in sums.items():
        if not units:
            continue
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
        if role := INCOME.get(kind.value):
            income[on, kind, role, currency, origin] -= cost
    for (on, kind, role, currency, origin), cost in income.items():
        if cost:
            yield _of_role(on, kind, role, currency, origin, _money(cost, words))


def _of_role(
    on: date, kind: Kind, role: Role, currency: str, origin: str, amount: Decimal
) -> tuple[Any, ...]:
    """The row of an account that holds no units."""
    of_no_lots = "", origin, None, None, None, True, Decimal()
    return day_row(on, kind.value, "", role.value, currency, *of_no_lots, amount)


def _receipts(books: PlainBooks, words: Words) -> Iterator[tuple[Any, ...]]:
    receipts = books.receipts
    kept = books.good[receipts.code]
    packed = (receipts.day * len(words.origins) + receipts.origin) * len(words.currencies)
    packed = (packed + receipts.currency)[kept]
    found, place = np.unique(packed, return_inverse=True)
    paid = np.zeros(len(found), np.int64)
    np.add.at(paid, place, receipts.paid[kept])
    for value, number in zip(found.tolist(), paid.tolist(), strict=True):
        rest, currency = divmod(value, len(words.currencies))
        day, origin = divmod(rest, len(words.origins))
        name = words.currencies[currency]
        if number:
            on, origin = words.first + timedelta(day), words.origins[origin]
            amount = Decimal(number).scaleb(-decimals_of(name))
            yield _of_role(on, Kind.ALLOCATION, Role.RECEIVABLE, name, origin, amount)


def _money(cost: int, words: Words) -> Decimal:
    return Decimal(cost).scaleb(-words.scale.units - words.scale.cost)
