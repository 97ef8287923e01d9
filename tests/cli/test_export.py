"""`bean-compute export`: what it writes, where, and with which exit code."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from beancount import loader
from beancount.parser import parser
from click.testing import CliRunner, Result

from beancount_compute.cli import main
from beancount_compute.close.general_ledger.remembered_export import may_change
from beancount_compute.close.standing import months_of
from beancount_compute.closed.chain import (
    NO_SEAL,
    Link,
    Reopening,
    Seal,
    link_text,
    with_digest,
)
from beancount_compute.reports.books import read_books

LEDGER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-05-01 custom "compute-allocation" "alice" 1000 CU 200.00 USD
2026-05-02 custom "compute-consumption" "alice" 200 CU
"""
JOURNAL = """\
journal,date,currency,account,code,name,plan,subscriber,description,debit,credit
TOK-2026-05-USD,2026-05-31,USD,Assets:Receivable:Alice,,,,,Assets:Receivable:Alice,200.00,
TOK-2026-05-USD,2026-05-31,USD,Income:Compute,,,,,Income:Compute,,40.00
TOK-2026-05-USD,2026-05-31,USD,Liabilities:DeferredRevenue:Tokens:Alice,,,,,\
Liabilities:DeferredRevenue:Tokens:Alice,,160.00
"""
OPEN = "Warning: 2026-05 is not closed: its figures may change.\n"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["export", *[str(word) for word in words]])


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """One top-up of 200.00 for 1000 CU, of which 200 are used (40.00)."""
    path = tmp_path / "main.beancount"
    path.write_text(LEDGER)
    return path


def test_csv_goes_to_standard_output(ledger: Path) -> None:
    """With a warning on standard error, as the month is not closed."""
    result = run("2026-05", ledger, "--format", "csv")
    assert (result.exit_code, result.stdout, result.stderr) == (0, JOURNAL, OPEN)


SHA = "sha256:" + "0" * 64
CLOSE = with_digest(Seal("2026-05", NO_SEAL, SHA, SHA, (), 2))
REOPEN = with_digest(
    Reopening("2026-05", "a late invoice", CLOSE.digest, (("2026-05", CLOSE.digest),))
)


@pytest.mark.parametrize(
    ("links", "closed"), [([], False), ([CLOSE], True), ([CLOSE, REOPEN], False)]
)
def test_a_month_is_closed_by_its_seal_until_it_is_opened_again(
    links: list[Link], closed: bool
) -> None:
    """Then no warning is due; nor for what stands before the first month that closes."""
    entries, _, options = parser.parse_string("".join(map(link_text, links)))
    booked, _, _ = loader.load_string(LEDGER)
    months = months_of(entries, read_books(booked, options))
    assert may_change(months, "2026-05") is not closed
    assert may_change(months, "2026-06")
    assert not may_change(months, "2026-04")


@pytest.mark.parametrize("month", ["2026-04", "2026-06", "9999-11"])
def test_a_month_without_bookings_has_nothing_to_export(ledger: Path, month: str) -> None:
    """That is no error, and no figure of it may change."""
    result = run(month, ledger, "--format", "csv")
    said = f"Nothing to export: nothing was booked in {month}.\n"
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", said)


def test_a_month_before_the_first_to_close_is_exported_without_a_warning(ledger: Path) -> None:
    """What was written by hand before it is frozen with the first month, never by itself."""
    opened = "2026-01-01 open Assets:Bank\n2026-01-01 open Equity:Owner\n"
    ledger.write_text(f'{LEDGER}{opened}2026-03-02 * "x"\n  Assets:Bank  1 USD\n  Equity:Owner\n')
    result = run("2026-03", ledger, "--format", "csv", "--only", "all")
    assert result.exit_code == 0 and "TOK-2026-03-USD" in result.stdout and not result.stderr
    assert run("2026-05", ledger, "--format", "csv").stderr == OPEN


