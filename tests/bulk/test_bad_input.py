"""What can't be booked is one clear error, and what was there is left as it was."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Collection
from concurrent.futures.process import BrokenProcessPool
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from beancount_compute.bulk import shard_run
from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.folder import month_folder
from beancount_compute.bulk.plain import plain_rows
from beancount_compute.bulk.rows.event_table import unreadable
from beancount_compute.bulk.rows.parts import shards_of
from beancount_compute.cli import main
from beancount_compute.ledger import Errors, check_bulk_folders
from tests.bulk.small_months import (
    LEDGER,
    begin,
    book,
    events,
    files_of,
    month,
    subscription,
    table,
    trade,
    use,
)


def stopped(folder: Path, *paths: Path, name: str = "2026-05", **how: Any) -> str:
    """Why a month is not booked; its folder is as it was."""
    target = folder / "bulk" / name
    before = files_of(target) if target.exists() else None
    with pytest.raises(BulkError) as error:
        book(folder, name, *paths, **how)
    assert (files_of(target) if target.exists() else None) == before
    left = [*(folder / "bulk").glob(".*.next")]
    assert all(any(each.glob("shard-*")) for each in left)  # and nothing but what is booked
    return str(error.value)


def changed(path: Path, name: str, kind: pa.DataType | None) -> Path:
    """The file with a column of another type, or without it."""
    found = parquet.read_table(path)
    at = found.column_names.index(name)
    if kind is None:
        found = found.remove_column(at)
    else:
        found = found.set_column(at, name, found.column(name).cast(kind))
    other = path.with_name(f"{path.stem}-changed.parquet")
    parquet.write_table(found, other)
    return other


@pytest.fixture
def path(tmp_path: Path) -> Path:
    begin(tmp_path)
    return events(tmp_path, "2026-05", subscription("01", "alice"), use("20", "alice", 200))


def test_a_float_is_no_number_of_units(path: Path) -> None:
    message = stopped(path.parent, changed(path, "units", pa.float64()))
    assert '"units" holds double, which can\'t be exact' in message


def test_a_decimal_is_wider_than_the_database_reads(path: Path) -> None:
    message = stopped(path.parent, changed(path, "units", pa.decimal256(50, 6)))
    said = 'column "units" holds decimal256(50, 6), which is too wide: cast it to decimal128(38, 6)'
    assert message.endswith(said)


def test_a_pipe_is_no_event_file(path: Path) -> None:
    """To open one would be to wait for ever."""
    pipe = path.with_name("pipe.parquet")
    os.mkfifo(pipe)
    message = stopped(path.parent, path, pipe)
    assert message == f"{pipe} is no plain file: write what it gives to a file, and name that"


@pytest.mark.parametrize("name", ["id", "date", "event", "subscriber"])
def test_a_column_is_missing(path: Path, name: str) -> None:
    said = f'no column "{name}": in bulk every file has id, date, event and subscriber'
    assert stopped(path.parent, changed(path, name, None)).endswith(said)


def test_two_files_are_not_alike(path: Path) -> None:
    """The error names both, and the column."""
    other = changed(path, "units", pa.decimal128(38, 2))
    message = stopped(path.parent, path, other)
    assert '"units" holds decimal128(38, 6), not decimal128(38, 2)' in message
    assert path.name in message and other.name in message


def test_a_column_is_unknown(path: Path) -> None:
    found = parquet.read_table(path).rename_columns({"units": "unit"})
    parquet.write_table(found, path)
    assert 'unknown column "unit"' in stopped(path.parent, path)


def test_a_column_stands_twice(path: Path) -> None:
    found = parquet.read_table(path)
    parquet.write_table(found.append_column("units", found.column("units")), path)
    assert 'column "units" stands twice: remove one of the two' in stopped(path.parent, path)


@pytest.mark.parametrize("key", ["id", "subscriber"])
@pytest.mark.parametrize("at", [0, 1], ids=["subscription", "use"])
def test_a_text_is_longer_than_the_books_can_hold(key: str, at: int, path: Path) -> None:
    """The row is refused by the kernel's way as by the engine's."""
    rows = [subscription("01", "alice"), use("20", "alice", 200)]
    rows[at] = {**rows[at], key: "x" * 4097}
    file = events(path.parent, "2026-05", *rows)
    refused = [
        [row["message"] for row in table(book(path.parent, "2026-05", file, **how), "refused")]
        for how in ({"prove": 0}, {"plain": False})
    ]
    assert refused[0] == refused[1]
    assert "a text of 4,097 characters; at most 4,096 are allowed" in refused[0]


def test_a_file_is_cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])
    assert "not Parquet, or cut off" in stopped(path.parent, path)


def test_a_file_is_damaged_within(path: Path) -> None:
    """Its footer can be read, its rows can't: the file is named."""
    data = path.read_bytes()
    path.write_bytes(data[:4] + bytes(60) + data[64:])
    message = stopped(path.parent, path)
    assert message.startswith(f"can't read {path}: ") and message.endswith(": export it anew")


