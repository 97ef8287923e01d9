"""`bean-compute export --correction`: what changed of a month that was exported before."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from beancount_compute.close.general_ledger import export_records as records
from tests.close.sealing import add, contents, run, write

LEDGER = """\
2026-05-01 custom "compute-allocation" "alice" 1000 CU 200.00 USD
2026-05-02 custom "compute-consumption" "alice" 200 CU
"""
MORE = '2026-05-03 custom "compute-consumption" "alice" 100 CU\n'
TOKENS = "Liabilities:DeferredRevenue:Tokens:Alice"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ledger whose May is closed and exported."""
    path = write(tmp_path_factory.mktemp("exported") / "books", LEDGER)
    assert run("close", "2026-05", path).exit_code == 0
    assert run(*CSV, path).exit_code == 0
    return path.parent


@pytest.fixture
def ledger(exported: Path, tmp_path: Path) -> Path:
    """May is closed and exported: 200.00 billed, 40.00 earned, 160.00 deferred."""
    return shutil.copytree(exported, tmp_path / "books") / "main.beancount"


CSV = ("export", "2026-05", "--format", "csv")


def again(ledger: Path, text: str) -> None:
    """Open May, book something more in it, and close it again."""
    assert run("reopen", "2026-05", ledger, "--reason", "late").exit_code == 0
    add(ledger, text)
    result = run("close", "2026-05", ledger)
    assert result.exit_code == 0, result.stderr


def amounts(text: str) -> dict[str, Decimal]:
    """What each account gets, a debit above zero."""
    return {
        row["account"]: Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)
        for row in csv.DictReader(io.StringIO(text))
    }


def record(ledger: Path, number: int = 1, way: str = "csv-booked-account") -> Path:
    return ledger.parent / "closed" / "2026-05-exported" / f"{way}.{number}.json"


def test_a_correction_is_the_difference_to_what_went_out(ledger: Path) -> None:
    """100 CU more are 20.00; 50 of those taken back, 10.00 less: each balances, under its own
    number, and asked again it is the same."""
    again(ledger, MORE)
    result = run(*CSV, ledger, "--correction")
    assert (result.exit_code, result.stderr) == (0, "")
    assert amounts(result.stdout) == {"Income:Compute": -20, TOKENS: 20}
    assert "TOK-2026-05-USD-C1,2026-05-31,USD," in result.stdout
    assert run(*CSV, ledger, "--correction").stdout == result.stdout
    again(ledger, '2026-05-04 custom "compute-allocation" "bob" 10 CU 1.00 USD\n')
    second = run(*CSV, ledger, "--correction").stdout
    assert amounts(second) == {
        "Assets:Receivable:Bob": 1,
        "Liabilities:DeferredRevenue:Tokens:Bob": -1,
    }
    assert "TOK-2026-05-USD-C2," in second
    assert run("verify", ledger).exit_code == 0


def test_nothing_changed_is_nothing_to_correct(ledger: Path) -> None:
    """Neither before a reopening nor after one that ended as it began."""
    said = "Nothing to correct: 2026-05 says what was exported of it.\n"
    for _ in range(2):
        result = run(*CSV, ledger, "--correction")
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", said)
        again(ledger, "")
    assert run(*CSV, ledger).exit_code == 0  # the same month once more
    assert [path.name for path in record(ledger).parent.iterdir()] == [record(ledger).name]


def test_a_month_that_says_something_else_is_not_exported_twice(ledger: Path) -> None:
    """The whole month would book in the general ledger again what is there."""
    again(ledger, MORE)
    before = contents(ledger.parent)
    for more in ((), ("--only", "booked")):
        result = run(*CSV, ledger, *more)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "was exported before, with other figures: export --correction" in result.stderr
        assert str(record(ledger)) in result.stderr
    assert contents(ledger.parent) == before
    assert run(*CSV, ledger, "--correction").exit_code == 0
    result = run(*CSV, ledger)
    assert result.exit_code == 1 and "and those behind it" in result.stderr
    for number in (1, 2):
        record(ledger, number).unlink()
    assert amounts(run(*CSV, ledger).stdout)["Income:Compute"] == -60


