"""`bean-compute close`: what it freezes, in which order, and what it refuses."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.data import Transaction

from beancount_compute.close.loading import load
from beancount_compute.close.proving import balances
from beancount_compute.close.verifying import verify
from tests.close.sealing import (
    HEAD,
    INCLUDE,
    add,
    close,
    contents,
    errors_of,
    load_errors,
    printed,
    run,
    write,
)

# May of the story in manual/language.md: 240.00 are earned, 160.00 stay deferred (alice's 800 CU)
TERMS = (
    '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
    '  unused: "mint"\n  token-expires: "12 months"\n'
    '2026-01-01 custom "compute-option" "seller-fee" 0.05\n'
)
ROWS = (
    "s-a,2026-05-01,,subscription,alice,,pro,,,,,,,,,",
    "s-b,2026-05-01,,subscription,bob,,pro,,,,,,,,,",
    "u-1,2026-05-20,,consumption,alice,,,200,CU,,,,,,,",
    "u-2,2026-05-20,,consumption,bob,,,1000,CU,,,,,,,",
    "t-1,2026-06-10,,trade,alice,bob,,500,CU,0.25,,USD,,,,",
    "u-3,2026-06-20,,consumption,bob,,,1400,CU,,,,,,,",
    "c-a,2026-06-20,,cancellation,alice,,pro,,,,,,,,,",
    "c-b,2026-06-20,,cancellation,bob,,pro,,,,,,,,,",
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write(tmp_path, TERMS, *ROWS)


def test_a_month_is_frozen_with_its_seal(ledger: Path) -> None:
    """160.00 deferred at the end of May, four events; 280.00 at the end of June, as the story
    has it, with the seal of May as the one before."""
    result = run("close", "2026-05", ledger)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-2] == "Closed 2026-05. Keep its seal elsewhere:"
    may = result.stdout.splitlines()[-1]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", may)
    index = (ledger.parent / "closed" / "index.beancount").read_text()
    assert f'2026-05-31 custom "compute-close" "2026-05" "{may}"\n  previous: "none"\n' in index
    assert "  deferred-revenue: 160.00 USD\n  events: 4\n" in index
    assert run("close", "2026-06", ledger).exit_code == 0
    index = (ledger.parent / "closed" / "index.beancount").read_text()
    assert f'  previous: "{may}"\n' in index
    assert "  deferred-revenue: 280.00 USD\n  events: 4\n" in index


def test_the_frozen_text_is_plain_beancount(ledger: Path) -> None:
    """Terms that were used, then the transactions in full digits; no plugin, no open."""
    close(ledger, "2026-05")
    text = (ledger.parent / "closed" / "2026-05.beancount").read_text()
    assert text.startswith("; 2026-05, closed by bean-compute close. ")
    assert (
        '\n2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n  unused: "mint"\n'
        '  token-expires: "12 months"\n  first-used: 2026-05-01\n  last-used: 2026-05-01\n' in text
    )
    assert (
        '\n2026-05-20 * "alice" "Consumption" #compute-consumption ^lot-Alice-2026-05-01-Pro\n'
        '  event: "u-1"\n'
        "  Liabilities:DeferredRevenue:Allocations:Alice     200 CU "
        '{0.20 USD, 2026-05-01, "pro/2026-06-01"}\n'
        "  Income:Compute                                 -40.00 USD\n" in text
    )
    assert "seller-fee" not in text and "open " not in text and "plugin" not in text
    rows = (ledger.parent / "closed" / "2026-05.events.csv").read_text().splitlines()
    assert rows[1:] == [ROWS[0], ROWS[1], ROWS[2], ROWS[3]]


def test_books_load_with_beancount_alone_to_the_same_balances(ledger: Path) -> None:
    """All closed months, under strict booking, without this plugin."""
    close(ledger, "2026-05", "2026-06")
    books = ledger.parent / "closed" / "books.beancount"
    entries, errors, options = loader.load_file(str(books))
    assert errors == [] and options["plugin"] == []
    found = balances(entries)
    assert found["Income:Compute"] == {("USD", None): Decimal(-520)}
    assert found == balances(each for each in load(ledger).entries if each.date.month < 7)


def test_closing_a_month_twice_changes_nothing(ledger: Path) -> None:
    """The second time it shows the seal again, and exits with 0."""
    seal = run("close", "2026-05", ledger).stdout.splitlines()[-1]
    before = contents(ledger.parent)
    again = run("close", "2026-05", ledger)
    assert again.exit_code == 0
    assert again.stdout == f"2026-05 is closed already. Its seal:\n{seal}\n"
    assert contents(ledger.parent) == before


def test_the_same_months_have_the_same_seals_wherever_and_however_they_are_written(
    tmp_path: Path,
) -> None:
    """Another folder, rows in another order, a later event, a comment: one seal."""
    one = write(tmp_path / "one", TERMS, *ROWS)
    other = write(tmp_path / "other" / "deep", f"; hello\n{TERMS}", *reversed(ROWS))
    add(other, '2026-07-01 custom "compute-grant" "bob" 5 CU\n')
    first, second = close(one, "2026-05"), close(other, "2026-05")
    assert first is not None and second is not None
    assert first.seal.digest == second.seal.digest


def test_a_dry_run_shows_all_and_writes_nothing(ledger: Path) -> None:
    """Not even a lock; the seal is the one that the close then has."""
    before = contents(ledger.parent)
    dry = run("close", "2026-05", ledger, "--dry-run")
    assert dry.exit_code == 0
    assert contents(ledger.parent) == before
    assert not (ledger.parent / "closed" / ".lock").exists()
    assert "Dry run: nothing was written" in dry.stdout
    assert "deferred revenue" in dry.stdout
    done = run("close", "2026-05", ledger)
    assert done.stdout.splitlines()[-1] == dry.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("closed", "month", "message"),
    [
        ((), "2026-06", "months close in order: 2026-05 is the first with bookings, close it"),
        ((), "2026-04", "months close in order: 2026-05 is the first with bookings, close it"),
        ((), "1999-05", "months close in order: 2026-05 is the first with bookings, close it"),
        (("2026-05",), "2026-07", "months close in order: 2026-05 is closed, so close 2026-06"),
        (("2026-05",), "2026-04", "months close in order: 2026-05 is closed, so close 2026-06"),
    ],
)
def test_months_close_in_order(
    ledger: Path, closed: tuple[str, ...], month: str, message: str
) -> None:
    close(ledger, *closed)
    before = contents(ledger.parent)
    result = run("close", month, ledger)
    assert result.exit_code == 1 and message in result.stderr
    assert contents(ledger.parent) == before


@pytest.mark.parametrize(("month", "code"), [("2026-03", 1), ("2026-04", 0), ("2026-05", 0)])
def test_opening_lots_may_be_closed_ahead_of_the_first_bookings(
    tmp_path: Path, month: str, code: int
) -> None:
    """Entered on 30 April, with the first bookings in May: either month may be the first."""
    opening = (
        "2026-04-30 open Equity:Opening\n"
        '2026-04-30 * "Opening" #compute-opening\n'
        '  Liabilities:DeferredRevenue:Tokens:Alice  -10 CU {0.20 USD, 2026-01-01, "pro"}\n'
        "  Equity:Opening  2.00 USD\n"
    )
    result = run("close", month, write(tmp_path, TERMS + opening, *ROWS))
    assert result.exit_code == code, result.stderr


def test_a_month_without_events_closes_empty(ledger: Path) -> None:
    """July has no event: its text holds what is derived, and its rows are the header."""
    close(ledger, "2026-05", "2026-06", "2026-07", "2026-08")
    assert load_errors(ledger) == [] and verify(load(ledger)) == []
    july = (ledger.parent / "closed" / "2026-07.beancount").read_text()
    assert july.count('"Mint"') == 1  # alice's 1000 CU of June
    august = (ledger.parent / "closed" / "2026-08.beancount").read_text()
    assert len(august.splitlines()) == 1
    rows = (ledger.parent / "closed" / "2026-08.events.csv").read_text()
    assert rows.startswith("id,date,") and len(rows.splitlines()) == 1


def test_a_ledger_without_bookings_closes_any_month(tmp_path: Path) -> None:
    """As a ledger that only has payments may wish to."""
    paid = '2026-05-02 * "x"\n  Assets:Bank  1.00 USD\n  Equity:Owner\n'
    opened = "2026-01-01 open Assets:Bank\n2026-01-01 open Equity:Owner\n"
    ledger = write(tmp_path, opened + paid)
    close(ledger, "2026-05")
    assert load_errors(ledger) == []
    assert 'frozen: "hand-written"' in (ledger.parent / "closed" / "2026-05.beancount").read_text()


def test_closing_books_derived_entries_up_to_the_month_s_last_day(tmp_path: Path) -> None:
    """The last event is of 20 May; a lot that ends on 31 May lapses before May is closed."""
    rows = (
        "g-1,2026-05-01,,allocation,alice,,,10,CU,,1.00,USD,2026-05-31,,,",
        "u-1,2026-05-20,,consumption,alice,,,2,CU,,,,,,,",
    )
    ledger = write(tmp_path, TERMS, *rows)
    assert "Expiry" not in printed(load(ledger))
    close(ledger, "2026-05")
    assert '2026-05-31 * "alice" "Expiry"' in printed(load(ledger))
    assert load_errors(ledger) == []


# what is refused before anything is written


def refused(ledger: Path, message: str, *words: str) -> None:
    before = contents(ledger.parent)
    result = run("close", *words, "2026-05", ledger)
    assert result.exit_code == 1, result.output
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert contents(ledger.parent) == before


def test_a_ledger_without_an_index_is_told_how_to_write_one(tmp_path: Path) -> None:
    ledger = tmp_path / "main.beancount"
    ledger.write_text(HEAD + TERMS)
    refused(ledger, "no index of closed months in ")
    assert "close --init" in run("close", "2026-05", ledger).stderr


def test_a_ledger_that_does_not_include_the_index_is_told_the_line(ledger: Path) -> None:
    ledger.write_text(ledger.read_text().replace(INCLUDE, ""))
    refused(ledger, 'add the line  include "closed/index.beancount"')


def test_a_ledger_without_the_plugin_is_refused(ledger: Path) -> None:
    ledger.write_text(ledger.read_text().replace('plugin "beancount_compute"\n', ""))
    refused(ledger, 'no line plugin "beancount_compute"')


def test_a_ledger_with_errors_is_refused_with_all_of_them(ledger: Path) -> None:
    add(ledger, '2026-05-21 custom "compute-consumption" "alice" 9000 CU\n')
    refused(ledger, 'main.beancount:9: "alice" uses 9000 CU and holds 800 CU')
    refused(ledger, "the ledger has 1 error: nothing was written")


def test_a_month_that_does_not_tie_out_is_refused(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Income that a hand-written entry takes is no difference; one in a booking would be."""
    from beancount_compute.close import open_month
    from beancount_compute.close.tie_outs.tie_out import TieOut

    wrong = TieOut("fees", "USD", "left", Decimal(1), "right", Decimal(2), Decimal(-1), ("a:1",))
    monkeypatch.setattr(open_month, "tie_outs", lambda *_: [wrong])
    refused(ledger, "2026-05 does not tie out: nothing was written")


