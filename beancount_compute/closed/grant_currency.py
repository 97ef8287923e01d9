"""The currency of the grants of closed months: the ledger's first operating currency.

    option "operating_currency" "USD"
    2026-05-05 * "alice" "Grant" #compute-grant
      Liabilities:DeferredRevenue:Allocations:Alice  -100 CU {0 USD, 2026-05-05, "grant"}

It is a term that grants alone use, and their lots say it: nothing else needs to be frozen.
"""

from __future__ import annotations

from collections.abc import Iterable

from beancount.core.data import Directive, Transaction

from beancount_compute.closed.chain import Seal
from beancount_compute.economy import Kind, quoted
from beancount_compute.ledger import Errors

_GRANT = f"compute-{Kind.GRANT}"


def check_grant_currency(
    booked: Iterable[tuple[Seal, Iterable[Directive]]], currency: str | None, errors: Errors
) -> None:
    """Refuse a first operating currency in which the grants of closed months were not booked."""
    for seal, entries in booked:
        was = next((each for each in map(_currency_of, entries) if each not in ("", currency)), "")
        if was:
            now = f"is {quoted(currency)}" if currency else "is gone"
            message = (
                f'the first option "operating_currency" {now}, and grants of the closed month '
                f"{seal.month} were booked at 0 {was}: restore {quoted(was)} as the first; others "
                "may stand behind it"
            )
            errors.add(seal.place, message)
            return


def _currency_of(entry: Directive) -> str:
    """The currency of the lots of a grant; "" of anything else."""
    if not isinstance(entry, Transaction) or _GRANT not in entry.tags:
        return ""
    found = (posting.cost.currency for posting in entry.postings if posting.cost)
    return next(found, "") or ""
