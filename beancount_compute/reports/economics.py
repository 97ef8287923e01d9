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
- `break-even`: the fee rate at which `gain if held lapses` is zero: all that it takes off, before
  fees, / gross. That is the cost of use, displaced sales, what partners got for units spent, what
  was refunded, and the carrying amount of what was removed by hand.

The fees of all trades are more: those of units that are in no cohort (opening tokens, whose period
ended before the books, top-ups, grants) stand beside those of the cohorts in the table `fees`.

What a use cost is what is booked of it, where a provider serves its meter (`sharing_bills.py`):
`cost_booked` says how much of the sum that is. Of any other use it is the `unit-cost` in force on
its day, which is never booked. What comes in other currencies than the lots' (fees, cost of use,
overage) stands on lines of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial

from beancount_compute.economy import UNIT_COST, ZERO, Flow, Month, Terms
from beancount_compute.reports.books import Books, Selection, until
from beancount_compute.reports.cohort_figures import LEAVING, Happened, has_bills, what_became
from beancount_compute.reports.facts import SUMMED, Trade
from beancount_compute.reports.figures import (
    Adding,
    Contribution,
    Figure,
    How,
    Layout,
    Report,
    Request,
)
from beancount_compute.reports.tables import (
    CURRENCY,
    MONTH,
    PLAN,
    SUBSCRIBER,
    UNIT,
    Column,
    Measure,
)


def _less(*columns: str) -> tuple[str, ...]:
    return tuple([each[1:] if each.startswith("-") else f"-{each}" for each in columns])


# What happened (`cohort_figures.Happened`) adds to and takes from the columns.
_LEFT = tuple("removed" if flow is Flow.REMOVED else flow.key for flow in LEAVING)
_GIVEN_UP = tuple(key for key in _LEFT if key not in ("used", "expired"))
UNUSED = ("minted", "ended")
_HELD = ("minted", *_less(*_LEFT, "gone"))
_EXPIRED = ("expired", "ended")
_COST = ("cost", "cost_booked")
_USE, _OUTLAY = ("used", "rest_of_refund"), (*_COST, "displaced")
_MARKET = (*_USE, *_EXPIRED, "partner_income", "fees", *_less(*_OUTLAY))
# What ended at once is earned either way; what is used or lapses, now or later, as well.
_GAIN = (*_USE, "expired", "partner_income", "fees", *_less(*_OUTLAY, "minted"))
# What lapsing would not have cost; units spent and refunded earn a part of what they carried.
_FORGONE = (*_OUTLAY, *_GIVEN_UP, "gone", *_less("rest_of_refund", "partner_income"))
_GAIN_IF_HELD_LAPSES = Figure(
    "gain_if_held_lapses", "gain if\nheld lapses", Measure.MONEY, ("fees", *_less(*_FORGONE))
)
GAIN_IF_HELD_LAPSES = _GAIN_IF_HELD_LAPSES.signs  # of what happened
_QUOTIENT = How.QUOTIENT
_UNITS = (
    Figure("unused", "unused", Measure.UNITS, UNUSED),
    Figure("sold", "found\na buyer", Measure.UNITS),
    Figure("share_sold", "share", Measure.RATE, ("sold",), _QUOTIENT, UNUSED),
    *[
        Figure(
            key,
            key.replace("removed", "removed\nby hand"),
            Measure.UNITS,
            _EXPIRED if key == "expired" else (),
        )
        for key in _LEFT
    ],
    Figure("held", "still\nheld", Measure.UNITS, _HELD),
)
_MONEY = (
    Figure("lapsed", "lapsed", Measure.MONEY, UNUSED),
    Figure("use", "use", Measure.MONEY, _USE),
    Figure("expiry", "expiry", Measure.MONEY, _EXPIRED),
    Figure("partner_income", "partner\nincome", Measure.MONEY),
    Figure("fees", "fees", Measure.MONEY),
    Figure("cost_of_use", "cost\nof use", Measure.MONEY, _less(*_COST)),
    Figure("cost_booked", "of that\nbooked", Measure.MONEY, _less("cost_booked")),
    Figure("displaced", "displaced\nsales", Measure.MONEY, _less("displaced")),
    Figure("market", "market", Measure.MONEY, _MARKET),
    Figure("gain", "gain", Measure.MONEY, _GAIN),
    Figure("held_amount", "still\nheld", Measure.MONEY, _HELD),
    _GAIN_IF_HELD_LAPSES,
    Figure("gross", "gross", Measure.MONEY),
    Figure("break_even", "break-even\nfee rate", Measure.RATE, _FORGONE, _QUOTIENT, ("gross",)),
    Figure("fee_rate", "fee rate", Measure.RATE, ("fees",), _QUOTIENT, ("gross",)),
)
_BY = {
    "month": (MONTH,),
    "plan": (PLAN,),
    "subscriber": (SUBSCRIBER,),
    "all": (MONTH, PLAN, SUBSCRIBER),
}
_IN_COHORTS = "the cohorts above"
_IN_OTHERS = "other cohorts (not selected)"
_IN_NO_COHORT = "no cohort (opening tokens, top-ups, grants)"
_SUMS = ("units", "amount")
COST_OF_USE = ("cost of use", "as booked, where a provider serves the meter; else the unit cost")


