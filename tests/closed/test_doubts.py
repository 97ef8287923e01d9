"""Closed months that were damaged: named, and the books go on from the last state that holds.

April and May are closed. A use of 28 April came when April was closed, and is booked in May; one of
29 May came when May was closed, and is booked in June. Where May does not hold, it is booked anew
from the ledger's own events; rows or text that are left tell what came late.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from tests.close.sealing import as_text, booked, close, errors_of, load_errors, write, write_events

EXAMPLE = Path(__file__).parents[2] / "example-ledgers/closed-quarter"
TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-option" "as-of" 2026-06-30
"""
ALICE = "s-a,2026-04-01,,subscription,alice,,pro,,,,,,,,,"
APRIL = "u-4,2026-04-10,,consumption,alice,,,100,CU,,,,,,,"
LATE_APRIL = "l-4,2026-04-28,,consumption,alice,,,50,CU,,,,,,,"
MAY = "u-5,2026-05-20,,consumption,alice,,,200,CU,,,,,,,"
LATE_MAY = "l-5,2026-05-29,,consumption,alice,,,40,CU,,,,,,,"
JUNE = "u-6,2026-06-10,,consumption,alice,,,30,CU,,,,,,,"
GONE = "No such file or directory: restore it"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = write(tmp_path, TERMS, ALICE, APRIL)
    close(path, "2026-04")
    write_events(path, ALICE, APRIL, LATE_APRIL, MAY)
    close(path, "2026-05")
    write_events(path, ALICE, APRIL, LATE_APRIL, MAY, LATE_MAY, JUNE)
    assert load_errors(path) == []
    return path


def uses(ledger: Path, month: str) -> list[str]:
    """The uses of a month: which event, of how many units."""
    return [
        f"{each.meta['event']} {each.postings[0].units.number:f}"
        for each in booked(load(ledger).entries)
        if f"{each.date:%m}" == month and "compute-consumption" in each.tags
    ]


IN_MAY, IN_JUNE = ["l-4 50", "u-5 200"], ["l-5 40", "u-6 30"]
ANEW = [*IN_MAY, "l-5 40"], ["u-6 30"]  # May as if it were open


def test_each_use_is_booked_in_its_month_and_late_ones_in_the_next(ledger: Path) -> None:
    """The state that the damages below must leave alone."""
    assert (uses(ledger, "05"), uses(ledger, "06")) == (IN_MAY, IN_JUNE)


@pytest.mark.parametrize("part", ["beancount", "events.csv", "state.csv"])
def test_without_one_of_its_files_a_month_is_booked_anew(ledger: Path, part: str) -> None:
    """Nothing is lost and nothing doubled; April is as it was sealed, and the error stands."""
    (ledger.parent / f"closed/2026-05.{part}").unlink()
    assert load_errors(ledger) == [
        f'closed/index.beancount:10: closed month 2026-05: can\'t read "2026-05.{part}": {GONE}'
    ]
    assert (uses(ledger, "05"), uses(ledger, "06")) == (IN_MAY, IN_JUNE)
    assert uses(ledger, "04") == ["u-4 100"]


def test_without_all_of_its_files_too(ledger: Path) -> None:
    """Each is named."""
    for part in ("beancount", "events.csv", "state.csv"):
        (ledger.parent / f"closed/2026-05.{part}").unlink()
    assert len(load_errors(ledger)) == 3
    assert (uses(ledger, "05"), uses(ledger, "06")) == ANEW


@pytest.mark.parametrize("month", ["2026-04", "2026-05"])
def test_a_seal_that_was_edited_is_named_and_its_files_are_not(ledger: Path, month: str) -> None:
    """The first or the newest of the chain, with one event more than there were. What May's rows
    say came late in May comes late again, also where April is booked anew."""
    index = ledger.parent / "closed/index.beancount"
    text = index.read_text()
    before, seal, rest = text.partition(f'"compute-close" "{month}"')
    assert "events: 2" in rest
    index.write_text(before + seal + rest.replace("events: 2", "events: 3", 1))
    errors = load_errors(ledger)
    line = index.read_text()[: len(before)].count("\n") + 1
    wanted = f"the seal of {month} is not that of its files: restore the index as it was"
    assert errors == [f"closed/index.beancount:{line}: {wanted}"]
    assert (uses(ledger, "05"), uses(ledger, "06")) == (IN_MAY, IN_JUNE)


