"""What the notes need of the contract liability: by hand, and what ties on random ledgers."""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
from beancount import loader

from beancount_compute.economy.roles import Earning
from beancount_compute.economy.rounding import WIDE
from beancount_compute.reports.books import Books, Selection, read_books
from beancount_compute.reports.disclosure import disclosure
from beancount_compute.reports.facts import LotKey, of_minimum
from beancount_compute.reports.figures import CellAsked, NotSummed
from tests.reports.showing import books_of, figures, labels_of, whole

sys.path.insert(0, str(Path(__file__).parents[1] / "laws"))
from tests.laws.random_ledgers import write_ledger

NEVER_DEFERRED = (Earning.FEES, Earning.OVERAGE, Earning.REFUNDS, Earning.DISPUTES)
JUNE = Selection(date(2026, 6, 1), date(2026, 6, 30))
OPENING, ADDED = ("in the opening balance", "USD"), ("added in the period", "USD")
TOTAL = ("total", "USD")
# Opening lot: 40.00, of which 10.00 are used in May, 6.00 in June; 5.00 are spent in June, of which
# the partner gets 4.00; 2.00 are refunded, 1.00 written off, 3.00 sold to bob. In June come carol's
# 7.00, on the first day, all of it used, and bob's 20.00.
LEDGER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 open Equity:Opening
2026-05-01 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Alice  -40 CU {1.00 USD, 2026-02-01, "top-up/2026-12-31"}
  Equity:Opening
2026-05-02 custom "compute-grant" "bob" 1 CU
2026-05-20 custom "compute-consumption" "alice" 10 CU
2026-06-02 custom "compute-consumption" "alice" 6 CU
2026-06-03 custom "compute-spend" "alice" "shop" 5 CU 4.00 USD
2026-06-04 custom "compute-refund" "alice" 2 CU
2026-06-05 * "Written off"
  Liabilities:DeferredRevenue:Tokens:Alice  1 CU {1.00 USD, 2026-02-01, "top-up/2026-12-31"}
  Equity:Opening
2026-06-06 custom "compute-trade" "alice" "bob" 3 CU 2.00 USD
2026-06-07 custom "compute-allocation" "bob" 10 CU 20.00 USD
  expires: "3 months"
2026-06-01 custom "compute-allocation" "carol" 10 CU 7.00 USD
2026-06-09 custom "compute-consumption" "carol" 10 CU
2026-07-01 custom "compute-consumption" "bob" 1 CU
"""


# Of alice 200.00 a month, 120.00 of it for access, and a top-up of 50.00 can be had back; neither
# bob's 100.00 a month nor his top-up. In February she uses her 1,000 CU of the month, and 500 CU
# that were minted of January's.
REFUNDABLE = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-option" "top-ups-refundable" TRUE
2026-01-15 custom "compute-option" "top-ups-refundable" FALSE
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  access-ssp: 150.00 USD
  units-ssp: 100.00 USD
  unused: "mint"
  token-expires: "12 months"
  refundable: TRUE
2026-01-01 custom "compute-plan" "firm" 100.00 USD 100 CU
2026-01-01 custom "compute-subscription" "alice" "pro"
2026-01-02 custom "compute-allocation" "alice" 100 CU 50.00 USD
2026-01-02 custom "compute-subscription" "bob" "firm"
2026-01-16 custom "compute-allocation" "bob" 100 CU 50.00 USD
2026-02-10 custom "compute-consumption" "alice" 1500 CU
2026-02-10 custom "compute-consumption" "bob" 10 CU
"""


