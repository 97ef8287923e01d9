"""Figures of the books beside those of scenarios, worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.ledger.errors import Errors
from beancount_compute.reports import Table
from beancount_compute.scenarios import (
    CannotCompare,
    DaysAsked,
    PartedBy,
    WhatIf,
    read_scenarios,
    what_if,
)
from beancount_compute.scenarios.compared import reason_of
from tests.close.sealing import close, write
from tests.economy.building import day
from tests.two_bills_year import YEAR

# alice: 200.00 a month for 1000 CU; of May 200 are used (40.00), 800 become tokens (160.00), of
# which bob buys 500 for 125.00, with a fee of 6.25, and uses 400 of June (80.00).
BOOKS = """plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-option" "as-of" 2026-06-30
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  token-expires: "12 months"
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-05-01 custom "compute-subscription" "alice" "pro"
2026-05-20 custom "compute-consumption" "alice" 200 CU
2026-06-01 custom "compute-subscriber" "bob"
2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD
2026-06-20 custom "compute-consumption" "bob" 400 CU
"""


def compared(
    ledger: Path, scenario: str = "", days: DaysAsked | None = None, by: str = "all"
) -> WhatIf:
    path = ledger.parent / "s.beancount"
    path.write_text(scenario)
    loaded, errors = load(ledger), Errors()
    scenarios = read_scenarios(loaded.booked, [("s", str(path))], errors)
    assert errors.found == []
    days = days or DaysAsked()
    return what_if(loaded.booked, loaded.entries, scenarios, days, PartedBy(by))


def books(tmp_path: Path, text: str = BOOKS, more: str = "") -> Path:
    ledger = tmp_path / "main.beancount"
    ledger.write_text(text + more)
    return ledger


def figures(found: WhatIf, of: int = 0) -> list[str]:
    """The rows of a table, without the name of the scenario."""
    table: Table = found.tables()[of]
    return [" | ".join(str(cell) for cell in row[1:]) for row in table.rows]


def test_half_a_price_halves_what_is_used_and_deferred(tmp_path: Path) -> None:
    """From June on: May's units keep 0.20, June's cost 0.10; only the latter are deferred less."""
    found = compared(books(tmp_path), '2026-06-01 custom "compute-scale" "plan-price" 0.50\n')
    assert figures(found) == [
        "revenue of use | USD | 120.00 | 120.00 | 0.00",
        "fees | USD | 6.25 | 6.25 | 0.00",
        "deferred revenue at the end | USD | 280.00 | 180.00 | -100.00",
    ]
    assert figures(found, 1) == [
        "Assets:Receivable | USD | 525.00 | 425.00 | -100.00",
        "Income:Compute | USD | -120.00 | -120.00 | 0.00",
        "Income:Fees | USD | -6.25 | -6.25 | 0.00",
        "Liabilities:DeferredRevenue:Allocations | USD | -200.00 | -100.00 | 100.00",
        "Liabilities:DeferredRevenue:Tokens | USD | -80.00 | -80.00 | 0.00",
        "Liabilities:Payable | USD | -118.75 | -118.75 | 0.00",
    ]
    assert figures(found, 2) == []
    assert found.refused_of(0) == ["s: nothing is refused."]


def test_a_plan_of_the_scenario_holds_from_its_first_line_on(tmp_path: Path) -> None:
    """Nothing is minted of it: 800 CU of May lapse (160.00), and alice has none to sell."""
    found = compared(books(tmp_path), '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n')
    assert figures(found) == [
        "revenue of use | USD | 120.00 | 40.00 | -80.00",
        "breakage | USD | 0.00 | 160.00 | 160.00",
        "fees | USD | 6.25 | 0.00 | -6.25",
        "deferred revenue at the end | USD | 280.00 | 200.00 | -80.00",
    ]
    sells, uses = figures(found, 2)
    place = tmp_path / "main.beancount"
    assert sells == (
        f'"..." sells ... CU and holds ... CU in tokens, and ... CU in allocations, which stay '
        f"with their subscriber until a mint | 0 | 1 | 1 | {place}:11 | "
        '"alice" sells 500 CU and holds 0 CU in tokens, and 1000 CU in allocations, which stay '
        "with their subscriber until a mint: write a later date, or a top-up before it"
    )
    assert uses.startswith(f'"..." uses ... CU and holds ... CU | 0 | 1 | 1 | {place}:12 | "bob"')
    assert len(found.refused_of(0)) == 2
    assert found.refused_of(0)[1].startswith(f"s: 1 refused (0 in the books), such as {place}:12: ")


def test_a_minimum_and_later_invoices_are_replayed(tmp_path: Path) -> None:
    """750 x 0.02 = 15.00 of May: at use without a minimum; with one of 40.00, 25.00 are short, and
    all of it is invoiced behind the period, as 20.00 of June are not yet."""
    ledger = books(
        tmp_path,
        """plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-option" "as-of" 2026-06-20
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.02 USD
2026-05-15 custom "compute-subscription" "alice" "payg"
2026-05-20 custom "compute-consumption" "alice" 750 CU
2026-06-20 custom "compute-consumption" "alice" 1000 CU
""",
    )
    keys = '  overage: 0.02 USD\n  bill: "period"\n  minimum: 40.00 USD\n'
    found = compared(ledger, f'2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU\n{keys}')
    assert figures(found) == [
        "overage | USD | 35.00 | 35.00 | 0.00",
        "breakage | USD | 0.00 | 25.00 | 25.00",
    ]
    assert figures(found, 1) == [
        "Assets:Receivable | USD | 35.00 | 40.00 | 5.00",
        "Assets:Unbilled | USD | 0.00 | 20.00 | 20.00",
        "Income:Breakage | USD | 0.00 | -25.00 | -25.00",
        "Income:Overage | USD | -35.00 | -35.00 | 0.00",
    ]


def test_a_policy_is_replayed(tmp_path: Path) -> None:
    """Other fees from the first day on."""
    scenario = (
        '2026-01-01 custom "compute-option" "seller-fee" 0.10\n'
        '2026-01-01 custom "compute-option" "buyer-fee" 0.02\n'
    )
    found = compared(books(tmp_path), scenario)
    assert "fees | USD | 6.25 | 15.00 | 8.75" in figures(found)


def test_figures_come_by_month_and_of_the_days_asked_for(tmp_path: Path) -> None:
    """What is earned is of the days, what is deferred is at their end."""
    scenario = '2026-05-01 custom "compute-scale" "plan-price" 2\n'
    found = compared(books(tmp_path), scenario, by="month")
    assert figures(found) == [
        "2026-05 | revenue of use | USD | 40.00 | 80.00 | 40.00",
        "2026-05 | deferred revenue at the end | USD | 160.00 | 320.00 | 160.00",
        "2026-06 | revenue of use | USD | 80.00 | 160.00 | 80.00",
        "2026-06 | fees | USD | 6.25 | 6.25 | 0.00",
        "2026-06 | deferred revenue at the end | USD | 280.00 | 560.00 | 280.00",
    ]
    june = DaysAsked(day("2026-06-01"), day("2026-06-19"))
    found = compared(books(tmp_path), scenario, june)
    assert figures(found) == [
        "fees | USD | 6.25 | 6.25 | 0.00",
        "deferred revenue at the end | USD | 360.00 | 720.00 | 360.00",
    ]
    assert "Assets:Receivable | USD | 525.00 | 925.00 | 400.00" in figures(found, 1)
    assert not any("Income:Compute" in row for row in figures(found, 1))


def test_some_months_of_all_are_what_is_booked_for_their_days(tmp_path: Path) -> None:
    """Income of the months, balances at their end; by month too."""
    ledger = books(tmp_path)
    scenario = '2026-05-01 custom "compute-scale" "plan-price" 2\n'
    for first, last, days in (
        ("2026-06", "2026-06", DaysAsked(day("2026-06-01"), day("2026-06-30"))),
        ("2026-05", "2026-05", DaysAsked(day("2026-05-01"), day("2026-05-31"))),
        ("2026-07", "2026-09", DaysAsked(day("2026-07-01"), day("2026-09-30"))),
    ):
        for by in ("all", "month", "plan"):
            asked = compared(ledger, scenario, days, by)
            within = compared(ledger, scenario, None, by).within(first, last)
            assert within.tables() == asked.tables()
            assert within.months == asked.months
    assert asked.months == []


def test_scenarios_stand_side_by_side(tmp_path: Path) -> None:
    """A figure that one of them has is shown of all; a margin is shown of all or none."""
    found = compared(books(tmp_path), '2026-06-01 custom "compute-scale" "plan-price" 0.50\n')
    costs = (
        '2026-01-01 custom "compute-meter" "chat"\n  units: 1 CU\n  cost: 0.05 USD\n'
        '  provider: "openai"\n2026-01-01 custom "compute-option" "meter" "chat"\n'
    )
    other = compared(books(tmp_path), costs)
    both = found._replace(scenarios=[*found.scenarios, *other.scenarios])
    figures, accounts = both.side_by_side()
    assert [column.title for column in figures.columns] == [
        *("figure", "currency", "books", "s", "difference", "s", "difference"),
    ]
    assert len({column.key for column in figures.columns}) == len(figures.columns)
    assert [" | ".join(str(cell) for cell in row) for row in figures.rows] == [
        "revenue of use | USD | 120.00 | 120.00 | 0.00 | 120.00 | 0.00",
        "first bill | USD | 0.00 | 0.00 | 0.00 | 30.00 | 30.00",
        "margin | USD | 120.00 | 120.00 | 0.00 | 90.00 | -30.00",
        "fees | USD | 6.25 | 6.25 | 0.00 | 6.25 | 0.00",
        "deferred revenue at the end | USD | 280.00 | 180.00 | -100.00 | 280.00 | 0.00",
    ]
    rows = {row[0]: row[2:] for row in accounts.rows}
    assert [str(cell) for cell in rows["Assets:Receivable"]] == [
        *("525.00", "425.00", "-100.00", "525.00", "0.00"),
    ]


def test_figures_come_by_plan(tmp_path: Path) -> None:
    """A top-up is one of its own; a fee is of the plan whose lots moved."""
    more = '2026-06-02 custom "compute-allocation" "bob" 100 CU 30.00 USD\n'
    found = compared(books(tmp_path, more=more), by="plan")
    assert figures(found) == [
        "pro | revenue of use | USD | 120.00 | 120.00 | 0.00",
        "pro | fees | USD | 6.25 | 6.25 | 0.00",
        "pro | deferred revenue at the end | USD | 280.00 | 280.00 | 0.00",
        "top-up | deferred revenue at the end | USD | 30.00 | 30.00 | 0.00",
    ]


def test_a_posting_by_hand_takes_its_lot_at_the_scenario_s_cost(tmp_path: Path) -> None:
    """100 CU that cost 20.00 in the books and 10.00 here: 10.00 stand in a row of their own, and
    all accounts still add up to nothing."""
    more = """2026-06-25 * "alice" "Settled"
  Liabilities:DeferredRevenue:Allocations:Alice  100 CU {0.20 USD, 2026-06-01, "pro/2026-07-01"}
  Income:Other  -20.00 USD
