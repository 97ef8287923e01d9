"""The parts of a transaction's postings that belong to one plan or subscriber.

    Income:Compute        -50.00 USD      pro -40.00, top-up -10.00       --by plan
    Assets:Receivable     126.25 USD      bob                             --by subscriber

What a lot carries belongs to its origin and holder; revenue and breakage to those of the lots;
a fee to who pays it and, by units, to the lots sold; overage to the plan whose price applies; what
is owed to who owes or is owed, and to a plan where the transaction's lots are all of one; what is
unbilled to the plan that charges it, also as an invoice takes it, and of a change to the new plan;
bad debt, losses and recoveries to who paid, or did not, and for what. What is left, such as a bank
account, belongs to nobody: its key is empty. Nothing is shared out by guess, and the parts of a
posting add up to it exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from operator import attrgetter

from beancount.core.data import Transaction

from beancount_compute.close.general_ledger.formats import By
from beancount_compute.close.general_ledger.slots import (
    PostingPart,
    PostingParts,
    by_account,
    weight_of,
)
from beancount_compute.economy import ROLE_OF_EARNING, WIDE, ZERO, Kind, Role
from beancount_compute.reports import Books, grouped
from beancount_compute.reports.facts import Owed


def pieces_by(by: By, books: Books) -> PostingParts:
    """How the postings of the books are divided."""
    return by_account if by is By.ACCOUNT else _Attribution(by, books).pieces


class _Attribution:
    """Finds the facts of a transaction, and gives each its part of the postings."""

    def __init__(self, by: By, books: Books) -> None:
        self._by_plan = by is By.PLAN
        self._account = cache(books.accounts.account)
        place = attrgetter("at")
        self._movements = grouped(books.movements, place)
        self._incomes = grouped(books.incomes, place)
        self._owed = grouped(books.owed, place)
        self._lost = grouped(books.lost, place)
        self._taken = _taken_by_invoices(books) if self._by_plan else {}

    def pieces(self, at: int, entry: Transaction) -> Iterator[PostingPart]:
        """The parts of a transaction's postings; what no fact explains has an empty key."""
        left: dict[tuple[str, str], Decimal] = {}
        for posting in entry.postings:
            number, currency = weight_of(posting)
            place = (posting.account, currency)
            left[place] = left[place] + number if place in left else number
        for account, key, number, currency in self._explained(at, entry):
            place = (account, currency)
            if place in left:  # else it was booked while the accounts had other names
                left[place] -= number
                yield account, key, number, currency
        for (account, currency), number in left.items():
            if number:
                yield account, "", number, currency

    def _explained(self, at: int, entry: Transaction) -> Iterator[PostingPart]:
        moved, earned = self._movements.get(at, []), self._incomes.get(at, [])
        by_plan = self._by_plan
        for movement in moved:
            key = movement.origin if by_plan else movement.subscriber
            yield movement.account, key, -movement.amount, movement.currency
        for income in earned:
            name, origin = income.subscriber, income.origin
            account = self._account(ROLE_OF_EARNING[income.earning], name, origin)
            yield account, origin if by_plan else name, -income.amount, income.currency
        for lost in self._lost.get(at, []):
            account = self._account(lost.role, lost.subscriber, lost.origin)
            key = lost.origin if by_plan else lost.subscriber
            yield account, key, lost.amount, lost.currency
        origins = {each.origin for each in moved or (earned if "back" in entry.meta else ())}
        only = origins.pop() if len(origins) == 1 else ""
        for owed in self._owed.get(at, []):
            taken = self._taken.get((at, owed.currency)) if owed.role is Role.UNBILLED else None
            if taken is not None:
                for plan, number in taken.items():
                    yield owed.account, plan, -number, owed.currency
                continue
            holder = _holder(owed, entry)
            yield owed.account, owed.plan or only if by_plan else holder, owed.amount, owed.currency


def _taken_by_invoices(books: Books) -> dict[tuple[int, str], dict[str, Decimal]]:
    """What each invoice takes out of unbilled, by the plan that charged it."""
    found: dict[tuple[int, str], dict[str, Decimal]] = {}
    waiting: defaultdict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for owed in books.owed:
        if owed.role is not Role.UNBILLED or not owed.kind:
            continue
        of = str(books.transactions[owed.at].meta.get("subscription", "")), owed.currency
        if owed.kind == Kind.INVOICE:
            found[owed.at, owed.currency] = waiting.pop(of, {})
        else:
            so_far = waiting[of].get(owed.plan, ZERO)
            waiting[of][owed.plan] = WIDE.add(so_far, owed.amount)
    return found


def _holder(owed: Owed, entry: Transaction) -> str:
    """The subscriber of what is owed: of a settlement who spent, of a provider nobody."""
    if owed.role is Role.PARTNER:
        return entry.payee or ""
    return "" if owed.role is Role.PROVIDER else owed.party