def test_what_can_be_had_back_on_demand_is_a_refund_liability() -> None:
    """80.00 and 50.00 were left of January; 200.00 came, 80.00 and 40.00 were used. Of bob 10.00
    of 100.00 were used, and January's lapsed; his top-up stays. Together it is all that is open."""
    report, books = disclosure(pattern=2), books_of(REFUNDABLE)
    february = Selection(date(2026, 2, 1), date(2026, 2, 28))
    assert figures(report, books, february, "refundable") == {
        ("USD",): {
            "opening": "130.00",
            "allocated": "200.00",
            "used": "-120.00",
            "closing": "210.00",
        }
    }
    movement = figures(report, books, february, "movement")
    assert movement[TOTAL] == {
        "opening": "150.00",
        "allocated": "100.00",
        "used": "-10.00",
        "expired": "-100.00",
        "closing": "140.00",
    }
    revenue = figures(report, books, february, "revenue")
    assert revenue[TOTAL] == {"use": "10.00", "breakage": "100.00", "revenue": "110.00"}
    for table in ("remaining", "expected"):
        rows = figures(report, books, february, table).values()
        assert sum(Decimal(row["amount"]) for row in rows) == 140
    at = figures(report, books, february, "pattern")
    assert (at["00", "USD"]["open"], at["01", "USD"]["released"]) == ("250.00", "100.00")


def test_no_table_of_refunds_where_nothing_can_be_had_back() -> None:
    """As it was before there was such a term."""
    for ledger, there in ((LEDGER, False), (REFUNDABLE, True)):
        tables = disclosure().tables(books_of(ledger), JUNE)
        assert any("refund liability" in table.title for table in tables) is there


def test_the_movement_and_the_revenue_from_the_opening_balance() -> None:
    """30.00 of the opening lot were there on 1 June; 6.00 + 5.00 + 2.00 + 1.00 went: 16.00 stay.
    27.00 came, 7.00 went. Revenue from the opening balance: 6.00 use and 1.00 partner income."""
    report, books = disclosure(), books_of(LEDGER)
    assert figures(report, books, JUNE, "movement") == {
        OPENING: {
            "opening": "30.00",
            "used": "-6.00",
            "spent": "-5.00",
            "refunded": "-2.00",
            "removed": "-1.00",
            "closing": "16.00",
        },
        ADDED: {"topped_up": "27.00", "used": "-7.00", "closing": "20.00"},
        TOTAL: {
            "opening": "30.00",
            "topped_up": "27.00",
            "used": "-13.00",
            "spent": "-5.00",
            "refunded": "-2.00",
            "removed": "-1.00",
            "closing": "36.00",
        },
    }
    opening = {"use": "6.00", "partner_income": "1.00", "revenue": "7.00"}
    assert figures(report, books, JUNE, "revenue") == {
        OPENING: opening,
        ADDED: {"use": "7.00", "revenue": "7.00"},
        TOTAL: {"use": "13.00", "partner_income": "1.00", "revenue": "14.00"},
    }
    assert figures(report, books, JUNE, "opening-revenue") == {("2026-02", "USD"): opening}


def test_of_the_whole_ledger_opening_lots_are_the_opening_balance() -> None:
    """40.00 were entered; 16.00 of them are used, and 7.00 of what came. July's use takes bob's
    grant, which carries nothing."""
    found = figures(disclosure(), books_of(LEDGER), Selection(), "movement")
    assert (found[OPENING]["opening"], found[OPENING]["used"]) == ("40.00", "-16.00")
    assert (found[ADDED]["topped_up"], found[ADDED]["used"]) == ("27.00", "-7.00")


def test_what_remains_by_the_last_day_of_use() -> None:
    """The opening lot's 16.00 can be used to 30 December: within half a year; it started within a
    year and lives less than one. Bob's top-up of 20.00: to 6 September. Not yet July's use."""
    found = figures(disclosure(), books_of(LEDGER), JUNE, "remaining")
    assert found == {
        ("2026-07-01 to 2026-09-30", "USD"): dict.fromkeys(
            ("amount", "started_within_a_year", "life_of_a_year"), "20.00"
        ),
        ("2026-10-01 to 2026-12-31", "USD"): dict.fromkeys(
            ("amount", "started_within_a_year", "life_of_a_year"), "16.00"
        ),
    }


