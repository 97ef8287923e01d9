"""Bills and payments of a subscriber, counterparties and balances, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount_compute.reports.books import Selection
from beancount_compute.reports.explaining import explain, find_cell
from beancount_compute.reports.registry import REPORTS
from beancount_compute.reports.text_face import render
from tests.reports.story import HEAD, books_of, figures, rows

# Bob pays 200.00 a month, and 30.00 for 100 CU beyond May's. He buys 500 CU of alice at 0.25, with
# a fee of 2 %: 127.50; she gets 125.00 less 5 %. He tops up 100 CU for 30.00, gives 10 of hers back
# at 0.20, and pays 300.00. Alice is paid 100.00.
LEDGER = HEAD + (
    "2026-01-01 open Assets:Bank\n"
    '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
    '  unused: "mint"\n  token-expires: "12 months"\n  overage: 0.30 USD\n'
    '2026-01-01 custom "compute-option" "seller-fee" 0.05\n'
    '2026-01-01 custom "compute-option" "buyer-fee" 0.02\n'
    '2026-05-01 custom "compute-subscription" "alice" "pro"\n'
    '2026-05-01 custom "compute-subscription" "bob" "pro"\n  id: "s"\n'
    '2026-05-20 custom "compute-consumption" "alice" 200 CU\n'
    '2026-05-20 custom "compute-consumption" "bob" 1100 CU\n  id: "u"\n'
    '2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD\n  id: "t"\n'
    '2026-06-11 custom "compute-transfer" "alice" "bob" 10 CU\n'
    '2026-06-12 custom "compute-spend" "bob" "shop" 10 CU 1.50 USD\n'
    '2026-06-13 custom "compute-allocation" "bob" 100 CU 30.00 USD\n'
    '2026-06-14 custom "compute-refund" "bob" 10 CU\n'
    '2026-06-20 custom "compute-cancellation" "alice" "pro"\n'
    '2026-06-20 custom "compute-cancellation" "bob" "pro"\n'
    '2026-06-25 * "bob" "Wire 4711"\n'
    "  Assets:Bank   300 USD\n  Assets:Receivable:Bob\n"
    '2026-06-26 * "alice" "Paid out"\n'
    "  Assets:Bank   -100 USD\n  Liabilities:Payable:Alice\n"
)
# The same, but bob keeps what he bought.
UNTOUCHED = "".join(
    [
        line
        for line in LEDGER.splitlines(keepends=True)
        if "-spend" not in line and "-refund" not in line
    ]
)
BOB, ALICE = Selection(subscriber="bob"), Selection(subscriber="alice")
JUNE = Selection(date(2026, 6, 1), date(2026, 6, 30), "bob")
KEYS = ("units", "price", "fee", "amount", "owes", "is_owed")


def bills(selection: Selection, ledger: str = LEDGER) -> list[tuple[str, ...]]:
    """Day, entry and counterparty of each line, then its figures; "" for none."""
    return [
        (
            *(str(row[key]) for key in ("date", "entry", "counterparty")),
            *("" if row[key] is None else f"{row[key]:f}" for key in KEYS),
        )
        for row in rows(books_of(ledger), "statement", "bills", selection)
    ]


def test_bills_and_payments_of_a_buyer() -> None:
    """The purchase names the seller, the price a unit and, in all, gross and fee."""
    assert bills(BOB) == [
        ("2026-05-01", "period", "", "1000", "0.20", "", "200.00", "200.00", "0.00"),
        ("2026-05-20", "overage", "", "", "", "", "30.00", "230.00", "0.00"),
        ("2026-06-01", "period", "", "1000", "0.20", "", "200.00", "430.00", "0.00"),
        ("2026-06-10", "purchase", "alice", "500", "0.25", "2.50", "127.50", "557.50", "0.00"),
        ("2026-06-13", "top-up", "", "100", "0.30", "", "30.00", "587.50", "0.00"),
        ("2026-06-14", "refund", "", "-10", "0.20", "", "-2.00", "587.50", "2.00"),
        ("2026-06-25", "payment", "", "", "", "", "-300.00", "287.50", "2.00"),
    ]


def test_sales_and_what_is_paid_out_of_a_seller() -> None:
    """118.75 for the units sold, of which 100.00 are paid."""
    assert bills(ALICE)[-2:] == [
        ("2026-06-10", "sale", "bob", "-500", "0.25", "6.25", "-118.75", "400.00", "118.75"),
        ("2026-06-26", "payment", "", "", "", "", "100.00", "400.00", "18.75"),
    ]


def test_what_was_owed_before_is_brought_forward() -> None:
    """230.00 at the end of May; in EUR nothing ever was."""
    first, second, *_ = bills(JUNE)
    assert first == ("2026-06-01", "brought forward", *[""] * 4, "230.00", "230.00", "0.00")
    assert second[:2] == ("2026-06-01", "period")
    assert bills(JUNE._replace(start=date(2027, 1, 1), end=None)) == [
        ("2027-01-01", "brought forward", *[""] * 4, "285.50", "287.50", "2.00"),
    ]


def test_what_is_reversed_and_what_people_write_is_named_so() -> None:
    """The trade is undone; 5.00 of interest are charged by hand, 1.00 is credited to bob."""
    ledger = UNTOUCHED + (
        '2026-06-27 custom "compute-reversal" "t"\n'
        '2026-06-28 * "bob" "Interest"\n  Assets:Receivable:Bob   5 USD\n  Assets:Bank\n'
        "2026-06-28 open Liabilities:Payable:Bob\n"
        '2026-06-29 * "bob" "Goodwill"\n  Liabilities:Payable:Bob  -1 USD\n  Assets:Bank\n'
    )
    assert bills(BOB, ledger)[-3:] == [
        (
            *("2026-06-27", "purchase, reversed", "alice", "-500", "0.25", "-2.50"),
            *("-127.50", "160.00", "0.00"),
        ),
        ("2026-06-28", "by hand", "", "", "", "", "5.00", "165.00", "0.00"),
        ("2026-06-29", "by hand", "", "", "", "", "-1.00", "165.00", "1.00"),
    ]


def test_lines_name_the_other_side() -> None:
    """On the buyer's statement it is the seller, in words too; on the seller's the buyer."""
    found = {
        row["flow"]: (row["counterparty"], row["what"])
        for selection in (BOB, ALICE)
        for row in rows(books_of(LEDGER), "statement", "lines", selection)
    }
    assert found["traded in"] == ("alice", "Trade with alice")
    assert found["transferred in"] == ("alice", "Transfer from alice")
    assert found["traded out"] == ("bob", "Trade with bob")
    assert found["transferred out"] == ("bob", "Transfer to bob")
    assert found["spent"] == ("shop", "Spend with shop")
    assert found["used"] == ("", "Consumption")


def test_a_reversed_purchase_names_the_seller_too() -> None:
    """Those of the buyer."""
    ledger = UNTOUCHED + '2026-06-27 custom "compute-reversal" "t"\n'
    books = books_of(ledger)
    (bill,) = [each for each in rows(books, "statement", "bills", BOB) if each["event"] == "t"]
    assert bill["what"] == "Trade with alice"
    *_, last = rows(books, "statement", "lines", BOB)
    assert (last["counterparty"], last["what"]) == ("alice", "Reversal of Trade with alice")


def test_what_is_open_before_and_after_in_units_and_money() -> None:
    """June: nothing was left of May's units; 1000 + 500 + 10 + 100 come, 10 and 10 go."""
    books = books_of(LEDGER)
    (units,) = rows(books, "statement", "units", JUNE)
    assert figures(units) == {"came": "1610", "went": "-20", "closing": "1590"}
    money = {row["what"]: figures(row) for row in rows(books, "statement", "money", JUNE)}
    assert money == {
        "carrying amount": {"came": "332.00", "went": "-4.00", "closing": "328.00"},
        "owes (receivable)": {
            "opening": "230.00",
            "came": "357.50",
            "went": "-300.00",
            "closing": "287.50",
        },
        "is owed (payable)": {"came": "2.00", "closing": "2.00"},
    }


