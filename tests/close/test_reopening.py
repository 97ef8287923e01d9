"""`bean-compute reopen`: months opened again, with a reason, and nothing forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from tests.close.sealing import add, close, contents, load_errors, printed, run, write
from tests.close.test_closing import ROWS, TERMS


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """May and June are closed."""
    path = write(tmp_path, TERMS, *ROWS)
    close(path, "2026-05", "2026-06")
    return path


def seals(ledger: Path) -> dict[str, str]:
    booking = load(ledger).booking
    assert booking is not None
    return {seal.month: seal.digest for seal in booking.chain.closed}


def test_a_month_and_those_behind_it_are_opened_and_their_files_kept(ledger: Path) -> None:
    """Moved byte by byte, under the first eight digits of their seals."""
    old, files = seals(ledger), contents(ledger.parent / "closed")
    result = run("reopen", "2026-05", ledger, "--reason", 'an "invoice"\nof May \\ came late')
    assert result.exit_code == 0
    assert result.stdout.startswith("Reopened 2026-05, 2026-06; what was frozen lies in ")
    now = contents(ledger.parent / "closed")
    for month, seal in old.items():
        for name in (f"{month}.beancount", f"{month}.events.csv"):
            assert name not in now
            assert now[f"reopened/{month}.{seal[7:15]}/{name}"] == files[name]
    assert load_errors(ledger) == []
    assert seals(ledger) == {}
    booking = load(ledger).booking
    assert booking is not None
    link = booking.chain.links[-1]
    assert (link.month, link.reason) == ("2026-05", 'an "invoice" of May \\ came late')
    assert dict(link.seals) == old
    assert run("verify", ledger).exit_code == 0  # nothing is closed, what was kept is there


def test_opened_months_take_changes_and_close_again_with_other_seals(ledger: Path) -> None:
    """The reopening stands between the old and the new seals of one chain; an old one is told
    to be replaced."""
    old = seals(ledger)
    before = printed(load(ledger))
    assert run("reopen", "2026-06", ledger, "--reason", "x").exit_code == 0
    assert printed(load(ledger)) == before
    add(ledger, '2026-06-25 custom "compute-consumption" "bob" 1 CU\n')
    assert load_errors(ledger) == []
    close(ledger, "2026-06", "2026-07")
    new = seals(ledger)
    assert new["2026-05"] == old["2026-05"] and new["2026-06"] != old["2026-06"]
    result = run("verify", ledger, "--seal", old["2026-06"])
    assert result.exit_code == 1 and "was replaced" in result.stderr
    assert run("reopen", "2026-06", ledger, "--reason", "again").exit_code == 0
    close(ledger, "2026-06")
    assert seals(ledger)["2026-06"] != new["2026-06"]  # another seal before it
    result = run("verify", ledger, "--seal", new["2026-06"])
    assert result.exit_code == 1 and "was replaced" in result.stderr
    report = run("report", "corrections", ledger, "--format", "csv")
    assert report.stdout.count("2026-06-30,") == 2 and ",again," in report.stdout


def test_a_reason_and_a_closed_month_are_needed(ledger: Path) -> None:
    before = contents(ledger.parent)
    for words, message in (
        (("2026-07", "--reason", "x"), "2026-07 is not closed: closed are 2026-05 to 2026-06"),
        (("2026-06", "--reason", "  "), "a reopened month needs a reason"),
        (("2026-06",), "Missing option '--reason'"),
    ):
        result = run("reopen", *words[:1], ledger, *words[1:])
        assert result.exit_code > 0 and message in result.stderr
    assert contents(ledger.parent) == before
    open_ledger = write(ledger.parent / "open", TERMS, *ROWS)
    result = run("reopen", "2026-05", open_ledger, "--reason", "x")
    assert result.exit_code == 1 and "2026-05 is not closed: none is" in result.stderr


def test_a_changed_month_can_be_opened_again(ledger: Path) -> None:
    """It is the way out where frozen text can't be restored; the evidence says so for ever."""
    path = ledger.parent / "closed" / "2026-06.beancount"
    path.write_text(path.read_text().replace('"Mint"', '"Mind"'))
    assert load_errors(ledger) != []
    assert run("reopen", "2026-06", ledger, "--reason", "damaged").exit_code == 0
    assert load_errors(ledger) == []
    close(ledger, "2026-06")
    result = run("verify", ledger)
    assert result.exit_code == 1
    assert "the reopened month's files are not those that were sealed" in result.stderr


ACCESS = """\
2026-01-01 custom "compute-plan" "bundle" 200.00 USD 1000 CU
  access-ssp: 150.00 USD
  units-ssp: 100.00 USD
  overage: 0.10 USD
2026-01-01 custom "compute-plan" "seat" 90.00 USD
  every: "quarter"
  access-by: "even-month"
2026-01-01 custom "compute-option" "as-of" 2026-07-31
2026-05-16 custom "compute-subscription" "alice" "bundle"
2026-05-20 custom "compute-subscription" "bob" "seat"
2026-07-10 custom "compute-cancellation" "bob" "seat"
"""


def test_months_in_the_middle_of_access_are_opened_and_closed_to_the_byte(tmp_path: Path) -> None:
    """What is to be earned stands in the lots: June closes again as it was, and takes a use."""
    ledger = write(tmp_path, ACCESS)
    close(ledger, "2026-05", "2026-06")
    frozen, before = contents(ledger.parent / "closed"), printed(load(ledger))
    assert "61.94 ACCESS-USD {1 USD, 2026-05-16" in before  # 120.00 x 16 / 31
    assert before.count(" 30 ACCESS-USD {1 USD, 2026-05-20") == 3  # of 90.00
    assert run("reopen", "2026-06", ledger, "--reason", "a use came late").exit_code == 0
    assert printed(load(ledger)) == before
    close(ledger, "2026-06")
    report = run("report", "corrections", ledger, "--format", "csv", "--table", "reopened")
    assert report.stdout.splitlines()[-1] == (
        "2026-06-30,2026-06,a use came late,closed/index.beancount:17"
    )  # whatever folder it lies in: a seal of its pack vouches for it
    again = contents(ledger.parent / "closed")
    for name in ("2026-06.beancount", "2026-06.events.csv"):
        assert again[name] == frozen[name]
    assert run("reopen", "2026-06", ledger, "--reason", "here it is").exit_code == 0
    add(ledger, '2026-06-20 custom "compute-consumption" "alice" 200 CU\n')
    close(ledger, "2026-06", "2026-07")
    result = run("verify", ledger)
    assert result.exit_code == 0, result.output
    # of alice's 120.00 from 16 July on 15 of 31 days are left; of bob's 90.00 nothing is
    figures = '"access" 58.06 USD', '"access-revenue" 391.94 USD', '"revenue" 16.00 USD'
    add(ledger, "".join(f'2026-08-01 custom "compute-assert" {each}\n' for each in figures))
    assert load_errors(ledger) == []