@pytest.mark.parametrize("month", ["2026-13", "26-05", "2026-5", "May", "0000-05"])
def test_what_is_no_month_is_refused(ledger: Path, month: str) -> None:
    result = run("close", month, ledger)
    assert result.exit_code == 2 and "is not a month: write one such as 2026-05" in result.stderr


def test_a_month_too_late_to_be_closed_is_told_so(ledger: Path) -> None:
    """Its last day is the last of all days: nothing could be booked after it."""
    for words in (("close", "9999-12", ledger), ("export", "9999-12", ledger, "--format", "csv")):
        result = run(*words)
        assert result.exit_code == 2
        assert "9999-12 is too late to be closed: the last month is 9999-11" in result.stderr


# where


def test_into_names_another_folder(tmp_path: Path) -> None:
    """Written by --init there; the ledger includes its index, which says where it lies."""
    ledger = tmp_path / "main.beancount"
    ledger.write_text(HEAD + TERMS + '2026-05-01 custom "compute-subscription" "alice" "pro"\n')
    assert run("close", "--init", ledger, "--into", tmp_path / "frozen").exit_code == 0
    add(ledger, 'include "frozen/index.beancount"\n')
    assert run("close", "2026-05", ledger, "--into", tmp_path / "frozen").exit_code == 0
    assert load_errors(ledger) == []
    assert (tmp_path / "frozen" / "2026-05.beancount").exists()
    result = run("verify", ledger)
    assert result.exit_code == 0 and result.stdout.startswith("2026-05: 1 closed month gives the ")


