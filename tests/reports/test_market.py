"""The market of the story and of a few trades, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount_compute.reports.books import Selection
from tests.reports.story import HEAD, STORY, books_of, figures, rows

# 100 at 0.20 and 300 at 0.25 on 1 February: gross 20.00 and 75.00, 0.2375 on average; 50 at 0.30
# on 2 March. Fees are 5 % of each: 1.00, 3.75, 0.75. Alice brought 1000 tokens.
TRADES = HEAD + (
    '2026-01-01 custom "compute-option" "seller-fee" 0.05\n'
    '2026-01-01 custom "compute-allocation" "alice" 1000 CU 200.00 USD\n'
    '2026-01-01 custom "compute-grant" "bob" 1 CU\n'
    '2026-02-01 custom "compute-trade" "alice" "bob" 100 CU 0.20 USD\n  id: "a"\n'
    '2026-02-01 custom "compute-trade" "alice" "bob" 300 CU 0.25 USD\n  id: "b"\n'
    '2026-03-02 custom "compute-trade" "alice" "bob" 50 CU 0.30 USD\n  id: "c"\n'
)
PRICES = ("low", "price", "high")


def test_the_months_of_a_market() -> None:
    """Price 95.00 / 400; take rate 4.75 / 95.00; turnover 400 of 1000 tokens."""
    february, march = rows(books_of(TRADES), "market", "by-month")
    assert (february["month"], february["trades"]) == ("2026-02", 2)
    assert figures(february) == {
        "units": "400",
        "gross": "95.00",
        "price": "0.2375",
        "low": "0.20",
        "high": "0.25",
        "fees": "4.75",
        "take_rate": "0.05",
        "outstanding": "1000",
        "turnover": "0.4",
    }
    assert (march["trades"], march["high"]) == (1, march["low"])


def test_days_have_their_own_rows() -> None:
    """Two days with trades; tokens outstanding are those of the day's end."""
    books = books_of(TRADES + '2026-03-01 custom "compute-consumption" "bob" 101 CU\n')
    first, second = rows(books, "market", "by-day")
    assert (first["date"], second["date"]) == ("2026-02-01", "2026-03-02")
    assert (first["outstanding"], second["outstanding"]) == (1000, 900)


def test_the_story_has_one_trade() -> None:
    """500 at 0.25; of the 800 tokens minted 400 are used by the end of June."""
    (june,) = rows(books_of(STORY), "market", "by-month")
    assert figures(june) == {
        "units": "500",
        "gross": "125.00",
        "price": "0.25",
        "low": "0.25",
        "high": "0.25",
        "fees": "6.25",
        "take_rate": "0.05",
        "outstanding": "400",
        "turnover": "1.25",
    }


def test_the_average_price_is_of_written_prices_not_of_rounded_gross() -> None:
    """1 CU at 0.333: the gross is 0.33, the price stays 0.333."""
    books = books_of(TRADES + '2026-04-01 custom "compute-trade" "alice" "bob" 1 CU 0.333 USD\n')
    *_, april = rows(books, "market", "by-month")
    assert (f"{april['gross']:f}", f"{april['price']:f}") == ("0.33", "0.333")


def test_a_reversed_trade_is_taken_out_when_it_is_reversed() -> None:
    """In February it still counts, but not for prices; March has 1 - 1 trades, and one price."""
    books = books_of(TRADES + '2026-03-05 custom "compute-reversal" "a"\n')
    february, march = rows(books, "market", "by-month")
    assert (february["trades"], february["gross"]) == (2, 95)
    assert [february[key] for key in PRICES] == [Decimal("0.25")] * 3
    assert march["trades"] == 0
    assert figures(march) == {
        "units": "-50",
        "gross": "-5.00",
        "price": "0.30",
        "low": "0.30",
        "high": "0.30",
        "fees": "-0.25",
        "take_rate": "0.05",
        "outstanding": "1000",
        "turnover": "-0.05",
    }


def test_a_day_keeps_the_price_of_trades_that_were_all_reversed_later() -> None:
    """`c` was the only one of 2 March; its reversal on the 5th has units, but no price."""
    books = books_of(TRADES + '2026-03-05 custom "compute-reversal" "c"\n')
    _, second, fifth = rows(books, "market", "by-day")
    assert [second[key] for key in PRICES] == [Decimal("0.30")] * 3
    assert (fifth["trades"], fifth["units"], fifth["gross"]) == (-1, -50, -15)
    assert [fifth[key] for key in PRICES] == [None] * 3


def test_a_wrong_price_that_was_reversed_on_its_day_is_none() -> None:
    """48.00 a unit, reversed, and sold again at 0.30: the day's prices are 0.30 and `c`'s 0.30."""
    wrong = (
        '2026-03-02 custom "compute-trade" "alice" "bob" 40 CU 48.00 USD\n  id: "wrong"\n'
        '2026-03-02 custom "compute-reversal" "wrong"\n'
    )
    _, march = rows(books_of(TRADES + wrong), "market", "by-month")
    assert (march["trades"], march["gross"]) == (1, 15)
    assert [march[key] for key in PRICES] == [Decimal("0.30")] * 3


def test_a_month_before_the_reversal_is_shown_as_it_was() -> None:
    """February up to its end knows nothing of March's reversal of `a`: 95.00 / 400."""
    books = books_of(TRADES + '2026-03-05 custom "compute-reversal" "a"\n')
    (february,) = rows(books, "market", "by-month", Selection(end=date(2026, 2, 28)))
    assert [str(february[key]) for key in PRICES] == ["0.20", "0.2375", "0.25"]


def test_a_quotient_over_nothing_is_no_figure() -> None:
    """A trade and its reversal in one month leave neither units nor price."""
    books = books_of(TRADES + '2026-03-05 custom "compute-reversal" "c"\n')
    _, march = rows(books, "market", "by-month")
    assert (march["price"], march["take_rate"], march["low"]) == (None, None, None)


def test_a_selection_holds_for_trades_and_for_what_is_outstanding() -> None:
    """Of bob: what he bought, and the 450 tokens he has at the end of March."""
    selection = Selection(date(2026, 3, 1), None, "bob")
    (march,) = rows(books_of(TRADES), "market", "by-month", selection)
    assert (march["units"], march["outstanding"]) == (50, 450)
