"""The plugin: Beancount's entries in, the same entries with the booked ones out."""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
from decimal import Decimal, getcontext, localcontext
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core.compare import hash_entry
from beancount.core.data import Price, Transaction
from beancount.ops.validation import HARDCORE_VALIDATIONS
from beancount.parser import printer

from beancount_compute.ledger.errors import ComputeError
from beancount_compute.plugin import compute
from tests.ledger.docstrings import FILE, Books, ledger, load_text, postings

ROOT = Path(__file__).parents[2]
DERIVED = ("<beancount_compute>", 0)


@ledger
def test_the_story_in_numbers(books: Books) -> None:
    """
    ; manual/language.md, section 7: by 2026-06-20 billed 800.00, revenue 520.00, fees 6.25, and a
    ; deferred revenue of 280.00, as Beancount itself adds it up
    option "operating_currency" "USD"
    2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
      unused: "mint"
      token-expires: "12 months"
    2026-01-01 custom "compute-option" "seller-fee" 0.05
    2026-05-01 custom "compute-subscription" "alice" "pro"
    2026-05-01 custom "compute-subscription" "bob" "pro"
    2026-05-20 custom "compute-consumption" "alice" 200 CU
    2026-05-20 custom "compute-consumption" "bob" 1000 CU
    2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD
    2026-06-20 custom "compute-consumption" "bob" 1400 CU
    2026-06-20 custom "compute-cancellation" "alice" "pro"
    2026-06-20 custom "compute-cancellation" "bob" "pro"

    2026-06-01 balance Income:Compute                                  -240.00 USD
    2026-06-21 balance Income:Compute                                  -520.00 USD
    2026-06-21 balance Income:Fees                                       -6.25 USD
    2026-06-21 balance Assets:Receivable:Alice                          400.00 USD
    2026-06-21 balance Assets:Receivable:Bob                            525.00 USD
    2026-06-21 balance Liabilities:Payable:Alice                       -118.75 USD
    2026-06-21 balance Liabilities:DeferredRevenue:Allocations:Alice     -1000 CU
    2026-06-21 balance Liabilities:DeferredRevenue:Allocations:Bob           0 CU
    2026-06-21 balance Liabilities:DeferredRevenue:Tokens:Alice           -300 CU
    2026-06-21 balance Liabilities:DeferredRevenue:Tokens:Bob             -100 CU
    """
    assert books.messages == []
    assert books.prices == ["2026-06-10 CU 0.25 USD"]
    deferred = sum(
        posting.units.number * posting.cost.number
        for entry in books.booked
        for posting in entry.postings
        if posting.units is not None and posting.cost is not None
    )
    assert deferred == -280


EVERY_KIND = """
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  token-expires: "1 month"
  overage: 0.30 USD
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-05-01 custom "compute-subscription" "alice" "pro"
  id: "s"
2026-05-02 custom "compute-allocation" "bob" 100 CU 10.00 USD
  id: "top-up-1"
2026-05-03 custom "compute-grant" "carol" 5 CU
  id: "grant-1"
2026-05-04 custom "compute-consumption" "alice" 1001 CU
  id: "use-1"
2026-05-05 custom "compute-trade" "bob" "alice" 10 CU 0.25 USD
  id: "trade-1"
2026-05-06 custom "compute-transfer" "bob" "carol" 10 CU
  id: "transfer-1"
2026-05-07 custom "compute-spend" "bob" "shop" 10 CU 0.70 USD
  id: "spend-1"
2026-05-08 custom "compute-refund" "bob" 10 CU
  id: "refund-1"
2026-05-09 custom "compute-reversal" "use-1"
  id: "undo-1"
2026-05-10 custom "compute-allocation" "dave" "pro"
  id: "one-period"
2026-05-11 custom "compute-consumption" "carol" 5 CU
2026-07-01 custom "compute-option" "as-of" 2026-07-01
"""


def kinds() -> Books:
    books = load_text(EVERY_KIND)
    assert books.messages == []
    return books