"""
    more = f"2026-01-01 open Income:Other\n{more}"
    scenario = '2026-06-01 custom "compute-scale" "plan-price" 0.50\n'
    found = compared(books(tmp_path, more=more), scenario)
    assert figures(found)[-2:] == [
        "deferred revenue at the end | USD | 260.00 | 170.00 | -90.00",
        "hand-written postings at another cost | USD | 0.00 | -10.00 | -10.00",
    ]
    rows = found.tables()[1].rows
    assert (rows[-1][1], *rows[-1][3:]) == (
        "hand-written postings at another cost",
        Decimal(0),
        Decimal(10),
        Decimal(10),
    )
    assert sum(row[-1] for row in rows if isinstance(row[-1], Decimal)) == 0
    (refused,) = figures(
        compared(
            books(tmp_path, more=more), '2026-06-01 custom "compute-plan" "pro" 9.00 USD 90 CU\n'
        ),
        2,
    )
    assert refused.startswith("... CU {...} is no open lot; open lots of")


def test_what_is_written_by_hand_on_money_stays(tmp_path: Path) -> None:
    """A payment stands in the books and under a scenario."""
    more = """2026-01-01 open Assets:Bank
2026-06-15 * "alice" "Paid"
  Assets:Receivable:Alice  -200.00 USD
  Assets:Bank  200.00 USD
