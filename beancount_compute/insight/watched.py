"""Subscribers watched from period to period: did they stay, and what did they do before?

    alice  started 2026-01   after 1 month   stays   used 62 %   sold tokens
    alice  started 2026-01   after 2 months  left    used 12 %   sold tokens

The end of a period is when somebody decides, so use and tokens are those of the months before it:
a subscriber may be in one group at one decision, and in another at the next. Periods that are not
over when the books end are no decisions yet.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate, zip_longest
from typing import NamedTuple

from beancount_compute.economy import ZERO, Earning, Flow, Pocket
from beancount_compute.insight.survival import Stay
from beancount_compute.reports import Books, Selection
from beancount_compute.reports.periods import PaidPeriod, Spell, spells_of

WINDOW = 3  # periods before a decision, that one included
_DAYS_OF_A_MONTH = 30.4375
_BANDS = ((Decimal("0.2"), "0-20 %"), (Decimal("0.5"), "20-50 %"), (Decimal("0.8"), "50-80 %"))
USE_GROUPS = (*[name for _, name in _BANDS], "80-100 %", "beyond")
SOLD, BOUGHT, HOLDS, NO_TOKENS = "sold", "bought", "holds", "none"
TOKEN_GROUPS = (SOLD, BOUGHT, HOLDS, NO_TOKENS)


class Decision(NamedTuple):
    """What a subscriber decided at the end of a period, or that nobody knows it yet."""

    subscriber: str
    cohort: str  # the month of the spell's start
    first: date  # of the days whose earnings are its own
    last: date  # the day after the period, on which its rest lapses; of who left, to the end
    since: int  # the age in months before the period
    age: int  # and after it
    left: bool
    use: str  # one of USE_GROUPS; "" where nothing was allocated
    used: Decimal | None  # the share of the allocations of the window
    tokens: str  # one of TOKEN_GROUPS
    group: str  # what `compute-subscriber` says; "" for none

    @property
    def stay(self) -> Stay:
        """The same for the curve."""
        return Stay(self.age, self.left, self.since)


def decisions(books: Books, selection: Selection) -> list[Decision]:
    """All ends of periods up to the selection's last day, of whom and which plan it names."""
    end = selection.day_of(books)
    periods = [
        each
        for each in books.periods
        if selection.subscriber in ("", each.subscriber) and selection.plan in ("", each.plan)
    ]
    habits = _Habits(books, end)
    found: list[Decision] = []
    spells = spells_of(periods, end)
    for spell, after in zip_longest(spells, spells[1:]):
        back = after.start if after and after.subscriber == spell.subscriber else None
        found += _of_spell(spell, back, habits, end)
    return found


def _of_spell(spell: Spell, back: date | None, habits: _Habits, end: date) -> list[Decision]:
    """The decisions of a spell; `back` is the day on which its subscriber comes back."""
    found = []
    cohort, since, first = f"{spell.start:%Y-%m}", 0, spell.start
    for place, period in enumerate(spell.periods):
        is_last = place == len(spell.periods) - 1
        if period.after > end:
            break
        if period.ran and not is_last:
            continue  # it went on, on another plan
        age = round((period.after - spell.start).days / _DAYS_OF_A_MONTH)
        left = is_last and spell.left is not None
        if age <= since and not left:
            continue  # another period of the same month
        age = max(age, since + 1)
        window = spell.periods[max(0, place + 1 - WINDOW) : place + 1]
        used = habits.used(spell.subscriber, window)
        use = "" if used is None else _band(used, beyond=habits.beyond(spell.subscriber, window))
        tokens = habits.tokens(spell.subscriber, spell.start, period.last)
        last = back - timedelta(1) if back else date.max  # what tokens earn later is of who left
        days = first, last if left else period.after
        who = spell.subscriber
        group = habits.group(who, period.last)
        decided = Decision(who, cohort, *days, since, age, left, use, used, tokens, group)
        found.append(decided)
        since, first = age, period.after + timedelta(1)
    return found


def _band(share: Decimal, *, beyond: bool) -> str:
    if beyond or share > 1:
        return USE_GROUPS[-1]
    return next((name for most, name in _BANDS if share <= most), USE_GROUPS[-2])


