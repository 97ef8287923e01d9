"""Trades far from the median of the 30 days before."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beancount_compute.review.prices import Window
from tests.review.looking import findings, lines

HELD = """\
2026-01-01 custom "compute-allocation" "ann" 10000 CU 1000.00 USD
2026-01-01 custom "compute-allocation" "bob" 10000 CU 1000.00 USD
2026-01-01 custom "compute-allocation" "ann" 1000 GPU 1000.00 USD
2026-01-01 custom "compute-subscriber" "cy"
"""  # lines 3 to 6


def trade(day: str, price: str, units: str = "40 CU", extra: str = "") -> str:
    return f'{day} custom "compute-trade" "ann" "cy" {units} {price}\n{extra}'


def test_a_total_typed_as_the_price_of_a_unit_is_found(tmp_path: Path) -> None:
    """48.00 is 40 times the median 1.20 of three trades; as a total it would be 1.20 a unit."""
    before = trade("2026-05-02", "1.10 USD") + trade("2026-05-10", "1.20 USD")
    before += trade("2026-05-11", "1.30 USD")
    (found,) = findings(tmp_path, HELD + before + trade("2026-05-20", "48.00 USD"), "2026-05")
    assert (found.kind, found.month, found.place.line) == ("price", "2026-05", 10)
    assert found.text == (
        "40 CU at 48 USD: 40 times the median of the 30 days before, 1.2 USD in 3 trades; "
        "if 48 USD is the total, the price is 48 / 40"
    )
    assert [(each.name, each.number, each.unit) for each in found.figures] == [
        ("price", Decimal(48), "USD"),
        ("median", Decimal("1.2"), "USD"),
        ("trades", Decimal(3), ""),
    ]


@pytest.mark.parametrize(
    ("price", "told"),
    [("3.00", False), ("3.01", True), ("0.34", False), ("0.33", True), ("1.00", False)],
)
def test_the_band_ends_at_a_factor_of_three(tmp_path: Path, price: str, told: bool) -> None:
    """The median is 1.00: up to 3.00 and down to a third is within."""
    text = HELD + trade("2026-05-02", "1.00 USD") + trade("2026-05-20", f"{price} USD")
    assert lines(findings(tmp_path, text, "2026-05")) == [("price", 8)] * told


def test_the_option_says_how_wide_the_band_is(tmp_path: Path) -> None:
    """With 2, a price of 2.50 is out of it; from its day on."""
    option = '2026-05-15 custom "compute-option" "price-band" 2\n'
    text = HELD + option + trade("2026-05-02", "1.00 USD")
    text += trade("2026-05-10", "2.50 USD") + trade("2026-05-20", "4.00 USD")
    assert lines(findings(tmp_path, text, "2026-05")) == [("price", 10)]  # the median is 1.75


@pytest.mark.parametrize(
    "before",
    [
        "",
        trade("2026-04-19", "1.00 USD"),  # 31 days before
        trade("2026-05-10", "1.00 USD", "40 GPU"),  # another unit
        trade("2026-05-10", "1.00 EUR"),  # another currency
        trade("2026-05-10", "1.00 USD", extra='  id: "t1"\n')
        + '2026-05-11 custom "compute-reversal" "t1"\n',
    ],
    ids=["the first one", "31 days", "another unit", "another currency", "reversed"],
)
def test_nothing_to_compare_with_says_nothing(tmp_path: Path, before: str) -> None:
    """The first trade ever, or of its unit and currency within 30 days."""
    assert findings(tmp_path, HELD + before + trade("2026-05-20", "48.00 USD"), "2026-05") == []


def test_thirty_days_before_count(tmp_path: Path) -> None:
    """A trade of 20 April is compared with on 20 May."""
    text = HELD + trade("2026-04-20", "1.00 USD") + trade("2026-05-20", "48.00 USD")
    assert lines(findings(tmp_path, text, "2026-05")) == [("price", 8)]


def test_what_is_reversed_within_the_month_is_no_finding(tmp_path: Path) -> None:
    """The mistake was mended; reversed in June, it still stands at the end of May."""
    text = HELD + trade("2026-05-02", "1.20 USD")
    text += trade("2026-05-20", "48.00 USD", extra='  id: "t2"\n')
    assert findings(tmp_path, text + '2026-05-28 custom "compute-reversal" "t2"\n', "2026-05") == []
    later = text + '2026-06-01 custom "compute-reversal" "t2"\n'
    assert lines(findings(tmp_path, later, "2026-05")) == [("price", 8)]


def test_an_id_rests_on_the_trade_alone(tmp_path: Path) -> None:
    """Another median, another line, other events: the same id; another price: another one."""
    (one,) = findings(
        tmp_path,
        HELD + trade("2026-05-02", "1.20 USD") + trade("2026-05-20", "48.00 USD"),
        "2026-05",
    )
    (same,) = findings(
        tmp_path,
        HELD
        + trade("2026-05-20", "48.00 USD")
        + trade("2026-05-02", "1.20 USD")
        + trade("2026-05-03", "1.40 USD")
        + '2026-05-04 custom "compute-consumption" "bob" 3 CU\n',
        "2026-05",
    )
    (other,) = findings(
        tmp_path,
        HELD + trade("2026-05-02", "1.20 USD") + trade("2026-05-20", "48.01 USD"),
        "2026-05",
    )
    assert one.id == same.id != other.id
    assert one.place != same.place


@given(st.lists(st.integers(1, 9).map(Decimal), min_size=1, max_size=20))
def test_the_median_of_a_window_is_that_of_its_prices(prices: list[Decimal]) -> None:
    """Whatever was taken in and left out before."""
    for first, last in combinations(range(len(prices) + 1), 2):
        window = Window(prices)
        for at in range(last):
            window.add(at)
        for at in range(first):
            window.drop(at)
        assert window.median == median(prices[first:last])
