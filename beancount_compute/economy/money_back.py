"""What went back of the allocations that somebody names, and what of their units moved on.

    2026-05-02   alice pays 200.00 for 1000 CU: "top-1"
    2026-06-10   she sells 500 of them             moved on: 100.00
    2026-06-20   20.00 are refunded of "top-1"     back: 20.00, a tenth; of what moved on, 10.00

It is told in journal entries, those of closed months or those that are booked, and changed by
nothing else. Of allocations that nobody names nothing is kept, but of those that may share a lot
with one: of its holder, plan and day. Where a period ends before its time, that may be none of it.
Sums need `WIDE`.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterator
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount_compute.economy.journal import JournalEntry, LotLeg, MoneyLeg, moved_by
from beancount_compute.economy.kinds import GIVING_BACK, Kind
from beancount_compute.economy.lots import Lot
from beancount_compute.economy.roles import Pocket, Role
from beancount_compute.economy.rounding import (
    WIDE,
    ZERO,
    decimals_in,
    minor_unit,
    shares_of_total,
)

_MOVES = (Kind.TRADE, Kind.TRANSFER, Kind.SPEND)
# the kinds of which entries, and those that undo them, are counted
_GIVES = (Kind.ALLOCATION, Kind.CHANGE)
_ENDS = (Kind.CANCELLATION, Kind.MINT, Kind.EXPIRY)
COUNTED_BACK = frozenset([*_GIVES, *_ENDS, Kind.REFUND, Kind.RECOVERY, *_MOVES, *GIVING_BACK])
OfPlan = tuple[str, str]  # holder, and plan
_OfDay = tuple[str, str, datetime.date]  # holder, origin, and the day of lots


class Family(NamedTuple):
    """What makes the lots of one allocation known again, whatever became of them."""

    holder: str
    commodity: str
    cost: Decimal
    currency: str
    date: datetime.date
    origin: str
    end: datetime.date | None  # of access; units may have another by now, as tokens

    @property
    def step(self) -> Decimal | None:
        """The smallest part of access; None of units."""
        return minor_unit(self.currency) if self.end else None


def family_of(lot: Lot) -> Family:
    """The family that a lot is of."""
    end = lot.end if lot.pocket is Pocket.ACCESS else None
    return Family(lot.holder, *lot[2:7], end)


@dataclass(slots=True)
class Gone:
    """What one event took of an allocation."""

    money: Decimal
    units: dict[Family, Decimal]
    moved_on: Decimal = ZERO  # of the money, for units that had moved on
    void: bool = False
    of_money: bool = False  # it named the allocation


@dataclass(slots=True)
class Allocation:
    """What an allocation gave, and what went back of it, by the event that took it."""

    id: str
    payer: str
    origin: str
    currency: str
    price: Decimal
    gave: dict[Family, Decimal]
    until: datetime.date | None  # the end of its units in allocations
    subscription: str = ""  # its id, of a period
    last_day: str = ""  # of the period
    gone: dict[str, Gone] = field(default_factory=dict)
    ended: frozenset[Family] = frozenset()  # of which nothing is left

    @property
    def left(self) -> Decimal:
        """What of its price did not go back yet."""
        gone = sum((each.money for each in self.gone.values()), ZERO)
        return max(ZERO, WIDE.subtract(self.price, gone))

    def weight(self, family: Family) -> Decimal:
        """What it has of a shared lot: what it gave, less the fraction that went back."""
        if family in self.ended or any(each.void for each in self.gone.values()):
            return ZERO
        if not self.price:
            return self.gave[family]
        return WIDE.divide(WIDE.multiply(self.gave[family], self.left), self.price)

    def gave_to(self, lot: Lot) -> bool:
        """Whether a lot of its families is where it gave, and not where tokens of it are."""
        if lot.pocket is Pocket.ALLOCATIONS:
            return lot.end == self.until
        return lot.pocket is Pocket.ACCESS

    def not_taken(self, family: Family) -> Decimal:
        """The units of a family that were not taken back yet."""
        taken = [each.units.get(family, ZERO) for each in self.gone.values()]
        return max(ZERO, WIDE.subtract(self.gave[family], sum(taken, ZERO)))

    def copied(self) -> Allocation:
        """The same, to try something out with."""
        story = copy(self)
        story.gone = dict(self.gone)
        return story


class Recovered(NamedTuple):
    """What came in for a chargeback or write-off; of that, what lessened bad debt."""

    amount: Decimal
    bad_debt: Decimal


class MoneyBack:
    """The allocations that somebody names by their ids, with all that went back of them.

    `plans` are those of which a period may end before its time, beside single ones.
    """

    def __init__(self, named: Collection[str], plans: Collection[OfPlan] = ()) -> None:
        self.named, self.plans = frozenset(named), frozenset(plans)
        self._allocations: dict[str, Allocation] = {}
        self._sharing: dict[Family, list[Allocation]] = {}  # in the order of the books
        self._beside: dict[_OfDay, list[str]] = {}  # the ids of all that may share a lot
        self._period_of: dict[str, str] = {}  # the newest by its subscription, both by their ids
        self._ending: dict[tuple[Family, datetime.date | None], str] = {}  # lots cut off, whose
        self._moved: defaultdict[Family, Decimal] = defaultdict(Decimal)
        self._recovered: dict[str, dict[str, Recovered]] = {}  # by what is recovered, and event
        self._day = datetime.date.min
        self._of_day: dict[OfPlan, dict[str, JournalEntry]] = {}  # its allocations, by their ids

    def copied(self, named: Collection[str] = (), plans: Collection[OfPlan] = ()) -> MoneyBack:
        """The same, to go on from; with more that is named."""
        other = MoneyBack({*self.named, *named}, {*self.plans, *plans})
        other._allocations = {name: each.copied() for name, each in self._allocations.items()}
        for family, sharing in self._sharing.items():
            other._sharing[family] = [other._allocations[each.id] for each in sharing]
        other._beside = {of: [*ids] for of, ids in self._beside.items()}
        other._period_of, other._ending = dict(self._period_of), dict(self._ending)
        other._moved.update(self._moved)
        other._recovered = {of: dict(each) for of, each in self._recovered.items()}
        other._day, other._of_day = self._day, {of: dict(each) for of, each in self._of_day.items()}
        return other

    def find(self, event_id: str) -> Allocation | None:
        """The allocation of an id that is named, unless it was reversed."""
        return self._allocations.get(event_id)

    def is_shared(self, subscription: str, holder: str, plan: str, day: datetime.date) -> bool:
        """Whether a holder has other allocations of a plan and day than a subscription's period."""
        own = self._period_of.get(subscription)
        others = (each for each in self._beside.get((holder, plan, day), ()) if each != own)
        return any(each in self._allocations for each in others)

    def own(self, subscription: str, lot: Lot, held: Decimal) -> Decimal:
        """The part of an open lot that is the newest period's of a subscription."""
        period = self._allocations.get(self._period_of.get(subscription, ""))
        family = family_of(lot)
        if period is None or family not in period.gave or not period.gave_to(lot):
            return ZERO
        shares = (part for each, part in self._shared(family, held, lot) if each is period)
        return min(next(shares, ZERO), period.not_taken(family))

    def beside(self, day: datetime.date) -> Iterator[tuple[OfPlan, list[Allocation]]]:
        """The allocations that may share lots and of which a period runs on behind a day.

        By holder and plan, in the order of the books.
        """
        for (holder, plan, _), ids in self._beside.items():
            found = [self._allocations[each] for each in ids if each in self._allocations]
            runs_on = any(each.last_day > day.isoformat() for each in found)
            if runs_on and not all(each.subscription for each in found):
                yield (holder, plan), found

    def take_over(self, found: Allocation, day: datetime.date) -> None:
        """Know an allocation of a day, with all that went back of it, if it isn't known yet."""
        if found.id not in self._allocations:
            self._know(found)
            self._beside.setdefault((found.payer, found.origin, day), []).append(found.id)

    def given_back(self, event_id: str) -> str:
        """The event that first gave money back of one, or recovered what it took; "" for none.

        What was paid for units given back doesn't count: without them nothing is reversed anyway.
        """
        allocation = self._allocations.get(event_id)
        if allocation is None:
            return next(iter(self._recovered.get(event_id, ())), "")
        return next((name for name, each in allocation.gone.items() if each.of_money), "")

    def recovered(self, event_id: str) -> Recovered:
        """What came in for a chargeback or write-off so far."""
        found = self._recovered.get(event_id, {}).values()
        with localcontext(WIDE):
            amounts = [sum((each[at] for each in found), ZERO) for at in (0, 1)]
        return Recovered(*amounts)

    def share(self, allocation: Allocation, family: Family, held: Decimal) -> Decimal:
        """The part of the units of a family, which its holder has, that is an allocation's own."""
        shares = (part for each, part in self._shared(family, held) if each is allocation)
        return min(next(shares, ZERO), allocation.not_taken(family))

    def moved_on(self, allocation: Allocation) -> Decimal:
        """What the units cost that the payer sold, gave away or spent, and nothing counted yet."""
        cost = ZERO
        for family, gave in allocation.gave.items():
            units = max(ZERO, self._moved[family])
            whole = sum((each.gave[family] for each in self._sharing[family]), ZERO)
            own = WIDE.divide(WIDE.multiply(units, gave), whole)
            cost = WIDE.add(cost, WIDE.multiply(min(own, gave), family.cost))
        counted = sum((each.moved_on for each in allocation.gone.values()), ZERO)
        return max(ZERO, WIDE.subtract(cost, counted))

    def note(self, entry: JournalEntry, undone: str = "") -> None:
        """Count an entry; `undone` is the id of what it undoes, where it doesn't say so."""
        undone = undone or (entry.event.reverses if entry.event else "")
        kind = entry.undoes or entry.kind
        if kind not in COUNTED_BACK:
            return
        with localcontext(WIDE):
            if kind in _MOVES:
                self._note_move(entry)
            elif entry.undoes:
                self._forget(undone)
            elif kind in _GIVES:
                if kind == Kind.CHANGE:
                    self._note_change(entry)
                self._note_allocation(entry)
            elif kind == Kind.CANCELLATION:
                self._note_cancellation(entry)
            elif kind in _ENDS and self._ending:
                self._note_end(entry)
            elif kind == Kind.REFUND:
                self._note_refund(entry)
            elif entry.back is not None:
                if kind in GIVING_BACK:
                    self._note_back(entry)
                else:
                    self._note_recovery(entry)

    def _note_allocation(self, entry: JournalEntry) -> None:
        given = _lots_given(entry)
        if not given:
            return
        if entry.date != self._day:
            self._day, self._of_day = entry.date, {}
        of = entry.subscriber, given[0].lot.origin
        of_day = self._of_day.setdefault(of, {})
        of_day[entry.id] = entry
        known = self._beside.get((*of, entry.date), [])
        beside = of in self.plans and not all(each.subscription for each in of_day.values())
        if known or beside or entry.id in self.named:
            self._beside[(*of, entry.date)] = [*of_day]
            for name in [each for each in of_day if each not in known]:
                self._add(of_day[name])

    def _add(self, entry: JournalEntry) -> None:
        gave: dict[Family, Decimal] = {}
        price, until = ZERO, None
        for leg in _lots_given(entry):
            family = family_of(leg.lot)
            gave[family] = gave.get(family, ZERO) - leg.units
            price -= leg.units * leg.lot.cost
            if leg.lot.pocket is Pocket.ALLOCATIONS:
                until = leg.lot.end
        lot = _lots_given(entry)[0].lot
        if entry.exchange is not None:
            price = entry.exchange.charge
        found = Allocation(entry.id, entry.subscriber, lot.origin, lot.currency, price, gave, until)
        found.subscription, found.last_day = entry.subscription, entry.period.partition("/")[2]
        self._know(found)

    def _know(self, found: Allocation) -> None:
        self._allocations[found.id] = found
        if found.subscription:
            self._period_of[found.subscription] = found.id
        for family in found.gave:
            self._sharing.setdefault(family, []).append(found)

    def _forget(self, undone: str) -> None:
        """Let what is undone never have been: an allocation, or what went back of one."""
        for each in self._allocations.values():
            each.gone.pop(undone, None)
        for recovered in self._recovered.values():
            recovered.pop(undone, None)
        for of_day in self._of_day.values():
            of_day.pop(undone, None)
        allocation = self._allocations.pop(undone, None)
        if allocation is not None:
            for family in allocation.gave:
                self._sharing[family].remove(allocation)

    def _note_change(self, entry: JournalEntry) -> None:
        """Count what a change of plan takes of a period and its invoice credits for it."""
        changed = self._newest(entry)
        if changed is None:
            return
        units: dict[Family, Decimal] = {}
        for leg in entry.legs:
            if isinstance(leg, LotLeg) and leg.units > 0:
                family = family_of(leg.lot)
                units[family] = units.get(family, ZERO) + leg.units
        changed.gone[entry.id] = Gone(_credit(entry), units)
        changed.ended = frozenset(changed.gave)

    def _newest(self, entry: JournalEntry) -> Allocation | None:
        """The period of a subscription that an entry ends, if it is known."""
        found = self._allocations.get(self._period_of.pop(entry.subscription, ""))
        return found if found and found.last_day >= entry.date.isoformat() else None

    def _note_cancellation(self, entry: JournalEntry) -> None:
        """Nothing is left of access that is cancelled at once; of units nothing when they lapse."""
        period = self._newest(entry)
        if period is None:
            return
        period.ended = frozenset([family for family in period.gave if family.end])
        for leg in _lots_given(entry):
            self._ending[family_of(leg.lot), leg.lot.end] = period.id

    def _note_end(self, entry: JournalEntry) -> None:
        """Nothing is left of units that were cut off, where they lapse and none are minted."""
        for leg in entry.legs:
            if isinstance(leg, LotLeg) and leg.units > 0:
                family = family_of(leg.lot)
                period = self._allocations.get(self._ending.pop((family, leg.lot.end), ""))
                if period is not None and entry.kind == Kind.EXPIRY:
                    period.ended |= {family}

    def _note_back(self, entry: JournalEntry) -> None:
        assert entry.back is not None
        allocation = self._allocations.get(entry.back.of)
        if allocation is None:
            return
        units: dict[Family, Decimal] = {}
        for each in moved_by(entry.legs):
            family = family_of(each.lot)
            units[family] = units.get(family, ZERO) + each.net
        back = entry.back
        allocation.gone[entry.id] = Gone(back.amount, units, back.moved_on, back.void, True)

    def _note_recovery(self, entry: JournalEntry) -> None:
        assert entry.back is not None
        legs = [leg for leg in entry.legs if isinstance(leg, MoneyLeg)]
        off = -sum((leg.number for leg in legs if leg.role is Role.BAD_DEBT), ZERO)
        found = self._recovered.setdefault(entry.back.of, {})
        found[entry.id] = Recovered(entry.back.amount, off)

    def _note_refund(self, entry: JournalEntry) -> None:
        """Count what was paid for units that were given back, lot by lot, as part of the price."""
        lots = [leg for leg in entry.legs if isinstance(leg, LotLeg)]
        if not any(family_of(leg.lot) in self._sharing for leg in lots):
            return
        for leg in entry.legs:
            if not isinstance(leg, MoneyLeg) or leg.role is not Role.PAYABLE:
                continue
            of = [each for each in lots if each.lot.currency == leg.currency]
            costs = [each.units * each.lot.cost for each in of]
            paid = shares_of_total(-leg.number, costs, minor_unit(leg.currency))
            for each, money in zip(of, paid, strict=True):
                self._note_refunded(entry.id, each, money)

    def _note_refunded(self, event_id: str, leg: LotLeg, money: Decimal) -> None:
        family = family_of(leg.lot)
        of_units = [*self._shared(family, leg.units)]
        weights = [weight for _, weight in self._weighed(family)]
        of_money = shares_of_total(money, weights, minor_unit(family.currency))
        for (allocation, units), own in zip(of_units, of_money, strict=True):
            gone = allocation.gone.setdefault(event_id, Gone(ZERO, {}))
            gone.money += own
            gone.units[family] = gone.units.get(family, ZERO) + units

    def _note_move(self, entry: JournalEntry) -> None:
        """Count what leaves its payer in a trade, transfer or spend, or comes back to it."""
        for each in moved_by(entry.legs):
            family = family_of(each.lot)
            if family in self._sharing:
                lapsed = -each.lapsed if entry.undoes else each.lapsed
                self._moved[family] += each.net + lapsed

    def _weighed(self, family: Family) -> list[tuple[Allocation, Decimal]]:
        """Those that share a family, and what each has of it.

        Where nothing was left of any, what has come back since is theirs by what they gave.
        """
        sharing = self._sharing.get(family, ())
        found = [(each, each.weight(family)) for each in sharing]
        if any(weight for _, weight in found):
            return [each for each in found if each[1]]
        return [(each, each.gave[family]) for each in sharing if family in each.ended]

    def _shared(
        self, family: Family, units: Decimal, lot: Lot | None = None
    ) -> Iterator[tuple[Allocation, Decimal]]:
        """Units of a family, or of one lot of it, as those that share it have them.

        The last takes the rest.
        """
        weighed = self._weighed(family)
        if lot is not None:
            weighed = [each for each in weighed if each[0].gave_to(lot)]
        sharing, weights = [each for each, _ in weighed], [weight for _, weight in weighed]
        decimals = max([decimals_in(each.gave[family]) for each in sharing], default=0)
        step = family.step or Decimal(1).scaleb(-decimals)
        yield from zip(sharing, shares_of_total(units, weights, step), strict=True)


def _credit(entry: JournalEntry) -> Decimal:
    """What a change of plan credits: what the invoice says, or the carrying amount, rounded."""
    if entry.exchange is not None:
        return entry.exchange.credit
    back = [leg for leg in entry.legs if isinstance(leg, LotLeg) and leg.units > 0]
    money = [leg for leg in entry.legs if isinstance(leg, MoneyLeg)]
    rest = [leg.number for leg in money if leg.role in (Role.ACCESS_REVENUE, Role.REVENUE)]
    return sum([*(leg.units * leg.lot.cost for leg in back), *rest], ZERO)


def _lots_given(entry: JournalEntry) -> list[LotLeg]:
    return [leg for leg in entry.legs if isinstance(leg, LotLeg) and leg.units < 0]
