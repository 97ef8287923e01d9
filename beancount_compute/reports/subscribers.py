"""Subscribers: who came, stayed and left each month, and what of the revenue recurs.

    month    at start  new  won back  cancelled  at end  churn
    2026-05         0    3         0          0       3
    2026-06         3    1         0          1       3   0.33

Recurring revenue is what the periods bring that run at a month's end, each for a month: 300.00 for
a quarter is 100.00. It changes by those who came and left, and by those who pay more or less than
a month before (expansion and contraction). Net retention is what was left of a month's opening at
its end, without new subscribers; gross retention counts no expansion.

`bridge` goes from there to the books' revenue, each difference named: periods that began in the
month are billed for more or less than recurs, top-ups come besides, and what is deferred waits.

Who left on the first of a month was there until the last day of the one before. With a plan
selected, who changes to another one leaves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain

from beancount_compute.economy import EARNED_BY_LOTS, ZERO, Earning, Flow, Kind, Month
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, of_minimum
from beancount_compute.reports.figures import Contribution, Figure, How, Layout, Report, Request
from beancount_compute.reports.periods import PaidPeriod, Spell, monthly, running, spells_of, sum_of
from beancount_compute.reports.tables import CURRENCY, MONTH, Measure

_CAME = ("new", "won_back")
_PEOPLE = (
    Figure("at_start", "at\nstart", Measure.COUNT, adds_up=False),
    Figure("new", "new", Measure.COUNT),
    Figure("won_back", "won\nback", Measure.COUNT),
    Figure("cancelled", "cancelled", Measure.COUNT),
    Figure("at_end", "at\nend", Measure.COUNT, ("at_start", *_CAME, "-cancelled"), adds_up=False),
    Figure(
        "churn", "churn", Measure.RATE, ("cancelled",), How.QUOTIENT, ("at_start",), adds_up=False
    ),
    Figure(
        "repurchase",
        "repurchase\nrate",
        Measure.RATE,
        ("renewed",),
        How.QUOTIENT,
        ("due",),
        adds_up=False,
    ),
)
_KEPT = ("opening", "-contraction", "-lost")
_RECURRING = (
    Figure("opening", "opening", Measure.MONEY, adds_up=False),
    Figure("new", "new", Measure.MONEY),
    Figure("won_back", "won\nback", Measure.MONEY),
    Figure("expansion", "expansion", Measure.MONEY),
    Figure("contraction", "contraction", Measure.MONEY),
    Figure("lost", "lost", Measure.MONEY),
    Figure("closing", "closing", Measure.MONEY, (*_KEPT, *_CAME, "expansion"), adds_up=False),
    Figure(
        "net_retention",
        "net\nretention",
        Measure.RATE,
        (*_KEPT, "expansion"),
        How.QUOTIENT,
        ("opening",),
        adds_up=False,
    ),
    Figure(
        "gross_retention",
        "gross\nretention",
        Measure.RATE,
        _KEPT,
        How.QUOTIENT,
        ("opening",),
        adds_up=False,
    ),
    Figure(
        "average",
        "average per\nsubscriber",
        Measure.PRICE,
        (*_KEPT, *_CAME, "expansion"),
        How.QUOTIENT,
        ("paying",),
        adds_up=False,
    ),
)
_OF_LOTS = (Earning.COMPUTE, Earning.BREAKAGE, Earning.ACCESS)
_EARNINGS = tuple(each for each in Earning if each not in _OF_LOTS)
_SHORTFALLS = "shortfalls"  # of minimums: breakage that no lot carried
_BETWEEN = ("billing", "top_ups", "otherwise", "deferred")
_BRIDGE = (
    Figure("recurring", "recurring\nat end", Measure.MONEY),
    Figure("billing", "billed more\nthan recurs", Measure.MONEY, ("billed", "-recurring")),
    Figure("top_ups", "top-ups", Measure.MONEY),
    Figure("otherwise", "entered or left\notherwise", Measure.MONEY),
    Figure("deferred", "less what is\ndeferred more", Measure.MONEY),
    Figure(_SHORTFALLS, "breakage of\nminimums", Measure.MONEY),
    *[
        Figure(each.replace(" ", "_"), each.replace(" ", "\n"), Measure.MONEY, (each.value,))
        for each in _EARNINGS
    ],
    Figure(
        "revenue",
        "revenue of\nthe books",
        Measure.MONEY,
        (
            *("billed", "top_ups", "otherwise", "deferred", _SHORTFALLS),
            *[each.value for each in _EARNINGS],
        ),
    ),
)


def _layouts(books: Books, _: object) -> list[Layout]:
    hidden = {str(each.value) for each in Earning} - {each.value for each in books.earnings}
    if not books.terms.have_minimums:
        hidden.add(_SHORTFALLS)
    bridge = tuple([each for each in _BRIDGE if each.key not in hidden])
    return [
        Layout("people", "Subscribers by month", (MONTH,), _PEOPLE, adds_up=False),
        Layout("recurring", "Recurring revenue by month", (MONTH, CURRENCY), _RECURRING),
        Layout("bridge", "From recurring revenue to the books' revenue", (MONTH, CURRENCY), bridge),
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    end = selection.day_of(books)
    periods = _selected(books, selection)
    if not periods or periods[0].first > end:
        return
    first = Month.of(max(selection.start or date.min, periods[0].first))
    months = list(first.to(Month.of(end)))
    if not months:  # all asked for are behind the books
        return
    spells = spells_of(periods, end)
    if request.wants("people"):
        yield from _people(spells, months, end, request)
    if request.wants("recurring", "bridge"):
        recurring = _Recurring(books, spells, months, end)
        yield from recurring.contributions(request)
    if request.wants("bridge"):
        yield from _bridge(books, selection, {each.name for each in months})


def _selected(books: Books, selection: Selection) -> list[PaidPeriod]:
    return sorted(
        each
        for each in books.periods
        if selection.subscriber in ("", each.subscriber) and selection.plan in ("", each.plan)
    )


def _people(
    spells: Sequence[Spell], months: Sequence[Month], end: date, request: Request
) -> Iterator[Contribution]:
    """Who came and left, and whose periods ended and went on."""
    table = "people"
    start_of: defaultdict[str, int] = defaultdict(int)
    for spell in spells:
        came, left = spell.periods[0].at, spell.periods[-1].at
        arrived, gone = Month.of(spell.start), Month.of(spell.left) if spell.left else None
        if months[0] <= arrived:
            yield table, (arrived.name,), _CAME[min(spell.number, 1)], Decimal(1), came
        if gone and months[0] <= gone:
            yield table, (gone.name,), "cancelled", Decimal(1), left
        until = gone or months[-1]
        for month in max(arrived.next, months[0]).to(until):
            if request.each:
                yield table, (month.name,), "at_start", Decimal(1), came
            else:
                start_of[month.name] += 1
        for period, following in zip(spell.periods, [*spell.periods[1:], None], strict=True):
            month = Month.of(period.after)
            if period.ran and following is not None:
                continue  # it went on, on another plan
            if period.after <= end and months[0] <= month:
                yield table, (month.name,), "due", Decimal(1), period.at
                if following is not None:
                    yield table, (month.name,), "renewed", Decimal(1), following.at
    for name, count in start_of.items():
        yield table, (name,), "at_start", Decimal(count), SUMMED


class _Recurring:
    """What recurs at the end of each month, of each subscriber."""

    def __init__(
        self, books: Books, spells: Sequence[Spell], months: Sequence[Month], end: date
    ) -> None:
        self._books, self._months = books, months
        self._days = [min(each.last, end) for each in (months[0].previous, *months)]
        self._spells: defaultdict[str, list[Spell]] = defaultdict(list)
        for spell in spells:
            self._spells[spell.subscriber].append(spell)

    def contributions(self, request: Request) -> Iterator[Contribution]:
        """What each subscriber adds to the tables `recurring` and `bridge`."""
        for spells in self._spells.values():
            periods = [*chain.from_iterable(each.periods for each in spells)]
            known = False  # whether they ever were there before
            before: dict[str, Decimal] = {}
            at_before = SUMMED
            for place, day in enumerate(self._days):
                in_force = running(periods, day)
                now = sum_of(
                    chain.from_iterable(monthly(each, self._books.terms) for each in in_force)
                )
                at = in_force[0].at if in_force else at_before
                if place:
                    month = self._months[place - 1].name
                    yield from _changes(month, before, now, known=known, at=at)
                known = known or any(each.first <= day for each in periods)
                before, at_before = now, at


def _changes(
    month: str, before: dict[str, Decimal], now: dict[str, Decimal], *, known: bool, at: int
) -> Iterator[Contribution]:
    """What became of a subscriber's recurring revenue within a month."""
    came = _CAME[known]
    for currency in sorted(before.keys() | now.keys()):
        row = (month, currency)
        old, new = before.get(currency, ZERO), now.get(currency, ZERO)
        yield "recurring", row, "opening", old, at
        if new:
            yield "recurring", row, "paying", Decimal(1), at
            yield "bridge", row, "recurring", new, at
        if new > old:
            yield "recurring", row, "expansion" if before else came, new - old, at
        elif new < old:
            yield "recurring", row, "contraction" if now else "lost", old - new, at


