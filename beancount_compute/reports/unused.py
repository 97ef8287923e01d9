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

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from beancount_compute.economy import RESERVED_ORIGINS, ZERO, Flow, Pocket
from beancount_compute.reports.facts import LotKey, Movement


class Cohort(NamedTuple):
    """Units that left their period unused."""

    month: str  # "2026-06", of the day on which they became tokens or lapsed
    plan: str
    subscriber: str  # who held them on that day
    commodity: str


# Units of one cohort in a lot that are moved or gone: the cohort, how often they were sold so far,
# and how many they are. None: opening tokens, whose period ended before the books.
# Bare tuples, as there are so many: Python keeps the memory of these at hand.
Part = tuple[Cohort | None, int, Decimal]
# What happened to the units of a movement: its parts, negative where they come back; the buyer, of
# a sale; and of parts that come back the day of what is undone.
Outcome = tuple[Movement, list[Part], str, Sequence[date]]

_new = tuple.__new__  # a named tuple's own constructor is a Python function: three times as long
_BETWEEN = frozenset([Flow.TRADED_IN, Flow.TRADED_OUT, Flow.TRANSFERRED_IN, Flow.TRANSFERRED_OUT])
_SOLD, _BOUGHT = Flow.TRADED_OUT, Flow.TRADED_IN
_SALES = (_SOLD, _BOUGHT)
_NOT_PLANS = frozenset(["", *RESERVED_ORIGINS])
_how = attrgetter("flow", "units", "at")
_whose = attrgetter("month", "origin", "subscriber", "commodity")  # the fields of a cohort
_where = attrgetter("commodity", "lot", "subscriber")
_Pool = list[Part]  # what somebody holds of a lot, the first to go first
_Gone = tuple[date, list[Part]]  # what went on a day


class Follower:
    """Who holds which parts of which lot, and which have gone."""

    def __init__(self) -> None:
        self._pools: defaultdict[tuple[str, LotKey, str], _Pool] = defaultdict(list)
        self._gone: defaultdict[tuple[int, Flow], list[_Gone]] = defaultdict(list)
        self._went: list[tuple[_Pool, Flow, _Gone]] = []  # since anything was last looked for there

    def follow(self, movements: Iterable[Movement]) -> Iterator[Outcome]:
        """What becomes of tokens, in the order of the movements; all up to some day."""
        minted, openings = Flow.MINTED, (Flow.OPENING, Flow.ENTERED)
        changing: list[Movement] = []  # of one transaction, in which tokens change hands
        for each in of_plans(movements, Pocket.TOKENS):
            flow, units, at = _how(each)
            if changing and changing[0].at != at:
                yield from self._between(changing)
                changing = []
            if flow in _BETWEEN:
                changing.append(each)
                continue
            pool = self._pools[_where(each)]
            if flow is minted:
                _put(pool, (_new(Cohort, _whose(each)), 0, units))
            elif flow in openings:
                _put(pool, (None, 0, units))
            elif units > 0:
                parts, days = _return(self._gone_from(pool, flow), pool, units)
                yield each, parts, "", days
            else:
                parts = _first(pool, -units)
                self._went.append((pool, flow, (each.date, parts)))
                yield each, parts, "", ()
        if changing:
            yield from self._between(changing)

    def _gone_from(self, pool: _Pool, flow: Flow) -> list[_Gone]:
        """What went in one way, put in order only now, for little ever comes back."""
        for origin, way, gone in self._went:
            self._gone[id(origin), way].append(gone)
        self._went.clear()
        return self._gone[id(pool), flow]

    def _between(self, moved: list[Movement]) -> list[Outcome]:
        """Tokens change hands; in a reversal those that came last, and sold ones first, go back."""
        parts: dict[LotKey, list[Part]] = {}
        undoes, sale = moved[0].undoes, moved[0].flow in _SALES
        take = _last_sold if undoes else _first
        for each in moved:
            if each.units < 0:
                pool = self._pools[_where(each)]
                parts[each.lot] = take(pool, -each.units)
        step = (-1 if undoes else 1) if sale else 0
        for each in moved:
            if each.units < 0:
                continue
            pool = self._pools[_where(each)]
            arrived = [
                (cohort, max(0, sold + step), moving)
                for cohort, sold, moving in parts.get(each.lot, ())
            ]
            if undoes:
                pool[:0] = arrived
            else:
                for part in arrived:
                    _put(pool, part)
        return _sales(moved, parts, undoes) if sale else []


def of_plans(movements: Iterable[Movement], pocket: Pocket) -> list[Movement]:
    """The movements of a pocket; not grants, top-ups, or postings that name no lot."""
    return [each for each in movements if each.pocket is pocket and each.origin not in _NOT_PLANS]


def _sales(moved: list[Movement], parts: dict[LotKey, list[Part]], undoes: bool) -> list[Outcome]:
    """The parts that a trade moved, as they were before it; negative where it is undone."""
    buyer, *_ = [each.subscriber for each in moved if each.flow is _BOUGHT]
    outcomes: list[Outcome] = []
    for movement in moved:
        if movement.flow is _SOLD:
            moving = parts.get(movement.lot, [])
            if undoes:
                moving = [(cohort, sold - 1, -units) for cohort, sold, units in moving]
            outcomes.append((movement, moving, buyer, ()))
    return outcomes


def _first(pool: _Pool, wanted: Decimal) -> list[Part]:
    """Take the parts that came first; fewer than wanted where a ledger with errors holds fewer."""
    whole = 0  # how many parts go whole
    for _, _, units in pool:
        if not wanted or units > wanted:
            break
        wanted -= units
        whole += 1
    taken = pool[:whole]
    del pool[:whole]
    if wanted and pool:
        cohort, sold, units = pool[0]
        taken.append((cohort, sold, wanted))
        pool[0] = (cohort, sold, units - wanted)
    return taken


def _last_sold(pool: _Pool, wanted: Decimal) -> list[Part]:
    """Take the parts that came last, those that were sold before all others."""
    taken: list[Part] = []
    for of_sold in (True, False):
        for at in range(len(pool) - 1, -1, -1):
            cohort, sold, held = pool[at]
            units = min(held, wanted) if (sold > 0) is of_sold else ZERO
            if units:
                wanted -= units
                taken.append((cohort, sold, units))
                pool[at] = (cohort, sold, held - units)
    pool[:] = [(cohort, sold, units) for cohort, sold, units in pool if units]
    return taken


def _return(gone: list[_Gone], pool: _Pool, wanted: Decimal) -> tuple[list[Part], list[date]]:
    """Bring parts back, those that went last first; with the days on which they went."""
    back: list[Part] = []
    days: list[date] = []
    while wanted and gone:
        day, parts = gone.pop()
        if not parts:
            continue
        *others, (cohort, sold, went) = parts
        units = min(went, wanted)
        if units < went:
            others.append((cohort, sold, went - units))
        gone.append((day, others))
        wanted -= units
        pool.insert(0, (cohort, sold, units))
        back.append((cohort, sold, -units))
        days.append(day)
    return back, days


def _put(pool: _Pool, part: Part) -> None:
    """Add a part behind the others; it melts into the last one where the two are alike."""
    if pool:
        cohort, sold, units = part
        last, last_sold, last_units = pool[-1]
        if (last, last_sold) == (cohort, sold):
            pool[-1] = (cohort, sold, last_units + units)
            return
    pool.append(part)
