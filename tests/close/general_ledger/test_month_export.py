"""A ledger's months, exported one after the other, are the ledger."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from beancount import loader
from beancount.core.data import Transaction

from beancount_compute.close.general_ledger.account_map import NoMap
from beancount_compute.close.general_ledger.formats import By
from beancount_compute.close.general_ledger.journals import ROUNDING, journals_of
from beancount_compute.close.general_ledger.month_export import month_figures
from beancount_compute.economy.months import Month
from beancount_compute.economy.rounding import minor_unit
from beancount_compute.reports.books import Books, read_books

sys.path.insert(0, str(Path(__file__).parents[2] / "laws"))
from tests.laws.random_ledgers import write_ledger

SEEDS = range(18)  # two of each profile


def months_of(entries: list[Any]) -> Iterator[str]:
    days = [entry.date for entry in entries if isinstance(entry, Transaction)]
    day = min(days, default=date(2026, 1, 1)).replace(day=1)
    while days and day <= max(days):
        yield f"{day.year:04}-{day.month:02}"
        day = (day + timedelta(31)).replace(day=1)


def weights(entries: list[Any]) -> dict[tuple[str, str], Fraction]:
    """What each account of the ledger holds at cost, added up as fractions."""
    sums: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            number, currency = posting.units
            factor = posting.cost or posting.price
            sums[posting.account, factor.currency if factor else currency] += Fraction(
                number
            ) * Fraction(factor.number if factor else 1)
    return sums


@lru_cache(maxsize=1)
def loaded(seed: int) -> tuple[list[Any], Books]:
    """What the ledger of a seed holds, for all ways to divide it."""
    with TemporaryDirectory() as folder:
        entries, _, options = loader.load_file(str(write_ledger(seed, Path(folder))))
    return entries, read_books(entries, options)


@pytest.mark.parametrize("by", [*By])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_months_of_a_random_ledger_add_up_to_it(seed: int, by: By) -> None:
    """Each journal balances; all months together are each account to within half a minor unit for
    each plan or subscriber that it is divided by; the residual stands apart."""
    entries, books = loaded(seed)
    exported: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    keys: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for name in months_of(entries):
        month = Month.parse(name)
        figures = month_figures(books, month, by)
        for slot in figures:
            keys[slot.account, slot.currency].add(slot.key)
        for journal in journals_of(figures, name, month.last, NoMap(), "Expenses:Rounding"):
            assert sum((line.amount for line in journal.lines), Decimal()) == 0
            for line in journal.lines:
                if line.description != ROUNDING:
                    exported[line.target.code, journal.currency] += Fraction(line.amount)
    for slot, total in weights(entries).items():
        near = Fraction(minor_unit(slot[1])) / 2 * len(keys[slot])
        assert abs(exported[slot] - total) <= near, slot
    assert {slot for slot, number in exported.items() if number} <= set(weights(entries))