def test_there_is_no_file(path: Path) -> None:
    assert "no such file" in stopped(path.parent, path.with_name("none-*.parquet"))


@pytest.mark.parametrize("plain", [True, False])
def test_an_event_is_of_another_month(path: Path, plain: bool) -> None:
    """The place and the day are named; nothing of the month is written."""
    late = events(path.parent, "2026-05", use("2026-06-01", "alice", 1), name="late")
    message = stopped(path.parent, path, late, plain=plain)
    assert re.search(r"late\.parquet:1 is of 2026-06-01, outside of 2026-05", message)


def test_the_state_is_of_another_ledger(path: Path) -> None:
    book(path.parent, "2026-05", path)
    (path.parent / "main.beancount").write_text(
        (path.parent / "main.beancount").read_text().replace("Small", "Other")
    )
    june = events(path.parent, "2026-06", use("02", "alice", 1))
    message = stopped(path.parent, june, name="2026-06")
    assert 'is of the ledger "Small", not of "Other"' in message


def test_the_state_is_of_another_month(path: Path) -> None:
    found = book(path.parent, "2026-05", path)
    about = json.loads((found.folder / "month.json").read_text())
    (found.folder / "month.json").write_text(json.dumps({**about, "month": "2026-04"}))
    june = events(path.parent, "2026-06", use("02", "alice", 1))
    assert "holds 2026-04" in stopped(path.parent, june, name="2026-06")


def test_a_month_is_left_out(path: Path) -> None:
    book(path.parent, "2026-05", path)
    july = events(path.parent, "2026-07", use("02", "alice", 1))
    assert "has no 2026-06" in stopped(path.parent, july, name="2026-07")


def test_a_later_month_goes_on_from_it(path: Path) -> None:
    book(path.parent, "2026-05", path)
    month(path.parent, "2026-06", use("02", "alice", 1))
    assert "goes on from" in stopped(path.parent, path)
    early = events(path.parent, "2026-02")
    message = stopped(path.parent, early, name="2026-02")
    assert "2026-05 is of a later month, which goes on from" in message


def test_a_month_goes_on_from_what_was_booked_anew(path: Path) -> None:
    """May is booked again with 250 CU used for 200, while June was away: the load says so."""
    folder = path.parent
    told = partial(bulk_errors, [str(folder / f"bulk/2026-0{at}/journal.beancount") for at in "56"])
    book(folder, "2026-05", path)
    june = month(folder, "2026-06", use("02", "alice", 1)).folder
    june.rename(folder / "June")
    book(folder, "2026-05", path)
    (folder / "June").rename(june)
    assert told() == []
    june.rename(folder / "June")
    month(folder, "2026-05", subscription("01", "alice"), use("20", "alice", 250))
    (folder / "June").rename(june)
    said = "2026-05 was booked anew since, and 2026-06 goes on from what it was before: "
    assert told() == [f"{said}move the folder away and book 2026-06 anew"]
    assert told({"2026-06"}) == []  # its seal tells of a closed one


