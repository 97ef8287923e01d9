"""The release pattern: rates by age, and what they say of the months to come, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from beancount_compute.reports.books import Selection
from beancount_compute.reports.remaining import BEYOND, Aged, ages, project
from tests.reports.showing import books_of

LAST = date(2026, 6, 30)
# April's 100.00: used 10.00 in April, 27.00 in May, 21.00 in June. May's 100.00: 30.00 in June.
LEDGER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-04-01 custom "compute-allocation" "alice" 100 CU 100.00 USD
2026-04-05 custom "compute-consumption" "alice" 10 CU
2026-05-05 custom "compute-consumption" "alice" 27 CU
2026-05-06 custom "compute-allocation" "bob" 100 CU 100.00 USD
2026-06-05 custom "compute-consumption" "alice" 21 CU
2026-06-06 custom "compute-consumption" "bob" 40 CU
  id: "forty"
2026-06-07 custom "compute-reversal" "forty"
2026-06-08 custom "compute-consumption" "bob" 30 CU
2026-07-01 custom "compute-allocation" "bob" 100 CU 100.00 USD
"""


def aged(months: int) -> dict[int, Aged]:
    return ages_of(LEDGER, months)


def ages_of(ledger: str, months: int) -> dict[int, Aged]:
    books, until = books_of(ledger), Selection(end=LAST)
    return ages(until.movements(books), until.incomes(books), LAST, months)


def test_rates_are_of_all_vintages_at_one_age() -> None:
    """Age 0: 10.00 of 200.00. Age 1: 27.00 of 90.00 and 30.00 of 100.00. Age 2: 21.00 of 63.00."""
    assert aged(12) == {
        0: Aged(Decimal("200.00"), Decimal("10.00")),
        1: Aged(Decimal("190.00"), Decimal("57.00")),
        2: Aged(Decimal("63.00"), Decimal("21.00")),
    }


def test_only_the_last_months_are_looked_at() -> None:
    """June alone: May's vintage at one month, April's at two."""
    assert aged(1) == {
        1: Aged(Decimal("100.00"), Decimal("30.00")),
        2: Aged(Decimal("63.00"), Decimal("21.00")),
    }


@pytest.mark.parametrize(
    ("since", "end", "expected"),
    [
        # 90.00 are one month old next month: 27.00, then a third of 63.00; nothing older was seen,
        # so 42.00 stay to the end in October, four months ahead
        (date(2026, 6, 3), date(2026, 10, 15), {1: 27, 2: 21, 4: 42}),
        (date(2026, 6, 3), None, {1: 27, 2: 21, BEYOND: 42}),
        (date(2026, 6, 3), date(2026, 8, 1), {1: 27, 2: 63}),
        (date(2026, 5, 3), None, {1: 30, BEYOND: 60}),
        (date(2026, 1, 3), date(2028, 6, 30), {24: 90}),
        (date(2026, 1, 3), None, {BEYOND: 90}),
    ],
)
def test_what_is_left_is_released_at_the_end(
    since: date, end: date | None, expected: dict[int | None, int]
) -> None:
    """90.00 by its age, as far as the pattern goes and the lot lives."""
    assert dict(project(Decimal("90.00"), since, end, LAST, aged(12))) == expected


def test_reversals_make_no_rate_below_nothing_or_above_all() -> None:
    """What came back in a month may be more than what went."""
    assert Aged(Decimal(100), Decimal(-5)).rate == Fraction(0)
    assert Aged(Decimal(100), Decimal(105)).rate == Fraction(1)


LEFT_OTHERWISE = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-option" "as-of" 2026-06-30
2026-05-01 custom "compute-allocation" "alice" 100 CU 100.00 USD
  expires: 2026-06-25
2026-06-05 custom "compute-consumption" "alice" 10 CU
2026-06-06 custom "compute-refund" "alice" 20 CU
2026-06-07 custom "compute-spend" "alice" "shop" 30 CU 24.00 USD
"""


def test_refunds_and_settlements_are_no_release() -> None:
    """Of May's 100.00, in June: 10.00 used, 6.00 partner income (30.00 less 24.00), and the 40.00
    that were left lapse: 56.00. Open are 56.00 as well: 100.00 less 20.00 refunded, 24.00 settled.
    """
    whole = {1: Aged(Decimal("56.00"), Decimal("56.00"))}
    assert ages_of(LEFT_OTHERWISE, 1) == whole


def test_of_what_stays_open_only_the_part_recognised_counts() -> None:
    """Without an end the 40.00 stay: 16.00 of 56.00 are released."""
    endless = LEFT_OTHERWISE.replace("  expires: 2026-06-25\n", "")
    assert ages_of(endless, 1) == {1: Aged(Decimal("56.00"), Decimal("16.00"))}


def test_a_month_of_refunds_alone_releases_nothing() -> None:
    """20.00 of 100.00 refunded: nothing of 80.00; all refunded: there is no such age."""
    used = '2026-06-05 custom "compute-consumption" "alice" 10 CU\n'
    spent = '2026-06-07 custom "compute-spend" "alice" "shop" 30 CU 24.00 USD\n'
    refunds = LEFT_OTHERWISE.replace(used, "").replace(spent, "")
    endless = refunds.replace("  expires: 2026-06-25\n", "")
    assert ages_of(endless, 1) == {1: Aged(Decimal("80.00"), Decimal("0"))}
    assert ages_of(endless.replace(" 20 CU", " 100 CU"), 1) == {}
