"""A thousand kills during close, reopen, carry and export: nothing is lost.

Half of them at a step of writing, half anywhere: when a process has used so much of the processor.
"""

from __future__ import annotations

import builtins
import io
import os
import random
import shutil
import signal
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from beancount_compute.close.storage import locked
from tests.close.sealing import close, contents, run, write
from tests.close.test_storage import state_of
from tests.examples import examples

KILLS = examples(5, 200)  # of each command
MAY = (
    "s-a,2026-05-01,,subscription,alice,,pro,,,,,,,,,",
    "t-1,2026-05-02,,allocation,alice,,,100,CU,,10.00,USD,,,,",
    "u-1,2026-06-03,,consumption,alice,,,10,CU,,,,,,,",
    "u-2,2026-12-03,,consumption,alice,,,10,CU,,,,,,,",
)
PLAN = '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
COMMANDS = {
    "close": ("close", "2026-06", "LEDGER"),
    "close elsewhere": ("close", "2026-06", "LEDGER", "--pack", "OUT"),
    "reopen": ("reopen", "2026-05", "LEDGER", "--reason", "x"),
    "carry": ("carry", "LEDGER", "--to", "2027", "NEXT"),
    "export": ("export", "2026-05", "LEDGER", "--format", "csv", "--out", "OUT"),
}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For carry the whole year is closed, for the others May."""
    found: dict[str, Path] = {}
    for command in COMMANDS:
        ledger = write(tmp_path_factory.mktemp(command) / "l", PLAN, *MAY)
        last = 12 if command == "carry" else 5
        close(ledger, *[f"2026-{month:02}" for month in range(5, last + 1)])
        found[command] = ledger
    return found


def words(command: str, folder: Path) -> list[str]:
    """A command with its places in a folder."""
    places = {"LEDGER": "l/main.beancount", "NEXT": "next", "OUT": "out"}
    return [str(folder / places[each]) if each in places else each for each in COMMANDS[command]]


def in_child(call: Callable[[], Any]) -> int | None:
    """What a call gives, in a process of its own; None where that was killed."""
    child = os.fork()
    if child == 0:
        found = 255
        try:
            found = call()
        finally:
            os._exit(found)
    _, status = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def dying(at: int) -> list[None]:
    """Let this process be killed at its n-th step of writing; gives the steps that it makes."""
    made: list[None] = []

    def step() -> None:
        if len(made) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        made.append(None)

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **kwargs: Any) -> Any:
            step()
            return call(*args, **kwargs)

        return counting

    def opening(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if set(mode) & set("wxa+"):
            step()
        return real(file, mode, *args, **kwargs)

    real = builtins.open
    builtins.open = io.open = opening  # type: ignore[assignment]  # one of its overloads
    for name in ("replace", "rename", "fsync", "unlink", "rmdir", "mkdir", "write"):
        setattr(os, name, counted(getattr(os, name)))
    return made


@pytest.mark.parametrize("command", COMMANDS)
def test_a_killed_command_loses_nothing(
    command: str,
    books: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The ledger loads as before or as after; run again, the same files are there as without."""
    monkeypatch.setattr(os, "fsync", lambda number: None)  # a killed process loses no bytes
    chance = random.Random(command)
    source = books[command].parent

    def fresh(name: str) -> Path:
        folder = tmp_path / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder / "l")
        return folder

    done = fresh("done")
    before = state_of(done / "l/main.beancount")
    assert run(*words(command, done)).exit_code == 0
    after, expected = state_of(done / "l/main.beancount"), contents(done)

    def run_in(folder: Path) -> Any:
        return run(*words(command, folder))

    def counting(folder: Path) -> int:
        made = dying(-1)
        assert run_in(folder).exit_code == 0
        return len(made)

    whole, start = fresh("k"), os.times()
    most = in_child(lambda: counting(whole))
    used = os.times().children_user - start.children_user
    assert most is not None and 5 < most < 255
    killed = 0
    for number in count():
        folder = fresh("k")

        def dying_run(folder: Path, at: int, after: float) -> int:
            if at >= 0:
                dying(at)
            else:
                signal.setitimer(signal.ITIMER_VIRTUAL, after)
            return int(run_in(folder).exit_code)

        at = chance.randrange(most) if number % 2 == 0 else -1
        dead = partial(dying_run, folder, at, chance.uniform(0.001, used))
        killed += in_child(dead) is None
        found = state_of(folder / "l/main.beancount")
        assert found in (before, after)
        again = run_in(folder)
        assert again.exit_code == 0 or found == after, again.output
        with locked(folder / "l/closed"):  # whoever writes next finishes the rest
            pass
        assert contents(folder) == expected
        if killed == KILLS:
            break
    print(f"{command}: {killed} kills")
