"""A month closed by one function, as a script does it: checked before anything is written."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from beancount_compute.close import open_month, sealing
from beancount_compute.close.loading import load
from beancount_compute.close.proving import Proof
from beancount_compute.close.sealing import NotClosed, begin, close_month
from beancount_compute.close.standing import has_begun
from beancount_compute.close.storage import CloseError
from beancount_compute.close.tie_outs.tie_out import TieOut
from beancount_compute.close.verifying import verify
from tests.close.sealing import COLUMNS, HEAD, INCLUDE, add, contents, run, write
from tests.close.test_closing import ROWS, TERMS


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Nothing is closed yet."""
    return write(tmp_path / "books", TERMS, *ROWS)


def test_a_script_closes_as_the_command_does(ledger: Path, tmp_path: Path) -> None:
    """The same files to the last byte, and the same seal."""
    other = write(tmp_path / "other", TERMS, *ROWS)
    assert run("close", "2026-05", other).exit_code == 0
    outcome = close_month("2026-05", ledger)
    assert outcome.closing is not None and outcome.pack_files
    assert contents(ledger.parent) == contents(other.parent)
    assert verify(load(ledger)) == []
    again = close_month("2026-05", ledger)
    assert again.seal == outcome.seal._replace(place=again.seal.place)
    assert again.closing is None and again.pack_files is None


def test_a_dry_run_has_the_seal_and_writes_nothing(ledger: Path) -> None:
    """Whoever asks for it."""
    before = contents(ledger.parent)
    outcome = close_month("2026-05", ledger, dry_run=True)
    assert contents(ledger.parent) == before
    assert close_month("2026-05", ledger).seal.digest == outcome.seal.digest


