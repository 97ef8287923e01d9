"""What became of the units that were left unused, as facts to add up.

    a sale of 500 CU for 125.00, fee 6.25   ->  sold 500 CU;  gross 125.00;  fees 6.25
    a use of 400 of them, at 0.04 a unit    ->  used 400 CU, 80.00;  cost of use 16.00

Each is of a cohort (see `reports/unused.py`); `reports/economics.py` says what the sums mean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import NamedTuple

from beancount_compute.economy import (
    PRICE_STEP,
    UNIT_COST,
    UNITS_RELEASED,
    ZERO,
    Earning,
    Flow,
    Kind,
    Money,
    Pocket,
    Terms,
    minor_unit,
    shares_of_total,
)
from beancount_compute.economy.rules.newest_plan import plan_of_overage
from beancount_compute.ledger import PeriodBooked, standing_periods
from beancount_compute.reports.books import Books
from beancount_compute.reports.facts import LotKey, Movement, Trade
from beancount_compute.reports.fold import grouped
from beancount_compute.reports.served_facts import BillShare, ShareOf
from beancount_compute.reports.unused import Follower, Outcome, Part, of_plans

_SOLD = "sold"  # for the first time
_ENDED = "ended"  # they left their period without turning into tokens
_GONE = "gone"  # in no way that the books know
# What a change of plan takes back has not left its period.
LEAVING = tuple(flow for flow in UNITS_RELEASED if flow is not Flow.RETURNED)
_WHAT: dict[Flow, str] = {
    Flow.TRADED_OUT: _SOLD,
    **{flow: "removed" if flow is Flow.REMOVED else flow.key for flow in LEAVING},
}
_EARNED = {
    Earning.FEES: "fees",
    Earning.PARTNER_INCOME: "partner_income",
    Earning.COMPUTE: "rest_of_refund",
    Earning.BREAKAGE: "",  # the carrying amount, as is what else use earns
    Earning.OVERAGE: "",
    Earning.ACCESS: "",  # not of units
    Earning.REFUNDS: "",  # of what was used, sold or lapsed before
    Earning.DISPUTES: "",
}
_whose = attrgetter("date", "month", "origin", "subscriber", "commodity")
_new = tuple.__new__


class Happened(NamedTuple):
    """Something that happened to units of a cohort; negative where it was undone."""

    date: date
    month: str  # of the cohort, as are plan, subscriber and commodity
    plan: str
    subscriber: str
    commodity: str
    what: str
    units: Decimal
    currency: str
    amount: Decimal
    at: int


def what_became(
    books: Books,
    movements: Sequence[Movement],
    displaced: Decimal = ZERO,
    end: date | None = None,
) -> list[Happened]:
    """What happened to all cohorts by the movements, which are all up to some day, the `end`.

    `displaced` is the share of units bought that would have been overage, 0 to 1.
    """
    figures = _Figures(books, displaced, end or date.max)
    for outcome in Follower().follow(movements):
        figures.add(outcome)
    return [*_left_their_period(movements), *figures.found]


def _left_their_period(movements: Sequence[Movement]) -> Iterator[Happened]:
    """The units of cohorts as they turned into tokens, or lapsed without."""
    minted, expired = Flow.MINTED, Flow.EXPIRED
    for each in of_plans(movements, Pocket.TOKENS):
        if each.flow is minted:
            yield _new(
                Happened, (*_whose(each), "minted", each.units, each.currency, each.amount, each.at)
            )
    lapsed: defaultdict[tuple[str, str, LotKey], list[str]] = defaultdict(list)  # in which months
    for each in of_plans(movements, Pocket.ALLOCATIONS):
        if each.flow is expired:
            day, month, *whose = _whose(each)
            months = lapsed[each.subscriber, each.commodity, each.lot]
            if each.units < 0:
                months.append(month)
            elif months:  # it came late that they did not: the cohort is that of their end
                month = months[-1]
            amounts = (_ENDED, -each.units, each.currency, -each.amount, each.at)
            yield _new(Happened, (day, month, *whose, *amounts))


class _Figures:
    """Turns outcomes into facts."""

    def __init__(self, books: Books, displaced: Decimal, end: date) -> None:
        self.found: list[Happened] = []
        self._displaced = displaced
        self._books = books
        self._earned = _earned_by_lot(books)
        self._trades = {trade.at: trade for trade in books.trades}
        self._overage = OveragePrices(books) if displaced else None
        self._served, self._bills = _first_bills(books, end)

    def add(self, outcome: Outcome) -> None:
        movement, parts, buyer, days = outcome
        what = _WHAT.get(movement.flow, _GONE)
        if what == _SOLD:
            self._sale(movement, parts, buyer)
            return
        cost, currency = movement.lot.cost, movement.lot.currency
        add, day, at = self.found.append, movement.date, movement.at
        for cohort, _, units in parts:
            if cohort is not None:
                add(_new(Happened, (day, *cohort, what, units, currency, units * cost, at)))
        if what == "used":
            self._cost_of_use(movement, parts, days or [day] * len(parts))
        elif what in ("spent", "refunded"):
            self._share_earned(movement, parts)

    def _money(
        self, movement: Movement, part: Part, what: str, currency: str, amount: Decimal
    ) -> None:
        cohort, _, _ = part
        if cohort is not None:
            fields = (movement.date, *cohort, what, ZERO, currency, amount, movement.at)
            self.found.append(_new(Happened, fields))

    def _cost_of_use(self, movement: Movement, parts: list[Part], days: Sequence[date]) -> None:
        """What is booked, where somebody served the use; else by the option."""
        if movement.at in self._served:
            for share in self._bills.get((movement.at, movement.lot), ()):
                self._bill(share, parts)
            return
        for part, day in zip(parts, days, strict=True):
            cost = self._books.terms.on(UNIT_COST, day)
            if cost is not None:
                self._money(movement, part, "cost", cost.currency, part[2] * cost.number)

    def _bill(self, share: BillShare, parts: list[Part]) -> None:
        """The cost of a use that took units of several cohorts, shared by units."""
        shares = shares_of_total(share.amount, [units for _, _, units in parts], PRICE_STEP)
        for (cohort, _, _), amount in zip(parts, shares, strict=True):
            if cohort is not None:
                fields = (
                    share.date,
                    *cohort,
                    "cost_booked",
                    ZERO,
                    share.currency,
                    amount,
                    share.at,
                )
                self.found.append(_new(Happened, fields))

    def _sale(self, movement: Movement, parts: list[Part], buyer: str) -> None:
        trade = self._trades[movement.at]
        self._split(movement, parts, "gross", trade.currency, _gross_of(trade, movement.lot))
        price = (
            self._overage.of(buyer, movement.date, movement.commodity) if self._overage else None
        )
        for part in parts:
            cohort, sold, units = part
            if cohort is not None and not sold:
                fields = (movement.date, *cohort, _SOLD, units, "", ZERO, movement.at)
                self.found.append(_new(Happened, fields))
            if price is not None:
                amount = units * price.number * self._displaced
                self._money(movement, part, "displaced", price.currency, amount)
        self._share_earned(movement, parts)

    def _share_earned(self, movement: Movement, parts: list[Part]) -> None:
        """What was earned on a lot besides its carrying amount, shared by units."""
        for what, currency, amount in self._earned.get((movement.at, movement.lot), ()):
            self._split(movement, parts, what, currency, amount)

    def _split(
        self, movement: Movement, parts: list[Part], what: str, currency: str, amount: Decimal
    ) -> None:
        if len(parts) == 1:
            self._money(movement, parts[0], what, currency, amount)
            return
        weights = [units for _, _, units in parts]
        shares = shares_of_total(amount, weights, minor_unit(currency))
        for part, share in zip(parts, shares, strict=True):
            self._money(movement, part, what, currency, share)


def _gross_of(trade: Trade, lot: LotKey) -> Decimal:
    """A lot's share, by units, of the gross of the trade that sold it."""
    if len(trade.lots) == 1:
        return trade.gross
    weights = [units for _, units in trade.lots]
    shares = shares_of_total(trade.gross, weights, minor_unit(trade.currency))
    return next(share for (each, _), share in zip(trade.lots, shares, strict=True) if each is lot)