def test_of_one_subscriber_what_was_bought_is_between_subscribers() -> None:
    """Bob: 3.00 bought and 20.00 topped up."""
    found = figures(disclosure(), books_of(LEDGER), JUNE._replace(subscriber="bob"), "movement")
    assert found[TOTAL] == {
        "topped_up": "20.00",
        "between_subscribers": "3.00",
        "closing": "23.00",
    }


def test_what_has_ended_and_is_not_yet_booked_stands_apart() -> None:
    """The ledger is written up to 1 July; asked for October, bob's 20.00 have ended."""
    october = Selection(date(2026, 10, 1), date(2026, 10, 31))
    found = figures(disclosure(), books_of(LEDGER), october, "remaining")
    assert found["ended, not yet booked", "USD"]["amount"] == "20.00"
    assert found["2026-11-01 to 2027-01-31", "USD"]["amount"] == "16.00"


MINT = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2025-01-01 custom "compute-plan" "pro" 100.00 USD 100 CU
  unused: "mint"
  mint-rate: 0.75
  token-expires: "12 months"
2025-01-01 custom "compute-plan" "ever" 10.00 USD 10 CU
  unused: "rollover"
2025-06-30 custom "compute-allocation" "alice" "ever"
2026-06-15 custom "compute-subscription" "alice" "pro"
2026-06-16 custom "compute-cancellation" "alice" "pro"
2026-06-30 custom "compute-consumption" "alice" 4 CU
"""


def test_an_allocation_that_will_be_minted_can_be_used_as_tokens() -> None:
    """96.00 are left: a quarter, 24.00, to 14 July; 72.00 as tokens to 14 July 2027, so of a life
    of 13 months. The 10.00 without an end started on 30 June 2025, a year ago to the day."""
    found = figures(disclosure(), books_of(MINT), JUNE, "remaining")
    assert found == {
        ("2026-07-01 to 2026-09-30", "USD"): dict.fromkeys(
            ("amount", "started_within_a_year", "life_of_a_year"), "24.00"
        ),
        ("2027-07-01 to 2028-06-30", "USD"): {
            "amount": "72.00",
            "started_within_a_year": "72.00",
        },
        ("without an end", "USD"): {"amount": "10.00"},
    }


STORY = Path(__file__).parents[1] / "golden" / "story" / "ledger.beancount"


def test_the_story_by_its_release_pattern() -> None:
    """Age 0: 440.00 of 800.00 were used, age 1: 80.00 of 160.00. June's 200.00: half in July, the
    rest when its tokens end on 1 July 2027; May's 80.00 at their end, on 1 June 2027."""
    entries, _, options = loader.load_file(str(STORY))
    books = read_books(entries, options)
    assert figures(disclosure(12), books, JUNE, "expected") == {
        ("2026-07-01 to 2026-09-30", "USD"): {"amount": "100.00"},
        ("2027-01-01 to 2027-06-30", "USD"): {"amount": "80.00"},
        ("2027-07-01 to 2028-06-30", "USD"): {"amount": "100.00"},
    }
    tokens = {"amount": "280.00", "started_within_a_year": "280.00"}
    assert figures(disclosure(12), books, JUNE, "remaining") == {  # last used on 30 June 2027
        ("2027-01-01 to 2027-06-30", "USD"): tokens
    }
    assert figures(disclosure(12), books, JUNE, "pattern") == {
        ("00", "USD"): {"open": "800.00", "released": "440.00", "rate": "0.55"},
        ("01", "USD"): {"open": "160.00", "released": "80.00", "rate": "0.5"},
    }
    with pytest.raises(NotSummed):
        disclosure(12).trace(
            books, JUNE, CellAsked("expected", ("2027-01-01 to 2027-06-30", "USD"), "amount")
        )


