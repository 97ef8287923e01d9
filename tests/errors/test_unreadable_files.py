"""Event files that can't be read, as bytes: what a text editor would not keep as it is.

2026-05-01 custom "compute-allocation" "alice" 800 CU 160.00 USD
2026-05-02 custom "compute-events" "events.parquet"

main.beancount:4: "events.parquet": column "units" holds double, which can't be exact: cast it ...
"""

from __future__ import annotations

import io
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from beancount.core.data import Transaction
from pyarrow import parquet

ALICE = '2026-05-01 custom "compute-allocation" "alice" 800 CU 160.00 USD\n'
HEADER = "date,event,subscriber,units,commodity\n"
USE = "2026-05-02,consumption,alice,10,CU\n"


def one(name: str) -> str:
    """A good top-up of 800 CU, a `compute-events` line (line 4 of the ledger), and what is left."""
    return f'{ALICE}2026-05-02 custom "compute-events" "{name}"\n'


def left(units: int) -> str:
    """A check that alice holds these units at the end."""
    return f"2026-06-01 balance Liabilities:DeferredRevenue:Tokens:Alice  -{units} CU\n"


# CSV


def test_a_file_that_is_not_utf_8_names_the_line(load):
    """Latin-1 is an error on the line that shows it, and says what to do; the books stand."""
    data = HEADER.encode() + USE.encode() + "2026-05-02,consumption,Zoë,1,CU\n".encode("latin-1")
    loaded = load(one("may.csv") + left(800), {"may.csv": data})
    assert loaded.errors == ["may.csv:3: the file is not UTF-8: export it as UTF-8 text"]


def test_a_utf_16_file_is_not_utf_8(load):
    """What a spreadsheet calls Unicode text is named for what it is not."""
    loaded = load(one("may.csv") + left(800), {"may.csv": (HEADER + USE).encode("utf-16")})
    assert loaded.errors == ["may.csv:1: the file is not UTF-8: export it as UTF-8 text"]


def test_a_binary_file_is_no_csv(load):
    """A picture that is called .csv is an error of that file."""
    loaded = load(one("may.csv") + left(800), {"may.csv": b"\x89PNG\r\n\x1a\n\x00\x00"})
    assert loaded.errors == ["may.csv:1: the file is not UTF-8: export it as UTF-8 text"]


def test_a_file_of_another_kind_is_named(load, tmp_path):
    """A file that is neither CSV nor Parquet is an error that names the file, whole."""
    loaded = load(one("may.xlsx") + left(800), {"may.xlsx": b"PK"})
    (error,) = loaded.errors
    assert error.startswith("main.beancount:4: ")
    assert error.endswith(" is neither .csv nor .parquet: export it as one of them")


def test_a_long_path_keeps_its_file_name(load):
    """An error of a file shows the file's name, however deep the folder."""
    folder = "exports/of-the-billing-system/production/europe-west/2026"
    loaded = load(one(f"{folder}/may.xlsx") + left(800), {f"{folder}/may.xlsx": b"PK"})
    assert "may.xlsx" in loaded.errors[0]


def test_a_folder_is_no_event_file(load):
    """A folder that is named like a CSV file holds no events."""
    loaded = load(one("may.csv") + left(800), {"may.csv/readme.txt": "empty"})
    assert loaded.errors == [
        'main.beancount:4: no event file "may.csv": write a path or a glob, seen from here'
    ]


# a file is read once


@pytest.mark.parametrize(
    "lines",
    [
        ["events/may.csv", "events/may.csv"],
        ["events/may.csv", "./events/../events/may.csv"],
        ["events/*.csv", "**/m*.csv"],
        ["events/*.csv", "link/*.csv"],
    ],
    ids=["same path", "other path", "two globs", "through a link"],
)
def test_a_file_named_twice_is_read_once(load, tmp_path, lines):
    """A real path is read once, also through two globs or a symbolic link; it is no error."""
    (tmp_path / "link").symlink_to("events")
    named = [f'2026-05-02 custom "compute-events" "{line}"\n' for line in lines]
    loaded = load(ALICE + "".join(named) + left(790), {"events/may.csv": HEADER + USE})
    assert loaded.errors == []
    assert [Path(path).name for path in loaded.options["include"]].count("may.csv") == 1


