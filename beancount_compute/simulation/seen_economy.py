"""What a ledger says of an economy, as numbers by period: what `assumption_fits.py` fits.

    alice   pro   2026-05   wanted 0.40 of the allocation   0.60 left over   holds tokens   stays

A month of one plan, one commodity and one currency: those in which most is billed. What was used
beyond the holdings is read from its overage. Periods in which a subscriber is on two plans at once
are left out, as nobody can say which units were used.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from beancount_compute.economy import ZERO, Earning, Flow, Month, Plan, Pocket, Span
from beancount_compute.insight.survival import Numbers
from beancount_compute.insight.watched import DatedSums
from beancount_compute.reports import Books, Selection, counted
from beancount_compute.reports.periods import PaidPeriod, Spell, spells_of
from beancount_compute.simulation.people import WholeNumbers

_DAYS_OF_A_MONTH = Decimal("30.4375")


class NothingSeen(Exception):
    """A ledger of which nothing can be fitted, and why."""


class SeenPeriods(NamedTuple):
    """Periods of which all days are booked, one by one."""

    person: WholeNumbers  # from 0
    plan: WholeNumbers  # by its place among the plans
    month: WholeNumbers  # of the year, from 0, in which it began
    wanted: Numbers  # used or charged as overage, of the allocation
    unused: Numbers  # of the allocation
    holds: npt.NDArray[np.bool_]  # tokens, when it was over
    left: npt.NDArray[np.bool_]
    over: npt.NDArray[np.bool_]  # so that it is known who left: not those that end on the last day

    @property
    def decided(self) -> SeenPeriods:
        """Those of which it is known who left."""
        at = self.over
        return SeenPeriods(
            self.person[at],
            self.plan[at],
            self.month[at],
            self.wanted[at],
            self.unused[at],
            self.holds[at],
            self.left[at],
            at[at],
        )


class SeenMonths(NamedTuple):
    """Calendar months after the first: who was there before anybody came, and who came."""

    there: WholeNumbers
    came: WholeNumbers


class SeenTrades(NamedTuple):
    """Prices of trades, of the price of a unit of the seller's plan, and of the buyer's overage."""

    asked: Numbers
    bid: Numbers


class SeenEconomy(NamedTuple):
    """All that is read."""

    first_month: Month
    months: int
    currency: str
    commodity: str
    plans: tuple[Plan, ...]  # that anybody was on, in their last terms
    came_for: tuple[int, ...]  # by plan: how many spells began with it
    people: int
    there: int  # at the end
    periods: SeenPeriods
    by_month: SeenMonths
    trades: SeenTrades
    use_days: WholeNumbers  # by period
    left_out: tuple[str, ...]  # in words: what this model of an economy has not


def months_of(span: Span) -> Decimal:
    """How many months a span is."""
    return Decimal(span.months) if span.months else span.days / _DAYS_OF_A_MONTH


def units_of(plan: Plan, commodity: str) -> Decimal:
    """The units of a commodity that a month of a plan holds."""
    units = sum((line.units for line in plan.lines if line.commodity == commodity), ZERO)
    return units / months_of(plan.every)


def see(books: Books) -> SeenEconomy:
    """Read the books; raises `NothingSeen` where nobody subscribed."""
    end = Selection().day_of(books)
    currency, commodity = _most(books)
    plans = _plans(books, currency, commodity, end)
    places = {plan.name: at for at, plan in enumerate(plans)}
    of_plans = [each for each in books.periods if each.plan in places and each.first <= end]
    spells = spells_of(of_plans, end)
    begun = Counter(spell.periods[0].plan for spell in spells)
    first = Month.of(min(each.first for each in of_plans))
    reader = _PeriodReader(books, commodity, places)
    return SeenEconomy(
        first_month=first,
        months=Month.of(end).ordinal - first.ordinal + 1,
        currency=currency,
        commodity=commodity,
        plans=tuple(plans),
        came_for=tuple(begun[plan.name] for plan in plans),
        people=len({each.subscriber for each in spells}),
        there=len({each.subscriber for each in spells if each.left is None}),
        periods=reader.periods(spells, end),
        use_days=reader.use_days(),
        by_month=_by_month(spells, first, end),
        trades=_trades(books, currency, commodity, _OnPlan(plans, spells)),
        left_out=tuple(_left_out(books, places, spells, reader.at_once)),
    )


def _plans(books: Books, currency: str, commodity: str, end: date) -> list[Plan]:
    """The plans of a currency and a commodity that anybody was on, in their last terms."""
    on = {each.plan for each in books.periods if each.first <= end}
    found = []
    for name in sorted(on & books.terms.plans.keys()):
        plan = books.terms.plans[name].on(end)
        if plan and plan.currency == currency and plan.sells(commodity):
            found.append(plan)
    return found


def _most(books: Books) -> tuple[str, str]:
    """The currency and the commodity in which most periods were billed."""
    wanted = {each.at for each in books.periods}
    count = Counter(
        (each.currency, each.commodity)
        for each in books.movements
        if each.at in wanted and each.flow is Flow.ALLOCATED and each.currency
    )
    if not count:
        raise NothingSeen("no period of a subscription is booked: nothing of it can be fitted")
    return min(count, key=lambda key: (-count[key], key))


class _PeriodReader:
    """Reads what was wanted in periods, and what was left over."""

    def __init__(self, books: Books, commodity: str, places: Mapping[str, int]) -> None:
        self._places = places
        self.at_once = 0
        self._days: list[int] = []
        used: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)
        tokens: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)
        self._allocated: dict[int, Decimal] = {}
        wanted = {each.at for each in books.periods}
        for each in books.movements:
            if each.commodity != commodity:
                continue
            if each.flow is Flow.USED:
                used[each.subscriber].append((each.date, -each.units))
            if each.pocket is Pocket.TOKENS:
                tokens[each.subscriber].append((each.date, each.units))
            elif each.flow is Flow.ALLOCATED and each.at in wanted:
                self._allocated[each.at] = self._allocated.get(each.at, ZERO) + each.units
        self._dates = {name: sorted({day for day, _ in each}) for name, each in used.items()}
        for income in books.incomes:
            plan = books.terms.plan(income.origin, income.date)
            if income.earning is Earning.OVERAGE and plan and plan.overage and plan.overage.number:
                units = income.amount / plan.overage.number
                used[income.subscriber].append((income.date, units))
        self._used = {name: DatedSums(each) for name, each in used.items()}
        self._tokens = {name: DatedSums(each) for name, each in tokens.items()}

    def periods(self, spells: Sequence[Spell], end: date) -> SeenPeriods:
        """All of whose days the books tell."""
        people: dict[str, int] = {}
        found = []
        for spell in spells:
            who = people.setdefault(spell.subscriber, len(people))
            for at, period in enumerate(spell.periods):
                if period.last > end or not self._allocated.get(period.at):
                    continue
                beside = spell.periods[max(0, at - 1) : at] + spell.periods[at + 1 : at + 2]
                if any(each.first <= period.last and period.first <= each.last for each in beside):
                    self.at_once += 1
                    continue
                left = spell.left is not None and at == len(spell.periods) - 1
                over = period.after <= end
                found.append((who, *self._of(spell.subscriber, period), left, over))
        columns = list(zip(*found, strict=True)) or [()] * len(SeenPeriods._fields)
        kinds = (np.int64, np.int64, np.int64, float, float, bool, bool, bool)
        return SeenPeriods(
            *[np.array(each, kind) for each, kind in zip(columns, kinds, strict=True)]
        )

    def _of(self, who: str, period: PaidPeriod) -> tuple[int, int, float, float, bool]:
        allocated = self._allocated[period.at]
        sums, tokens = self._used.get(who), self._tokens.get(who)
        used = sums.between(period.first, period.last) if sums else ZERO
        share = float(used / allocated)
        days = self._dates.get(who, [])
        self._days.append(bisect_right(days, period.last) - bisect_left(days, period.first))
        holds = tokens is not None and tokens.between(date.min, period.after) > 0
        month = period.first.month - 1
        return self._places[period.plan], month, share, max(0.0, 1 - share), holds

    def use_days(self) -> WholeNumbers:
        """On how many days of each of these periods there was use."""
        return np.array(self._days, np.int64)


def _by_month(spells: Sequence[Spell], first: Month, end: date) -> SeenMonths:
    """WholeNumbers months after the first one."""
    there, came, month = [], [], first.next
    starts = Counter(Month.of(each.start) for each in spells)
    while month.last <= end:
        before = [each for each in spells if each.start < month.first]
        there.append(sum(each.left is None or each.left > month.first for each in before))
        came.append(starts[month])
        month = month.next
    return SeenMonths(np.array(there, np.int64), np.array(came, np.int64))


class _OnPlan:
    """Which plan a subscriber is on."""

    def __init__(self, plans: Sequence[Plan], spells: Sequence[Spell]) -> None:
        self._plans = {plan.name: plan for plan in plans}
        self._periods: defaultdict[str, list[PaidPeriod]] = defaultdict(list)
        for spell in spells:
            self._periods[spell.subscriber] += spell.periods

    def __call__(self, subscriber: str, day: date) -> Plan | None:
        """The plan of a day; None for none."""
        for each in self._periods.get(subscriber, ()):
            if each.first <= day <= each.last:
                return self._plans[each.plan]
        return None


def _trades(books: Books, currency: str, commodity: str, on_plan: _OnPlan) -> SeenTrades:
    """Trades that stand, of subscribers whose plans are known."""
    asked, bid = [], []
    for trade in books.trades:
        if trade.times < 0 or (trade.currency, trade.commodity) != (currency, commodity):
            continue
        seller, buyer = on_plan(trade.seller, trade.date), on_plan(trade.buyer, trade.date)
        if seller and seller.price:
            asked.append(float(trade.price / unit_price(seller, commodity)))
        if buyer and (most := ceiling(buyer, commodity)):
            bid.append(float(trade.price / most))
    return SeenTrades(np.array(asked, float), np.array(bid, float))


def unit_price(plan: Plan, commodity: str) -> Decimal:
    """What a unit of a plan costs in it."""
    return plan.price / months_of(plan.every) / units_of(plan, commodity)


def ceiling(plan: Plan, commodity: str) -> Decimal:
    """What a unit beyond the plan costs: the price of overage, else that in the plan."""
    return plan.overage.number if plan.overage else unit_price(plan, commodity)


_NO_PART = (
    (Flow.TOPPED_UP, "top-ups"),
    (Flow.GRANTED, "grants"),
    (Flow.TRANSFERRED_IN, "transfers"),
    (Flow.SPENT, "spends at partners"),
    (Flow.REFUNDED, "refunds"),
    (Flow.OPENING, "opening lots"),
)


def _left_out(
    books: Books, places: Mapping[str, int], spells: Sequence[Spell], at_once: int
) -> Iterator[str]:
    """What the ledger has and this model of an economy has not."""
    flows = {each.flow for each in books.movements}
    if found := [name for flow, name in _NO_PART if flow in flows]:
        yield f"{', '.join(found)}: no part of a simulated economy"
    if others := sorted({each.plan for each in books.periods} - places.keys()):
        yield f"plans of another currency or commodity: {', '.join(others)}"
    changes = sum(
        one.plan != other.plan for spell in spells for one, other in pairwise(spell.periods)
    )
    if changes:
        yield f"{counted(changes, 'change')} of plan: in a simulated economy everybody stays on one"
    if at_once:
        yield f"{counted(at_once, 'period')} of subscribers on two plans at once"
