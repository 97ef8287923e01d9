"""Hand-written postings to the two pockets: opening lots, and units taken out of a lot."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest
from beancount import loader
from beancount.core.data import Transaction
from beancount.parser import booking, parser

from beancount_compute.ledger.accounts import Accounts, Roots, default_templates
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.hand_written import HandWritten, pocket_postings, read_hand_written
from tests.economy.building import lot_text
from tests.ledger.docstrings import Books, ledger, load_text, postings

ALICE = "Liabilities:DeferredRevenue:Tokens:Alice"


def read(posting: str, tags: str = "", **holders: str) -> tuple[HandWritten, list[str]]:
    """One transaction of 2026-05-01 on alice's tokens and one other account."""
    text = f"""
        2026-05-01 * "By hand" {tags}
          {posting}
          Equity:Adjustments
    """
    entries, errors, options = parser.parse_string(dedent(text))
    assert errors == []
    entries, errors = booking.book(entries, options)
    transactions = [each for each in entries if isinstance(each, Transaction)]
    accounts = Accounts(default_templates(Roots()), {}, Roots())
    found = Errors()
    hand = read_hand_written(
        pocket_postings(transactions, accounts), holders, ["pro", "pro 2025-12-01"], found
    )
    return hand, [each.message for each in found.found]


LOT = '{0.20 USD, 2026-04-01, "pro/2026-06-01"}'


def test_an_opening_lot_is_read_from_the_posting_alone() -> None:
    """Units, cost, date, origin and end; the subscriber is the one whose component it is."""
    hand, errors = read(f"{ALICE}  -800 CU {LOT}", "#compute-opening", Alice="alice")
    assert errors == []
    (opening,) = hand.openings
    assert lot_text(opening.lot, opening.units) == (
        "tokens alice 800 CU {0.2 USD, 2026-04-01, pro/2026-06-01}"
    )
    assert (opening.place.line, opening.flaw) == (3, "")
    assert hand.removals == []
    assert list(hand.accounts) == [ALICE]


def test_a_component_of_nobody_is_the_subscriber_itself() -> None:
    """The subscriber of an opening lot is the one whose component it is, or the component."""
    hand, _ = read(f"{ALICE}  -800 CU {LOT}", "#compute-opening")
    assert hand.openings[0].lot.holder == "Alice"


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("pro 2026-12-01", "pro/2026-12-01"),
        ("pro-2026-12-1", "pro/2026-12-01"),
        ("pro_2026.12.01", "pro/2026-12-01"),
        ("legacy 2026-12-01", "legacy/2026-12-01"),
        ("top-up 2026-12-01", "top-up/2026-12-01"),
        ("2026-12-01", "top-up/2026-12-01"),
        ("pro 01.12.2026", "pro/2026-12-01"),
        ("pro 2026-12-01/2027-12-01", "pro/2026-12-01"),
    ],
)
def test_a_label_with_a_date_and_no_slash_is_an_error(label: str, meant: str) -> None:
    """Its lot would never end."""
    hand, (error,) = read(f'{ALICE}  -5 CU {{0.20 USD, 2025-11-01, "{label}"}}', "#compute-opening")
    assert f'the label "{label}" is no plan and looks like one with a date: write a slash' in error
    assert error.endswith(f'"{meant}"')
    assert hand.openings == []


@pytest.mark.parametrize("label", ["pro 2025-12-01", "legacy", "v2.0", "team 20261201", "a-12-01"])
def test_a_label_that_is_a_plan_or_has_no_date_stands(label: str) -> None:
    """A plan may well be called so."""
    hand, errors = read(f'{ALICE}  -5 CU {{0.20 USD, 2025-11-01, "{label}"}}', "#compute-opening")
    assert errors == []
    assert hand.openings[0].lot.label == label


def test_units_taken_out_are_read_likewise() -> None:
    """A debit, with or without the opening tag."""
    for tag in ("", "#compute-opening"):
        hand, errors = read(f"{ALICE}  1.5 CU {LOT}", tag)
        assert errors == []
        (removal,) = hand.removals
        assert removal.units == Decimal("1.5")
        assert removal.lot.label == "pro/2026-06-01"
        assert hand.openings == []


