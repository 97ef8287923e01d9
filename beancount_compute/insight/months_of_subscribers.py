"""What each subscriber paid, cost and left unused, and when who left: the sums of a break-even.

    alice   3 months   billed 600.00   own use cost 12.00   unused 160.00, of it sold 100.00
            gross 125.00   fees 6.25   of these units' use 16.00   3 decisions, none to leave

Units that left their period unused are of who held them then, as in `economics`, whoever uses them
later; what of them was sold is told from what was kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from beancount_compute.economy import RELEASING, UNIT_COST, Earning, Flow
from beancount_compute.insight.watched import NO_TOKENS, Decision, decisions
from beancount_compute.reports import Books, Selection, until
from beancount_compute.reports.cohort_figures import Happened, what_became
from beancount_compute.reports.economics import GAIN_IF_HELD_LAPSES, UNUSED, selected
from beancount_compute.reports.facts import of_minimum
from beancount_compute.reports.margin import parts_in_money
from beancount_compute.reports.periods import months_run
from beancount_compute.reports.unused import Follower

_BILLED = (Flow.ALLOCATED, Flow.TOPPED_UP, Flow.RETURNED)  # what a change gives back is below zero
_GIVES = frozenset(RELEASING) - {Flow.EXPIRED}  # what unused units do besides lapsing


class Summed(IntEnum):
    """What is added up of each subscriber, and its place."""

    MONTHS = 0  # billed
    BILLED = 1  # for periods and top-ups
    OVERAGE = 2
    BREAKAGE = 3
    COST = 4  # of all use
    OF_UNUSED = 5  # of that, the use of units that had been left unused
    UNUSED = 6  # at carrying amount
    SOLD = 7  # of that, for the first time
    GROSS = 8
    FEES = 9
    FORGONE_SOLD = 10  # what units that were sold cost as they did not lapse
    FORGONE_KEPT = 11
    WATCHED = 12  # months of decisions
    LEFT = 13
    WATCHED_BARE = 14  # of those who neither traded nor held tokens
    LEFT_BARE = 15


SummedRows = npt.NDArray[np.float64]  # by subscriber and `Summed`


class BareDecisions(NamedTuple):
    """Decisions of who neither traded nor held tokens: who they are, beside all others."""

    number: int
    of_newcomers: int  # the first after a start, before anything can be left over
    used: float | None  # on average, of what was allocated; None where nothing was
    others_used: float | None

    @classmethod
    def among(cls, seen: Sequence[Decision]) -> BareDecisions:
        """Those among all decisions."""
        bare = [each for each in seen if each.tokens == NO_TOKENS]
        others = [each for each in seen if each.tokens != NO_TOKENS]
        newcomers = sum(not each.since for each in bare)
        return cls(len(bare), newcomers, _mean_used(bare), _mean_used(others))


def _mean_used(among: Iterable[Decision]) -> float | None:
    used = [float(each.used) for each in among if each.used is not None]
    return sum(used) / len(used) if used else None


NO_DECISIONS = BareDecisions(0, 0, None, None)


class SubscriberSums(NamedTuple):
    """The sums of all subscribers, in one currency."""

    sums: SummedRows
    months_seen: int  # of the longest watched
    bare: BareDecisions = NO_DECISIONS


def sums_by_currency(
    books: Books, selection: Selection, displaced: Decimal
) -> dict[str, SubscriberSums]:
    """The sums of each currency in which anything was billed; sums need `WIDE`."""
    found: defaultdict[tuple[str, str], SummedRows]
    found = defaultdict(lambda: np.zeros(len(Summed)))
    end = selection.day_of(books)
    for what, name, currency, number in (
        *_billed(books, selection),
        *_cost_of_use(books, selection),
        *_of_unused(books, selection, displaced),
    ):
        found[currency, name][what] += float(number)
    seen = decisions(books, selection._replace(end=end))
    by_name: defaultdict[str, list[Decision]] = defaultdict(list)
    for each in seen:
        by_name[each.subscriber].append(each)
    months_seen = max([each.age for each in seen], default=0)
    by_currency: dict[str, SubscriberSums] = {}
    for currency in sorted({of for of, _ in found}):
        of_it = {
            name: sums for (of, name), sums in sorted(found.items()) if of == currency and name
        }
        rows = [_with_decisions(sums, by_name[name]) for name, sums in of_it.items()]
        if any(row[Summed.MONTHS] for row in rows):
            bare = BareDecisions.among([each for name in of_it for each in by_name[name]])
            by_currency[currency] = SubscriberSums(np.array(rows), months_seen, bare)
    return by_currency


def _with_decisions(sums: SummedRows, among: Iterable[Decision]) -> SummedRows:
    for each in among:
        months = each.age - each.since
        sums[Summed.WATCHED] += months
        sums[Summed.LEFT] += each.left
        if each.tokens == NO_TOKENS:
            sums[Summed.WATCHED_BARE] += months
            sums[Summed.LEFT_BARE] += each.left
    return sums


_AddedTo = tuple[Summed, str, str, Decimal]  # what, whose, currency


def _billed(books: Books, selection: Selection) -> Iterator[_AddedTo]:
    end = selection.day_of(books)
    for period in books.periods:
        if period.first <= end and _is_asked(selection, period.subscriber, period.plan):
            months = months_run(period, books.terms)
            for currency, _ in period.billed:
                yield Summed.MONTHS, period.subscriber, currency, months
    for moved in selection.movements(books):
        if moved.flow in _BILLED and moved.amount:
            yield Summed.BILLED, moved.subscriber, moved.lot.currency, moved.amount
    for income in selection.incomes(books):
        if income.earning is Earning.OVERAGE or of_minimum(income):  # each is billed besides
            yield Summed.OVERAGE, income.subscriber, income.currency, income.amount
        elif income.earning is Earning.BREAKAGE:
            yield Summed.BREAKAGE, income.subscriber, income.currency, income.amount


def _is_asked(selection: Selection, subscriber: str, plan: str) -> bool:
    return selection.subscriber in ("", subscriber) and selection.plan in ("", plan)


def _cost_of_use(books: Books, selection: Selection) -> Iterator[_AddedTo]:
    """As booked, where somebody serves the meter, else the unit cost."""
    for part in parts_in_money(books, selection):
        if part.what == "first":
            yield Summed.COST, part.subscriber, part.currency, part.number
    for units in books.serving.served:
        if not units.provider and selection.covers(units.date):
            cost = books.terms.on(UNIT_COST, units.date)
            if cost is not None and _is_asked(selection, units.subscriber, units.origin):
                number = units.units * cost.number
                yield Summed.COST, units.subscriber, cost.currency, number


def _of_unused(books: Books, selection: Selection, displaced: Decimal) -> Iterator[_AddedTo]:
    """What became of unused units; what they cost is of sold ones by their share in what left."""
    movements = until(books.movements, selection.end)
    happened = selected(what_became(books, movements, displaced, selection.end), selection)
    parts = [*_followed(books, selection)]
    yield from [each for each in parts if each[0] is Summed.SOLD]
    left: defaultdict[tuple[str, str], dict[Summed, Decimal]] = defaultdict(dict)
    for what, name, currency, number in parts:
        of = left[name, currency]
        of[what] = of.get(what, Decimal()) + number
    for each in happened:
        yield from _of_happened(each, left[each.subscriber, each.currency])


def _of_happened(each: Happened, left: dict[Summed, Decimal]) -> Iterator[_AddedTo]:
    whose = each.subscriber, each.currency
    if each.what in UNUSED:
        yield Summed.UNUSED, *whose, each.amount
    if each.what in ("gross", "fees"):
        yield Summed.GROSS if each.what == "gross" else Summed.FEES, *whose, each.amount
    elif each.what in GAIN_IF_HELD_LAPSES:
        forgone = -GAIN_IF_HELD_LAPSES[each.what] * each.amount
        sold, kept = (left.get(one, Decimal()) for one in (_LEFT_SOLD, _LEFT_KEPT))
        of_sold = forgone * sold / (sold + kept) if sold + kept else Decimal()
        of_sold = forgone if each.what == "displaced" else of_sold
        yield Summed.FORGONE_SOLD, *whose, of_sold
        yield Summed.FORGONE_KEPT, *whose, forgone - of_sold
    if each.what in ("cost", "cost_booked"):
        yield Summed.OF_UNUSED, *whose, each.amount


_LEFT_SOLD, _LEFT_KEPT = Summed.FORGONE_SOLD, Summed.FORGONE_KEPT  # by what left of them


def _followed(books: Books, selection: Selection) -> Iterator[_AddedTo]:
    """What was sold first, and what else left, of sold units and of kept ones."""
    for movement, parts, _, _ in Follower().follow(until(books.movements, selection.end)):
        cost, currency = movement.lot.cost, movement.lot.currency
        for cohort, times, units in parts:
            if cohort is None or not _is_asked(selection, cohort.subscriber, cohort.plan):
                continue
            if movement.flow is Flow.TRADED_OUT:
                if not times:
                    yield Summed.SOLD, cohort.subscriber, currency, units * cost
            elif movement.flow in _GIVES:
                what = _LEFT_SOLD if times else _LEFT_KEPT
                yield what, cohort.subscriber, currency, units * cost
