"""What became of the units that were left unused, as figures.

    a sale of 500 CU for 125.00, fee 6.25   ->  sold 500, gross 125.00, fees 6.25
    a use of 400 of them, at 0.04 a unit    ->  used 400, use 80.00, cost of use -16.00

Each figure is of a cohort (see `reports/unused.py`); `reports/economics.py` says what they mean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from beancount_compute.economy.lots import Pocket
from beancount_compute.economy.rounding import minor_unit, shares_of_total
from beancount_compute.reports.books import Books, Selection, until
from beancount_compute.reports.facts import Earning, Flow, LotKey, Movement, Trade
from beancount_compute.reports.figures import Sums as RowSums
from beancount_compute.reports.figures import new_sums
from beancount_compute.reports.overage_prices import OveragePrices
from beancount_compute.reports.unused import Cohort, Outcome, Part, follow

LEFT = {
    Flow.USED: "used",
    Flow.SPENT: "spent",
    Flow.EXPIRED: "expired",
    Flow.REFUNDED: "refunded",
    Flow.REMOVED: "removed",
}
_SHARED = {Earning.FEES: "fees", Earning.PARTNER_INCOME: "partner_income"}
Sum = tuple[Cohort, str, str]  # what a figure is of, its column, and its currency; "" for units
_Figure = tuple[Cohort | None, str, str, Decimal]  # its column, currency ("" for units), number


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

    def each(self, movements: Iterable[Movement]) -> Iterator[tuple[Sum, Decimal, Movement]]:
        """The figures of all cohorts, in the order of the movements, with what caused each."""
        for outcome in follow(movements):
            for cohort, column, currency, number in self._figures(outcome):
                if cohort is not None:
                    yield (cohort, column, currency), number, outcome.movement

    def of(self, selection: Selection) -> Iterator[tuple[Sum, Decimal, int]]:
        """The figures of the cohorts in the selection, up to its last day."""
        for place, number, movement in self.each(until(self._books.movements, selection.end)):
            if _selects(selection, place[0]):
                yield place, number, movement.at

    def added_up(self, selection: Selection) -> dict[tuple[Cohort, str], RowSums]:
        """The same added up, by cohort and currency ("" for units), and by column."""
        found: defaultdict[tuple[Cohort | None, str], RowSums] = defaultdict(new_sums)
        for outcome in follow(until(self._books.movements, selection.end)):
            for cohort, column, currency, number in self._figures(outcome):
                found[cohort, currency][column] += number
        return {
            (cohort, currency): sums
            for (cohort, currency), sums in found.items()
            if cohort is not None and _selects(selection, cohort)
        }

    def _figures(self, outcome: Outcome) -> Iterator[_Figure]:
        movement, parts, _ = outcome
        if movement.flow is Flow.TRADED_OUT:
            yield from self._sale(outcome)
            return
        currency, cost = movement.lot.currency, movement.lot.cost
        begins = movement.flow is Flow.MINTED or movement.pocket is Pocket.ALLOCATIONS
        for part, day in parts:
            cohort, units, amount = part.cohort, part.units, part.units * cost
            if begins:
                yield cohort, "unused", "", units
                yield cohort, "lapsed", currency, amount
                yield cohort, "not_lapsed", currency, -amount
            if movement.flow is not Flow.EXPIRED or not begins:
                sign = 1 if begins else -1
                yield cohort, "held", "", sign * units
                yield cohort, "held_amount", currency, sign * amount
            if movement.flow in LEFT:
                yield cohort, LEFT[movement.flow], "", units
            if movement.flow is Flow.EXPIRED:
                yield cohort, "expiry", currency, amount
            elif movement.flow is Flow.USED:
                yield cohort, "use", currency, amount
                yield from self._cost_of_use(part, day)
        yield from self._shared(outcome)

    def _cost_of_use(self, part: Part, day: date) -> Iterator[_Figure]:
        cost = self._books.terms.unit_cost.on(day)
        if cost is not None:
            yield part.cohort, "cost_of_use", cost.currency, -part.units * cost.number
            yield part.cohort, "outlay", cost.currency, part.units * cost.number

    def _sale(self, outcome: Outcome) -> Iterator[_Figure]:
        movement, parts, buyer = outcome
        trade = self._trades[movement.at]
        yield from _split(parts, "gross", trade.currency, _gross_of(trade, movement.lot))
        price = self._overage.of(buyer, movement.date) if self._overage else None
        for part, _ in parts:
            if not part.sold:
                yield part.cohort, "sold", "", part.units
            if price is not None:
                lost = part.units * price.number * self._displaced
                yield part.cohort, "displaced", price.currency, -lost
                yield part.cohort, "outlay", price.currency, lost
        yield from self._shared(outcome)

    def _shared(self, outcome: Outcome) -> Iterator[_Figure]:
        """What was earned on a lot besides its carrying amount, shared by units."""
        place = (outcome.movement.at, id(outcome.movement.lot))
        for column, currency, amount in self._earned.get(place, ()):
            yield from _split(outcome.parts, column, currency, amount)


def _gross_of(trade: Trade, lot: LotKey) -> Decimal:
    """A lot's share, by units, of the gross of the trade that sold it."""
    if len(trade.lots) == 1:
        return trade.gross
    weights = [units for _, units in trade.lots]
    shares = shares_of_total(trade.gross, weights, minor_unit(trade.currency))
    return next(share for (each, _), share in zip(trade.lots, shares, strict=True) if each is lot)


def _split(
    parts: list[tuple[Part, date]], column: str, currency: str, amount: Decimal
) -> Iterator[_Figure]:
    if not parts:
        return
    if len(parts) == 1:
        yield parts[0][0].cohort, column, currency, amount
        return
    weights = [part.units for part, _ in parts]
    shares = shares_of_total(amount, weights, minor_unit(currency))
    for (part, _), share in zip(parts, shares, strict=True):
        yield part.cohort, column, currency, share


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
            column = "use"
        elif income.earning in _SHARED:
            column = _SHARED[income.earning]
        else:
            continue
        found[income.at, id(income.lot)].append((column, income.currency, income.amount))
    return found
