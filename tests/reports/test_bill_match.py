"""Bill-match: uses at the list, what was stated and what was invoiced, worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.reports.bill_match import BILL_MATCH
from beancount_compute.reports.books import Selection, read_books
from beancount_compute.reports.tables import NOT_NAMED
from tests.close.sealing import add, close, load_errors, write
from tests.reports.showing import Shown, added, at_cost, books_of, figures, unexplained

HEAD = """\
plugin "beancount_compute"
option "operating_currency" "USD"
option "operating_currency" "EUR"
2026-01-01 open Equity:Opening
2026-01-01 open Liabilities:Accrued:Llama
2026-01-01 custom "compute-option" "as-of" 2026-07-31
2026-01-01 custom "compute-plan" "pro" 1200.00 USD 1000 CU
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.333 USD
  provider: "llama"
2026-07-01 custom "compute-meter" "chat"
  units: 3 CU
  cost: 1.00 USD
  provider: "llama"
2026-01-01 custom "compute-meter" "pictures"
  units: 2 CU
  cost: 2.00 USD
  provider: "llama"
2026-01-01 custom "compute-meter" "films"
  units: 2 CU
  per: 10
  cost: 25.00 EUR
  provider: "llama"
2026-01-01 custom "compute-meter" "voice"
  units: 1 CU
  cost: 1 OAI
  provider: "openai"
2026-01-01 custom "compute-provider" "openai"
  beyond: 1.10 USD
2026-01-01 custom "compute-provider" "idle"
2026-01-01 custom "compute-option" "meter" "chat"
2026-05-01 custom "compute-subscription" "alice" "pro"
"""
# By the list, May: chat 10, 20 and 4 at 0.333 = 11.322, less the 4 that are undone in June = 9.99;
# pictures 3 at 2.00; films 2 at 2.50 EUR. June: chat 100 at 0.333. July: 10 CU at 1.00 for 3.
# Of 21 May 7.00 is stated where the list has 6.66. Booked in May: 3.33, 7.00, 6.00, 1.33 less 1.33.
USES = """\
2026-05-20 custom "compute-consumption" "alice" 10 CU
2026-05-21 custom "compute-consumption" "alice" 20 CU
2026-05-21 custom "compute-cost" "llama" 7.00 USD
  meter: "chat"
2026-05-22 custom "compute-consumption" "alice"
  meter: "pictures"
  quantity: 3
2026-05-22 custom "compute-consumption" "alice"
  meter: "films"
  quantity: 2
2026-05-24 custom "compute-consumption" "alice" 4 CU
  id: "wrong"
