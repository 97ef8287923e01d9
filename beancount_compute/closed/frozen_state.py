"""The state at a closed month's end, beside its story: what the next month goes on from.

    state,2026-05,1
    bulk,../bulk/2026-05/lots.parquet,88213,sha256:...
    deferred,280.00,USD
    known,alice
    lot,alice,allocations,800,CU,0.20,USD,2026-05-01,pro,2026-06-01
    subscription,s-1,alice,pro,2026-05-01,2026-06-01,1,1,,ended
    cancelled,c-1,s-1,2026-05-20
    arrears,s-1,period,2026-05-01,2026-05-01,2026-06-01
    unbilled,s-1,15.00,USD
    minimum,s-1,commit,2026-04-01,2026-07-01,100.00,USD,70.00,0,
    changed,s-1,2026-05-01,basic,2026-05-12
    days,alice,1.00,USD,2026-05-12,pro,2026-06-01
    access,USD,2026-05-16
    credits,OAI,openai
    capacity,gpu,2026-06-01,2026-06-01,0.00,100.00,USD,0
    accrued,llama,chat/output,2026-05-20,20.00,USD
    billed,llama,USD,2026-04-01,2026-04-30
    earned,revenue,alice,40.00,USD
    account,Income:Compute,2026-05-20
    lapsed,alice,allocations,3,CU,0.20,USD,2026-04-01,pro,2026-05-01,2026-05-01,2,2026-08-01
    pack,summary.txt,sha256:...

Each row begins with what it is. `lapsed` are the lots that met their end in the month: on which
day, how much of them was minted, and until when those tokens last. `days` are lots of access that a
change cut short, and that are earned by days. `bulk` are the files of a month that was booked in
bulk: all that subscribers hold stands in them. `capacity` says of which days its first line and the
one in force are, what was depreciated before that one and by now, and the units served since.
`arrears`, `unbilled`, `minimum`, `changed` and `at-once` are told in `running_rows.py`. A number in
the first row tells how this is written.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, localcontext
from functools import lru_cache
from io import StringIO
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from beancount.core.amount import Amount

from beancount_compute.closed.bulk_files import SealedFile
from beancount_compute.closed.content import escaped, unescaped
from beancount_compute.closed.running_rows import rows_beside
from beancount_compute.economy import (
    STOCK,
    WIDE,
    ZERO,
    Depreciation,
    Key,
    Lot,
    Pocket,
    day_text,
    decimals_of,
    digits_of,
    key_of,
    trim,
)
from beancount_compute.economy.carried import Carried, Running
from beancount_compute.ledger import csv_text

FORMAT = "1"
_POCKETS = {pocket.value: pocket for pocket in Pocket}
_day = lru_cache(1 << 12)(date.fromisoformat)
NOT_BOOKED = ("pack", "bulk")  # rows about files, which nobody makes again by booking
SEPARATOR = "\x1f"  # of the cells of a row by value
_NAMES = {
    "known": 1,
    "lot": 1,
    "subscription": 2,
    "period": 1,
    "late": 1,
    "earned": 2,
    "lapsed": 1,
    "days": 1,
}
_NUMBERS = {
    "deferred": (1,),
    "lot": (3, 5),
    "late": (2,),
    "days": (2,),
    "accrued": (4,),
    "earned": (3,),
    "lapsed": (3, 5, 11),
    "capacity": (4, 5, 7),
    "subscription": (10,),
    "unbilled": (2,),
    "minimum": (5, 7, 8),
}


class Lapse(NamedTuple):
    """A lot that met its end."""

    lot: Lot
    units: Decimal
    day: date
    minted: Decimal = ZERO  # of the units
    token_end: date | None = None


class State(NamedTuple):
    """All that a closed month hands on."""

    month: str
    carried: Carried
    by_account: frozenset[str] = frozenset()  # known by the account of their opening lots only
    first_used: Mapping[str, date] = MappingProxyType({})  # accounts, with their first day
    lapsed: Iterable[Lapse] = ()
    pack: Mapping[str, str] = MappingProxyType({})  # digests of the close pack, by file
    bulk: Sequence[SealedFile] = ()
    held_in_bulk: tuple[Amount, ...] = ()  # what those files say that lots cost

    @property
    def named(self) -> set[str]:
        """Whom events and bookings named."""
        return {*self.carried.known} - self.by_account

    @property
    def deferred(self) -> tuple[Amount, ...]:
        """Deferred revenue: the cost of the open lots, by currency."""
        if self.bulk:
            return self.held_in_bulk
        held: dict[str, Decimal] = {}
        with localcontext(WIDE):
            for lot, units in self.carried.lots:
                if lot.pocket is STOCK:
                    continue
                held[lot.currency] = held.get(lot.currency, ZERO) + units * lot.cost
        return tuple(
            Amount(trim(number, decimals_of(currency)), currency)
            for currency, number in sorted(held.items())
        )


StateRow = list[str]


def rows_of(state: State) -> list[StateRow]:
    """The rows that say a state."""
    carried = state.carried
    rows: list[StateRow] = [["state", state.month, FORMAT]]
    rows += [["bulk", each.path, str(each.size), each.digest] for each in state.bulk]
    rows += [["deferred", f"{each.number:f}", each.currency] for each in state.deferred]
    for name in sorted(carried.known):
        rows.append(["known", name, *(["account"] * (name in state.by_account))])
    rows += [["lot", *_lot(lot, units)] for lot, units in carried.lots]
    for subscription in carried.subscriptions:
        rows.append(_subscription(subscription))
        if subscription.cancelled:
            cancellation, on = subscription.cancelled
            rows.append(["cancelled", cancellation, subscription.id, day_text(on)])
        rows += rows_beside(subscription)
    rows += [["period", name, day_text(end)] for name, end in carried.period_ends]
    for (name, key), day in sorted(carried.terms_days.items(), key=str):
        rows.append(["late", name, *_key(key), str(day)])
    rows += [["days", name, *_key(key)] for name, key in carried.by_days]
    rows += [["access", of, day_text(day)] for of, day in sorted(carried.access_since.items())]
    rows += [["credits", *each] for each in sorted(carried.provider_of.items())]
    rows += [_capacity(*each) for each in sorted(carried.depreciations.items())]
    for (provider, meter, day, currency), number in carried.accrued.items():
        rows.append(["accrued", provider, meter, day_text(day), digits_of(number), currency])
    for provider, currency, days in carried.billed:
        rows.append(["billed", provider, currency, *map(day_text, days)])
    for (role, name, currency), number in sorted(carried.earned.items()):
        rows.append(["earned", role.value, name, digits_of(number), currency])
    rows += [["account", name, day_text(day)] for name, day in sorted(state.first_used.items())]
    for each in state.lapsed:
        minted = [digits_of(each.minted), _end_text(each.token_end)]
        rows.append(["lapsed", *_lot(each.lot, each.units), day_text(each.day), *minted])
    rows += [["pack", *each] for each in sorted(state.pack.items())]
    return rows


def state_text(rows: Sequence[StateRow]) -> str:
    """The rows of a state as CSV."""
    said = "".join(chain.from_iterable(rows))
    return csv_text(rows if escaped(said) == said else [[*map(escaped, row)] for row in rows])


def read_rows_of_state(text: str) -> list[StateRow]:
    """The rows of a text, with the blank ones, so that a row's place is its line."""
    rows = list(csv.reader(StringIO(text, newline="")))
    return rows if "\\" not in text else [[*map(unescaped, row)] for row in rows]