def test_files_are_written_once_and_never_over_others(ledger: Path, tmp_path: Path) -> None:
    """The same again changes nothing; another content is refused, and nothing is written."""
    out = tmp_path / "gl"
    words = ("2026-05", ledger, "--format", "csv", "--out", out)
    file = out / "2026-05-journal.csv"
    assert run(*words).stdout == f"Wrote {file}\n"
    assert file.read_text() == JOURNAL
    assert run(*words).stdout == f"Unchanged: {file}\n"
    ledger.write_text(LEDGER + '2026-05-03 custom "compute-consumption" "alice" 1 CU\n')
    again = run(*words)
    assert again.exit_code == 1
    assert f"{file} exists already and holds something else" in again.stderr
    assert file.read_text() == JOURNAL
    assert [path.name for path in out.iterdir()] == [file.name]


def test_a_ledger_with_errors_is_refused(ledger: Path) -> None:
    """Its errors on standard error, nothing on standard output."""
    ledger.write_text(LEDGER + '2026-05-03 custom "compute-consumption" "alice" 9000 CU\n')
    result = run("2026-05", ledger, "--format", "csv")
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'main.beancount:5: "alice" uses 9000 CU and holds 800 CU' in result.stderr


def test_a_suite_that_needs_a_map_says_what_to_write(ledger: Path, tmp_path: Path) -> None:
    """A line a branch, to complete; likewise those that a map leaves out."""
    result = run("2026-05", ledger, "--format", "xero")
    assert result.exit_code == 1
    lines = "Assets:Receivable,,\nIncome:Compute,,\n"
    rest = "Liabilities:DeferredRevenue:Tokens,,\n"
    assert result.stderr.endswith(f"account,code,name\n{lines}{rest}")
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("account,code,name\nLiabilities:DeferredRevenue,2400,Deferred revenue\n")
    result = run("2026-05", ledger, "--format", "netsuite", "--map", accounts)
    assert result.exit_code == 1
    assert result.stderr.endswith(f"\n\n{lines}")


def test_a_map_that_is_wrong_or_unreadable_is_one_error(ledger: Path, tmp_path: Path) -> None:
    """With its file and line."""
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("account,code\nIncome,\n")
    result = run("2026-05", ledger, "--format", "csv", "--map", accounts)
    assert result.exit_code == 1
    assert f"{accounts}:2: account or code is empty" in result.stderr
    accounts.write_bytes(b"account,code\nIncome,\xff\n")
    result = run("2026-05", ledger, "--format", "csv", "--map", accounts)
    assert result.exit_code == 1
    assert f"can't read {accounts}: it is not UTF-8 text" in result.stderr


BY_HAND = """\
2026-01-01 open Assets:Bank
2026-05-20 * "alice pays"
  Assets:Bank               150.00 USD
  Assets:Receivable:Alice  -150.00 USD
"""


def test_what_was_written_by_hand_stays_at_home(ledger: Path) -> None:
    """The bank's own ledger has the payment of 150.00; asked for all, it is there."""
    ledger.write_text(LEDGER + BY_HAND)
    words = ("2026-05", ledger, "--format", "csv")
    assert run(*words).stdout == run(*words, "--only", "booked").stdout == JOURNAL
    everything = run(*words, "--only", "all").stdout
    assert ",Assets:Bank,,,,,Assets:Bank,150.00,\n" in everything
    assert ",Assets:Receivable:Alice,,,,,Assets:Receivable:Alice,50.00,\n" in everything
    ledger.write_text('plugin "beancount_compute"\n' + BY_HAND.replace(":Alice", ""))
    ledger.write_text(ledger.read_text() + "2026-01-01 open Assets:Receivable\n")
    result = run(*words)
    said = "Nothing to export: the plugin booked nothing in 2026-05; --only all takes the rest.\n"
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", said)


