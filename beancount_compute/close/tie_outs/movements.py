"""Tie-outs of what was booked in a month, beside its events and terms.

receivables: paid of top-ups, prices of periods, gross and fees of trades, overage   1,025.00
             postings of the plugin on receivable accounts                           1,025.00
             payments and other hand entries                                          -900.00
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from beancount_compute.close.tie_outs.bookings import Checked
from beancount_compute.close.tie_outs.expected import Debits
from beancount_compute.close.tie_outs.postings import place_of_entry
from beancount_compute.close.tie_outs.tie_out import TieOut, count, figure, of_money
from beancount_compute.economy.events import Event
from beancount_compute.economy.kinds import Kind
from beancount_compute.economy.roles import Earning, Role
from beancount_compute.economy.rounding import ZERO, average_price
from beancount_compute.ledger.meaning import BY_HAND, OPENING
from beancount_compute.reports.books import Books, since
from beancount_compute.reports.facts import DatedPrice

# What is owed to the operator is shown as a debit, what the operator owes as a credit.
_OWED = {
    Role.RECEIVABLE: ("receivables", 1),
    Role.PAYABLE: ("payables", -1),
    Role.PARTNER: ("owed to partners", -1),
}
_RELEASED = (Earning.COMPUTE, Earning.BREAKAGE, Earning.PARTNER_INCOME)
_REVENUE = (Role.REVENUE, Role.OVERAGE, Role.BREAKAGE, Role.PARTNER_INCOME)


def events_booked(checked: Checked) -> Iterator[TieOut]:
    """Every event was booked, once; every booking says what its event and the terms say."""
    unbooked = [f"{event.place.file}:{event.place.line}" for event in checked.unbooked]
    yield count("events booked", "events", "booked", checked.events, unbooked)
    wrong = [place_of_entry(entry) for entry in checked.wrong]
    right_name = "as their events and the terms say"
    yield count("bookings as events say", "bookings", right_name, checked.compared, wrong)


def owed(books: Books, checked: Checked, first: date) -> Iterator[TieOut]:
    """Receivables and payables: what events say = what was booked; then payments by hand."""
    by_hand: defaultdict[tuple[Role, str], Decimal] = defaultdict(Decimal)
    for each in since(books.owed, first):
        if each.kind in (BY_HAND, OPENING):
            by_hand[each.role, each.currency] += each.amount
    for role, (name, sign) in _OWED.items():
        currencies = _currencies(checked, [role])
        for currency in sorted(currencies | {each for key, each in by_hand if key is role}):
            if currency in currencies:
                yield from _compared(checked, [role], name, currency, sign)
            if by_hand[role, currency]:
                title = f"{name}, payments by hand"
                yield figure(title, currency, sign * by_hand[role, currency])


def fees(checked: Checked) -> Iterator[TieOut]:
    """Fees = sum over trades, worked out again from gross, rates and minimum."""
    for currency in sorted(_currencies(checked, [Role.FEES])):
        yield from _compared(checked, [Role.FEES], "fees = sum over trades", currency, -1)


def revenue(books: Books, checked: Checked, month: str, first: date) -> Iterator[TieOut]:
    """Revenue by vintage: from the opening balance + from this month = of the month.

    What 606-10-50-8(b) asks for: lots that were open when the month began, and later ones. Fees
    are no part of it; overage comes from no lot and is named.
    """
    opening: defaultdict[str, Decimal] = defaultdict(Decimal)
    own: defaultdict[str, Decimal] = defaultdict(Decimal)
    beyond: defaultdict[str, Decimal] = defaultdict(Decimal)
    for income in since(books.incomes, first):
        if income.earning is Earning.OVERAGE or income.lot is None:
            beyond[income.currency] += income.amount
        elif income.earning in _RELEASED:
            sums = own if income.lot.month >= month else opening
            sums[income.currency] += income.amount
    booked: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (role, _, currency), number in checked.posted.items():
        if role in _REVENUE:
            booked[currency] -= number
    for currency in sorted(opening.keys() | own.keys() | beyond.keys() | booked.keys()):
        yield figure("revenue from opening balance", currency, opening[currency])
        yield figure("revenue from this month", currency, own[currency])
        if beyond[currency]:
            yield figure("revenue from overage", currency, beyond[currency])
        yield of_money(
            "revenue by vintage",
            currency,
            ("by vintage", opening[currency] + own[currency] + beyond[currency]),
            ("postings on income accounts", booked[currency]),
            [place_of_entry(entry) for entry in checked.wrong],
        )


def prices(books: Books, first: date, events: Iterable[Event]) -> Iterator[TieOut]:
    """The price of a day = the average of its trades; one that the ledger gives is shown beside."""
    trades: defaultdict[tuple[date, str, str], list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for event in events:
        if event.kind is Kind.TRADE and event.price is not None and event.units is not None:
            day = max(event.date, first)  # a late one counts on the first open day
            trades[day, event.commodity, event.currency].append((event.price, event.units))
    given: defaultdict[tuple[date, str, str], list[DatedPrice]] = defaultdict(list)
    for price in since(books.prices, first):
        given[price.date, price.commodity, price.currency].append(price)
    bad: list[str] = []
    shown: list[TieOut] = []
    for key, of_day in sorted(trades.items()):
        day, commodity, currency = key
        name, average = f"{commodity} on {day}", average_price(of_day, currency)
        own = [price for price in given[key] if price.own]
        found = given[key][0].number if given[key] else ZERO
        if own:
            sides = (("average of the trades", average), ("the ledger's own price", own[0].number))
            shown.append(of_money(name, currency, *sides, informational=True))
        elif found != average or len(given[key]) != 1:
            bad.append(name)
            sides = (("average of the trades", average), ("price directive", found))
            shown.append(of_money(name, currency, *sides))
    derived = [key for key, of_day in given.items() if not all(price.own for price in of_day)]
    for day, commodity, _ in sorted(key for key in derived if key not in trades):
        bad.append(f"{commodity} on {day}: no trade")
    days = len(trades.keys() | derived)
    yield count("prices = average of trades", "days", "tie", days, bad)
    yield from shown


def _compared(
    checked: Checked, roles: Sequence[Role], name: str, currency: str, sign: int
) -> Iterator[TieOut]:
    """The total, with the number of accounts compared, and each account that differs."""
    wanted, posted = (
        _by_account(sums, roles, currency) for sums in (checked.wanted, checked.posted)
    )
    accounts = sorted(wanted.keys() | posted.keys())
    lines = [place_of_entry(entry) for entry in checked.wrong]
    named = "account" if len(accounts) == 1 else "accounts"
    yield of_money(
        name,
        currency,
        ("events and terms", sign * sum(wanted.values(), ZERO)),
        (f"postings on {len(accounts):,} {named}", sign * sum(posted.values(), ZERO)),
        lines,
    )
    for account in accounts if len(accounts) > 1 else ():
        left, right = wanted.get(account, ZERO), posted.get(account, ZERO)
        if left != right:
            sides = (("events and terms", sign * left), ("postings", sign * right))
            yield of_money(f"{name}: {account}", currency, *sides, lines)


def _by_account(sums: Debits, roles: Sequence[Role], currency: str) -> dict[str, Decimal]:
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (role, account, each), number in sums.items():
        if role in roles and each == currency:
            found[account] += number
    return {account: number for account, number in found.items() if number}


def _currencies(checked: Checked, roles: Sequence[Role]) -> set[str]:
    return {
        currency
        for sums in (checked.wanted, checked.posted)
        for (role, _, currency), number in sums.items()
        if role in roles and number
    }
