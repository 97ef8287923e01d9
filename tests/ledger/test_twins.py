"""Equal rows without an id in two files."""

from __future__ import annotations

from pathlib import Path

from beancount import loader
from beancount.core.data import Transaction

HEAD = "date,event,subscriber,units,commodity,paid,currency\n"
TOP_UP = "2026-05-01,allocation,ann,100,CU,100.00,USD\n"
USE = "2026-05-20,consumption,ann,5,CU,,\n"
OTHER = "2026-05-21,consumption,ann,7,CU,,\n"


def load(folder: Path, text: str = "", **files: str) -> tuple[list[str], int]:
    """The messages of a load, with the file of each, and how many uses were booked."""
    ledger = folder / "main.beancount"
    lines = [f'2026-01-01 custom "compute-events" "{name}.csv"\n' for name in files]
    ledger.write_text(
        f'plugin "beancount_compute"\noption "operating_currency" "USD"\n{text}{"".join(lines)}'
    )
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text(HEAD + rows)
    entries, errors, _ = loader.load_file(str(ledger))
    uses = [e for e in entries if isinstance(e, Transaction) and "compute-consumption" in e.tags]
    said = [f"{Path(e.source['filename']).name}:{e.source['lineno']}: {e.message}" for e in errors]
    return said, len(uses)


def test_an_export_loaded_twice_is_one_error_and_counts_once(tmp_path: Path) -> None:
    """Two files, both named, with the rows that are twins and those that are not."""
    said, uses = load(tmp_path, may=TOP_UP + USE + USE, again=TOP_UP + USE + USE + OTHER)
    (message,) = said
    assert message == (
        'again.csv:2: 3 rows without an id in "again.csv" and in "may.csv" say the same (1 row of '
        '"again.csv" and 0 of "may.csv" have no twin): an export that was loaded twice? They count '
        "once; remove a file, or give each row an id"
    )
    assert uses == 3


def test_equal_rows_of_one_file_are_two_events(tmp_path: Path) -> None:
    """Nobody loaded anything twice: two uses of five units."""
    said, uses = load(tmp_path, may=TOP_UP + USE + USE, june=OTHER)
    assert (said, uses) == ([], 3)


def test_as_many_stand_as_the_file_with_the_most_has(tmp_path: Path) -> None:
    """Two in one, three in the other: three."""
    said, uses = load(tmp_path, may=TOP_UP + USE + USE, june=USE + USE + USE)
    assert len(said) == 1
    assert uses == 3


def test_the_ledger_counts_as_a_file(tmp_path: Path) -> None:
    """A directive and a row that say the same; two equal directives are two events."""
    directive = '2026-05-20 custom "compute-consumption" "ann" 5 CU\n'
    said, uses = load(tmp_path, directive + directive, may=TOP_UP + USE)
    assert len(said) == 1
    assert '"may.csv" and in the ledger' in said[0]
    assert uses == 2


def test_an_id_of_its_own_makes_it_another_event(tmp_path: Path) -> None:
    """A link to a file is that file; rows with ids are never compared."""
    (tmp_path / "link.csv").symlink_to(tmp_path / "may.csv")
    with_id = "id," + HEAD + "".join(f"u{at},{USE}" for at in range(2))
    said, uses = load(tmp_path, may=TOP_UP + USE)
    assert (said, uses) == ([], 1)
    (tmp_path / "ids.csv").write_text(with_id)
    text = '2026-01-01 custom "compute-events" "ids.csv"\n2026-01-01 custom "compute-events" "l*"\n'
    said, uses = load(tmp_path, text, may=TOP_UP + USE)
    assert (said, uses) == ([], 3)