def test_each_way_is_remembered_by_itself(ledger: Path, tmp_path: Path) -> None:
    """What was exported as plain CSV says nothing of QuickBooks; by plan nothing of by account."""
    again(ledger, MORE)
    words = ("export", "2026-05", ledger, "--format", "quickbooks", "--out", tmp_path / "gl")
    result = run(*words, "--correction")
    assert result.exit_code == 1
    assert "no export of 2026-05 as quickbooks-booked-account is remembered" in result.stderr
    assert "remembered are: csv-booked-account: export the month without" in result.stderr
    assert run(*words).exit_code == 0
    again(ledger, MORE.replace("100", "10"))
    assert run(*words, "--correction").exit_code == 0
    files = [path.name for path in sorted((tmp_path / "gl").iterdir())]
    assert files == ["2026-05-quickbooks-USD-correction-1.csv", "2026-05-quickbooks-USD.csv"]
    text = (tmp_path / "gl" / files[0]).read_text()
    assert f"TOK-2026-05-USD-C1,05/31/2026,{TOKENS},{TOKENS},2.00,,\n" in text
    assert run(*words, "--correction").stdout == f"Unchanged: {tmp_path / 'gl' / files[0]}\n"


def test_another_map_is_corrected_too(tmp_path: Path) -> None:
    """What went to 4000 by mistake goes back, and to 4100."""
    ledger, names = write(tmp_path / "books", LEDGER), tmp_path / "accounts.csv"
    head = "account,code,name\nAssets,1999,Clearing\nLiabilities,2400,Deferred\n"
    names.write_text(f"{head}Income,4000,Sales\n")
    assert run("close", "2026-05", ledger).exit_code == 0
    words = ("export", "2026-05", ledger, "--format", "xero", "--map", names, "--out", tmp_path)
    assert run(*words).exit_code == 0
    names.write_text(f"{head}Income,4100,Tokens\n")
    assert run(*words, "--correction").exit_code == 0
    text = (tmp_path / "2026-05-xero-USD-correction-1.csv").read_text()
    assert [tuple(row.split(",")[2:6:3]) for row in text.splitlines()[1:]] == [
        ("Income", "40.00"),
        ("Income", "-40.00"),
    ]
    assert [row.split(",")[3] for row in text.splitlines()[1:]] == ["4000", "4100"]


def test_an_open_month_is_neither_remembered_nor_corrected(ledger: Path) -> None:
    """Its figures may change; that it went out before is said."""
    assert run("reopen", "2026-05", ledger, "--reason", "late").exit_code == 0
    result = run(*CSV, ledger, "--correction")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "2026-05 is not closed: close it, then export what changed" in result.stderr
    before = contents(ledger.parent)
    result = run(*CSV, ledger)
    assert result.exit_code == 0 and amounts(result.stdout)["Income:Compute"] == -40
    assert "2026-05 was exported before it was opened again" in result.stderr
    assert contents(ledger.parent) == before


def test_a_ledger_without_closed_months_remembers_nothing(tmp_path: Path) -> None:
    ledger = tmp_path / "main.beancount"
    ledger.write_text('plugin "beancount_compute"\noption "operating_currency" "USD"\n' + LEDGER)
    assert run(*CSV, ledger).exit_code == 0
    assert run(*CSV, ledger, "--correction").exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == [ledger.name]


