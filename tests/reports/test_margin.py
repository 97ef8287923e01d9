"""Margin by what it may be asked for, worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from beancount_compute.reports.books import Selection
from beancount_compute.reports.margin import MARGIN
from tests.reports.showing import Shown, books_of, figures
from tests.reports.test_served import ALL, CHAT, GPU, HEAD, YEAR, uses


def margin(ledger: str, table: str, selection: Selection | None = None) -> Shown:
    return figures(MARGIN, books_of(ledger), selection or Selection(), table)


MAY = {"use": "96.00", "first": "80.00", "margin": "16.00", "margin_rate": "0.166667"}
JUNE = {"use": "60.00", "first": "20.00", "margin": "40.00", "margin_rate": "0.666667"}


def test_the_year_on_one_screen() -> None:
    """Sold at 1.20, bought at 1.00, then at 0.40 and on a machine of 100.00 a month; 20 CU of May
    lapse, and no bill stands against them."""
    assert margin(YEAR, "units-by-month") == {
        ("2026-05", "", "CU"): {"units": "80"},
        ("2026-06", "", "CU"): {"units": "50"},
    }
    may, june = MAY | {"after_both": "16.00"}, JUNE | {"second": "100.00", "after_both": "-60.00"}
    found = margin(YEAR, "money-by-month")
    assert found == {
        ("2026-05", "", "USD"): may,
        ("2026-06", "", "USD"): june | {"breakage": "24.00"},
    }
    assert margin(YEAR, "money-by-provider") == {
        ("", "", "USD"): {"breakage": "24.00"},
        ("llama", "", "USD"): june,
        ("openai", "", "USD"): may,
    }
    assert margin(YEAR, "money-by-vintage") == {
        ("2026-05", "", "USD"): may | {"breakage": "24.00"},
        ("2026-06", "", "USD"): june,
    }
    both = {"use": "156.00", "first": "100.00", "margin": "56.00", "margin_rate": "0.358974"}
    both |= {"second": "100.00", "after_both": "-44.00"}
    for name, who in (("plan", "wrap"), ("subscriber", "alice")):
        assert margin(YEAR, f"money-by-{name}") == {(who, "", "USD"): both | {"breakage": "24.00"}}
    assert margin(YEAR, "money-by-meter")["chat", "", "USD"] == both


def test_a_price_that_halves_leaves_a_quarter_of_the_margin() -> None:
    """60.00 for 100 CU from June on: 30.00 less 20.00."""
    ledger = YEAR + '2026-06-01 custom "compute-plan" "wrap" 60.00 USD 100 CU\n'
    june = margin(ledger, "money-by-month")["2026-06", "", "USD"]
    assert (june["use"], june["margin"], june["after_both"]) == ("30.00", "10.00", "-90.00")


def test_credits_that_lapse_are_a_loss_of_their_own() -> None:
    """120 of 200 credits are left on 1 May 2027."""
    ledger = YEAR.replace("2026-06-30", "2027-05-01")
    lapsed = {"first": "120.00", "margin": "-120.00", "after_both": "-120.00"}
    assert margin(ledger, "money-by-month")["2027-05", "lapsed credits", "USD"] == lapsed
    assert margin(ledger, "money-by-provider")["openai", "lapsed credits", "USD"] == lapsed
    assert margin(ledger, "money-by-plan")["", "lapsed credits", "USD"] == lapsed


THREE = uses("2026-05-20 alice 1", "2026-05-20 bob 1", "2026-05-20 carol 1")


def test_what_rounding_leaves_is_of_all_that_is_alike_but_whose_it_is() -> None:
    """3 x 0.333333 of 1.00; by who was served it has a line of its own."""
    ledger = HEAD.replace("06-30", "05-31") + CHAT.replace("1.00 USD", "0.333333 USD") + ALL + THREE
    of_all = {"month": "2026-05", "meter": "chat", "provider": "openai", "plan": "wrap"}
    for name, of in {**of_all, "vintage": "2026-05"}.items():
        found = margin(ledger, f"money-by-{name}")
        assert (of, "rounding", "USD") not in found
        assert found[of, "", "USD"]["first"] == "1.00"
    found = margin(ledger, "money-by-subscriber")
    assert found["", "rounding", "USD"]["first"] == "0.000001"
    assert found["bob", "", "USD"]["first"] == "0.333333"


def test_what_rounding_leaves_of_two_plans_is_of_neither() -> None:
    """1.00 by 1, 1 and 1 CU of three plans: 0.333333 each, by plan and by vintage."""
    plans = "".join(
        f'2026-01-01 custom "compute-plan" "{name}" 120.00 USD 100 CU\n' for name in ("one", "two")
    )
    ledger = HEAD.replace("06-30", "05-31") + CHAT.replace("1.00 USD", "0.333333 USD") + plans
    ledger += ALL.replace('"alice" "wrap"', '"alice" "one"').replace('"bob" "wrap"', '"bob" "two"')
    found = margin(ledger + THREE, "money-by-plan")
    assert found["", "rounding", "USD"]["first"] == "0.000001"
    assert [found[name, "", "USD"]["first"] for name in ("one", "two", "wrap")] == ["0.333333"] * 3


def test_idle_capacity_a_variance_and_a_cost_without_use_have_lines_of_their_own() -> None:
    """30 of 500 CU served: 6.00 of 100.00, 94.00 idle; 5.00 stated for nothing, 2.50 more billed
    than 30.00 + 5.00."""
    ledger = HEAD.replace("06-30", "06-02") + CHAT + ALL + GPU + uses("2026-05-20 alice 30")
    ledger += '2026-05-22 custom "compute-cost" "openai" 5.00 USD\n  meter: "chat"\n'
    ledger += '2026-06-02 custom "compute-bill" "openai" 37.50 USD\n'
    assert margin(ledger, "units-by-month") == {
        ("2026-05", "", "CU"): {"units": "30"},
        ("2026-05", "idle", "CU"): {"idle": "470"},
    }
    breakage = {("2026-06", "", "USD"): {"breakage": "324.00"}}
    assert margin(ledger, "money-by-month") == breakage | {
        ("2026-05", "", "USD"): {
            "use": "36.00",
            "first": "30.00",
            "margin": "6.00",
            "margin_rate": "0.166667",
            "second": "6.00",
        },
        ("2026-05", "idle", "USD"): {"second": "94.00", "after_both": "-94.00"},
        ("2026-05", "no use", "USD"): {"first": "5.00", "margin": "-5.00", "after_both": "-5.00"},
        ("2026-06", "variance", "USD"): {"first": "2.50", "margin": "-2.50", "after_both": "-2.50"},
    }
    by_meter = margin(ledger, "money-by-meter")
    assert by_meter["chat", "no use", "USD"]["first"] == "5.00"
    assert by_meter["", "idle", "USD"]["second"] == "94.00"
    of_alice = margin(ledger, "money-by-month", Selection(subscriber="alice"))
    assert {line for _, line, _ in of_alice} == {""}
    assert margin(ledger, "units-by-month", Selection(plan="wrap")) == {
        ("2026-05", "", "CU"): {"units": "30"}
    }
    in_june = Selection(date(2026, 6, 1), date(2026, 6, 30))
    assert set(margin(ledger, "money-by-month", in_june)) == {
        ("2026-06", "", "USD"),
        ("2026-06", "variance", "USD"),
    }
    assert margin(ledger, "units-by-month", in_june) == {}


def test_overage_is_earned_by_use_too() -> None:
    """100 of the plan and 50 beyond at 2.00: 120.00 + 100.00 less 150 at 1.00."""
    found = margin(HEAD + CHAT + ALL + uses("2026-05-20 alice 150"), "money-by-vintage")
    assert found["", "", "USD"] == {
        "overage": "100.00",
        "first": "50.00",
        "margin": "50.00",
        "margin_rate": "0.5",
        "after_both": "50.00",
    }
    assert found["2026-05", "", "USD"]["margin"] == "20.00"
    units = margin(HEAD + CHAT + ALL + uses("2026-05-20 alice 150"), "units-by-month")
    assert units == {("2026-05", "", "CU"): {"units": "150", "beyond": "50"}}


SEVERAL = """\
plugin "beancount_compute"
option "operating_currency" "USD"
option "operating_currency" "EUR"
2026-01-01 custom "compute-option" "as-of" 2026-06-30
2026-01-01 custom "compute-plan" "euro" 80.00 EUR 100 CU
2026-01-01 custom "compute-plan" "two" 90.00 USD 100 CU
2026-06-01 custom "compute-plan" "two" 10.00 USD 10 GPU-H
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.50 USD
  provider: "openai"