def test_without_into_the_months_go_where_the_included_index_lies(tmp_path: Path) -> None:
    """Once closed in `alt`, no second index is asked for."""
    ledger = tmp_path / "main.beancount"
    ledger.write_text(HEAD + TERMS + '2026-05-01 custom "compute-subscription" "alice" "pro"\n')
    assert run("close", "--init", ledger, "--into", tmp_path / "alt").exit_code == 0
    add(ledger, 'include "alt/index.beancount"\n')
    assert run("close", "2026-05", ledger, "--into", tmp_path / "alt").exit_code == 0
    add(ledger, '2026-01-01 custom "compute-option" "as-of" 2026-06-30\n')
    assert run("close", "2026-06", ledger, "--dry-run").exit_code == 0
    result = run("close", "2026-06", ledger)
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "alt" / "2026-06-pack" / "index.html").exists()
    assert not (tmp_path / "closed").exists()


def test_the_advice_to_write_an_index_names_the_folder_asked_for(tmp_path: Path) -> None:
    ledger = tmp_path / "main.beancount"
    ledger.write_text(HEAD + TERMS + '2026-05-01 custom "compute-subscription" "alice" "pro"\n')
    alt = tmp_path / "alt"
    for more in ([], ["--dry-run"]):
        result = run("close", "2026-05", ledger, "--into", alt, *more)
        assert result.exit_code == 1
        assert f"bean-compute close --init {ledger} --into {alt}\n" in result.stderr