def test_minting_neither_comes_nor_goes() -> None:
    """Alice: 2000 CU allocated; 200 used, 500 sold, 10 given away."""
    (units,) = rows(books_of(LEDGER), "statement", "units", ALICE)
    assert figures(units) == {"came": "2000", "went": "-710", "closing": "1290"}


def test_a_balance_is_explained_by_all_lines_up_to_it() -> None:
    """557.50 after the purchase: two periods, the overage, and the purchase itself."""
    books, statement = books_of(LEDGER), REPORTS["statement"]
    found = find_cell(statement.tables(books, BOB), "4", "owes", "bills")
    table = explain(statement, books, BOB, found)
    assert [f"{row[-1]:f}" for row in table.rows] == ["200.00", "30.00", "200.00", "127.50"]
    assert f"{table.totals[0][-1]:f}" == "557.50"


def test_at_eighty_columns_the_seller_stands_beside_the_price() -> None:
    """Ids and narrations go first."""
    text = render(REPORTS["statement"].tables(books_of(LEDGER), BOB, "bills"), 80)
    assert "2026-06-10  purchase  alice    500   0.25  2.50   127.50  557.50" in text


# payg costs 0.02 a unit, invoiced behind each period: 15.00 in the first, then 17.00. Dan has paid.
IN_ARREARS = HEAD + (
    "2026-01-01 open Assets:Bank\n"
    '2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU\n'
    '  overage: 0.02 USD\n  bill: "period"\n'
    '2026-01-01 custom "compute-option" "as-of" 2026-02-28\n'
    '2026-01-15 custom "compute-subscription" "dan" "payg"\n'
    '2026-01-25 custom "compute-consumption" "dan" 750 CU\n'
    '2026-02-20 custom "compute-consumption" "dan" 850 CU\n'
    '2026-02-25 * "dan" "Wire"\n  Assets:Bank   10 USD\n  Assets:Receivable:Dan\n'
)


