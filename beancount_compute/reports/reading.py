"""From booked transactions to movements of units: one pass, made to be quick.

    2026-05-20 * "alice" "Consumption" #compute-consumption
      Liabilities:DeferredRevenue:Allocations:Alice    200 CU {0.20 USD, 2026-05-01, "pro/..."}
      Income:Compute                                -40.00 USD

becomes the movement of -200 CU and -40.00 USD out of alice's allocations: used. What the money
means is read when it is asked for (`reading_money.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, localcontext
from operator import attrgetter
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Transaction
from beancount.core.position import Cost

from beancount_compute.economy import (
    EARNINGS,
    KINDS,
    ROLE_OF_POCKET,
    WIDE,
    ZERO,
    Flow,
    Flows,
    LegOrigin,
    Month,
    Pocket,
    cost_of,
)
from beancount_compute.ledger import (
    BY_HAND,
    EARNED,
    IN_BULK,
    LAPSED,
    OPENING,
    Meaning,
    lapsed_of,
    money_of,
    why_of,
)
from beancount_compute.reports.facts import LotKey, Movement

_of_lot = attrgetter("cost", "currency", "origin")
_new = tuple.__new__
_FLOWS: dict[str, Mapping[Pocket, Flows]] = {
    **{kind: row.moves for kind, row in KINDS.items()},
    BY_HAND: dict.fromkeys(Pocket, Flows(Flow.REMOVED, Flow.REMOVED)),
    OPENING: dict.fromkeys(Pocket, Flows(Flow.OPENING, Flow.REMOVED)),
}
_ENTERED = dict.fromkeys(Pocket, Flows(Flow.ENTERED, Flow.REMOVED))
# Of these all money is what their lots carry, and is read with them; but for overage.
_BY_LOTS = frozenset(
    kind
    for kind, row in KINDS.items()
    if row.moves
    and all(
        leg.origin in (LegOrigin.OVERAGE, LegOrigin.LAPSED)
        or (leg.origin is LegOrigin.LOTS and leg.role in EARNINGS)
        for leg in row.money
    )
)


class Unread(NamedTuple):
    """A transaction whose money may mean more than what its lots earned."""

    at: int  # its place among all
    month: str
    kind: str  # what it books, or undoes
    undoes: bool
    first: int  # its movements among all
    end: int


class Units(NamedTuple):
    """What a ledger says of units."""

    movements: tuple[Movement, ...]
    unread: tuple[Unread, ...]
    holders: frozenset[str]  # the subscribers whose pockets were posted to
    kinds: frozenset[str]  # what was booked


def read_units(transactions: Sequence[Transaction], meaning: Meaning) -> Units:
    """The movements of transactions in the order of the books."""
    reader = _Reader(meaning)
    with localcontext(WIDE):
        reader.read(transactions)
    holders = [subscriber for _, subscriber in filter(None, meaning.pockets.values())]
    return Units(tuple(reader.movements), tuple(reader.unread), frozenset(holders), meaning.kinds)


class _Reader:
    """Reads transactions; its sums need `WIDE`."""

    def __init__(self, meaning: Meaning) -> None:
        self.movements: list[Movement] = []
        self.unread: list[Unread] = []
        self._meaning = meaning
        self._months: dict[date, str] = {}
        self._lots: dict[Cost, LotKey] = {}
        self._none: dict[date, LotKey] = {}  # of postings that name no lot
        self._lots_by_id: dict[int, LotKey] = {}  # of their Cost, which is mostly shared

    def read(self, transactions: Sequence[Transaction]) -> None:
        """Add the movements of transactions; all that is looked up in the loop is at hand."""
        meaning = self._meaning
        kind_of, pocket_of, pockets = meaning.kind, meaning.pocket, meaning.pockets
        months, lots = self._months, self._lots_by_id
        movements, add = self.movements, self.movements.append
        number: Any  # a Decimal, as is looked at below
        for at, (meta, day, _, _, _, tags, _, postings) in enumerate(transactions):
            kind, undoes = kind_of(tags, meta)
            if kind == IN_BULK:
                continue
            month = months.get(day) or self._month(day)
            why = why_of(meta) if kind == OPENING else ""
            flows = _ENTERED if why else _FLOWS[kind]
            first = len(movements)
            for account, units, cost, _, _, _ in postings:
                pocket = pockets[account] if account in pockets else pocket_of(account)
                if pocket is None:
                    continue
                if units.__class__ is not Amount or units[0].__class__ is not Decimal:
                    continue  # an error of Beancount's booking, which it has reported
                number, commodity = units
                lot = lots.get(id(cost)) or self._lot(cost, day)
                unit_cost, currency, origin = _of_lot(lot)
                holding, subscriber = pocket
                into, out = flows[holding]
                flow = out if (number > ZERO) is not undoes else into
                # fmt: off
                fields = (
                    day, month, flow, subscriber, holding, origin, commodity, -number, currency,
                    -(number * unit_cost), lot, account, at, undoes, why,
                )
                # fmt: on
                add(_new(Movement, fields))
            if EARNED in meta and kind not in (BY_HAND, OPENING):
                self._read_earned(meta[EARNED], first)
            if LAPSED in meta and kind not in (BY_HAND, OPENING):
                self._read_lapsed(transactions[at], at, undoes)
            if kind not in _BY_LOTS or "overage" in meta:
                unread = (at, month, kind, undoes, first, len(movements))
                self.unread.append(_new(Unread, unread))

    def _read_earned(self, earned: Any, first: int) -> None:
        """Access that was earned until a change: as much of what leaves its lot."""
        amount = money_of(earned)
        left = amount.number if amount else ZERO
        moved: list[Movement] = []
        for each in self.movements[first:]:
            part = min(left, -each.units) if each.pocket is Pocket.ACCESS else ZERO
            if part > ZERO:
                left -= part
                moved.append(each._replace(flow=Flow.EARNED, units=-part, amount=-part))
                each = each._replace(units=each.units + part, amount=each.amount + part)
            moved += [each] if each.units else []
        self.movements[first:] = moved

    def _read_lapsed(self, entry: Transaction, at: int, undoes: bool) -> None:
        """Units of lots that had lapsed: they did not expire, and left in another way."""
        kind, _ = self._meaning.kind(entry.tags, entry.meta)
        day, month, holder = entry.date, self._month(entry.date), entry.payee or ""
        for pocket, number, commodity, cost in lapsed_of(entry.meta):
            lot = self._lot_of(cost)
            accounts = self._meaning.accounts
            account = accounts.account(ROLE_OF_POCKET[pocket], holder, lot.origin)
            both = zip(_FLOWS[kind][pocket], (number, -number), strict=True)
            for flow, units in sorted(both, key=lambda each: -each[1]):  # they come, then go
                # fmt: off
                self.movements.append(Movement(
                    day, month, flow, holder, pocket, lot.origin, commodity, units, lot.currency,
                    units * lot.cost, lot, account, at, undoes,
                ))
                # fmt: on

    def _month(self, day: date) -> str:
        month = self._months[day] = Month.of(day).name
        return month

    def _lot(self, cost: object, day: date) -> LotKey:
        if not isinstance(cost, Cost):
            none = LotKey(ZERO, "", day, self._month(day), "", None, None)
            return self._none.setdefault(day, none)
        lot = self._lot_of(cost)
        self._lots_by_id[id(cost)] = lot
        return lot

    def _lot_of(self, cost: Cost) -> LotKey:
        lot = self._lots.get(cost)  # 0 and 0.00 are one lot
        if lot is None:
            number, currency, since, label = cost
            month = self._months.get(since) or self._month(since)
            origin, end = self._meaning.label(label)
            number = cost_of(number, currency)
            fields = (number, currency, since, month, origin, end, cost)
            lot = self._lots[cost] = _new(LotKey, fields)
        return lot
