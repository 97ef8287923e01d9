"""`bean-compute verify`: closed months worked out again from their frozen events."""

from __future__ import annotations

import re
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from beancount_compute.close.closing import INDEX_HEAD
from beancount_compute.closed import INDEX
from tests.close.sealing import INCLUDE, add, close, contents, run, write
from tests.close.test_closing import ROWS, TERMS


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """May and June are closed."""
    path = write(tmp_path, TERMS, *ROWS)
    close(path, "2026-05", "2026-06")
    return path


def closed(ledger: Path, name: str) -> Path:
    return ledger.parent / "closed" / name


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_months_that_agree_are_named_with_the_newest_seal(ledger: Path) -> None:
    before = contents(ledger.parent)
    result = run("verify", ledger)
    assert result.exit_code == 0
    seal = closed(ledger, "index.beancount").read_text().split('"2026-06" "')[1][:71]
    assert result.stdout == (
        f"2026-05 to 2026-06: 2 closed months give the same books again\nThe newest seal: {seal}\n"
    )
    assert contents(ledger.parent) == before


def test_a_release_that_would_book_otherwise_shows_and_changes_nothing(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without fees, June's trade differs by 6.25: what is frozen, and what would be."""
    rule = import_module("beancount_compute.economy.rules.trade")  # there is a function, too
    monkeypatch.setattr(rule, "fee_on", lambda *_: rule.ZERO)
    before = contents(ledger.parent)
    result = run("verify", ledger)
    assert result.exit_code == 1
    frozen, again, *of_state = result.stderr.splitlines()
    assert any("and not worked out again: state earned fees" in line for line in of_state)
    assert "closed/2026-06.beancount:" in frozen
    assert "2026-06: frozen, and not worked out again: " in frozen
    assert "Income:Fees -6.25 USD" in frozen
    assert again.startswith("2026-06: worked out again, and not frozen: ")
    assert "Liabilities:Payable:Alice -125 USD" in again
    assert contents(ledger.parent) == before
    assert run("check", ledger).exit_code == 0


def test_a_seal_kept_elsewhere_is_in_the_chain_or_not(ledger: Path) -> None:
    """Not one of a chain that was made anew; nor is one current that was opened again since."""
    seal = closed(ledger, "index.beancount").read_text().split('"2026-06" "')[1][:71]
    assert run("verify", ledger, "--seal", seal).exit_code == 0
    other = "sha256:" + "0" * 64
    result = run("verify", ledger, "--seal", other)
    assert result.exit_code == 1
    assert result.stderr == f"the seal {other} is not in the chain\n"
    first = closed(ledger, "index.beancount").read_text().split('"2026-05" "')[1][:71]
    for reason, month in (("x", "2026-06"), ("y", "2026-05")):
        assert run("reopen", month, ledger, "--reason", reason).exit_code == 0
        result = run("verify", ledger, "--seal", seal)
        line = closed(ledger, "index.beancount").read_text().split("compute-reopen")[0].count("\n")
        assert result.exit_code == 1 and not result.stdout
        assert result.stderr == (
            f"{closed(ledger, 'index.beancount')}:{line + 1}: 2026-06: the seal {seal} was "
            'replaced: the reopening of 2026-06, "x", opened this month again; it is open now\n'
        )
        assert run("verify", ledger).exit_code == 0
    close(ledger, "2026-05", "2026-06")
    now = dict(re.findall('"compute-close" "(.*?)" "(.*?)"', closed(ledger, INDEX).read_text()))
    for old, month in ((first, "2026-05"), (seal, "2026-06")):
        result = run("verify", ledger, "--seal", old)
        assert result.exit_code == 1
        assert result.stderr.endswith(f"opened this month again; it is sealed {now[month]} now\n")
        assert result.stderr.count("\n") == 1
        assert run("verify", ledger, "--seal", now[month]).exit_code == 0


def test_the_newest_month_removed_shows_by_the_files_that_are_left(ledger: Path) -> None:
    """Removed whole, only a seal kept elsewhere shows it."""
    path = closed(ledger, "index.beancount")
    seal = path.read_text().split('"2026-06" "')[1][:71]
    path.write_text(path.read_text().split("\n2026-06-30 ")[0])
    result = run("verify", ledger)
    assert result.exit_code == 1
    assert "a frozen month that no seal names: was the newest seal removed?" in result.stderr
    for name in ("2026-06.beancount", "2026-06.events.csv"):
        closed(ledger, name).unlink()
    assert "is not in the chain" in run("verify", ledger, "--seal", seal).stderr


def test_a_touched_month_is_no_proof(ledger: Path) -> None:
    """The load's errors and the differences: exit 1."""
    replace(closed(ledger, "2026-05.beancount"), "   200 CU", "   201 CU")
    result = run("verify", ledger)
    assert result.exit_code == 1
    assert "closed month 2026-05 was changed" in result.stderr
    assert "2026-05: the text is not the content of the seal" in result.stderr


def test_books_that_differ_or_are_gone_are_named(ledger: Path) -> None:
    """An account opened too late, another month left out, the file removed."""
    path = closed(ledger, "books.beancount")
    text = path.read_text()
    path.write_text(text.replace('include "2026-06.beancount"\n', ""))
    result = run("verify", ledger)
    assert result.exit_code == 1 and "another balance of Income:Compute" in result.stderr
    path.write_text(text.replace("2026-05-01 open", "2026-05-02 open", 1))
    assert "Beancount says: " in run("verify", ledger).stderr
    path.unlink()
    assert "the file is gone; the next close writes it anew" in run("verify", ledger).stderr


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_evidence_of_reopened_months_is_kept(ledger: Path, damage: str) -> None:
    """What was frozen is proved by its old seal for ever."""
    assert run("reopen", "2026-06", ledger, "--reason", "x").exit_code == 0
    assert run("verify", ledger).exit_code == 0
    (folder,) = closed(ledger, "reopened").iterdir()
    if damage == "gone":
        shutil.rmtree(folder)
        message = "2026-06: the reopened month's files are gone"
    else:
        replace(folder / "2026-06.events.csv", "t-1", "t-9")
        message = "2026-06: the reopened month's files are not those that were sealed"
    result = run("verify", ledger)
    assert result.exit_code == 1 and message in result.stderr


def test_nothing_closed_is_nothing_to_verify(tmp_path: Path) -> None:
    """With the empty index this is fine, so that a script can verify before its first close."""
    ledger = write(tmp_path, TERMS, *ROWS)
    result = run("verify", ledger)
    assert result.exit_code == 0
    assert result.stdout == "no month is closed yet: nothing to verify\n"


def test_nothing_closed_has_no_seal(tmp_path: Path) -> None:
    """A seal that was kept proves that something was closed once."""
    ledger = write(tmp_path, TERMS, *ROWS)
    result = run("verify", ledger, "--seal", "0" * 64)
    assert result.exit_code == 1 and "is not in the chain" in result.stderr


def test_the_only_month_removed_shows_by_the_files_that_are_left(tmp_path: Path) -> None:
    """An index emptied by hand is not one in which nothing was closed yet."""
    ledger = write(tmp_path, TERMS, *ROWS)
    close(ledger, "2026-05")
    for text in (INDEX_HEAD, ""):
        closed(ledger, "index.beancount").write_text(text)
        result = run("verify", ledger)
        assert result.exit_code == 1 and "a frozen month that no seal names" in result.stderr


def test_a_ledger_without_an_index_or_plugin_can_t_be_verified(tmp_path: Path) -> None:
    """It says which line to add."""
    ledger = write(tmp_path, TERMS, *ROWS)
    ledger.write_text(ledger.read_text().replace(INCLUDE, ""))
    result = run("verify", ledger)
    assert result.exit_code == 1
    assert 'add the line  include "closed/index.beancount"' in result.stderr
    ledger.write_text(ledger.read_text().replace('plugin "beancount_compute"\n', ""))
    result = run("verify", ledger)
    assert result.exit_code == 1 and 'no line plugin "beancount_compute"' in result.stderr


def test_with_all_months_opened_again_what_was_kept_is_verified(ledger: Path) -> None:
    """Nothing is closed, and the old files are still evidence."""
    assert run("reopen", "2026-05", ledger, "--reason", "x").exit_code == 0
    result = run("verify", ledger)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        0,
        "no month is closed yet: nothing to verify",
    )
    shutil.rmtree(closed(ledger, "reopened"))
    result = run("verify", ledger)
    assert result.exit_code == 1 and "the reopened month's files are gone" in result.stderr


