"""What is open and earned, and whether it ties: `bean-compute check`.

The books are read as Beancount loaded them. Units and money that came in must be units and money
that went out or are still held:

    opening + entered later + allocated + topped up + granted
        = used + spent + expired + refunded + returned by change + removed by hand + held
    opening + entered later + paid
        = revenue + breakage + settlements + partner income + refunded + returned by change
          + removed by hand + deferred

What a change of plan returns is paid once more: for the new plan. Beside them stands what is not
invoiced yet, and what was lost and recovered, where there is any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal, localcontext
from operator import attrgetter
from typing import Any, NamedTuple

from beancount.core.data import Directive

from beancount_compute.economy import (
    COMING,
    OWED_TO_OTHERS,
    RELEASING,
    UNITS_RELEASED,
    WIDE,
    Earning,
    Flow,
    Kind,
    Pocket,
    Role,
    trim,
)
from beancount_compute.ledger import notes_of_idle_keys
from beancount_compute.reports.books import Books
from beancount_compute.reports.capacity_notes import notes_of_capacities
from beancount_compute.reports.facts import of_minimum
from beancount_compute.reports.fold import fold
from beancount_compute.reports.tables import Table, columns, money

UNITS_IN: tuple[str, ...] = tuple([flow.value for flow in COMING])
UNITS_OUT = (*[flow.value for flow in UNITS_RELEASED], "held")
MONEY_IN = ("opening", "entered later", "paid")
MONEY_OUT = (
    "revenue",
    "breakage",
    "settlements",
    "partner income",
    "access",
    "refunded",
    Flow.RETURNED.value,
    "voided",
    "removed by hand",
    "deferred",
)
_EARNED = {each: "revenue" if each is Earning.COMPUTE else each.value for each in Earning}
SHORTFALLS = "shortfalls"  # breakage of minimums, which was never paid for ahead

_RARE = (
    Flow.ENTERED,
    Flow.RETURNED,
    Flow.VOIDED,
    Earning.ACCESS.value,
)  # shown only where there are any
_AT_COST = (Flow.OPENING, Flow.ENTERED, Flow.REMOVED, Flow.RETURNED, Flow.VOIDED)
FlowSums = defaultdict[tuple[str, str], Decimal]  # by name of the flow, and commodity or currency


class Summary(NamedTuple):
    """The figures of a ledger's economy, over all its days."""

    subscribers: int
    pockets: dict[tuple[Pocket, str], Decimal]  # open units, by commodity
    units: FlowSums
    money: FlowSums
    besides: FlowSums  # not invoiced yet, lost and recovered
    negative_lots: list[str]
    idle_keys: list[str]  # of plans, one note each
    capacities: list[str]  # notes of those that are not bought

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
        names = {"deferred": "deferred revenue", **{each: each for each in _EARNED.values()}}
        names[SHORTFALLS] = "breakage of minimums"
        for name, label in names.items():
            rows += [
                (label, money(self.money[name, currency], currency), currency)
                for currency in currencies
                if self.money[name, currency] or name in ("deferred", "revenue", "breakage", "fees")
            ]
        rows += [
            (name, money(amount, currency), currency)
            for (name, currency), amount in self.besides.items()
            if amount
        ]
        return [
            Table("Books", columns("figure", "amount", ""), rows),
            self._tie("Units", self.units, UNITS_IN, UNITS_OUT),
            self._tie("Money", self.money, MONEY_IN, MONEY_OUT),
        ]

    def notes(self) -> list[str]:
        """What is no error, but may be a slip of the pen."""
        return [*self.idle_keys, *self.capacities]

    def _tie(
        self, title: str, flows: FlowSums, ins: tuple[str, ...], outs: tuple[str, ...]
    ) -> Table:
        face = trimmed if title == "Units" else money
        rows: list[tuple[Any, ...]] = []
        for commodity, difference in self._differences(flows, ins, outs).items():
            for sign, names in (("+", ins), ("-", outs)):
                rows += [
                    (f"{sign} {name}", face(flows[name, commodity], commodity), commodity)
                    for name in names
                    if name not in _RARE or flows[name, commodity]
                ]
            verdict = "DOES NOT TIE" if difference else "ties"
            rows.append(("= difference", face(difference, commodity), verdict))
        rows += [("negative lot", lot, "DOES NOT TIE") for lot in self.negative_lots]
        return Table(title, columns("flow", "amount", ""), rows)

    @staticmethod
    def _differences(
        flows: FlowSums, ins: tuple[str, ...], outs: tuple[str, ...]
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


def summary_of(books: Books, entries: Iterable[Directive]) -> Summary:
    """The summary of books that were read from entries."""
    with localcontext(WIDE):
        held = fold(books.movements, ("pocket", "commodity"), ("units",))
    pockets: dict[tuple[Pocket, str], Decimal] = {
        (each.pocket, each.commodity): each.units
        for each in held
        if each.pocket is not Pocket.ACCESS
    }
    count = len(_subscribers(books)) if books.bulk is None else books.bulk.subscribers
    idle, bare = notes_of_idle_keys(entries, books.terms), notes_of_capacities(books)
    negative, besides = _negative_lots(books), _besides(books)
    return Summary(count, pockets, *flows_of(books), besides, negative, idle, bare)


def _subscribers(books: Books) -> set[str]:
    """Whoever held a lot, or was charged for what was used."""
    charged = {owed.party for owed in books.owed if owed.kind and owed.role not in OWED_TO_OTHERS}
    return {movement.subscriber for movement in books.movements} | charged


def _besides(books: Books) -> FlowSums:
    """What is not invoiced yet; what was lost, and recovered of it, each above zero."""
    found: FlowSums = defaultdict(Decimal)
    with localcontext(WIDE):
        for owed in fold(books.owed, ("role", "currency"), ("amount",)):
            if owed.role is Role.UNBILLED:
                found["unbilled", owed.currency] += owed.amount
        for lost in sorted(books.lost, key=attrgetter("role", "currency")):
            sign = -1 if lost.role is Role.RECOVERIES else 1
            found[lost.role.value.replace("-", " "), lost.currency] += sign * lost.amount
    return found


def flows_of(books: Books) -> tuple[FlowSums, FlowSums]:
    """What came in and went out from the beginning: units by commodity, money by currency."""
    with localcontext(WIDE):
        return _moved(books)


def _moved(books: Books) -> tuple[FlowSums, FlowSums]:
    units: FlowSums = defaultdict(Decimal)
    money: FlowSums = defaultdict(Decimal)
    told = ("flow", "pocket", "commodity", "currency")
    for each in fold(books.movements, told, ("units", "amount")):
        of_units = each.pocket is not Pocket.ACCESS
        if of_units:
            units["held", each.commodity] += each.units
        if each.currency:
            money["deferred", each.currency] += each.amount
        if each.flow in COMING or each.flow in RELEASING:  # all others only move units
            sign = 1 if each.flow in COMING else -1
            if of_units:
                units[each.flow, each.commodity] += sign * each.units
            if each.currency and each.flow in _AT_COST:
                money[each.flow, each.currency] += sign * each.amount
            if each.currency and each.flow is Flow.RETURNED:
                money["paid", each.currency] += sign * each.amount
    for income in fold(books.incomes, ("earning", "kind", "currency"), ("amount",)):
        name = SHORTFALLS if of_minimum(income) else _EARNED[income.earning]
        money[name, income.currency] += income.amount
        if income.kind == Kind.CHANGE and income.earning in (Earning.REFUNDS, Earning.BREAKAGE):
            money["paid", income.currency] -= income.amount  # delivered before, or of a minimum
    for owed in fold(books.owed, ("kind", "currency"), ("amount",)):
        name, sign = _MONEY_FLOWS.get(owed.kind, ("", 0))
        if name:
            money[name, owed.currency] += sign * owed.amount
    return units, money


_MONEY_FLOWS: dict[str, tuple[str, int]] = {
    Kind.ALLOCATION: ("paid", 1),
    Kind.CHANGE: ("paid", 1),
    Kind.SPEND: ("settlements", -1),
    Kind.REFUND: ("refunded", -1),
}


def _negative_lots(books: Books) -> list[str]:
    told = ("account",) if books.bulk is None else ("pocket", "origin")
    with localcontext(WIDE):
        held = fold(books.movements, (*told, "commodity", "lot"), ("units",))
    if books.bulk is not None:
        return [
            f"{each.pocket} of {each.origin}, {each.lot.date}" for each in held if each.units < 0
        ]
    return [f"{each.account} {each.lot.written}" for each in held if each.units < 0]