2026-01-01 custom "compute-meter" "hours"
  units: 1 GPU-H
  cost: 0.40 EUR
  provider: "metal"
2026-05-01 custom "compute-subscription" "alice" "euro"
2026-05-01 custom "compute-subscription" "bob" "two"
2026-05-10 custom "compute-allocation" "alice" 10 CU 9.00 USD
2026-05-20 custom "compute-consumption" "alice" 110 CU
  meter: "chat"
2026-05-20 custom "compute-consumption" "bob" 90 CU
2026-06-20 custom "compute-consumption" "bob" 4 GPU-H
  meter: "hours"
"""


def test_currencies_and_units_stand_apart() -> None:
    """alice uses 100 CU of euro (80.00 EUR) and a top-up of 10 (9.00 USD), which cost 55.00 USD;
    bob's plan sells CU (81.00 USD, of no meter), then GPU-H: 4.00 USD, which cost 1.60 EUR."""
    assert margin(SEVERAL, "units-by-plan") == {
        ("euro", "", "CU"): {"units": "100"},
        ("top-up", "", "CU"): {"units": "10"},
        ("two", "", "CU"): {"units": "90"},
        ("two", "", "GPU-H"): {"units": "4"},
    }
    found = margin(SEVERAL, "money-by-plan")
    assert {key: (each.get("use"), each.get("first")) for key, each in found.items()} == {
        ("euro", "", "EUR"): ("80.00", None),
        ("euro", "", "USD"): (None, "50.00"),
        ("top-up", "", "USD"): ("9.00", "5.00"),
        ("two", "", "EUR"): (None, "1.60"),
        ("two", "", "USD"): ("85.00", None),
    }
    by_meter = margin(SEVERAL, "money-by-meter")
    assert {key: (each.get("use"), each.get("first")) for key, each in by_meter.items()} == {
        ("", "", "USD"): ("81.00", None),
        ("chat", "", "EUR"): ("80.00", None),
        ("chat", "", "USD"): ("9.00", "55.00"),
        ("hours", "", "EUR"): (None, "1.60"),
        ("hours", "", "USD"): ("4.00", None),
    }
    assert "margin_rate" not in found["euro", "", "USD"]  # there is nothing to be a share of


