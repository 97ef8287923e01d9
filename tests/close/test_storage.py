"""Changes of the folder of closed months: whole or not at all, whatever happens in between."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beancount_compute.close import closing, storage
from beancount_compute.close.loading import load
from beancount_compute.close.pack import PAGE, UNSEALED
from beancount_compute.close.storage import Change, CloseError, acquire, apply, locked, recover
from beancount_compute.close.verifying import verify
from tests.close.sealing import close, contents, load_errors, printed, run, write
from tests.examples import examples

ROOT = Path(__file__).parents[2]
SHARES = 2  # of the steps at which a command is killed, each a test; a usual run tries the first
MAY = (
    "t-1,2026-05-02,,allocation,alice,,,100,CU,,10.00,USD,,,,",
    "u-1,2026-06-03,,consumption,alice,,,10,CU,,,,,,,",
    "u-2,2026-07-03,,consumption,alice,,,10,CU,,,,,,,",
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """May is closed, June is next."""
    path = write(tmp_path / "l", "", *MAY)
    close(path, "2026-05")
    return path


@pytest.fixture
def no_flushing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushing does nothing, and is a step all the same: a killed process loses no bytes."""
    monkeypatch.setattr(os, "fsync", lambda number: None)


@pytest.fixture
def short_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack of three files for the ninety of a real one: each is written as the others are.

    test_kills.py kills commands that write the whole pack.
    """
    files = {PAGE: UNSEALED.encode(), "journal.csv": b"date\n", "lots.csv": b"lot\n"}
    monkeypatch.setattr(closing, "pack_files", lambda *args, **named: files)


def killed(at: int, *words: str) -> bool:
    """Whether a command, in a process of its own, is killed at its n-th step of writing."""
    child = os.fork()
    if child == 0:
        steps = iter(range(at))

        def dying(call: Callable[..., Any]) -> Callable[..., Any]:
            def counted(*args: Any, **kwargs: Any) -> Any:
                if next(steps, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*args, **kwargs)

            return counted

        for name in ("replace", "fsync", "unlink", "rmdir", "mkdir"):
            setattr(os, name, dying(getattr(os, name)))
        vars(storage)["open"] = dying(open)  # before the built-in one, for this module alone
        os._exit(run(*words).exit_code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def state_of(ledger: Path) -> tuple[list[str], str]:
    """The seals and the books of a ledger that loads without errors."""
    loaded = load(ledger)
    assert loaded.errors == [] and loaded.booking is not None
    return [link.digest for link in loaded.booking.chain.links], printed(loaded)


def seals_of(ledger: Path) -> list[str]:
    booking = load(ledger).booking
    assert booking is not None
    return [link.digest for link in booking.chain.links]


@pytest.mark.usefixtures("no_flushing", "short_pack")
@pytest.mark.parametrize("share", range(min(SHARES, examples(1, SHARES))))
@pytest.mark.parametrize(
    "words", [("close", "2026-06"), ("reopen", "2026-05", "--reason", "x")], ids=lambda w: w[0]
)
def test_killed_at_any_step_the_folder_is_as_before_or_as_after(
    ledger: Path, tmp_path: Path, words: tuple[str, ...], share: int
) -> None:
    """SIGKILL before each write, flush, move and removal in turn: the ledger loads without errors
    as the old or the new state, and the next run ends with the same files and seals."""
    before = state_of(ledger)
    done = Path(shutil.copytree(ledger.parent, tmp_path / "done")) / ledger.name
    assert run(*words[:2], done, *words[2:]).exit_code == 0
    after = state_of(done)
    found: set[bool] = set()
    for at in range(share, 1000, SHARES):
        shutil.rmtree(tmp_path / "k", ignore_errors=True)
        copy = Path(shutil.copytree(ledger.parent, tmp_path / "k")) / ledger.name
        dead = killed(at, *words[:2], str(copy), *words[2:])
        found_state = state_of(copy)
        new = found_state == after
        found.add(new)
        assert new or found_state == before
        if new:  # the next run, of whatever command, finishes the rest
            with locked(copy.parent / "closed"):
                pass
        else:
            assert run(*words[:2], copy, *words[2:]).exit_code == 0
        assert contents(copy.parent) == contents(done.parent)
        if not dead:
            break
    assert found == {False, True} and at > 10


def test_a_close_that_was_committed_is_finished_before_a_month_is_opened_again(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the commit and before the first move: the seal of June is not lost."""
    monkeypatch.setattr(storage, "recover", lambda folder: None)
    close(ledger, "2026-06", ties=False)
    monkeypatch.undo()
    assert len(seals_of(ledger)) == 1
    result = run("reopen", "2026-05", ledger, "--reason", "an invoice")
    assert result.exit_code == 0
    assert "Reopened 2026-05, 2026-06" in result.stdout
    assert len(seals_of(ledger)) == 3


