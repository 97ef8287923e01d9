"""What became of the units that were left unused, as figures.

    a sale of 500 CU for 125.00, fee 6.25   ->  sold 500, gross 125.00, fees 6.25
    a use of 400 of them, at 0.04 a unit    ->  used 400, use 80.00, cost of use -16.00

Each figure is of a cohort (see `reports/unused.py`); `reports/economics.py` says what they mean.
What happens is of few kinds, each of which adds to several columns: 400 used units are 400 less
held, and 80.00 less held and not lapsed any more. So all is added up by kind; the columns follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import chain

from beancount_compute.economy.lots import Pocket
from beancount_compute.economy.rounding import ZERO, minor_unit, shares_of_total
from beancount_compute.reports.books import Books, Selection, until
from beancount_compute.reports.facts import Earning, Flow, LotKey, Movement, Trade
from beancount_compute.reports.overage_prices import OveragePrices
from beancount_compute.reports.sheets import Sheet, Signed
from beancount_compute.reports.tables import Row
from beancount_compute.reports.unused import Cohort, Outcome, Part, follow

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
_SHARED = {Earning.FEES: "fees", Earning.PARTNER_INCOME: "partner_income"}
Sum = tuple[Cohort, str, str]  # what a figure is of, its column, and its currency; "" for units
Happening = tuple[Cohort | None, str, str, Decimal]  # what, its currency ("" for units), number


def signed(what: str, currency: str, number: Decimal) -> Iterator[tuple[str, Decimal]]:
    """What something that happened adds to columns; its units where the currency is ""."""
    for column, sign in (MONEY if currency else UNITS)[what]:
        yield column, number if sign > 0 else -number


def first_month(selection: Selection) -> str:
    """The first month whose cohorts are selected."""
    return selection.start.isoformat()[: len("2026-05")] if selection.start else ""


def _selects(selection: Selection, cohort: Cohort) -> bool:
    """Whether a cohort is selected."""
    return (
        cohort.month >= first_month(selection)
        and selection.subscriber in ("", cohort.subscriber)
        and selection.plan in ("", cohort.plan)
    )


class Sums:
    """Turns what became of cohorts into figures."""

    def __init__(self, displaced: Decimal, books: Books) -> None:
        self._displaced = displaced
        self._books = books
        self._earned = _earned_by_lot(books)
        self._trades = {trade.at: trade for trade in books.trades}
        self._overage = OveragePrices(books) if displaced else None

    def each(self, movements: Iterable[Movement]) -> Iterator[tuple[Happening, Movement]]:
        """What happened to all cohorts, in the order of the movements, which caused it."""
        for outcome in follow(movements):
            for happening in self._happenings(outcome):
                yield happening, outcome.movement

    def of(self, selection: Selection) -> Iterator[tuple[Sum, Decimal, int]]:
        """The figures of the cohorts in the selection, up to its last day."""
        for happening, movement in self.each(until(self._books.movements, selection.end)):
            cohort, what, currency, number = happening
            if cohort is not None and _selects(selection, cohort):
                for column, adds in signed(what, currency, number):
                    yield (cohort, column, currency), adds, movement.at

    def added_up(self, selection: Selection) -> tuple[Sheet, Sheet]:
        """All that happened to the cohorts in the selection, up to its last day: units, money.

        Rows are month, plan, subscriber, and commodity or currency; columns are what happened.
        """
        found: defaultdict[str, defaultdict[str, defaultdict[Cohort | None, Decimal]]]
        found = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
        for outcome in follow(until(self._books.movements, selection.end)):
            for cohort, what, currency, number in self._happenings(outcome):
                found[currency][what][cohort] += number
        money = {currency: happened for currency, happened in found.items() if currency}
        return _sheet(selection, {"": found[""]}), _sheet(selection, money)

    def _happenings(self, outcome: Outcome) -> Iterator[Happening]:
        movement, parts, _ = outcome
        _, _, flow, _, pocket, _, _, _, currency, _, lot, *_ = movement
        if flow is Flow.TRADED_OUT:
            yield from self._sale(outcome)
            return
        if flow is Flow.MINTED:
            what = "minted"
        elif pocket is Pocket.ALLOCATIONS:
            what = "lapsed"
        else:
            what = LEFT.get(flow, "gone")
        cost = lot.cost
        for (cohort, _, units), day in parts:
            yield cohort, what, "", units
            yield cohort, what, currency, units * cost
            if flow is Flow.USED:
                yield from self._cost_of_use(cohort, units, day)
        yield from self._shared(outcome)

    def _cost_of_use(self, cohort: Cohort | None, units: Decimal, day: date) -> Iterator[Happening]:
        cost = self._books.terms.unit_cost.on(day)
        if cost is not None:
            yield cohort, "cost_of_use", cost.currency, units * cost.number

    def _sale(self, outcome: Outcome) -> Iterator[Happening]:
        movement, parts, buyer = outcome
        trade = self._trades[movement.at]
        yield from _split(parts, "gross", trade.currency, _gross_of(trade, movement.lot))
        price = self._overage.of(buyer, movement.date) if self._overage else None
        for (cohort, sold, units), _ in parts:
            if not sold:
                yield cohort, "sold", "", units
            if price is not None:
                lost = units * price.number * self._displaced
                yield cohort, "displaced", price.currency, lost
        yield from self._shared(outcome)

    def _shared(self, outcome: Outcome) -> Iterator[Happening]:
        """What was earned on a lot besides its carrying amount, shared by units."""
        movement, parts, _ = outcome
        for what, currency, amount in self._earned.get((movement.at, id(movement.lot)), ()):
            yield from _split(parts, what, currency, amount)


def _sheet(
    selection: Selection,
    happened: Mapping[str, Mapping[str, Mapping[Cohort | None, Decimal]]],
) -> Sheet:
    """What happened, by currency ("" for units), what it was, and cohort: of those selected."""
    rows: list[Row] = []
    numbers: dict[str, list[Decimal]] = {what: [] for of in happened.values() for what in of}
    every = not (selection.start or selection.subscriber or selection.plan)
    for currency, by_what in happened.items():
        cohorts = [
            cohort
            for cohort in dict.fromkeys(chain.from_iterable(by_what.values()))
            if cohort is not None and (every or _selects(selection, cohort))
        ]
        if currency:
            rows += [(month, plan, who, currency) for month, plan, who, _ in cohorts]
        else:
            rows += cohorts
        for what, column in numbers.items():
            of_cohort = by_what.get(what, {})
            column += [of_cohort.get(cohort, ZERO) for cohort in cohorts]
    sheet = Sheet(rows, numbers)
    return sheet if len(set(rows)) == len(rows) else sheet.added_up(lambda labels: labels)


def _gross_of(trade: Trade, lot: LotKey) -> Decimal:
    """A lot's share, by units, of the gross of the trade that sold it."""
    if len(trade.lots) == 1:
        return trade.gross
    weights = [units for _, units in trade.lots]
    shares = shares_of_total(trade.gross, weights, minor_unit(trade.currency))
    return next(share for (each, _), share in zip(trade.lots, shares, strict=True) if each is lot)