@pytest.mark.parametrize(
    ("event", "tags", "links", "line"),
    [
        ("s/2026-05-01", "allocation", ["Alice-2026-05-01-Pro"], '"compute-subscription"'),
        ("top-up-1", "allocation", ["Bob-2026-05-02-Top-up"], '"bob" 100 CU'),
        ("one-period", "allocation", ["Dave-2026-05-10-Pro"], '"dave" "pro"'),
        ("grant-1", "grant", ["Carol-2026-05-03-Grant"], '"compute-grant"'),
        ("use-1", "consumption overage", ["Alice-2026-05-01-Pro"], '"alice" 1001 CU'),
        (
            "trade-1",
            "trade",
            ["Alice-2026-05-02-Top-up", "Bob-2026-05-02-Top-up"],
            '"compute-trade"',
        ),
        (
            "transfer-1",
            "transfer",
            ["Bob-2026-05-02-Top-up", "Carol-2026-05-02-Top-up"],
            '"compute-transfer"',
        ),
        ("spend-1", "spend", ["Bob-2026-05-02-Top-up"], '"compute-spend"'),
        ("refund-1", "refund", ["Bob-2026-05-02-Top-up"], '"compute-refund"'),
        ("undo-1", "reversal", ["Alice-2026-05-01-Pro"], '"compute-reversal"'),
        # derived: no line, so that none can be deleted with it
        ("s/2026-06-01", "allocation", ["Alice-2026-06-01-Pro"], None),
        ("mint/alice/pro/2026-06-01/2026-05-01", "mint", ["Alice-2026-05-01-Pro"], None),
        ("expiry/alice/pro/2026-07-01/2026-05-01", "expiry", ["Alice-2026-05-01-Pro"], None),
    ],
)
def test_the_trail_of_every_kind_of_transaction(
    event: str, tags: str, links: list[str], line: str | None
) -> None:
    """Tag, links of all lots it touches, id, and the file and line that Fava opens."""
    books = kinds()
    (entry,) = [each for each in books.booked if each.meta["event"] == event]
    assert entry.tags == {f"compute-{tag}" for tag in tags.split()}
    assert entry.links == {f"lot-{link}" for link in links}
    assert books.place(entry) == ((FILE, books.line(line)) if line else DERIVED)
    assert ("source" in entry.meta) is (line is None)


def test_what_comes_from_a_policy_says_which() -> None:
    """`source`: the subscription of a later period, the plan's terms of a mint or an expiry."""
    found = {each.meta["event"]: each.meta.get("source") for each in kinds().booked}
    assert found["s/2026-06-01"] == "subscription s"
    assert found["mint/alice/pro/2026-06-01/2026-05-01"] == "plan pro of 2026-01-01, end 2026-06-01"
    assert found["expiry/alice/pro/2026-07-01/2026-05-01"] == (
        "plan pro of 2026-01-01, end 2026-07-01"
    )


def test_every_kind_is_there() -> None:
    """The ledger above holds a transaction of every tag of manual/language.md, section 5."""
    tags = {tag.removeprefix("compute-") for entry in kinds().booked for tag in entry.tags}
    assert tags == {
        "allocation",
        "grant",
        "consumption",
        "overage",
        "mint",
        "expiry",
        "trade",
        "transfer",
        "spend",
        "refund",
        "reversal",
    }


def test_metadata_holds_only_what_beancount_can_print() -> None:
    """Texts and decimals, in entries that print and pass bean-check's own type checks."""
    books = kinds()
    for entry in books.entries:
        printer.format_entry(entry)
        for key, value in entry.meta.items() if "__order" in entry.meta else ():
            assert isinstance(value, int if key == "lineno" else (str, Decimal))
    for validate in HARDCORE_VALIDATIONS:
        assert validate(books.entries, books.options) == []


def test_no_two_entries_have_the_same_hash() -> None:
    """Fava takes the hash for an id; three equal uses of a day are three entries."""
    same = '2026-05-12 custom "compute-consumption" "alice" 1 CU\n' * 3
    books = load_text(EVERY_KIND + same)
    hashes = [hash_entry(entry) for entry in books.booked]
    assert len(books.of("consumption")) == 5
    assert len(set(hashes)) == len(hashes)
    metas = [id(entry.meta) for entry in books.entries]
    assert len(set(metas)) == len(metas)


def test_entries_and_errors_survive_the_load_cache() -> None:
    """Beancount pickles what it has loaded; what it gives back is the same."""
    books = load_text(EVERY_KIND + '2026-05-12 custom "compute-consumption" "nobody" 9999 CU')
    entries, errors = pickle.loads(pickle.dumps((books.entries, books.errors)))
    assert entries == books.entries
    assert errors == books.errors
    assert [error.entry for error in errors] == [None]


