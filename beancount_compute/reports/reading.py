"""From booked transactions to movements of units: one pass, made to be quick.

    2026-05-20 * "alice" "Consumption" #compute-consumption
      Liabilities:DeferredRevenue:Allocations:Alice    200 CU {0.20 USD, 2026-05-01, "pro/..."}
      Income:Compute                                -40.00 USD

becomes the movement of -200 CU and -40.00 USD out of alice's allocations: used. What the money
means is read when it is asked for (`reading_money.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Transaction
from beancount.core.position import Cost

from beancount_compute.economy.kinds import BOOKED, Flow, Kind
from beancount_compute.economy.lots import cost_of
from beancount_compute.economy.months import Month
from beancount_compute.economy.roles import Pocket
from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.hand_written import OPENING_TAG
from beancount_compute.ledger.writing import ORDER
from beancount_compute.reports.facts import LotKey, Movement

BY_HAND = ""  # the kind of a hand-written transaction
OPENING = "opening"  # and of one that enters opening lots
BY_LOTS = frozenset([Kind.CONSUMPTION, Kind.EXPIRY])  # they earn what their lots carry
_new = tuple.__new__
Pair = tuple[Flow, Flow]  # of units that enter a pocket, and of units that leave it

_SAME_BOTH_WAYS: dict[str, Flow] = {
    Kind.GRANT: Flow.GRANTED,
    Kind.CONSUMPTION: Flow.USED,
    Kind.MINT: Flow.MINTED,
    Kind.EXPIRY: Flow.EXPIRED,
    Kind.SPEND: Flow.SPENT,
    Kind.REFUND: Flow.REFUNDED,
    BY_HAND: Flow.REMOVED,
}
_PAIRS: dict[str, Pair] = {
    **{kind: (flow, flow) for kind, flow in _SAME_BOTH_WAYS.items()},
    Kind.TRADE: (Flow.TRADED_IN, Flow.TRADED_OUT),
    Kind.TRANSFER: (Flow.TRANSFERRED_IN, Flow.TRANSFERRED_OUT),
    OPENING: (Flow.OPENING, Flow.REMOVED),
}
_FLOWS: dict[str, dict[Pocket, Pair]] = {
    **{kind: dict.fromkeys(Pocket, pair) for kind, pair in _PAIRS.items()},
    Kind.ALLOCATION: {
        Pocket.ALLOCATIONS: (Flow.ALLOCATED, Flow.ALLOCATED),
        Pocket.TOKENS: (Flow.TOPPED_UP, Flow.TOPPED_UP),
    },
}
_REVERSAL = Kind.REVERSAL  # to name a member of an enum takes longer than to compare it
_UNDONE: dict[Any, str] = {kind.value: kind for kind in BOOKED if kind is not Kind.REVERSAL}


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
    other_accounts: frozenset[str]  # all that were posted to and are no pocket's


def read_units(
    transactions: Iterable[Transaction], accounts: Accounts, names: dict[str, str]
) -> Units:
    """The movements of transactions in the order of the books.

    `names` gives the subscriber of an account component.
    """
    reader = _Reader(accounts, names)
    with localcontext(WIDE):
        reader.read(transactions)
    holders = [subscriber for _, subscriber in filter(None, reader.pockets.values())]
    others = [account for account, pocket in reader.pockets.items() if pocket is None]
    movements, unread = tuple(reader.movements), tuple(reader.unread)
    return Units(movements, unread, frozenset(holders), frozenset(others))


class _Reader:
    """Reads transactions; its sums need `WIDE`."""

    def __init__(self, accounts: Accounts, names: dict[str, str]) -> None:
        self.movements: list[Movement] = []
        self.unread: list[Unread] = []
        self.pockets: dict[str, tuple[Pocket, str] | None] = {}  # of all accounts
        self._accounts = accounts
        self._names = names
        self._kinds: dict[frozenset[str], str] = {}
        self._months: dict[date, str] = {}
        self._labels: dict[str | None, tuple[str, date | None]] = {}
        self._lots: dict[Cost, LotKey] = {}
        self._lots_by_id: dict[int, LotKey] = {}  # of their Cost, which is mostly shared

    def read(self, transactions: Iterable[Transaction]) -> None:
        """Add the movements of transactions; all that is looked up in the loop is at hand."""
        kinds, months, pockets, lots = self._kinds, self._months, self.pockets, self._lots_by_id
        movements, add = self.movements, self.movements.append
        number: Any  # a Decimal, as is looked at below
        for at, (meta, day, _, _, _, tags, _, postings) in enumerate(transactions):
            kind = kinds.get(tags) or self._kind(tags)
            undoes = False
            if ORDER not in meta:
                kind = OPENING if tags and OPENING_TAG in tags else BY_HAND
            elif kind == _REVERSAL:
                kind, undoes = _UNDONE.get(meta.get("undoes"), BY_HAND), True
            month = months.get(day) or self._month(day)
            flows = _FLOWS[kind]
            first, others = len(movements), 0
            for account, units, cost, _, _, _ in postings:
                pocket = pockets[account] if account in pockets else self._pocket(account)
                if pocket is None:
                    others += 1
                    continue
                if units.__class__ is not Amount or units[0].__class__ is not Decimal:
                    continue  # an error of Beancount's booking, which it has reported
                number, commodity = units
                lot = lots.get(id(cost)) or self._lot(cost, day)
                unit_cost, currency, _, _, origin, _, _ = lot
                holding, subscriber = pocket
                flow = flows[holding][(number > ZERO) is not undoes]
                # fmt: off
                fields = (
                    day, month, flow, subscriber, holding, origin, commodity, -number, currency,
                    -(number * unit_cost), lot, account, at, undoes,
                )
                # fmt: on
                add(_new(Movement, fields))
            if others > 1 or kind not in BY_LOTS:
                unread = (at, month, kind, undoes, first, len(movements))
                self.unread.append(_new(Unread, unread))

    def _month(self, day: date) -> str:
        month = self._months[day] = Month.of(day).name
        return month

    def _kind(self, tags: frozenset[str]) -> str:
        names = {tag.removeprefix("compute-") for tag in tags or ()}
        kind = next((kind for kind in BOOKED if kind in names), BY_HAND)
        if tags:
            self._kinds[tags] = kind
        return kind

    def _pocket(self, account: str) -> tuple[Pocket, str] | None:
        found = self._accounts.pocket_account(account)
        read = None
        if found is not None:
            read = (found.pocket, self._names.get(found.subscriber, found.subscriber))
        self.pockets[account] = read
        return read

    def _lot(self, cost: object, day: date) -> LotKey:
        if not isinstance(cost, Cost):
            return LotKey(ZERO, "", day, self._month(day), "", None, None)
        lot = self._lots.get(cost)  # 0 and 0.00 are one lot
        if lot is None:
            number, currency, since, label = cost
            month = self._months.get(since) or self._month(since)
            origin, end = self._labels.get(label) or self._label(label)
            number = cost_of(number, currency)
            fields = (number, currency, since, month, origin, end, cost)
            lot = self._lots[cost] = _new(LotKey, fields)
        self._lots_by_id[id(cost)] = lot
        return lot

    def _label(self, label: str | None) -> tuple[str, date | None]:
        origin, _, end = (label or "").partition("/")
        read = self._labels[label] = (origin, _date(end))
        return read


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:  # no end, or a posting that the plugin has refused
        return None