# Alice and carol pay for use alone, dave has 100 CU and a minimum. Of bob, whose plan has neither,
# the books tell a charge of 3.00, and no units beyond his 100.
NO_METER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.02 USD
  bill: "period"
2026-01-01 custom "compute-plan" "at-once" 0.00 USD 0 CU
  overage: 0.0001 USD
2026-01-01 custom "compute-plan" "least" 20.00 USD 100 CU
  overage: 0.30 USD
  minimum: 9.00 USD
2026-01-01 custom "compute-plan" "pro" 20.00 USD 100 CU
  overage: 0.30 USD
2026-05-01 custom "compute-subscription" "alice" "payg"
2026-05-01 custom "compute-subscription" "bob" "pro"
2026-05-01 custom "compute-subscription" "carol" "at-once"
2026-05-01 custom "compute-subscription" "dave" "least"
2026-05-10 custom "compute-consumption" "alice" 750 CU
2026-05-11 custom "compute-consumption" "alice" 850 CU
  id: "undone"
2026-05-10 custom "compute-consumption" "bob" 110 CU
2026-05-10 custom "compute-consumption" "carol" 7 CU
2026-05-10 custom "compute-consumption" "dave" 60 CU
2026-05-11 custom "compute-consumption" "dave" 60 CU
"""
UNDONE = '2026-05-20 custom "compute-reversal" "undone"\n'


@pytest.mark.parametrize("grain", ["event", "month"])
def test_units_sold_in_arrears_count_without_a_meter(grain: str) -> None:
    """Alice's 1,600, carol's 7, which are charged nothing yet, and dave's 20 beyond 100; where uses
    are merged, too."""
    merged = f'2026-01-01 custom "compute-option" "posting-grain" "{grain}"\n'
    assert margin(NO_METER + merged, "units-by-subscriber") == {
        ("alice", "", "CU"): {"units": "1600", "beyond": "1600"},
        ("bob", "", "CU"): {"units": "100"},
        ("carol", "", "CU"): {"units": "7", "beyond": "7"},
        ("dave", "", "CU"): {"units": "120", "beyond": "20"},
    }


def test_units_that_come_back_are_not_sold() -> None:
    """850 of alice's 1,600; each counts to the plan that charges it, of nothing charged to none."""
    assert margin(NO_METER + UNDONE, "units-by-plan") == {
        ("", "", "CU"): {"units": "7", "beyond": "7"},
        ("least", "", "CU"): {"units": "120", "beyond": "20"},
        ("payg", "", "CU"): {"units": "750", "beyond": "750"},
        ("pro", "", "CU"): {"units": "100"},
    }
