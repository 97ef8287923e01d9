"""What the notes to the accounts need of deferred revenue, the contract liability.

    movement in June       opening   allocated      used    closing
    added in the period       0.00      400.00   -200.00     200.00
    in the opening balance  160.00        0.00    -80.00      80.00
    total                   160.00      400.00   -280.00     280.00

The movement of the balance (ASC 606-10-50-8(a)), split by the date of the lots: what was in the
opening balance is what lies in lots older than the period, and in opening lots, but for those that
came within it (`entered.py`). The revenue of these is what 50-8(b) asks for. Fees and overage never
were in the balance.

Where anything is unbilled, opening and closing of receivables, with what is unbilled on a line of
its own, stand beside it (`contract_balances.py`).

What remains (50-13) stands by the last day on which it can be used, which is a limit and no
forecast: of an allocation that will be minted, the end of the tokens that it turns into. Asked for,
it stands by the release pattern of the last months as well (`reports/remaining.py`).

What can be had back on demand (`refundable`, `top-ups-refundable`) is no contract liability but a
refund liability (606-10-32-10): it stands in a table of its own, and in no other.

Two columns help with the expedient of 50-14(a), which is for contracts of an original expected
duration of at most a year: what lies in lots that started within a year, and in lots whose whole
life, from their date to their end, is at most a year. Which contracts these are is yours to judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from operator import attrgetter
from typing import TypeVar

from beancount_compute.economy import COMING, EARNED_BY_LOTS, RELEASING, Earning, Flow, Terms, later
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.contract_balances import (
    BALANCES,
    balance_of_lots,
    balances,
    what_is_owed,
)
from beancount_compute.reports.entered import Entered, entered_in, not_in_opening
from beancount_compute.reports.facts import SUMMED, Income, LotKey, Movement
from beancount_compute.reports.figures import (
    Contribution,
    Figure,
    How,
    Layout,
    NotSummed,
    Report,
    Request,
    Single,
)
from beancount_compute.reports.fold import grouped
from beancount_compute.reports.remaining import YEAR, ages, band_of, ends_of_all, expected
from beancount_compute.reports.tables import CURRENCY, Column, Measure

_OPENING, _ADDED, _TOTAL = "in the opening balance", "added in the period", "total"
# Grants carry no money; what earns as it leaves comes before what does not.
_FLOWS = [
    *[flow for flow in COMING if flow not in (Flow.OPENING, Flow.ENTERED, Flow.GRANTED)],
    *sorted(RELEASING, key=lambda flow: flow not in EARNED_BY_LOTS),
]
_BETWEEN = "between_subscribers"  # zero over all of them
_LINES: dict[Flow, str] = {
    **{flow: _BETWEEN for flow in Flow if flow not in (Flow.OPENING, Flow.ENTERED)},
    **{flow: "removed" if flow is Flow.REMOVED else flow.key for flow in _FLOWS},
}
_MOVEMENT = (*dict.fromkeys(_LINES[flow] for flow in _FLOWS), _BETWEEN)
_TITLES = {
    "topped_up": "topped\nup",
    "removed": "removed\nby hand",
    _BETWEEN: "between\nsubscribers",
    Flow.EARNED.key: "earned\nby time",
    Flow.RETURNED.key: "returned\nby change",
}
_EARNINGS = {
    Earning.COMPUTE: "use",
    Earning.BREAKAGE: "breakage",
    Earning.PARTNER_INCOME: "partner_income",
    Earning.ACCESS: "access",
    Earning.FEES: "",  # these never were in the balance
    Earning.OVERAGE: "",
    Earning.REFUNDS: "",  # nor of what was voided
    Earning.DISPUTES: "",
}


def _revenue_figures(books: Books) -> tuple[Figure, ...]:
    earnings = [key for earning, key in _EARNINGS.items() if key and earning in books.earnings]
    figures = [Figure(key, key.replace("_", "\n"), Measure.MONEY) for key in earnings]
    return (*figures, Figure("revenue", "revenue", Measure.MONEY, tuple(earnings)))


_REMAINING = (
    Figure("amount", "amount", Measure.MONEY),
    Figure("started_within_a_year", "in lots that started\nwithin a year", Measure.MONEY),
    Figure("life_of_a_year", "in lots of a life\nof at most a year", Measure.MONEY),
)
_RATES = (
    Figure("open", "open", Measure.MONEY),
    Figure("released", "released", Measure.MONEY),
    Figure("rate", "rate", Measure.RATE, ("released",), How.QUOTIENT, ("open",)),
)


def disclosure(pattern: int | None = None) -> Report:
    """The report; `pattern` is the number of months whose releases make a forecast, if any."""
    return Report(
        "disclosure",
        "Disclosure of the contract liability",
        partial(_layouts, pattern),
        partial(_contributions, pattern),
        of_sums=True,
    )


def _layouts(pattern: int | None, books: Books, selection: Selection) -> list[Layout]:
    day = selection.end or books.last_day or ""
    money = Measure.MONEY
    entered = entered_in(books, selection).figures(money)
    figures = [Figure("opening", "opening", money), *entered]
    hidden = {flow.key for flow in books.hidden_flows}
    lines = [key for key in _MOVEMENT if key not in hidden]
    figures += [Figure(key, _TITLES.get(key, key), money) for key in lines]
    closing = Figure("closing", "closing", money, tuple([each.key for each in figures]))
    part = (Column("part", "of lots"), CURRENCY)
    remaining = f"Remaining performance obligations at {day}"
    layouts = [
        *balances(books, selection),
        Layout(
            "movement",
            "Movement of the contract liability",
            part,
            (*figures, closing),
            adds_up=False,
        ),
        Layout(
            "revenue",
            "Revenue out of the contract liability",
            part,
            _revenue_figures(books),
            adds_up=False,
        ),
        Layout(
            "opening-revenue",
            "Revenue that was in the opening balance, by allocation month",
            (Column("vintage", "allocated", Measure.DATE), CURRENCY),
            _revenue_figures(books),
        ),
        Layout(
            "remaining",
            f"{remaining}, by the last day on which they can be used",
            (Column("until", "last day of use"), CURRENCY),
            _REMAINING,
        ),
    ]
    if books.terms.sell_refundable:
        title = "Movement of the refund liability: what can be had back on demand"
        layouts.append(Layout("refundable", title, (CURRENCY,), (*figures, closing)))
    return layouts if pattern is None else [*layouts, *_forecast_layouts(pattern, remaining)]


def _forecast_layouts(pattern: int, remaining: str) -> list[Layout]:
    last = "month" if pattern == 1 else f"{pattern} months"
    months = f"release pattern of the last {last}"
    bands = (Column("expected", "expected"), CURRENCY)
    rates = (Column("age", "age in\nmonths"), CURRENCY)
    return [
        Layout("expected", f"{remaining}, by the {months}", bands, _REMAINING[:1]),
        Layout("pattern", months.capitalize(), rates, _RATES, adds_up=False),
    ]


def _contributions(
    pattern: int | None, books: Books, selection: Selection, request: Request
) -> Iterator[Contribution]:
    forecast = pattern is not None and request.wants("expected", "pattern")
    if forecast and request.row is not None:
        raise NotSummed("it is worked out from a pattern, not summed from transactions")
    day, start = selection.day_of(books), selection.start or date.min
    movements = selection.movements(books, each=request.each)
    keys = ("flow", "pocket", "lot", "why")
    earned = selection.incomes(books, each=request.each)
    can_be_had_back: Sequence[Movement] = ()
    refundable = _Refundable(books.terms)
    if books.terms.sell_refundable:
        movements, can_be_had_back = refundable.told_apart(movements)
        earned, _ = refundable.told_apart(earned)
    before, since = [request.fold(part, keys, ("amount",)) for part in selection.split(movements)]
    moved = [*before, *since]
    entered = entered_in(books, selection)
    young = not_in_opening(books, selection.start)
    old = {each.lot for each in moved if entered.is_opening(each) or each.lot.date < start} - young
    of_contracts = [*_movement(before, old, None), *_movement(since, old, entered)]
    yield from of_contracts
    yield from _revenue(earned, old)
    back_on_demand: list[Single] = []
    for part, within in zip(selection.split(can_be_had_back), (None, entered), strict=True):
        for each in request.fold(part, keys, ("amount",)):
            if each.flow is not Flow.MINTED:
                line = _line_of(each, within)
                of_lot = ("refundable", (each.lot.currency,), line, each.amount, each.at)
                back_on_demand.append(of_lot)
    yield from back_on_demand
    if request.wants(BALANCES):
        totals = [each for each in of_contracts if each[1][0] == _TOTAL]
        yield from balance_of_lots("contract liability", totals)
        yield from balance_of_lots("refund liability", back_on_demand)
        yield from what_is_owed(books, selection, request)
    folded = request.fold(moved, ("pocket", "lot"), ("amount",))
    for each, end, amount in ends_of_all(folded, books.terms, day):
        row = (band_of(end, day), each.lot.currency)
        for column in _columns(each.lot.date, end, day):
            yield "remaining", row, column, amount, each.at
    if pattern is not None and forecast and not request.each:
        incomes = selection._replace(start=None).incomes(books, each=False)
        if books.terms.sell_refundable:
            incomes, _ = refundable.told_apart(incomes)
        yield from _forecast(movements, incomes, moved, books.terms, day, pattern)


def _movement(
    moved: Iterable[Movement], old: set[LotKey], entered: Entered | None
) -> Iterator[Single]:
    """What moved under its line; where nothing is asked to be told apart, in the opening."""
    for each in moved:
        if each.flow is not Flow.MINTED:  # that only changes the pocket
            for part in (_OPENING if each.lot in old else _ADDED, _TOTAL):
                row = (part, each.lot.currency)
                yield "movement", row, _line_of(each, entered), each.amount, each.at


def _line_of(moved: Movement, entered: Entered | None) -> str:
    if entered is None:
        return "opening"
    return _LINES.get(moved.flow) or entered.key_of(moved)


OfLot = TypeVar("OfLot", Movement, Income)


class _Refundable:
    """Tells what can be had back on demand."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._lots: dict[LotKey | None, bool] = {None: False}

    def told_apart(self, facts: Sequence[OfLot]) -> tuple[list[OfLot], list[OfLot]]:
        """What belongs to the contract liability, and what to the refund liability."""
        parts: tuple[list[OfLot], list[OfLot]] = ([], [])
        for each in facts:
            parts[self._can_be_had_back(each.lot)].append(each)
        return parts

    def _can_be_had_back(self, lot: LotKey | None) -> bool:
        known = self._lots.get(lot)
        if known is None:
            assert lot is not None
            known = self._lots[lot] = self._terms.is_refundable(lot.origin, lot.date)
        return known


