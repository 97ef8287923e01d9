"""Bills and payments of one subscriber: what was charged, credited and paid, and what is owed then.

    line  date        entry     with   units  price   fee   amount     owes  is owed
       1  2026-05-01  period            1000   0.20          200.00   200.00     0.00
       2  2026-05-20  overage                                 30.00   230.00     0.00
       3  2026-06-10  purchase  alice    500   0.25  2.50    127.50   357.50     0.00
       4  2026-06-14  refund             -10   0.20           -2.00   357.50     2.00
       5  2026-06-25  payment                               -300.00    57.50     2.00

An amount above zero is for the subscriber to pay; the fee is within it. What the subscriber owes
(receivable) and is owed (payable) are not netted; what is used and not invoiced yet (unbilled)
stands beside them. Payments are what people wrote on these accounts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import count
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.economy import TOP_UP, ZERO, Flow, Kind, Pocket, Role
from beancount_compute.ledger import component_of
from beancount_compute.reports.books import REVERSAL, Books, Selection, until
from beancount_compute.reports.facts import SUMMED, Owed, Trade
from beancount_compute.reports.figures import Contribution, Figure, How, Request
from beancount_compute.reports.tables import CURRENCY, DATE, Column, Measure, Row

FORWARD = "brought forward"
_OWES, _IS_OWED, _UNBILLED = "owes", "is_owed", "unbilled"  # receivable and payable
BALANCES = {_OWES: "owes", _UNBILLED: "not invoiced", _IS_OWED: "is owed"}
COUNTERPARTY = Column("counterparty", "with", aside=1)
BILL_LABELS = (
    Column("line", "line", aside=2),
    DATE,
    Column("event", "event", aside=5, whole=True),
    Column("entry", "entry"),
    COUNTERPARTY,
    Column("what", "what", aside=4),
    Column("account", "account", aside=3),
    CURRENCY,
)
_BILL_FIGURES = (
    Figure("units", "units", Measure.UNITS, how=How.KNOWN),
    Figure("price", "price", Measure.PRICE, ("worth",), How.QUOTIENT, ("units",)),
    Figure("fee", "fee", Measure.MONEY, how=How.KNOWN),
    Figure("amount", "amount", Measure.MONEY),
    *[Figure(key, title, Measure.MONEY) for key, title in BALANCES.items()],
)
_BILLED = (Flow.ALLOCATED, Flow.TOPPED_UP, Flow.TRADED_IN, Flow.TRADED_OUT, Flow.REFUNDED)


class _BillLine(NamedTuple):
    labels: Row
    owed: Sequence[Owed]  # one, or all that is brought forward


def owed_within(books: Books, selection: Selection) -> tuple[Sequence[Owed], Sequence[Owed]]:
    """What stands on the subscriber's accounts before the days, and within them."""
    name = selection.subscriber
    owed = _to_provider(books, name) if books.is_provider(name) else books.owed_of.get(name, ())
    return selection.split(until(owed, selection.end))


def _to_provider(books: Books, name: str) -> tuple[Owed, ...]:
    """What stands on a provider's account; what people write knows its component alone."""
    component = component_of(name)
    owed = [each for each in books.owed if each.role is Role.PROVIDER]
    return tuple([each for each in owed if component_of(each.party) == component])


def bill_figures(books: Books, name: str) -> tuple[Figure, ...]:
    """The figures of a line; what is not invoiced where a subscriber ever had any."""
    if any(each.role is Role.UNBILLED for each in books.owed_of.get(name, ())):
        return _BILL_FIGURES
    return tuple(each for each in _BILL_FIGURES if each.key != _UNBILLED)


def balance_of(owed: Owed) -> tuple[str, Decimal]:
    """Which balance a posting changes, what the subscriber owes or is owed, and by how much."""
    if owed.role is Role.RECEIVABLE:
        return _OWES, owed.amount
    if owed.role is Role.UNBILLED:
        return _UNBILLED, owed.amount
    return _IS_OWED, -owed.amount


