"""What a ledger opens with of costs that no bill has come for: one transaction a provider and day.

2026-12-31 * "llama" "Opening accruals" #compute-opening
  served: 2026-12-20
  accrued: "chat/output 20.00 USD, pictures 3.00 USD"
  Liabilities:Accrued:Llama  -23.00 USD
  Equity:Opening-Balances     23.00 USD
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from beancount.core.data import Transaction

from beancount_compute.economy import WIDE, ZERO, OpeningAccrual, Role, amount, quoted
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.directives import place_of
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.fields import parse_meter_name
from beancount_compute.ledger.metadata import money_of, named_amounts

ACCRUED, SERVED = "accrued", "served"  # as on what is booked of costs
_EXAMPLE = f'{ACCRUED}: "chat/output 20.00 USD, pictures 3.00 USD"'
AccruedSums = defaultdict[tuple[str, str], Decimal]  # by account and currency


def opens_accruals(entry: Transaction) -> bool:
    """Whether a transaction that is tagged as an opening says what was accrued."""
    return ACCRUED in entry.meta or SERVED in entry.meta


def read_opening_accruals(
    openings: Iterable[Transaction], accounts: Accounts, errors: Errors
) -> list[OpeningAccrual]:
    """What openings say is accrued by provider, meter and day; as their postings have it."""
    found: list[OpeningAccrual] = []
    for entry in filter(opens_accruals, openings):
        try:
            with localcontext(WIDE):
                accruals = list(_accruals(entry))
                _check_postings(entry, accruals, accounts)
            found += accruals
        except FieldError as error:
            errors.add(place_of(entry.meta), str(error))
    return found


def _accruals(entry: Transaction) -> Iterator[OpeningAccrual]:
    provider, day, text = entry.payee, entry.meta.get(SERVED), entry.meta.get(ACCRUED)
    if not provider:
        raise FieldError("opening accruals without a provider: write its name as the payee")
    if not isinstance(day, date) or day > entry.date:
        raise FieldError(
            f"`{SERVED}` must be the day of the uses, not behind the transaction's own, such as "
            f"{SERVED}: {entry.date}"
        )
    named = [*named_amounts(text)] if isinstance(text, str) else []
    if not named or len(named) != len(str(text).split(", ")):
        raise FieldError(f"`{ACCRUED}` must name meters with their amounts, such as {_EXAMPLE}")
    for meter, number, currency in named:
        if not number or not number.is_finite():
            raise FieldError(f"{amount(number, currency)} of {quoted(meter)} is nothing: remove it")
        name = parse_meter_name(meter)
        place = place_of(entry.meta)
        yield OpeningAccrual(day, entry.date, provider, name, number, currency, place)


def _check_postings(
    entry: Transaction, accruals: Iterable[OpeningAccrual], accounts: Accounts
) -> None:
    """Refuse what the transaction's own postings deny."""
    said, posted = AccruedSums(Decimal), AccruedSums(Decimal)
    for each in accruals:
        account = accounts.account(Role.ACCRUED, each.provider, each.meter)
        said[account, each.currency] += each.number
    for posting in entry.postings:
        money: Any = money_of(posting.units)
        if money is not None and (posting.account, money.currency) in said:
            posted[posting.account, money.currency] -= money.number
    for (account, currency), number in said.items():
        if posted[account, currency] != number:
            raise FieldError(
                f"`{ACCRUED}` says {amount(number, currency)}, and on {account} stand "
                f"{amount(ZERO - posted[account, currency], currency)}: write "
                f"{amount(ZERO - number, currency)} there, or mend `{ACCRUED}`"
            )
