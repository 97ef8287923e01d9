"""Breakage or market: which pays the operator better for the units that subscribers leave unused?

    alice leaves 800 CU of May (160.00) unused; they become tokens. She sells 500 for 125.00, fee
    6.25; 400 of these are used, at a cost of 0.04 a unit; the other 400 lapse in the end:

    lapsed    160.00 = 800 x 0.20                             had there been no market
    market    150.25 = 80.00 use + 80.00 expiry + 6.25 fees - 16.00 cost of use
    gain       -9.75;  break-even fee rate 0.128 = 16.00 / 125.00;  fee rate 0.05

Figures are of cohorts (see `reports/unused.py`), by the month in which the units left their period,
the plan of their lot, and the subscriber who held them then, whoever holds them later.

- `lapsed`: their carrying amount, which would have been breakage on that day.
- `market`: what they earned up to the selection's last day: their carrying amount as it was
  recognised on use and expiry, partner income (which is what a spend earns: the carrying amount
  less the settlement) and the fees of both sides, each time they were sold; less what their use
  cost to serve, and the sales that they displaced.
- `gain`: market less lapsed, so far. What is still held has earned nothing yet; `gain if held
  lapses` counts its carrying amount as well, which it will earn whether it is used or lapses.
- `displaced`: a share, for the reader to judge, of what buyers would have paid as overage: units
  bought x the overage price of the buyer's plan on that day x the share.
- `break-even`: the fee rate at which fees pay for what the tokens cost: (cost of use + displaced
  sales) / gross. At this rate `gain if held lapses` is zero where
  no units were spent, given back or removed by hand.

The unit cost is the `unit-cost` in force on the day of use; it is never booked. What comes in other
currencies than the lots' (fees, unit cost, overage) stands on lines of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import partial

from beancount_compute.economy.lots import Pocket
from beancount_compute.economy.rounding import ZERO, minor_unit, shares_of_total
from beancount_compute.economy.terms import Terms
from beancount_compute.reports.books import Books, Selection, until
from beancount_compute.reports.facts import SUMMED, Earning, Flow, LotKey, Movement, Trade
from beancount_compute.reports.figures import (
    Added,
    Contribution,
    Figure,
    How,
    Layout,
    Report,
    Request,
    Row,
    new_rows,
    new_sums,
)
from beancount_compute.reports.figures import Sums as RowSums
from beancount_compute.reports.overage_prices import OveragePrices
from beancount_compute.reports.tables import Column, Kind
from beancount_compute.reports.unused import Cohort, Outcome, Part, follow

_LEFT = {
    Flow.USED: "used",
    Flow.SPENT: "spent",
    Flow.EXPIRED: "expired",
    Flow.REFUNDED: "refunded",
    Flow.REMOVED: "removed",
}
_UNITS = (
    Figure("unused", "unused", Kind.UNITS),
    Figure("sold", "found\na buyer", Kind.UNITS),
    Figure("share_sold", "share", Kind.RATE, ("sold", "unused"), How.QUOTIENT),
    *[
        Figure(key, key.replace("removed", "removed\nby hand"), Kind.UNITS)
        for key in _LEFT.values()
    ],
    Figure("held", "still\nheld", Kind.UNITS),
)
_SHARED = {Earning.FEES: "fees", Earning.PARTNER_INCOME: "partner_income"}
_MARKET = ("use", "expiry", "partner_income", "fees", "cost_of_use", "displaced")
_MONEY = (
    Figure("lapsed", "lapsed", Kind.MONEY),
    Figure("use", "use", Kind.MONEY),
    Figure("expiry", "expiry", Kind.MONEY),
    Figure("partner_income", "partner\nincome", Kind.MONEY),
    Figure("fees", "fees", Kind.MONEY),
    Figure("cost_of_use", "cost\nof use", Kind.MONEY),
    Figure("displaced", "displaced\nsales", Kind.MONEY),
    Figure("market", "market", Kind.MONEY, _MARKET),
    Figure("gain", "gain", Kind.MONEY, (*_MARKET, "not_lapsed")),
    Figure("held_amount", "still\nheld", Kind.MONEY),
    Figure(
        "gain_if_held_lapses",
        "gain if\nheld lapses",
        Kind.MONEY,
        (*_MARKET, "not_lapsed", "held_amount"),
    ),
    Figure("gross", "gross", Kind.MONEY),
    Figure("break_even", "break-even\nfee rate", Kind.RATE, ("outlay", "gross"), How.QUOTIENT),
    Figure("fee_rate", "fee rate", Kind.RATE, ("fees", "gross"), How.QUOTIENT),
)
_MONTH, _PLAN = Column("month", "month", Kind.DATE), Column("plan", "plan")
_SUBSCRIBER = Column("subscriber", "subscriber")
_BY = {
    "month": (_MONTH,),
    "plan": (_PLAN,),
    "subscriber": (_SUBSCRIBER,),
    "all": (_MONTH, _PLAN, _SUBSCRIBER),
}
_COMMODITY, _CURRENCY = Column("commodity", "unit"), Column("currency", "currency")
Sum = tuple[Cohort, str, str]  # what a figure is of, its column, and its currency; "" for units


def economics(displaced: Decimal = ZERO) -> Report:
    """The report; `displaced` is the share of units bought that would have been overage, 0 to 1."""
    return Report(
        "economics",
        "Breakage or market",
        partial(_layouts, displaced),
        partial(_contributions, displaced),
        added=partial(_added, displaced),
    )


def _layouts(displaced: Decimal, books: Books, _: Selection) -> list[Layout]:
    layouts = [
        Layout(
            f"{what}-by-{name}",
            f"{title}, by {'month, plan and subscriber' if name == 'all' else name}",
            (*labels, unit),
            figures,
        )
        for name, labels in _BY.items()
        for what, title, unit, figures in (
            ("units", "Units that left their period unused", _COMMODITY, _UNITS),
            ("money", "Breakage or market", _CURRENCY, _MONEY),
        )
    ]
    labels = (Column("assumption", "assumption"), Column("value", "value"))
    return [*layouts, Layout("assumptions", "Assumptions", labels, (), keeps_zeros=True)]


def _contributions(
    displaced: Decimal, books: Books, selection: Selection, request: Request
) -> Iterator[Contribution]:
    """Each transaction on its own; `_added` has the same, added up."""
    found = Sums(displaced, books).of(selection)
    yield from rows_of(found, displaced, books, request)


def rows_of(
    found: Iterable[tuple[Sum, Decimal, int]], displaced: Decimal, books: Books, request: Request
) -> Iterator[Contribution]:
    """What figures of cohorts add to the tables that are asked for."""
    for assumption in _assumptions(displaced, books.terms):
        yield "assumptions", assumption, "", ZERO, SUMMED
    for (cohort, column, currency), number, at in found:
        for name, row in _rows(cohort, currency):
            if name in request.tables:
                yield name, row, column, number, at


def _added(displaced: Decimal, books: Books, selection: Selection, request: Request) -> Added:
    """All figures added up: by cohort first, then without the subscribers, which are many."""
    found: Added = defaultdict(new_rows)
    of_all: defaultdict[tuple[Cohort, str], RowSums] = defaultdict(new_sums)
    for (cohort, currency), sums in Sums(displaced, books).added_up(selection).items():
        for name, row in _rows_of_subscriber(cohort, currency):
            if name in request.tables:
                _add(found[name][row], sums)
        _add(of_all[Cohort(cohort.month, cohort.plan, "", cohort.commodity), currency], sums)
    for (cohort, currency), sums in of_all.items():
        for name, row in _rows_of_all(cohort, currency):
            if name in request.tables:
                _add(found[name][row], sums)
    for assumption in _assumptions(displaced, books.terms):
        _ = found["assumptions"][assumption]  # a row without figures
    return found


def _add(into: RowSums, sums: RowSums) -> None:
    if not into:
        into.update(sums)
        return
    for column, number in sums.items():
        into[column] += number


def _rows(cohort: Cohort, currency: str) -> Iterator[tuple[str, Row]]:
    """The tables, and their rows, that figures of a cohort add to."""
    yield from _rows_of_all(cohort, currency)
    yield from _rows_of_subscriber(cohort, currency)


def _rows_of_all(cohort: Cohort, currency: str) -> tuple[tuple[str, Row], ...]:
    """Those of all subscribers together."""
    what, unit = ("money", currency) if currency else ("units", cohort.commodity)
    return (
        (f"{what}-by-month", ("total", unit)),
        (f"{what}-by-month", (cohort.month, unit)),
        (f"{what}-by-plan", (cohort.plan, unit)),
    )


def _rows_of_subscriber(cohort: Cohort, currency: str) -> tuple[tuple[str, Row], ...]:
    """Those of one subscriber."""
    what, unit = ("money", currency) if currency else ("units", cohort.commodity)
    month, plan, subscriber, _ = cohort
    return (
        (f"{what}-by-subscriber", (subscriber, unit)),
        (f"{what}-by-all", (month, plan, subscriber, unit)),
    )


def _assumptions(displaced: Decimal, terms: Terms) -> Iterator[tuple[str, str]]:
    """What the figures rest on besides the books."""
    share = f"{displaced:f} of the units bought would have been overage"
    yield "displaced sales", share if displaced else "none (see --displaced)"
    costs = list(terms.unit_cost.items())
    if not costs:
        yield "unit cost", "none is given (compute-option unit-cost): counted as 0"
    for day, cost in costs:
        yield f"unit cost from {day}", f"{cost.number:f} {cost.currency} a unit used"


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
            if movement.flow in _LEFT:
                yield cohort, _LEFT[movement.flow], "", units
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


_Figure = tuple[Cohort | None, str, str, Decimal]  # its column, currency ("" for units), number


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
