"""Exposure: how much of what is served, of its cost and of the margin hangs on a provider.

               cost  share  revenue  margin  share    + 10 %  + 50 %  + 100 %
    llama     20.00  0.200    60.00   40.00  0.714     38.00   30.00    20.00
    openai    80.00  0.800    96.00   16.00  0.286      8.00  -24.00   -64.00

What a provider costs is the first bill as it was booked, with variance and lapsed credits, which
are of no meter; revenue is that of use and overage. The last figures are the margin if it asks so
much more. Units of all uses count, also of those that nobody served. A quote is what another would
have asked for the same on the days on which it was in force. Which prepaid credits can't be used
before they end is a forecast, at the pace of the last months (`credits_at_pace.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy import ZERO, Earning, minor_unit
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.credits_at_pace import CreditsHeld
from beancount_compute.reports.facts import SUMMED
from beancount_compute.reports.figures import (
    Figure,
    How,
    Layout,
    NotSummed,
    Report,
    Request,
    Single,
)
from beancount_compute.reports.fold import fold, grouped
from beancount_compute.reports.metered_uses import RoundedTotals, at_price
from beancount_compute.reports.remaining import NO_END
from beancount_compute.reports.served_facts import BillShare, ServedUnits
from beancount_compute.reports.tables import CURRENCY, NOT_NAMED, UNIT, Column, Measure, Row

_PROVIDER, _METER = Column("provider", "provider"), Column("meter", "meter")
_UNITS, _COST, _REVENUE, _MARGIN = "units", "cost", "revenue", "margin"
_IN_ALL = "_of_all"  # what all rows of a unit or currency have together
_ASKED = (10, 50, 100)  # percent more


def _more(percent: int) -> str:
    return f"{percent}_percent"


def _share(key: str, *of: str) -> Figure:
    return Figure(
        f"share_of_{key}",
        f"share of\n{key}",
        Measure.RATE,
        of or (key,),
        How.QUOTIENT,
        (f"{key}{_IN_ALL}",),
        adds_up=False,
    )


_OF_MARGIN = (_REVENUE, f"-{_COST}")
_SERVED = (Figure(_UNITS, _UNITS, Measure.UNITS), _share(_UNITS))
_EARNED = (
    Figure(_COST, _COST, Measure.MONEY),
    _share(_COST),
    Figure(_REVENUE, _REVENUE, Measure.MONEY),
    Figure(_MARGIN, _MARGIN, Measure.MONEY, _OF_MARGIN),
    _share(_MARGIN, *_OF_MARGIN),
    *[
        Figure(
            f"margin_at_{_more(percent)}",
            f"margin at\n+{percent} %",
            Measure.MONEY,
            (*_OF_MARGIN, f"-{_more(percent)}"),
        )
        for percent in _ASKED
    ],
)
_QUOTED = (
    Figure(_COST, _COST, Measure.MONEY, how=How.KNOWN),
    Figure("quoted", "quoted", Measure.MONEY, how=How.KNOWN),
    Figure("difference", "difference", Measure.MONEY, ("quoted", f"-{_COST}")),
)
_PACE = (
    Figure("drawn", "drawn", Measure.UNITS),
    Figure("days", "days", Measure.DAYS),
    Figure("a_day", "a day", Measure.UNITS, ("drawn",), How.QUOTIENT, ("days",)),
)
_UNUSED = (
    Figure("held", "held", Measure.UNITS),
    Figure("unused", "unused\nwhen it ends", Measure.UNITS),
    Figure("lost", "lost", Measure.MONEY),
)


class _AtQuote(NamedTuple):
    """Part of a use, and what another would have asked for it."""

    provider: str
    meter: str
    since: date  # the line of the meter
    quoted_by: str
    price: Decimal  # of the meter's `per`
    currency: str
    quantity: Decimal
    units: Decimal  # where the use says no quantity
    at: int


_QUOTE = ("provider", "meter", "since", "quoted_by", "price", "currency")


def _layouts(books: Books, selection: Selection) -> list[Layout]:
    at = f" at {day}" if (day := selection.end or books.last_day) else ""
    by_meter = (_PROVIDER, _METER)
    lot = (
        _PROVIDER,
        UNIT,
        Column("ends", "ends", Measure.DATE),
        Column("vintage", "lot of", Measure.DATE),
        Column("unit_cost", "unit cost"),
        CURRENCY,
    )
    days = (Column("from", "from", Measure.DATE), Column("to", "to", Measure.DATE))
    return [
        Layout("units-by-provider", "Units served, by provider", (_PROVIDER, UNIT), _SERVED),
        Layout("units-by-meter", "Units served, by meter", (*by_meter, UNIT), _SERVED),
        Layout(
            "money-by-provider",
            "First bill and margin, by provider",
            (_PROVIDER, CURRENCY),
            _EARNED,
        ),
        Layout("money-by-meter", "First bill and margin, by meter", (*by_meter, CURRENCY), _EARNED),
        Layout(
            "quotes",
            "The same uses at the quotes of others",
            (*by_meter, Column("quoted_by", "quoted by"), CURRENCY),
            _QUOTED,
            adds_up=False,
        ),
        Layout(
            "pace",
            "Pace at which prepaid credits are drawn",
            (_PROVIDER, UNIT, *days),
            _PACE,
            keeps_zeros=True,
            adds_up=False,
        ),
        Layout(
            "unused", f"Prepaid credits{at}, and what is left of them at this pace", lot, _UNUSED
        ),
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Single]:
    if not books.terms.known_providers:
        return
    if request.wants("units-by-provider", "units-by-meter"):
        yield from _with_all(_served(books, selection, request))
    if request.wants("money-by-provider", "money-by-meter"):
        yield from _with_all(_earned(books, selection, request))
    if request.wants("quotes"):
        yield from _quoted(books, selection, request)
    if request.wants("pace", "unused"):
        if request.row is not None and request.wants("unused"):
            raise NotSummed("it is worked out from a pace, not summed from transactions")
        yield from _prepaid(books, selection)


def _with_all(found: Iterable[Single]) -> Iterator[Single]:
    """What is found; and in each row what all rows of its unit or currency have together."""
    rows: dict[tuple[str, Row], None] = {}
    sums: defaultdict[tuple[str, object, str], Decimal] = defaultdict(Decimal)
    for each in found:
        table, row, column, number, _ = each
        rows[table, row] = None
        sums[table, row[-1], column] += number
        yield each
    for (table, row), unit in [(key, key[1][-1]) for key in rows]:
        margin = sums[table, unit, _REVENUE] - sums[table, unit, _COST]
        for key in (_UNITS, _COST):
            yield table, row, f"{key}{_IN_ALL}", sums[table, unit, key], SUMMED
        yield table, row, f"{_MARGIN}{_IN_ALL}", margin, SUMMED


def _both(
    tables: str, provider: str, meter: str, unit: str, column: str, number: Decimal, at: int
) -> Iterator[Single]:
    """What is added to a provider and to its meter."""
    provider, meter = provider or NOT_NAMED, meter or NOT_NAMED
    yield f"{tables}-by-provider", (provider, unit), column, number, at
    yield f"{tables}-by-meter", (provider, meter, unit), column, number, at


def _is_selected(selection: Selection, each: ServedUnits | BillShare) -> bool:
    return (
        selection.covers(each.date)
        and selection.subscriber in ("", each.subscriber)
        and selection.plan in ("", each.origin)
    )


def _served(books: Books, selection: Selection, request: Request) -> Iterator[Single]:
    served = [each for each in books.serving.served if _is_selected(selection, each)]
    for each in request.fold(served, ("provider", "meter", "commodity"), ("units",)):
        of = each.provider, each.meter, each.commodity
        yield from _both("units", *of, _UNITS, each.units, each.at)


def _earned(books: Books, selection: Selection, request: Request) -> Iterator[Single]:
    shares = [each for each in books.bill_shares.first if _is_selected(selection, each)]
    for each in request.fold(shares, ("provider", "meter", "currency"), ("amount",)):
        of = each.provider, each.meter, each.currency
        yield from _both("money", *of, _COST, each.amount, each.at)
        for percent in _ASKED:
            more = each.amount * percent / 100
            yield from _both("money", *of, _more(percent), more, each.at)
    for income, meter, provider, _ in selection.incomes_by_meter(books):
        if income.earning in (Earning.COMPUTE, Earning.OVERAGE):
            of = provider, meter, income.currency
            yield from _both("money", *of, _REVENUE, income.amount, income.at)


def _quoted(books: Books, selection: Selection, request: Request) -> Iterator[Single]:
    compared: defaultdict[int, list[str]] = defaultdict(list)  # by place among what was served
    found = list(_at_quotes(books, selection, compared))
    totals = RoundedTotals()
    parts: Sequence[_AtQuote] = found
    if not request.each:
        parts = fold(found, _QUOTE, ("quantity", "units"))
    for each in parts:
        meter = books.terms.meters[each.meter].on(each.since)
        assert meter is not None
        row = each.provider, each.meter, each.quoted_by, each.currency
        exact = at_price(each.quantity, each.units, meter, each.price)
        yield "quotes", row, "quoted", totals.add(row, exact, minor_unit(each.currency)), each.at
    for share in books.bill_shares.first:
        if share.use in compared and _is_selected(selection, share):
            for quoted_by in compared[share.use]:
                row = share.provider, share.meter, quoted_by, share.currency
                yield "quotes", row, _COST, share.amount, share.at


def _at_quotes(
    books: Books, selection: Selection, compared: defaultdict[int, list[str]]
) -> Iterator[_AtQuote]:
    """What was served while somebody quoted a price for its meter."""
    terms = books.terms
    quotes = grouped(terms.quotes.items(), lambda each: each[0][0])
    for place, served in enumerate(books.serving.served):
        of_meter = quotes.get(served.meter)
        if not (of_meter and served.provider and _is_selected(selection, served)):
            continue
        line = terms.meters[served.meter].on(served.used_on)
        assert line is not None  # for it names the provider
        units = ZERO if served.quantity else served.units
        for (_, quoted_by), timeline in of_meter:
            quote = timeline.on(served.used_on)
            if quote is not None:
                compared[place].append(quoted_by)
                of = served.provider, served.meter, line.since, quoted_by, *quote.cost
                yield _AtQuote(*of, served.quantity, units, served.at)


def _prepaid(books: Books, selection: Selection) -> Iterator[Single]:
    held = CreditsHeld(books, selection.day_of(books))
    paces = list(held.paces(selection.start))
    for pace in paces:
        row: Row = (pace.provider, pace.commodity, str(pace.first), str(pace.last))
        yield "pace", row, "days", Decimal(pace.days), SUMMED
        for at, number in pace.draws:
            yield "pace", row, "drawn", number, at
    for lot, units, unused in held.unused(paces):
        ends = str(lot.end) if lot.end else NO_END
        row = (lot.holder, lot.commodity, ends, str(lot.date), lot.cost, lot.currency)
        yield "unused", row, "held", units, SUMMED
        yield "unused", row, "unused", unused, SUMMED
        yield "unused", row, "lost", unused * lot.cost, SUMMED


EXPOSURE = Report("exposure", "Exposure to providers", _layouts, _contributions, of_sums=True)