def _earned_by_lot(books: Books) -> dict[tuple[int, LotKey | None], list[tuple[str, str, Decimal]]]:
    """Fees, partner income and what the rounding of refunds leaves, by transaction and lot."""
    found: defaultdict[tuple[int, LotKey | None], list[tuple[str, str, Decimal]]]
    found = defaultdict(list)
    for income in books.money.earned:
        what = _EARNED[income.earning]
        if what and (income.earning is not Earning.COMPUTE or income.kind == Kind.REFUND):
            found[income.at, income.lot].append((what, income.currency, income.amount))
    return found


def has_bills(terms: Terms) -> bool:
    """Whether anybody is named to serve a meter."""
    return any(meter.provider for timeline in terms.meters.values() for meter in timeline)


def _first_bills(
    books: Books, end: date
) -> tuple[frozenset[int], dict[tuple[int, LotKey | None], list[BillShare]]]:
    """The transactions of uses that somebody served, and what these cost up to a day, by lot."""
    if not has_bills(books.terms):
        return frozenset(), {}
    served = books.serving.served
    places = frozenset([units.at for units in served if units.provider])
    shares = [
        each for each in books.bill_shares.first if each.line is ShareOf.USE and each.date <= end
    ]
    return places, grouped(shares, lambda each: (served[each.use].at, served[each.use].lot))


class OveragePrices:
    """The overage prices of the plans that subscribers were on."""

    def __init__(self, books: Books) -> None:
        self._terms = books.terms
        self._periods: defaultdict[str, list[PeriodBooked]] = defaultdict(list)
        self._starts: dict[str, date] = {}  # the first booked day of each subscription
        for _, who, period in standing_periods(books.transactions):
            self._periods[who].append(period)
            self._starts.setdefault(period.subscription, period.first)
        self.of = cache(self._price)

    def _price(self, subscriber: str, day: date, commodity: str) -> Money | None:
        """The price of a unit beyond the holdings; None where use would be refused."""
        running = [
            (self._starts[period.subscription], plan)
            for period in self._periods.get(subscriber, ())
            if period.first <= day <= period.last
            and (plan := self._terms.plan(period.plan, day)) is not None
            and plan.sells(commodity)
        ]
        return plan_of_overage(running).overage if running else None