2026-06-03 custom "compute-reversal" "wrong"
2026-06-05 custom "compute-consumption" "alice" 100 CU
2026-07-05 custom "compute-consumption" "alice" 10 CU
"""
MAY, JUNE, JULY = [
    {"listed": "15.99", "booked": "16.33", "stated": "7.00", "booked_less_listed": "0.34"},
    {"listed": "33.30", "booked": "33.30"},
    {"listed": "3.33", "booked": "3.33"},
]
FILMS = {"listed": "5.00", "booked": "5.00"}
LLAMA = ("llama", "USD")
ALL_DAYS = Selection()


def months(ledger: str, selection: Selection = ALL_DAYS) -> Shown:
    return figures(BILL_MATCH, books_of(HEAD + ledger), selection, "months")


def meters(ledger: str) -> Shown:
    return figures(BILL_MATCH, books_of(HEAD + ledger), Selection(), "meters")


def waiting(row: dict[str, str]) -> dict[str, str]:
    """A row of which nothing is billed yet."""
    return {**row, "not_billed": row["booked"]}


def test_uses_by_the_list_and_as_stated() -> None:
    """By the month of their days; a use that is undone in June is gone from May."""
    assert months(USES) == {
        ("2026-05", *LLAMA): {**waiting(MAY), "invoiced_less_listed": "0.34"},
        ("2026-05", "llama", "EUR"): waiting(FILMS),
        ("2026-06", *LLAMA): waiting(JUNE),
        ("2026-07", *LLAMA): waiting(JULY),
    }


def test_a_bill_of_one_month() -> None:
    """17.00 where 16.33 are booked, 15.99 by the list; the 0.67 are of no meter."""
    ledger = USES + '2026-06-10 custom "compute-bill" "llama" 17.00 USD\n'
    assert months(ledger)["2026-05", *LLAMA] == {
        **MAY,
        "invoiced": "17.00",
        "invoiced_less_listed": "1.01",
        "invoiced_less_booked": "0.67",
    }
    found = meters(ledger)
    assert found["2026-05", "llama", NOT_NAMED, "USD"] == {
        "invoiced": "0.67",
        "invoiced_less_listed": "0.67",
        "invoiced_less_booked": "0.67",
    }
    assert found["2026-05", "llama", "pictures", "USD"] == {
        "listed": "6.00",
        "booked": "6.00",
        "invoiced": "6.00",
    }
    assert found["2026-05", "llama", "chat", "USD"]["invoiced"] == "10.33"


def test_a_bill_for_two_months_goes_to_them_as_what_it_clears() -> None:
    """49.63 are accrued for May and June, and 4.00 more are asked: of 4.00 x 16.33 / 49.63 = 1.316
    1.32 for May, 2.68 for June, all of chat."""
    ledger = USES + (
        '2026-07-02 custom "compute-bill" "llama" 53.63 USD\n  from: 2026-05-01\n  to: 2026-06-30\n'
    )
    found = months(ledger)
    assert found["2026-05", *LLAMA]["invoiced"] == "17.65"
    assert found["2026-06", *LLAMA] == {
        **JUNE,
        "invoiced": "35.98",
        "invoiced_less_listed": "2.68",
        "invoiced_less_booked": "2.68",
    }
    assert meters(ledger)["2026-06", "llama", "chat", "USD"]["invoiced"] == "35.98"


def test_a_credit_note_goes_where_its_days_once_cost_something() -> None:
    """May and June are billed; of -4.00 for both -1.32 are for May. Of what nobody ever used, for
    31 days of May and 9 of June: 31.00 and 9.00."""
    ledger = USES + (
        '2026-07-02 custom "compute-bill" "llama" 49.63 USD\n  from: 2026-05-01\n  to: 2026-06-30\n'
        '2026-07-03 custom "compute-bill" "llama" -4.00 USD\n  from: 2026-05-01\n  to: 2026-06-30\n'
        '2026-07-04 custom "compute-bill" "idle" 40.00 USD\n  from: 2026-05-01\n  to: 2026-06-09\n'
    )
    found = months(ledger)
    assert found["2026-05", *LLAMA]["invoiced_less_booked"] == "-1.32"
    assert found["2026-06", *LLAMA]["invoiced_less_booked"] == "-2.68"
    assert found["2026-05", "idle", "USD"]["invoiced"] == "31.00"
    assert found["2026-06", "idle", "USD"]["invoiced"] == "9.00"


def test_bills_say_what_waited_for_them_and_how_many_uses_their_days_had() -> None:
    """An overlapping one clears what is left; a bill for days without uses has none."""
    books = books_of(
        HEAD + USES + '2026-06-02 custom "compute-bill" "llama" 16.33 USD\n  id: "b-1"\n'
        '2026-06-05 custom "compute-bill" "idle" 9.00 USD\n  id: "b-2"\n'
        '2026-07-02 custom "compute-bill" "llama" 30.00 USD\n  id: "b-3"\n'
        "  from: 2026-05-21\n  to: 2026-06-30\n"
    )
    assert figures(BILL_MATCH, books, Selection(), "bills") == {
        ("idle", "2026-06-05", "b-2", "2026-05-01", "2026-05-31", "USD"): {
            "invoiced": "9.00",
            "variance": "9.00",
        },
        ("llama", "2026-06-02", "b-1", "2026-05-01", "2026-05-31", "USD"): {
            "invoiced": "16.33",
            "cleared": "17.66",
            "variance": "-1.33",
            "uses": "4",
        },
        ("llama", "2026-07-02", "b-3", "2026-05-21", "2026-06-30", "USD"): {
            "invoiced": "30.00",
            "cleared": "33.30",
            "variance": "-3.30",
            "uses": "4",
        },
    }
    found = figures(BILL_MATCH, books, Selection(), "months")
    assert found["2026-06", *LLAMA]["invoiced_less_booked"] == "-3.30"
    assert found["2026-05", *LLAMA]["invoiced"] == "16.33"


def test_units_beyond_the_holdings_cost_what_others_do() -> None:
    """1,500 CU of 1,000 that are held, at 0.333."""
    ledger = HEAD.replace("1000 CU\n", "1000 CU\n  overage: 2.00 USD\n", 1)
    ledger += '2026-05-20 custom "compute-consumption" "alice" 1500 CU\n'
    found = figures(BILL_MATCH, books_of(ledger), Selection(), "months")
    assert found == {("2026-05", *LLAMA): waiting({"listed": "499.50", "booked": "499.50"})}


CREDITS = """\
2026-05-01 custom "compute-purchase" "openai" 20 OAI 18.00 USD
  expires: 2026-07-01
