"""What is open and earned, and whether it ties: `bean-compute check`.

The books are read as Beancount loaded them. Units and money that came in must be units and money
that went out or are still held:

    opening + allocated + topped up + granted
        = used + spent + expired + refunded + removed by hand + held
    opening + paid
        = revenue + breakage + settlements + partner income + refunded + removed by hand + deferred
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from beancount.core.data import Directive, Posting, Transaction
from beancount.core.position import Cost

from beancount_compute.economy.journal import Booked
from beancount_compute.economy.lots import Pocket
from beancount_compute.economy.rounding import WIDE, trim
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.hand_written import OPENING_TAG
from beancount_compute.ledger.terms_of_ledger import accounts_of
from beancount_compute.ledger.writing import ORDER
from beancount_compute.reports.tables import Table, money

UNITS_IN = ("opening", "allocated", "topped up", "granted")
UNITS_OUT = ("used", "spent", "expired", "refunded", "removed by hand", "held")
MONEY_IN = ("opening", "paid")
MONEY_OUT = (
    "revenue",
    "breakage",
    "settlements",
    "partner income",
    "refunded",
    "removed by hand",
    "deferred",
)
EARNED = ("revenue", "breakage", "fees", "partner income", "overage")

Flows = defaultdict[tuple[str, str], Decimal]  # by name of the flow, and commodity or currency


class Summary(NamedTuple):
    """The figures of a ledger's economy, over all its days."""

    subscribers: int
    pockets: dict[tuple[Pocket, str], Decimal]  # open units, by commodity
    units: Flows
    money: Flows
    negative_lots: list[str]

    @property
    def ties(self) -> bool:
        """Whether units and money tie, and no lot is negative."""
        return not (
            self.negative_lots
            or any(self._differences(self.units, UNITS_IN, UNITS_OUT).values())
            or any(self._differences(self.money, MONEY_IN, MONEY_OUT).values())
        )

    def tables(self) -> list[Table]:
        """The figures as tables: what is open and earned, then the two ties."""
        rows: list[tuple[Any, ...]] = [("subscribers", self.subscribers, "")]
        rows += [
            (f"open units in {pocket}", trim(number, 0), commodity)
            for (pocket, commodity), number in sorted(self.pockets.items())
        ]
        currencies = sorted({currency for _, currency in self.money})
        for name, label in (("deferred", "deferred revenue"), *((each, each) for each in EARNED)):
            rows += [
                (label, money(self.money[name, currency], currency), currency)
                for currency in currencies
                if self.money[name, currency] or name in ("deferred", "revenue", "breakage", "fees")
            ]
        return [
            Table("Books", ("figure", "amount", ""), rows),
            self._tie("Units", self.units, UNITS_IN, UNITS_OUT),
            self._tie("Money", self.money, MONEY_IN, MONEY_OUT),
        ]

    def _tie(self, title: str, flows: Flows, ins: tuple[str, ...], outs: tuple[str, ...]) -> Table:
        face = trimmed if title == "Units" else money
        rows: list[tuple[Any, ...]] = []
        for commodity, difference in self._differences(flows, ins, outs).items():
            for sign, names in (("+", ins), ("-", outs)):
                rows += [
                    (f"{sign} {name}", face(flows[name, commodity], commodity), commodity)
                    for name in names
                ]
            verdict = "DOES NOT TIE" if difference else "ties"
            rows.append(("= difference", face(difference, commodity), verdict))
        rows += [("negative lot", lot, "DOES NOT TIE") for lot in self.negative_lots]
        return Table(title, ("flow", "amount", ""), rows)

    @staticmethod
    def _differences(
        flows: Flows, ins: tuple[str, ...], outs: tuple[str, ...]
    ) -> dict[str, Decimal]:
        with localcontext(WIDE):
            return {
                commodity: sum((flows[name, commodity] for name in ins), Decimal())
                - sum((flows[name, commodity] for name in outs), Decimal())
                for commodity in sorted({commodity for _, commodity in list(flows)})
            }


def trimmed(number: Decimal, _commodity: str) -> Decimal:
    """Units without idle zeros."""
    return trim(number, 0)


