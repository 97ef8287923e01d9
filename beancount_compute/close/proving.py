"""The closed months by themselves: one file that loads them all, and the proof that it is right.

closed/books.beancount, loaded with Beancount alone  =  the ledger up to the last closed day
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from beancount import loader
from beancount.core.data import Directive, Open, Transaction

from beancount_compute.close.loading import Loaded
from beancount_compute.close.storage import OURS
from beancount_compute.economy import WIDE
from beancount_compute.ledger import directive_text, option_lines

BOOKS_HEAD = f"; All closed months, to load with Beancount alone: written by {OURS}.\n"


def books_text(
    loaded: Loaded,
    months: Iterable[str],
    entries: Iterable[Directive],
    first_used: Mapping[str, date] = MappingProxyType({}),
) -> str:
    """The file that loads all closed months with Beancount alone.

    It opens the accounts that entries are on, and those whose first day is known.
    """
    used = dict(first_used)
    for entry in entries:
        if isinstance(entry, Transaction):
            for posting in entry.postings:
                known = used.get(posting.account, date.max)
                used[posting.account] = min(known, entry.date)
    opened = {entry.account: entry for entry in loaded.entries if isinstance(entry, Open)}
    opens = [
        opened.get(account) or Open({}, day, account, [], None)
        for account, day in sorted(used.items())
    ]
    lines = [BOOKS_HEAD, *option_lines(loaded.options), "\n"]
    lines += [directive_text(entry._replace(meta={})) for entry in opens]
    return "".join([*lines, "\n", *(f'include "{month}.beancount"\n' for month in months)])


class Proof(NamedTuple):
    """Whether the closed months, loaded by Beancount alone, are the books."""

    errors: list[str]
    differences: list[str]  # accounts whose balance is another


def prove(books: Path, entries: Iterable[Directive]) -> Proof:
    """Load the books of closed months by themselves, and compare every balance and lot."""
    loader.initialize(use_cache=False)
    found, errors, _ = loader.load_file(str(books))
    return Proof([error.message for error in errors], sorted(other_balances(found, entries)))


def other_balances(before: Iterable[Directive], after: Iterable[Directive]) -> set[str]:
    """The accounts that hold something else."""
    left, right = balances(before), balances(after)
    return {each for each in left.keys() | right.keys() if left[each] != right[each]}


Balances = defaultdict[str, dict[tuple[str, Any], Decimal]]


def balances(entries: Iterable[Directive]) -> Balances:
    """What each account holds: units by commodity and lot; nothing where it is zero."""
    held: defaultdict[str, defaultdict[tuple[str, Any], Decimal]]
    held = defaultdict(lambda: defaultdict(Decimal))
    with localcontext(WIDE):
        for entry in entries:
            if isinstance(entry, Transaction):
                for posting in entry.postings:
                    if posting.units is not None and posting.units.number is not None:
                        lot = (posting.units.currency, posting.cost)
                        held[posting.account][lot] += posting.units.number
    found: Balances = defaultdict(dict)
    for account, lots in held.items():
        found[account] = {lot: number for lot, number in lots.items() if number}
    return found