def bulk_errors(include: list[str], sealed: Collection[str] = ()) -> list[str]:
    """What a load says of the folders whose journals it includes."""
    errors = Errors()
    check_bulk_folders(include, sealed, errors)
    return [each.message for each in errors.in_order()]


def test_the_state_can_t_be_read(path: Path) -> None:
    found = book(path.parent, "2026-05", path)
    lots = found.folder / "lots.parquet"
    lots.write_bytes(lots.read_bytes()[:-9])
    june = events(path.parent, "2026-06", use("02", "alice", 1))
    assert "not Parquet, or cut off" in stopped(path.parent, june, name="2026-06")


def test_who_stops_a_run_is_told_of_no_error() -> None:
    """DuckDB says so of Ctrl-C while it asks for the rows of a table of Arrow."""
    with pytest.raises(KeyboardInterrupt):
        unreadable(duckdb.InvalidInputException("exporting a stream failed: KeyboardInterrupt: "))


def test_the_folder_of_a_month_that_the_ledger_names_is_gone(path: Path) -> None:
    """May is not begun from nothing again; what it names of later months is not there yet."""
    ledger, bulk = path.parent / "main.beancount", path.parent / "bulk"
    names = [f'include "bulk/2026-0{month}/journal.beancount"\n' for month in (5, 6)]
    with open(ledger, "a") as text:
        text.writelines(names)
    book(path.parent, "2026-05", path)
    june = events(path.parent, "2026-06", use("02", "alice", 1))
    (bulk / "2026-05").rename(path.parent / "away")
    message = stopped(path.parent, june, name="2026-06")
    assert message == (
        f"{ledger} includes bulk/2026-05/journal.beancount, which is gone: bring back the folder "
        "bulk/2026-05, or book 2026-05 anew"
    )


def test_another_folder_lacks_the_months_before(path: Path) -> None:
    """The ledger includes May, and June would begin from nothing beside it."""
    may = book(path.parent, "2026-05", path).folder
    (path.parent / "main.beancount").write_text(LEDGER)
    june = events(path.parent, "2026-06", use("02", "alice", 1))
    other = path.parent / "other"
    message = stopped(path.parent, june, name="2026-06", into=other)
    assert message.startswith(f"the ledger includes {may}, and {other} has no 2026-05: ")
    assert not other.exists()
    book(path.parent, "2026-05", path, into=other)
    assert not book(path.parent, "2026-06", june, into=other).counts.get("refused")


def test_a_part_of_the_state_is_gone(path: Path) -> None:
    (book(path.parent, "2026-05", path).folder / "lots.parquet").unlink()
    june = events(path.parent, "2026-06", use("02", "alice", 1))
    message = stopped(path.parent, june, name="2026-06")
    assert message.endswith("lots.parquet: No such file or directory: book that month anew")


def test_the_ledger_has_an_error(path: Path) -> None:
    (path.parent / "main.beancount").write_text(LEDGER.replace("mint", "burn"))
    message = stopped(path.parent, path)
    assert "main.beancount:4" in message and "mend the ledger first" in message


def test_the_first_month_books_nothing_of_earlier_ones(path: Path) -> None:
    """A capacity since April: its share of April is April's, which a file without rows books."""
    with open(path.parent / "main.beancount", "a") as ledger:
        ledger.write('2026-04-01 custom "compute-capacity" "gpu" 60.00 USD\n')
        ledger.write('  provider: "own"\n  life: "12 months"\n')
    message = stopped(path.parent, path)
    assert "a booking of 2026-04-30 already (Depreciation), before 2026-05: book 2026-04" in message
    month(path.parent, "2026-04")
    assert book(path.parent, "2026-05", path).counts["read"] == 2


