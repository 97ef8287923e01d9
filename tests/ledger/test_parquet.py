"""Parquet event files: the columns of a CSV file, typed."""

from __future__ import annotations

import random
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from beancount_compute.economy.events import Event, Place
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.event_files import read_file
from beancount_compute.ledger.fields import Fields
from tests.economy import building
from tests.examples import examples

LEDGER = Place("main.beancount", 7)


def read(folder: Path, **columns: Any) -> tuple[list[Event], list[str]]:
    path = folder / "may.parquet"
    parquet.write_table(pyarrow.table(columns), path)
    errors = Errors()
    events = read_file(str(path), LEDGER, Fields(), errors)
    assert all(e.source == {"filename": "main.beancount", "lineno": 7} for e in errors.found)
    return events, [each.message for each in errors.found]


USE = {
    "date": [date(2026, 5, 1)],
    "event": ["consumption"],
    "subscriber": [" alice "],
    "units": [Decimal("5.500")],
    "commodity": ["CU"],
}


def test_typed_columns_say_what_their_text_would(tmp_path: Path) -> None:
    """Decimals, dates and strings; absent columns and null cells are absent."""
    (event,), errors = read(tmp_path, **USE, price=pyarrow.nulls(1), x_team=["red"])
    assert errors == []
    expected = building.consumption("2026-05-01", "alice", "5.5 CU", extra=(("x_team", "red"),))
    assert event == expected._replace(**LEDGER._replace(row='"may.parquet" row 1')._asdict())


@pytest.mark.parametrize(
    "units",
    [
        pyarrow.array([5]),
        pyarrow.array([5], pyarrow.uint8()),
        pyarrow.array([Decimal(5)], pyarrow.decimal256(50, 10)),
        pyarrow.array(["5"]),
        pyarrow.array(["5"], pyarrow.large_string()),
        pyarrow.array(["5"]).dictionary_encode(),
    ],
    ids=["int64", "uint8", "decimal256", "string", "large string", "dictionary"],
)
def test_numbers_may_be_integers_decimals_or_text(tmp_path: Path, units: Any) -> None:
    """All of them exact."""
    (event,), errors = read(tmp_path, **{**USE, "units": units})
    assert errors == []
    assert event.units == 5


@pytest.mark.parametrize("unset", [False, "false", "FALSE"])
def test_marks_may_be_booleans(tmp_path: Path, unset: object) -> None:
    """What a warehouse exports: alice cancels at once, bob does not; a use takes no mark."""
    written = True if unset is False else "true"
    columns: dict[str, Any] = {"date": ["2026-05-01"] * 3, "subscriber": ["alice", "bob", "carol"]}
    columns |= {"event": ["cancellation", "cancellation", "consumption"]}
    columns |= {"plan": ["pro", "pro", None], "units": [None, None, 5], "commodity": ["", "", "CU"]}
    events, errors = read(tmp_path, **columns, now=pyarrow.array([written, unset, unset]))
    assert errors == []
    assert [each.now for each in events] == ["true", "", ""]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("units", pyarrow.array([5.5]), "cast it to decimal128(38, 6) or to string"),
        ("units", pyarrow.array([5.5], pyarrow.float32()), 'column "units" holds float'),
        ("units", pyarrow.array([5.5]).dictionary_encode(), "which can't be exact"),
        ("date", pyarrow.array([0], pyarrow.time32("ms")), "holds time32[ms]"),
        ("memo", pyarrow.array([True]), "holds bool"),
        ("memo", pyarrow.array([b"x"]), "holds binary"),
        ("colour", pyarrow.array(["red"]), 'unknown column "colour"'),
    ],
)
def test_columns_that_can_t_be_read(tmp_path: Path, column: str, values: Any, message: str) -> None:
    """A float column is an error that says to cast it; the file is named
    (manual/language.md, section 3)."""
    events, (error,) = read(tmp_path, **{**USE, column: values})
    assert events == []
    assert error.startswith('"may.parquet": ')
    assert message in error


def test_a_row_that_is_wrong_is_named_by_its_number(tmp_path: Path) -> None:
    """On the line of the `compute-events` directive, with file and row; the others stand."""
    three = {name: values * 3 for name, values in USE.items()}
    three["event"] = ["consumption", "party", "consumption"]
    events, (error,) = read(tmp_path, **three)
    assert [each.place.row for each in events] == ['"may.parquet" row 1', '"may.parquet" row 3']
    assert error.startswith('"may.parquet" row 2: unknown event "party"')


