"""What became of lots, day by day: what late events are booked on.

    2026-05-20   100 CU of alice's pro/2026-06-01 are hers
    2026-06-01   they end: 70 become tokens, 30 lapse        ; of all that she had, the same share
    2026-07-01   a use of 50, of 2026-05-20: 35 tokens and 15 that lapsed, late

An event that came late counts from the day on which it occurred: behind the third line she had 50
CU from 2026-05-20 on, of which 35 became tokens and 15 lapsed. It is told in journal entries, those
of closed months or those of days that were just booked, and changed by nothing else.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable
from copy import copy
from decimal import Decimal
from itertools import accumulate
from operator import attrgetter
from typing import Any, NamedTuple

from beancount_compute.economy.journal import (
    JournalEntry,
    LotLeg,
    gives_back,
    moved_by,
)
from beancount_compute.economy.kinds import GIVING_BACK, Kind
from beancount_compute.economy.lots import Lot
from beancount_compute.economy.roles import STOCK
from beancount_compute.economy.rounding import WIDE, ZERO, part

_DAY = datetime.timedelta(1)
TAKEN_BY_HAND, LAPSED = "taken out by hand", "lapsed"  # in place of a kind
_by_day = attrgetter("day")
_USES = (Kind.CONSUMPTION, Kind.SPEND)
_BECOMING = (Kind.MINT, Kind.CANCELLATION)  # the lots of which go into others, in their order
# What gives units back on the day on which it occurred; what goes back to the operator is taken of
# what is held when it is booked, and so counts from then on.
_ON_ITS_DAY = frozenset(Kind) - {Kind.REFUND, *GIVING_BACK}


class LotChange(NamedTuple):
    """Units of a lot that came (above zero) or went."""

    day: datetime.date
    units: Decimal
    ends: bool  # they lapsed or became tokens: their holder could have used them until then
    what: str  # the kind of what did it, TAKEN_BY_HAND or LAPSED
    event: str  # the id of that, or of what it undoes
    undone: bool = False  # they came back


class LotEnd(NamedTuple):
    """What met its end on a day, less what late events had of it."""

    day: datetime.date
    lapsed: Decimal
    minted: Decimal
    token: Lot | None  # or the lot that ends tomorrow, of what was cancelled at once
    since: datetime.date  # when what was minted was there, which may be the evening before

    @property
    def units(self) -> Decimal:
        """All of it."""
        return WIDE.add(self.lapsed, self.minted)

    def minted_of(self, units: Decimal, cost: Decimal) -> Decimal:
        """How much of some of its units became tokens: their share, as the mint rate says."""
        if not self.lapsed or not self.minted:
            return units if self.minted else ZERO
        return part(units, WIDE.divide(self.minted, self.units), cost)


class _Story:
    """What became of one lot."""

    def __init__(self, lot: Lot) -> None:
        self.lot = lot
        self.changes: list[LotChange] = []  # by day
        self.ends: dict[datetime.date, LotEnd] = {}
        # when units came late: the day of booking, and the one on which it occurred
        self.arrived: tuple[datetime.date, datetime.date] | None = None

    def copied(self) -> _Story:
        story = copy(self)
        story.changes, story.ends = [*self.changes], dict(self.ends)
        return story

    def add(self, change: LotChange) -> None:
        if change.units:
            insort(self.changes, change, key=_by_day)

    def since(self, day: datetime.date) -> list[LotChange]:
        return self.changes[bisect_right(self.changes, day, key=_by_day) :]

    def end(
        self,
        day: datetime.date,
        lapsed: Decimal,
        minted: Decimal,
        token: Lot | None = None,
        since: datetime.date | None = None,
    ) -> None:
        """Count what met its end, or with numbers below zero what did not after all."""
        before = self.ends.get(day, LotEnd(day, ZERO, ZERO, token, since or day))
        sums = WIDE.add(before.lapsed, lapsed), WIDE.add(before.minted, minted)
        self.ends[day] = LotEnd(day, *sums, before.token or token, before.since)
        self.add(LotChange(day, -lapsed, True, LAPSED, ""))
        self.add(LotChange(day, -minted, True, Kind.MINT, ""))


class LotHistory:
    """The lots of some subscribers, with all that became of them since some day."""

    def __init__(self, holders: Collection[str] | None = None) -> None:
        """`holders` are those of whom anything is kept; None for all."""
        self._holders = holders
        self._stories: dict[tuple[Any, ...], _Story] = {}
        self._lots_of: defaultdict[tuple[str, str], list[Lot]] = defaultdict(list)
        # of tokens, the lots that they were minted of
        self._minted_of: defaultdict[tuple[Any, ...], list[Lot]] = defaultdict(list)

    def copied(self) -> LotHistory:
        """The same history, to go on from."""
        history = LotHistory(self._holders)
        history._stories = {lot: story.copied() for lot, story in self._stories.items()}
        for index, copied in (
            (self._lots_of, history._lots_of),
            (self._minted_of, history._minted_of),
        ):
            copied.update({key: [*lots] for key, lots in index.items()})
        return history

    def lots_of(self, holder: str, commodity: str) -> list[Lot]:
        """The lots of a holder of which anything is told."""
        return self._lots_of.get((holder, commodity), [])

    def since(self, lot: Lot, day: datetime.date) -> list[LotChange]:
        """What changed after a day."""
        story = self._stories.get(tuple(lot))
        return story.since(day) if story else []

    def held_on(self, lot: Lot, day: datetime.date, now: Decimal) -> Decimal:
        """The units at the end of a day, where now there are so many."""
        for change in self.since(lot, day):
            now = WIDE.subtract(now, change.units)
        return now

    def least_since(
        self,
        lot: Lot,
        day: datetime.date,
        now: Decimal,
        taken: Iterable[tuple[datetime.date, Decimal]] = (),
    ) -> Decimal:
        """The smallest quantity at the end of any day from a day until now.

        What met its end meanwhile counts as still there; what is `taken`, by the day from which it
        is missing, as gone.
        """
        changes = [(each.day, each.units) for each in self.since(lot, day) if not each.ends]
        changes += [(max(on, day), -units) for on, units in taken]
        by_day = {day: self.held_on(lot, day, now)}
        for on, units in changes:
            by_day[on] = WIDE.add(by_day.get(on, ZERO), units)
        return min(accumulate((by_day[on] for on in sorted(by_day)), WIDE.add))

    def ends_after(self, lot: Lot, day: datetime.date) -> list[LotEnd]:
        """What met its end after a day, the first first."""
        story = self._stories.get(tuple(lot))
        return [story.ends[on] for on in sorted(story.ends) if on > day] if story else []

    def came(self, lot: Lot) -> datetime.date:
        """The day from which a lot was there: its own, or where it came late the one meant."""
        story = self._stories.get(tuple(lot))
        booked, occurred = (story.arrived if story else None) or (lot.date, lot.date)
        return occurred if booked == lot.date else lot.date

    def note(self, entry: JournalEntry, undone: str = "") -> None:
        """Count an entry; `undone` is the id of what it undoes, where it doesn't say so."""
        undone = undone or (entry.event.reverses if entry.event else "")
        if entry.kind in _BECOMING:
            self._note_becoming(entry)
        elif entry.kind is Kind.EXPIRY:
            for lot, units in self._legs(entry):
                self._story(lot).end(self._day_of_end(lot, entry), units, ZERO)
        elif entry.kind in _USES or entry.undoes in _USES:
            self._note_use(entry, undone)
        else:
            day = entry.date
            if entry.occurred and entry.kind in _ON_ITS_DAY:
                day = entry.occurred
            for lot, units in self._legs(entry):
                self._change(lot, day, -units, entry, undone)

    def note_by_hand(self, day: datetime.date, lot: Lot, units: Decimal) -> None:
        """Count what people wrote: units that came in, below zero those that were taken out."""
        if self._tells(lot):
            self._story(lot).add(LotChange(day, units, False, TAKEN_BY_HAND, ""))

    def _note_becoming(self, entry: JournalEntry) -> None:
        """Count lots that met their end as another: tokens, or in the evening, one that ends too.

        What was cancelled at once could be used all that day.
        """
        legs = self._legs(entry)
        half = len(legs) // 2
        for (lot, units), (other, _) in zip(legs[:half], legs[half:], strict=True):
            story, day = self._story(lot), self._day_of_end(lot, entry)
            story.end(day + _DAY * (entry.kind is not Kind.MINT), ZERO, units, other, day)
            if story.lot not in self._minted_of[tuple(other)]:  # the same object
                self._minted_of[tuple(other)].append(story.lot)
            self._change(other, day, units, entry, "")

    def _note_use(self, entry: JournalEntry, undone: str) -> None:
        """Count a use or spend, or its reversal, which may have had of what met its end since.

        What it had of tokens that were no tokens yet was of the lot that they were minted of.
        """
        back = gives_back(entry)
        day = entry.occurred or entry.date
        for each in moved_by(entry.legs):
            if not self._tells(each.lot):
                continue
            units, lapsed = WIDE.add(each.net, each.lapsed), each.lapsed
            if back:
                units, lapsed = WIDE.subtract(each.net, lapsed), -lapsed
            lot, since = each.lot, day
            while entry.occurred and (source := self._source(lot, day)) is not None:
                minted_of, end = source
                self._story(lot).add(LotChange(end.since, -units, False, Kind.MINT, ""))
                self._story(minted_of).end(end.day, ZERO, -units)
                lot, since = minted_of, max(since, end.day)
            self._change(lot, day, -units, entry, undone)
            self._not_lapsed(each.lot, since, lapsed)

    def _source(self, token: Lot, day: datetime.date) -> tuple[Lot, LotEnd] | None:
        """The lot that tokens were minted of after a day, and its end."""
        for lot in self._minted_of.get(tuple(token), ()):
            for end in self.ends_after(lot, day):
                return lot, end
        return None

    def _not_lapsed(self, lot: Lot, day: datetime.date, units: Decimal) -> None:
        """Take units from what lapsed after a day; below zero they lapsed after all."""
        story = self._story(lot)
        for end in self.ends_after(lot, day) if units > 0 else ():
            taken = min(units, end.lapsed)
            story.end(end.day, -taken, ZERO)
            units = WIDE.subtract(units, taken)
        if units:
            days = [end.day for end in self.ends_after(lot, day)] or [day]
            story.end(days[0], -units, ZERO)

    def _day_of_end(self, lot: Lot, entry: JournalEntry) -> datetime.date:
        """The day on which a lot met its end: what came late does so behind its booking only."""
        arrived = self._story(lot).arrived
        if arrived and lot.end and arrived[0] == entry.date and lot.end < entry.date:
            return max(lot.end, arrived[1])
        return entry.date

    def _change(
        self, lot: Lot, day: datetime.date, units: Decimal, entry: JournalEntry, undone: str
    ) -> None:
        story = self._story(lot)
        what = entry.undoes or entry.kind
        name, came_back = undone or entry.id, bool(entry.undoes)
        story.add(LotChange(day, units, False, what, name, came_back))
        if entry.occurred and units > 0:
            story.arrived = (entry.date, day)

    def _legs(self, entry: JournalEntry) -> list[tuple[Lot, Decimal]]:
        return [
            (leg.lot, leg.units)
            for leg in entry.legs
            if isinstance(leg, LotLeg) and self._tells(leg.lot)
        ]

    def _tells(self, lot: Lot) -> bool:
        if lot.pocket is STOCK:
            return False
        return self._holders is None or lot.holder in self._holders

    def _story(self, lot: Lot) -> _Story:
        story = self._stories.get(tuple(lot))
        if story is None:
            story = self._stories[tuple(lot)] = _Story(lot)
            self._lots_of[lot.holder, lot.commodity].append(lot)
        return story
