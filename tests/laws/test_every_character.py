"""What is closed reads back the same: every character of two planes, in every text field.

From directives, CSV and Parquet; loaded, closed, loaded again, verified, exported. Where a source
can't hold a character it says so, once for each row, and all other rows stand.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import category, normalize

import pyarrow
import pytest
from beancount.core.data import Transaction
from pyarrow import parquet

from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.verifying import verify
from beancount_compute.ledger.text import string
from beancount_compute.reports.exchange import defused
from tests.close.sealing import HEAD, INCLUDE, begin, close, load_errors, run

PACKED = 200  # characters in one text
REFUSED = [c for c in map(chr, range(0x100)) if category(c) == "Cc" and c not in "\t\n\r"]
BASE = """\
2026-05-01 custom "compute-allocation" "first" 1 CU 1.00 USD
"""


def every_character() -> Iterator[str]:
    """The characters of planes 0 and 1 that a text may hold."""
    for number in range(0x2_0000):
        character = chr(number)
        if category(character) != "Cs" and character not in REFUSED:
            yield character


def packs() -> list[str]:
    """Texts that hold every character, each between letters: blanks at ends are none of a name."""
    every = list(every_character())
    return [f"a{''.join(every[at : at + PACKED])}z" for at in range(0, len(every), PACKED)]


class Fields(NamedTuple):
    """The texts of an event."""

    id: str
    subscriber: str
    counterparty: str = ""
    memo: str = ""
    note: str = ""


def events(texts: Iterable[str]) -> Iterator[Fields]:
    """Two events of each text: a top-up of 2 CU, and 1 CU of it spent with somebody."""
    for text in texts:
        yield Fields(f"t-{text}", text, "", text, text)
        yield Fields(f"s-{text}", text, text, text, text)


def as_rows(fields: Iterable[Fields]) -> list[dict[str, str]]:
    """Events as rows of a file."""
    return [
        {
            "id": each.id,
            "date": "2026-05-03" if each.counterparty else "2026-05-02",
            "event": "spend" if each.counterparty else "allocation",
            "subscriber": each.subscriber,
            "counterparty": each.counterparty,
            "units": "1" if each.counterparty else "2",
            "commodity": "CU",
            "paid": "1.00",
            "currency": "USD",
            "memo": each.memo,
            "x_note": each.note,
        }
        for each in fields
    ]


def write_csv(folder: Path, fields: Iterable[Fields]) -> str:
    rows = as_rows(fields)
    with open(folder / "events.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
        out.writeheader()
        out.writerows(rows)
    return '2026-01-01 custom "compute-events" "events.csv"\n'


def write_parquet(folder: Path, fields: Iterable[Fields]) -> str:
    parquet.write_table(pyarrow.Table.from_pylist(as_rows(fields)), folder / "events.parquet")
    return '2026-01-01 custom "compute-events" "events.parquet"\n'


def write_directives(_: Path, fields: Iterable[Fields]) -> str:
    """Of which none has a memo or a column of its own."""
    lines = []
    for each in fields:
        name, other = string(each.subscriber), string(each.counterparty)
        line = f'2026-05-02 custom "compute-allocation" {name} 2 CU 1.00 USD'
        if each.counterparty:
            line = f'2026-05-03 custom "compute-spend" {name} {other} 1 CU 1.00 USD'
        lines.append(f"{line}\n  id: {string(each.id)}\n")
    return "".join(lines)


SOURCES: dict[str, Any] = {
    "csv": write_csv,
    "parquet": write_parquet,
    "directives": write_directives,
}


def write(folder: Path, source: str, fields: Iterable[Fields]) -> Path:
    ledger = folder / "main.beancount"
    text = SOURCES[source](folder, list(fields))
    ledger.write_text(HEAD + INCLUDE + BASE + text, encoding="utf-8", newline="")
    begin(ledger)
    return ledger


def as_read(fields: Iterable[Fields], source: str) -> set[Fields]:
    """The texts as books hold them: names composed, and no memo from a directive."""
    found: set[Fields] = set()
    for each in fields:
        composed = Fields(*[normalize("NFC", text) for text in each])
        memo, note = (each.memo, each.note) if source != "directives" else ("", "")
        found.add(composed._replace(memo=memo, note=note))
    return found


def booked(loaded: Loaded) -> set[Fields]:
    """The texts of what was booked."""
    found = [each for each in loaded.entries if isinstance(each, Transaction)]
    return {
        Fields(
            each.meta["event"],
            each.payee or "",
            each.meta.get("counterparty", ""),
            each.meta.get("memo", ""),
            each.meta.get("x_note", ""),
        )
        for each in found
        if each.payee != "first"
    }


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_closed_reads_back_the_same(source: str, tmp_path: Path) -> None:
    """Each text, in each field: as it was written, from the open month and from the closed one."""
    fields = list(events(packs()))
    ledger = write(tmp_path, source, fields)
    loaded = load(ledger)
    assert [error.message for error in loaded.errors] == []
    expected = as_read(fields, source)
    assert booked(loaded) == expected
    close(ledger, "2026-05", loaded=loaded)
    again = load(ledger)
    assert [error.message for error in again.errors] == []
    assert booked(again) == expected
    assert verify(again) == []


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_exported_names_everybody(source: str, tmp_path: Path) -> None:
    """A journal by subscriber as CSV: each name stands in it, as a spreadsheet may have it."""
    fields = list(events(packs()))
    ledger = write(tmp_path, source, fields)
    result = run("export", "2026-05", ledger, "--format", "csv", "--by", "subscriber")
    assert result.exit_code == 0
    rows = list(csv.DictReader(StringIO(result.stdout_bytes.decode(), newline="")))
    names = {row["subscriber"] for row in rows}
    assert {defused(each.subscriber) for each in as_read(fields, source)} <= names


def refused_fields(source: str) -> Iterator[tuple[str, Fields]]:
    """Each character that a source may not hold, in each field of an event."""
    for character in REFUSED:
        for name in Fields._fields[:2] if source == "directives" else Fields._fields:
            good = Fields(f"{name}-{ord(character):04X}", "first", "shop", "memo", "note")
            yield character, good._replace(**{name: f"a{character}z"})


@pytest.mark.parametrize("source", ["csv", "parquet"])
def test_a_character_that_can_t_be_kept_is_one_error_and_the_rest_stands(
    source: str, tmp_path: Path
) -> None:
    """In a row of a file, field by field; a good row behind each is booked."""
    refused = list(refused_fields(source))
    good = [Fields(f"good-{at}", f"good-{at}") for at in range(len(refused))]
    mixed = [each for (_, bad), kept in zip(refused, good, strict=True) for each in (bad, kept)]
    loaded = load(write(tmp_path, source, mixed))
    assert len(loaded.errors) == len(refused)
    for error, (character, _) in zip(loaded.errors, refused, strict=True):
        assert f"holds the control character U+{ord(character):04X}: remove it" in error.message
    assert {each.id for each in booked(loaded)} == {each.id for each in good}


@pytest.mark.parametrize("character", REFUSED, ids=lambda each: f"U+{ord(each):04X}")
def test_a_directive_with_such_a_character_is_one_error(character: str, tmp_path: Path) -> None:
    """Ours, or of Beancount's own reader; the lines around it stand."""
    good = [Fields("good-1", "good-1"), Fields("good-2", "good-2")]
    for name in ("id", "subscriber"):
        bad = Fields("bad", "bad")._replace(**{name: f"a{character}z"})
        ledger = write(tmp_path, "directives", [good[0], bad, good[1]])
        assert len(load_errors(ledger)) == 1, load_errors(ledger)
        assert {each.id for each in booked(load(ledger))} == {"good-1", "good-2"}


def test_a_column_of_bytes_that_are_no_text_is_an_error(tmp_path: Path) -> None:
    """Parquet may hold half a pair of UTF-16, which no text is; the other row stands."""
    column = pyarrow.array([b"\xed\xa0\x80", b"good"], pyarrow.binary())
    texts = pyarrow.StringArray.from_buffers(2, column.buffers()[1], column.buffers()[2])
    rows = as_rows([Fields("a", "good-1"), Fields("b", "good-2")])
    table = pyarrow.Table.from_pylist(rows).drop_columns(["memo"]).append_column("memo", texts)
    ledger = write(tmp_path, "parquet", [Fields("a", "b")])
    sink = BytesIO()
    parquet.write_table(table, sink)
    (tmp_path / "events.parquet").write_bytes(sink.getvalue())
    loaded = load(ledger)
    assert len(loaded.errors) == 1