def test_what_went_out_and_was_not_remembered_goes_out_again(
    ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the file and its record: the next run gives the same bytes, and remembers."""
    again(ledger, MORE)
    words = (*CSV, ledger, "--correction", "--out", tmp_path / "gl")
    place = "beancount_compute.close.general_ledger.remembered_export.apply"
    with monkeypatch.context() as patch:
        patch.setattr(place, killed)
        assert isinstance(run(*words).exception, KeyboardInterrupt | SystemExit)
    file = tmp_path / "gl" / "2026-05-journal-correction-1.csv"
    first = file.read_bytes()
    assert not record(ledger, 2).exists()
    result = run(*words)
    assert (result.exit_code, result.stdout) == (0, f"Unchanged: {file}\n")
    assert file.read_bytes() == first and record(ledger, 2).exists()


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def forged(text: str) -> str:
    """A record with another figure, and its own digest made anew by whoever knows how."""
    said = json.loads(text)
    said["lines"][0][6] = "1.00"
    return json.dumps(said)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace("40.00", "41.00"), "it was changed"),
        (forged, "it was changed"),
        (lambda text: text.replace("2026-05", "2026-06"), "it is of 2026-06"),
        (lambda text: text.replace('"none"', '"sha256:00"'), "it was changed"),
        (lambda _: "", "it was not written by bean-compute"),
        (lambda _: "{}", "it was not written by bean-compute"),
        (lambda _: "[" * 100_000, "it was not written by bean-compute"),
        (lambda text: text.replace('"200.00"', "200.00"), "it was not written by bean-compute"),
        (lambda text: text.replace("-40.00", "1E+99999999"), "it was not written by bean-compute"),
        (lambda text: text.replace("-40.00", "NaN"), "it was not written by bean-compute"),
        (lambda text: text.replace('"Income', '7, "Income'), "it was not written by"),
    ],
)
def test_a_record_that_was_changed_is_one_error(
    ledger: Path, change: Callable[[str], str], why: str
) -> None:
    """Nothing is exported then, neither the month nor a correction."""
    again(ledger, MORE)
    path = record(ledger)
    path.write_text(change(path.read_text()))
    before = contents(ledger.parent)
    for more in ((), ("--correction",)):
        result = run(*CSV, ledger, *more)
        assert (result.exit_code, result.stdout) == (1, "")
        lines = result.stderr.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith(f"Error: {path} can't tell what was exported: {why}")
    assert contents(ledger.parent) == before


def test_a_record_of_another_ledger_or_of_figures_that_do_not_balance(
    ledger: Path, tmp_path: Path
) -> None:
    """Also where its digest was made anew."""
    other = write(tmp_path / "other", LEDGER.replace("200 CU", "300 CU"))
    assert run("close", "2026-05", other).exit_code == 0
    assert run(*CSV, other).exit_code == 0
    good = record(ledger).read_bytes()
    record(ledger).write_bytes(record(other).read_bytes())
    result = run(*CSV, ledger)
    assert result.exit_code == 1 and "its seal is not in the chain" in result.stderr
    (found,) = records.read_records(
        records.RecordPlace(other.parent / "closed", "2026-05", "csv-booked-account"),
        {json.loads(record(other).read_bytes())["seal"]},
    )
    seal = json.loads(good)["seal"]
    forgery = found._replace(seal=seal, lines=found.lines[1:])
    forgery = forgery._replace(digest=records._digest(forgery))
    record(ledger).write_text(records.record_text(forgery))
    result = run(*CSV, ledger)
    assert result.exit_code == 1 and "it does not balance" in result.stderr


def test_a_record_that_is_gone_is_one_error(ledger: Path) -> None:
    """The first of two, or a FIFO in its place; so is one that names another before it."""
    again(ledger, MORE)
    assert run(*CSV, ledger, "--correction").exit_code == 0
    path = record(ledger)
    good = path.read_bytes()
    path.unlink()
    result = run(*CSV, ledger, "--correction")
    assert result.exit_code == 1 and f"{path} can't tell what was exported: it is gone" in (
        result.stderr
    )
    os.mkfifo(path)
    assert "it is gone, or no plain file" in run(*CSV, ledger).stderr
    path.unlink()
    path.write_bytes(good)
    second = record(ledger, 2)
    said = json.loads(second.read_bytes())
    second.write_text(json.dumps({**said, "previous": "none"}))
    assert "it was changed" in run(*CSV, ledger, "--correction").stderr


def test_nothing_is_remembered_through_a_link(tmp_path: Path) -> None:
    """A folder that somebody planted in the place of the records leads nowhere."""
    ledger = write(tmp_path / "books", LEDGER)
    assert run("close", "2026-05", ledger).exit_code == 0
    (tmp_path / "elsewhere").mkdir()
    (ledger.parent / "closed" / "2026-05-exported").symlink_to(tmp_path / "elsewhere")
    result = run(*CSV, ledger)
    assert result.exit_code == 1 and "is a link" in result.stderr
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_run_that_is_killed_anywhere_is_finished_by_the_next(
    ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at any step of writing the file or the record: run again, both are as if it never
    was, and a third run changes nothing."""
    again(ledger, MORE)
    words = (*CSV, ledger, "--correction", "--out", tmp_path / "gl")
    before = contents(tmp_path)
    assert run(*words).exit_code == 0
    whole = contents(tmp_path)
    assert len(whole) == len(before) + 2
    for step in range(1, 100):
        for name in whole.keys() - before.keys():
            (tmp_path / name).unlink()
        steps = iter(range(step))
        with monkeypatch.context() as patch:
            for name in ("replace", "fsync"):
                patch.setattr(os, name, counting(getattr(os, name), steps))
            done = run(*words).exit_code == 0
        if done:
            break
        for _ in range(2):
            assert run(*words).exit_code == 0
            assert contents(tmp_path) == whole
    assert done and step > 5


def counting(function: Callable[..., None], steps: Iterator[int]) -> Callable[..., None]:
    """The function, until all steps are done; the next one is killed."""

    def counted(*args: object) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        function(*args)

    return counted