"""
    found = compared(
        books(tmp_path, more=more), '2026-06-01 custom "compute-scale" "plan-price" 2\n'
    )
    assert "Assets:Receivable | USD | 325.00 | 525.00 | 200.00" in figures(found, 1)
    assert not any("Bank" in row for row in figures(found, 1))


BILLS = """2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.40 USD
  provider: "llama"
2026-01-01 custom "compute-provider" "other"
2026-06-02 custom "compute-bill" "llama" 10.00 USD
2026-06-03 custom "compute-bill" "other" 5.00 USD
2026-07-02 custom "compute-bill" "llama" 20.00 USD
"""

CHAT = """2026-06-15 custom "compute-meter" "chat"
  units: {units}
  cost: {cost}
  provider: "{provider}"
"""
PRO = '2026-05-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'


@pytest.mark.parametrize(
    ("scenario", "bill"),
    [
        ('2026-06-01 custom "compute-scale" "cost" "llama" 2\n', "15.00"),
        ('2026-06-30 custom "compute-scale" "cost" 2\n', "15.00"),
        ('2026-07-01 custom "compute-scale" "cost" "chat" 2\n', "35.00"),
        ('2026-05-31 custom "compute-scale" "use" "chat" 2\n', "5.00"),
        ('2026-05-31 custom "compute-scale" "use" 2\n', "5.00"),
        ('2026-05-15 custom "compute-option" "meter" "chat"\n', "245.00"),
        ('2026-06-15 custom "compute-provider" "llama"\n  beyond: 1.00 USD\n', "15.00"),
        (CHAT.format(units="1 CU", cost="1 USD", provider="x"), "15.00"),
        (CHAT.format(units="2 CU", cost="0.40 USD", provider="llama"), "15.00"),
        (CHAT.format(units="1 CU", cost="0.40 USD", provider="llama"), "35.00"),
        (PRO + '  unused: "mint"\n  meter: "chat"\n', "85.00"),
    ],
)
def test_bills_for_days_of_another_cost_are_left_out(
    tmp_path: Path, scenario: str, bill: str
) -> None:
    """llama's for May (10.00) or June (20.00); the other's stands, and none is another's. Where
    uses fall to the meter by default, 600 units, or alice's 200, cost 0.40 each."""
    found = compared(books(tmp_path, more=BILLS), scenario)
    (row,) = [each for each in figures(found) if each.startswith("first bill")]
    assert row.startswith(f"first bill | USD | 35.00 | {bill} | ")
    left_out = [each for each in figures(found, 2) if each.startswith("the bill of")]
    count = {"35.00": 0, "15.00": 1}.get(bill, 2)
    assert [each.split(" | ")[2] for each in left_out] == [str(count)] * bool(count)


