"""The statement of one subscriber over months in bulk: what each moved, and what is held after it.

    line  month    flow             pocket       lot                 units  units held
       1  2026-05  brought forward                                               1000
       2  2026-05  used             allocations  pro of 2026-05-01    -620        380
       3  2026-06  minted           allocations  pro of 2026-05-01    -380          0
       4  2026-06  minted           tokens       pro of 2026-05-01     380        380

What one kind did to one lot in a month is one line: no single transaction is in such books. What
was charged and what was earned follow by month, then what came and went, and what is held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from itertools import count, groupby

from beancount_compute.bulk.looking_up.lookup import MonthFiles
from beancount_compute.bulk.looking_up.months_of_one import (
    ChargedThere,
    LotThere,
    MonthsOfOne,
    months_of_one,
)
from beancount_compute.close.standing import Status
from beancount_compute.economy import EARNINGS, WIDE, ZERO, Earning, Flow, Pocket, Role, printable
from beancount_compute.reports import (
    CURRENCY,
    MONTH,
    PLAN,
    UNIT,
    Column,
    Measure,
    Selection,
    Table,
    tabulate,
)
from beancount_compute.reports.bills_and_payments import FORWARD
from beancount_compute.reports.books import SELDOM
from beancount_compute.reports.facts import SUMMED
from beancount_compute.reports.figures import Figure, Layout, Single
from beancount_compute.reports.held_lots import LOT_FIGURES, LOT_LABELS
from beancount_compute.reports.remaining import NO_END
from beancount_compute.reports.revenue import revenue_figures
from beancount_compute.reports.statement import LINE_FIGURES, balance_figures

_LINE, _POCKET = Column("line", "line"), Column("pocket", "pocket", aside=2)
_LINE_LABELS = (
    _LINE,
    MONTH,
    Column("flow", "flow"),
    _POCKET,
    Column("lot", "lot", aside=3),
    UNIT,
    CURRENCY,
)
_BILL_LABELS = (_LINE, MONTH, Column("entry", "entry"), PLAN, CURRENCY)
_CHARGED, _CREDITED, _UNBILLED = "charged", "credited", "unbilled"
_BALANCES = {_CHARGED: "charged", _UNBILLED: "not invoiced", _CREDITED: "credited"}
_BILL_FIGURES = (
    Figure("amount", "amount", Measure.MONEY),
    Figure(_CHARGED, "charged\nso far", Measure.MONEY),
    Figure(_UNBILLED, "not\ninvoiced", Measure.MONEY),
    Figure(_CREDITED, "credited\nso far", Measure.MONEY),
)
_RUNNING_LABELS = (
    PLAN,
    Column("status", "status"),
    Column("start", "since", Measure.DATE),
    Column("period_end", "period ends", Measure.DATE),
)


def statement_of_months(
    all_months: Sequence[MonthFiles], name: str, selection: Selection
) -> list[Table]:
    """The tables of one subscriber's statement, for the months that have a day of the selection."""
    start, end, plan = selection.start, selection.end, selection.plan
    before = [each for each in all_months if start is not None and each.month.last < start]
    months = [each for each in all_months[len(before) :] if end is None or each.month.first <= end]
    if not months:
        return []
    found = months_of_one(before, months, name, plan)
    first, last = months[0].month.name, months[-1]
    with localcontext(WIDE):
        contributions = [
            *_lines(found, first),
            *_bills(found, first),
            *_balances(found),
            *_income(found),
            *_lots(found),
        ]
        earned = {EARNINGS[each.role] for each in found.earned}
        roles = {each.role for each in (*found.charged_before, *found.charged)}
        tables = tabulate(_layouts(printable(name), plan, earned, roles), contributions)
    rows = [
        (
            row["plan"],
            _status(row["ended"], row["period_end"] > last.month.last),
            str(row["start"]),
            str(row["period_end"]),
        )
        for row in found.subscriptions
    ]
    title = f"Subscriptions of {printable(name)} at the end"
    return [*tables, Table(title, _RUNNING_LABELS, sorted(rows), "subscriptions")]


def _layouts(
    name: str, plan: str, earned: Collection[Earning], roles: Collection[Role]
) -> list[Layout]:
    charged = f"Charged to {name} and credited, by month" + (", of all plans" if plan else "")
    units, money = balance_figures(Measure.UNITS), balance_figures(Measure.MONEY)
    by_month = f"Revenue from {name}, by month"
    kinds = [each for each in Earning if each not in SELDOM or each in earned]
    lots = (Column("pocket", "pocket"), *LOT_LABELS)
    what = (Column("what", "what"), CURRENCY)
    shown = [each for each in _BILL_FIGURES if each.key != _UNBILLED or Role.UNBILLED in roles]
    return [
        Layout("lines", f"Statement of {name}", _LINE_LABELS, LINE_FIGURES, True, adds_up=False),
        Layout("bills", charged, _BILL_LABELS, tuple(shown), True, adds_up=False),
        Layout("units", f"Units held by {name}", (UNIT,), units, adds_up=False),
        Layout("money", f"Money of {name}", what, money, adds_up=False),
        Layout("revenue", by_month, (MONTH, CURRENCY), revenue_figures(kinds)),
        Layout("lots", f"Lots held by {name} at the end", lots, LOT_FIGURES[:2]),
    ]


