"""Deferred revenue by interval, what is held, and income compared, on the story by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount import loader

from beancount_compute.fava_extension.prepared.narrowing import Filter, narrow
from beancount_compute.fava_extension.prepared.overview import (
    deferred_within,
    held_on,
    income_compared,
    income_within,
    moved_in_all,
)
from beancount_compute.reports.books import Selection, read_books
from beancount_compute.reports.intervals import Interval
from tests.fava_extension.prepared.story_books import story

TOKENS_OF_ALICE = "Liabilities:DeferredRevenue:Tokens:Alice"


def numbers(*texts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, texts))


def test_deferred_revenue_by_month() -> None:
    """May: 400.00 paid, 1200 CU used; June: 400.00 more, 1400 CU used. Mints move nothing."""
    _, summed = story()
    table = deferred_within(summed, Selection(), Interval.MONTH)
    assert table.rows == [
        ("2026-05", "USD", *numbers("0.00", "400.00", "-240.00", "0.00", "160.00")),
        ("2026-06", "USD", *numbers("160.00", "400.00", "-280.00", "0.00", "280.00")),
    ]


def test_days_of_the_selection_open_with_what_was_held() -> None:
    """From 1 June, 400.00 more: 280.00 used on the 20th; weeks without a move are there, those
    behind the end of the books are not.
    """
    _, summed = story()
    days = Selection(date(2026, 6, 1), date(2026, 6, 30))
    table = deferred_within(summed, days, Interval.WEEK)
    assert [row[0] for row in table.rows] == ["2026-W23", "2026-W24", "2026-W25"]
    assert table.rows[0][2:] == numbers("160.00", "400.00", "0.00", "0.00", "560.00")
    assert table.rows[1][2:] == numbers("560.00", "0.00", "0.00", "0.00", "560.00")
    assert table.rows[2][2:] == numbers("560.00", "0.00", "-280.00", "0.00", "280.00")


def test_in_units() -> None:
    """2000 CU a month come, 1200 and 1400 go."""
    _, summed = story()
    table = deferred_within(summed, Selection(), Interval.QUARTER, in_units=True)
    assert table.rows == [("2026-Q2", "CU", *numbers("0", "4000", "-2600", "0", "1400"))]


def test_of_one_account_what_moves_comes_and_goes() -> None:
    """Alice's tokens: 800 minted on 1 June, 500 sold on the 10th, at 0.20."""
    books, summed = story()
    kept = narrow(books, summed, Filter(accounts=frozenset([TOKENS_OF_ALICE])))
    table = deferred_within(kept, Selection(), Interval.DAY)
    assert [row for row in table.rows if row[3] or row[5]] == [
        ("2026-06-01", "USD", *numbers("0.00", "160.00", "0.00", "0.00", "160.00")),
        ("2026-06-10", "USD", *numbers("160.00", "0.00", "0.00", "-100.00", "60.00")),
    ]


def test_what_is_held() -> None:
    """1000 CU of alice's June and 400 tokens, at 0.20; a token is worth 0.25, an allocation not."""
    _, summed = story()
    table = held_on(summed, Selection())
    assert table.rows == [
        ("allocations", "CU", "USD", *numbers("1000", "200.00"), None, None),
        ("tokens", "CU", "USD", *numbers("400", "80.00", "0.25", "100.00")),
        ("total", "CU", "USD", *numbers("1400", "280.00", "0.25", "100.00")),
    ]


def test_without_a_price_there_is_no_market_value() -> None:
    """Before the first trade."""
    _, summed = story()
    table = held_on(summed, Selection(end=date(2026, 5, 31)))
    assert [row[5:] for row in table.rows] == [(None, None)] * len(table.rows)


def test_income_of_each_month_and_of_all() -> None:
    """As the story has it; a month without any stands there too."""
    _, summed = story()
    names = ["2026-05", "2026-06", "2026-07"]
    table = income_within(summed, Selection(), Interval.MONTH, names)
    none = "0.00"
    assert table.rows == [
        ("2026-05", "USD", *numbers("240.00", none, none, none, none, "240.00")),
        ("2026-06", "USD", *numbers("280.00", none, "6.25", none, none, "286.25")),
        ("2026-07", "USD", *numbers(none, none, none, none, none, none)),
    ]
    assert table.totals == (
        ("total", "USD", *numbers("520.00", none, "6.25", none, none, "526.25")),
    )
    assert not income_within(summed, Selection(plan="nope"), Interval.MONTH, names).rows


def test_deferred_revenue_in_all_begins_with_the_first_and_ends_with_the_last() -> None:
    """800.00 paid, 520.00 used."""
    _, summed = story()
    table = deferred_within(summed, Selection(), Interval.MONTH)
    (total,) = moved_in_all(table)
    assert total[:4] == ("total", "USD", *numbers("0.00", "800.00"))
    assert total[4] == Decimal("-520.00")
    assert total[-1] == Decimal("280.00")
    assert moved_in_all(table._replace(rows=table.rows[:1])) == ()


def test_income_of_june_against_may() -> None:
    """Use 280.00 against 240.00, a fee of 6.25 against none."""
    _, summed = story()
    june = Selection(date(2026, 6, 1), date(2026, 6, 30))
    may = Selection(date(2026, 5, 1), date(2026, 5, 31))
    assert income_compared(summed, june, may).rows == [
        ("compute", "USD", *numbers("280.00", "240.00", "40.00")),
        ("breakage", "USD", *numbers("0.00", "0.00", "0.00")),
        ("fees", "USD", *numbers("6.25", "0.00", "6.25")),
        ("total", "USD", *numbers("286.25", "240.00", "46.25")),
    ]


def test_access_is_held_at_its_carrying_amount() -> None:
    """Of 90.00 from 20 May 30.00 is earned on 31 May; access has no market price."""
    entries, errors, options = loader.load_string(
        'plugin "beancount_compute"\noption "operating_currency" "USD"\n'
        '2026-01-01 custom "compute-plan" "seat" 90.00 USD\n  every: "quarter"\n'
        '  access-by: "even-month"\n'
        '2026-01-01 custom "compute-option" "as-of" 2026-05-31\n'
        '2026-05-20 custom "compute-subscription" "ann" "seat"\n'
    )
    assert errors == []
    assert held_on(read_books(entries, options), Selection()).rows == [
        (each, "ACCESS-USD", "USD", *numbers("60.00", "60.00"), None, None)
        for each in ("access", "total")
    ]
