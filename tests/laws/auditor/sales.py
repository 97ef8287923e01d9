"""What was paid for at once, and what of it is still there: periods, single allocations, top-ups.

From the contract alone. Readings, where it can be read in two ways:

S1  Where sales of one holder share a lot, each has a part of what is held in proportion to what it
    gave of it, less the fraction that went back, in the decimals of what they gave of the lot.
S3  What was cancelled at once has nothing of a lot any more; of one of which it was minted it has
    as much as it would have had of all.
S2  A refund of units counts for the sales that its holder made, and of what others sold for none.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.laws.auditor.billing import BillingBooks, Giver
from tests.laws.auditor.records import ZERO, Day, Leg, Lot, Place, minor_unit, rounded

MOVES = ("trade", "transfer", "spend")


@dataclass
class Return:
    """What went back of a sale at one time."""

    cause: Any  # what it was done by, as it is undone with it
    paid: Decimal = ZERO  # of the price
    units: dict[Lot, Decimal] = field(default_factory=dict)  # by the lot without its end
    access: Decimal = ZERO
    void: bool = False  # nothing of it stands
    moved: Decimal = ZERO  # cost of what had left its holder


@dataclass
class Sale:
    """What one allocation or period was paid, and what it gave."""

    source: tuple[Place, Day]  # the line that says it, and the first day
    holder: str
    origin: str
    price: Decimal
    currency: str
    step: Decimal  # of its units: what their last digit counts
    units: dict[Lot, Decimal]  # by the lot without its end
    access: Lot | None = None
    gave_access: Decimal = ZERO
    returns: list[Return] = field(default_factory=list)
    over: set[Lot] = field(default_factory=set)  # lots of which it has nothing any more

    def left(self) -> Decimal:
        """What of the price has not gone back; an invoice may credit more than there was."""
        return max(ZERO, self.price - sum((each.paid for each in self.returns), ZERO))

    def taken(self, key: Lot) -> Decimal:
        return sum((each.units.get(key, ZERO) for each in self.returns), ZERO)

    def not_taken(self, key: Lot) -> Decimal:
        """What it gave of a lot and has not been taken back."""
        if key == self.access:
            return self.gave_access - sum((each.access for each in self.returns), ZERO)
        return self.units[key] - self.taken(key)

    def stands(self, key: Lot) -> Fraction:
        """What it gave of a lot, less the fraction that went back."""
        if key in self.over or any(each.void for each in self.returns):
            return Fraction(0)
        part = Fraction(self.left()) / Fraction(self.price) if self.price else 1
        return self.gave(key) * part

    def gave(self, key: Lot) -> Fraction:
        return Fraction(self.gave_access if key == self.access else self.units.get(key, ZERO))


def without_end(lot: Lot) -> Lot:
    return lot._replace(end=None)


def step_of(units: Decimal) -> Decimal:
    """What the last digit of a number that says something counts."""
    return Decimal(1).scaleb(min(0, int(units.normalize().as_tuple().exponent)))


def split_by(weights: list[Fraction], total: Decimal, step: Decimal) -> list[Decimal]:
    """A total by weights, each rounded on what they run up to; the last takes what is left."""
    found: list[Decimal] = []
    for at in range(1, len(weights)):
        due = rounded(Fraction(total) * sum(weights[:at]) / sum(weights), step)
        found.append(due - sum(found, ZERO))
    return [*found, total - sum(found, ZERO)] if weights else []


class SaleBooks(BillingBooks):
    """Who sold what to whom, and what went back of it."""

    journal: Any
    plan_terms: Any

    def __init__(self) -> None:
        super().__init__()
        self.sales: list[Sale] = []
        self.sale_of: dict[str, Sale] = {}  # by the id of what was sold
        self.short_lots: set[tuple[str, Lot]] = set()  # of access earned by day, whatever the plan

    def sell(
        self,
        source: tuple[Place, Day],
        known_as: str | None,
        legs: list[Leg],
        price: Decimal,
        units: Decimal,
    ) -> None:
        """Remember what was sold: the legs that give units and access."""
        gave = [leg for leg in legs if leg.lot is not None and leg.number < 0]
        if not gave:
            return
        access = [leg for leg in gave if leg.role == "access"]
        found: dict[Lot, Decimal] = defaultdict(Decimal)
        for leg in gave:
            if leg.role != "access" and leg.lot:
                found[without_end(leg.lot)] -= leg.number
        lot = gave[0].lot
        assert lot is not None
        holder, code = gave[0].subscriber, lot.currency
        sale = Sale(source, holder, lot.origin, price, code, step_of(units), dict(found))
        if access:
            sale.access, sale.gave_access = access[0].lot, -access[0].number
        self.sales.append(sale)
        if known_as is not None:
            self.sale_of[known_as] = sale

    def unsell(self, known_as: str) -> None:
        sale = self.sale_of.pop(known_as, None)
        self.sales = [each for each in self.sales if each is not sale]

    def sale_from(self, source: tuple[Place, Day]) -> Sale | None:
        found = [each for each in self.sales if each.source == source]
        return found[-1] if found else None

    def sharing(self, holder: str, key: Lot) -> list[Sale]:
        """The sales to a holder that gave of a lot."""
        return [
            each
            for each in self.sales
            if each.holder == holder and (key in each.units or key == each.access)
        ]

    def parts(self, holder: str, key: Lot, held: Decimal) -> list[tuple[Sale, Decimal]]:
        """What each sale has of what its holder holds of a lot, in the order of the books."""
        weights = self.weights(holder, key)
        sharing = [each for each, _ in weights]
        steps = [step_of(each.units[key]) for each in sharing if key != each.access]
        step = min(steps, default=minor_unit(key.currency))
        found = split_by([weight for _, weight in weights], held, step)
        return list(zip(sharing, found, strict=True))

    def weights(self, holder: str, key: Lot) -> list[tuple[Sale, Fraction]]:
        """What counts for each; where nothing was left of any, what it once gave."""
        sharing = self.sharing(holder, key)
        standing = [(each, each.stands(key)) for each in sharing if each.stands(key)]
        return standing or [(each, each.gave(key)) for each in sharing if key in each.over]

    def part(self, sale: Sale, key: Lot, held: Decimal) -> Decimal:
        """What one of them has, and never more than it gave and has not been taken back."""
        found = [part for each, part in self.parts(sale.holder, key, held) if each is sale]
        mine = found[0] if found else ZERO
        return min(mine, sale.not_taken(key))

    def share(self, giver: Giver, holder: str, pocket: str, lot: Lot) -> Decimal:
        """What a period has of what is held of a lot, to itself or with others that gave of this
        very lot; and nothing of it from now on."""
        held: Decimal = self.held[holder, pocket].get(lot, ZERO)
        givers = self.gave[holder, pocket, lot]
        key = lot if pocket == "access" else without_end(lot)
        mine = self.sale_from(giver) if giver in givers else None
        among = [each for each, _ in self.parts(holder, key, ZERO) if each.source in givers]
        givers.pop(giver, None)
        if mine is None or not givers:
            return held if mine is not None else ZERO
        steps = [step_of(each.units[key]) for each in among if pocket != "access"]
        weights = [each.stands(key) for each in among]
        found = split_by(weights, held, min(steps, default=minor_unit(lot.currency)))
        own = sum((part for each, part in zip(among, found, strict=True) if each is mine), ZERO)
        return min(own, mine.not_taken(key))

    def is_beside(self, giver: Giver, leg: Leg) -> bool:
        """Whether another sale to a holder is of the plan and day of a period."""
        assert leg.lot is not None
        of = leg.subscriber, leg.lot.origin, giver[1]
        others = [each for each in self.sales if each.source != giver]
        return any((each.holder, each.origin, each.source[1]) == of for each in others)

    def is_over(self, giver: Giver, lot: Lot) -> None:
        """A period that was cancelled at once has nothing of its lots any more."""
        sale = self.sale_from(giver)
        if sale is not None:
            sale.over.add(lot if lot == sale.access else without_end(lot))

    # Access

    def earn_until(self, holder: str, lot: Lot, day: Day) -> None:
        """Earn a lot of access up to the day before."""
        left: Decimal = self.held[holder, "access"].get(lot, ZERO)
        since = self.access_since.get((holder, lot), lot.date)
        if left and since < day and not self.by_months(holder, lot):
            before = day - datetime.timedelta(days=1)
            self.book_access(day, holder, lot, self.earned(holder, lot, left, since, before))
            self.access_since[holder, lot] = day

    def by_months(self, holder: str, lot: Lot) -> bool:
        plan = self.plan_terms(lot.origin, lot.date)
        return bool(plan and plan.even) and (holder, lot) not in self.short_lots

    # Units

    def holdings(self, sale: Sale) -> list[tuple[str, Lot, Decimal]]:
        """Pocket, lot and units of its lots that its holder has, tokens first."""
        return [
            (pocket, lot, units)
            for pocket in ("tokens", "allocations")
            for lot, units in self.held[sale.holder, pocket].items()
            if without_end(lot) in sale.units
        ]

    def still_held(self, sale: Sale) -> dict[Lot, Decimal]:
        """The units of a sale that its holder has, by lot without end."""
        held: dict[Lot, Decimal] = defaultdict(Decimal)
        for _, lot, units in self.holdings(sale):
            held[without_end(lot)] += units
        return {key: self.part(sale, key, units) for key, units in held.items()}

    def cost_moved(self, sale: Sale) -> Fraction:
        """The cost of units of its lots that left its holder by trade, transfer or spend, but for
        those that came back."""
        cost = Fraction(0)
        for key, gave in sale.units.items():
            left = ZERO
            for transaction in self.journal:
                kind = transaction.undoes or transaction.why
                for leg in transaction.legs if kind in MOVES else ():
                    mine = leg.subscriber == sale.holder and leg.role == "tokens"
                    if mine and leg.lot and without_end(leg.lot) == key:
                        left += leg.number
            every = sum((each.units[key] for each in self.sharing(sale.holder, key)), ZERO)
            own = Fraction(max(ZERO, left)) * Fraction(gave) / Fraction(every)
            cost += min(own, Fraction(gave)) * Fraction(key.cost)
        return cost

    def count_refunded(self, cause: Any, holder: str, legs: list[Leg]) -> None:
        """A refund of units: what it paid for units of the holder's own sales went back of them."""
        lots = [leg for leg in legs if leg.lot is not None]
        for payable in [leg for leg in legs if leg.role == "payable"]:
            of = [leg for leg in lots if leg.weight()[0] == payable.currency]
            costs = [Fraction(leg.weight()[1]) for leg in of]
            paid = split_by(costs, -payable.number, minor_unit(payable.currency))
            for leg, number in zip(of, paid, strict=True):
                self.count_lot(cause, holder, leg, number)

    def count_lot(self, cause: Any, holder: str, leg: Leg, paid: Decimal) -> None:
        assert leg.lot is not None
        key = without_end(leg.lot)
        parts = self.parts(holder, key, leg.number)
        weights = [weight for _, weight in self.weights(holder, key)]
        for (sale, units), number in zip(
            parts, split_by(weights, paid, minor_unit(key.currency)), strict=True
        ):
            sale.returns.append(Return(cause, number, {key: units}))

    def undo_returns(self, cause: Any) -> None:
        for sale in self.sales:
            sale.returns = [each for each in sale.returns if each.cause != cause]