@pytest.mark.parametrize("seal", ["", " ", "sha256:", "none", "0" * 63, "md5:" + "0" * 64])
def test_what_is_no_seal_is_refused(ledger: Path, seal: str) -> None:
    """Before anything is loaded; an empty one proves nothing."""
    result = run("verify", ledger, "--seal", seal)
    assert result.exit_code == 2 and "is no seal" in result.stderr and not result.stdout


def test_a_seal_may_lack_its_prefix_and_be_written_in_capitals(ledger: Path) -> None:
    seal = closed(ledger, "index.beancount").read_text().split('"2026-06" "')[1][:71]
    for written in (seal.removeprefix("sha256:"), seal.upper(), f" {seal}\n"):
        assert run("verify", ledger, "--seal", written).exit_code == 0


def test_a_ledger_that_does_not_load_says_so_first(ledger: Path, tmp_path: Path) -> None:
    """An include that is not found, and a link, whose includes are looked for beside it."""
    link = tmp_path / "elsewhere" / "main.beancount"
    link.parent.mkdir()
    link.symlink_to(ledger)
    for words in (
        ("verify", link),
        ("close", "2026-07", link),
        ("reopen", "2026-06", link, "--reason", "x"),
    ):
        result = run(*words)
        assert result.exit_code == 1
        first, *_, last = result.stderr.splitlines()
        assert "closed/index.beancount" in first and "does not match any files" in first
        assert "is a symbolic link" in last and ledger.name in last
    ledger.write_text(ledger.read_text().replace("closed/index", "gone/index"))
    for words in (("verify", ledger), ("reopen", "2026-06", ledger, "--reason", "x")):
        result = run(*words)
        assert result.exit_code == 1
        assert "gone/index.beancount" in result.stderr.splitlines()[0]


