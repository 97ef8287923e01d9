"""What became of the units that were left unused, as figures.

    a sale of 500 CU for 125.00, fee 6.25   ->  sold 500, gross 125.00, fees 6.25
    a use of 400 of them, at 0.04 a unit    ->  used 400, use 80.00, cost of use -16.00

Each figure is of a cohort (see `reports/unused.py`); `reports/economics.py` says what they mean.
What happens is of few kinds, each of which adds to several columns: 400 used units are 400 less
held, and 80.00 less held and not lapsed any more. So all is added up by kind; the columns follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from beancount_compute.economy.kinds import Flow, Kind
from beancount_compute.economy.months import Month
from beancount_compute.economy.options import UNIT_COST
from beancount_compute.economy.roles import Earning, Pocket
from beancount_compute.economy.rounding import ZERO, minor_unit, shares_of_total
from beancount_compute.reports.books import Books, Selection, until
from beancount_compute.reports.facts import LotKey, Movement, Trade
from beancount_compute.reports.overage_prices import OveragePrices
from beancount_compute.reports.sheets import Sheet, Signed
from beancount_compute.reports.tables import Row
from beancount_compute.reports.unused import Cohort, Follower, Outcome, Part

LEFT = {
    Flow.USED: "used",
    Flow.SPENT: "spent",
    Flow.EXPIRED: "expired",
    Flow.REFUNDED: "refunded",
    Flow.REMOVED: "removed",
}
# What happened, and the columns that its units (first) or its money (second) add to or take from.
# "minted": they left their period as tokens; "lapsed": without; "gone": by none of the ways above.
_HELD, _HELD_AMOUNT = ("held", -1), ("held_amount", -1)
UNITS: dict[str, tuple[Signed, ...]] = {
    "minted": (("unused", 1), ("held", 1)),
    "lapsed": (("unused", 1), ("expired", 1)),
    **{way: ((way, 1), _HELD) for way in LEFT.values()},
    "gone": (_HELD,),
    "sold": (("sold", 1),),
}
MONEY: dict[str, tuple[Signed, ...]] = {
    "minted": (("lapsed", 1), ("not_lapsed", -1), ("held_amount", 1)),
    "lapsed": (("lapsed", 1), ("not_lapsed", -1), ("expiry", 1)),
    **dict.fromkeys([*LEFT.values(), "gone"], (_HELD_AMOUNT,)),
    "used": (("use", 1), _HELD_AMOUNT),
    "expired": (("expiry", 1), _HELD_AMOUNT),
    "rest_of_refund": (("use", 1),),
    "fees": (("fees", 1),),
    "partner_income": (("partner_income", 1),),
    "gross": (("gross", 1),),
    "cost_of_use": (("cost_of_use", -1), ("outlay", 1)),
    "displaced": (("displaced", -1), ("outlay", 1)),
}
_WHAT = {Flow.MINTED: "minted", Flow.TRADED_OUT: "sold", **LEFT}
_ALLOCATIONS = Pocket.ALLOCATIONS  # to name a member of an enum takes longer than to look at it
_SHARED = {Earning.FEES: "fees", Earning.PARTNER_INCOME: "partner_income"}
Sum = tuple[Cohort, str, str]  # what a figure is of, its column, and its currency; "" for units
# The number of a cohort, what happened to it, units, currency, amount; None for no units or money.
_Happening = tuple[int | None, str, Decimal | None, str, Decimal | None]
_Added = defaultdict[str, dict[int, Decimal]]  # by what happened, and by cohort


def signed(what: str, currency: str, number: Decimal) -> Iterator[tuple[str, Decimal]]:
    """What something that happened adds to columns; its units where the currency is ""."""
    for column, sign in (MONEY if currency else UNITS)[what]:
        yield column, number if sign > 0 else -number


def first_month(selection: Selection) -> str:
    """The first month whose cohorts are selected."""
    return Month.of(selection.start).name if selection.start else ""


def _selected(selection: Selection, cohorts: list[Cohort]) -> list[int]:
    """The numbers of the cohorts that are selected."""
    if not (selection.start or selection.subscriber or selection.plan):
        return list(range(len(cohorts)))
    return [number for number, cohort in enumerate(cohorts) if _selects(selection, cohort)]


def _selects(selection: Selection, cohort: Cohort) -> bool:
    """Whether a cohort is selected."""
    return (
        cohort.month >= first_month(selection)
        and selection.subscriber in ("", cohort.subscriber)
        and selection.plan in ("", cohort.plan)
    )


class Happened(NamedTuple):
    """Something that happened to a cohort."""

    cohort: Cohort
    what: str
    currency: str  # "" for its units
    number: Decimal
    movement: Movement  # which caused it


class Sums:
    """Turns what became of cohorts into figures."""

    def __init__(self, displaced: Decimal, books: Books) -> None:
        self._displaced = displaced
        self._books = books
        self._earned = _earned_by_lot(books)
        self._trades = {trade.at: trade for trade in books.trades}
        self._overage = OveragePrices(books) if displaced else None

    def each(self, movements: Iterable[Movement]) -> Iterator[Happened]:
        """What happened to all cohorts, in the order of the movements, which caused it."""
        follower = Follower()
        for outcome in follower.follow(movements):
            movement, *_ = outcome
            for number, what, units, currency, amount in self._happenings(outcome):
                if number is not None:
                    cohort = follower.cohorts[number]
                    if units is not None:
                        yield Happened(cohort, what, "", units, movement)
                    if amount is not None:
                        yield Happened(cohort, what, currency, amount, movement)

    def of(self, selection: Selection) -> Iterator[tuple[Sum, Decimal, int]]:
        """The figures of the cohorts in the selection, up to its last day."""
        for each in self.each(until(self._books.movements, selection.end)):
            cohort, what, currency, number, movement = each
            if _selects(selection, cohort):
                for column, adds in signed(what, currency, number):
                    yield (cohort, column, currency), adds, movement.at

    def added_up(self, selection: Selection) -> tuple[Sheet, Sheet]:
        """All that happened to the cohorts in the selection, up to its last day: units, money.

        Rows are month, plan, subscriber, and commodity or currency; columns are what happened.
        """
        follower = Follower()
        units: _Added = defaultdict(dict)
        money: defaultdict[str, _Added] = defaultdict(partial(defaultdict, dict))
        for outcome in follower.follow(until(self._books.movements, selection.end)):
            for cohort, what, number, currency, amount in self._happenings(outcome):
                if cohort is None:
                    continue
                if number:
                    sums = units[what]
                    sums[cohort] = sums[cohort] + number if cohort in sums else number
                if amount:
                    sums = money[currency][what]
                    sums[cohort] = sums[cohort] + amount if cohort in sums else amount
        selected = _selected(selection, follower.cohorts)
        return (
            _sheet(follower.cohorts, selected, {"": units}),
            _sheet(follower.cohorts, selected, money),
        )

    def _happenings(self, outcome: Outcome) -> list[_Happening]:
        movement, parts, _, days = outcome
        what = _WHAT.get(movement.flow, "gone")
        if what == "sold":
            return self._sale(outcome)
        if what == "expired" and movement.pocket is _ALLOCATIONS:
            what = "lapsed"
        cost, currency, _, _, _, _, _ = movement.lot
        found: list[_Happening]
        found = [(cohort, what, units, currency, units * cost) for cohort, _, units in parts]
        if what == "used":
            found += self._cost_of_use(parts, days or [movement.date] * len(parts))
        elif what in ("spent", "refunded"):
            found += self._shared(outcome)
        return found

    def _cost_of_use(self, parts: list[Part], days: Sequence[date]) -> Iterator[_Happening]:
        for (cohort, _, units), day in zip(parts, days, strict=True):
            cost = self._books.terms.on(UNIT_COST, day)
            if cost is not None:
                yield cohort, "cost_of_use", None, cost.currency, units * cost.number

    def _sale(self, outcome: Outcome) -> list[_Happening]:
        movement, parts, buyer, _ = outcome
        trade = self._trades[movement.at]
        found = _split(parts, "gross", trade.currency, _gross_of(trade, movement.lot))
        found += [(cohort, "sold", units, "", None) for cohort, sold, units in parts if not sold]
        price = (
            self._overage.of(buyer, movement.date, movement.commodity) if self._overage else None
        )
        if price is not None:
            rate = price.number * self._displaced
            found += [
                (cohort, "displaced", None, price.currency, units * rate)
                for cohort, _, units in parts
            ]
        return found + self._shared(outcome)

    def _shared(self, outcome: Outcome) -> list[_Happening]:
        """What was earned on a lot besides its carrying amount, shared by units."""
        movement, parts, _, _ = outcome
        found: list[_Happening] = []
        for what, currency, amount in self._earned.get((movement.at, id(movement.lot)), ()):
            found += _split(parts, what, currency, amount)
        return found


def _sheet(cohorts: list[Cohort], selected: list[int], happened: Mapping[str, _Added]) -> Sheet:
    """What happened to some cohorts, by currency ("" for units), what it was, and their number."""
    labels = [cohorts[number] for number in selected]
    rows: list[Row] = []
    found: dict[str, list[Decimal]] = {what: [] for added in happened.values() for what in added}
    for currency, added in happened.items():
        rows += [
            (month, plan, subscriber, currency or commodity)
            for month, plan, subscriber, commodity in labels
        ]
        for what, column in found.items():
            if what in added:
                sums = added[what]
                column += [sums.get(number, ZERO) for number in selected]
            else:
                column += [ZERO] * len(selected)
    sheet = Sheet(rows, found)
    commodities = {commodity for _, _, _, commodity in labels}
    return sheet if len(commodities) < 2 else sheet.added_up(lambda row: row)  # in one currency


def _gross_of(trade: Trade, lot: LotKey) -> Decimal:
    """A lot's share, by units, of the gross of the trade that sold it."""
    if len(trade.lots) == 1:
        return trade.gross
    weights = [units for _, units in trade.lots]
    shares = shares_of_total(trade.gross, weights, minor_unit(trade.currency))
    return next(share for (each, _), share in zip(trade.lots, shares, strict=True) if each is lot)


def _split(parts: list[Part], what: str, currency: str, amount: Decimal) -> list[_Happening]:
    if len(parts) == 1:
        [(cohort, _, _)] = parts
        return [(cohort, what, None, currency, amount)]
    weights = [units for _, _, units in parts]
    shares = shares_of_total(amount, weights, minor_unit(currency))
    return [
        (cohort, what, None, currency, share)
        for (cohort, _, _), share in zip(parts, shares, strict=True)
    ]


def _earned_by_lot(books: Books) -> dict[tuple[int, int], list[tuple[str, str, Decimal]]]:
    """Fees, partner income and what the rounding of refunds leaves, by transaction and lot.

    Two equal lots of the books are the same object.
    """
    found: defaultdict[tuple[int, int], list[tuple[str, str, Decimal]]] = defaultdict(list)
    compute, refund = Earning.COMPUTE, Kind.REFUND
    for income in books.money.earned:
        if income.earning is compute:
            if income.kind != refund:
                continue
            what = "rest_of_refund"
        elif income.earning in _SHARED:
            what = _SHARED[income.earning]
        else:
            continue
        found[income.at, id(income.lot)].append((what, income.currency, income.amount))
    return found
