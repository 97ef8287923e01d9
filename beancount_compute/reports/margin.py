"""Margin: what was earned with what was served, less what that cost.

    month           units    use  overage  first bill  margin   rate  second bill  after both
    2026-05            80  96.00     0.00       80.00   16.00  16.7%         0.00       16.00
    2026-06            50  60.00     0.00       20.00   40.00  66.7%       100.00      -60.00

The margin is revenue of use and overage less the first bill: against breakage, fees and partner
income no bill stands. What is nobody's has lines of its own: a stated cost without a use, what
rounding leaves, capacity that stood idle, variances of bills, credits that lapsed. So each column
adds up to its accounts. How the bills are shared out, `sharing_bills.py` says.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy import Earning
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.figures import (
    Adding,
    Contribution,
    Figure,
    How,
    Layout,
    Report,
    Request,
)
from beancount_compute.reports.served_facts import (
    BillShare,
    IdleUnits,
    IncomeOfMeter,
    ServedUnits,
    ShareOf,
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

METER, PROVIDER = Column("meter", "meter"), Column("provider", "provider")
LINE = Column("line", "line")  # what isn't of a use: see `ShareOf`
_BY = {
    "month": MONTH,
    "plan": PLAN,
    "subscriber": SUBSCRIBER,
    "meter": METER,
    "provider": PROVIDER,
    "vintage": Column("vintage", "vintage", Measure.DATE),
}
_EARNED = {
    Earning.COMPUTE: "use",
    Earning.OVERAGE: "overage",
    Earning.BREAKAGE: "breakage",
    Earning.FEES: "fees",
    Earning.PARTNER_INCOME: "partner_income",
    Earning.ACCESS: "access",
    Earning.REFUNDS: "refunds",
    Earning.DISPUTES: "disputes",
}
_SELDOM = (Earning.ACCESS, Earning.REFUNDS, Earning.DISPUTES)
BY_USE = ("use", "overage")  # what the first bill stands against
_USE, _new = ShareOf.USE, tuple.__new__
_MARGIN = (*BY_USE, "-first")
_UNITS = (
    Figure("units", "units", Measure.UNITS),
    Figure("beyond", "of these\noverage", Measure.UNITS),
    Figure("idle", "idle", Measure.UNITS),
)
_MONEY = (
    Figure("use", "use", Measure.MONEY),
    Figure("overage", "overage", Measure.MONEY),
    Figure("first", "first\nbill", Measure.MONEY),
    Figure("margin", "margin", Measure.MONEY, _MARGIN),
    Figure("margin_rate", "rate", Measure.RATE, _MARGIN, How.QUOTIENT, BY_USE),
    Figure("second", "second\nbill", Measure.MONEY),
    Figure("after_both", "after\nboth", Measure.MONEY, (*_MARGIN, "-second")),
    Figure("breakage", "breakage", Measure.MONEY),
    Figure("fees", "fees", Measure.MONEY),
    Figure("partner_income", "partner\nincome", Measure.MONEY),
)


class MarginPart(NamedTuple):
    """Units or money that a use, an income or a bill adds, and to what of it."""

    date: datetime.date
    month: str
    line: ShareOf
    plan: str
    subscriber: str
    meter: str
    provider: str
    vintage: str
    what: str  # the column
    commodity: str
    currency: str  # "" of units
    number: Decimal
    at: int


def _layouts(books: Books, _: object) -> list[Layout]:
    shown = [_EARNED[each] for each in books.earnings if each in _SELDOM]
    seldom = [Figure(name, name, Measure.MONEY) for name in shown]
    return [
        Layout(f"{table}-by-{by}", f"{title}, by {by}", (label, LINE, unit), figures)
        for by, label in _BY.items()
        for table, title, unit, figures in (
            ("units", "Units served", UNIT, _UNITS),
            ("money", "Margin", CURRENCY, (*_MONEY, *seldom)),
        )
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    units = [name for name in _BY if request.wants(f"units-by-{name}")]
    if units:
        yield from _added(units, list(parts_in_units(books, selection)), request, "commodity")
    money = [name for name in _BY if request.wants(f"money-by-{name}")]
    if money:
        yield from _added(money, list(parts_in_money(books, selection)), request, "currency")


def _added(
    names: Iterable[str], parts: Sequence[MarginPart], request: Request, unit: str
) -> Iterator[Contribution]:
    table = "money" if unit == "currency" else "units"
    few = request.fold(parts, (*_BY, "line", unit, "what"), ("number",))
    for name in names:
        known = [_where_known(each, name) for each in few]
        found = request.fold(known, (name, "line", unit, "what"), ("number",))
        yield Adding(f"{table}-by-{name}", found, (name, "line", unit), "what", "number")


def _where_known(part: MarginPart, name: str) -> MarginPart:
    """What rounding leaves of a cost is of its month, provider and meter all the same."""
    if part.line is ShareOf.ROUNDING and getattr(part, name):
        return part._replace(line=ShareOf.USE)
    return part


def parts_in_units(books: Books, selection: Selection) -> Iterator[MarginPart]:
    """What was served, what of it lay beyond the holdings, and what could have been served."""
    for units in books.serving.served:
        if not of_selection(units, selection):
            continue
        part = _of_units(units)
        yield part
        if units.lot is None:
            yield part._replace(what="beyond")
    if not (selection.subscriber or selection.plan):
        for idle in books.bill_shares.idle:
            if selection.covers(idle.date):
                yield _of_idle(idle)


def _of_units(units: ServedUnits) -> MarginPart:
    # fmt: off
    return _new(MarginPart, (
        units.date, units.month, _USE, units.origin, units.subscriber, units.meter,
        units.provider, units.vintage, "units", units.commodity, "", units.units, units.at,
    ))
    # fmt: on


def _of_idle(idle: IdleUnits) -> MarginPart:
    # fmt: off
    return MarginPart(
        idle.date, idle.month, ShareOf.IDLE, "", "", "", idle.provider, "", "idle",
        idle.commodity, "", idle.units, idle.at,
    )
    # fmt: on


def parts_in_money(books: Books, selection: Selection) -> Iterator[MarginPart]:
    """What was earned, by the meter of its use where there is one, and both bills."""
    for income in selection.incomes_by_meter(books):
        yield _of_income(income)
    shares = books.bill_shares
    for what, found in (("first", shares.first), ("second", shares.second)):
        for share in found:
            if of_selection(share, selection):
                yield _of_share(share, what)


def _of_income(found: IncomeOfMeter) -> MarginPart:
    income, meter, provider, commodity = found
    vintage = income.lot.month if income.lot else ""
    # fmt: off
    return _new(MarginPart, (
        income.date, income.month, _USE, income.origin, income.subscriber, meter, provider,
        vintage, _EARNED[income.earning], commodity, income.currency, income.amount, income.at,
    ))
    # fmt: on


def _of_share(share: BillShare, what: str) -> MarginPart:
    # fmt: off
    return _new(MarginPart, (
        share.date, share.month, share.line, share.origin, share.subscriber, share.meter,
        share.provider, share.vintage, what, share.commodity, share.currency, share.amount,
        share.at,
    ))
    # fmt: on


def of_selection(part: ServedUnits | BillShare, selection: Selection) -> bool:
    """Whether it is of the days, subscriber and plan; what is nobody's is of none."""
    return (
        selection.covers(part.date)
        and selection.subscriber in ("", part.subscriber)
        and selection.plan in ("", part.origin)
    )


MARGIN = Report(
    "margin", "Margin: what was earned, and both bills", _layouts, _contributions, of_sums=True
)