def test_the_disk_is_full(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The month that was there stays; the next run writes it."""
    book(path.parent, "2026-05", path)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    more = events(path.parent, "2026-05", use("21", "alice", 1), name="more")
    with monkeypatch.context() as patch:
        patch.setattr(month_folder, "write_parquet", full)
        message = f"the disk is full: make room for {path.parent / 'bulk'}, and run again"
        assert stopped(path.parent, path, more) == message
    assert book(path.parent, "2026-05", path, more).counts["read"] == 3


def test_a_kernel_that_is_wrong_is_found_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample by the engine differs: the run stops and names the subscriber."""
    right = plain_rows.UsesByName.units_given_up

    def wrong(*given: Any) -> Any:
        units = right(*given)
        units[units > 0] += 1_000_000  # a unit too much
        return units

    monkeypatch.setattr(plain_rows.UsesByName, "units_given_up", wrong)
    message = stopped(path.parent, path)
    assert '"alice" has other movements by the kernel than by the engine' in message


class KilledPool:
    """Processes of which the system ends one."""

    def __init__(self, *how: object) -> None:
        pass

    def __enter__(self) -> KilledPool:
        return self

    def __exit__(self, *how: object) -> None:
        pass

    def submit(self, *how: object) -> None:
        raise BrokenProcessPool("A process in the process pool was terminated abruptly")


def test_a_process_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As systems do that run out of memory: what to do is said, and nothing is written."""
    begin(tmp_path)
    file = events(tmp_path, "2026-05", *[subscription("01", name) for name in ("alice", "bob")])
    monkeypatch.setattr(shard_run, "shards_of", partial(shards_of, size=1))
    monkeypatch.setattr(shard_run, "FEW_ROWS", 0)
    monkeypatch.setattr(shard_run, "processes_of", lambda asked: 2)
    monkeypatch.setattr(shard_run, "ProcessPoolExecutor", KilledPool)
    assert "run again with a smaller --memory-limit" in stopped(tmp_path, file, plain=False)


def test_a_killed_run_goes_on_by_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was booked before the kill is not booked again, and the month is the same."""
    begin(tmp_path)
    pairs = [("alice", "bob"), ("carol", "dave"), ("erin", "frank")]
    rows = [subscription("01", name) for pair in pairs for name in pair]
    rows += [trade("10", *pair, 5, "0.25") for pair in pairs]
    file = events(tmp_path, "2026-05", *rows)
    monkeypatch.setattr(shard_run, "shards_of", lambda part, rows: part // 2)
    booked: list[int] = []
    right = shard_run.book_shard

    def killed(shard: Any, bulk: Any) -> Any:
        if len(booked) == 2:
            raise KeyboardInterrupt
        booked.append(shard.rows.num_rows)
        return right(shard, bulk)

    whole = tmp_path / "whole"
    expected = files_of(book(tmp_path, "2026-05", file, into=whole, plain=False).folder)
    monkeypatch.setattr(shard_run, "book_shard", killed)
    with pytest.raises(KeyboardInterrupt):
        book(tmp_path, "2026-05", file, plain=False)
    assert not (tmp_path / "bulk" / "2026-05").exists()
    booked.clear()
    assert files_of(book(tmp_path, "2026-05", file, plain=False).folder) == expected
    assert len(booked) == 1


def test_the_command_says_what_it_wrote(path: Path) -> None:
    """Nothing on standard error where no terminal is; an error exits with 1."""
    ledger = str(path.parent / "main.beancount")
    done = CliRunner().invoke(main, ["bulk", "2026-05", ledger, "--events", str(path)])
    assert done.exit_code == 0 and not done.stderr
    assert "2 rows read" in done.stdout and "by the kernel" in done.stdout
    failed = CliRunner().invoke(main, ["bulk", "2026-05", ledger, "--events", "none.parquet"])
    assert failed.exit_code == 1
    assert failed.stderr.startswith("Error: none.parquet: no such file")


def test_units_keep_every_digit(tmp_path: Path) -> None:
    """A use of a millionth is there to the last digit, in units and in money."""
    found = month(tmp_path, "2026-05", subscription("01", "alice"), use("20", "alice", "0.000001"))
    (lot,) = parquet.read_table(found.folder / "lots.parquet").to_pylist()
    assert lot["units"] == Decimal("999.999999")
