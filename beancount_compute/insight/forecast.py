"""Forecast: what becomes of what is deferred, month by month, with intervals.

    at 2026-06-30   opening    used   95 %          lapsed  closing
    2026-07         1000.00  250.00   190 to 310      0.00   750.00
    2026-08          750.00   60.00    20 to 110    690.00     0.00
    total           1000.00  310.00   240 to 380    690.00     0.00

What is open today goes on as past vintages of its plan did at its age (`vintage_flows.py`,
`going_on.py`); when lots end the books say, so that what is not used by then lapses. What is
expected is by all vintages together; the interval by draws (`replayed_months.py`). Sold on is what
changes hands between subscribers, at carrying amount and each time it does: it stays deferred, with
another holder, and is no revenue. Used, lapsed and otherwise are rounded on their running total, so
that they and what is left add up to what is deferred.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal, localcontext
from typing import NamedTuple

import numpy as np

from beancount_compute.economy import (
    WIDE,
    ZERO,
    Pocket,
    minor_unit,
    round_half_even,
    round_money,
    shares_of_total,
    trim,
)
from beancount_compute.insight.burn_down import burn_down_table
from beancount_compute.insight.estimates import FEWEST_MONTHS, SAID, TOO_FEW, Estimate, few
from beancount_compute.insight.going_on import Draws, Went, going_on
from beancount_compute.insight.months_from import MonthsFrom
from beancount_compute.insight.replayed_months import (
    DRAWS,
    DrawnRates,
    MonthsReplayed,
    interval_of,
)
from beancount_compute.insight.vintage_flows import (
    AlikeLots,
    HeldLots,
    Origin,
    VintageFlows,
    flows_of_vintages,
)
from beancount_compute.reports import TOTAL, Books, Column, Measure, Selection, Table, until
from beancount_compute.reports.remaining import BAND_MONTHS, bands_after
from beancount_compute.reports.tables import CURRENCY, MONTH, UNIT, Cell, Row

_MONTHS = BAND_MONTHS[-1]  # to come, shown one by one; what is later stands together
_MOST_MONTHS = 120  # of the past: what was before tells little
_LATER, _NO_END = "later", "without an end"
_WHAT = ("used", "lapsed", "otherwise", "sold")
_USED, _LAPSED, _OTHERWISE, _SOLD = range(4)
_LEAVE = (_USED, _LAPSED, _OTHERWISE)
_PRECISE, _UNIT_STEP = Context(prec=60), Decimal("0.01")
_MONEY = Measure.MONEY
Market = tuple[str, str]  # unit and currency


def _interval(key: str) -> tuple[Column, Column]:
    return Column(f"{key}_low", "low\n95 %", _MONEY), Column(f"{key}_high", "high\n95 %", _MONEY)


_RELEASE = (
    MONTH,
    UNIT,
    CURRENCY,
    Column("opening", "opening", _MONEY),
    Column("used", "used", _MONEY),
    *_interval("used"),
    Column("lapsed", "lapsed", _MONEY),
    *_interval("lapsed"),
    Column("otherwise", "otherwise", _MONEY),
    Column("closing", "closing", _MONEY),
    SAID,
)
_SOLD_ON = (
    MONTH,
    UNIT,
    CURRENCY,
    Column("units", "units", Measure.UNITS),
    Column("amount", "carrying\namount", _MONEY),
    *_interval("amount"),
    SAID,
)
_BANDS = (
    Column("expected", "expected"),
    UNIT,
    CURRENCY,
    Column("amount", "amount", _MONEY),
    *_interval("amount"),
    Column("used", "used", _MONEY),
    Column("lapsed", "lapsed", _MONEY),
    Column("otherwise", "otherwise", _MONEY),
    SAID,
)


class Released(NamedTuple):
    """What becomes of what is deferred in a unit and currency: a place for each month, then later.

    All of `held` is in `expected` and in `rest`, which has no end and no month.
    """

    held: Decimal
    expected: list[list[Decimal]]  # by month: used, lapsed, otherwise, sold; exact
    sold_units: list[Decimal]
    drawn: Draws  # by month, the same four, and draw
    weight: list[float]  # how much each month rests on vintages
    vintages: list[float]  # the same, times how many they are
    rest: Decimal

    def interval(self, months: slice, what: Sequence[int]) -> tuple[float, float] | None:
        """The interval of a sum over months; None where too few vintages speak."""
        weight, vintages = sum(self.weight[months]), sum(self.vintages[months])
        number = int(vintages / weight + 0.5) if weight else 0
        if weight and number < FEWEST_MONTHS:
            return None
        expected = sum([float(month[each]) for month in self.expected[months] for each in what])
        drawn = self.drawn[months][:, what].sum(axis=(0, 1))
        most = None if _SOLD in what else float(self.held)
        return interval_of(expected, drawn, max(number, FEWEST_MONTHS), most)


def released(
    origins: Mapping[Origin, VintageFlows], first: int, draws: int = DRAWS
) -> dict[Market, Released]:
    """What becomes of what is deferred, by the vintages of months from `first` to 0."""
    found: dict[Market, _Adding] = {}
    replayed = MonthsReplayed.drawn(min(first, 0), draws)
    with localcontext(_PRECISE):
        for origin, flows in origins.items():
            market = origin.commodity, origin.currency
            if market not in found:
                found[market] = _Adding(draws)
            found[market].add(flows, replayed)
    return {market: adding.finished(market[1]) for market, adding in sorted(found.items())}


class _Adding:
    """Adds up what goes, over the lots of a unit and currency."""

    def __init__(self, draws: int) -> None:
        places = _MONTHS + 1
        self.held = ZERO
        self.expected = [[ZERO] * len(_WHAT) for _ in range(places)]
        self.sold_units = [ZERO] * places
        self.drawn = np.zeros((places, len(_WHAT), draws))
        self.weight, self.vintages = [0.0] * places, [0.0] * places

    def add(self, flows: VintageFlows, replayed: MonthsReplayed) -> None:
        pooled = {age: of_age.rates() for age, of_age in flows.pooled().items()}
        rates = DrawnRates(flows.seen, replayed)
        oldest = max(pooled, default=-1)
        for lots, held in flows.held.items():
            self.held = WIDE.add(self.held, held.amount)
            fewest = 1 - replayed.first
            for went in going_on(lots, Decimal(1), oldest, lambda _, age: pooled.get(age)):
                number = 0 if went.age is None else rates.vintages(went.age)
                if went.age is not None or _is_older(lots, oldest):
                    fewest = min(fewest, number)
                self._expect(went, held, fewest)
            one = np.ones(self.drawn.shape[-1])
            for drawn in going_on(lots, one, oldest, rates.at):
                place = _place(drawn.ahead)
                for what, share in enumerate(drawn[3:]):
                    self.drawn[place, what] += float(held.amount) * share

    def _expect(self, went: Went[Decimal], held: HeldLots, vintages: int) -> None:
        place = _place(went.ahead)
        for what, share in enumerate(went[3:]):
            self.expected[place][what] += held.amount * share
        self.sold_units[place] += held.units * went.sold
        weight = float(held.amount * went.left)
        self.weight[place] += weight
        self.vintages[place] += weight * vintages

    def finished(self, currency: str) -> Released:
        """All of it, what leaves rounded so that it adds up."""
        held, step = self.held, minor_unit(currency)
        with localcontext(_PRECISE):
            gone = sum([month[what] for month in self.expected for what in _LEAVE], ZERO)
            rest = round_half_even(held - gone, step)
        places = [
            (month, what) for month, row in enumerate(self.expected) for what in _LEAVE if row[what]
        ]
        weights = [self.expected[month][what] for month, what in places]
        if rest:
            weights.append(rest)
        shares = shares_of_total(held, weights, step)
        none = round_money(ZERO, currency)
        expected = [[none, none, none, round_money(row[_SOLD], currency)] for row in self.expected]
        for (month, what), share in zip(places, shares, strict=False):
            expected[month][what] = share
        units = [trim(round_half_even(each, _UNIT_STEP), 0) for each in self.sold_units]
        left = shares[-1] if rest else ZERO
        sums = units, self.drawn, self.weight, self.vintages
        return Released(held, expected, *sums, left)


def _place(ahead: int) -> int:
    return min(ahead, _MONTHS + 1) - 1


def _is_older(lots: AlikeLots, oldest: int) -> bool:
    """Whether lots that end will be older then than any vintage that was seen."""
    return lots.age + (lots.ends or 0) - (not lots.usable) > oldest


class Forecast(NamedTuple):
    """The forecast of some books: what it rests on, and what comes of it."""

    months: MonthsFrom
    past: int  # whole months that were seen
    people: int
    of: dict[Market, Released]
    access: bool  # whether any was sold, which is no forecast

    def _months(self, found: Released) -> Iterator[tuple[str, slice]]:
        """The months in which anything happens, then all."""
        shown = max([at + 1 for at, row in enumerate(found.expected) if any(row)], default=0)
        for at in range(shown):
            yield self.months.name_of(at + 1) if at < _MONTHS else _LATER, slice(at, at + 1)
        yield TOTAL, slice(None)

    def release(self) -> Iterator[Row]:
        """What leaves by month to come, of each unit and currency, then its total."""
        for market, found in self.of.items():
            if not (opening := found.held):
                continue
            for name, months in self._months(found):
                used, lapsed, otherwise, _ = _sums(found, months)
                opening = found.held if name == TOTAL else opening
                closing = opening - used - lapsed - otherwise
                of_use, of_lapse = (
                    self._ends(found, months, [w], market) for w in (_USED, _LAPSED)
                )
                figures = (opening, used, *of_use, lapsed, *of_lapse, otherwise, closing)
                yield name, *market, *figures, _said(of_use)
                opening = closing

    def sold_on(self) -> Iterator[Row]:
        """What changes hands by month to come, where anything does."""
        for market, found in self.of.items():
            for name, months in self._months(found):
                amount = _sums(found, months)[_SOLD]
                units = sum(found.sold_units[months], ZERO)
                if units:
                    ends = self._ends(found, months, [_SOLD], market)
                    yield name, *market, units, amount, *ends, _said(ends)

    def _ends(
        self, found: Released, months: slice, what: list[int], market: Market
    ) -> tuple[Cell, Cell]:
        ends = None if few(self.people, self.past) else found.interval(months, what)
        if ends is None:
            return _NO_ENDS
        low, high = (round_money(Decimal(repr(each)), market[1]) for each in ends)
        return low, high

    def bands(self) -> Iterator[Row]:
        """The same by the bands of the disclosure."""
        names = [name for _, name in bands_after(self.months.day)]
        starts = [0, *BAND_MONTHS]
        for market, found in self.of.items():
            for name, first, last in zip(names, starts, [*BAND_MONTHS, None], strict=True):
                months = slice(first, last)
                used, lapsed, otherwise, _ = _sums(found, months)
                ends = self._ends(found, months, [*_LEAVE], market)
                amount = used + lapsed + otherwise
                if amount:
                    yield name, *market, amount, *ends, used, lapsed, otherwise, _said(ends)
            if found.rest:
                yield _NO_END, *market, found.rest, None, None, ZERO, ZERO, ZERO, ""


_NO_ENDS: tuple[Cell, Cell] = (None, None)


def _said(ends: tuple[Cell, Cell]) -> str:
    return TOO_FEW if ends == _NO_ENDS else ""


def _sums(found: Released, months: slice) -> list[Decimal]:
    return [sum([row[what] for row in found.expected[months]], ZERO) for what in range(len(_WHAT))]


def forecast_of(books: Books, selection: Selection) -> Forecast:
    """What becomes of what is deferred at the selection's last day; nothing of one subscriber,
    whose own vintages say too little."""
    months, begun = MonthsFrom.up_to(books, selection), books.first_day
    if begun is None or selection.subscriber or begun > months.day:
        return Forecast(months, 0, 0, {}, access=False)
    first = months.number_of(begun)
    first += begun > months.first_of(first)  # the first whole one
    first = max(first, 1 - _MOST_MONTHS)
    with localcontext(WIDE):
        moved = selection.movements(books, each=False)
        origins = flows_of_vintages(moved, books.terms, months, first)
        found = released(origins, first)
    people = {each.subscriber for each in until(books.movements, months.day)}
    access = any(each.pocket is Pocket.ACCESS for each in moved)
    return Forecast(months, max(1 - first, 0), len(people), found, access)


def release_tables(found: Forecast) -> list[Table]:
    """What leaves by month to come, what changes hands meanwhile, and bands of what leaves."""
    title = "What is deferred" + (f" at {found.months.day}" if any(found.of.values()) else "")
    sold = f"Sold on between subscribers, of {title[0].lower()}{title[1:]}"
    return [
        Table(f"{title}, by month to come", _RELEASE, [*found.release()], "release"),
        Table(sold, _SOLD_ON, [*found.sold_on()], "sold-on"),
        Table(f"{title}, in bands", _BANDS, [*found.bands()], "bands"),
    ]


def _tables(books: Books, selection: Selection) -> Iterator[Table]:
    found = forecast_of(books, selection)
    yield from release_tables(found)
    yield burn_down_table(books, selection)
    notes: list[Row] = [(each,) for each in _notes(found, selection)]
    yield Table("What to bear in mind", (Column("note", "note"),), notes, "notes")


def _notes(found: Forecast, selection: Selection) -> Iterator[str]:
    if selection.subscriber:
        yield "One subscriber's vintages say too little: only the burn-down is of one."
    elif not any(each.held for each in found.of.values()):
        yield "No units are deferred."
    else:
        yield (
            f"By the vintages of {found.past} whole months, of {found.people} subscribers, each "
            f"plan by its own; intervals by {DRAWS} draws that replay these months."
        )
        if few(found.people, found.past):
            yield "They are too few for intervals: 30 subscribers and 6 months are needed."
        yield (
            "As it was, so it goes on: no season, new plan, price or market that these months "
            "did not see. Future periods are not counted. Sold on is counted each time it is sold."
        )
        if any(each.rest for each in found.of.values()):
            yield "What has no end, and is older than any vintage seen, has no month."
    if found.access:
        yield "Access is left out: it is earned by time, see the report `release`."


FORECAST = Estimate("forecast", ("release", "sold-on", "bands", "burn-down", "notes"), _tables)