def test_a_clearing_account_takes_what_the_suite_keeps_by_itself(
    ledger: Path, tmp_path: Path
) -> None:
    """Billed 200.00, of which 150.00 were paid: Xero has bank and receivable already, and they
    clear to the 200.00 that its own invoices bring; an exact line beats that of a branch."""
    ledger.write_text(LEDGER + BY_HAND)
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(
        "account,code,name\nAssets,1999,Compute clearing\nLiabilities,,2400\nIncome,4000,Sales\n"
        "Income:Compute,4100,Tokens\n"
    )
    words = ("2026-05", ledger, "--format", "xero", "--map", accounts, "--only", "all")
    assert run(*words, "--out", tmp_path).exit_code == 0
    rows = (tmp_path / "2026-05-xero-USD.csv").read_text().splitlines()[1:]
    assert [tuple(row.split(",")[2:6]) for row in rows] == [
        ("Assets", "1999", "Tax Exempt", "200.00"),
        ("Liabilities", "2400", "Tax Exempt", "-160.00"),
        ("Income:Compute", "4100", "Tax Exempt", "-40.00"),
    ]
    accounts.write_text(accounts.read_text().replace("Compute clearing", "Accounts receivable"))
    result = run(*words, "--out", tmp_path / "other")
    assert result.exit_code == 1 and not (tmp_path / "other").exists()
    assert "Assets -> 1999 Accounts receivable: Xero fills it from invoices alone" in result.stderr


@pytest.mark.parametrize(
    ("template", "suggested"),
    [
        ("Liabilities:Owed:Tokens:{subscriber}", "Liabilities:Owed:Tokens"),
        ("Liabilities:Tokens:{subscriber}:{plan}", "Liabilities:Tokens"),
        ("Liabilities:Tokens:T-{subscriber}", "Liabilities:Tokens"),
        ("Liabilities:{subscriber}:Tokens", "Liabilities:Alice:Tokens"),  # it would cover all
        ("Liabilities:Payable:{subscriber}:Tokens", "Liabilities:Payable:Alice:Tokens"),
    ],
)
def test_the_suggested_map_has_a_line_a_branch(ledger: Path, template: str, suggested: str) -> None:
    """But none that would cover another role's accounts as well."""
    account = f'2026-01-01 custom "compute-account" "tokens" "{template}"\n'
    ledger.write_text(LEDGER + account)
    result = run("2026-05", ledger, "--format", "xero")
    assert result.stderr.splitlines()[-3:] == [
        "Assets:Receivable,,",
        "Income:Compute,,",
        f"{suggested},,",
    ]


@pytest.mark.parametrize("month", ["2026-13", "2026-5", "May", "2026-05-01", "-2026-05"])
def test_a_month_that_does_not_exist_is_a_wrong_argument(ledger: Path, month: str) -> None:
    """Exit code 2."""
    assert run("--format", "csv", "--", month, ledger).exit_code == 2


def test_a_month_in_which_nothing_was_booked_writes_nothing(ledger: Path, tmp_path: Path) -> None:
    """And says so."""
    out = tmp_path / "gl"
    result = run("2026-04", ledger, "--format", "csv", "--out", out)
    assert result.exit_code == 0
    assert "nothing was booked in 2026-04" in result.stderr
    assert not out.exists()


def test_nothing_is_written_through_a_link_that_somebody_planted(
    ledger: Path, tmp_path: Path
) -> None:
    """Neither beside the file, where it is written first, nor in its place."""
    victim, out = tmp_path / "victim", tmp_path / "gl"
    victim.write_text("mine")
    out.mkdir()
    words = ("2026-05", ledger, "--format", "csv", "--out", out)
    (out / ".2026-05-journal.csv.part").symlink_to(victim)
    assert run(*words).exit_code == 0
    assert victim.read_text() == "mine"
    assert not (out / "2026-05-journal.csv").is_symlink()
    assert [path.name for path in out.iterdir()] == ["2026-05-journal.csv"]


def test_a_full_disk_leaves_nothing_behind(
    ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file, and no half of one under another name; what a killed run left is in nobody's way."""
    out = tmp_path / "gl"
    words = ("2026-05", ledger, "--format", "csv", "--out", out)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_space)
        result = run(*words)
    assert result.exit_code == 1
    assert f"can't write to {out}: No space left on device" in result.stderr
    assert list(out.iterdir()) == []
    (out / ".2026-05-journal.csv.part").write_text("half")
    assert run(*words).exit_code == 0
    assert [path.name for path in out.iterdir()] == ["2026-05-journal.csv"]


def no_space(source: object, target: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
