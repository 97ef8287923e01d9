"""Losses on units that somebody else has by now: of chargebacks and write-offs.

    2026-07-15   top-1 is charged back; 500 of its CU are bob's     90.00 USD is a loss

The operator still owes these units to whom they were sold (ASC 450-20). What the payer is owed for
the sale may be set off where the terms allow: a recovery, and payable against receivable by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext

from beancount_compute.economy import WIDE, ZERO, Month, Role, amount, quoted
from beancount_compute.reports import until
from beancount_compute.review.finding import Amounts, Finding
from beancount_compute.review.looked_at import LookedAt


def moved_on(look: LookedAt, month: str) -> Iterator[Finding]:
    """Each chargeback or write-off of a month whose units had been sold, given away or spent."""
    for lost in until(look.books.lost, Month.parse(month).last):
        meta = look.books.transactions[lost.at].meta
        gone, event = meta.get("moved-on"), str(meta.get("event", ""))
        undone = look.reversed_in.get(event, "")
        if lost.month != month or lost.role is not Role.LOSSES or gone is None or "undoes" in meta:
            continue
        if undone and undone <= month:
            continue
        owed = _owed(look, month, lost.subscriber, lost.currency)
        text = (
            f"{amount(gone.number, lost.currency)} of what {quoted(event)} takes back had moved "
            f"on from {quoted(lost.subscriber)}, and is a loss: others have these units"
        )
        if owed > 0:
            text += f"; {amount(owed, lost.currency)} is still payable: may it be set off?"
        figures = (
            Amounts("moved on", gone.number, lost.currency),
            Amounts("payable", owed, lost.currency),
        )
        place = look.place_of_transaction(lost.at)
        yield Finding("moved-on", month, place, text, (event, lost.currency), figures)


def _owed(look: LookedAt, month: str, name: str, currency: str) -> Decimal:
    """What the operator owes somebody at the end of a month."""
    owed = until(look.books.owed_of.get(name, ()), Month.parse(month).last)
    with localcontext(WIDE):
        return -sum(
            [
                each.amount
                for each in owed
                if each.role is Role.PAYABLE and each.currency == currency
            ],
            ZERO,
        )