def test_rows_without_id_are_two_uses_in_one_file_only(load):
    """The same row twice in a file is two uses; in two files it may be an export loaded twice."""
    assert load(one("*.csv") + left(780), {"a.csv": HEADER + USE + USE}).errors == []
    files = {"a.csv": HEADER + USE, "b.csv": HEADER + USE}
    (error,) = load(one("*.csv") + left(790), files).errors
    assert error.startswith('b.csv:2: 1 row without an id in "b.csv" and in "a.csv" say the same')


def test_rows_with_one_id_count_once(load):
    """Equal content by value is one event: 10 is 10.0, and columns of one's own don't count."""
    files = {
        "a.csv": f"id,{HEADER}use-1,{USE}",
        "b.csv": "x_batch,commodity,units,subscriber,event,date,id\n"
        "7,CU,10.0,alice,consumption,2026-05-02,use-1\n",
    }
    assert load(one("*.csv") + left(790), files).errors == []


# Parquet


def written(rows: int = 1, **columns: Any) -> bytes:
    """A Parquet file of uses of 10 CU by alice, with some columns replaced."""
    table = {
        "date": [date(2026, 5, 2)] * rows,
        "event": ["consumption"] * rows,
        "subscriber": ["alice"] * rows,
        "units": pyarrow.array([Decimal(10)] * rows, pyarrow.decimal128(38, 6)),
        "commodity": ["CU"] * rows,
    }
    file = io.BytesIO()
    parquet.write_table(pyarrow.table({**table, **columns}), file)
    return file.getvalue()


def test_a_parquet_file_is_read_like_a_csv_file(load):
    """Decimal, integer, string, dictionary and date columns are read; an absent cell is empty."""
    data = written(
        3,
        units=pyarrow.array([10, 20, 30], pyarrow.int64()),
        subscriber=pyarrow.array(["alice"] * 3).dictionary_encode(),
        memo=[None, "night run", ""],
        x_region=["eu", None, "us"],
        date=pyarrow.array([date(2026, 5, 2)] * 3, pyarrow.date64()),
    )
    loaded = load(one("may.parquet") + left(740), {"may.parquet": data})
    assert loaded.errors == []
    uses = [entry for entry in loaded.booked if "compute-consumption" in entry.tags]
    assert [use.meta.get("memo") for use in uses] == [None, "night run", None]
    assert [use.meta.get("x_region") for use in uses] == ["eu", None, "us"]
    assert {Path(use.meta["filename"]).name for use in uses} == {"<beancount_compute>"}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"units": [10.0]},
            (
                'column "units" holds double, which can\'t be exact: '
                "cast it to decimal128(38, 6) or to string"
            ),
        ),
        (
            {"units": pyarrow.array([10.0]).dictionary_encode()},
            (
                'column "units" holds double, which can\'t be exact: '
                "cast it to decimal128(38, 6) or to string"
            ),
        ),
        (
            {"subscriber": [True]},
            (
                'column "subscriber" holds bool: '
                "cast it to decimal, integer, string, date or timestamp"
            ),
        ),
        (
            {"date": pyarrow.array([0], pyarrow.time32("ms"))},
            (
                'column "date" holds time32[ms]: '
                "cast it to decimal, integer, string, date or timestamp"
            ),
        ),
        (
            {"units": [[10]]},
            (
                'column "units" holds list<element: int64>: '
                "cast it to decimal, integer, string, date or timestamp"
            ),
        ),
        (
            {"customer": ["acme"]},
            (
                'unknown column "customer": the first row names the columns, in small letters; '
                "those of your own begin with x_ and hold letters, digits, - and _"
            ),
        ),
    ],
    ids=["float", "float dictionary", "bool", "time", "list", "unknown"],
)
def test_a_column_that_cannot_be_kept_exact_is_refused(load, columns, message):
    """The error stands on the `compute-events` line and says what to cast the column to."""
    loaded = load(one("may.parquet") + left(800), {"may.parquet": written(**columns)})
    assert loaded.errors == [f'main.beancount:4: "may.parquet": {message}']


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"units": [10, -1]},
            (
                "row 2: -1 CU is not above zero: write a reversal of what was booked too much "
                '(custom "compute-reversal" and the id of that event)'
            ),
        ),
        (
            {"units": ["10", "1e5e"]},
            (
                'row 2: "1e5e" is not a number: write digits with a decimal point, such as '
                "1234.50, without separators"
            ),
        ),
        (
            {"units": [10, 123456789012345]},
            "row 2: 123456789012345 has more than 14 significant digits: write at most 14",
        ),
        (
            {"event": ["consumption", None]},
            "row 2: no event: write what happened, such as consumption",
        ),
        (
            {"subscriber": ["alice", None]},
            'row 2: consumption without subscriber: fill the column "subscriber"',
        ),
        (
            {"date": [date(2026, 5, 2), None]},
            'row 2: no date: fill the column "date"',
        ),
    ],
    ids=["below zero", "text", "digits", "no event", "no subscriber", "no date"],
)
def test_a_wrong_parquet_row_is_named_in_the_message(load, columns, message):
    """The error stands on the `compute-events` line, with file and row; the other is booked."""
    loaded = load(one("may.parquet") + left(790), {"may.parquet": written(2, **columns)})
    assert loaded.errors == [f'main.beancount:4: "may.parquet" {message}']