@pytest.mark.parametrize("content", [b"", b"PAR1", b"date,event\n", b"PAR1" * 100])
def test_a_file_that_is_no_parquet_is_one_error(tmp_path: Path, content: bytes) -> None:
    """Empty, cut off, or CSV under another name."""
    path = tmp_path / "may.parquet"
    path.write_bytes(content)
    errors = Errors()
    assert read_file(str(path), LEDGER, Fields(), errors) == []
    (error,) = errors.found
    assert error.message.startswith('"may.parquet" is not Parquet: ')


def test_without_pyarrow_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyarrow is an extra, imported only when a Parquet file is met."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "may.parquet"
    path.write_bytes(b"")
    errors = Errors()
    assert read_file(str(path), LEDGER, Fields(), errors) == []
    (error,) = errors.found
    expected = '"may.parquet" needs pyarrow: pip install "beancount_compute[parquet]"'
    assert error.message == expected


def test_the_first_of_two_with_one_id_is_named_by_file_and_row() -> None:
    """Both stand at one line of the ledger, which alone would say nothing."""
    top_ups = [
        building.top_up("2026-05-01", "a", f"{units} CU", "1 USD", id="t")._replace(
            **LEDGER._replace(row=f'"may.parquet" row {units}')._asdict()
        )
        for units in (1, 2)
    ]
    (refusal,) = building.book(top_ups).refusals
    assert refusal.place.row == '"may.parquet" row 2'
    assert 'something else at main.beancount:7, "may.parquet" row 1: give' in refusal.message


def of_rows(folder: Path, rows: int) -> tuple[list[Event], list[str]]:
    """The same use so many times, from a file of a few hundred bytes."""
    one = {name: pyarrow.array(values).dictionary_encode() for name, values in USE.items()}
    columns = {
        name: pyarrow.DictionaryArray.from_arrays(
            pyarrow.array([0] * rows, pyarrow.int32()), column.dictionary
        )
        for name, column in one.items()
    }
    return read(folder, **columns)


def test_a_few_bytes_are_no_million_of_rows(tmp_path: Path) -> None:
    """100,000 are read, however few bytes they are; behind them each row has a byte at least."""
    assert len(of_rows(tmp_path, 1000)[0]) == 1000
    events, (error,) = of_rows(tmp_path, 100_001)
    assert events == []
    assert error.startswith('"may.parquet" holds 100,001 rows in ')
    assert error.endswith(" bytes, which no events do: export it anew")


@pytest.mark.parametrize(
    ("limit", "error"),
    [
        ("MOST_ROWS", '"may.parquet" holds 1,000 rows; at most 999 are read: split it'),
        ("MOST_BYTES", " bytes; at most 999 are read: split it"),
    ],
)
def test_a_file_that_is_too_large_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, error: str
) -> None:
    """It says how large a file may be."""
    monkeypatch.setattr(f"beancount_compute.ledger.parquet.{limit}", 999)
    columns = {name: values * 1000 for name, values in USE.items()}
    columns["id"] = [f"use-{at}" for at in range(1000)]
    events, (message,) = read(tmp_path, **columns)
    assert events == []
    assert message.endswith(error)


def test_a_long_text_that_stands_in_many_rows_is_held_once(tmp_path: Path) -> None:
    """A file of a few thousand bytes must not take gigabytes."""
    memo = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 500), ["x" * 4000])
    columns = {name: values * 500 for name, values in USE.items()}
    events, errors = read(tmp_path, **columns, memo=memo)
    assert errors == []
    assert len({id(event.memo) for event in events}) == 1


def test_no_flipped_byte_raises(tmp_path: Path) -> None:
    """Damage anywhere in a file is an error or another value."""
    columns = {name: values * 5 for name, values in USE.items()}
    read(tmp_path, **columns, memo=["a", None, "b", "a", "c"], x_list=[[1], [], None, [2], [3]])
    path, chance = tmp_path / "may.parquet", random.Random(3)
    whole = path.read_bytes()
    for _ in range(examples(300, 10_000)):
        data = bytearray(whole)
        for at in chance.choices(range(len(data)), k=chance.choice([1, 1, 2, 8])):
            data[at] ^= chance.randrange(1, 256)
        path.write_bytes(data)
        errors = Errors()
        events = read_file(str(path), LEDGER, Fields(), errors)
        assert len(events) == 5 or errors.found