def test_provider_s_figures_stand_apart(tmp_path: Path) -> None:
    more = BILLS + (
        '2026-07-03 custom "compute-consumption" "bob"\n  meter: "chat"\n  quantity: 50\n'
        '2026-05-21 custom "compute-purchase" "other" 10 OTH 5.00 USD\n  expires: 2026-06-01\n'
    )
    found = compared(books(tmp_path, more=more), by="provider")  # July's period begins, too
    assert figures(found) == [
        "(none) | revenue of use | USD | 120.00 | 120.00 | 0.00",
        "(none) | margin | USD | 120.00 | 120.00 | 0.00",
        "(none) | fees | USD | 6.25 | 6.25 | 0.00",
        "(none) | deferred revenue at the end | USD | 470.00 | 470.00 | 0.00",
        "llama | revenue of use | USD | 10.00 | 10.00 | 0.00",
        "llama | first bill | USD | 50.00 | 50.00 | 0.00",
        "llama | margin | USD | -40.00 | -40.00 | 0.00",
        "other | first bill | USD | 10.00 | 10.00 | 0.00",  # a bill, and what lapsed
        "other | of it lapsed credits | USD | 5.00 | 5.00 | 0.00",
        "other | margin | USD | -10.00 | -10.00 | 0.00",
    ]