def test_what_is_used_and_not_invoiced_stands_beside_what_is_owed() -> None:
    """It is for the subscriber to pay, is as old as its use, and moves with the invoice."""
    books, dan = books_of(IN_ARREARS), Selection(subscriber="dan")
    keys = ("date", "entry", "amount", "owes", "unbilled", "is_owed")
    assert [
        tuple(str(row[key]) for key in keys) for row in rows(books, "statement", "bills", dan)
    ] == [
        ("2026-01-25", "overage", "15.00", "0.00", "15.00", "0.00"),
        ("2026-02-15", "invoice", "15.00", "15.00", "15.00", "0.00"),
        ("2026-02-15", "invoiced", "-15.00", "15.00", "0.00", "0.00"),
        ("2026-02-20", "overage", "17.00", "15.00", "17.00", "0.00"),
        ("2026-02-25", "payment", "-10.00", "5.00", "17.00", "0.00"),
    ]
    money = {row["what"]: str(row["closing"]) for row in rows(books, "statement", "money", dan)}
    assert money == {"owes (receivable)": "5.00", "not invoiced (unbilled)": "17.00"}
    (unbilled,) = rows(books, "aging", "unbilled")
    assert (unbilled["days_1_30"], unbilled["total"]) == (Decimal("17.00"), Decimal("17.00"))
    (earlier,) = rows(books, "aging", "unbilled", Selection(end=date(2026, 2, 14)))
    assert (earlier["days_1_30"], earlier["credit"]) == (Decimal("15.00"), Decimal("0.00"))
