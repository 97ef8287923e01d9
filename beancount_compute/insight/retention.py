"""Retention: who stays, by month of start and age, and in which groups more than in others.

    age   at risk   left   stay    95 %
      1       120     12   0.900   0.830 to 0.942

`survival` is the estimate of Kaplan and Meier, with log-log bands. `groups` counts, for each end of
a period, who left then: by the share of the allocation that was used in the months before (up to
three periods), and by what was done with tokens since the start. `tests` asks by log-rank whether
the groups of each kind leave alike. A difference between groups is no effect: `notes` says what
goes along with what.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from scipy import stats

from beancount_compute.economy import Month, quoted
from beancount_compute.insight.estimates import (
    FEWEST_PEOPLE,
    HIGH,
    LOW,
    SAID,
    TOO_FEW,
    Estimate,
    band,
    rate,
)
from beancount_compute.insight.survival import (
    CurvePoint,
    Stay,
    kaplan_meier,
    log_rank,
    share_after,
)
from beancount_compute.insight.watched import (
    SOLD,
    TOKEN_GROUPS,
    USE_GROUPS,
    Decision,
    decisions,
)
from beancount_compute.reports import Books, Column, Measure, Selection, Table
from beancount_compute.reports.periods import monthly, running, spells_of, sum_of
from beancount_compute.reports.tables import Row

Grouping = tuple[str, Sequence[str], Callable[[Decision], str]]
_GROUPINGS: tuple[Grouping, ...] = (  # of those that nobody names, any may be
    ("share used", USE_GROUPS, lambda each: each.use),
    ("tokens", TOKEN_GROUPS, lambda each: each.tokens),
    ("group", (), lambda each: each.group),
)
_AGES = (3, 6, 12)
_COHORT = Column("cohort", "started", Measure.DATE)
_COUNT = Measure.COUNT
_SURVIVAL = (
    Column("age", "months", _COUNT),
    Column("at_risk", "at\nrisk", _COUNT),
    Column("left", "left", _COUNT),
    Column("stay", "stay", Measure.RATE),
    LOW,
    HIGH,
    SAID,
)
_GROUPS = (
    Column("by", "by"),
    Column("group", "group"),
    Column("decisions", "decisions", _COUNT),
    Column("left", "left", _COUNT),
    Column("leaving", "leave at\na decision", Measure.RATE),
    LOW,
    HIGH,
    *[Column(f"stay_{age}", f"stay {age}\nmonths", Measure.RATE) for age in _AGES],
    SAID,
)
_CURVES = (Column("by", "by"), Column("group", "group"), *_SURVIVAL)
_TESTS = (
    Column("by", "by"),
    Column("groups", "groups", _COUNT),
    Column("chi_squared", "chi\nsquared", Measure.NUMBER),
    Column("degrees", "degrees", _COUNT),
    Column("p", "p", Measure.NUMBER),
    Column("means", "means"),
)


def _tables(books: Books, selection: Selection) -> Iterator[Table]:
    found = decisions(books, selection)
    groups = [*_groups(found)]
    yield from _cohorts(books, selection)
    whole = _WatchedGroup.of("", "", found)
    yield Table("Who stays (Kaplan-Meier)", _SURVIVAL, list(whole.rows()), "survival")
    yield Table("Who leaves, by group", _GROUPS, list(map(_group_row, groups)), "groups")
    curves = [(each.by, each.name, *row) for each in groups for row in each.rows()]
    yield Table("Who stays, by group (Kaplan-Meier)", _CURVES, curves, "curves")
    tests = list(_test_rows(found, groups))
    yield Table("Whether groups leave alike (log-rank)", _TESTS, tests, "tests")
    notes: list[Row] = [
        (each,) for each in (*_notes(found), *_empty_groups(books, selection, found))
    ]
    yield Table("What to bear in mind", (Column("note", "note"),), notes, "notes")


def _cohorts(books: Books, selection: Selection) -> Iterator[Table]:
    """Who of those who started in a month are there, or what they pay, so many months later."""
    end = selection.day_of(books)
    periods = [
        each
        for each in books.periods
        if selection.subscriber in ("", each.subscriber) and selection.plan in ("", each.plan)
    ]
    started: dict[str, str] = {}
    there: Counter[tuple[str, int]] = Counter()
    paid: defaultdict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    months: defaultdict[str, list[date]] = defaultdict(list)
    for spell in spells_of(periods, end):
        name = spell.subscriber
        cohort = started.setdefault(name, Month.of(spell.start).name)
        first = Month.parse(cohort)
        months[cohort] = months[cohort] or [each.last for each in first.to(Month.of(end))]
        for age, day in enumerate(months[cohort]):
            in_force = running(spell.periods, min(day, end))
            there[cohort, age] += bool(in_force)
            recurring = sum_of(one for each in in_force for one in monthly(each, books.terms))
            for currency, amount in recurring.items():
                paid[cohort, currency, age] += amount
    people = Counter(started.values())
    longest = max(map(len, months.values()), default=0)
    ages = [Column(f"m{age}", f"{age}", Measure.RATE) for age in range(longest)]
    rows: list[Row] = []
    for cohort in sorted(people):
        shares = [rate(there[cohort, age] / people[cohort]) for age in range(len(months[cohort]))]
        rows.append((cohort, people[cohort], *_filled(shares, longest)))
    columns = (_COHORT, Column("subscribers", "subscribers", _COUNT), *ages)
    yield Table("Who is still there, by months since the start", columns, rows, "cohorts")
    rows = []
    for cohort, currency in sorted({(cohort, currency) for cohort, currency, _ in paid}):
        whole = paid[cohort, currency, 0]
        of_ages = [paid[cohort, currency, age] for age in range(len(months[cohort]))]
        shares = [rate(float(each / whole)) if whole else None for each in of_ages]
        rows.append((cohort, currency, whole, *_filled(shares, longest)))
    columns = (
        _COHORT,
        Column("currency", "currency"),
        Column("recurring", "recurring\nat first", Measure.MONEY),
        *ages,
    )
    yield Table("What they pay, as a share of the first month", columns, rows, "revenue")


def _filled(shares: list[Decimal | None], count: int) -> list[Decimal | None]:
    return [*shares, *[None] * (count - len(shares))]


class _WatchedGroup(NamedTuple):
    """Decisions of one group, with those who made them, and the curve of who stays."""

    by: str
    name: str
    among: Sequence[Decision]
    stays: Sequence[Stay]
    people: int
    curve: Sequence[CurvePoint]

    @classmethod
    def of(cls, by: str, name: str, among: Sequence[Decision]) -> _WatchedGroup:
        """The group of these decisions."""
        stays = [each.stay for each in among]
        people = len({each.subscriber for each in among})
        return cls(by, name, among, stays, people, kaplan_meier(stays))

    def rows(self) -> Iterator[Row]:
        """Its curve, with bands."""
        for point in self.curve:
            ends = band(point.low, point.high, self.people)
            yield round(point.age), point.at_risk, point.left, rate(point.share), *ends


def _groups(found: Iterable[Decision]) -> Iterator[_WatchedGroup]:
    """All that have anybody, in the order of the names, others behind them."""
    for by, names, group_of in _GROUPINGS:
        groups: defaultdict[str, list[Decision]] = defaultdict(list)
        for each in found:
            if group := group_of(each):
                groups[group].append(each)
        for name in (*names, *sorted(groups.keys() - {*names})):
            if name in groups:
                yield _WatchedGroup.of(by, name, groups[name])


def _group_row(group: _WatchedGroup) -> Row:
    left, count = sum(each.left for each in group.among), len(group.among)
    interval = stats.binomtest(left, count).proportion_ci(method="wilson")
    low, high, said = band(interval.low, interval.high, group.people)
    oldest = max(each.age for each in group.among)
    stays = []
    for age in _AGES:
        point = share_after(group.curve, age)
        stays.append(rate(point.share if point else 1.0) if age <= oldest else None)
    return group.by, group.name, count, left, rate(left / count), low, high, *stays, said


def _test_rows(found: Sequence[Decision], groups: Iterable[_WatchedGroup]) -> Iterator[Row]:
    for by, names, _ in _GROUPINGS:
        several = [each for each in groups if each.by == by]
        if not (several or names):
            continue  # nobody is in any
        people = len({each.subscriber for group in several for each in group.among})
        tested = log_rank({each.name: each.stays for each in several})
        if tested is None:
            why = "nobody left" if not any(each.left for each in found) else "nothing to compare"
            yield by, len(several), None, None, None, why
            continue
        row = by, len(several), rate(tested.chi_squared), tested.degrees
        if people < FEWEST_PEOPLE:
            yield *row, None, TOO_FEW
        else:
            differ = "they differ" if tested.p < 0.05 else "no difference is shown"
            yield *row, rate(tested.p, 6), differ


def _notes(found: Sequence[Decision]) -> Iterator[str]:
    """What goes along with what, and what can't be told."""
    sold = [each.used for each in found if each.tokens == SOLD and each.used is not None]
    others = [each.used for each in found if each.tokens != SOLD and each.used is not None]
    if sold and others:
        yield (
            f"Who sells had units left: before their decisions sellers had used "
            f"{_mean(sold)} of their allocation, the others {_mean(others)}. What looks like an "
            "effect of selling may be one of use, or the other way round."
        )
    if found:
        yield (
            "Groups are those of the months before each decision, and nobody was put into them by "
            "chance: a difference between them is no effect of what they did."
        )
    people = len({each.subscriber for each in found})
    if 0 < people < FEWEST_PEOPLE:
        yield f"{people} subscribers are too few for intervals: {FEWEST_PEOPLE} are needed."
    if not found:
        yield "No period is over yet: nobody is known to stay or to leave."
    elif not any(each.left for each in found):
        yield "Nobody has left yet: how long they stay can't be told."


def _empty_groups(books: Books, selection: Selection, found: Sequence[Decision]) -> Iterator[str]:
    """Groups of `compute-subscriber` lines in which nobody has decided anything."""
    if selection.subscriber or selection.plan:
        return
    named = {group for timeline in books.terms.segments.values() for group in timeline if group}
    for group in sorted(named - {each.group for each in found}):
        yield f"Nobody of group {quoted(group)} has come to the end of a period."


def _mean(shares: Sequence[Decimal]) -> str:
    return f"{float(sum(shares)) / len(shares):.0%}"


RETENTION = Estimate(
    "retention",
    ("cohorts", "revenue", "survival", "groups", "curves", "tests", "notes"),
    _tables,
)