def test_closed_months_are_booked_again_under_the_scenario(tmp_path: Path) -> None:
    """May is closed; its units cost half from May on all the same, and its state is left aside."""
    text = BOOKS.split("\n", 2)[2]
    ledger = write(tmp_path, text)
    close(ledger, "2026-05")
    found = compared(ledger, '2026-05-01 custom "compute-scale" "plan-price" 0.50\n')
    assert figures(found)[0] == "revenue of use | USD | 120.00 | 60.00 | -60.00"


def test_books_that_their_events_don_t_give_are_not_compared(tmp_path: Path) -> None:
    """A closed month was booked at another price than the ledger has now, which is an error."""
    ledger = write(tmp_path, BOOKS.split("\n", 2)[2])
    close(ledger, "2026-05")
    ledger.write_text(ledger.read_text().replace("200.00 USD", "300.00 USD"))
    with pytest.raises(CannotCompare, match=r"^the books are not what their events give again, .*"):
        compared(ledger)


def test_a_scenario_under_which_nothing_can_be_booked_says_so(tmp_path: Path) -> None:
    """The plan begins after all events."""
    ledger = tmp_path / "main.beancount"
    text = BOOKS.replace('2026-06-01 custom "compute-subscriber" "bob"\n', "")
    ledger.write_text(text)
    found = compared(ledger, '2026-01-01 custom "compute-plan" "pro" 100000000.00 USD 3 CU\n')
    assert found.nothing_booked() == []
    empty = found._replace(
        scenarios=[(each, run._replace(entries=0)) for each, run in found.scenarios]
    )
    (message,) = empty.nothing_booked()
    assert message.startswith('under scenario "s" nothing can be booked: ')


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('"a: b" uses 80.5 CU and holds 1 CU: write', '"..." uses ... CU and holds ... CU'),
        ('5 CU {0.20 USD, 2026-05-01, "pro/x"} is no open lot: x', "... CU {...} is no open lot"),
        ("2026-05-01 lies behind gpt-4: x", "... lies behind gpt-4"),
    ],
)
def test_a_reason_holds_no_names_and_figures(message: str, reason: str) -> None:
    assert reason_of(message) == reason


def test_both_bills_stand_between_revenue_and_margin(tmp_path: Path) -> None:
    """4,800.00 over 48 months are 100.00 in June; twice as much under the scenario. llama's
    capacity, so that it is llama's figure."""
    more = (
        '2026-06-01 custom "compute-capacity" "gpu" 4800.00 USD\n'
        '  provider: "llama"\n  life: "48 months"\n'
        '2026-01-01 custom "compute-provider" "llama"\n'
        '2026-06-03 custom "compute-bill" "llama" 5.00 USD\n'
    )
    scenario = more.replace("4800", "9600").split("2026-01-01")[0]
    ledger = books(tmp_path, more=more)
    assert figures(compared(ledger, scenario))[:5] == [
        "revenue of use | USD | 120.00 | 120.00 | 0.00",
        "first bill | USD | 5.00 | 5.00 | 0.00",
        "margin | USD | 115.00 | 115.00 | 0.00",
        "second bill | USD | 100.00 | 200.00 | 100.00",
        "margin after both | USD | 15.00 | -85.00 | -100.00",
    ]
    of_llama = [row for row in figures(compared(ledger, by="provider")) if row.startswith("llama")]
    assert of_llama == [
        "llama | first bill | USD | 5.00 | 5.00 | 0.00",
        "llama | margin | USD | -5.00 | -5.00 | 0.00",
        "llama | second bill | USD | 100.00 | 100.00 | 0.00",
        "llama | margin after both | USD | -105.00 | -105.00 | 0.00",
    ]


STATED = """2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.40 USD
  provider: "llama"
2026-01-01 custom "compute-provider" "other"
2026-06-20 custom "compute-cost" "llama" 12.34 USD
  meter: "chat"
"""


