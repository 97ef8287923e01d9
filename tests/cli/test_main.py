"""The group of commands: what holds for each of them."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from beancount_compute.cli import check, main
from beancount_compute.close import loading

ROOT = Path(__file__).parents[2]
GRANT = """option "operating_currency" "USD"
plugin "beancount_compute"
2026-01-01 custom "compute-grant" "alice" 5 CU
"""


def test_no_cyclic_garbage_is_looked_for_during_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not while it works; what calls it as a function has its collector back behind it."""
    seen: list[bool] = []

    def render(tables: object, width: int) -> str:
        seen.append(gc.isenabled())
        return ""

    monkeypatch.setattr(check, "render", render)
    ledger = tmp_path / "main.beancount"
    ledger.write_text('plugin "beancount_compute"\n')
    assert gc.isenabled()
    CliRunner().invoke(main, ["check", str(ledger)])
    assert seen == [False]
    assert gc.isenabled()
    assert gc.get_freeze_count()  # else the end of the program looks through the ledger
    gc.unfreeze()


def test_each_command_is_there_and_a_mistyped_one_is_guessed() -> None:
    """They are imported when they are asked for; click knows all names before."""
    runner = CliRunner()
    listed = runner.invoke(main, ["--help"]).output.split("Commands:")[1].split("Example:")[0]
    names = [line.split()[0] for line in listed.splitlines() if line.strip()]
    assert names == [
        *("accounts", "bulk", "carry", "check", "close", "compare", "export", "help", "new"),
        *("prices", "print", "reopen", "report", "review", "simulate", "verify", "whatif"),
    ]
    for name in names:
        shown = runner.invoke(main, [name, "--help"])
        assert shown.exit_code == 0
        assert shown.output.startswith(f"Usage: main {name} ")
    wrong = runner.invoke(main, ["chek"])
    assert wrong.exit_code == 2
    assert "No such command 'chek'." in wrong.output
    assert sorted(main.commands) == names  # from which newer versions of click guess


@pytest.mark.parametrize("words", ["check", "print", "report lots", "new", "--help", "--version"])
def test_a_full_disk_is_one_line_and_a_closed_output_none(tmp_path: Path, words: str) -> None:
    """Whatever the command was about to say, and wherever it was in saying it."""
    ledger = tmp_path / "main.beancount"
    ledger.write_text(GRANT)
    command = f"{sys.executable} -m beancount_compute.cli {words}"
    if words == "new":
        command += f" {tmp_path}/$RANDOM"
    elif not words.startswith("--"):
        command += f" {ledger}"
    for output, code, said in (
        (">/dev/full", 1, "Error: can't write: No space left on device\n"),
        (">&-", 0, ""),
    ):
        done = subprocess.run(
            ["bash", "-c", f"{command} {output}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize("words", ["check", "close 2026-05", "verify", "carry --to 2027"])
def test_what_cannot_be_read_is_no_matter_of_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """An included file without permission: its name, and why."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "terms.beancount")

    monkeypatch.setattr(loading.loader, "_parse_recursive", refuse)
    ledger = tmp_path / "main.beancount"
    ledger.write_text('plugin "beancount_compute"\ninclude "terms.beancount"\n')
    more = [tmp_path / "new"] if words.startswith("carry") else []
    command = [str(word) for word in (*words.split(), ledger, *more)]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: terms.beancount: Permission denied\n"