def summarise(entries: Iterable[Directive], options_map: dict[str, Any]) -> Summary:
    """The summary of a loaded ledger."""
    entries = list(entries)
    accounts = accounts_of(entries, options_map)
    units: Flows = defaultdict(Decimal)
    money: Flows = defaultdict(Decimal)
    lots: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    with localcontext(WIDE):
        for entry in entries:
            if isinstance(entry, Transaction):
                _add(entry, accounts, units, money, lots)
        pockets = _held(lots, accounts, units, money)
    holders = {_component(accounts, account) for account, *_ in lots}
    negative = [f"{account} {cost}" for (account, _, cost), held in lots.items() if held < 0]
    return Summary(len(holders), pockets, units, money, negative)


def _add(
    entry: Transaction,
    accounts: Accounts,
    units: Flows,
    money: Flows,
    lots: defaultdict[tuple[Any, ...], Decimal],
) -> None:
    kind = _kind(entry)
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)  # by root and currency
    for posting in entry.postings:
        number, commodity = amount_of(posting)
        pocket = accounts.pocket_account(posting.account)
        if pocket is None:
            sums[posting.account.split(":", 1)[0], commodity] += number
            continue
        lots[posting.account, commodity, posting.cost] -= number
        name, sign = _unit_flow(entry, kind, pocket.pocket, number)
        if name:
            units[name, commodity] += sign * number
            if isinstance(posting.cost, Cost) and name in ("opening", "removed by hand"):
                money[name, posting.cost.currency] += sign * number * posting.cost.number
    if kind:
        _add_money(kind, sums, accounts, money)


def _kind(entry: Transaction) -> str:
    """What a generated transaction books, or undoes; "" for a hand-written one."""
    if ORDER not in entry.meta:
        return ""
    if "undoes" in entry.meta:
        return str(entry.meta["undoes"])
    tags = {tag.removeprefix("compute-") for tag in entry.tags}
    return next(kind for kind in Booked if kind in tags)


def amount_of(posting: Posting) -> tuple[Decimal, str]:
    """The units of a booked posting, and their commodity."""
    assert posting.units is not None
    assert posting.units.number is not None
    return posting.units.number, posting.units.currency


def _unit_flow(entry: Transaction, kind: str, pocket: Pocket, number: Decimal) -> tuple[str, int]:
    """The flow that a pocket's posting belongs to, and the sign that makes it positive."""
    match kind:
        case "":
            opening = OPENING_TAG in entry.tags and number < 0
            return ("opening", -1) if opening else ("removed by hand", 1)
        case Booked.ALLOCATION:
            return ("allocated" if pocket is Pocket.ALLOCATIONS else "topped up", -1)
        case Booked.GRANT:
            return ("granted", -1)
        case Booked.CONSUMPTION:
            return ("used", 1)
        case Booked.EXPIRY:
            return ("expired", 1)
        case Booked.SPEND:
            return ("spent", 1)
        case Booked.REFUND:
            return ("refunded", 1)
        case _:  # mints, trades and transfers only move units
            return ("", 0)


def _add_money(
    kind: str,
    sums: defaultdict[tuple[str, str], Decimal],
    accounts: Accounts,
    money: Flows,
) -> None:
    """Name the money of a transaction by its kind: each kind has one use for each root."""
    roots = accounts.roots
    for currency in {currency for _, currency in sums}:
        assets = sums[roots.assets, currency]
        owed, income = -sums[roots.liabilities, currency], -sums[roots.income, currency]
        match kind:
            case Booked.ALLOCATION:
                money["paid", currency] += assets
            case Booked.CONSUMPTION:
                money["overage", currency] += assets
                money["revenue", currency] += income - assets
            case Booked.EXPIRY:
                money["breakage", currency] += income
            case Booked.TRADE:
                money["fees", currency] += income
            case Booked.SPEND:
                money["settlements", currency] += owed
                money["partner income", currency] += income
            case Booked.REFUND:
                money["refunded", currency] += owed
                money["revenue", currency] += income
            case _:
                pass


def _held(
    lots: dict[tuple[Any, ...], Decimal], accounts: Accounts, units: Flows, money: Flows
) -> dict[tuple[Pocket, str], Decimal]:
    pockets: defaultdict[tuple[Pocket, str], Decimal] = defaultdict(Decimal)
    for (account, commodity, cost), held in lots.items():
        pocket = accounts.pocket_account(account)
        if pocket is not None:
            pockets[pocket.pocket, commodity] += held
        units["held", commodity] += held
        if cost is not None:
            money["deferred", cost.currency] += held * cost.number
    return pockets


def _component(accounts: Accounts, account: str) -> str:
    pocket = accounts.pocket_account(account)
    return pocket.subscriber if pocket else account