2026-05-02 custom "compute-purchase" "openai" 5 OAI 4.00 USD
  id: "typo"
2026-05-03 custom "compute-reversal" "typo"
2026-05-23 custom "compute-consumption" "alice"
  id: "much"
  meter: "voice"
  quantity: 30
2026-06-02 custom "compute-bill" "openai" 12.00 USD
2026-06-07 custom "compute-reversal" "much"
2026-06-09 custom "compute-consumption" "alice"
  meter: "voice"
  quantity: 8
"""


def test_credits_stand_beside() -> None:
    """30 take the 20 that are held and 10 beyond at 1.10, for which 12.00 are billed. Undone, 11.00
    come back as variance and 20 credits; 8 are drawn again, and 12 end (10.80)."""
    books = books_of(HEAD + CREDITS)
    assert figures(BILL_MATCH, books, Selection(), "credits") == {
        ("2026-05", "openai", "OAI"): {"purchased": "20"},
        ("2026-06", "openai", "OAI"): {"listed": "8", "drawn": "8"},
        ("2026-07", "openai", "OAI"): {"lapsed": "12"},
    }
    assert figures(BILL_MATCH, books, Selection(), "prepaid") == {
        ("2026-05", "openai", "USD"): {"purchased": "18.00"},
        ("2026-06", "openai", "USD"): {"drawn": "7.20"},
        ("2026-07", "openai", "USD"): {"lapsed": "10.80"},
    }
    assert figures(BILL_MATCH, books, Selection(), "meters") == {
        ("2026-05", "openai", "voice", "USD"): {
            "invoiced": "12.00",
            "invoiced_less_listed": "12.00",
            "invoiced_less_booked": "12.00",
        }
    }
    may = Selection(end=date(2026, 5, 31))
    assert figures(BILL_MATCH, books, may, "credits")["2026-05", "openai", "OAI"] == {
        "listed": "30",
        "drawn": "20",
        "beyond": "10",
        "purchased": "20",
    }
    assert figures(BILL_MATCH, books, may, "months")["2026-05", "openai", "USD"] == {
        "listed": "11.00",
        "booked": "11.00",
        "not_billed": "11.00",
    }


def test_a_meter_in_credits_may_be_stated_in_money() -> None:
    """8.80 for 30 credits that were never drawn."""
    ledger = CREDITS.split("2026-06-02")[0]
    ledger += '2026-05-23 custom "compute-cost" "openai" 8.80 USD\n  meter: "voice"\n'
    books = books_of(HEAD + ledger)
    found = figures(BILL_MATCH, books, Selection(), "credits")["2026-05", "openai", "OAI"]
    assert found == {"listed": "30", "taken_less_listed": "-30", "purchased": "20"}
    assert figures(BILL_MATCH, books, Selection(), "months")["2026-05", "openai", "USD"] == {
        "stated": "8.80",
        "booked": "8.80",
        "not_billed": "8.80",
        "booked_less_listed": "8.80",
        "invoiced_less_listed": "8.80",
    }


def test_what_comes_late_for_billed_days_is_of_no_meter_where_several_share_it(
    tmp_path: Path,
) -> None:
    """3 of voice and 3 of video draw the 4 credits that are held, and 2 beyond: 2.20."""
    video = (
        '2026-01-01 custom "compute-meter" "video"\n  units: 1 CU\n  cost: 1 OAI\n'
        '  provider: "openai"\n2026-05-01 custom "compute-purchase" "openai" 4 OAI 4.00 USD\n'
        '2026-05-12 custom "compute-bill" "openai" 1.00 USD\n  from: 2026-05-01\n  to: 2026-05-10\n'
    )
    path = write(tmp_path, HEAD.split("\n", 2)[2] + video)
    close(path, "2026-05")
    for name in ("voice", "video"):
        add(path, f'2026-05-10 custom "compute-consumption" "alice"\n  id: "{name}"\n')
        add(path, f'  meter: "{name}"\n  quantity: 3\n')
    assert load_errors(path) == []
    loaded = load(path)
    found = figures(BILL_MATCH, read_books(loaded.entries, loaded.options), ALL_DAYS, "meters")
    assert found["2026-05", "openai", NOT_NAMED, "USD"] == {
        "listed": "2.20",
        "booked": "2.20",
        "invoiced": "1.00",
        "invoiced_less_listed": "-1.20",
        "invoiced_less_booked": "-1.20",
    }


OPENING = """\
2026-04-30 * "llama" "Opening accruals" #compute-opening
  served: 2026-04-20
  accrued: "chat 20.00 USD"
  Liabilities:Accrued:Llama  -20.00 USD
  Equity:Opening              20.00 USD
