"""`bean-compute`: what it prints, where, and with which exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from beancount import loader
from click.testing import CliRunner, Result

from beancount_compute.cli import main

QUICKSTART = Path(__file__).parents[2] / "example-ledgers" / "quickstart" / "main.beancount"
LEDGER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-05-01 custom "compute-allocation" "alice" 1000 CU 200.00 USD
2026-05-02 custom "compute-consumption" "alice" 200 CU
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger of one top-up (200.00 for 1000 CU) and one use (200 CU, so 40.00)."""
    path = tmp_path / "main.beancount"
    path.write_text(LEDGER)
    return path


def figures(output: str) -> dict[str, list[str]]:
    """The rows of the tables by their first column; the last of one name."""
    rows = [line.split("  ") for line in output.splitlines() if line.startswith("  ")]
    return {
        cells[0]: cells[1:]
        for cells in ([cell.strip() for cell in row if cell.strip()] for row in rows)
        if cells
    }


def test_check_shows_what_is_open_and_earned_and_that_it_ties(ledger: Path) -> None:
    """800 CU are left of 1000, at 0.20: 160.00 deferred, 40.00 revenue."""
    result = run("check", ledger)
    assert result.exit_code == 0
    shown = figures(result.stdout)
    assert shown["subscribers"] == ["1"]
    assert shown["open units in tokens"] == ["800", "CU"]
    assert shown["deferred revenue"] == ["160.00", "USD"]
    assert shown["revenue"] == ["40.00", "USD"]
    assert shown["= difference"] == ["0.00", "ties"]


@pytest.mark.parametrize("mistake", ["", '2026-05-02 custom "compute-consumption" "al" 1 CU\n'])
def test_check_of_a_ledger_in_which_nothing_is_booked(tmp_path: Path, mistake: str) -> None:
    """Its tables have no rows; an error is told, and shown beside them."""
    path = tmp_path / "main.beancount"
    path.write_text('plugin "beancount_compute"\n' + mistake)
    result = run("check", path)
    assert figures(result.stdout)["subscribers"] == ["0"]
    assert isinstance(result.exception, SystemExit | None)
    assert (result.exit_code, "main.beancount:2: unknown" in result.output) == (
        int(bool(mistake)),
        bool(mistake),
    )


def test_check_names_each_error_by_file_and_line_and_exits_with_1(ledger: Path) -> None:
    """The rest of the books is shown all the same."""
    with open(ledger, "a") as file:
        file.write('2026-05-03 custom "compute-consumption" "alice" 801 CU\n')
    result = run("check", ledger)
    assert result.exit_code == 1
    assert f'{ledger}:5: "alice" uses 801 CU and holds 800 CU: ' in result.stdout
    assert figures(result.stdout)["revenue"] == ["40.00", "USD"]


def test_print_writes_the_books_to_stdout_and_errors_to_stderr(ledger: Path) -> None:
    """The text loads without the plugin; an error of the ledger makes the exit code 1."""
    result = run("print", ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    assert " custom " not in result.stdout
    assert 'plugin "' not in result.stdout
    entries, errors, _ = loader.load_string(result.stdout)
    assert errors == []
    assert [len(each.postings) for each in entries if hasattr(each, "postings")] == [2, 2]
    with open(ledger, "a") as file:
        file.write('2026-05-03 custom "compute-consumption" "bob" 1 CU\n')
    failed = run("print", ledger)
    assert failed.exit_code == 1
    assert failed.stdout == result.stdout
    assert failed.stderr.startswith(f'{ledger}:5: unknown subscriber "bob"')


def test_new_writes_a_ledger_that_loads_and_never_overwrites(tmp_path: Path) -> None:
    """What it writes passes; a second time it refuses and leaves what is there."""
    folder = tmp_path / "books"
    result = run("new", folder)
    assert result.exit_code == 0
    assert f"bean-check {folder / 'main.beancount'}" in result.stdout
    assert run("check", folder / "main.beancount").exit_code == 0
    (folder / "events.csv").write_text("mine")
    (folder / "main.beancount").unlink()
    again = run("new", folder)
    assert again.exit_code == 1
    assert "events.csv exists already: name another folder" in again.stderr
    assert (folder / "events.csv").read_text() == "mine"
    assert not (folder / "main.beancount").exists()


@pytest.mark.parametrize("name", ["x" * 300, "file/books"])
def test_a_folder_that_cannot_be_made_is_one_error(tmp_path: Path, name: str) -> None:
    """Too long a name, or a file where a folder should be: no traceback."""
    (tmp_path / "file").write_text("")
    result = run("new", tmp_path / name)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: can't write to ")


def test_a_ledger_that_is_not_there_is_an_error_of_usage(tmp_path: Path) -> None:
    """click's own message, and its exit code 2."""
    for command in ("check", "print"):
        result = run(command, tmp_path / "none.beancount")
        assert result.exit_code == 2
        assert "does not exist" in result.stderr


def test_directives_without_the_plugin_are_an_error(ledger: Path) -> None:
    """Nothing would be booked, and nothing would say so."""
    ledger.write_text(LEDGER.replace('plugin "beancount_compute"\n', ""))
    result = run("check", ledger)
    assert result.exit_code == 1
    assert f'{ledger}:2: compute-allocation, but no line plugin "beancount_compute"' in (
        result.stdout
    )


def test_a_plugin_line_twice_books_once_and_is_an_error(ledger: Path) -> None:
    """One error, at the top of the ledger; deferred revenue is not doubled."""
    ledger.write_text('plugin "beancount_compute"\n' + LEDGER)
    result = run("check", ledger)
    assert result.exit_code == 1
    errors = [line for line in result.stdout.splitlines() if str(ledger) in line]
    assert errors == [f'{ledger}:1: plugin "beancount_compute" stands twice: remove one of the two']
    assert figures(result.stdout)["deferred revenue"] == ["160.00", "USD"]


def test_a_configuration_of_the_plugin_is_an_error(ledger: Path) -> None:
    """It takes none; the books stand."""
    ledger.write_text(LEDGER.replace('compute"\n', 'compute" "{}"\n', 1))
    result = run("check", ledger)
    assert result.exit_code == 1
    assert f'{ledger}:1: the plugin takes no configuration, such as "{{}}": remove it' in (
        result.stdout
    )
    assert figures(result.stdout)["revenue"] == ["40.00", "USD"]


def started(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "beancount_compute.cli", *words]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, check=False, env=env)


