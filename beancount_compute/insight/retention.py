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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from scipy import stats

from beancount_compute.economy import Month, quoted
from beancount_compute.insight.estimates import (
    FEWEST_PEOPLE,
    HIGH,
    LOW,
    SAID,
    Estimate,
    band,
    rate,
)
from beancount_compute.insight.survival import kaplan_meier, log_rank, share_after
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
    yield from _cohorts(books, selection)
    yield _survival(found)
    yield Table("Who leaves, by group", _GROUPS, list(_group_rows(found)), "groups")
    yield Table("Who stays, by group (Kaplan-Meier)", _CURVES, list(_curve_rows(found)), "curves")
    yield Table("Whether groups leave alike (log-rank)", _TESTS, list(_test_rows(found)), "tests")
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


def _survival(found: Sequence[Decision]) -> Table:
    return Table("Who stays (Kaplan-Meier)", _SURVIVAL, list(_curve(found)), "survival")


def _curve(among: Sequence[Decision]) -> Iterator[Row]:
    people = len({each.subscriber for each in among})
    for point in kaplan_meier([each.stay for each in among]):
        ends = band(point.low, point.high, people)
        yield round(point.age), point.at_risk, point.left, rate(point.share), *ends


def _curve_rows(found: Sequence[Decision]) -> Iterator[Row]:
    for grouping in _GROUPINGS:
        for name, among in _by_group(found, grouping).items():
            for row in _curve(among):
                yield grouping[0], name, *row


def _by_group(found: Iterable[Decision], grouping: Grouping) -> dict[str, list[Decision]]:
    _, names, group_of = grouping
    groups: dict[str, list[Decision]] = {name: [] for name in names}
    for each in found:
        if group := group_of(each):
            groups.setdefault(group, []).append(each)
    return {name: among for name, among in _in_order(names, groups) if among}


def _in_order(
    names: Sequence[str], groups: Mapping[str, list[Decision]]
) -> list[tuple[str, list[Decision]]]:
    """The groups in the order of the names, others behind them."""
    return [(name, groups[name]) for name in (*names, *sorted(groups.keys() - {*names}))]


def _group_rows(found: Sequence[Decision]) -> Iterator[Row]:
    for grouping in _GROUPINGS:
        for name, among in _by_group(found, grouping).items():
            left, count = sum(each.left for each in among), len(among)
            people = len({each.subscriber for each in among})
            interval = stats.binomtest(left, count).proportion_ci(method="wilson")
            low, high, said = band(interval.low, interval.high, people)
            curve = kaplan_meier([each.stay for each in among])
            oldest = max(each.age for each in among)
            stays = []
            for age in _AGES:
                point = share_after(curve, age)
                stays.append(rate(point.share if point else 1.0) if age <= oldest else None)
            yield grouping[0], name, count, left, rate(left / count), low, high, *stays, said


def _test_rows(found: Sequence[Decision]) -> Iterator[Row]:
    for grouping in _GROUPINGS:
        groups = _by_group(found, grouping)
        if not (groups or grouping[1]):
            continue  # nobody is in any
        people = len({each.subscriber for among in groups.values() for each in among})
        tested = log_rank({name: [each.stay for each in among] for name, among in groups.items()})
        if tested is None:
            why = "nobody left" if not any(each.left for each in found) else "nothing to compare"
            yield grouping[0], len(groups), None, None, None, why
        elif people < FEWEST_PEOPLE:
            yield (
                grouping[0],
                len(groups),
                rate(tested.chi_squared),
                tested.degrees,
                None,
                "too few",
            )
        else:
            differ = "they differ" if tested.p < 0.05 else "no difference is shown"
            row = len(groups), rate(tested.chi_squared), tested.degrees, rate(tested.p, 6)
            yield (grouping[0], *row, differ)


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
    if found and not any(each.left for each in found):
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