2026-05-02 custom "compute-bill" "llama" 21.00 USD
"""


def test_costs_of_the_year_before_wait_for_their_bill() -> None:
    """20.00 that the ledger opens with count as listed."""
    assert months(OPENING) == {
        ("2026-04", *LLAMA): {
            "listed": "20.00",
            "booked": "20.00",
            "invoiced": "21.00",
            "invoiced_less_listed": "1.00",
            "invoiced_less_booked": "1.00",
        }
    }


def test_days_select_the_months_of_uses_and_what_was_booked_by_then() -> None:
    """From June on; and as at the end of May, when no use was undone and no bill was there."""
    ledger = USES + '2026-06-10 custom "compute-bill" "llama" 17.66 USD\n'
    june = months(ledger, Selection(date(2026, 6, 1)))
    assert {month for month, *_ in june} == {"2026-06", "2026-07"}
    may = months(ledger, Selection(end=date(2026, 5, 31), subscriber="alice"))
    assert may["2026-05", *LLAMA] == {
        "listed": "17.32",
        "stated": "7.00",
        "booked": "17.66",
        "not_billed": "17.66",
        "booked_less_listed": "0.34",
        "invoiced_less_listed": "0.34",
    }


MERGED = '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
ALL = [
    USES,
    CREDITS,
    USES + CREDITS + OPENING,
    MERGED + USES.replace('2026-06-03 custom "compute-reversal" "wrong"\n', ""),
]


@pytest.mark.parametrize("ledger", ALL)
def test_rows_add_up_to_what_is_booked(ledger: str) -> None:
    """Costs, accruals, variance and what is owed, in each currency; meters as months."""
    bills = (
        '2026-06-12 custom "compute-bill" "llama" 16.00 USD\n'
        '2026-07-12 custom "compute-bill" "llama" 40.00 USD\n  from: 2026-05-22\n  to: 2026-06-30\n'
    )
    books = books_of(HEAD + ledger + bills)
    rows = {name: added(BILL_MATCH, books, name) for name in ("months", "meters", "prepaid")}
    assert rows["months"] == rows["meters"]
    owed = -at_cost(books, "Liabilities:Providers")
    assert rows["months"]["invoiced"] + rows["prepaid"]["purchased"] == owed
    assert rows["months"]["not_billed"] == -at_cost(books, "Liabilities:Accrued")
    assert rows["months"]["invoiced_less_booked"] == at_cost(books, "Expenses:Compute:Variance")
    cost = at_cost(books, "Expenses:Compute:Llama") + at_cost(books, "Expenses:Compute:Openai")
    opened = Decimal(20) if OPENING in ledger else Decimal()
    assert rows["months"]["booked"] + rows["prepaid"]["drawn"] == cost + opened
    assert rows["prepaid"]["lapsed"] == at_cost(books, "Expenses:Compute:Lapsed")


@pytest.mark.parametrize("ledger", ALL)
def test_transactions_add_up_to_each_figure(ledger: str) -> None:
    """Rows and totals, of all tables."""
    bill = '2026-07-12 custom "compute-bill" "llama" 40.01 USD\n  from: 2026-05-22\n'
    books = books_of(HEAD + ledger + bill)
    assert unexplained(BILL_MATCH, books) == set()
