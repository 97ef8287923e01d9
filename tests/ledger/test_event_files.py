"""Event files: CSV in, events out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from beancount_compute.economy.events import LATER_FIELDS, Event, Place
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.event_files import read_file
from beancount_compute.ledger.fields import Fields
from beancount_compute.ledger.finding_files import FileRequest, find_files
from beancount_compute.ledger.header import ColumnMap
from beancount_compute.ledger.rows import COLUMNS
from tests.economy import building

LEDGER = Place("main.beancount", 7)
DAY = "2026-05-01"


def read(path: Path, content: str | bytes) -> tuple[list[Event], list[str]]:
    """The events of a file, and the errors as `line: message`."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    errors = Errors()
    events = read_file(str(path), LEDGER, Fields(), errors)
    assert all(each.source["filename"] == str(path) for each in errors.found)
    return events, [f"{each.source['lineno']}: {each.message}" for each in errors.found]


ROWS = {
    "i1,2026-05-01,,subscription,alice,,pro,,,,,,,2025-11-15,,": building.subscription(
        DAY, "alice", id="i1", started="2025-11-15"
    ),
    ",2026-05-01,,cancellation,alice,,pro,,,,,,,,,": building.cancellation(DAY, "alice"),
    ",2026-05-01,,allocation,alice,,,500,CU,,100.00,USD,year,,,": building.top_up(
        DAY, "alice", "500 CU", "100 USD", expires="12 months"
    ),
    ",2026-05-01,,allocation,alice,,pro,,,,,,,,,": building.one_period(DAY, "alice"),
    ",2026-05-01,,grant,alice,,,100,CU,,,,2027-01-01,,,": building.grant(
        DAY, "alice", "100 CU", expires="2027-01-01"
    ),
    ",2026-05-01,14:05:09,consumption,alice,,,0.50,CU,,,,,,,night": building.consumption(
        DAY, "alice", "0.5 CU", time="14:05:09", memo="night"
    ),
    ",2026-05-01,,trade,alice,bob,,500,CU,0.25,,USD,,,,": building.trade(
        DAY, "alice", "bob", "500 CU", "0.25 USD"
    ),
    ",2026-05-01,,transfer,alice,bob,,5,CU,,,,,,,": building.transfer(DAY, "alice", "bob", "5 CU"),
    ",2026-05-01,,spend,alice,shop,,5,CU,,17,EUR,,,,": building.spend(
        DAY, "alice", "shop", "5 CU", "17 EUR"
    ),
    ",2026-05-01,,refund,alice,,,5,CU,,,,,,,": building.refund(DAY, "alice", "5 CU"),
    ",2026-05-01,,reversal,,,,,,,,,,,use-17,": building.reversal(DAY, "use-17"),
}


def test_every_event_of_the_language(tmp_path: Path) -> None:
    """Each row says what its directive would, with its own line as its place."""
    path = tmp_path / "e.csv"
    events, errors = read(path, "\n".join([",".join(COLUMNS[: -len(LATER_FIELDS)]), *ROWS]))
    assert errors == []
    expected = [
        each._replace(file=str(path), line=line) for line, each in enumerate(ROWS.values(), 2)
    ]
    assert events == expected


def test_columns_in_any_order_and_only_those_needed(tmp_path: Path) -> None:
    """Cells are stripped; empty means absent; a column may be missing."""
    text = "units, commodity ,event,date,subscriber\n 5 ,CU, consumption,2026-05-01,  alice \n"
    (event,), errors = read(tmp_path / "e.csv", text)
    assert errors == []
    assert event[:17] == building.consumption(DAY, "alice", "5 CU")[:17]


HEAD = "date,event,subscriber,units,commodity"
USE = "2026-05-01,consumption,alice,5,CU"


@pytest.mark.parametrize(
    "content",
    [
        f"{HEAD}\n{USE}",
        f"{HEAD}\r\n{USE}\r\n",
        f"{HEAD}\r{USE}\r",
        f"\ufeff{HEAD}\n{USE}\n",
        f"\n\n{HEAD}\n\n{USE}\n\n",
        '"date","event","subscriber","units","commodity"\n"2026-05-01",consumption,"alice","5",CU',
    ],
    ids=["no last line break", "CRLF", "CR", "byte order mark", "empty lines", "quotes"],
)
def test_ways_of_writing_csv(tmp_path: Path, content: str) -> None:
    """RFC 4180, UTF-8, with any line break, a byte order mark, empty lines."""
    (event,), errors = read(tmp_path / "e.csv", content)
    assert errors == []
    assert event[:17] == building.consumption(DAY, "alice", "5 CU")[:17]