def test_a_day_has_the_engine_s_order_whatever_the_lines() -> None:
    """A use stands above its top-up in the file; `__order` puts the top-up first."""
    books = load_text("""
        2026-05-01 custom "compute-consumption" "alice" 5 CU
        2026-05-01 custom "compute-allocation" "alice" 5 CU 1.00 USD
    """)
    assert books.messages == []
    assert [sorted(entry.tags) for entry in books.booked] == [
        ["compute-allocation"],
        ["compute-consumption"],
    ]


@ledger
def test_accounts_are_opened_on_the_first_day_on_which_any_directive_uses_them(
    books: Books,
) -> None:
    """
    ; a prepayment on a receivable, a balance and a note come before the plugin's own use
    2026-01-01 open Assets:Bank
    2026-03-01 * "Prepayment"
      Assets:Bank               1.00 USD
      Assets:Receivable:Alice  -1.00 USD
    2026-04-01 note Income:Compute "new terms"
    2026-04-15 balance Liabilities:DeferredRevenue:Tokens:Alice  0 CU
    2026-05-01 custom "compute-allocation" "alice" 5 CU 1.00 USD
    2026-05-02 custom "compute-consumption" "alice" 5 CU
    """
    assert books.messages == []
    assert books.opened == {
        "Assets:Receivable:Alice": "2026-03-01",
        "Income:Compute": "2026-04-01",
        "Liabilities:DeferredRevenue:Tokens:Alice": "2026-04-15",
    }


@ledger
def test_an_own_open_wins(books: Books) -> None:
    """
    ; an account that the ledger opens is not opened again, whatever its date
    2026-01-01 open Income:Compute USD
    2026-05-01 custom "compute-allocation" "alice" 5 CU 1.00 USD
    2026-05-02 custom "compute-consumption" "alice" 5 CU
    """
    assert books.messages == []
    assert "Income:Compute" not in books.opened


@ledger
def test_a_pocket_that_only_hand_written_postings_use_is_opened(books: Books) -> None:
    """
    ; an opening lot that nothing else touches, entered before any event
    2025-01-01 open Equity:Opening-Balances
    2026-01-01 * "Opening" #compute-opening
      Liabilities:DeferredRevenue:Tokens:Alice  -8 CU {0.20 USD, 2025-11-01, "pro"}
      Equity:Opening-Balances
    """
    assert books.messages == []
    assert books.opened == {"Liabilities:DeferredRevenue:Tokens:Alice": "2026-01-01"}


@ledger
def test_own_prices_win(books: Books) -> None:
    """
    ; of the day, commodity and currency that the ledger prices itself; others stand
    2026-05-01 custom "compute-allocation" "alice" 50 CU 10.00 USD
    2026-05-01 custom "compute-subscriber" "bob" "Bob"
    2026-05-02 custom "compute-trade" "alice" "bob" 1 CU 0.25 USD
    2026-05-03 custom "compute-trade" "alice" "bob" 1 CU 0.26 USD
    2026-05-02 price CU 0.77 USD
    2026-05-03 price CU 0.70 EUR
    """
    assert books.messages == []
    assert sorted(books.prices) == [
        "2026-05-02 CU 0.77 USD",
        "2026-05-03 CU 0.26 USD",
        "2026-05-03 CU 0.70 EUR",
    ]


@ledger
def test_renamed_roots_are_honoured(books: Books) -> None:
    """
    ; German roots: every account of the plugin lies under them, own templates too
    option "name_assets" "Vermoegen"
    option "name_liabilities" "Schulden"
    option "name_income" "Ertraege"
    option "operating_currency" "EUR"
    2026-01-01 custom "compute-account" "breakage" Ertraege:Verfall
    2026-01-01 custom "compute-plan" "pro" 200.00 EUR 1000 CU
    2026-05-01 custom "compute-subscription" "alice" "pro"
    2026-05-02 custom "compute-consumption" "alice" 5 CU
    2026-06-01 custom "compute-cancellation" "alice" "pro"
    2026-06-01 custom "compute-grant" "bob" 5 CU
    """
    assert books.messages == []
    assert sorted(books.opened) == [
        "Ertraege:Compute",
        "Ertraege:Verfall",
        "Schulden:DeferredRevenue:Allocations:Alice",
        "Schulden:DeferredRevenue:Allocations:Bob",
        "Vermoegen:Receivable:Alice",
    ]


