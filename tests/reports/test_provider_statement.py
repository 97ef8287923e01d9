"""The statement of a provider, whose subscriber the operator is: the year of two bills, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from beancount_compute.cli import main
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.figures import CellAsked
from beancount_compute.reports.statement import STATEMENT
from tests.reports.showing import books_of, figures, labels_of, whole

GOLDEN = Path(__file__).parents[1] / "golden"
OPENAI = Selection(subscriber="open ai")
# Credits: 12 opened, 200 bought, 80 drawn, 2 given away, 3 bought and given back; 130 lapse.
# In USD: 5.00 accrued before, 20.00 in June; June's bill of 21.00 is paid, December's still comes.
LEDGER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-option" "as-of" 2027-05-01
2026-01-01 custom "compute-plan" "wrap" 120.00 USD 100 CU
2026-05-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 1 OAI
  provider: "open ai"
2026-06-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.40 USD
  provider: "open ai"
2026-01-01 custom "compute-option" "meter" "chat"
2026-01-01 open Equity:Opening
2026-01-01 open Assets:Bank
2026-01-01 open Expenses:Given
2026-04-30 * "open ai" "Held" #compute-opening
  Assets:Prepaid:Open-ai-f3ed9e  12 OAI {0.50 USD, 2026-04-01, "open ai/2027-05-01"}
  Equity:Opening
2026-04-30 * "open ai" "Accrued" #compute-opening
  served: 2025-12-20
  accrued: "chat 5.00 USD"
  Liabilities:Accrued:Open-ai-f3ed9e  -5.00 USD
  Equity:Opening
2026-05-01 custom "compute-purchase" "open ai" 200 OAI 200.00 USD
  expires: "12 months"
2026-05-01 custom "compute-subscription" "alice" "wrap"
2026-05-20 custom "compute-consumption" "alice" 80 CU
2026-05-21 custom "compute-purchase" "open ai" 3 OAI 3.00 USD
  id: "three"
2026-05-22 custom "compute-reversal" "three"
2026-05-02 * "Given away"
  Assets:Prepaid:Open-ai-f3ed9e  -2 OAI {0.50 USD, 2026-04-01, "open ai/2027-05-01"}
  Expenses:Given
2026-06-10 custom "compute-consumption" "alice" 50 CU
2026-07-02 custom "compute-bill" "open ai" 21.00 USD
2026-07-03 custom "compute-bill" "open ai" -0.60 USD
  from: 2026-06-01
  to: 2026-06-30
2026-07-20 * "Open AI Inc." "Paid"
  Liabilities:Providers:Open-ai-f3ed9e  21.00 USD
  Assets:Bank
"""


@pytest.fixture(scope="module")
def books() -> Books:
    return books_of(LEDGER)


def test_credits_move_as_units_of_a_subscriber_do(books: Books) -> None:
    """The 10 of April go before the 70 of May; what was given back is no more."""
    (table,) = STATEMENT.tables(books, OPENAI, "lines")
    rows = table.by_key()
    assert [
        (row["date"], row["flow"], f"{row['units']:f}", f"{row['amount']:f}") for row in rows
    ] == [
        ("2026-04-30", "opening", "12", "6.00"),
        ("2026-05-01", "purchased", "200", "200.00"),
        ("2026-05-02", "removed by hand", "-2", "-1.00"),
        ("2026-05-20", "drawn", "-10", "-5.00"),
        ("2026-05-20", "drawn", "-70", "-70.00"),
        ("2026-05-21", "purchased", "3", "3.00"),
        ("2026-05-22", "purchased", "-3", "-3.00"),
        ("2027-05-01", "lapsed", "-130", "-130.00"),
    ]
    assert whole(rows[-1]["units_held"]) == 0