@pytest.mark.parametrize(
    "data",
    [b"", b"garbage", HEADER.encode(), written()[:-9]],
    ids=["empty", "garbage", "csv", "cut"],
)
def test_what_is_not_parquet_is_named(load, data):
    """A file that does not end as Parquet does is an error on the line that names it."""
    loaded = load(one("may.parquet") + left(800), {"may.parquet": data})
    (error,) = loaded.errors
    assert error.startswith('main.beancount:4: "may.parquet" is not Parquet: ')
    assert "\n" not in error


def test_a_damaged_parquet_file_is_named(load):
    """Damage inside the file is an error like damage at its end, and says what is wrong."""
    data = written()
    damaged = data[:4] + b"\xff" * 60 + data[64:]
    loaded = load(one("may.parquet") + left(800), {"may.parquet": damaged})
    (error,) = loaded.errors
    assert error.startswith("main.beancount:4: ")
    assert "may.parquet" in error
    assert "None" not in error
    assert error.isprintable()


@pytest.mark.parametrize(
    "columns",
    [
        {"date": pyarrow.array([10_000_000], pyarrow.int32()).cast(pyarrow.date32())},
        {
            "subscriber": pyarrow.StringArray.from_buffers(
                1, *pyarrow.array([b"\xff"]).buffers()[1:]
            )
        },
    ],
    ids=["a day in the year 29349", "text that is not UTF-8"],
)
def test_a_parquet_cell_that_python_cannot_hold_is_an_error(load, columns):
    """A day behind the year 9999 or a broken text is the user's error: the books stand."""
    loaded = load(one("may.parquet") + left(800), {"may.parquet": written(**columns)})
    (error,) = loaded.errors
    assert error.startswith('main.beancount:4: "may.parquet"')


def test_without_pyarrow_the_error_says_what_to_install(load, monkeypatch):
    """The extra is needed only where a Parquet file is met; CSV files are read without it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    files = {"may.parquet": b"", "may.csv": HEADER + USE}
    loaded = load(one("may.*") + left(790), files)
    assert loaded.errors == [
        'main.beancount:4: "may.parquet" needs pyarrow: pip install "beancount_compute[parquet]"'
    ]
    assert any(isinstance(entry, Transaction) for entry in loaded.entries)
