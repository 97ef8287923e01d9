"""From booked transactions to movements of units: one pass, made to be quick.

    2026-05-20 * "alice" "Consumption" #compute-consumption
      Liabilities:DeferredRevenue:Allocations:Alice    200 CU {0.20 USD, 2026-05-01, "pro/..."}
      Income:Compute                                -40.00 USD

becomes the movement of -200 CU and -40.00 USD out of alice's allocations: used. What the money
means is the subject of `reading_money.py`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Transaction
from beancount.core.position import Cost

from beancount_compute.economy.journal import Booked
from beancount_compute.economy.lots import Pocket, cost_of
from beancount_compute.economy.rounding import ZERO
from beancount_compute.economy.terms import Terms
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.hand_written import OPENING_TAG
from beancount_compute.ledger.writing import ORDER
from beancount_compute.reports.facts import Earning, Flow, Income, LotKey, Movement
from beancount_compute.reports.reading_money import BY_HAND, OPENING, MoneyReader, Posted, Seen

_new = tuple.__new__
Pair = tuple[Flow, Flow]  # of units that enter a pocket, and of units that leave it

_SAME_BOTH_WAYS: dict[str, Flow] = {
    Booked.GRANT: Flow.GRANTED,
    Booked.CONSUMPTION: Flow.USED,
    Booked.MINT: Flow.MINTED,
    Booked.EXPIRY: Flow.EXPIRED,
    Booked.SPEND: Flow.SPENT,
    Booked.REFUND: Flow.REFUNDED,
    BY_HAND: Flow.REMOVED,
}
_PAIRS: dict[str, Pair] = {
    **{kind: (flow, flow) for kind, flow in _SAME_BOTH_WAYS.items()},
    Booked.TRADE: (Flow.TRADED_IN, Flow.TRADED_OUT),
    Booked.TRANSFER: (Flow.TRANSFERRED_IN, Flow.TRANSFERRED_OUT),
    OPENING: (Flow.OPENING, Flow.REMOVED),
}
_FLOWS: dict[str, dict[Pocket, Pair]] = {
    **{kind: dict.fromkeys(Pocket, pair) for kind, pair in _PAIRS.items()},
    Booked.ALLOCATION: {
        Pocket.ALLOCATIONS: (Flow.ALLOCATED, Flow.ALLOCATED),
        Pocket.TOKENS: (Flow.TOPPED_UP, Flow.TOPPED_UP),
    },
}
_EARNING: dict[str, Earning] = {  # what the carrying amount of a lot is recognised as
    Booked.CONSUMPTION: Earning.COMPUTE,
    Booked.EXPIRY: Earning.BREAKAGE,
}
_REVERSAL = Booked.REVERSAL  # to name a member of an enum takes longer than to compare it
_UNDONE: dict[Any, str] = {kind.value: kind for kind in Booked if kind is not Booked.REVERSAL}


class Reader:
    """Reads transactions, in the order of the books; its sums need the context `WIDE`.

    `names` gives the subscriber of an account component.
    """

    def __init__(self, accounts: Accounts, terms: Terms, names: dict[str, str]) -> None:
        self.movements: list[Movement] = []
        self.money = MoneyReader(accounts, terms, names)
        self._accounts = accounts
        self._names = names
        self._pockets: dict[str, tuple[Pocket, str] | None] = {}
        self._kinds: dict[frozenset[str], str] = {}
        self._months: dict[date, str] = {}
        self._lots: dict[tuple[Any, ...], LotKey] = {}
        self._lots_by_id: dict[int, LotKey] = {}  # of their Cost, which is mostly shared

    def read(self, at: int, entry: Transaction) -> None:
        """Add the facts of one transaction; `at` is its place among all of them."""
        meta, day, _, _, _, tags, _, postings = entry
        kind = self._kinds.get(tags) or self._kind(tags)
        undoes = False
        if ORDER not in meta:
            kind = OPENING if tags and OPENING_TAG in tags else BY_HAND
        elif kind == _REVERSAL:
            kind, undoes = _UNDONE.get(meta.get("undoes"), BY_HAND), True
        month = self._months.get(day) or self._month(day)
        earning = _EARNING.get(kind)
        lots, pockets, incomes = self._lots_by_id, self._pockets, self.money.incomes
        flows = _FLOWS[kind]
        moved: list[Movement] = []
        posted: list[Posted] = []
        number: Any  # a Decimal, as is looked at below
        for account, units, cost, _, _, _ in postings:
            if units.__class__ is not Amount or units[0].__class__ is not Decimal:
                continue  # an error of Beancount's booking, which it has reported
            number, commodity = units
            pocket = pockets[account] if account in pockets else self._pocket(account)
            if pocket is None:
                posted.append((account, number, commodity))
                continue
            lot = lots.get(id(cost)) or self._lot(cost, day)
            unit_cost, currency, _, _, origin, _, _ = lot
            holding, subscriber = pocket
            out = number * unit_cost
            flow = flows[holding][(number > 0) is not undoes]
            # fmt: off
            fields = (
                day, month, flow, subscriber, holding, origin, commodity, -number, currency, -out,
                lot, account, at, undoes,
            )
            moved.append(_new(Movement, fields))
            if earning is not None and out:
                income = (
                    day, month, earning, subscriber, origin, currency, out, lot, at, undoes, kind,
                )
                incomes.append(_new(Income, income))
            # fmt: on
        self.movements += moved
        if earning is None or len(posted) > 1:  # else its money is what its lots earned
            self.money.read(_new(Seen, (at, entry, month, kind, undoes, moved, posted)))

    def _month(self, day: date) -> str:
        month = self._months[day] = f"{day.year:04}-{day.month:02}"
        return month

    def _kind(self, tags: frozenset[str]) -> str:
        names = {tag.removeprefix("compute-") for tag in tags or ()}
        kind = next((kind for kind in Booked if kind in names), BY_HAND)
        if tags:
            self._kinds[tags] = kind
        return kind

    def _pocket(self, account: str) -> tuple[Pocket, str] | None:
        found = self._accounts.pocket_account(account)
        read = None
        if found is not None:
            read = (found.pocket, self._names.get(found.subscriber, found.subscriber))
        self._pockets[account] = read
        return read

    def _lot(self, cost: object, day: date) -> LotKey:
        if not isinstance(cost, Cost):
            return LotKey(ZERO, "", day, self._month(day), "", None, None)
        number = cost_of(cost.number, cost.currency)  # 0 and 0.00 are one lot
        key = (str(number), cost.currency, cost.date, cost.label)
        lot = self._lots.get(key)
        if lot is None:
            origin, _, end = (cost.label or "").partition("/")
            month = self._month(cost.date)
            fields = (number, cost.currency, cost.date, month, origin, _date(end), cost)
            lot = self._lots[key] = LotKey(*fields)
        self._lots_by_id[id(cost)] = lot
        return lot


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:  # no end, or a posting that the plugin has refused
        return None
