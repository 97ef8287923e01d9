"""Hand-written postings that bend a pocket: a month that holds one can't be closed.

    2026-05-31 * "Correction"
      Liabilities:DeferredRevenue:Tokens:Alice   100 CU        ; names no lot
      Expenses:Other                           20.00 USD

Allowed are opening lots, and units taken out of a lot that is open and named in full. The plugin
says the same of what it is given; this looks at the loaded ledger, where plugins that come later
have had their say too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount.core.data import Posting, Transaction
from beancount.core.position import Cost

from beancount_compute.close.tie_outs.postings import place_of_posting, units_of
from beancount_compute.close.tie_outs.tie_out import TieOut, count
from beancount_compute.economy.rounding import WIDE
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.fields import parse_date
from beancount_compute.ledger.hand_written import OPENING_TAG
from beancount_compute.ledger.writing import ORDER
from beancount_compute.reports.books import Books

Held = defaultdict[tuple[str, str, Cost], Decimal]


class HandPosting(NamedTuple):
    """A posting on a pocket that the plugin did not make."""

    entry: Transaction
    posting: Posting
    flaw: str  # why it bends the pocket; "" where it doesn't

    @property
    def line(self) -> str:
        """Where it was written, and what is wrong with it."""
        return f"{place_of_posting(self.entry, self.posting)}: {self.flaw}"


def hand_postings(books: Books) -> list[HandPosting]:
    """All hand-written postings on pockets, in the order of the books."""
    pocket = books.accounts.pocket_account
    by_hand = [
        entry
        for entry in books.transactions
        if ORDER not in entry.meta and any(pocket(each.account) for each in entry.postings)
    ]
    if not by_hand:
        return []
    touched = {each.account for entry in by_hand for each in entry.postings if pocket(each.account)}
    with localcontext(WIDE):
        return list(_judged(books.transactions, touched, books))


def _judged(
    transactions: Iterable[Transaction], touched: set[str], books: Books
) -> Iterator[HandPosting]:
    """The postings with their flaws, while the units of the accounts that they touch are run."""
    held: Held = defaultdict(Decimal)
    for entry in transactions:
        for posting in entry.postings:
            if posting.account not in touched:
                continue
            number, commodity = units_of(posting)
            if ORDER not in entry.meta:
                flaw = _flaw_of_form(posting, books) or _flaw(entry, posting, held)
                yield HandPosting(entry, posting, flaw)
            if isinstance(posting.cost, Cost):
                held[posting.account, commodity, posting.cost] -= number


def _flaw_of_form(posting: Posting, books: Books) -> str:
    """What is wrong with the posting whatever is held."""
    number, commodity = units_of(posting)
    cost = posting.cost
    if not number:
        return "no units"
    if not isinstance(cost, Cost) or not cost.label:
        return "names no lot: write cost, date and label in full"
    if commodity in books.terms.money or commodity == cost.currency:
        return f"{commodity} is money, not a unit of compute"
    end = cost.label.partition("/")[2]
    if "/" in cost.label:
        try:
            parse_date(end)
        except FieldError:
            return f'the label "{cost.label}" is not that of a lot'
    return ""


def _flaw(entry: Transaction, posting: Posting, held: Held) -> str:
    number, commodity = units_of(posting)
    cost = posting.cost
    assert isinstance(cost, Cost)
    if number < 0:
        if OPENING_TAG not in (entry.tags or ()):
            return f"puts units in, and is not tagged #{OPENING_TAG}"
        return "" if cost.number >= 0 and cost.date <= entry.date else "is no possible opening lot"
    found = held[posting.account, commodity, cost]
    if found < number:
        return f"takes {number:f} {commodity} out of a lot that holds {found:f}"
    return ""


def hand_written(books: Books) -> TieOut:
    """Hand-written postings on pockets beside those that bend none."""
    found = hand_postings(books)
    bent = [each.line for each in found if each.flaw]
    name = "hand-written on pockets"
    return count(name, "postings", "opening lots and removals", len(found), bent)