def _status(ended: bool, in_force: bool) -> Status:
    if in_force:
        return Status.CANCELLED if ended else Status.RUNNING
    return Status.ENDED


def _lines(found: MonthsOfOne, first: str) -> Iterator[Single]:
    """The lines, each with what is held after it of its unit, and carried in its currency."""
    forward: defaultdict[tuple[str, str], list[tuple[LotThere, Decimal]]] = defaultdict(list)
    for lot, units in found.opening.items():
        forward[lot.commodity, lot.currency].append((lot, units))
    lines = [((first, FORWARD, "", "", *pair), lots) for pair, lots in sorted(forward.items())]
    for month, flow, lot, units in found.moved:
        of = f"{lot.origin} of {lot.date}" if lot.origin else ""
        lines.append(
            ((month, flow.value, lot.pocket, of, lot.commodity, lot.currency), [(lot, units)])
        )
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for number, (labels, lots) in zip(count(1), lines):
        row, unit, currency = (number, *labels), labels[-2], labels[-1]
        for key, of, added in (
            ("units", unit, sum([units for _, units in lots], ZERO)),
            ("amount", currency, sum([units * lot.cost for lot, units in lots], ZERO)),
        ):
            held[f"{key} {of}"] += added
            yield "lines", row, key, added, SUMMED
            yield "lines", row, f"{key}_held", held[f"{key} {of}"], SUMMED


def _bills(found: MonthsOfOne, first: str) -> Iterator[Single]:
    """What was charged and credited, and what that comes to."""
    before = sorted(found.charged_before, key=lambda each: each.currency)
    lines = [
        ((first, FORWARD, "", money), list(of))
        for money, of in groupby(before, key=lambda each: each.currency)
    ]
    charged = sorted(found.charged, key=_billed)
    lines += [(labels, list(of)) for labels, of in groupby(charged, key=_billed)]
    balance: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for number, (labels, of) in zip(count(1), lines):
        row, currency = (number, *labels), labels[-1]
        yield "bills", row, "amount", sum([each.amount for each in of], ZERO), SUMMED
        for each in of:
            key, amount = _balance_of(each)
            balance[key, currency] += amount
        for name in _BALANCES:
            yield "bills", row, name, balance[name, currency], SUMMED


def _billed(charged: ChargedThere) -> tuple[str, str, str, str]:
    return charged.month, charged.entry, charged.plan, charged.currency


def _balance_of(charged: ChargedThere) -> tuple[str, Decimal]:
    """Which balance it changes, and by how much; payments are in neither."""
    if charged.role is Role.RECEIVABLE:
        return _CHARGED, charged.amount
    if charged.role is Role.UNBILLED:
        return _UNBILLED, charged.amount
    return _CREDITED, -charged.amount


def _balances(found: MonthsOfOne) -> Iterator[Single]:
    """What was there before, what came and went: of each line, and of each charge."""
    for lot, units in found.opening.items():
        yield from _of_lot(lot, units, "opening")
    for each in found.moved:
        if each.flow is not Flow.MINTED:  # that only changes the pocket
            yield from _of_lot(each.lot, each.units, "came" if each.units > 0 else "went")
    for before, charged in ((True, found.charged_before), (False, found.charged)):
        for bill in charged:
            key, amount = _balance_of(bill)
            row = (f"{_BALANCES[key]} ({bill.role})", bill.currency)
            part = "opening" if before else "came" if amount > 0 else "went"
            yield "money", row, part, amount, SUMMED


def _of_lot(lot: LotThere, units: Decimal, part: str) -> Iterator[Single]:
    if lot.pocket != Pocket.ACCESS:
        yield "units", (lot.commodity,), part, units, SUMMED
    if lot.currency:
        yield "money", ("carrying amount", lot.currency), part, units * lot.cost, SUMMED


def _income(found: MonthsOfOne) -> Iterator[Single]:
    for each in found.earned:
        row = (each.month, each.currency)
        yield "revenue", row, EARNINGS[each.role].value, each.amount, SUMMED


def _lots(found: MonthsOfOne) -> Iterable[Single]:
    for lot, units in found.closing.items():
        end = str(lot.end) if lot.end else NO_END
        row = (lot.pocket, end, lot.origin, str(lot.date), lot.cost, lot.currency, lot.commodity)
        yield "lots", row, "units", units, SUMMED
        yield "lots", row, "carrying_amount", units * lot.cost, SUMMED