@pytest.mark.parametrize(
    ("scenario", "cost"),
    [
        ('2026-06-20 custom "compute-scale" "cost" 2\n', "24.68"),
        ('2026-06-21 custom "compute-scale" "cost" 2\n', "12.34"),
        ('2026-06-01 custom "compute-scale" "use" 2\n', "12.34"),
        (CHAT.format(units="1 CU", cost="0.80 USD\n  per: 10", provider="llama"), "2.47"),
        (CHAT.format(units="1 CU", cost="0.80 USD", provider="other"), "0.00"),
        (CHAT.format(units="1 CU", cost="0.80 OAI", provider="llama"), "0.00"),
    ],
)
def test_a_stated_cost_is_multiplied_as_the_list_is(
    tmp_path: Path, scenario: str, cost: str
) -> None:
    """0.80 for 10 is a fifth of 0.40: 2.468, rounded as it would have been. Where there is no such
    factor it is left out, and counted."""
    found = compared(books(tmp_path, more=STATED), scenario)
    (row,) = [each for each in figures(found) if each.startswith("first bill")]
    assert row.startswith(f"first bill | USD | 12.34 | {cost} | ")
    left_out = [each for each in figures(found, 2) if each.startswith("the cost of")]
    assert len(left_out) == (cost == "0.00")


def test_a_bill_with_a_flaw_keeps_it(tmp_path: Path) -> None:
    """It is refused as it was in the books."""
    more = BILLS.replace("2026-07-02", "2026-06-04") + "  to: 2026-06-30\n"
    found = compared(books(tmp_path, more=more), '2026-06-01 custom "compute-scale" "cost" 2\n')
    (refused,) = figures(found, 2)
    assert " | 1 | 1 | 0 | " in refused


def test_uses_of_a_scaled_meter_cost_what_they_would(tmp_path: Path) -> None:
    """400 CU at 0.40: 160.00; 440 CU are 176.00, and take their units by the default meter too."""
    meter = STATED.split("2026-06-20")[0]
    more = meter + '2026-06-02 custom "compute-option" "meter" "chat"\n'
    scenario = '2026-06-10 custom "compute-scale" "use" "chat" 1.1\n'
    found = compared(books(tmp_path, more=more), scenario)
    assert figures(found)[:3] == [
        "revenue of use | USD | 120.00 | 128.00 | 8.00",
        "first bill | USD | 160.00 | 176.00 | 16.00",
        "margin | USD | -40.00 | -48.00 | -8.00",
    ]


def test_the_year_that_fits_a_screen(tmp_path: Path) -> None:
    """June's price falls to 60.00 by a line or by a scale: its use earns 30.00, the margin is
    10.00. Had openai not been swapped, its credits would have served June too."""
    line = '2026-06-01 custom "compute-plan" "wrap" 60.00 USD 100 CU\n'
    ledger = books(tmp_path, YEAR)
    for scenario in (line, '2026-06-01 custom "compute-scale" "plan-price" "wrap" 0.5\n'):
        found = compared(ledger, scenario, by="month")
        assert figures(found) == [
            "2026-05 | revenue of use | USD | 96.00 | 96.00 | 0.00",
            "2026-05 | first bill | USD | 80.00 | 80.00 | 0.00",
            "2026-05 | margin | USD | 16.00 | 16.00 | 0.00",
            "2026-05 | margin after both | USD | 16.00 | 16.00 | 0.00",
            "2026-05 | deferred revenue at the end | USD | 24.00 | 24.00 | 0.00",
            "2026-06 | revenue of use | USD | 60.00 | 30.00 | -30.00",
            "2026-06 | first bill | USD | 20.00 | 20.00 | 0.00",
            "2026-06 | margin | USD | 40.00 | 10.00 | -30.00",
            "2026-06 | second bill | USD | 100.00 | 100.00 | 0.00",
            "2026-06 | margin after both | USD | -60.00 | -90.00 | -30.00",
            "2026-06 | breakage | USD | 24.00 | 24.00 | 0.00",
            "2026-06 | deferred revenue at the end | USD | 60.00 | 30.00 | -30.00",
        ]
    stays = YEAR.split("2026-06-01")[0].split("100 CU\n")[1]
    found = compared(ledger, stays, by="provider")
    assert [row for row in figures(found) if " bill | " in row] == [
        "llama | first bill | USD | 20.00 | 0.00 | -20.00",
        "llama | second bill | USD | 100.00 | 100.00 | 0.00",
        "openai | first bill | USD | 80.00 | 130.00 | 50.00",
    ]