@pytest.mark.parametrize("label", ["top-up", "grant", "top-up/2027-01-01", "Team 5"])
def test_labels_of_every_origin(label: str) -> None:
    """A plan's name, `top-up` or `grant`, with or without an end."""
    hand, _ = read(f'{ALICE}  1 CU {{0.20 USD, 2026-04-01, "{label}"}}')
    assert hand.removals[0].lot.label == label
    assert hand.removals[0].flaw == ""


@pytest.mark.parametrize(
    ("posting", "message"),
    [
        (f"{ALICE}  -5 CU", "names no lot: write its cost, date and label"),
        (f"{ALICE}  -5 CU {{0.20 USD, 2026-04-01}}", "has no label"),
        (f'{ALICE}  -5 CU {{0.20 USD, 2026-04-01, "a,b"}}', '"a,b" is not a plan\'s name'),
        (f'{ALICE}  -5 CU {{0.20 USD, 2026-04-01, "pro/soon"}}', '"soon" is not a date'),
        (f'{ALICE}  -5 CU {{0.20 USD, 2026-04-01, "pro/"}}', '"" is not a date'),
        (f'{ALICE}  -5 CU {{0.20 USD, 2026-05-02, "pro"}}', "is younger than its entry"),
    ],
)
def test_an_opening_lot_that_can_t_be_read_is_an_error(posting: str, message: str) -> None:
    """What it lacks, and how it is written."""
    hand, (error,) = read(posting, "#compute-opening")
    assert message in error
    assert hand.openings == []


@pytest.mark.parametrize(
    ("posting", "tags", "flaw"),
    [
        (f"{ALICE}  5 CU", "", "names no lot"),
        (f"{ALICE}  5 CU {{0.20 USD, 2026-04-01}}", "", "has no label"),
        (f"{ALICE}  -5 CU {LOT}", "", "can only take units out of an open lot"),
        (f"{ALICE}  5.00 USD", "", "names no lot"),
    ],
)
def test_a_posting_that_names_no_lot_is_kept_with_its_flaw(
    posting: str, tags: str, flaw: str
) -> None:
    """The engine says it with the lots that there are, at the end of the day."""
    hand, errors = read(posting, tags)
    assert errors == []
    (removal,) = hand.removals
    assert flaw in removal.flaw
    assert removal.units == 0


def test_other_accounts_are_none_of_the_plugin_s_business() -> None:
    """Payments and payouts are the user's."""
    hand, errors = read("Assets:Receivable:Alice  -5.00 USD")
    assert (hand, errors) == (HandWritten([], [], {}), [])


@ledger
def test_opening_lots_and_removals_in_a_ledger(books: Books) -> None:
    """
    ; what is outstanding is entered once, used like any lot, and corrected by hand
    2026-01-01 open Equity:Opening-Balances
    2026-01-01 open Equity:Adjustments
    2026-01-01 * "Opening" #compute-opening
      Liabilities:DeferredRevenue:Tokens:Alice  -800 CU {0.20 USD, 2025-11-01, "pro/2026-11-01"}
      Equity:Opening-Balances                  160.00 USD
    2026-01-02 custom "compute-consumption" "Alice" 300 CU
    2026-01-03 * "A mistake of last year"
      Liabilities:DeferredRevenue:Tokens:Alice   100 CU {0.20 USD, 2025-11-01, "pro/2026-11-01"}
      Equity:Adjustments                       -20.00 USD
    2026-11-01 custom "compute-assert" "tokens" "Alice" 400 CU
    2026-11-02 custom "compute-assert" "breakage" 80.00 USD
    """
    assert books.messages == []
    assert postings(books.one("consumption"))[1] == "Income:Compute -60.00 USD"
    assert books.place(books.one("expiry")) == ("<beancount_compute>", 0)


@ledger
def test_a_posting_that_names_no_open_lot_stays_but_does_not_count(books: Books) -> None:
    """
    ; its transaction stays in the ledger, the plugin takes no notice, and prints the lots
    2026-01-01 open Equity:Adjustments
    2026-05-01 custom "compute-allocation" "alice" 10 CU 2.00 USD
    2026-05-02 * "Wrong date"
      Liabilities:DeferredRevenue:Tokens:Alice     5 CU {0.20 USD, 2026-05-02, "top-up"}
      Equity:Adjustments                       -1.00 USD
    2026-05-03 custom "compute-consumption" "alice" 10 CU
    """
    (message,) = books.messages
    named = f'{books.line("5 CU {")}: 5 CU {{0.20 USD, 2026-05-02, "top-up"}} is no open lot'
    assert message.startswith(named)
    assert message.endswith('must write them: 10 CU {0.20 USD, 2026-05-01, "top-up"}')
    assert any(getattr(entry, "narration", "") == "Wrong date" for entry in books.entries)
    assert len(books.of("consumption")) == 1