@ledger
def test_own_accounts_and_components(books: Books) -> None:
    """
    ; accounts per plan, a pooled receivable, a subscriber with a component of its own
    2026-01-01 custom "compute-account" "revenue" "Income:Use:{plan}"
    2026-01-01 custom "compute-account" "allocations" "Liabilities:Open:{plan}:{subscriber}"
    2026-01-01 custom "compute-account" "receivable" Assets:Receivable
    2026-01-01 custom "compute-subscriber" "u_8f3a@example.com" "Acme"
    2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
    2026-05-01 custom "compute-subscription" "u_8f3a@example.com" "pro"
    2026-05-01 custom "compute-allocation" "u_8f3a@example.com" 10 CU 1.00 USD
    2026-05-02 custom "compute-consumption" "u_8f3a@example.com" 1005 CU
    """
    assert books.messages == []
    assert postings(books.one("consumption")) == [
        'Liabilities:Open:Pro:Acme 1000 CU {0.20 USD, 2026-05-01, "pro/2026-06-01"}',
        'Liabilities:DeferredRevenue:Tokens:Acme 5 CU {0.10 USD, 2026-05-01, "top-up"}',
        "Income:Use:Pro -200.00 USD",
        "Income:Use:Top-up -0.50 USD",
    ]
    assert books.one("consumption").payee == "u_8f3a@example.com"
    assert "Assets:Receivable" in books.opened


@ledger
def test_uses_of_a_month_in_one_transaction(books: Books) -> None:
    """
    ; posting-grain: dated the last use, with the place and id of the first, and their number
    2026-01-01 custom "compute-option" "posting-grain" "month"
    2026-05-01 custom "compute-allocation" "alice" 50 CU 10.00 USD
    2026-05-02 custom "compute-consumption" "alice" 1 CU
      id: "first"
    2026-05-03 custom "compute-consumption" "alice" 2 CU
    2026-05-31 custom "compute-consumption" "alice" 4 CU
    2026-06-01 custom "compute-consumption" "alice" 8 CU
      id: "june"
    """
    assert books.messages == []
    may, june = books.of("consumption")
    assert (str(may.date), may.meta["event"], may.meta["events"]) == ("2026-05-31", "first", 3)
    assert books.place(may) == (FILE, books.line('"alice" 1 CU'))
    assert postings(may) == [
        'Liabilities:DeferredRevenue:Tokens:Alice 7 CU {0.20 USD, 2026-05-01, "top-up"}',
        "Income:Compute -1.40 USD",
    ]
    assert (june.meta["event"], june.meta.get("events")) == ("june", None)


@ledger
def test_what_is_no_directive_of_the_plugin_is_left_alone(books: Books) -> None:
    """
    ; other customs, transactions, notes: the very entries that came in go out
    2026-01-01 open Assets:Bank
    2026-01-01 custom "budget" Assets:Bank "monthly" 5 USD
    2026-01-02 * "Coffee"
      Assets:Bank  -3.00 USD
      Assets:Bank   3.00 USD
    2026-05-01 custom "compute-allocation" "alice" 5 CU 1.00 USD
    """
    assert books.messages == []
    written = [entry for entry in books.entries if "__order" not in entry.meta]
    written = [entry for entry in written if entry.meta["filename"] == FILE]
    kept, errors = compute(written, books.options)
    assert errors == []
    assert len(written) == 4
    assert all(any(entry is each for each in kept) for entry in written)
    assert len(kept) == len(books.entries)


@ledger
def test_a_directive_without_values_is_one_error_and_crashes_nothing(books: Books) -> None:
    """
    ; Beancount's `pad` would crash on a custom directive without any value
    2026-05-01 custom "compute-consumption"
    2026-05-01 custom "compute-grand" "alice" 5 CU
    2026-05-02 custom "compute-allocation" "alice" 5 CU 1.00 USD
    """
    first, second = books.messages
    assert first.startswith('3: custom "compute-consumption" holds nothing: write "alice" 200 CU')
    line = books.line("compute-grand")
    assert second.startswith(f'{line}: unknown directive "compute-grand"; known: compute-plan')
    assert len(books.booked) == 1


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_left_as_it_was(enabled: bool) -> None:
    """Generating without it is quicker; who had switched it off keeps it off."""
    books = load_text("\n")
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        compute([], books.options)
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()


@pytest.mark.parametrize("what", ["freed alone", "freed hosted", "flat hosted", "light hosted"])
def test_what_loads_leave_behind_is_freed(what: str) -> None:
    """Loads in one program: in Fava nothing is kept from the collector, elsewhere for a while."""
    words = [sys.executable, "-m", "tests.ledger.left_behind", *what.split()]
    subprocess.run(words, cwd=ROOT, check=True)


