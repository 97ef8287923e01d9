"""What was used and sold of past vintages at each age, and what is open today to go on like them.

    of pro, in the month         open      used    sold
    that was 1 month old       600.00    150.00  120.00     ->  a quarter used, a fifth sold on
    that was 2 months old      450.00     45.00    0.00     ->  a tenth used

A vintage is what was paid for in a month from one plan, or as top-ups, in one unit and currency;
months are counted from a day (`months_from.py`), and a lot keeps its date, and so its age, through
mints and sales. Open is what there was at the beginning of the month and what came in it; not what
could no longer be used from the first day on. Otherwise is what was spent with partners, refunded
or removed by hand. All is at carrying amount.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from beancount_compute.economy import COMING, RELEASING, ZERO, Flow, Pocket, Terms, round_half_even
from beancount_compute.insight.months_from import MonthsFrom
from beancount_compute.reports import Movement
from beancount_compute.reports.remaining import ends_of

_FINEST = Decimal("0.000000001")  # of a rate
_ONE = Decimal(1)


class Origin(NamedTuple):
    """What vintages have in common that are compared: a plan, "top-up" or "grant", in a unit."""

    name: str
    commodity: str
    currency: str


class AgedFlows(NamedTuple):
    """What was open of vintages at an age, and what of it was used, sold, or left otherwise."""

    open: Decimal = ZERO
    used: Decimal = ZERO
    otherwise: Decimal = ZERO
    sold: Decimal = ZERO

    def __add__(self, other: object) -> AgedFlows:
        assert isinstance(other, AgedFlows)
        return AgedFlows(*[one + more for one, more in zip(self, other, strict=True)])

    def rates(self) -> tuple[Decimal, Decimal, Decimal]:
        """The parts that were used, left otherwise, and were sold; reversals make none negative,
        and no more leaves than there is. Sold it can be more than once."""
        used = min(_ONE, self._rate(self.used))
        return used, min(_ONE - used, self._rate(self.otherwise)), self._rate(self.sold)

    def _rate(self, number: Decimal) -> Decimal:
        return max(ZERO, round_half_even(number / self.open, _FINEST))


class AlikeLots(NamedTuple):
    """What tells lots of one origin apart that go on unlike each other."""

    age: int  # in months, at the day
    ends: int | None  # the month to come in which they lapse, from 1 on; None for no end
    usable: bool  # in that month, for they end later than on its first day


class HeldLots(NamedTuple):
    """What is open of alike lots."""

    amount: Decimal = ZERO
    units: Decimal = ZERO


class VintageFlows(NamedTuple):
    """The past of the vintages of one origin, and what of them is open."""

    seen: Mapping[tuple[int, int], AgedFlows]  # by month, up to 0, and age; where any was open
    held: Mapping[AlikeLots, HeldLots]

    def pooled(self) -> dict[int, AgedFlows]:
        """All vintages together, by age."""
        found: defaultdict[int, AgedFlows] = defaultdict(AgedFlows)
        for (_, age), flows in sorted(self.seen.items()):
            found[age] += flows
        return dict(found)


class _Origin:
    """What is being read of an origin."""

    def __init__(self, months: MonthsFrom) -> None:
        self.months = months
        self.flows: defaultdict[tuple[int, int], AgedFlows] = defaultdict(AgedFlows)
        # by vintage and end, what each month added, and what came in it
        self.balances: defaultdict[tuple[int, int, bool], defaultdict[int, list[Decimal]]]
        self.balances = defaultdict(lambda: defaultdict(lambda: [ZERO, ZERO, ZERO]))

    def add(self, each: Movement, terms: Terms) -> None:
        vintage, month = self.months.number_of(each.lot.date), self.months.number_of(each.date)
        vintage = min(vintage, month)
        if each.flow in _COLUMNS:
            moved = AgedFlows()._replace(**{_COLUMNS[each.flow]: -each.amount})
            self.flows[month, month - vintage] += moved
        of_units = ends_of(each._replace(amount=each.units), terms)
        for (end, amount), (_, units) in zip(ends_of(each, terms), of_units, strict=True):
            sums = self.balances[vintage, *_end(self.months, end)][month]
            sums[0] += amount
            sums[1] += amount if each.flow in COMING else ZERO
            sums[2] += units

    def finished(self, first: int) -> VintageFlows:
        """What was read; months before the first, of which books may say a part, are no past."""
        seen: defaultdict[tuple[int, int], AgedFlows] = defaultdict(AgedFlows)
        held: defaultdict[AlikeLots, HeldLots] = defaultdict(HeldLots)
        for (vintage, ends, usable), by_month in self.balances.items():
            before = [sums for month, sums in by_month.items() if month < first]
            balance = sum([changed for changed, _, _ in before], ZERO)
            units = sum([of_units for _, _, of_units in before], ZERO)
            for month in range(first, 1):
                changed, came, of_units = by_month.get(month, _NOTHING)
                open_then = balance + came
                if open_then > 0 and (usable or month < ends):
                    seen[month, month - vintage] += AgedFlows(open_then)
                balance, units = balance + changed, units + of_units
            if balance:
                ahead = None if ends == _NEVER else max(ends, 1)
                alike = AlikeLots(-vintage, ahead, usable and ends >= 1)
                amount, so_far = held[alike]
                held[alike] = HeldLots(amount + balance, so_far + units)
        with_flows = {key: flows + self.flows[key] for key, flows in sorted(seen.items())}
        return VintageFlows(with_flows, dict(sorted(held.items(), key=_by_end)))


_NEVER = 1 << 20  # later than any month of the calendar
_NOTHING = (ZERO, ZERO, ZERO)
_COLUMNS: dict[Flow, str] = {
    Flow.USED: "used",
    Flow.TRADED_OUT: "sold",
    **{flow: "otherwise" for flow in RELEASING if flow not in (Flow.USED, Flow.EXPIRED)},
}


@lru_cache(1 << 12)
def _end(months: MonthsFrom, day: date | None) -> tuple[int, bool]:
    """The month in which lots end, and whether they can be used in it."""
    if day is None:
        return _NEVER, True
    month = months.number_of(day)
    return month, day > months.first_of(month)


def _by_end(each: tuple[AlikeLots, HeldLots]) -> tuple[int, int, bool]:
    age, ends, usable = each[0]
    return age, ends or _NEVER, usable


def flows_of_vintages(
    movements: Iterable[Movement], terms: Terms, months: MonthsFrom, first: int
) -> dict[Origin, VintageFlows]:
    """What movements up to a day say of each origin, from the month `first` on.

    Sums need the context `WIDE`.
    """
    found: dict[Origin, _Origin] = {}
    for each in movements:
        if each.amount and each.pocket is not Pocket.ACCESS:
            origin = Origin(each.origin, each.commodity, each.lot.currency)
            if origin not in found:
                found[origin] = _Origin(months)
            found[origin].add(each, terms)
    return {origin: found[origin].finished(first) for origin in sorted(found)}