@ledger
def test_an_opening_lot_is_that_of_the_subscriber_with_its_component(books: Books) -> None:
    """
    ; named by compute-subscriber, or whoever has the component in the events
    2026-01-01 open Equity:Opening-Balances
    2026-01-01 custom "compute-subscriber" "u_8f3a@example.com" "Acme"
    2026-01-02 * "Opening" #compute-opening
      Liabilities:DeferredRevenue:Tokens:Acme  -8 CU {0.20 USD, 2025-11-01, "pro"}
      Liabilities:DeferredRevenue:Tokens:Bob   -8 CU {0.20 USD, 2025-11-01, "pro"}
      Equity:Opening-Balances                  3.20 USD
    2026-01-03 custom "compute-consumption" "u_8f3a@example.com" 1 CU
    2026-01-03 custom "compute-transfer" "bob" "u_8f3a@example.com" 2 CU
    """
    assert books.messages == []
    assert postings(books.one("transfer"))[1].startswith(
        "Liabilities:DeferredRevenue:Tokens:Acme -2 CU"
    )


def test_a_posting_on_the_account_of_another_plan_names_no_open_lot() -> None:
    """Where the template holds {plan}, the lot lies on one account only
    (manual/language.md, section 5)."""
    books = load_text("""
        2026-01-01 open Equity:Adjustments
        2026-01-01 custom "compute-account" "allocations" "Liabilities:Open:{plan}:{subscriber}"
        2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
        2026-05-01 custom "compute-subscription" "alice" "pro"
        2026-05-02 * "The lot lies on Liabilities:Open:Pro:Alice"
          Liabilities:Open:Basic:Alice   100 CU {0.20 USD, 2026-05-01, "pro/2026-06-01"}
          Equity:Adjustments
        2026-05-03 custom "compute-assert" "allocations" "alice" 1000 CU
    """)
    (message,) = books.messages
    assert message.startswith(f"{books.line('100 CU {')}: ")


@ledger
def test_a_cost_may_be_spelled_with_other_zeros(books: Books) -> None:
    """
    ; 0.2, 0.20 and 0.2000 USD are one cost: opening lots melt, and are taken out as one
    2026-01-01 open Equity:Opening-Balances
    2026-05-01 * "Opening" #compute-opening
      Liabilities:DeferredRevenue:Tokens:Alice  -5 CU {0.2 USD, 2026-04-01, "top-up"}
      Liabilities:DeferredRevenue:Tokens:Alice  -5 CU {0.2000 USD, 2026-04-01, "top-up"}
      Equity:Opening-Balances
    2026-05-02 custom "compute-consumption" "Alice" 7 CU
    2026-05-03 * "The rest"
      Liabilities:DeferredRevenue:Tokens:Alice   3 CU {0.200 USD, 2026-04-01, "top-up"}
      Equity:Opening-Balances
    2026-05-04 custom "compute-assert" "tokens" "Alice" 0 CU
    """
    assert books.messages == []
    assert len(books.one("consumption").postings) == 2


def test_a_partner_is_no_holder(tmp_path: Path) -> None:
    """A spend with the partner "alice" comes first; the lots of the subscriber "Alice" are hers."""
    ledger = tmp_path / "ledger.beancount"
    ledger.write_text(
        """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 open Equity:Adjustments
2026-01-01 custom "compute-allocation" "bob" 10 CU 2.00 USD
2026-01-02 custom "compute-spend" "bob" "alice" 5 CU 0.50 USD
2026-01-03 custom "compute-allocation" "Alice" 10 CU 2.00 USD
2026-01-04 * "By hand"
  Liabilities:DeferredRevenue:Tokens:Alice  4 CU {0.20 USD, 2026-01-03, "top-up"}
  Equity:Adjustments
"""
    )
    _, errors, _ = loader.load_file(str(ledger))
    assert errors == []
