"""An unfinished change in the folder of closed months: ours is finished, any other is one error."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from beancount_compute.close import storage
from beancount_compute.close.loading import load
from beancount_compute.close.storage import COMMIT, NEXT, Change, apply, recover
from tests.close.sealing import close, contents, load_errors, run, write
from tests.close.test_closing import ROWS, TERMS


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """May is closed, June may be."""
    path = write(tmp_path / "books", TERMS, *ROWS)
    close(path, "2026-05")
    return path


def plant(ledger: Path, plan: Any) -> Path:
    """A stage with a plan, and something to move."""
    stage = ledger.parent / "closed" / NEXT
    (stage / "files").mkdir(parents=True)
    (stage / "files" / "payload").write_text("payload\n")
    (ledger.parent / "closed" / "payload").write_text("payload\n")
    (stage / COMMIT).write_text(plan if isinstance(plan, str) else json.dumps(plan))
    return stage


@pytest.mark.parametrize(
    "plan",
    [
        {"write": [], "move": {"payload": "../../.bashrc"}},
        {"write": [], "move": {"payload": "2026-06.beancount"}},
        {"write": [], "move": {"2026-05.beancount": "reopened/../../../x"}},
        {"write": ["../../payload"], "move": {}},
        {"write": ["/elsewhere/payload"], "move": {}},
        {"write": [".hidden"], "move": {}},
        {"write": ["a//b"], "move": {}},
        {"write": [""], "move": {}},
        {"write": [["payload"]], "move": {}},
        {"write": [], "move": []},
        {"write": 5, "move": {}},
        [],
        None,
        "[" * 100_000,
        "\x00",
    ],
    ids=lambda plan: str(plan)[:40].replace("\x00", "NUL"),
)
def test_a_planted_plan_is_one_error_and_nothing_is_done(ledger: Path, plan: Any) -> None:
    """Whatever it says: no file is moved, within the folder or out of it."""
    plant(ledger, plan)
    before = contents(ledger.parent.parent)
    result = run("close", "2026-06", ledger)
    assert result.exit_code == 1
    assert "can't finish what an earlier run left in" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert contents(ledger.parent.parent) == before


def test_a_pipe_or_a_link_for_a_plan_is_one_error(ledger: Path) -> None:
    """It would be waited for without end, or lead elsewhere."""
    stage = plant(ledger, "{}")
    (stage / COMMIT).unlink()
    os.mkfifo(stage / COMMIT)
    assert "no plain file" in run("close", "2026-06", ledger).stderr
    (stage / COMMIT).unlink()
    (stage / COMMIT).write_text(json.dumps({"write": ["2026-06.beancount"], "move": {}}))
    (stage / "files" / "2026-06.beancount").symlink_to(stage / "files" / "payload")
    assert "no plain file" in run("close", "2026-06", ledger).stderr


def test_months_that_are_no_plain_files_are_errors(ledger: Path) -> None:
    """A pipe in place of a month's state: named, and not waited for."""
    path = ledger.parent / "closed" / "2026-05.state.csv"
    path.unlink()
    os.mkfifo(path)
    (error,) = load_errors(ledger)
    assert error.endswith('can\'t read "2026-05.state.csv": it is no plain file: restore it')


@pytest.mark.parametrize("moved", range(7))
def test_verify_reads_an_unfinished_close_as_the_old_state(
    ledger: Path, moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after any of the moves; the next close finishes it, and June is closed."""

    def killed(folder: Path) -> None:
        left = [moved]

        def replace(source: Any, target: Any) -> None:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            os.rename(source, target)

        monkeypatch.setattr(storage.os, "replace", replace)
        try:
            recover(folder)
        finally:
            monkeypatch.undo()

    stopped = monkeypatch
    with stopped.context() as patched:
        patched.setattr(storage, "recover", lambda folder: None)
        close(ledger, "2026-06", ties=False)
    try:
        killed(ledger.parent / "closed")
    except KeyboardInterrupt:
        assert moved < 6
    result = run("verify", ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    assert load_errors(ledger) == []
    assert run("close", "2026-06", ledger).exit_code == 0
    booking = load(ledger).booking
    assert booking is not None
    assert [seal.month for seal in booking.chain.closed] == ["2026-05", "2026-06"]


def test_verify_reads_an_unfinished_reopening_as_the_new_state(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is written, the month is not moved away yet."""
    folder = ledger.parent / "closed"
    changes: list[Change] = []
    with monkeypatch.context() as patched:
        patched.setattr(
            "beancount_compute.cli.close.apply", lambda _, change: changes.append(change)
        )
        assert run("reopen", "2026-05", ledger, "--reason", "x").exit_code == 0
    (change,) = changes
    with monkeypatch.context() as patched:
        patched.setattr(storage, "recover", lambda folder: None)
        apply(folder, change)
    for name in change.write:
        os.replace(folder / NEXT / "files" / name, folder / name)
    result = run("verify", ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    recover(folder)
    assert not (folder / "2026-05.state.csv").exists()
    assert run("verify", ledger).exit_code == 0