def test_bills_by_plan_are_shared_out_to_who_was_served(tmp_path: Path) -> None:
    """As in `report margin`: bob's plan has 30 of 110 units of May, so that its first bill is 30.00
    of 110.00; of June's capacity alice's plan bears all. A variance is of no plan."""
    more = (
        '2026-01-01 custom "compute-plan" "small" 60.00 USD 50 CU\n'
        '2026-05-01 custom "compute-subscription" "bob" "small"\n'
        '2026-05-20 custom "compute-consumption" "bob" 30 CU\n'
        '2026-06-03 custom "compute-bill" "llama" 1.00 USD\n'
    )
    scenario = '2026-05-01 custom "compute-scale" "cost" 0.5\n'
    found = compared(books(tmp_path, YEAR, more), scenario, by="plan")
    assert figures(found) == [
        "(none) | first bill | USD | 1.00 | 1.00 | 0.00",
        "(none) | margin | USD | -1.00 | -1.00 | 0.00",
        "(none) | margin after both | USD | -1.00 | -1.00 | 0.00",
        "small | revenue of use | USD | 36.00 | 36.00 | 0.00",
        "small | first bill | USD | 30.00 | 15.00 | -15.00",
        "small | margin | USD | 6.00 | 21.00 | 15.00",
        "small | margin after both | USD | 6.00 | 21.00 | 15.00",
        "small | breakage | USD | 24.00 | 24.00 | 0.00",
        "small | deferred revenue at the end | USD | 60.00 | 60.00 | 0.00",
        "wrap | revenue of use | USD | 156.00 | 156.00 | 0.00",
        "wrap | first bill | USD | 100.00 | 50.00 | -50.00",
        "wrap | margin | USD | 56.00 | 106.00 | 50.00",
        "wrap | second bill | USD | 100.00 | 100.00 | 0.00",
        "wrap | margin after both | USD | -44.00 | 6.00 | 50.00",
        "wrap | breakage | USD | 24.00 | 24.00 | 0.00",
        "wrap | deferred revenue at the end | USD | 60.00 | 60.00 | 0.00",
    ]
    june = DaysAsked(day("2026-06-01"), day("2026-06-30"))
    found = compared(books(tmp_path, YEAR, more), scenario, june, by="plan")
    assert "wrap | first bill | USD | 20.00 | 10.00 | -10.00" in figures(found)
    assert not any(row.startswith("small | first bill") for row in figures(found))


def test_days_behind_all_bookings_have_balances_only(tmp_path: Path) -> None:
    """By month, too: there is none, so that they stand beside no month."""
    days = DaysAsked(day("2026-08-01"))
    found = compared(books(tmp_path), days=days, by="month")
    assert figures(found) == ["(none) | deferred revenue at the end | USD | 280.00 | 280.00 | 0.00"]


def test_a_provider_that_asks_double_draws_twice_the_credits(tmp_path: Path) -> None:
    """80 units cost 160 OAI of 200; tripled, 40 are missing, and the scenario says so."""
    ledger = books(tmp_path, YEAR)
    scale = '2026-05-01 custom "compute-scale" "cost" "openai" {}\n'
    found = compared(ledger, scale.format(2), by="provider")
    assert "openai | first bill | USD | 80.00 | 160.00 | 80.00" in figures(found)
    found = compared(ledger, scale.format(3), by="provider")
    assert "openai | first bill | USD | 80.00 | 200.00 | 120.00" in figures(found)
    (refused,) = figures(found, 2)
    assert refused.startswith(
        '... use of "..." on ... took ... OAI more than are held of "..." | 0'
    )


def test_opening_lots_keep_their_cost(tmp_path: Path) -> None:
    """Whatever the plan costs there: 300 CU at 0.15 are used first, then 100 of May's at half."""
    more = """2026-01-01 open Equity:Opening-Balances
2026-04-30 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Allocations:Alice  -300 CU {0.15 USD, 2026-04-01, "pro/2026-05-25"}
  Equity:Opening-Balances  45.00 USD
2026-05-21 custom "compute-consumption" "alice" 200 CU
"""
    scenario = '2026-01-01 custom "compute-scale" "plan-price" 0.50\n'
    found = compared(books(tmp_path, more=more), scenario, by="month")
    assert figures(found)[1] == "2026-05 | revenue of use | USD | 65.00 | 55.00 | -10.00"


