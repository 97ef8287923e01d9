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

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from operator import itemgetter

from beancount_compute.economy.options import UNIT_COST
from beancount_compute.economy.rounding import ZERO
from beancount_compute.economy.terms import Terms
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.cohort_figures import LEFT, MONEY, UNITS, Sum, Sums
from beancount_compute.reports.facts import SUMMED
from beancount_compute.reports.figures import (
    Added,
    Contribution,
    Figure,
    How,
    Layout,
    Report,
    Request,
)
from beancount_compute.reports.sheets import Sheet
from beancount_compute.reports.tables import Column, Measure, Row
from beancount_compute.reports.unused import Cohort

_UNITS = (
    Figure("unused", "unused", Measure.UNITS),
    Figure("sold", "found\na buyer", Measure.UNITS),
    Figure("share_sold", "share", Measure.RATE, ("sold", "unused"), How.QUOTIENT),
    *[
        Figure(key, key.replace("removed", "removed\nby hand"), Measure.UNITS)
        for key in LEFT.values()
    ],
    Figure("held", "still\nheld", Measure.UNITS),
)
_MARKET = ("use", "expiry", "partner_income", "fees", "cost_of_use", "displaced")
_MONEY = (
    Figure("lapsed", "lapsed", Measure.MONEY),
    Figure("use", "use", Measure.MONEY),
    Figure("expiry", "expiry", Measure.MONEY),
    Figure("partner_income", "partner\nincome", Measure.MONEY),
    Figure("fees", "fees", Measure.MONEY),
    Figure("cost_of_use", "cost\nof use", Measure.MONEY),
    Figure("displaced", "displaced\nsales", Measure.MONEY),
    Figure("market", "market", Measure.MONEY, _MARKET),
    Figure("gain", "gain", Measure.MONEY, (*_MARKET, "not_lapsed")),
    Figure("held_amount", "still\nheld", Measure.MONEY),
    Figure(
        "gain_if_held_lapses",
        "gain if\nheld lapses",
        Measure.MONEY,
        (*_MARKET, "not_lapsed", "held_amount"),
    ),
    Figure("gross", "gross", Measure.MONEY),
    Figure("break_even", "break-even\nfee rate", Measure.RATE, ("outlay", "gross"), How.QUOTIENT),
    Figure("fee_rate", "fee rate", Measure.RATE, ("fees", "gross"), How.QUOTIENT),
)
_MONTH, _PLAN = Column("month", "month", Measure.DATE), Column("plan", "plan")
_SUBSCRIBER = Column("subscriber", "subscriber")
_BY = {
    "month": (_MONTH,),
    "plan": (_PLAN,),
    "subscriber": (_SUBSCRIBER,),
    "all": (_MONTH, _PLAN, _SUBSCRIBER),
}
_COMMODITY, _CURRENCY = Column("commodity", "unit"), Column("currency", "currency")


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
    for assumption in _assumptions(displaced, books.terms, selection.end):
        yield "assumptions", assumption, "", ZERO, SUMMED
    yield from rows_of(found, request)


def rows_of(found: Iterable[tuple[Sum, Decimal, int]], request: Request) -> Iterator[Contribution]:
    """What figures of cohorts add to the tables that are asked for."""
    for (cohort, column, currency), number, at in found:
        for name, row in _rows(cohort, currency):
            if name in request.tables:
                yield name, row, column, number, at


def _added(displaced: Decimal, books: Books, selection: Selection, request: Request) -> Added:
    """All figures added up."""
    units, money = Sums(displaced, books).added_up(selection)
    assumptions = list(_assumptions(displaced, books.terms, selection.end))
    return {
        **dict(_sheets("units", units, request)),
        **dict(_sheets("money", money, request)),
        "assumptions": Sheet(assumptions, {}),
    }


def _sheets(what: str, happened: Sheet, request: Request) -> Iterator[tuple[str, Sheet]]:
    """What happened, by the labels of each table that is asked for, in its columns.

    Subscribers are many: the tables without them are added up from the same sums, which are few.
    """
    of_all = happened.added_up(itemgetter(0, 1, 3))  # month, plan and unit
    by_month = of_all.added_up(itemgetter(0, 2))
    sheets: dict[str, Callable[[], Sheet]] = {
        "month": lambda: by_month.added_up(_total).and_rows_of(by_month),
        "plan": lambda: of_all.added_up(itemgetter(1, 2)),
        "subscriber": lambda: happened.added_up(itemgetter(2, 3)),
        "all": lambda: happened,
    }
    columns = UNITS if what == "units" else MONEY
    for name, sheet in sheets.items():
        if request.wants(f"{what}-by-{name}"):
            yield f"{what}-by-{name}", sheet().in_columns(columns)


def _total(labels: Row) -> Row:
    _, unit = labels
    return ("total", unit)


def _rows(cohort: Cohort, currency: str) -> Iterator[tuple[str, Row]]:
    """The tables, and their rows, that figures of a cohort add to."""
    what, unit = ("money", currency) if currency else ("units", cohort.commodity)
    month, plan, subscriber, _ = cohort
    yield f"{what}-by-month", ("total", unit)
    yield f"{what}-by-month", (month, unit)
    yield f"{what}-by-plan", (plan, unit)
    yield f"{what}-by-subscriber", (subscriber, unit)
    yield f"{what}-by-all", (month, plan, subscriber, unit)


def _assumptions(displaced: Decimal, terms: Terms, end: date | None) -> Iterator[tuple[str, str]]:
    """What the figures rest on besides the books, up to the last day of a selection."""
    share = f"{displaced:f} of the units bought would have been overage"
    yield "displaced sales", share if displaced else "none (see --displaced)"
    dated = terms.timeline(UNIT_COST).items()
    costs = [(day, cost) for day, cost in dated if end is None or day <= end]
    if not costs:
        yield "unit cost", "none is given (compute-option unit-cost): counted as 0"
    for day, cost in costs:
        yield f"unit cost from {day}", f"{cost.number:f} {cost.currency} a unit used"
