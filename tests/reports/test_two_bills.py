"""Price and both bills a unit, and what is even, worked out by hand."""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.reports.books import Selection
from beancount_compute.reports.tables import Cell
from beancount_compute.reports.two_bills import two_bills
from tests.reports.showing import books_of
from tests.reports.test_margin import SEVERAL
from tests.reports.test_served import ALL, CHAT, GPU, HEAD, YEAR, uses

Rows = dict[tuple[Cell, ...], dict[str, str]]


def bills(
    ledger: str, name: str, wished: str | None = None, selection: Selection | None = None
) -> Rows:
    """A table of the report: by its labels the figures, those that there are none of left out."""
    report = two_bills(Decimal(wished) if wished else None)
    (table,) = report.tables(books_of(ledger), selection or Selection(), name)
    assert not table.totals  # prices of different months add up to nothing
    keys = [column.key for column in table.columns[3:]]
    return {
        row[:3]: {
            key: str(cell) for key, cell in zip(keys, row[3:], strict=True) if cell is not None
        }
        for row in table.rows
    }


def test_the_year_on_one_screen() -> None:
    """Sold at 1.20: above what openai asked, and 1.20 below what llama and the machine cost."""
    assert bills(YEAR, "unit") == {
        ("2026-05", "CU", "USD"): {
            "units": "80",
            "price": "1.20",
            "first": "1.00",
            "second": "0.00",
            "both": "1.00",
            "above_first": "0.20",
            "above_second": "1.20",
            "above_both": "0.20",
        },
        ("2026-06", "CU", "USD"): {
            "units": "50",
            "price": "1.20",
            "first": "0.40",
            "second": "2.00",
            "both": "2.40",
            "above_first": "0.80",
            "above_second": "-0.80",
            "above_both": "-1.20",
        },
    }


def test_break_even_and_the_price_at_a_wished_margin() -> None:
    """100.00 / (1.20 - 0.40) = 125 units; or 2.40 for the 50 there were. At 40 % of the price May's
    1.00 is 60 % of 1.666667, June's 2.40 of 4.00."""
    june = {"units": "50", "break_even_units": "125", "price": "1.20", "break_even_price": "2.40"}
    may = {"units": "80", "break_even_units": "0", "price": "1.20", "break_even_price": "1.00"}
    assert bills(YEAR, "break-even") == {
        ("2026-05", "CU", "USD"): may,
        ("2026-06", "CU", "USD"): june,
    }
    assert bills(YEAR, "break-even", "0.4") == {
        ("2026-05", "CU", "USD"): may | {"wished_price": "1.666667"},
        ("2026-06", "CU", "USD"): june | {"wished_price": "4.00"},
    }
    assert two_bills().layouts(books_of(YEAR), Selection())[1].figures[-1].key == "idle_share"


def test_no_number_of_units_pays_for_a_price_below_the_first_bill() -> None:
    """Sold at 1.20, served at 1.30 and on a machine."""
    found = bills(YEAR.replace("0.40 USD", "1.30 USD"), "break-even")["2026-06", "CU", "USD"]
    assert found == {"units": "50", "price": "1.20", "break_even_price": "3.30"}


def test_the_idle_share_is_of_what_can_be_served() -> None:
    """30 of 500 CU: 94 %; its part of the second bill is a cost of those 30 all the same. In a
    month in which nobody is served all is idle, and a unit has no price."""
    ledger = HEAD + CHAT + ALL + GPU + uses("2026-05-20 alice 30")
    assert bills(ledger, "break-even") == {
        ("2026-05", "CU", "USD"): {
            "units": "30",
            "break_even_units": "500",  # 100.00 / (1.20 - 1.00)
            "price": "1.20",
            "break_even_price": "4.333333",
            "idle_share": "0.94",
        },
        ("2026-06", "CU", "USD"): {"units": "0", "idle_share": "1"},
    }
    assert set(bills(ledger, "unit")) == {("2026-05", "CU", "USD")}
    of_alice = bills(ledger, "break-even", selection=Selection(subscriber="alice"))
    assert of_alice["2026-05", "CU", "USD"]["break_even_price"] == "1.20"  # 1.00 + 6.00 / 30


def test_overage_and_what_rounding_leaves_are_of_the_units() -> None:
    """120.00 + 100.00 for 150 units; 3 x 0.333333 are 1.00; a lapsed one, a variance and a cost
    without a use are no unit's."""
    ledger = HEAD + CHAT + ALL
    found = bills(ledger + uses("2026-05-20 alice 150"), "unit")["2026-05", "CU", "USD"]
    assert (found["price"], found["first"]) == ("1.466667", "1.00")
    ledger = ledger.replace("1.00 USD", "0.333333 USD")
    ledger += uses("2026-05-20 alice 1", "2026-05-20 bob 1", "2026-05-20 carol 1")
    ledger += '2026-05-22 custom "compute-cost" "openai" 5.00 USD\n  meter: "chat"\n'
    ledger += '2026-06-02 custom "compute-bill" "openai" 7.00 USD\n'
    assert bills(ledger, "unit")["2026-05", "CU", "USD"]["first"] == "0.333333"
    traced = bills(ledger, "break-even")["2026-05", "CU", "USD"]
    assert traced["break_even_price"] == "0.333333"


def test_what_is_earned_in_one_currency_and_costs_another_is_not_compared() -> None:
    """euro's 100 CU earn EUR and cost USD; a top-up of 10 does both in USD; GPU-H the other way
    round. Uses of no meter are not there."""
    found = bills(SEVERAL, "unit")
    assert found == {
        ("2026-05", "CU", "EUR"): {"units": "100", "price": "0.80", "second": "0.00"},
        ("2026-05", "CU", "USD"): {
            "units": "110",
            "price": "0.90",
            "first": "0.50",
            "second": "0.00",
        },
        ("2026-06", "GPU-H", "EUR"): {"units": "4", "first": "0.40"},
        ("2026-06", "GPU-H", "USD"): {"units": "4", "price": "1.00", "second": "0.00"},
    }
    assert "break_even_price" not in bills(SEVERAL, "break-even", "0.1")["2026-05", "CU", "USD"]


def test_capacity_paid_in_another_currency_is_not_compared() -> None:
    """120.00 EUR for 30 CU that earn and cost USD."""
    ledger = HEAD + CHAT + ALL + GPU.replace("4800.00 USD", "5760.00 EUR")
    ledger += uses("2026-05-20 alice 30")
    found = bills(ledger.replace("06-30", "05-31"), "unit")
    assert found == {
        ("2026-05", "CU", "EUR"): {"units": "30", "second": "4.00"},
        ("2026-05", "CU", "USD"): {"units": "30", "price": "1.20", "first": "1.00"},
    }


def test_what_only_capacity_serves_has_no_first_bill() -> None:
    """A meter of a provider with capacity needs no cost: 100.00 for 30."""
    ledger = HEAD.replace("06-30", "05-31") + CHAT.replace("  cost: 1.00 USD\n", "") + ALL + GPU
    found = bills(ledger + uses("2026-05-20 alice 30"), "unit")["2026-05", "CU", "USD"]
    assert (found["first"], found["both"], found["above_both"]) == ("0.00", "3.333333", "-2.133333")


def test_uses_that_nobody_is_named_to_serve_are_left_out() -> None:
    """A meter without a provider measures, and has no bill."""
    ledger = HEAD + CHAT.replace('  cost: 1.00 USD\n  provider: "openai"\n', "") + ALL
    assert bills(ledger + uses("2026-05-20 alice 30"), "unit") == {}
