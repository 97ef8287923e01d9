"""Both bills, shared out to who was served.

    30.00 USD of 2026-05-20, openai and chat:  alice 20 CU, bob 10 CU  ->  20.00 and 10.00
    100.00 USD of gpu in June, can serve 500:  alice 50 CU             ->  10.00, and 90.00 idle

The first bill goes by the list cost of each use, within the uses that one evening's cost is for;
the second by the units that each was served of the provider in the month. What all have of a meter,
plan and vintage together is rounded half-even to 0.000001, and so is each one's share; what that
leaves is a share of its own, so that all add up to what was booked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from beancount_compute.economy import PRICE_STEP, ZERO, proportion, shares_of_total
from beancount_compute.reports.fold import grouped
from beancount_compute.reports.served_facts import (
    BillShare,
    BillShares,
    BookedCost,
    BookedDepreciation,
    BookedVariance,
    CostReason,
    IdleUnits,
    ServedUnits,
    ServingFacts,
    ShareOf,
)

_Booked = BookedCost | BookedVariance | BookedDepreciation
_NOBODY = -1
_USE = ShareOf.USE
_new = tuple.__new__
_by_place = attrgetter("at")
UnitWeights = Sequence[tuple[int, Decimal]]  # places among the units served, with their weights


def share_bills(facts: ServingFacts) -> BillShares:
    """What each was served, as shares of both bills; the sums need `WIDE`."""
    first = [*_first(facts), *[_of_nobody(v, ShareOf.VARIANCE, v.amount) for v in facts.variances]]
    second = _SecondBill(facts)
    shares = sorted(second.shares(), key=_by_place)
    return BillShares(tuple(sorted(first, key=_by_place)), tuple(shares), tuple(second.idle))


def _first(facts: ServingFacts) -> Iterator[BillShare]:
    served = facts.served
    of_pool = grouped(range(len(served)), lambda at: served[at].pool)
    of_day = grouped(range(len(served)), lambda at: served[at].pool[:3])
    for cost in facts.costs:
        if cost.reason is CostReason.LAPSED:
            yield _of_nobody(cost, ShareOf.LAPSED, cost.amount)
            continue
        found: Sequence[int] = of_pool.get(cost.pool, ())
        if cost.reason is CostReason.STATED or not sum([served[at].weight for at in found], ZERO):
            found = [at for at in of_day.get(cost.pool[:3], ()) if not served[at].pool.undone]
        weighed = [(at, served[at].weight) for at in found]
        yield from _shared(cost, cost.amount, weighed, served, ShareOf.NO_USE)


def _shared(
    booked: _Booked,
    amount: Decimal,
    weighed: UnitWeights,
    served: Sequence[ServedUnits],
    otherwise: ShareOf,
) -> Iterator[BillShare]:
    """An amount by weights, and what rounding leaves; all of it otherwise where nothing weighs."""
    whole = sum([weight for _, weight in weighed], ZERO)
    if not whole:
        if amount:
            yield _of_nobody(booked, otherwise, amount)
        return
    left = amount
    for alike in grouped(weighed, lambda each: _kind_of(served[each[0]])).values():
        of_all = proportion(amount, sum([weight for _, weight in alike], ZERO), whole)
        left -= of_all
        for at, weight in alike:
            share = proportion(amount, weight, whole)
            of_all -= share
            if share:
                yield _of(served[at], booked, share, at)
        if of_all:
            at, _ = alike[0]
            rest = _of(served[at], booked, of_all, at)
            yield rest._replace(line=ShareOf.ROUNDING, subscriber="")
    if left:
        at, _ = weighed[0]
        rest = _of_nobody(booked, ShareOf.ROUNDING, left)
        yield rest._replace(commodity=served[at].commodity)


def _kind_of(units: ServedUnits) -> tuple[str, str, str, str]:
    """What tells units apart, whosever they are."""
    return units.meter, units.origin, units.vintage, units.commodity


def _of(units: ServedUnits, booked: _Booked, amount: Decimal, at: int) -> BillShare:
    # fmt: off
    return _new(BillShare, (
        booked.date, booked.month, _USE, units.subscriber, units.meter, units.provider,
        units.origin, units.vintage, units.commodity, booked.currency, amount, booked.at, at,
    ))
    # fmt: on


def _of_nobody(booked: _Booked, line: ShareOf, amount: Decimal) -> BillShare:
    meter = booked.meter if isinstance(booked, BookedCost) else ""
    commodity = booked.unit if isinstance(booked, BookedDepreciation) else ""
    # fmt: off
    return BillShare(
        booked.date, booked.month, line, "", meter, booked.provider, "", "", commodity,
        booked.currency, amount, booked.at, _NOBODY,
    )
    # fmt: on


class _Serving(NamedTuple):
    """What a provider served in a month that counts for some of its capacity."""

    weighed: UnitWeights
    units: Decimal


class _Idle(NamedTuple):
    """What several capacities of a provider could have served together and did not."""

    units: Decimal
    can_serve: Decimal


class _SecondBill:
    """Shares depreciation among who was served; what nobody was is idle."""

    def __init__(self, facts: ServingFacts) -> None:
        self.idle: list[IdleUnits] = []
        self._served = facts.served
        self._booked = grouped(
            facts.depreciations, lambda each: (each.month, each.provider, each.unit)
        )
        self._in_month: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for at, units in enumerate(facts.served):
            self._in_month[units.month, units.provider].append(at)

    def shares(self) -> Iterator[BillShare]:
        """The shares of all months."""
        for key, booked in self._booked.items():
            serving = self._serving(*key)
            idle = self._idle_of(serving.units, booked)
            for each in booked:
                yield from self._share(each, serving, idle)

    def _serving(self, month: str, provider: str, unit: str) -> _Serving:
        """What counts: units such as the capacity's, or all where its terms name none."""
        found: list[tuple[int, Decimal]] = []
        for at in self._in_month.get((month, provider), ()):
            number, commodity = self._served[at].in_meter
            if unit in ("", commodity):
                found.append((at, number))
        return _Serving(found, sum([number for _, number in found], ZERO))

    def _idle_of(self, served: Decimal, booked: Iterable[BookedDepreciation]) -> _Idle:
        """What of all that can be served was not; its units by capacity are noted."""
        able = [each for each in booked if each.can_serve]
        can_serve = sum([each.can_serve for each in able], ZERO)
        idle = min(max(can_serve - served, ZERO), can_serve)
        shares = shares_of_total(idle, [each.can_serve for each in able], PRICE_STEP)
        for each, units in zip(able, shares, strict=True):
            # fmt: off
            self.idle.append(IdleUnits(
                each.date, each.month, each.provider, each.unit, units, each.can_serve,
                each.currency, each.at,
            ))
            # fmt: on
        return _Idle(idle, can_serve)

    def _share(
        self, booked: BookedDepreciation, serving: _Serving, idle: _Idle
    ) -> Iterator[BillShare]:
        left = booked.amount
        if booked.can_serve and not booked.by_units and serving.units > 0:
            of_idle = proportion(booked.amount, idle.units, idle.can_serve)
            if of_idle:
                yield _of_nobody(booked, ShareOf.IDLE, of_idle)
            left -= of_idle
        counts = serving.units if booked.by_units else serving.units > 0  # what is given back, too
        weighed = serving.weighed if counts else ()
        yield from _shared(booked, left, weighed, self._served, ShareOf.IDLE)