def test_init_writes_once_and_says_the_line(tmp_path: Path) -> None:
    ledger = tmp_path / "main.beancount"
    ledger.write_text(HEAD)
    result = run("close", "--init", ledger)
    assert result.exit_code == 0 and 'include "closed/index.beancount"' in result.stdout
    before = contents(tmp_path)
    again = run("close", "--init", ledger)
    assert again.exit_code == 1 and "index.beancount exists already" in again.stderr
    assert contents(tmp_path) == before
    add(ledger, INCLUDE)
    assert load_errors(ledger) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n\xff\x00\x01", "it is not UTF-8 text"),
        (b'2026-01-01 open Assets:Bank\n2026-01-02 ope Assets:Bank "\n', "line 2: "),
    ],
    ids=["binary", "broken"],
)
def test_init_refuses_what_is_no_ledger(tmp_path: Path, content: bytes, reason: str) -> None:
    """Nothing is written beside a picture, or a ledger that can't be parsed."""
    ledger = tmp_path / "main.beancount"
    ledger.write_bytes(content)
    result = run("close", "--init", ledger)
    assert result.exit_code == 1
    assert f"{ledger} can't be read as a ledger ({reason}" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [ledger.name]


def test_init_refuses_what_is_no_file() -> None:
    """Nothing is written to /dev."""
    result = run("close", "--init", "/dev/null")
    assert result.exit_code == 2 and "/dev/null is no plain file: name a ledger" in result.stderr
    assert not Path("/dev/closed").exists()


