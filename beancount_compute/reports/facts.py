"""What a loaded ledger says, as flat tuples: the input of every report.

    2026-05-20 * "alice" "Consumption" #compute-consumption
      Liabilities:DeferredRevenue:Allocations:Alice    200 CU {0.20 USD, 2026-05-01, "pro/..."}
      Income:Compute                                -40.00 USD

is one `Movement` (used, alice, allocations, pro, -200 CU, -40.00 USD) and one `Income` (compute,
alice, pro, 40.00 USD). `at` is the place of the transaction in `Books.transactions`, so that each
figure finds its sources again. A reversal is the negative of what it undoes, under the same name.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import NamedTuple

from beancount.core.position import Cost

from beancount_compute.economy import Earning, Flow, Kind, Pocket, Role

SUMMED = -1  # in place of a transaction: many of them, added up


class _LotKeyFields(NamedTuple):
    cost: Decimal  # per unit, of `currency`; zero and "" where a posting names no lot
    currency: str
    date: datetime.date
    month: str  # of the date: the vintage
    origin: str  # a plan, "top-up" or "grant"
    end: datetime.date | None  # the first day on which it is no longer usable
    written: Cost | None  # as the posting has it


class LotKey(_LotKeyFields):
    """What tells a lot from others, whoever holds it and in which pocket.

    Equal lots of the books are the same object and compare as such: their numbers take long.
    """

    __slots__ = ()
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__


class Movement(NamedTuple):
    """Units that entered (above zero) or left (below zero) a pocket, at carrying amount."""

    date: datetime.date
    month: str  # "2026-05"
    flow: Flow
    subscriber: str
    pocket: Pocket
    origin: str
    commodity: str
    units: Decimal
    currency: str
    amount: Decimal  # units x unit cost: what it adds to deferred revenue
    lot: LotKey
    account: str
    at: int
    undoes: bool  # it belongs to a reversal
    why: str = ""  # of opening lots that came after the books began


class Income(NamedTuple):
    """An amount that was recognised as income, of one lot where there is one."""

    date: datetime.date
    month: str
    earning: Earning
    subscriber: str  # whose units were used or lapsed; who paid the fee
    origin: str  # "" where no plan can be told
    currency: str
    amount: Decimal  # above zero for income
    lot: LotKey | None  # its date is the vintage; None for overage
    at: int
    undoes: bool
    kind: str  # what was booked (`economy.kinds.Kind`), or undone


def of_minimum(income: Income) -> bool:
    """Whether it is breakage of a minimum, and of no lot: what lapses is that of lots."""
    return income.earning is Earning.BREAKAGE and income.kind != Kind.EXPIRY


class Trade(NamedTuple):
    """An executed sale between subscribers; units, money and count are negative in a reversal."""

    date: datetime.date
    month: str
    seller: str
    buyer: str
    commodity: str
    units: Decimal
    price: Decimal  # per unit; gross / units, to 0.000001, where no posting could carry it
    currency: str
    gross: Decimal
    seller_fee: Decimal
    buyer_fee: Decimal
    lots: tuple[tuple[LotKey, Decimal], ...]  # with their units, in draw-down order
    times: int  # 1, or -1 for a reversal; how many, where they are added up
    at: int
    traded: datetime.date | None = None  # of many added up the day of the trades, or of the undone


class Owed(NamedTuple):
    """Money on receivable, payable or a partner's account; a debit is above zero."""

    date: datetime.date
    month: str
    role: Role
    party: str  # as the role's row says; "" where it can't be told
    amount: Decimal
    currency: str
    kind: str  # what was booked (`economy.kinds.Kind`); "" for one written by hand
    at: int
    account: str
    plan: str  # whose units or overage it bills; "" where it bills none


class Lost(NamedTuple):
    """A bad debt, a loss beyond a contract, or what was recovered, which is below zero."""

    date: datetime.date
    month: str
    role: Role
    subscriber: str
    origin: str  # the plan of what was paid
    amount: Decimal
    currency: str
    at: int


class DatedPrice(NamedTuple):
    """A `price` directive: the average of a day's trades, or one that the ledger gives itself."""

    date: datetime.date
    commodity: str
    number: Decimal
    currency: str
    own: bool  # the ledger's own


class Reopened(NamedTuple):
    """A closed month that was opened again."""

    date: datetime.date
    month: str
    reason: str
    file: str
    line: int
