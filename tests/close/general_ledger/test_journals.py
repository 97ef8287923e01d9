"""Journals: they balance exactly, and what is too long for a suite is cut into parts that do."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beancount_compute.close.general_ledger.account_map import NoMap, Target, Unmapped, read_map
from beancount_compute.close.general_ledger.journals import (
    ROUNDING,
    Journal,
    JournalLine,
    files_of,
    journals_of,
    parts_of,
)
from beancount_compute.close.general_ledger.slots import Slot, SlotTotals

LAST = date(2026, 5, 31)
CENTS = st.integers(-(10**9), 10**9).filter(bool)
TOTALS = st.decimals(-(10**6), 10**6, allow_nan=False, places=6)
FIGURES = st.dictionaries(
    st.builds(
        Slot,
        st.sampled_from(["USD", "JPY", "KWD"]),
        st.sampled_from([f"Assets:A{number}" for number in range(9)]),
        st.sampled_from(["", "pro", "top-up"]),
    ),
    st.builds(SlotTotals, TOTALS, TOTALS),
    max_size=20,
)


def figures(*rows: tuple[str, str, str]) -> dict[Slot, SlotTotals]:
    return {
        Slot("USD", account, ""): SlotTotals(Decimal(before), Decimal(end))
        for account, before, end in rows
    }


def journal(cents: list[int]) -> Journal:
    """A journal of those amounts, and one line that balances them."""
    lines = [
        JournalLine(Target(f"a{place}"), "", Decimal(number) / 100, f"line {place}")
        for place, number in enumerate([*cents, -sum(cents)])
        if number
    ]
    return Journal("TOK-2026-05-USD", LAST, "USD", "memo", tuple(lines))


def amounts(lines: tuple[JournalLine, ...]) -> list[tuple[str, str]]:
    return [(line.target.code, str(line.amount)) for line in lines]


def test_what_rounding_leaves_stands_on_a_line_of_its_own() -> None:
    """By hand: 40.00 - 19.993334 - 19.993334 - 0.013332 = 0, and
    40.00 - 19.99 - 19.99 - 0.01 = 0.01, which goes to the rounding account."""
    found = figures(
        ("Assets:Receivable", "0", "40.00"),
        ("Income:Compute", "0", "-0.013332"),
        ("Liabilities:Tokens:Alice", "0", "-19.993334"),
        ("Liabilities:Tokens:Bob", "0", "-19.993334"),
    )
    (made,) = journals_of(found, "2026-05", LAST, NoMap(), "Expenses:Rounding")
    assert made.id == "TOK-2026-05-USD"
    assert amounts(made.lines) == [
        ("Assets:Receivable", "40.00"),
        ("Income:Compute", "-0.01"),
        ("Liabilities:Tokens:Alice", "-19.99"),
        ("Liabilities:Tokens:Bob", "-19.99"),
        ("Expenses:Rounding", "-0.01"),
    ]
    assert made.lines[-1].description == ROUNDING


def test_accounts_of_one_code_are_one_line_and_are_rounded_together() -> None:
    """0.004 twice is 0.008, so 0.01 in one code, and 0.00 each in two."""
    found = figures(
        ("Assets:A", "0", "0.004"), ("Assets:B", "0", "0.004"), ("Income:X", "0", "-0.008")
    )
    names = read_map("account,code\nAssets,1000\nIncome,4000\n", "map")
    (made,) = journals_of(found, "2026-05", LAST, names, "Expenses:Rounding")
    assert amounts(made.lines) == [("1000", "0.01"), ("4000", "-0.01")]


def test_all_accounts_that_the_map_leaves_out_are_named_at_once() -> None:
    """The rounding account too, where it is needed; not one that stood still in the month."""
    found = figures(
        ("Assets:A", "0", "0.004"),
        ("Assets:B", "0", "7"),
        ("Assets:Still", "5", "5"),
        ("Income:X", "0", "-7.016"),
    )
    names = read_map("account,code\nIncome,4000\n", "map")
    with pytest.raises(Unmapped) as caught:
        journals_of(found, "2026-05", LAST, names, "Expenses:Rounding")
    assert caught.value.accounts == ["Assets:A", "Assets:B", "Expenses:Rounding"]


@given(FIGURES)
def test_every_journal_balances_exactly(found: dict[Slot, SlotTotals]) -> None:
    """Whatever the figures: one journal a currency, no line of zero, sum exactly zero."""
    made = journals_of(found, "2026-05", LAST, NoMap(), "Expenses:Rounding")
    assert len({each.currency for each in made}) == len(made)
    for each in made:
        assert sum(line.amount for line in each.lines) == 0
        assert all(line.amount for line in each.lines)


def test_the_line_that_overshoots_is_cut() -> None:
    """By hand, at most 3 lines: 10 against 4 and 3 leaves 3 of the 10 for the next part."""
    parts = parts_of(journal([1000, -400, -300, -200]), 3)
    assert [amounts(part.lines) for part in parts] == [
        [("a0", "7"), ("a1", "-4"), ("a2", "-3")],
        [("a0", "3"), ("a3", "-2"), ("a4", "-1")],
    ]
    assert [part.id for part in parts] == ["TOK-2026-05-USD-1", "TOK-2026-05-USD-2"]


@given(st.lists(CENTS, max_size=60), st.integers(2, 9))
def test_parts_balance_and_lose_nothing(cents: list[int], most: int) -> None:
    """No part has more lines than the limit, each sums to zero, and together they are the whole:
    the same amount for every account, on the side on which it was."""
    whole = journal(cents)
    parts = parts_of(whole, most)
    added: Counter[str] = Counter()
    for part in parts:
        assert len(part.lines) <= most
        assert sum(line.amount for line in part.lines) == 0
        for line in part.lines:
            added[line.target.code] += line.amount
            (of,) = [each for each in whole.lines if each.target == line.target]
            assert (line.amount > 0) == (of.amount > 0)
            assert abs(line.amount) <= abs(of.amount)
    assert added == Counter({line.target.code: line.amount for line in whole.lines})
    cuts = sum(len(part.lines) for part in parts) - len(whole.lines)
    assert cuts <= len(parts)


@given(st.lists(st.integers(1, 9), max_size=20), st.integers(9, 20))
def test_files_hold_whole_journals_of_one_currency(sizes: list[int], most: int) -> None:
    """In order, none lost, none broken, none above the limit."""
    made = [
        journal([100] * size)._replace(id=str(place), currency="USD" if place % 5 else "EUR")
        for place, size in enumerate(sizes)
    ]
    files = files_of(made, most + 1)
    assert [each for file in files for each in file] == made
    for file in files:
        assert sum(len(each.lines) for each in file) <= most + 1
        assert len({each.currency for each in file}) == 1


def test_a_file_is_filled_to_its_limit() -> None:
    """Two journals of four lines go into a file of eight, not into one of seven."""
    made = [journal([100, 100, 100]), journal([100, 100, 100])]
    assert [len(file) for file in files_of(made, 8)] == [2]
    assert [len(file) for file in files_of(made, 7)] == [1, 1]