def test_init_names_the_ledger_as_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the line from where it stands; an index that is included first does no harm."""
    ledger = tmp_path / "books" / "main.beancount"
    ledger.parent.mkdir()
    ledger.write_text(HEAD + TERMS + 'include "../alt/index.beancount"\n')
    monkeypatch.chdir(tmp_path)
    result = run("close", "--init", "books/main.beancount", "--into", "alt")
    assert result.stdout == (
        "Wrote alt/index.beancount. Add to books/main.beancount:\n\n"
        '  include "../alt/index.beancount"\n'
    )


# ledgers of all sorts

SORTS = {
    "yen and dinar": (
        '2026-01-01 custom "compute-plan" "yen" 1999 JPY 3 CU\n  unused: "mint"\n'
        '2026-01-01 custom "compute-plan" "kwd" 12.345 KWD 7 GPU\n'
        '2026-01-01 custom "compute-option" "seller-fee" 0.0333\n'
        '2026-05-01 custom "compute-subscription" "alice" "yen"\n'
        '2026-05-01 custom "compute-subscription" "bob" "kwd"\n'
        '2026-05-02 custom "compute-allocation" "alice" 3000 CU 0.02 KWD\n'
        '2026-05-03 custom "compute-trade" "alice" "bob" 10 CU 33 JPY\n'
        '2026-05-04 custom "compute-consumption" "alice" 0.5 CU\n'
        '2026-06-20 custom "compute-refund" "bob" 3 CU\n'
    ),
    "own accounts and plans in them": (
        '2026-01-01 custom "compute-plan" "Team 5" 20.00 USD 3000 CU\n  overage: 0.01 USD\n'
        '2026-01-01 custom "compute-account" "allocations" "Liabilities:{plan}:{subscriber}:A"\n'
        '2026-01-01 custom "compute-account" "tokens" "Liabilities:T:{subscriber}:{plan}"\n'
        '2026-01-01 custom "compute-account" "revenue" "Income:Use:{plan}"\n'
        '2026-01-01 custom "compute-account" "overage" "Income:Use:{plan}"\n'
        '2026-05-01 custom "compute-subscription" "e\u0301lise @ x" "Team 5"\n  id: "s"\n'
        '2026-05-01 custom "compute-allocation" "\u65e5\u672c" 10 CU 5.00 USD\n  id: "t"\n'
        '2026-05-02 custom "compute-consumption" "\u00e9lise @ x" 3001.5 CU\n  id: "u"\n'
        '2026-06-02 custom "compute-reversal" "u"\n'
        '2026-06-02 custom "compute-reversal" "t"\n'
        '2026-06-03 custom "compute-assert" "overage" 0.00 USD\n'
    ),
    "postings by hand of nothing": (
        '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
        '2026-05-01 custom "compute-subscription" "alice" "pro"\n'
        "2026-05-01 open Assets:Bank\n2026-05-01 open Expenses:BankFees\n"
        '2026-05-25 * "alice" "Paid"\n  Assets:Bank  200.00 USD\n'
        "  Expenses:BankFees  0.00 USD\n  Assets:Receivable:Alice  -200.00 USD\n"
        '2026-05-26 * "Void"\n  Assets:Bank  0.00 USD\n  Expenses:BankFees  0 USD\n'
        '2026-06-10 custom "compute-consumption" "alice" 20 CU\n'
    ),
    "a free plan, grants and a partner of a subscriber's name": (
        '2026-01-01 custom "compute-plan" "free" 0.00 USD 5 CU\n  unused: "mint"\n'
        '2026-05-31 custom "compute-subscription" "Alice" "free"\n'
        '2026-05-31 custom "compute-allocation" "Alice" 100 CU 5.00 USD\n'
        '2026-05-31 custom "compute-spend" "Alice" "alice" 10 CU 0.40 USD\n'
        '2026-06-10 custom "compute-consumption" "Alice" 20 CU\n'
    ),
}


@pytest.mark.parametrize("text", SORTS.values(), ids=SORTS.keys())
def test_ledgers_of_all_sorts_close_to_the_same_books(tmp_path: Path, text: str) -> None:
    """Up to the day of the last event as never closed, and verified."""
    ledger = write(tmp_path, text)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    before = printed(loaded)
    close(ledger, "2026-05")
    assert load_errors(ledger) == []
    assert printed(load(ledger)) == before
    close(ledger, "2026-06")
    assert load_errors(ledger) == [] and verify(load(ledger)) == []


def test_renamed_roots_close(tmp_path: Path) -> None:
    """And changing them afterwards is a change of the terms."""
    roots = 'option "name_income" "Ertraege"\noption "name_liabilities" "Passiva"\n'
    ledger = write(tmp_path, roots + TERMS, *ROWS[:4])
    close(ledger, "2026-05")
    assert load_errors(ledger) == [] and verify(load(ledger)) == []
    assert "Ertraege:Compute" in printed(load(ledger))
    ledger.write_text(ledger.read_text().replace("Ertraege", "Erloese"))
    assert any('account "revenue" says Erloese:Compute' in each for each in load_errors(ledger))


def test_events_of_parquet_close(tmp_path: Path) -> None:
    """Their rows become rows of CSV, to which the frozen booking points."""
    from datetime import date

    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table(
        {
            "id": ["t-1", "u-1"],
            "date": [date(2026, 5, 2), date(2026, 5, 3)],
            "event": ["allocation", "consumption"],
            "subscriber": ["alice", "alice"],
            "units": pyarrow.array([Decimal("10.000"), Decimal("2.500")]),
            "commodity": ["CU", "CU"],
            "paid": pyarrow.array([Decimal("1.00"), None]),
            "currency": ["USD", None],
            "memo": ['a "b"\nc', None],
            "x_team": ["red", None],
        }
    )
    ledger = write(tmp_path, '2026-01-01 custom "compute-events" "e.parquet"\n')
    parquet.write_table(table, tmp_path / "e.parquet")
    before = printed(load(ledger))
    close(ledger, "2026-05")
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == [] and verify(loaded) == []
    assert printed(loaded) == before
    (use,) = [
        each
        for each in loaded.entries
        if isinstance(each, Transaction) and each.meta["event"] == "u-1"
    ]
    assert "source" not in use.meta and use.meta["filename"].endswith("2026-05.beancount")


def test_a_year_below_1000_closes_like_any_other(tmp_path: Path) -> None:
    """Its months have four digits of the year too."""
    rows = [row.replace("2026-", "0926-") for row in ROWS]
    ledger = write(tmp_path, TERMS.replace("2026-", "0926-"), *rows)
    result = run("close", "0926-06", ledger)
    assert "0926-05 is the first with bookings, close it" in result.stderr
    for month in ("0926-05", "0926-06"):
        assert run("close", month, ledger).exit_code == 0
    assert load_errors(ledger) == [] and verify(load(ledger)) == []
    assert "0927-06 " in run("report", "lots", ledger, "--table", "by-month").stdout


@pytest.mark.parametrize("name", ["al\rice", "al\nice", "al\r\nice", 'al"ice', "al,ice"])
def test_a_line_s_end_in_a_name_books_nothing_twice(tmp_path: Path, name: str) -> None:
    """500 CU for 100.00, of which 5 are used: 99.00 deferred, as long as the months go on."""
    cell = '"' + name.replace('"', '""') + '"'
    ledger = write(
        tmp_path,
        '2026-01-01 custom "compute-option" "as-of" 2026-06-30\n',
        f"t1,2026-05-02,,allocation,{cell},,,500,CU,,100.00,USD,,,,",
        f"u1,2026-05-03,,consumption,{cell},,,5,CU,,,,,,,",
    )
    for month in ("2026-05", "2026-06"):
        closing = close(ledger, month)
        assert [str(amount) for amount in closing.seal.deferred] == ["99.00 USD"]
        assert load_errors(ledger) == []
    assert verify(load(ledger)) == []
