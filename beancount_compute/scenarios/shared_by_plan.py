"""What a run books of no plan by itself, by plan: both bills, fees, partner income.

    30.00 USD of 2026-05-20, openai and chat:  20 CU of pro, 10 CU of basic  ->  20.00 and 10.00

Bills go to who was served, as `report margin` has it, fees and partner income to the lots that
moved. The run is written as transactions and read as the books are: one rule does it for both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from beancount.core.data import Custom, Directive

from beancount_compute.economy import ROLE_OF_EARNING, WIDE, ZERO, Role, Terms
from beancount_compute.reports import Income, read_books
from beancount_compute.reports.served_facts import BillShare, ShareOf
from beancount_compute.scenarios.tally import DaysAsked, SumKey, Tallied

_FIRST: dict[ShareOf, Role] = {
    ShareOf.USE: Role.COST,
    ShareOf.NO_USE: Role.COST,
    ShareOf.ROUNDING: Role.COST,
    ShareOf.IDLE: Role.COST,
    ShareOf.VARIANCE: Role.VARIANCE,
    ShareOf.LAPSED: Role.LAPSED,
}
# those of whose legs none says a plan
SHARED = frozenset([*_FIRST.values(), Role.DEPRECIATION, Role.FEES, Role.PARTNER_INCOME])


def shared_by_plan(
    lines: Iterable[Custom],
    options_map: dict[str, Any],
    days: DaysAsked,
    written: Iterable[Directive],
    terms: Terms,
) -> Tallied:
    """That of the transactions of a run; `lines` are the ledger's terms, for its accounts."""
    books = replace(read_books([*lines, *written], options_map), terms=terms)
    shares = books.bill_shares
    found: defaultdict[SumKey, Decimal] = defaultdict(lambda: ZERO)

    def add(role: Role, part: BillShare | Income, provider: str, debit: Decimal) -> None:
        month = days.month_of(part.date)
        if month:
            key = SumKey(month, "", role, part.origin, provider, part.currency)
            found[key] = WIDE.add(found[key], debit)

    for share in shares.first:
        add(_FIRST[share.line], share, share.provider, share.amount)
    for share in shares.second:
        add(Role.DEPRECIATION, share, share.provider, share.amount)
    for income in books.incomes:
        role = ROLE_OF_EARNING[income.earning]
        if role in SHARED:
            add(role, income, "", income.amount.copy_negate())
    return dict(found)
