"""Sheets: rows that are added up, put in order, and turned into other columns."""

from __future__ import annotations

from decimal import Decimal
from operator import itemgetter

from beancount_compute.reports.sheets import Sheet, negative, summed

ROWS = [("2026-07", "bob"), ("2026-06", "bob"), ("2026-06", "alice")]
NUMBERS = {"sold": [Decimal(200), Decimal(0), Decimal(500)], "held": [None, Decimal(7), None]}
SHEET = Sheet(ROWS, NUMBERS)


def test_rows_of_the_same_labels_are_added_up() -> None:
    """By subscriber, in the order in which they come; None adds nothing."""
    found = SHEET.added_up(itemgetter(1, 1))
    assert found.rows == [("bob", "bob"), ("alice", "alice")]
    assert found.numbers == {
        "sold": [Decimal(200), Decimal(500)],
        "held": [Decimal(7), Decimal(0)],
    }


def test_rows_are_sorted_by_their_labels_with_none_last() -> None:
    """The numbers go with their rows; what is in order stays as it is."""
    found = SHEET.in_order()
    assert found.rows == [("2026-06", "alice"), ("2026-06", "bob"), ("2026-07", "bob")]
    assert found.numbers["sold"] == [Decimal(500), Decimal(0), Decimal(200)]
    assert found.in_order() is found
    rows = [(None, "b"), ("z", None), ("z", "a")]
    assert Sheet(rows, {}).in_order().rows == [("z", "a"), ("z", None), (None, "b")]


def test_columns_add_to_others_and_take_from_them() -> None:
    """400 used are 400 used and 400 less held."""
    numbers = {"minted": [Decimal(1000)], "used": [Decimal(400)]}
    adds = {"minted": [("unused", 1), ("held", 1)], "used": [("used", 1), ("held", -1)]}
    found = Sheet([("2026-06",)], numbers).in_columns(adds)
    assert found.numbers == {
        "unused": [Decimal(1000)],
        "held": [Decimal(600)],
        "used": [Decimal(400)],
    }


def test_rows_of_two_sheets_come_one_after_the_other() -> None:
    """The total, and the months."""
    total = Sheet([("total",)], {"sold": [Decimal(5)]})
    month = Sheet([("2026-06",)], {"sold": [Decimal(5)]})
    assert total.and_rows_of(month) == Sheet(
        [("total",), ("2026-06",)], {"sold": [Decimal(5), Decimal(5)]}
    )


def test_sums_and_negatives_pass_over_what_is_none_or_zero() -> None:
    """None where nothing was added at all."""
    one = [Decimal(1), None, None, Decimal(0)]
    other = [Decimal(2), Decimal(3), None, Decimal(4)]
    assert summed([one, other]) == [Decimal(3), Decimal(3), None, Decimal(4)]
    assert summed([one]) == one
    assert [str(each) for each in negative(one)] == ["-1", "None", "None", "0"]
