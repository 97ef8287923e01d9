"""Where a month is written: only what is ours is replaced, and no half is taken for whole."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.folder import month_folder
from beancount_compute.bulk.folder.month_folder import MonthFolder
from beancount_compute.bulk.folder.month_tables import SCHEMAS
from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.bulk.rows.month_files import find_event_files
from beancount_compute.close.storage import acquire
from beancount_compute.economy import Month
from tests.bulk.small_months import begin, book, events, files_of, subscription, use


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of May, beside its ledger."""
    begin(tmp_path)
    return events(tmp_path, "2026-05", subscription("01", "alice"), use("20", "alice", 200))


def stopped(path: Path) -> str:
    """Why May is not booked; all that lies beside it is as it was."""
    folder = path.parent / "bulk"
    before = [files_of(each) for each in sorted(folder.glob("*")) if each.is_dir()]
    with pytest.raises(BulkError) as error:
        book(path.parent, "2026-05", path)
    assert [files_of(each) for each in sorted(folder.glob("2*")) if each.is_dir()] == before
    return str(error.value).replace(f"{path.parent}/", "")


def test_a_folder_of_somebody_else_is_not_replaced(path: Path) -> None:
    """An empty one is used."""
    month = path.parent / "bulk" / "2026-05"
    month.mkdir()
    (month / "thesis.txt").write_text("ten years of work")
    assert stopped(path).startswith("bulk/2026-05 is no month of bean-compute bulk")
    (month / "thesis.txt").unlink()
    assert (book(path.parent, "2026-05", path).folder / "lots.parquet").exists()


def test_a_month_of_another_ledger_is_not_replaced(path: Path) -> None:
    book(path.parent, "2026-05", path)
    ledger = path.parent / "main.beancount"
    ledger.write_text(ledger.read_text().replace("Small", "Other"))
    message = 'bulk/2026-05 is of the ledger "Small", not of "Other": move it away, or name another'
    assert stopped(path).startswith(message)


def test_a_month_under_another_s_name_is_not_replaced(path: Path) -> None:
    folder = book(path.parent, "2026-05", path).folder
    about = json.loads((folder / "month.json").read_text())
    (folder / "month.json").write_text(json.dumps({**about, "month": "2026-04"}))
    assert stopped(path).startswith('bulk/2026-05 is of "2026-04", not of "2026-05": move it away')
    (folder / "month.json").write_text(json.dumps({**about, "opened": 7}))
    assert "it has no month.json as we write it" in stopped(path)


def test_the_folder_can_t_be_made(path: Path) -> None:
    shutil.rmtree(path.parent / "bulk")
    (path.parent / "bulk").write_text("a file")
    assert stopped(path) == "can't write to bulk: File exists"


def test_the_folder_can_t_be_written_to(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where somebody else owns it."""

    def refused(folder: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))

    monkeypatch.setattr("beancount_compute.bulk.month_run.acquire", refused)
    assert stopped(path) == "can't write to bulk: Permission denied"


def test_two_runs_at_once(path: Path) -> None:
    release = acquire(path.parent / "bulk")
    assert stopped(path) == "another bean-compute is writing to bulk: wait for it"
    release()
    book(path.parent, "2026-05", path)


def test_the_disk_is_full_at_the_last_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The month that was there stays whole, and the next run writes the new one."""
    book(path.parent, "2026-05", path)
    before = files_of(path.parent / "bulk" / "2026-05")
    more = events(path.parent, "2026-05", subscription("01", "alice"), use("20", "alice", 7))
    right, written = month_folder.write_parquet, []

    def full(table: Any, place: Path) -> None:
        written.append(place)
        if len(written) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        right(table, place)

    with monkeypatch.context() as patch:
        patch.setattr(month_folder, "write_parquet", full)
        assert stopped(more) == "the disk is full: make room for bulk, and run again"
    assert files_of(path.parent / "bulk" / "2026-05") == before
    book(path.parent, "2026-05", more)
    assert sorted(each.name for each in (path.parent / "bulk").iterdir()) == ["2026-05"]


def test_what_memory_has_no_room_for_lies_beside_the_month(path: Path) -> None:
    """32 MB in 20 MB: DuckDB's files are there while it has them, and no folder is left of them."""
    place = MonthFolder(path.parent / "bulk", Month(2026, 5), {"source": "0", "ledger": ""})
    table = EventTable(find_event_files([str(path)]), "20MB", place.spill, 1)
    table.run(
        "CREATE TABLE h AS SELECT hash(range) AS one, hash(-range) AS other FROM range(2000000)"
    )
    spilled = [each.stat().st_size for each in place.spill.glob("duckdb_temp*")]
    assert sum(spilled) > 10_000_000
    expected = "SELECT bit_xor(hash(range)), bit_xor(hash(-range)) FROM range(2000000)"
    found = table.numbers("SELECT bit_xor(one), bit_xor(other) FROM h")
    assert found == duckdb.sql(expected).fetchall()
    place.leave()
    assert not [*(path.parent / "bulk").iterdir()]


def test_a_shard_that_a_lost_disk_left_half_is_booked_again(tmp_path: Path) -> None:
    """What a power cut leaves has its name, and not all of its bytes."""
    place = MonthFolder(tmp_path, Month(2026, 5), {"source": "0", "ledger": ""})
    tables = {"subscribers": SCHEMAS["subscribers"].empty_table()}
    place.keep("shard-00000", tables, {"refused": 1})
    assert place.done("shard-00000") == (tables, {"refused": 1})
    file = place.stage / "shard-00000" / "subscribers.arrow"
    file.write_bytes(file.read_bytes()[:20])
    assert place.done("shard-00000") is None
    assert not (place.stage / "shard-00000").exists()