def bills(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    """What the lines of the table add."""
    before, since = owed_within(books, selection)
    units = _units_of(books, selection, {each.at for each in since})
    lines = list(_lines(books, before, since, selection))
    for line in lines:
        for owed in line.owed:
            yield "bills", line.labels, "amount", owed.amount, owed.at
        if line.labels[3] != FORWARD:
            yield from _units(books, line, selection.subscriber, units)
    yield from _traced(lines, request.row) if request.each else _running(lines)


def _lines(
    books: Books, before: Sequence[Owed], since: Sequence[Owed], selection: Selection
) -> Iterator[_BillLine]:
    number = count(1)
    for currency in sorted({each.currency for each in before}):
        owed = [each for each in before if each.currency == currency]
        by_role = [sum([each.amount for each in owed if each.role is role], ZERO) for role in Role]
        if any(by_role):
            labels = (next(number), str(selection.start), "", FORWARD, "", "", "", currency)
            yield _BillLine(labels, owed)
    for each in since:
        entry = books.transactions[each.at]
        trade = books.trade_at.get(each.at)
        other = "" if trade is None else _other(trade, selection.subscriber)
        event, what = str(entry.meta.get("event", "")), entry.narration or ""
        if trade is not None and trade.buyer == selection.subscriber:
            what = received("Trade with", entry)
        entry_name = _entry(each, trade, selection.subscriber)
        if REVERSAL in (entry.tags or ()):
            entry_name += ", reversed"
        of = (event, entry_name, other, what, each.account, each.currency)
        yield _BillLine((next(number), str(each.date), *of), [each])


def received(words: str, entry: Transaction) -> str:
    """What the narration, which is the giver's, says to who received something."""
    text = f"{words} {entry.payee or ''}"
    return f"Reversal of {text}" if REVERSAL in (entry.tags or ()) else text


def _entry(owed: Owed, trade: Trade | None, subscriber: str) -> str:
    """What a posting is, in a word."""
    if trade is not None:
        return "purchase" if trade.buyer == subscriber else "sale"
    if not owed.kind:
        pays = balance_of(owed)[1] < 0
        return "payment" if pays else "by hand"
    if owed.role is Role.UNBILLED and owed.kind == Kind.INVOICE:
        return "invoiced"
    return entry_of(owed.kind, owed.plan)


def entry_of(kind: str, plan: str) -> str:
    """What a kind charges or credits, in a word."""
    if kind == Kind.ALLOCATION:
        return TOP_UP if plan == TOP_UP else "period"
    return "overage" if kind == Kind.CONSUMPTION else kind.removeprefix("money-")


def _other(trade: Trade, subscriber: str) -> str:
    return trade.seller if trade.buyer == subscriber else trade.buyer


def _units_of(
    books: Books, selection: Selection, places: set[int]
) -> dict[tuple[int, str], Decimal]:
    """The units that were billed or credited, by transaction and currency of their cost.

    Of a bundle there are none: its price is for access too.
    """
    found: defaultdict[tuple[int, str], Decimal] = defaultdict(Decimal)
    moves = books.movements_of.get(selection.subscriber, ())
    bundles = {moved.at for moved in moves if moved.pocket is Pocket.ACCESS}
    for moved in moves:
        if moved.at in places and moved.flow in _BILLED and moved.at not in bundles:
            found[moved.at, moved.currency] += moved.units
            if moved.at in books.trade_at:
                found[moved.at, ""] += moved.units
    return found


def _units(
    books: Books, line: _BillLine, subscriber: str, billed: dict[tuple[int, str], Decimal]
) -> Iterator[Contribution]:
    """The units of a bill, their price, and the fee within it."""
    (owed,) = line.owed
    trade = books.trade_at.get(owed.at)
    units = billed.get((owed.at, owed.currency if trade is None else ""))
    if units:
        yield "bills", line.labels, "units", units, owed.at
        worth = owed.amount if trade is None else trade.price * units
        yield "bills", line.labels, "worth", worth, owed.at
    if trade is not None:
        fee = trade.buyer_fee if trade.buyer == subscriber else trade.seller_fee
        if fee:
            yield "bills", line.labels, "fee", fee, owed.at


def _running(lines: Iterable[_BillLine]) -> Iterator[Contribution]:
    held: defaultdict[tuple[str, Row], Decimal] = defaultdict(Decimal)
    for labels, owed in lines:
        for each in owed:
            name, amount = balance_of(each)
            held[name, labels[-1:]] += amount
        for name in BALANCES:
            yield "bills", labels, name, held[name, labels[-1:]], SUMMED


def _traced(lines: Sequence[_BillLine], row: Row | None) -> Iterator[Contribution]:
    """Behind a balance stands all that was owed up to it."""
    asked = next((at for at, line in enumerate(lines) if line.labels == row), None)
    if asked is None:
        return
    labels = lines[asked].labels
    for line in lines[: asked + 1]:
        for each in line.owed:
            if each.currency == labels[-1]:
                name, amount = balance_of(each)
                yield "bills", labels, name, amount, each.at