def economics(displaced: Decimal = ZERO) -> Report:
    """The report; `displaced` is the share of units bought that would have been overage, 0 to 1."""
    yields = partial(_contributions, displaced)
    return Report("economics", "Breakage or market", _layouts, yields)


def _layouts(books: Books, selection: Selection) -> list[Layout]:
    hidden = {flow.key for flow in books.hidden_flows}
    of_units = tuple([each for each in _UNITS if each.key not in hidden])
    layouts = [
        Layout(
            f"{what}-by-{name}",
            f"{title}, by {'month, plan and subscriber' if name == 'all' else name}",
            (*labels, unit),
            figures,
            adds_up=name != "month",  # which has its total among its rows
        )
        for name, labels in _BY.items()
        for what, title, unit, figures in (
            ("units", "Units that left their period unused", UNIT, of_units),
            ("money", "Breakage or market", CURRENCY, _MONEY),
        )
    ]
    fees = Layout(
        "fees",
        "Fees of all trades" + (f" to {selection.end}" if selection.end else ""),
        (Column("of", "of units"), CURRENCY),
        (Figure("amount", "fees", Measure.MONEY),),
    )
    labels = (Column("assumption", "assumption"), Column("value", "value"))
    return [*layouts, fees, Layout("assumptions", "Assumptions", labels, (), keeps_zeros=True)]


def _contributions(
    displaced: Decimal, books: Books, selection: Selection, request: Request
) -> Iterator[Contribution]:
    for assumption in _assumptions(displaced, books.terms, selection.end):
        yield "assumptions", assumption, "", ZERO, SUMMED
    if request.tables == {"assumptions"}:
        return
    end = selection.end
    happened = what_became(books, until(books.movements, end), displaced, end)
    of_selection = selected(happened, selection)
    yield from cells_of(of_selection, request)
    if request.wants("fees"):
        yield from _fees(until(books.trades, selection.end), happened, of_selection)


def _fees(
    trades: Iterable[Trade], happened: Iterable[Happened], of_selection: Sequence[Happened]
) -> Iterator[Contribution]:
    """The fees of all trades, by whether their units are in a cohort."""
    for trade in trades:
        fees = trade.seller_fee + trade.buyer_fee
        yield "fees", (_IN_NO_COHORT, trade.currency), "amount", fees, trade.at
    for sign, row, among in (
        (-1, _IN_NO_COHORT, happened),
        (1, _IN_OTHERS, happened),
        (-1, _IN_OTHERS, of_selection),
        (1, _IN_COHORTS, of_selection),
    ):
        for each in among:
            if each.what == "fees":
                yield "fees", (row, each.currency), "amount", sign * each.amount, each.at


def selected(happened: Sequence[Happened], selection: Selection) -> Sequence[Happened]:
    """What happened to the cohorts that are selected: those of months from the first day's on."""
    if not (selection.start or selection.subscriber or selection.plan):
        return happened
    first = Month.of(selection.start).name if selection.start else ""
    return [
        each
        for each in happened
        if each.month >= first
        and selection.subscriber in ("", each.subscriber)
        and selection.plan in ("", each.plan)
    ]


def cells_of(happened: Sequence[Happened], request: Request) -> Iterator[Contribution]:
    """What that adds to the tables that are asked for."""
    yield from _adding("all", happened, request, "month", "plan", "subscriber")
    keys = ("commodity", "currency", "what")
    if request.wants("units-by-subscriber", "money-by-subscriber"):
        of_subscriber = request.fold(happened, ("subscriber", *keys), _SUMS)
        yield from _adding("subscriber", of_subscriber, request, "subscriber")
    few = request.fold(happened, ("month", "plan", *keys), _SUMS)
    total = [each._replace(month="total") for each in few]
    yield from _adding("plan", few, request, "plan")
    yield from _adding("month", [*total, *few], request, "month")


def _adding(
    by: str, happened: Sequence[Happened], request: Request, *labels: str
) -> Iterator[Contribution]:
    units = [each for each in happened if each.units or request.each]
    money = [each for each in happened if each.amount or request.each]
    yield Adding(f"units-by-{by}", units, (*labels, "commodity"), "what", "units")
    yield Adding(f"money-by-{by}", money, (*labels, "currency"), "what", "amount")


def _assumptions(displaced: Decimal, terms: Terms, end: date | None) -> Iterator[tuple[str, str]]:
    """What the figures rest on besides the books, up to the last day of a selection."""
    share = f"{displaced:f} of the units bought would have been overage"
    yield "displaced sales", share if displaced else "none (see --displaced)"
    if has_bills(terms):
        yield COST_OF_USE
    dated = terms.timeline(UNIT_COST).items()
    costs = [(day, cost) for day, cost in dated if end is None or day <= end]
    if not costs:
        yield "unit cost", "none is given (compute-option unit-cost): counted as 0"
    for day, cost in costs:
        yield f"unit cost from {day}", f"{cost.number:f} {cost.currency} a unit used"