def _revenue(incomes: Iterable[Income], old: set[LotKey]) -> Iterator[Contribution]:
    for income in incomes:
        column = _EARNINGS[income.earning]
        if not column or income.lot is None:
            continue
        opening = income.lot in old
        for part in (_OPENING if opening else _ADDED, _TOTAL):
            yield "revenue", (part, income.currency), column, income.amount, income.at
        if opening:
            row = (income.lot.month, income.currency)
            yield "opening-revenue", row, column, income.amount, income.at


def _columns(since: date, end: date | None, day: date) -> Iterator[str]:
    yield "amount"
    if later(since, YEAR) > day:
        yield "started_within_a_year"
    if end is not None and end <= later(since, YEAR):
        yield "life_of_a_year"


def _forecast(
    movements: Iterable[Movement],
    incomes: Iterable[Income],
    moved: list[Movement],
    terms: Terms,
    day: date,
    months: int,
) -> Iterator[Contribution]:
    currency_of = attrgetter("currency")
    of_lots = [each for each in incomes if each.lot and each.lot.currency == each.currency]
    earned = grouped(of_lots, currency_of)
    for currency, of_currency in grouped(movements, currency_of).items():
        pattern = ages(of_currency, earned[currency], day, months)
        for age, aged in pattern.items():
            yield "pattern", (f"{age:02}", currency), "open", aged.open, SUMMED
            yield "pattern", (f"{age:02}", currency), "released", aged.released, SUMMED
        for band, number in expected(moved, currency, terms, day, pattern):
            yield "expected", (band, currency), "amount", number, SUMMED
