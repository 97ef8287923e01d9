"""Frozen months that a ledger includes beside their index: one error, and nothing counts twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.proving import balances
from tests.close.sealing import INCLUDE, close, load_errors, write


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """May is closed, with 100 CU of alice for 10.00."""
    path = write(tmp_path, "", "t-1,2026-05-02,,allocation,alice,,,100,CU,,10.00,USD,,,,")
    close(path, "2026-05")
    return path


@pytest.mark.parametrize(
    ("file", "more"), [("2026-05.beancount", ""), ("books.beancount", " (and 1 more)")]
)
def test_an_included_month_is_one_error(ledger: Path, file: str, more: str) -> None:
    """The file of all months includes each of them: these are two files."""
    before = balances(load(ledger).entries)
    ledger.write_text(ledger.read_text().replace(INCLUDE, f'{INCLUDE}include "closed/{file}"\n'))
    assert load_errors(ledger) == [
        (
            f"main.beancount:1: closed/2026-05.beancount is included{more}: nothing of it is "
            "taken, as the plugin reads it for its seal; of that folder include "
            "closed/index.beancount only"
        )
    ]
    assert balances(load(ledger).entries) == before


def test_a_glob_over_the_folder_of_closed_months_is_no_other_error(ledger: Path) -> None:
    """Beancount tells of the month that the file of all months includes once more."""
    before = balances(load(ledger).entries)
    ledger.write_text(ledger.read_text().replace("closed/index.beancount", "closed/*.beancount"))
    errors = [each for each in load_errors(ledger) if "Duplicate filename" not in each]
    assert [each.partition(": ")[0] for each in errors] == ["main.beancount:1"]
    assert "of that folder include closed/index.beancount only" in errors[0]
    assert balances(load(ledger).entries) == before


def test_a_file_of_the_ledger_may_be_called_like_a_month(ledger: Path) -> None:
    """It was not written by a close."""
    (ledger.parent / "2026-05.beancount").write_text("2026-06-01 open Assets:Bank\n")
    ledger.write_text(ledger.read_text() + 'include "2026-05.beancount"\n')
    assert load_errors(ledger) == []
    assert "Assets:Bank" in {getattr(entry, "account", "") for entry in load(ledger).entries}
