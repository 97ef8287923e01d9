"""Opening and closing balances of what subscribers owe, beside the contract liability.

    balance                        opening   change   closing
    contract liability    USD       160.00    40.00    200.00
    receivables           USD       120.00   -20.00    100.00
    unbilled receivables  USD        15.00    17.00     32.00

ASC 606-10-50-8(a) asks for receivables, contract assets and contract liabilities. What is unbilled
is no contract asset: the right to it depends on nothing but the time until its invoice (45-3,
45-4), so it is a receivable, on a line of its own. What changes of plan credit is below zero in it.

Payments are of no plan, so of one there are no balances. Where the books begin within the days,
what people wrote against equity until the first booking is what they opened with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from beancount.core.data import Transaction

from beancount_compute.economy import OWED, Role
from beancount_compute.ledger import BULK_TAG, OPENING_TAG, ORDER
from beancount_compute.reports.books import Books, Selection, until
from beancount_compute.reports.facts import Owed
from beancount_compute.reports.figures import Contribution, Figure, Layout, Request, Single
from beancount_compute.reports.tables import CURRENCY, Column, Measure

BALANCES = "balances"
_ASKED_FOR = (Role.RECEIVABLE, Role.UNBILLED)
_OF_BOOKS = frozenset([OPENING_TAG, BULK_TAG])
_FIGURES = (
    Figure("opening", "opening", Measure.MONEY),
    Figure("change", "change", Measure.MONEY),
    Figure("closing", "closing", Measure.MONEY, ("opening", "change")),
)


def balances(books: Books, selection: Selection) -> Iterator[Layout]:
    """The table, where anything was unbilled; none of months in bulk, which know no payments."""
    if (
        not selection.plan
        and books.bulk is None
        and any(each.role is Role.UNBILLED for each in books.owed)
    ):
        labels = (Column("balance", "balance"), CURRENCY)
        yield Layout(
            BALANCES, "Contract balances", labels, _FIGURES, keeps_zeros=True, adds_up=False
        )


def balance_of_lots(name: str, moved: Iterable[Single]) -> Iterator[Contribution]:
    """A balance of what lots carry, by what its movement says of the currencies."""
    for _, row, line, amount, at in moved:
        column = "opening" if line == "opening" else "change"
        yield BALANCES, (name, row[-1]), column, amount, at


def what_is_owed(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    """The balances of receivables, those that are invoiced and those that are not yet."""
    before, since = selection.split(until(books.owed, selection.end))
    opened, moved = _opened_with(books, selection, since)
    for column, parts in (("opening", [*before, *opened]), ("change", moved)):
        found = [each for each in parts if _is_asked_for(each, selection)]
        for each in request.fold(found, ("role", "currency"), ("amount",)):
            name = OWED[each.role]
            if each.role is Role.UNBILLED:
                name += " receivables"
            yield BALANCES, (name, each.currency), column, each.amount, each.at


def _is_asked_for(owed: Owed, selection: Selection) -> bool:
    return owed.role in _ASKED_FOR and selection.subscriber in ("", owed.party)


def _opened_with(
    books: Books, selection: Selection, since: Sequence[Owed]
) -> tuple[list[Owed], list[Owed]]:
    """What the books opened with, of what came within the days; and the rest."""
    first = next((each.date for each in books.transactions if _is_of_books(each)), None)
    if first is None or (selection.start is not None and first < selection.start):
        return [], [*since]
    parts: tuple[list[Owed], list[Owed]] = ([], [])
    for each in since:
        opens = not each.kind and each.date <= first
        opens = opens and _against_equity(books, books.transactions[each.at])
        parts[not opens].append(each)
    return parts


def _is_of_books(entry: Transaction) -> bool:
    return ORDER in entry.meta or not _OF_BOOKS.isdisjoint(entry.tags or ())


def _against_equity(books: Books, entry: Transaction) -> bool:
    """Whether any of its accounts lies under none of the other four roots."""
    others = {*books.accounts.roots}
    return any(posting.account.partition(":")[0] not in others for posting in entry.postings)