def test_costs_and_bills_say_what_is_not_billed_yet(books: Books) -> None:
    """5.00 of December's are left, as June's bill takes June's alone."""
    (table,) = STATEMENT.tables(books, OPENAI, "costs")
    keys = ("entry", "for", "meter", "cost", "accrued", "variance", "open")
    assert [tuple(str(row[key]) for key in keys) for row in table.by_key()] == [
        ("opening", "2025-12-20", "chat", "0.00", "5.00", "0.00", "5.00"),
        ("cost", "2026-05-20", "chat", "75.00", "0.00", "0.00", "5.00"),
        ("cost", "2026-06-10", "chat", "20.00", "20.00", "0.00", "25.00"),
        ("bill", "2026-06-01/2026-06-30", "chat", "0.00", "-20.00", "0.00", "5.00"),
        ("bill", "2026-06-01/2026-06-30", "", "0.00", "0.00", "1.00", "5.00"),
        ("credit note", "2026-06-01/2026-06-30", "", "0.00", "0.00", "-0.60", "5.00"),
        ("lapse", "2027-05-01", "", "130.00", "0.00", "0.00", "5.00"),
    ]


def test_what_is_owed_and_held_stands_below(books: Books) -> None:
    """200.00 + 21.00 - 0.60 - 21.00 are owed; at the end of July 130 credits are held."""
    july = OPENAI._replace(start=date(2026, 7, 1), end=date(2026, 7, 31))
    assert figures(STATEMENT, books, july, "money") == {
        ("carrying amount", "USD"): {"opening": "130.00", "closing": "130.00"},
        ("is owed (provider)", "USD"): {
            "opening": "200.00",
            "came": "21.00",
            "went": "-21.60",
            "closing": "199.40",
        },
        ("not billed yet", "USD"): {"opening": "25.00", "went": "-20.00", "closing": "5.00"},
    }
    assert figures(STATEMENT, books, july, "units") == {
        ("OAI",): {"opening": "130", "closing": "130"}
    }
    (lot,) = STATEMENT.tables(books, july, "lots")[0].rows
    assert lot[0] == "prepaid" and whole(lot[-3]) == 130
    costs = STATEMENT.tables(books, july, "costs")[0].by_key()
    assert [(row["entry"], str(row["open"])) for row in costs] == [
        ("brought forward", "25.00"),
        ("bill", "5.00"),
        ("bill", "5.00"),
        ("credit note", "5.00"),
    ]


@pytest.mark.parametrize("start", [None, date(2026, 6, 1), date(2026, 7, 3)])
def test_every_cell_is_explained(books: Books, start: date | None) -> None:
    """What adds up to it, in all tables, also to what is brought forward."""
    selection = OPENAI._replace(start=start)
    for table in STATEMENT.tables(books, selection):
        front = labels_of(table)
        for row in table.rows:
            for column, cell in zip(table.columns[front:], row[front:], strict=True):
                if column.key in ("price", "market_value", "unit_cost"):
                    continue
                asked = CellAsked(table.name, row[:front], column.key)
                behind = STATEMENT.trace(books, selection, asked)
                if row[3:4] == ("brought forward",) and column.key not in ("open", "is_owed"):
                    continue
                assert sum([number for _, number in behind], Decimal()) == whole(cell)


def test_a_provider_is_asked_for_by_name_on_the_command_line() -> None:
    """In this report alone; a name that is nobody's is told with what it may mean."""
    ledger = str(GOLDEN / "provider-bills" / "ledger.beancount")
    asked = ["report", "statement", ledger, "--subscriber"]
    done = CliRunner().invoke(main, [*asked, "openai", "--table", "costs"])
    assert done.exit_code == 0
    assert "credit note" in done.output
    done = CliRunner().invoke(main, [*asked, "opena"])
    assert "no subscriber" in done.output and 'did you mean "openai"' in done.output
    done = CliRunner().invoke(main, ["report", "lots", ledger, "--subscriber", "openai"])
    assert 'the ledger has no subscriber "openai"' in done.output


def test_a_subscriber_of_the_same_name_has_the_statement() -> None:
    """The provider's is then nowhere."""
    books = books_of(
        'plugin "beancount_compute"\n'
        'option "operating_currency" "USD"\n'
        '2026-01-01 custom "compute-provider" "alice"\n'
        '2026-05-01 custom "compute-grant" "alice" 5 CU\n'
        '2026-05-02 custom "compute-bill" "alice" 7.00 USD\n'
    )
    names = [table.name for table in STATEMENT.tables(books, Selection(subscriber="alice"))]
    assert "costs" not in names
    assert figures(STATEMENT, books, Selection(subscriber="alice"), "bills") == {}