def test_another_plugin_may_leave_few_digits_to_compute_with() -> None:
    """The plugin computes with its own; 1,234.56 CU would be 1,200 with two."""
    text = """
    2026-05-01 custom "compute-allocation" "alice" 1234.56 CU 1234.56 USD
    2026-05-02 custom "compute-consumption" "alice" 234.56 CU
    """
    with localcontext(prec=2):
        books = load_text(text)
        assert getcontext().prec == 2
    assert not [each for each in books.errors if isinstance(each, ComputeError)]
    revenue = [p for each in books.booked for p in each.postings if p.account == "Income:Compute"]
    assert [posting.units.number for posting in revenue] == [Decimal("-234.56")]


# Files


def main(folder: Path, text: str) -> tuple[list[Any], list[Any], dict[str, Any]]:
    path = folder / "main.beancount"
    path.write_text('plugin "beancount_compute"\n' + text)
    entries, errors, options = loader.load_file(str(path))
    return entries, errors, options


HEAD = "id,date,event,subscriber,units,commodity,paid,currency,x_team\n"


def test_files_are_read_from_where_they_are_named_and_registered(tmp_path: Path) -> None:
    """Relative to the file that holds the directive; the load cache and Fava then follow them."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "may.csv").write_text(
        HEAD + "t,2026-05-01,allocation,alice,5,CU,1,USD,red\n"
    )
    (tmp_path / "sub" / "part.beancount").write_text('2026-01-01 custom "compute-events" "*.csv"\n')
    entries, errors, options = main(tmp_path, 'include "sub/part.beancount"\n')
    assert errors == []
    (booked,) = [entry for entry in entries if isinstance(entry, Transaction)]
    path = str(tmp_path / "sub" / "may.csv")
    assert (booked.meta["filename"], booked.meta["lineno"]) == (path, 2)
    assert (booked.meta["event"], booked.meta["x_team"]) == ("t", "red")
    assert path in options["include"]


def test_the_folder_of_a_ledger_is_no_part_of_a_glob(tmp_path: Path) -> None:
    """In books[1], events/*.csv are those of books[1] and not those of its neighbour books1."""
    ledger_folder, neighbour = tmp_path / "books[1]", tmp_path / "books1"
    for folder, units in ((ledger_folder, 5), (neighbour, 77)):
        (folder / "events").mkdir(parents=True)
        row = f"t,2026-05-01,allocation,alice,{units},CU,1,USD,\n"
        (folder / "events" / "may.csv").write_text(HEAD + row)
    entries, errors, options = main(
        ledger_folder, '2026-01-01 custom "compute-events" "**/*.csv"\n'
    )
    assert errors == []
    (booked,) = [entry for entry in entries if isinstance(entry, Transaction)]
    path = str(ledger_folder / "events" / "may.csv")
    assert booked.meta["filename"] == path
    assert path in options["include"]
    absolute = main(tmp_path, f'2026-01-01 custom "compute-events" "{neighbour}/*/m*.csv"\n')
    assert [entry.meta["filename"] for entry in absolute[0] if isinstance(entry, Transaction)] == [
        str(neighbour / "events" / "may.csv")
    ]


def test_a_link_into_the_folder_of_closed_months_never_matches(tmp_path: Path) -> None:
    """Wherever it lies and whatever it is called: what counts is the real path."""
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "may.csv").write_text(HEAD + "t,2026-05-01,allocation,a,5,CU,1,USD,\n")
    (tmp_path / "events.csv").symlink_to(tmp_path / "closed" / "may.csv")
    entries, errors, _ = main(tmp_path, '2026-01-01 custom "compute-events" "e*.csv"\n')
    (error,) = errors
    assert error.message.startswith('"e*.csv" lies in the folder of closed months')
    assert not [entry for entry in entries if isinstance(entry, Transaction)]


