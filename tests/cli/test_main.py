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
        return ""

    monkeypatch.setattr(ledgers, "render", render)
    ledger = tmp_path / "main.beancount"
    ledger.write_text('plugin "beancount_compute"\n')
    assert gc.isenabled()
    gc.unfreeze()
    CliRunner().invoke(main, ["check", str(ledger)])
    assert seen == [False]
    assert gc.isenabled()
    assert gc.get_freeze_count()  # else the end of the program looks through the ledger
    gc.unfreeze()