def test_a_cell_may_hold_quotes_commas_and_lines(tmp_path: Path) -> None:
    """Lines are counted on: the row behind a cell of two lines has its own line in the file."""
    rows = [f"{HEAD},memo", f'{USE},"a ""b"", c\nd"', f"{USE},", "2026-05-01,party,alice,5,CU,"]
    path = tmp_path / "e.csv"
    (one, two), (error,) = read(path, "\n".join(rows))
    assert one.memo == 'a "b", c\nd'
    assert (one.place.line, two.place.line) == (2, 4)
    assert error.startswith("5: ")


def test_columns_of_one_s_own_become_metadata(tmp_path: Path) -> None:
    """`x_` columns that are filled, in the order of the header; they are no content."""
    text = f"x_team,{HEAD},x_run-2\nred,{USE},17\n,{USE},\n"
    (one, two), errors = read(tmp_path / "e.csv", text)
    assert errors == []
    assert one.extra == (("x_team", "red"), ("x_run-2", "17"))
    assert two.extra == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2026-05-01,party,alice,5,CU", 'unknown event "party"'),
        ("2026-05-01,,alice,5,CU", "no event"),
        (",consumption,alice,5,CU", "no date"),
        ("2026-02-30,consumption,alice,5,CU", "2026-02-30 is no day of the calendar"),
        ("2026-05-01,consumption,,5,CU", "consumption without subscriber"),
        ("2026-05-01,consumption,alice,,CU", "consumption without units"),
        ("2026-05-01,consumption,alice,5,", "consumption without commodity"),
        ("2026-05-01,consumption,alice,5e1e,CU", '"5e1e" is not a number'),
        ("2026-05-01,consumption,alice,NaN,CU", '"NaN" is not a number'),
        ("2026-05-01,consumption,alice,5,cu", '"cu" is not a commodity'),
        ("2026-05-01,cancellation,alice,5,CU", "cancellation without plan"),
        ("2026-05-01,consumption,alice,5", "the row has 4 cells and the header 5"),
        ("2026-05-01,consumption,alice,5,CU,x", "the row has 6 cells and the header 5"),
        ('2026-05-01,consumption,"al"ice,5,CU', "the row is not CSV"),
        ('2026-05-01,consumption,"alice,5,CU', "the row is not CSV"),
    ],
)
def test_a_row_that_is_wrong_is_an_error_and_the_others_stand(
    tmp_path: Path, row: str, message: str
) -> None:
    """On its own line; the rows before and behind it are read."""
    events, (error,) = read(tmp_path / "e.csv", f"{HEAD}\n{USE}\n{row}\n{USE}\n")
    assert error.startswith(f"3: {message}")
    assert [each.place.line for each in events] == [2, 4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "1: the file is empty"),
        (" \n\n", "1: the file is empty"),
        ("\ufeff", "1: the file is empty"),
        (f"{HEAD},colour\n{USE},red\n", '1: unknown column "colour"'),
        (f"{HEAD},date\n{USE},2026-05-01\n", '1: column "date" stands twice'),
        (f"{USE}\n{USE}\n", '1: unknown column "2026-05-01"'),
        ("event,subscriber\n", '1: no column "date"'),
        ("date,subscriber\n", '1: no column "event"'),
        ('"date,event\n', "1: the first row is not CSV"),
        (f"{HEAD}\n{USE}\n".encode() + b"\xff\n", "3: the file is not UTF-8"),
        (f"{HEAD}\n".encode("utf-16"), "1: the file is not UTF-8"),
    ],
)
def test_a_file_that_can_t_be_read_is_one_error(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    """Empty, not UTF-8, or with a header that says something else: nothing of it is read."""
    events, (error,) = read(tmp_path / "e.csv", content)
    assert events == []
    assert error.startswith(message)


def test_only_csv_and_parquet_are_read(tmp_path: Path) -> None:
    """Anything else is an error on the ledger's line, and so is a file that can't be opened."""
    errors = Errors()
    for name in ("e.txt", "gone.csv"):
        assert read_file(str(tmp_path / name), LEDGER, Fields(), errors) == []
    assert [each.source for each in errors.found] == [
        {"filename": "main.beancount", "lineno": 7}
    ] * 2
    assert "neither .csv nor .parquet" in errors.found[0].message
    assert "can't read" in errors.found[1].message


def test_a_row_with_figures_that_no_event_can_have_keeps_its_flaw(tmp_path: Path) -> None:
    """It counts as an event, and is refused in its turn."""
    (event,), errors = read(tmp_path / "e.csv", f"{HEAD}\n2026-05-01,consumption,alice,-5,CU\n")
    assert errors == []
    assert event.flaw.startswith("-5 CU is not above zero: write a reversal of what was")


# Which files


def found(folder: Path, *paths: str) -> tuple[list[str], list[str]]:
    errors = Errors()
    requests = [FileRequest(path, str(folder), LEDGER) for path in paths]
    files = [os.path.relpath(path, folder) for path, _ in find_files(requests, str(folder), errors)]
    return files, [each.message for each in errors.found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.csv", "b.csv", "sub/c.csv", "closed/2026-01/d.csv", "odd[1].csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "files"),
    [
        (["a.csv"], ["a.csv"]),
        (["?.csv"], ["a.csv", "b.csv"]),
        (["**/*.csv"], ["a.csv", "b.csv", "odd[1].csv", "sub/c.csv"]),
        (["b.csv", "?.csv"], ["b.csv", "a.csv"]),
        (["a.csv", "./sub/../a.csv", "link.csv"], ["a.csv"]),
        (["odd[1].csv"], ["odd[1].csv"]),  # a file of that very name is no glob
    ],
)
def test_globs_and_real_paths(folder: Path, paths: list[str], files: list[str]) -> None:
    """A real path is read once, whoever names it; closed months never match
    (manual/language.md, section 3)."""
    assert found(folder, *paths) == (files, [])