class DatedSums:
    """Numbers by day, of which the sum between two days is asked for."""

    def __init__(self, dated: Iterable[tuple[date, Decimal]]) -> None:
        in_order = sorted(dated)
        self._days = [day for day, _ in in_order]
        self._sums = [ZERO, *accumulate(number for _, number in in_order)]

    def between(self, first: date, last: date) -> Decimal:
        """The sum from one day to another, both included."""
        return (
            self._sums[bisect_right(self._days, last)] - self._sums[bisect_left(self._days, first)]
        )

    def any_between(self, first: date, last: date) -> bool:
        """Whether there is any between these days."""
        return bisect_left(self._days, first) < bisect_right(self._days, last)


class _Habits:
    """What subscribers used, sold, bought and held."""

    def __init__(self, books: Books, end: date) -> None:
        self.group = books.terms.segment_on
        used, held = _by_subscriber_and_unit(books, end)
        self._used = used
        self._held = held
        self._allocated = _allocated(books)
        dated: dict[str, defaultdict[str, list[tuple[date, Decimal]]]] = {
            name: defaultdict(list) for name in ("sold", "bought", "overage")
        }
        for trade in books.trades:
            dated["sold"][trade.seller].append((trade.date, trade.units))
            dated["bought"][trade.buyer].append((trade.date, trade.units))
        for income in books.incomes:
            if income.earning is Earning.OVERAGE:
                dated["overage"][income.subscriber].append((income.date, income.amount))
        self._sold, self._bought, self._overage = (
            {name: DatedSums(each) for name, each in of.items()} for of in dated.values()
        )

    def used(self, subscriber: str, window: Sequence[PaidPeriod]) -> Decimal | None:
        """The share of what the periods allocated that was used in their days, of the unit of which
        most was; None where nothing was allocated."""
        first, last = window[0].first, window[-1].last
        shares = []
        allocated: defaultdict[str, Decimal] = defaultdict(Decimal)
        for period in window:
            for unit, units in self._allocated.get(period.at, {}).items():
                allocated[unit] += units
        for unit, units in allocated.items():
            sums = self._used.get((subscriber, unit))
            if units:
                shares.append((sums.between(first, last) if sums else ZERO) / units)
        return max(shares, default=None)

    def beyond(self, subscriber: str, window: Sequence[PaidPeriod]) -> bool:
        """Whether overage was charged in the days of the periods."""
        sums = self._overage.get(subscriber)
        return sums is not None and sums.any_between(window[0].first, window[-1].last)

    def tokens(self, subscriber: str, start: date, last: date) -> str:
        """What a subscriber did with tokens from one day to another; what it sold comes first."""
        for name, of in ((SOLD, self._sold), (BOUGHT, self._bought)):
            if subscriber in of and of[subscriber].any_between(start, last):
                return name
        held = self._held.get(subscriber)
        return HOLDS if held and held.between(date.min, last) > 0 else NO_TOKENS


def _by_subscriber_and_unit(
    books: Books, end: date
) -> tuple[Mapping[tuple[str, str], DatedSums], Mapping[str, DatedSums]]:
    used: defaultdict[tuple[str, str], list[tuple[date, Decimal]]] = defaultdict(list)
    held: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    for each in books.movements:
        if each.date > end:
            break
        if each.flow is Flow.USED:
            used[each.subscriber, each.commodity].append((each.date, -each.units))
        if each.pocket is Pocket.TOKENS:
            held[each.subscriber].append((each.date, each.units))
    return {key: DatedSums(each) for key, each in used.items()}, {
        key: DatedSums(each) for key, each in held.items()
    }


def _allocated(books: Books) -> dict[int, dict[str, Decimal]]:
    """The units that each period brought, by its transaction."""
    wanted = {each.at for each in books.periods}
    found: dict[int, dict[str, Decimal]] = {}
    for each in books.movements:
        if each.flow is Flow.ALLOCATED and each.at in wanted:
            units = found.setdefault(each.at, {})
            units[each.commodity] = units.get(each.commodity, ZERO) + each.units
    return found
