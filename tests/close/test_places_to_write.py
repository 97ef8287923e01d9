"""Where packs and exports may be written: in a place of their own, else nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.close.sealing import COLUMNS, add, contents, run, write
from tests.close.test_closing import ROWS, TERMS


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """May can be closed; the ledger's folder is where the commands run."""
    path = write(tmp_path / "books", TERMS, *ROWS)
    monkeypatch.chdir(path.parent)
    return path


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (".", "holds the ledger or its closed months"),
        ("..", "holds the ledger or its closed months"),
        ("closed", "holds the ledger or its closed months"),
        ("link", "holds the ledger or its closed months"),
        ("mine", "holds a.txt and more, and no close pack of 2026-05"),
        ("closed/mine", "holds a.txt, and no close pack of 2026-05"),
        ("closed/reopened", "is kept for other closed months"),
        ("closed/2026-06-pack", "is kept for other closed months"),
        ("closed/2026-06.state.csv", "is kept for other closed months"),
        ("closed/.next", "can't be written with the closed months (it names .next/index.html, "),
        ("closed/a:b", "can't be written with the closed months (it names a:b/index.html, "),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_pack_is_not_strewn_among_other_files(
    ledger: Path, place: str, why: str, dry: tuple[str, ...]
) -> None:
    """Some 50 files would be; one error, and nothing at all is written, whatever else was asked."""
    (ledger.parent / "link").symlink_to("closed")
    for folder, names in (("mine", ("a.txt", "b.txt")), ("closed/mine", ("a.txt",))):
        (ledger.parent / folder).mkdir()
        for name in names:
            (ledger.parent / folder / name).write_text("")
    before = contents(ledger.parent)
    result = run("close", "2026-05", ledger, "--pack", place, *dry)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"Error: {place} {why}")
    assert result.stderr.rstrip().endswith(
        ": nothing was written: name a new or an empty folder with --pack"
    )
    assert contents(ledger.parent) == before


def test_the_pack_of_a_closed_month_is_not_strewn_either(ledger: Path) -> None:
    """Nor that of June into the one of May, or where one was strewn before this was refused."""
    assert run("close", "2026-05", ledger, "--pack", "may").exit_code == 0
    pack = contents(ledger.parent / "may")
    assert len(pack) > 40
    for name, data in pack.items():
        (ledger.parent / name).write_bytes(data)
    before = contents(ledger.parent)
    for month, place in (("2026-05", "."), ("2026-05", "closed"), ("2026-06", "may")):
        result = run("close", month, ledger, "--pack", place)
        assert result.exit_code == 1, (month, place)
        assert contents(ledger.parent) == before


@pytest.mark.parametrize("place", ["empty", "new/and/deep", "closed/may", "closed/2026-05-pack"])
def test_a_pack_may_lie_in_a_new_or_empty_folder_and_is_completed_there(
    ledger: Path, place: str
) -> None:
    """Among the closed months too; what somebody laid beside it stays."""
    (ledger.parent / "empty").mkdir()
    assert run("close", "2026-05", ledger, "--pack", place).exit_code == 0
    pack = contents(ledger.parent / place)
    (ledger.parent / place / "journal.csv").unlink()
    (ledger.parent / place / "note.txt").write_text("mine")
    assert run("close", "2026-05", ledger, "--pack", place).exit_code == 0
    assert contents(ledger.parent / place) == {**pack, "note.txt": b"mine"}


def test_an_export_does_not_go_among_closed_months_nor_where_it_is_read_as_events(
    ledger: Path,
) -> None:
    """One error each, and nothing is written or remembered; beside the ledger is a good place."""
    (ledger.parent / "in").mkdir()
    july = "g-1,2026-07-05,,grant,bob,,,1,CU,,,,,,,"
    (ledger.parent / "in" / "july.csv").write_text(f"{COLUMNS}\n{july}\n")
    add(ledger, '2026-01-01 custom "compute-events" "in/*.csv"\n')
    assert run("close", "2026-05", ledger).exit_code == 0
    before = contents(ledger.parent)
    for place, why in (
        ("closed", "closed holds closed months: nothing was exported: name another"),
        ("closed/out", "closed/out holds closed months: nothing was exported: name another"),
        ("in", "in/2026-05-journal.csv would be read as events by "),
    ):
        result = run("export", "2026-05", ledger, "--format", "csv", "--out", place)
        assert result.exit_code == 1
        assert why in result.stderr
        assert contents(ledger.parent) == before
    assert run("export", "2026-05", ledger, "--format", "csv", "--out", ".").exit_code == 0
    assert (ledger.parent / "2026-05-journal.csv").exists()