def test_a_file_whose_name_is_not_utf_8_is_one_error_and_the_others_are_booked(
    tmp_path: Path,
) -> None:
    """Beancount's own cache and Fava would raise on its name."""
    good, bad = tmp_path / "a.csv", os.fsencode(tmp_path) + b"/b\xff.csv"
    good.write_text(HEAD + "t,2026-05-01,allocation,alice,5,CU,1,USD,\n")
    with open(bad, "w") as file:
        file.write(HEAD + "u,2026-05-01,allocation,alice,7,CU,1,USD,\n")
    entries, errors, options = main(tmp_path, '2026-01-01 custom "compute-events" "*.csv"\n')
    (error,) = errors
    assert error.source["lineno"] == 2
    assert error.message == r'the path "b\udcff.csv" is not UTF-8: rename it'
    assert [entry.meta["event"] for entry in entries if isinstance(entry, Transaction)] == ["t"]
    assert str(good) in options["include"]


def test_a_minimum_fee_is_written_with_the_decimals_of_its_currency(tmp_path: Path) -> None:
    """0.2 USD as 0.20: 1.00 less the fee is 0.80."""
    entries, errors, _ = main(
        tmp_path,
        '2026-05-01 custom "compute-option" "minimum-fee" 0.2 USD\n'
        '2026-05-01 custom "compute-option" "seller-fee" 0.01\n'
        '2026-05-01 custom "compute-allocation" "a" 5 CU 1.00 USD\n'
        '2026-05-01 custom "compute-subscriber" "b" "Bee"\n'
        '2026-05-02 custom "compute-trade" "a" "b" 1 CU 1.00 USD\n',
    )
    assert errors == []
    (trade,) = [each for each in entries if "compute-trade" in (getattr(each, "tags", 0) or ())]
    assert [str(each.units.number) for each in trade.postings[2:]] == ["1.00", "-0.80", "-0.20"]


@pytest.mark.parametrize("odd", ["", '  time: ""\n'])  # column by column, and event by event
def test_the_id_that_a_reversal_names_is_stripped_as_ids_are(tmp_path: Path, odd: str) -> None:
    """An id in metadata and the same as a value are the same text."""
    top_up = '2026-05-01 custom "compute-allocation" "a" 5 CU 1.00 USD\n  id: " t "\n' + odd
    entries, errors, _ = main(tmp_path, top_up + '2026-05-02 custom "compute-reversal" " t "\n')
    assert errors == []
    assert len([entry for entry in entries if isinstance(entry, Transaction)]) == 2


def test_a_directive_and_a_row_that_say_the_same_count_once(tmp_path: Path) -> None:
    """One id, one event, compared by value, wherever it stands."""
    rows = ["t,2026-05-01,allocation,alice,5.0,CU,1.00,USD,"]
    rows.append("t,2026-05-01,allocation,alice,5,CU,1,USD,x")
    (tmp_path / "may.csv").write_text(HEAD + "\n".join(rows))
    entries, errors, _ = main(
        tmp_path,
        '2026-01-01 custom "compute-events" "may.csv"\n'
        '2026-05-01 custom "compute-allocation" "alice" 5 CU 1.00 USD\n  id: "t"\n',
    )
    assert errors == []
    assert len([entry for entry in entries if isinstance(entry, Transaction)]) == 1


def test_errors_of_files_carry_their_own_lines(tmp_path: Path) -> None:
    """A wrong row and a refused one: file and line of the row, and no entry behind them."""
    (tmp_path / "may.csv").write_text(
        HEAD + "a,2026-05-01,party,alice,5,CU,,,\nb,2026-05-01,consumption,bob,5,CU,,,\n"
    )
    _, errors, _ = main(tmp_path, '2026-01-01 custom "compute-events" "may.csv"\n')
    found = sorted((error.source["lineno"], error.entry) for error in errors)
    assert found == [(2, None), (3, None)]
    assert {error.source["filename"] for error in errors} == {str(tmp_path / "may.csv")}


def test_prices_of_trades_carry_no_line(tmp_path: Path) -> None:
    """They belong to a day, not to one trade."""
    entries, errors, _ = main(
        tmp_path,
        '2026-05-01 custom "compute-allocation" "a" 5 CU 1.00 USD\n'
        '2026-05-01 custom "compute-subscriber" "b" "Bee"\n'
        '2026-05-02 custom "compute-trade" "a" "b" 1 CU 0.30 USD\n'
        '2026-05-02 custom "compute-trade" "a" "b" 2 CU 0.60 USD\n',
    )
    assert errors == []
    (price,) = [entry for entry in entries if isinstance(entry, Price)]
    assert (price.meta["filename"], price.meta["lineno"]) == DERIVED
    assert str(price.amount) == "0.50 USD"  # (0.30 + 2 x 0.60) / 3
