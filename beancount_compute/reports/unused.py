"""What became of the units that left their period unused, followed from hand to hand.

    2026-06-01  alice's 800 CU of May become tokens           ; a cohort: 2026-06, pro, alice
    2026-06-10  she sells 500 of them to bob                  ; sold 500
    2026-06-20  bob uses 400 tokens                           ; used 400, of alice's cohort
    2027-06-01  her 300 and his 100 lapse                     ; expired 400

A cohort is the units of one plan that a subscriber held at the end of a period and that turned into
tokens or lapsed on it, by the month of that day: the month in which the books would show them as
breakage had there been no market. It includes what lapses at the end of a plan without tokens, and
rolled-over units when they lapse; grants and top-ups have no period and are in none.

Tokens keep their lot (unit cost, date, origin, end) through every trade. Where tokens of one lot
and several cohorts lie with one holder, the first to come is the first to go. Of what a reversal
brings back, the last to go is the first to return. So each unit belongs to one cohort at all times,
nothing is shared by a fraction, and the cohorts add up to the books to the last digit.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy.lots import Pocket
from beancount_compute.economy.rounding import ZERO
from beancount_compute.economy.terms import RESERVED_ORIGINS
from beancount_compute.reports.facts import Flow, Movement


class Cohort(NamedTuple):
    """Units that left their period unused."""

    month: str  # "2026-06", of the day on which they became tokens or lapsed
    plan: str
    subscriber: str  # who held them on that day
    commodity: str


class Part(NamedTuple):
    """Units of one cohort in a lot that are moved or gone."""

    cohort: Cohort | None  # None: opening tokens, whose period ended before the books began
    sold: int  # how often they were sold so far
    units: Decimal


class Outcome(NamedTuple):
    """What happened to the units of a movement, by the cohorts that they are of."""

    movement: Movement
    parts: list[tuple[Part, date]]  # negative where they come back; with the day of what is undone
    buyer: str = ""  # of a sale


_new = tuple.__new__  # a named tuple's own constructor is a Python function: three times as long
_BETWEEN = frozenset([Flow.TRADED_IN, Flow.TRADED_OUT, Flow.TRANSFERRED_IN, Flow.TRANSFERRED_OUT])
_SALES = (Flow.TRADED_IN, Flow.TRADED_OUT)
_NOT_PLANS = frozenset(["", *RESERVED_ORIGINS])
_Pool = tuple[str, str, int]  # holder, commodity and the lot, by identity: equal lots are the same


def follow(movements: Iterable[Movement]) -> Iterator[Outcome]:
    """What became of every cohort, in the order of the movements, which are all up to some day.

    Of tokens and lapsing units of plans; not of grants, top-ups, or postings that name no lot.
    """
    follower = _Follower()
    tokens, expired = Pocket.TOKENS, Flow.EXPIRED
    changing: list[Movement] = []  # of one transaction, in which tokens change hands
    for movement in movements:
        _, _, flow, _, pocket, origin, _, _, _, _, _, _, at, _ = movement
        if (pocket is not tokens and flow is not expired) or origin in _NOT_PLANS:
            continue  # most movements
        if changing and changing[0].at != at:
            yield from follower.between(changing)
            changing = []
        if flow in _BETWEEN:
            changing.append(movement)
        elif (outcome := follower.book(movement)) is not None:
            yield outcome
    if changing:
        yield from follower.between(changing)


class _Follower:
    """Who holds which parts of which lot, and which have gone."""

    def __init__(self) -> None:
        self._held: defaultdict[_Pool, deque[Part]] = defaultdict(deque)
        self._gone: defaultdict[tuple[_Pool, Flow], list[tuple[Part, date]]] = defaultdict(list)

    def book(self, movement: Movement) -> Outcome | None:
        """Follow units that come, or go for good; opening tokens have no outcome."""
        day, month, flow, holder, pocket, origin, commodity, units, _, _, lot, *_ = movement
        pool = (holder, commodity, id(lot))
        if flow is Flow.OPENING:
            _put(self._held[pool], Part(None, 0, units))
            return None
        if flow is Flow.MINTED:
            part = _part(_new(Cohort, (month, origin, holder, commodity)), 0, units)
            _put(self._held[pool], part)
            parts = [(part, day)]
        elif pocket is Pocket.ALLOCATIONS:
            cohort = Cohort(month, origin, holder, commodity)
            parts = [(_part(cohort, 0, -units), day)]
        elif units < 0:
            parts = [(part, day) for part in _first(self._held[pool], -units)]
            self._gone[pool, flow] += parts
        else:
            parts = self._returned(pool, flow, units)
        return _new(Outcome, (movement, parts, ""))

    def _returned(self, pool: _Pool, flow: Flow, wanted: Decimal) -> list[tuple[Part, date]]:
        """Units that a reversal brings back: what went last comes first."""
        held, gone = self._held[pool], self._gone[pool, flow]
        parts: list[tuple[Part, date]] = []
        while wanted and gone:
            part, day = gone.pop()
            units = min(part.units, wanted)
            if units < part.units:
                gone.append((part._replace(units=part.units - units), day))
            wanted -= units
            held.appendleft(part._replace(units=units))
            parts.append((part._replace(units=-units), day))
        return parts

    def between(self, moved: list[Movement]) -> list[Outcome]:
        """Tokens change hands; in a reversal those that came last, and sold ones first, go back."""
        parts: dict[int, list[Part]] = {}
        undoes, sale = moved[0].undoes, moved[0].flow in _SALES
        take = _last_sold if undoes else _first
        step = (-1 if undoes else 1) if sale else 0
        for _, _, _, holder, _, _, commodity, units, _, _, lot, *_ in moved:
            if units < 0:
                place = id(lot)
                parts[place] = take(self._held[holder, commodity, place], -units)
        for _, _, _, holder, _, _, commodity, units, _, _, lot, *_ in moved:
            if units < 0:
                continue
            place = id(lot)
            pool = self._held[holder, commodity, place]
            arrived = [
                _part(cohort, max(0, sold + step), moving)
                for cohort, sold, moving in parts.get(place, ())
            ]
            if undoes:
                pool.extendleft(reversed(arrived))
            else:
                for part in arrived:
                    _put(pool, part)
        return _sales(moved, parts, undoes) if sale else []


def _sales(moved: list[Movement], parts: dict[int, list[Part]], undoes: bool) -> list[Outcome]:
    """The parts that a trade moved, as they were before it; negative where it is undone."""
    buyer = next(each.subscriber for each in moved if each.flow is Flow.TRADED_IN)
    outcomes: list[Outcome] = []
    for movement in moved:
        if movement.flow is Flow.TRADED_OUT:
            sold = parts.get(id(movement.lot), [])
            if undoes:
                sold = [part._replace(sold=part.sold - 1, units=-part.units) for part in sold]
            day = movement.date
            outcomes.append(_new(Outcome, (movement, [(part, day) for part in sold], buyer)))
    return outcomes


def _part(cohort: Cohort | None, sold: int, units: Decimal) -> Part:
    return _new(Part, (cohort, sold, units))


def _first(pool: deque[Part], wanted: Decimal) -> list[Part]:
    """Take the parts that came first; fewer than wanted where a ledger with errors holds fewer."""
    taken: list[Part] = []
    while wanted and pool:
        part = pool[0]
        cohort, sold, units = part
        if units > wanted:
            pool[0] = _part(cohort, sold, units - wanted)
            taken.append(_part(cohort, sold, wanted))
            break
        taken.append(pool.popleft())
        wanted -= units
    return taken


def _last_sold(pool: deque[Part], wanted: Decimal) -> list[Part]:
    """Take the parts that came last, those that were sold before all others."""
    taken: list[Part] = []
    rest = list(pool)
    for sold in (True, False):
        for at in range(len(rest) - 1, -1, -1):
            part = rest[at]
            units = min(part.units, wanted) if (part.sold > 0) is sold else ZERO
            if units:
                wanted -= units
                taken.append(part._replace(units=units))
                rest[at] = part._replace(units=part.units - units)
    pool.clear()
    pool.extend(part for part in rest if part.units)
    return taken


def _put(pool: deque[Part], part: Part) -> None:
    """Add a part behind the others; it melts into the last one where the two are alike."""
    if pool and pool[-1][:2] == part[:2]:
        part = part._replace(units=pool.pop().units + part.units)
    pool.append(part)
