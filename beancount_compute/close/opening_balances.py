"""What the next year's ledger opens with: accruals, lots, and the balances of all other accounts.

2026-12-31 * "llama" "Opening accruals" #compute-opening
  served: 2026-12-20
  accrued: "chat/output 20.00 USD"
  Liabilities:Accrued:Llama  -20.00 USD
  Equity:Opening-Balances     20.00 USD
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Balance, Directive, Posting, Transaction
from beancount.core.position import Cost

from beancount_compute.booking import Booking
from beancount_compute.close.proving import balances
from beancount_compute.economy import WIDE, ZERO, Accrual, Role
from beancount_compute.ledger import OPENING_TAG, Accounts, directive_text


def openings(
    entries: list[Directive], booking: Booking, options: dict[str, Any], equity: str, last_day: date
) -> Iterator[str]:
    """Accruals, opening lots, then all other balances; income and expenses go to `equity`."""
    assert booking.state is not None  # a month is closed
    kept = (options["name_assets"], options["name_liabilities"], options["name_equity"])
    accruals = _accruals(booking.state.carried.accrued, booking.accounts, last_day)
    left = _summed([posting for entry in accruals for posting in entry.postings])
    lots: list[Posting] = []
    others: list[Posting] = []
    totals: dict[str, dict[str, Decimal]] = {}
    for account, held in sorted(balances(entries).items()):
        if account.split(":")[0] not in kept or account == equity:
            continue
        own = totals.setdefault(account, {})
        for (commodity, cost), number in sorted(held.items(), key=_age):
            own[commodity] = WIDE.add(own.get(commodity, ZERO), number)
            if holds_lots(booking.accounts, account):
                lots.append(_posting(account, number, commodity, cost))
                continue
            number = WIDE.subtract(number, ZERO if cost else left.pop((account, commodity), ZERO))
            if number:
                others.append(_posting(account, number, commodity, cost))
    others += [_posting(account, -number, of) for (account, of), number in left.items() if number]
    written = [*accruals]
    if lots:
        written.append(_opening(last_day, None, "Opening lots", lots, {}))
    if others:
        balanced = _opening(last_day, None, "Opening balances", others, {})
        written.append(balanced._replace(tags=frozenset()))
    for entry in written:
        postings = [*entry.postings, *_against(equity, entry.postings)]
        yield directive_text(entry._replace(postings=postings))
        yield "\n"
    day = last_day + timedelta(1)
    for account, numbers in _with_those_below(totals).items():
        for commodity, number in sorted(numbers.items()):
            amount = Amount(number, commodity)
            yield directive_text(Balance({}, day, account, amount, None, None))


def _accruals(
    accrued: Mapping[Accrual, Decimal], accounts: Accounts, last_day: date
) -> list[Transaction]:
    """What no bill has come for, a transaction a provider and day."""
    by_day: dict[tuple[str, date], list[tuple[str, Decimal, str]]] = {}
    for (provider, meter, day, currency), number in sorted(accrued.items()):
        by_day.setdefault((provider, day), []).append((meter, number, currency))
    found: list[Transaction] = []
    for (provider, day), amounts in sorted(by_day.items()):
        said = ", ".join(f"{meter} {number:f} {currency}" for meter, number, currency in amounts)
        postings = [
            _posting(accounts.account(Role.ACCRUED, provider, meter), -number, currency)
            for meter, number, currency in amounts
        ]
        meta = {"served": day, "accrued": said}
        found.append(_opening(last_day, provider, "Opening accruals", postings, meta))
    return found


def _opening(
    day: date, payee: str | None, narration: str, postings: list[Posting], meta: dict[str, Any]
) -> Transaction:
    tags = frozenset([OPENING_TAG])
    return Transaction(meta, day, "*", payee, narration, tags, frozenset(), postings)


def _posting(account: str, number: Decimal, currency: str, cost: Cost | None = None) -> Posting:
    return Posting(account, Amount(number, currency), cost, None, None, None)


def _age(lot: tuple[tuple[str, Cost | None], Decimal]) -> tuple[object, ...]:
    """The order of lots on an account: of each commodity the oldest first."""
    (commodity, cost), _ = lot
    if cost is None:
        return (commodity,)
    return (commodity, cost.date, cost.currency, cost.number, cost.label or "")


def _with_those_below(totals: dict[str, dict[str, Decimal]]) -> dict[str, dict[str, Decimal]]:
    """What a balance of each account counts: its own, and of all accounts below it."""
    found = {account: dict(numbers) for account, numbers in totals.items()}
    for account, numbers in totals.items():
        above = account.rpartition(":")[0]
        while above:
            if above in found:
                for commodity, number in numbers.items():
                    known = found[above].get(commodity, ZERO)
                    found[above][commodity] = WIDE.add(known, number)
            above = above.rpartition(":")[0]
    return found


def _summed(postings: Iterable[Posting]) -> dict[tuple[str, str], Decimal]:
    """What stands in postings, by account and currency."""
    found: dict[tuple[str, str], Decimal] = {}
    for account, units, *_ in postings:
        assert units is not None and units.number is not None
        key = (account, units.currency)
        found[key] = WIDE.add(found.get(key, ZERO), units.number)
    return found


def _against(equity: str, postings: Iterable[Posting]) -> list[Posting]:
    """The postings to equity that balance others, one for each currency."""
    totals: dict[str, Decimal] = {}
    with localcontext(WIDE):
        for posting in postings:
            assert posting.units is not None and posting.units.number is not None
            number, currency = posting.units.number, posting.units.currency
            if isinstance(posting.cost, Cost):
                number, currency = number * posting.cost.number, posting.cost.currency
            totals[currency] = totals.get(currency, ZERO) - number
    return [
        Posting(equity, Amount(number, currency), None, None, None, None)
        for currency, number in sorted(totals.items())
        if number
    ]


def holds_lots(accounts: Accounts, account: str) -> bool:
    """Whether an account is a pocket, or that of a provider's credits."""
    return accounts.pocket_account(account) is not None or accounts.is_stock(account)