def _bridge(books: Books, selection: Selection, months: set[str]) -> Iterator[Contribution]:
    """What was billed, and what of it was earned: from movements and incomes."""
    for each in selection.movements(books):
        if each.month not in months or not each.currency:
            continue
        row = (each.month, each.currency)
        yield "bridge", row, "deferred", -each.amount, each.at
        if each.flow is Flow.ALLOCATED:
            yield "bridge", row, "billed", each.amount, each.at
        elif each.flow is Flow.TOPPED_UP:
            yield "bridge", row, "top_ups", each.amount, each.at
        elif each.flow not in EARNED_BY_LOTS:
            yield "bridge", row, "otherwise", each.amount, each.at
    for income in selection._replace(start=None).incomes(books):
        row = (income.month, income.currency)
        if income.month in months and income.earning in _EARNINGS:
            yield "bridge", row, income.earning.value, income.amount, income.at
        elif income.month in months and of_minimum(income):
            yield "bridge", row, _SHORTFALLS, income.amount, income.at
        elif income.month in months and income.kind == Kind.ALLOCATION:
            yield "bridge", row, "billed", income.amount, income.at  # earned, and undone


SUBSCRIBERS = Report(
    "subscribers", "Subscribers, churn and recurring revenue", _layouts, _contributions
)