def test_a_row_that_is_gone_makes_no_late_event_an_old_one(ledger: Path) -> None:
    """May's use is gone from the rows: named, and booked once."""
    rows = ledger.parent / "closed/2026-05.events.csv"
    lines = rows.read_text().splitlines(keepends=True)
    rows.write_text("".join(line for line in lines if not line.startswith("u-5,")))
    (told,) = load_errors(ledger)
    assert told.startswith("closed/2026-05.events.csv:1: closed month 2026-05 was changed: ")
    assert 'row "u-5" is gone' in told
    assert (uses(ledger, "05"), uses(ledger, "06")) == (IN_MAY, IN_JUNE)


def test_a_frozen_copy_of_nothing_is_no_exception(tmp_path: Path) -> None:
    """200.00 USD of a payment are 0.00 in the copy: told with both, and everything is booked."""
    ledger = tmp_path / "quarter/main.beancount"
    shutil.copytree(EXAMPLE, ledger.parent)
    sound = booked(load(ledger).entries)
    frozen = ledger.parent / "closed/2026-04.beancount"
    text = re.sub(r"(Assets:Bank +)200.00 USD", r"\1  0.00 USD", frozen.read_text(), count=1)
    assert text != frozen.read_text()
    frozen.write_text(text)
    loaded = load(ledger)
    (error,) = [each for each in errors_of(loaded, ledger) if "was changed" in each]
    assert "0 USD" in error and "200 USD" in error
    assert len(booked(loaded.entries)) == len(sound)


def test_a_changed_text_beside_sound_rows_makes_no_late_event_an_old_one(ledger: Path) -> None:
    """201 CU in May's text: told, and 200 are booked."""
    text = ledger.parent / "closed/2026-05.beancount"
    text.write_text(text.read_text().replace("200 CU {", "201 CU {", 1))
    (told,) = load_errors(ledger)
    assert 'closed month 2026-05 was changed: event "u-5": found' in told
    assert (uses(ledger, "05"), uses(ledger, "06")) == (IN_MAY, IN_JUNE)


def test_a_plan_that_is_gone_is_an_error_and_its_subscribers_go_on(ledger: Path) -> None:
    """June's period is booked on the terms that April and May were."""
    ledger.write_text(ledger.read_text().replace('"pro" 200.00', '"pros" 200.00'))
    loaded = load(ledger)
    wanted = (
        'plan "pro" says nothing on 2026-04-01, and the closed month 2026-04 was booked with '
        "200.00 USD 1000 CU"
    )
    errors = errors_of(loaded, ledger)
    assert len(errors) == 2 and wanted in errors[0] and "month 2026-05 " in errors[1]
    june = [as_text(each) for each in booked(loaded.entries) if f"{each.date:%m}" == "06"]
    (period,) = [each for each in june if "#allocation" in each]
    assert "Alice 200.00 USD; Allocations/Alice -1000 CU {0.2" in period
    assert uses(ledger, "06") == IN_JUNE


def test_no_line_of_a_ledger_that_goes_after_a_close_is_an_exception(tmp_path: Path) -> None:
    """Each line of `closed-quarter`, one after the other: there are errors, and there are books."""
    sound = len(booked(load(EXAMPLE / "main.beancount").entries))
    ledger = tmp_path / "quarter/main.beancount"
    shutil.copytree(EXAMPLE, ledger.parent)
    lines = ledger.read_text().splitlines(keepends=True)
    for at, line in enumerate(lines):
        if line.strip() and not line.startswith((";", "plugin")):
            ledger.write_text("".join(lines[:at] + lines[at + 1 :]))
            loaded = load(ledger)
            assert not [each for each in loaded.errors if "Error applying" in each.message], line
            assert len(booked(loaded.entries)) > sound * 3 // 4, line


def test_the_include_line_of_the_index_can_not_be_lost_in_silence(ledger: Path) -> None:
    """Without it all months would be worked out anew."""
    text = ledger.read_text()
    ledger.write_text(text.replace('include "closed/index.beancount"\n', ""))
    (error,) = load_errors(ledger)
    assert error.startswith("main.beancount:1: closed/index.beancount holds the seals of closed")
    assert 'add  include "closed/index.beancount"' in error