def test_a_month_that_does_not_tie_out_is_not_closed(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The month comes with the refusal, so that its tie-outs can be shown."""
    apart = TieOut("a", "USD", "one", Decimal(1), "two", None, Decimal(1))
    monkeypatch.setattr(open_month, "tie_outs", lambda *_: [apart])
    before = contents(ledger.parent)
    with pytest.raises(NotClosed, match="2026-05 does not tie out") as stopped:
        close_month("2026-05", ledger)
    assert stopped.value.closing is not None and stopped.value.closing.ties == [apart]
    assert contents(ledger.parent) == before


def test_a_month_that_beancount_alone_reads_otherwise_is_not_closed(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The accounts are named; a script that does not ask for a proof gets it all the same."""
    monkeypatch.setattr(sealing, "prove", lambda *_: Proof(["wrong"], ["Income:Compute"]))
    before = contents(ledger.parent)
    with pytest.raises(NotClosed, match="don't load to the same books") as stopped:
        close_month("2026-05", ledger)
    assert stopped.value.differences == ["wrong", "Income:Compute"]
    assert contents(ledger.parent) == before


def test_a_ledger_with_errors_is_not_closed(ledger: Path) -> None:
    """Its errors come with the refusal."""
    with open(ledger, "a", encoding="utf-8") as file:
        file.write("2026-05-03 balance Assets:Nowhere 1 USD\n")
    with pytest.raises(NotClosed, match="the ledger has") as stopped:
        close_month("2026-05", ledger)
    assert stopped.value.errors


def test_the_first_index_is_written_once(tmp_path: Path) -> None:
    """A second time it is there already."""
    ledger = tmp_path / "main.beancount"
    ledger.write_text(HEAD + INCLUDE + TERMS)
    begin(ledger, tmp_path / "closed")
    with pytest.raises(CloseError, match="exists already"):
        begin(ledger, tmp_path / "closed")


def test_a_pack_elsewhere_is_written_whole_or_again(
    ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed among its files the month is closed; the next run completes the pack."""
    pack, replace = tmp_path / "pack", os.replace

    def dying(source: Path, target: Path) -> None:
        if target == pack / "journal.csv":
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", dying)
        with pytest.raises(KeyboardInterrupt):
            close_month("2026-05", ledger, pack=pack)
    assert not (pack / "journal.csv").exists()
    assert close_month("2026-05", ledger, pack=pack).closing is None
    other = write(tmp_path / "other", TERMS, *ROWS)
    close_month("2026-05", other)
    assert contents(pack) == contents(other.parent / "closed" / "2026-05-pack")


def test_a_read_only_index_is_no_obstacle_to_the_proof(ledger: Path) -> None:
    """The trial of the books is written anew, whatever the modes of the files beside it."""
    (ledger.parent / "closed" / "index.beancount").chmod(0o444)
    assert close_month("2026-05", ledger).closing is not None


def test_the_first_index_is_not_written_through_a_planted_link(tmp_path: Path) -> None:
    """What the link leads to is left alone."""
    ledger, victim = tmp_path / "main.beancount", tmp_path / "victim"
    ledger.write_text(HEAD + INCLUDE + TERMS)
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "books.beancount").symlink_to(victim)
    begin(ledger, tmp_path / "closed")
    assert not victim.exists()
    assert not (tmp_path / "closed" / "books.beancount").is_symlink()


@pytest.mark.parametrize("pattern", ["**/*.csv", "*/*.csv", "pack/lots-*.csv"])
def test_a_pack_that_the_ledger_would_read_as_events_is_not_written(
    tmp_path: Path, pattern: str
) -> None:
    """The line is named, and the ledger goes on loading."""
    files = {"in/a.csv": "\n".join([COLUMNS, *ROWS]), "pack/lots-none.csv": COLUMNS}
    ledger = write(tmp_path, TERMS, files=files)
    add(ledger, f'2026-01-01 custom "compute-events" "{pattern}"\n')
    add(ledger, '2026-01-01 custom "compute-events" "in/*.csv"\n')
    with pytest.raises(CloseError, match=r"would be read as events by .*main.beancount:"):
        close_month("2026-05", ledger, pack=tmp_path / "pack")
    assert [path.name for path in (tmp_path / "pack").iterdir()] == ["lots-none.csv"]
    close_month("2026-05", ledger)
    assert load(ledger).errors == []


def test_a_pack_that_no_pattern_finds_is_written(tmp_path: Path) -> None:
    """Beside the ledger, where it looks in one folder only."""
    ledger = write(tmp_path, TERMS, files={"in/a.csv": "\n".join([COLUMNS, *ROWS])})
    add(ledger, '2026-01-01 custom "compute-events" "in/*.csv"\n')
    close_month("2026-05", ledger, pack=tmp_path / "pack")
    assert load(ledger).errors == []


@pytest.mark.parametrize(
    "more",
    [
        '2026-07-05 custom "compute-consumption" "bob" 1 CU\n',
        '2026-08-02 * "Credit"\n  Income:Fees  1 USD\n  Assets:Receivable:Alice\n',
        "2026-07-31 price CU  0.20 USD\n",
        '2026-01-01 custom "compute-option" "as-of" 2026-07-31\n',
    ],
)
def test_a_month_that_has_not_begun_is_not_closed(ledger: Path, more: str) -> None:
    """May and June are closed and nothing happened since: a term, or a balance at the beginning of
    July, is of no use. It has begun with an event, an entry or price, or by the as-of day."""
    for month in ("2026-05", "2026-06"):
        close_month(month, ledger)
    add(
        ledger,
        '2026-09-01 custom "compute-option" "seller-fee" 0.10\n'
        "2026-07-01 balance Income:Fees  -6.25 USD\n",
    )
    before = contents(ledger.parent)
    for dry_run in (True, False):
        with pytest.raises(CloseError) as refused:
            close_month("2026-07", ledger, dry_run=dry_run)
        assert str(refused.value) == (
            "2026-07 has not begun in this ledger: nothing happened on 2026-07-01 or later. Close "
            "it when it is over; if nothing happens in it, set the option as-of to 2026-07-31: "
            "nothing was written"
        )
    assert contents(ledger.parent) == before
    assert close_month("2026-06", ledger).closing is None
    add(ledger, more)
    loaded = load(ledger)
    assert loaded.errors == [] and loaded.booking is not None
    assert has_begun("2026-07", loaded.entries, loaded.booking.terms.terms)