def as_stated(rows: Iterable[StateRow], stated: Iterable[StateRow]) -> list[StateRow]:
    """The rows as a state says them that may be older: without a kind that it did not know yet."""
    known = any(row[:1] == ["cancelled"] for row in stated)
    return [row for row in rows if known or row[:1] != ["cancelled"]]


def items_of_rows(rows: Iterable[StateRow]) -> list[str]:
    """The rows by value."""
    return ["state " + SEPARATOR.join(_by_value(row)) for row in rows if row]


def _by_value(row: StateRow) -> StateRow:
    """A row without idle zeros."""
    numbers = [at for at in _NUMBERS.get(row[0], ()) if at < len(row) and "." in row[at]]
    if numbers:
        row = [*row]
        for at in numbers:
            row[at] = row[at].rstrip("0").rstrip(".")
    return row


def deferred_in(rows: Iterable[StateRow]) -> tuple[Amount, ...]:
    """The deferred revenue that rows state."""
    return tuple(Amount(Decimal(row[1]), row[2]) for row in rows if row[:1] == ["deferred"])


def _lot(lot: Lot, units: Decimal) -> StateRow:
    holder, pocket, commodity, *_ = lot
    return [holder, pocket.value, digits_of(units), commodity, *_key(key_of(lot))]


def _key(key: Key) -> StateRow:
    cost, currency, day, origin, end = key
    return [digits_of(cost), currency, day_text(day), origin, _end_text(end)]


def _end_text(end: date | None) -> str:
    return "" if end is None else day_text(end)


def _capacity(name: str, each: Depreciation) -> StateRow:
    days = [day_text(each.first), day_text(each.since)]
    money = [digits_of(each.before), digits_of(each.so_far), each.currency]
    return ["capacity", name, *days, *money, digits_of(each.served)]


def _subscription(each: Running) -> StateRow:
    days = [day_text(each.start), day_text(each.period_end)]
    marks = ["days" * each.counted_in_days, "ended" * each.ended]
    counts = [str(each.periods), str(each.day_of_month)]
    less = [digits_of(each.discount), each.currency] if each.discount else []
    return ["subscription", each.id, each.subscriber, each.plan, *days, *counts, *marks, *less]


def holders_named(state: State, names: Mapping[str, str]) -> State:
    """The state with names for those who are known by an account only."""
    new = {name: names[name] for name in state.by_account if name in names}
    if not new:
        return state
    carried = state.carried

    def name_of(name: str) -> str:
        return new.get(name, name)

    lots = [
        (
            lot
            if lot.holder not in new or lot.pocket is STOCK
            else Lot(name_of(lot.holder), *lot[1:]),
            units,
        )
        for lot, units in carried.lots
    ]
    known = [name_of(name) for name in carried.known]
    return state._replace(carried=carried._replace(lots=lots, known=known))


def named_by_account(rows: Iterable[StateRow], component: Callable[[str], str]) -> list[StateRow]:
    """The rows with account components for names, and without what a later name would change."""
    found: list[StateRow] = []
    for row in rows:
        at = _NAMES.get(row[0]) if row else None
        if at is not None:
            row = [*row[:at], component(row[at]), *row[at + 1 :]]
            row = row[:2] if row[0] == "known" else row
        if row and row[0] not in NOT_BOOKED:
            found.append(row)
    return found


def first_rows(text: str) -> Iterator[StateRow]:
    """The rows before those of subscribers: enough for the figures of a seal."""
    for row in csv.reader(StringIO(text, newline="")):
        if row and row[0] not in ("state", "bulk", "deferred"):
            return
        yield row