@pytest.mark.parametrize(
    "path", ["gone.csv", "*.parquet", "closed/2026-01/d.csv", "sub", "a\x00.csv", ""]
)
def test_a_path_without_files_is_an_error(folder: Path, path: str) -> None:
    """Missing, a folder, or all that it matches is closed."""
    files, (message,) = found(folder, path)
    assert files == []
    assert message.startswith("no event file") or "closed months" in message


def test_rows_that_say_nothing_are_passed_over_and_counted(tmp_path: Path) -> None:
    """Of Excel: rows of commas, a blank line, columns behind the last; of exports: 0 units."""
    path = tmp_path / "e.csv"
    path.write_text(
        f"{HEAD},,\n{USE},,\n,,,,,,\n\n2026-05-01,consumption,bob,0.00,CU,,\n{USE},,,,\n"
    )
    errors = Errors()
    events = read_file(str(path), LEDGER, Fields(), errors)
    assert errors.found == []
    assert [event.subscriber for event in events] == ["alice", "alice"]
    assert dict(errors.skipped) == {(str(path), "blank rows"): 2, (str(path), "rows of 0 units"): 1}


def test_a_cell_in_a_column_without_a_name_is_an_error(tmp_path: Path) -> None:
    """It might be what the row is about."""
    path = tmp_path / "e.csv"
    path.write_text(f"{HEAD},\n{USE},x\n{USE},\n")
    errors = Errors()
    assert len(read_file(str(path), LEDGER, Fields(), errors)) == 1
    assert [each.message for each in errors.found] == [
        "a cell stands in a column without a name: name it, or empty the cell"
    ]


def test_columns_may_have_other_names_and_others_be_left_alone(tmp_path: Path) -> None:
    """`columns` renames what the file says; `ignore: "*"` lets pass what nobody knows."""
    path = tmp_path / "e.csv"
    path.write_text(
        "timestamp,what,Customer,qty,commodity,region,x_job\n"
        "2026-05-31T23:30:00Z,consumption,alice,5e0,CU,eu,7\n"
    )
    renamed = {"timestamp": "date", "what": "event", "Customer": "subscriber", "qty": "units"}
    errors = Errors()
    for ignored in ("*", "region"):
        column_map = ColumnMap(renamed, frozenset([ignored]))
        (event,) = read_file(str(path), LEDGER, Fields(), errors, column_map)
        assert errors.found == []
        assert (str(event.date), event.time, event.units) == ("2026-05-31", "23:30:00", 5)
        assert event.extra == (("x_job", "7"),)
    assert read_file(str(path), LEDGER, Fields(), errors, ColumnMap(renamed)) == []
    assert 'unknown column "region"' in errors.found[0].message


@pytest.mark.parametrize(
    ("header", "hint"), [("ID", '"id"'), ("Subscriber", '"subscriber"'), ("unit", '"units"')]
)
def test_a_column_that_is_nearly_one_of_ours_is_asked_about(
    tmp_path: Path, header: str, hint: str
) -> None:
    """Capitals, blanks, a letter too few."""
    path = tmp_path / "e.csv"
    path.write_text(f"{HEAD},{header}\n{USE},x\n")
    errors = Errors()
    read_file(str(path), LEDGER, Fields(), errors)
    assert f"did you mean {hint}" in errors.found[0].message