def test_a_narrow_encoding_is_no_traceback() -> None:
    """A terminal of latin-1 shows a ? where it has no character."""
    done = started("check", str(QUICKSTART), PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert done.stderr == b""
    assert b"deferred revenue" in done.stdout


def test_a_reader_that_has_seen_enough_is_no_traceback() -> None:
    """`bean-compute print LEDGER | head -1`."""
    command = [sys.executable, "-m", "beancount_compute.cli", "print", str(QUICKSTART)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_nothing_of_a_progress_bar_is_written_into_a_pipe(ledger: Path) -> None:
    """Standard error stays empty."""
    assert started("check", str(ledger)).stderr == b""


@pytest.mark.parametrize("columns", ["80", "120"])
def test_tables_fit_the_terminal(columns: str) -> None:
    """No line is longer than 80 columns, wider terminals included."""
    done = started("check", str(QUICKSTART), COLUMNS=columns)
    assert max(len(line) for line in done.stdout.decode().splitlines()) <= 80


def test_check_shows_findings_and_ends_with_a_sentence(ledger: Path) -> None:
    """A finding is no error, and stands with its line to paste; the sentence counts it."""
    add = (
        "2026-05-01 open Equity:Opening\n"
        '2026-05-01 * "Opening" #compute-opening\n'
        '  Liabilities:DeferredRevenue:Tokens:Bob  -5 CU {0.20 USD, 2025-12-15, "por/2026-06-15"}\n'
        "  Equity:Opening\n"
    )
    result = run("check", ledger)
    assert result.exit_code == 0
    assert last(result) == "All agrees: no error, units and money tie; no finding is open."
    ledger.write_text(LEDGER + add)
    result = run("check", ledger)
    assert result.exit_code == 0
    assert f"{ledger}:7: f-" in result.stdout
    assert 'label: the label "por" of 1 opening lot, 5 CU, names no plan' in result.stdout
    assert '  2026-05-31 custom "compute-accept" "f-' in result.stdout
    said = "All agrees: no error, units and money tie; 1 finding without an answer."
    assert last(result) == said
    ledger.write_text(LEDGER + add + '2026-05-03 custom "compute-consumption" "alice" 801 CU\n')
    result = run("check", ledger)
    assert result.exit_code == 1
    assert last(result) == "Not all agrees: 1 error, 1 finding without an answer."


def last(result: Result) -> str:
    """The last sentence."""
    return " ".join(result.stdout.split("\n\n")[-1].split())


def test_check_notes_rows_that_were_skipped(ledger: Path) -> None:
    """By what they are, with their files; after three files the others are counted."""
    with open(ledger, "a") as file:
        file.write('2026-01-01 custom "compute-events" "*.csv"\n')
    for day, name in enumerate("abcd", 2):
        row = f"2026-05-0{day},consumption,alice,{{}},CU\n"
        text = "date,event,subscriber,units,commodity\n" + row.format(1) + row.format(0) + ",,,,\n"
        (ledger.parent / f"{name}.csv").write_text(text)
    notes = [" ".join(each.split()) for each in run("check", ledger).stdout.split("\n\n")]
    assert notes[-3:-1] == [
        f"Note: {what} were skipped: 1 in a.csv, 1 in b.csv, 1 in c.csv, 1 in 1 other file."
        for what in ("blank rows", "rows of 0 units")
    ]
