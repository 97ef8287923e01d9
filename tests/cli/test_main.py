"""The group of commands: what holds for each of them."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from click.testing import CliRunner

from beancount_compute.cli import ledgers, main


def test_no_cyclic_garbage_is_looked_for_during_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not while it works; what calls it as a function has its collector back behind it."""
    seen: list[bool] = []

    def render(tables: object, width: int) -> str:
        seen.append(gc.isenabled())
        gc.unfreeze()  # what the load froze
        return ""

    monkeypatch.setattr(ledgers, "render", render)
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
    listed = runner.invoke(main, ["--help"]).output.split("Commands:")[1]
    names = [line.split()[0] for line in listed.splitlines() if line.strip()]
    assert names == [
        *("carry", "check", "close", "export", "new", "print", "reopen", "report", "verify")
    ]
    for name in names:
        shown = runner.invoke(main, [name, "--help"])
        assert shown.exit_code == 0
        assert shown.output.startswith(f"Usage: main {name} ")
    wrong = runner.invoke(main, ["chek"])
    assert wrong.exit_code == 2
    assert "No such command 'chek'." in wrong.output
    assert sorted(main.commands) == names  # from which newer versions of click guess
