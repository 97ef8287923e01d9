"""The close pack of a month that is closed already, written again."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from beancount_compute.close import pack
from tests.close.sealing import add, contents, run, write
from tests.close.test_closing import ROWS, TERMS

PAID = (
    "2026-05-01 open Assets:Bank\n"
    '2026-05-09 * "alice" "Paid"\n  Assets:Bank  200.00 USD\n  Assets:Receivable:Alice\n'
)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ledger of which two months are closed."""
    path = write(tmp_path_factory.mktemp("closed") / "books", TERMS + PAID, *ROWS)
    for month in ("2026-05", "2026-06"):
        assert run("close", month, path).exit_code == 0
    add(path, '2026-07-04 custom "compute-consumption" "bob" 100 CU\n')
    return path.parent


@pytest.fixture
def ledger(closed: Path, tmp_path: Path) -> Path:
    """May and June are closed, with their packs; July has a use."""
    return shutil.copytree(closed, tmp_path / "books") / "main.beancount"


@pytest.mark.parametrize("month", ["2026-05", "2026-06"])
def test_a_deleted_pack_is_written_again_as_it_was(ledger: Path, month: str) -> None:
    """To the last byte, whatever was booked since."""
    add(ledger, '2026-07-01 custom "compute-option" "unit-cost" 0.05 USD\n')
    before = contents(ledger.parent)
    shutil.rmtree(ledger.parent / "closed" / f"{month}-pack")
    result = run("close", month, ledger)
    assert result.exit_code == 0, result.stderr
    assert f"{month} is closed already" in result.stdout
    assert f"Wrote its close pack to {ledger.parent}/closed/{month}-pack" in result.stdout
    assert contents(ledger.parent) == before


def test_a_pack_can_be_written_to_another_place(ledger: Path, tmp_path: Path) -> None:
    """Once; the second time it says where it is."""
    before = contents(ledger.parent)
    for said in ("Wrote its close pack to", "Its close pack is in"):
        result = run("close", "2026-05", ledger, "--pack", tmp_path / "to")
        assert result.exit_code == 0 and f"{said} {tmp_path / 'to'}" in result.stdout
        assert contents(tmp_path / "to") == contents(ledger.parent / "closed" / "2026-05-pack")
    assert contents(ledger.parent) == before


def test_a_pack_is_never_written_over_something_else(ledger: Path, tmp_path: Path) -> None:
    """Nothing at all is written then; nor by a dry run."""
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "index.html").write_text("mine")
    result = run("close", "2026-05", ledger, "--pack", tmp_path / "to")
    assert result.exit_code == 1 and "holds index.html, and no close pack" in result.stderr
    assert contents(tmp_path / "to") == {"index.html": b"mine"}
    shutil.rmtree(ledger.parent / "closed" / "2026-05-pack")
    assert run("close", "2026-05", ledger, "--dry-run").exit_code == 0
    assert not (ledger.parent / "closed" / "2026-05-pack").exists()


def test_a_file_of_a_pack_that_is_gone_is_missed_and_written_again(ledger: Path) -> None:
    """`verify` names it; the next close of the month writes that file as it was."""
    before = contents(ledger.parent)
    lots = ledger.parent / "closed" / "2026-05-pack" / "lots-lots.csv"
    lots.unlink()
    result = run("verify", ledger)
    assert result.exit_code == 1
    assert f"{lots}: 2026-05: the file is gone" in result.stderr
    assert run("close", "2026-05", ledger).exit_code == 0
    assert contents(ledger.parent) == before
    assert run("verify", ledger).exit_code == 0


@pytest.mark.parametrize("name", ["tie-outs.csv", "journal.csv", "lots-lots.csv"])
def test_an_edited_file_of_a_pack_is_named(ledger: Path, name: str) -> None:
    """Its digest stands under the seal."""
    path = ledger.parent / "closed" / "2026-06-pack" / name
    path.write_bytes(path.read_bytes() + b"\n")
    result = run("verify", ledger)
    assert result.exit_code == 1
    assert f"{path}: 2026-06: the file is not the one that was sealed" in result.stderr


def test_the_seal_is_the_same_with_and_without_pictures(
    ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It depends on no release of Plotly, nor on whether there is one."""
    other = write(tmp_path / "other", TERMS + PAID, *ROWS)
    monkeypatch.setattr(pack, "plotly_bundle", lambda: None)
    for month in ("2026-05", "2026-06"):
        assert run("close", month, other).exit_code == 0
    index = "closed/index.beancount"
    assert (other.parent / index).read_bytes() == (ledger.parent / index).read_bytes()


def test_the_seal_is_the_same_with_and_without_estimates(
    ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It depends on no release of numpy, nor on whether there is one."""
    other = write(tmp_path / "other", TERMS + PAID, *ROWS)
    monkeypatch.setitem(sys.modules, "beancount_compute.insight.all_estimates", None)
    for month in ("2026-05", "2026-06"):
        assert run("close", month, other).exit_code == 0
    index = "closed/index.beancount"
    assert (other.parent / index).read_bytes() == (ledger.parent / index).read_bytes()
    there = contents(ledger.parent / "closed" / "2026-06-pack")
    assert any(name.startswith("estimate-") for name in there)
    assert not list((other.parent / "closed" / "2026-06-pack").glob("estimate-*"))


def test_what_no_seal_covers_is_left_as_it_lies(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another release of numpy or Plotly; `verify` misses none of it, and a close none but the
    page."""
    folder = ledger.parent / "closed" / "2026-06-pack"
    stays = folder / "estimate-retention-survival.csv"
    stays.write_text("months,stay\n1,0.9501\n")
    (folder / "lots-lots.csv").unlink()
    monkeypatch.setattr(pack, "plotly_bundle", lambda: None)
    page = (folder / "index.html").read_bytes()
    assert run("close", "2026-06", ledger).exit_code == 0
    assert (folder / "index.html").read_bytes() == page
    assert stays.read_text() == "months,stay\n1,0.9501\n"
    stays.unlink()
    assert run("verify", ledger).exit_code == 0


def test_the_page_shows_the_seal_of_its_month(ledger: Path) -> None:
    """The pack is made before the seal, and shows it all the same."""
    seal = (ledger.parent / "closed" / "index.beancount").read_text().split('"2026-06" "')[1][:71]
    page = (ledger.parent / "closed" / "2026-06-pack" / "index.html").read_text()
    assert f"<code>{seal}</code>" in page and pack.UNSEALED not in page
