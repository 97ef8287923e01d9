"""What no random economy holds: cancellations that are reversed, and days told by moments."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from beancount_compute.bulk.bulk_terms import BulkError
from tests.bulk.months_of_a_ledger import movements_of_bulk, refused_rows
from tests.bulk.small_months import LEDGER, Row, begin, book, events, files_of, subscription, use
from tests.bulk.test_same_books import assert_same, both_ways
from tests.laws.captured import capture

NAMES = ("alice", "bob", "carol", "dave")
UNDONE = "".join(
    f'2026-01-10 custom "compute-subscription" "{name}" "pro"\n  id: "s-{name}"\n' for name in NAMES
) + "".join(
    f'{day} custom "compute-cancellation" "{name}" "pro"\n  id: "c-{name}"\n'
    f'{back} custom "compute-reversal" "c-{name}"\n'
    for name, day, back in (
        ("alice", "2026-02-05", "2026-02-05"),
        ("bob", "2026-02-25", "2026-03-05"),  # in a later month, while the period still runs
        ("carol", "2026-02-05", "2026-02-20"),  # too late: it ended on 2026-02-10
        ("dave", "2026-02-25", "2026-03-10"),  # too late by a day
    )
)


def test_a_cancellation_is_reversed_in_its_month_and_later(tmp_path: Path) -> None:
    """Periods begin on the 10th of each month: who runs on in April pays 200.00 four times."""
    ledger = tmp_path / "main.beancount"
    end = '2026-04-20 custom "compute-consumption" "alice" 5 CU\n'
    ledger.write_text(LEDGER.replace('include "bulk/*/journal.beancount"\n', "") + UNDONE + end)
    captured = capture(ledger)
    outcomes, books, _ = both_ways(captured, tmp_path / "months")
    assert_same(outcomes, books, captured)
    charged = dict.fromkeys(NAMES, 0)
    for (what, _, name, kind, _, role, *_), number in movements_of_bulk(outcomes).items():
        if what == "amount" and kind == "allocation" and role == "receivable":
            charged[name] += int(number)
    assert charged == {"alice": 800, "bob": 800, "carol": 200, "dave": 400}
    ended = [row["message"].partition(": ")[0] for row in refused_rows(outcomes)]
    assert ended == [
        f'the subscription that "c-{name}" cancelled ended on 2026-{day}'
        for name, day in (("carol", "02-10"), ("dave", "03-10"))
    ]


def in_moments(path: Path) -> Path:
    """The same rows with moments of UTC for days in Berlin: each half an hour after midnight."""
    found = parquet.read_table(path)
    berlin = timezone(timedelta(hours=2))  # in summer
    days = found.column("date").to_pylist()
    moments = [datetime(day.year, day.month, day.day, 0, 30, tzinfo=berlin) for day in days]
    column = pa.array(moments, pa.timestamp("us", tz="UTC"))
    assert all(each.as_py().date() < day for each, day in zip(column, days, strict=True))
    path = path.with_name(f"moments-{path.name}")
    parquet.write_table(found.set_column(found.column_names.index("date"), "date", column), path)
    return path


def test_a_moment_is_of_the_day_in_the_ledger_s_zone(tmp_path: Path) -> None:
    """May 31 at 22:30 in Greenwich is June already: the same books as by days."""
    zone = '2026-01-01 custom "compute-option" "time-zone" "Europe/Berlin"\n'
    begin(tmp_path, LEDGER + zone)
    rows: list[Row] = [subscription("01", "alice"), use("02", "alice", 1500), use("30", "alice", 1)]
    by_day = events(tmp_path, "2026-06", *rows)
    expected = book(tmp_path, "2026-06", by_day, into=tmp_path / "days", plain=False)
    found = book(tmp_path, "2026-06", in_moments(by_day), into=tmp_path / "moments")
    assert found.counts["by the engine"] == 3  # for the kernel knows days alone
    seen, known = files_of(found.folder), files_of(expected.folder)
    named = {"month.json", "subscriptions.parquet"}  # which name the file that they are from
    assert {name for name in known if seen[name] != known[name]} == named
    july = in_moments(events(tmp_path, "2026-06", use("2026-07-01", "alice", 1), name="july"))
    with pytest.raises(BulkError, match=r"july\.parquet:1 is of 2026-07-01, outside of 2026-06"):
        book(tmp_path, "2026-06", july, into=tmp_path / "moments")