def test_draw_down_and_unused_are_replayed(tmp_path: Path) -> None:
    """Bob has 100 CU bought dearly at 1.00 and then 500 of the trade at 0.20; the dearest first."""
    more = '2026-06-02 custom "compute-allocation" "bob" 100 CU 100.00 USD\n'
    scenario = '2026-01-01 custom "compute-option" "draw-down" "hifo"\n'
    found = compared(books(tmp_path, more=more), scenario)
    assert figures(found)[0] == "revenue of use | USD | 120.00 | 200.00 | 80.00"
    assert "deferred revenue at the end | USD | 380.00 | 300.00 | -80.00" in figures(found)


def test_a_posting_that_the_books_refuse_is_refused_under_any_scenario(tmp_path: Path) -> None:
    """It names a cost that no lot has, there or here; what is written stays written."""
    more = """2026-01-01 open Income:Other
2026-06-25 * "alice" "Settled"
  Liabilities:DeferredRevenue:Allocations:Alice  100 CU {0.30 USD, 2026-06-01, "pro/2026-07-01"}
  Income:Other  -30.00 USD
"""
    ledger = books(tmp_path, more=more)
    for scenario in ("", '2026-06-01 custom "compute-scale" "plan-price" 0.5\n'):
        found = compared(ledger, scenario)
        (refused,) = figures(found, 2)
        assert refused.startswith("... CU {...} is no open lot; open lots of")
        assert " | 1 | 1 | 0 | " in refused
        assert not any("hand-written" in row for row in figures(found))


def test_credits_that_are_used_up_can_t_be_taken_by_hand(tmp_path: Path) -> None:
    """120 OAI are left, and 30 of them taken; at thrice the cost none is left, so that the posting
    is refused, and its 30.00 stand in the row of their own."""
    more = """2026-01-01 open Expenses:Gift
2026-05-25 * "openai" "Given away"
  Assets:Prepaid:Openai  -30 OAI {1.00 USD, 2026-05-01, "openai/2027-05-01"}
  Expenses:Gift  30.00 USD
"""
    ledger = books(tmp_path, YEAR, more)
    found = compared(ledger, '2026-05-01 custom "compute-scale" "cost" "openai" 2.5\n')
    assert "Assets:Prepaid | USD | 90.00 | 0.00 | -90.00" in figures(found, 1)
    assert "hand-written postings at another cost | USD | 0.00 | 30.00 | 30.00" in figures(found)
    assert sum(row[-1] for row in found.tables()[1].rows if isinstance(row[-1], Decimal)) == 0


# Of May's 200.00, all used, 20.00 are refunded and 30.00 charged back. The change of 21 June is as
# its invoice says: 100.00 more.
BACK = """plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-option" "as-of" 2026-06-30
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-plan" "max" 500.00 USD 3000 CU
2026-05-01 custom "compute-subscription" "alice" "pro"
  id: "s"
2026-05-20 custom "compute-consumption" "alice" 1000 CU
2026-05-21 custom "compute-refund" "alice" 20.00 USD
  of: "s/2026-05-01"
2026-05-22 custom "compute-chargeback" "s/2026-05-01" 30.00 USD
2026-06-21 custom "compute-change" "alice" "pro" "max"
  charge: 166.67 USD
  credit: 66.67 USD
"""


def test_money_back_and_the_invoice_of_a_change_go_with_the_price(tmp_path: Path) -> None:
    """All of it times 1.10: at 220.00 and 550.00 so is what is refunded, charged back and billed:
    200.00 of use; 100.00 unbilled, and 300.00 deferred, are 110.00 and 330.00."""
    found = compared(books(tmp_path, BACK), '2026-01-01 custom "compute-scale" "plan-price" 1.10\n')
    assert figures(found) == [
        "revenue of use | USD | 200.00 | 220.00 | 20.00",
        "refunds | USD | -20.00 | -22.00 | -2.00",
        "disputes | USD | -30.00 | -33.00 | -3.00",
        "deferred revenue at the end | USD | 300.00 | 330.00 | 30.00",
    ]
    assert "Assets:Unbilled | USD | 100.00 | 110.00 | 10.00" in figures(found, 1)
    assert found.refused() == []