QUARTER = Path(__file__).parents[2] / "example-ledgers" / "closed-quarter" / "main.beancount"


def test_a_refund_and_a_settlement_are_no_release_of_revenue() -> None:
    """June of the closed quarter. May's 440.00: dave's refund of 20.00 is no release of the 420.00
    that stay. April's 200.00: 15.00 settled, and of 185.00 100.00 used, 5.00 partner income."""
    entries, _, options = loader.load_file(str(QUARTER))
    books = read_books(entries, options)
    june = Selection(date(2026, 6, 1), date(2026, 6, 30))
    assert figures(disclosure(1), books, june, "pattern") == {
        ("00", "USD"): {"open": "800.00", "released": "390.00", "rate": "0.4875"},
        ("01", "USD"): {"open": "420.00"},
        ("02", "USD"): {"open": "185.00", "released": "105.00", "rate": "0.567568"},
    }
    titles = [table.title for table in disclosure(1).tables(books, june, "pattern")]
    assert titles == ["Release pattern of the last month"]


def test_a_ledger_without_anything_has_a_disclosure() -> None:
    """Empty tables."""
    books = books_of('plugin "beancount_compute"\n')
    assert [table.rows for table in disclosure(12).tables(books, Selection())] == [[]] * 6


@pytest.mark.parametrize("seed", range(18))
def test_the_tables_tie_on_random_ledgers(seed: int, tmp_path: Path) -> None:
    """Parts add up to the total, revenue to that booked out of lots, what remains (by end and by
    pattern) to the closing balance, and transactions to their cell; but for what can be had back
    on demand, which closes by itself."""
    path = write_ledger(seed, tmp_path / "l")
    entries, _, options = loader.load_file(str(path))
    books: Books = read_books(entries, options)
    if not books.movements:
        return
    report = disclosure(12)
    middle = books.transactions[len(books.transactions) // 2].date

    def had_back(lot: LotKey | None) -> bool:
        return lot is not None and books.terms.is_refundable(lot.origin, lot.date)

    for selection in (Selection(), Selection(middle, books.transactions[-1].date)):
        tables = {table.name: table for table in report.tables(books, selection)}
        with localcontext(WIDE):
            sums: dict[str, defaultdict[tuple[str, str], Decimal]] = {}
            for name, table in tables.items():
                front = labels_of(table)
                found = sums[name] = defaultdict(Decimal)
                for row in table.rows:
                    for column, cell in zip(table.columns[front:], row[front:], strict=True):
                        sign = -1 if row[0] == "total" else 1
                        found[str(row[front - 1]), column.key] += sign * whole(cell)
                        if name in ("movement", "remaining") and selection.start:
                            asked = CellAsked(name, row[:front], column.key)
                            behind = report.trace(books, selection, asked)
                            assert sum((n for _, n in behind), Decimal()) == whole(cell)
            assert not any(sums["movement"].values())
            assert not any(sums["revenue"].values())
            closing: defaultdict[str, Decimal] = defaultdict(Decimal)
            refundable: defaultdict[str, Decimal] = defaultdict(Decimal)
            for each in books.movements:
                balance = refundable if had_back(each.lot) else closing
                balance[each.currency] += each.amount
            for currency, amount in refundable.items():
                assert sums["refundable"][currency, "closing"] == amount
            for currency, amount in closing.items():
                assert sums["remaining"][currency, "amount"] == amount
                assert sums["expected"][currency, "amount"] == amount
            booked: defaultdict[str, Decimal] = defaultdict(Decimal)
            for income in selection.incomes(books):
                if income.earning not in NEVER_DEFERRED and not of_minimum(income):
                    if had_back(income.lot):
                        continue
                    booked[income.currency] += income.amount
            for row in tables["revenue"].rows:
                if row[0] == "total":
                    assert whole(row[-1]) == booked.pop(str(row[1]))
            assert not any(booked.values())