def test_differences_beyond_twenty_are_counted(tmp_path: Path) -> None:
    """Thirty uses whose rows are frozen at other units than their bookings."""
    uses = [f"u-{n},2026-05-20,,consumption,alice,,,{n},CU,,,,,,," for n in range(1, 31)]
    ledger = write(tmp_path, TERMS, ROWS[0], *uses)
    close(ledger, "2026-05")
    add(ledger, "; touched\n")
    path = closed(ledger, "2026-05.beancount")
    path.write_text(path.read_text().replace("Consumption", "Use"))
    result = run("verify", ledger)
    assert "2026-05: and 40 more differences" in result.stderr


def test_two_uses_of_one_lapsed_lot_are_reversed_on_one_day(tmp_path: Path) -> None:
    """What comes back lapses again, as one lot: from closed months as from the first day on."""
    ledger = write(
        tmp_path,
        '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n',
        "s,2026-05-01,,subscription,alice,,pro,,,,,,,,,",
        "u-1,2026-05-19,,consumption,alice,,,2,CU,,,,,,,",
        "u-2,2026-05-27,,consumption,alice,,,2,CU,,,,,,,",
        "r-1,2026-07-31,,reversal,,,,,,,,,,,u-1,",
        "r-2,2026-07-31,,reversal,,,,,,,,,,,u-2,",
    )
    close(ledger, "2026-05", "2026-06", "2026-07")
    result = run("verify", ledger)
    assert result.exit_code == 0, result.stderr
    assert closed(ledger, "2026-07.state.csv").read_text().count("2026-05-01,pro,2026-06-01") == 1