def _split(
    parts: list[tuple[Part, date]], what: str, currency: str, amount: Decimal
) -> Iterator[Happening]:
    if not parts:
        return
    if len(parts) == 1:
        yield parts[0][0].cohort, what, currency, amount
        return
    weights = [part.units for part, _ in parts]
    shares = shares_of_total(amount, weights, minor_unit(currency))
    for (part, _), share in zip(parts, shares, strict=True):
        yield part.cohort, what, currency, share


def _earned_by_lot(books: Books) -> dict[tuple[int, int], list[tuple[str, str, Decimal]]]:
    """Fees, partner income and what the rounding of refunds leaves, by transaction and lot.

    Two equal lots of the books are the same object.
    """
    found: defaultdict[tuple[int, int], list[tuple[str, str, Decimal]]] = defaultdict(list)
    refunded, compute = Flow.REFUNDED, Earning.COMPUTE
    refunds = {each.at for each in books.movements if each.flow is refunded}
    for income in books.incomes:
        if income.earning is compute:
            if income.at not in refunds:
                continue  # nearly all of them
            what = "rest_of_refund"
        elif income.earning in _SHARED:
            what = _SHARED[income.earning]
        else:
            continue
        found[income.at, id(income.lot)].append((what, income.currency, income.amount))
    return found