# disks that are full or locked


def failing(call: Callable[..., object], number: int, after: int) -> Callable[..., object]:
    """A call that fails from its n-th time on."""
    left = [after]

    def failed(*args: object, **kwargs: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(number, os.strerror(number))
        return call(*args, **kwargs)

    return failed


@pytest.mark.usefixtures("no_flushing", "short_pack")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("step", ["fsync", "open", "replace"])
def test_a_full_or_read_only_disk_is_one_message_and_the_old_state(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, number: int, step: str
) -> None:
    """At each step in turn: exit 1, one line that says why, no file changed; then it works."""
    before, seals = contents(ledger.parent), seals_of(ledger)
    for after in range(100):
        with monkeypatch.context() as patch:
            where = storage if step == "open" else os
            real = open if step == "open" else getattr(os, step)
            patch.setattr(where, step, failing(real, number, after), raising=False)
            result = run("close", "2026-06", ledger)
        if result.exit_code == 0:
            break
        assert result.exit_code == 1
        last = result.stderr.strip().splitlines()[-1]
        assert last.startswith("Error: can't ") and os.strerror(number) in last
        assert load_errors(ledger) == []
        if not (ledger.parent / "closed" / ".next").exists():
            assert contents(ledger.parent) == before and seals_of(ledger) == seals
    assert after > 0
    assert load_errors(ledger) == [] and len(seals_of(ledger)) == 2
    assert verify(load(ledger)) == []


def test_a_disk_that_is_really_full_leaves_the_old_state(ledger: Path) -> None:
    """No file may grow, says the shell: not even the trial of the books fits."""
    before = contents(ledger.parent)
    words = f"{sys.executable} -m beancount_compute.cli close 2026-06 {ledger}"
    limited = f"trap '' XFSZ; ulimit -f 0; exec {words}"
    done = subprocess.run(
        ["bash", "-c", limited], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Error: can't write" in done.stderr and "Traceback" not in done.stderr
    assert contents(ledger.parent) == before
    assert load_errors(ledger) == []


def test_two_closes_at_once_are_told_apart(ledger: Path) -> None:
    """The second writes nothing and says why; a dry run may look all the same."""
    before = contents(ledger.parent)
    release = acquire(ledger.parent / "closed")
    for words in (("close", "2026-06", ledger), ("reopen", "2026-05", ledger, "--reason", "x")):
        result = run(*words)
        assert result.exit_code == 1
        assert "another bean-compute is writing to" in result.stderr
    assert run("close", "2026-06", ledger, "--dry-run").exit_code == 0
    release()
    assert contents(ledger.parent) == before
    assert run("close", "2026-06", ledger).exit_code == 0


def test_no_lock_stays_behind(ledger: Path) -> None:
    """Neither after a command nor after one that was stopped."""
    assert run("close", "2026-07", ledger).exit_code == 1
    assert run("close", "2026-06", ledger).exit_code == 0
    assert not (ledger.parent / "closed" / ".lock").exists()


_COUNT = """
import sys, time
from pathlib import Path
from beancount_compute.close.storage import acquire
folder, number = Path(sys.argv[1]), Path(sys.argv[2])
done = 0
while done < 100:
    try:
        release = acquire(folder)
    except BlockingIOError:
        continue
    found = int(number.read_text())
    time.sleep(0.0001)
    number.write_text(str(found + 1))
    done += 1
    release()
"""


def test_a_lock_keeps_all_others_out(tmp_path: Path) -> None:
    """Four processes count to 400 together, and no one writes over another's number."""
    number = tmp_path / "number"
    number.write_text("0")
    words = [sys.executable, "-c", _COUNT, str(tmp_path), str(number)]
    for process in [subprocess.Popen(words, cwd=ROOT) for _ in range(4)]:
        assert process.wait(timeout=300) == 0
    assert number.read_text() == "400" and contents(tmp_path) == {"number": b"400"}


def test_two_processes_close_one_month_once(ledger: Path) -> None:
    """Started together: one closes, the other waits for nobody or finds it closed."""
    words = [sys.executable, "-m", "beancount_compute.cli", "close", "2026-06", str(ledger)]
    both = [subprocess.Popen(words, cwd=ROOT, stdout=-1, stderr=-1, text=True) for _ in range(2)]
    said = [process.communicate() for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 1])
    for (out, err), process in zip(said, both, strict=True):
        fine = "Closed 2026-06" in out or "closed already" in out
        assert fine if process.returncode == 0 else "another bean-compute is writing" in err
    assert len(seals_of(ledger)) == 2 and load_errors(ledger) == []


# files that are somebody else's


@pytest.mark.parametrize("name", ["2026-06.beancount", "2026-06.events.csv"])
def test_a_file_in_the_way_is_not_overwritten(ledger: Path, name: str) -> None:
    """It is named, and nothing is written."""
    (ledger.parent / "closed" / name).write_text("mine\n")
    before = contents(ledger.parent)
    result = run("close", "2026-06", ledger)
    assert result.exit_code == 1
    assert f"{name} is there already and was not written by this close: move it away" in (
        result.stderr
    )
    assert contents(ledger.parent) == before


def test_a_folder_in_the_way_is_not_overwritten(ledger: Path) -> None:
    """Nor what lies in it."""
    (ledger.parent / "closed" / "2026-06.beancount").mkdir()
    assert run("close", "2026-06", ledger).exit_code == 1
    assert len(seals_of(ledger)) == 1


def test_books_that_somebody_wrote_are_not_overwritten(ledger: Path) -> None:
    """books.beancount is ours only where its first line says so."""
    (ledger.parent / "closed" / "books.beancount").write_text("; mine\n")
    result = run("close", "2026-06", ledger)
    assert result.exit_code == 1 and "books.beancount is there already" in result.stderr
    assert len(seals_of(ledger)) == 1


@pytest.mark.parametrize("content", [None, "not json", "{}"])
def test_what_is_no_stage_of_ours_is_one_message(ledger: Path, content: str | None) -> None:
    """A file named .next, or a commit that says nothing."""
    stage = ledger.parent / "closed" / ".next"
    if content is None:
        stage.write_text("mine\n")
    else:
        stage.mkdir()
        (stage / "commit").write_text(content)
    result = run("close", "2026-06", ledger)
    assert result.exit_code == 1
    assert "can't finish what an earlier run left in" in result.stderr
    assert len(seals_of(ledger)) == 1


def test_what_was_never_committed_is_thrown_away(tmp_path: Path) -> None:
    """Half a stage is no state."""
    (tmp_path / ".next" / "files").mkdir(parents=True)
    (tmp_path / ".next" / "files" / "a").write_text("half")
    with locked(tmp_path):
        assert contents(tmp_path) == {}


def test_a_change_is_made_once(tmp_path: Path) -> None:
    """Written and moved; recovering again changes nothing."""
    old, kept = "2026-05.beancount", "reopened/2026-05.12345678/2026-05.beancount"
    (tmp_path / old).write_text("old")
    apply(tmp_path, Change({"new": b"new", "pack/a": b"a"}, {old: kept}))
    assert contents(tmp_path) == {kept: b"old", "new": b"new", "pack/a": b"a"}
    recover(tmp_path)
    with pytest.raises(CloseError, match="was not written by this close"):
        apply(tmp_path, Change({"new": b"other"}))
    assert contents(tmp_path) == {kept: b"old", "new": b"new", "pack/a": b"a"}
