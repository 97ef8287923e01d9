"""Pipes, devices and folders in place of files: one error, and nothing waits or reads for ever."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.close.sealing import close, load_errors, run, write

ROWS = (
    "t-1,2026-05-02,,allocation,alice,,,100,CU,,10.00,USD,,,,",
    "u-1,2026-06-03,,consumption,alice,,,10,CU,,,,,,,",
)
COMMANDS = {
    "check": ("check", "LEDGER"),
    "accounts": ("accounts", "LEDGER"),
    "print": ("print", "LEDGER"),
    "prices": (
        *("prices", "LEDGER", "chat", "--provider", "openai"),
        *("--model", "gpt-5", "--kind", "output"),
    ),
    "report": ("report", "rollforward", "LEDGER"),
    "whatif": ("whatif", "LEDGER", "gone.beancount"),
    "close": ("close", "2026-06", "LEDGER"),
    "verify": ("verify", "LEDGER"),
    "reopen": ("reopen", "2026-05", "LEDGER", "--reason", "x"),
    "carry": ("carry", "LEDGER", "--to", "2027", "next"),
    "export": ("export", "2026-05", "LEDGER", "--format", "csv"),
}
every_command = pytest.mark.parametrize("command", COMMANDS)


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """What waits all the same is killed, with the test."""
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """May is closed."""
    path = write(tmp_path / "l", "", *ROWS)
    close(path, "2026-05")
    return path


def put(path: Path, what: str) -> None:
    """Put something there that is no plain file."""
    path.unlink(missing_ok=True)
    match what:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.mkdir()


def refused(command: str, ledger: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command says that writes nothing."""
    monkeypatch.chdir(ledger.parent)
    result = run(*[str(ledger) if word == "LEDGER" else word for word in COMMANDS[command]])
    assert result.exit_code in (1, 2), result.output
    assert "Traceback" not in result.output
    return result.stderr


@every_command
@pytest.mark.parametrize("what", ["pipe", "device"])
def test_a_ledger_that_is_no_plain_file(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, command: str, what: str
) -> None:
    """Whatever the command, it says so at once."""
    put(ledger, what)
    assert "is no plain file" in refused(command, ledger, monkeypatch)


@pytest.mark.parametrize("command", ["check", "close", "verify", "export"])
@pytest.mark.parametrize("what", ["pipe", "device", "folder"])
def test_an_index_that_is_no_plain_file(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, command: str, what: str
) -> None:
    """Which the ledger includes."""
    put(ledger.parent / "closed/index.beancount", what)
    assert "is no plain file" in refused(command, ledger, monkeypatch)


def test_a_pipe_far_below(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Included by what is included, by a glob."""
    ledger.write_text(ledger.read_text() + 'include "more/*.beancount"\n')
    (ledger.parent / "more").mkdir()
    (ledger.parent / "more/a.beancount").write_text('include "../deep"\ninclude "gone"\n')
    os.mkfifo(ledger.parent / "deep")
    assert f"{ledger.parent}/deep is no plain file" in refused("check", ledger, monkeypatch)


def test_a_glob_over_the_disk_is_not_followed(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beancount would; the message names the file and what it includes."""
    monkeypatch.setattr("beancount_compute.ledger.globs.MOST_LOOKED_AT", 1000)
    ledger.write_text(ledger.read_text() + 'include "/**/*.beancount"\n')
    said = refused("check", ledger, monkeypatch)
    assert 'main.beancount: include "/**/*.beancount" would look at more than' in said


@pytest.mark.parametrize("what", ["pipe", "device", "folder"])
@pytest.mark.parametrize("part", ["2026-05.beancount", "2026-05.events.csv", "2026-05.state.csv"])
def test_a_month_that_is_no_plain_file(ledger: Path, part: str, what: str) -> None:
    """It is an error at its seal, and the books are worked out from the ledger's own events."""
    put(ledger.parent / "closed" / part, what)
    (error,) = load_errors(ledger)
    assert error == (
        f'closed/index.beancount:3: closed month 2026-05: can\'t read "{part}": '
        "it is no plain file: restore it"
    )


@pytest.mark.parametrize("what", ["pipe", "device", "folder"])
@pytest.mark.parametrize("named", ["events.csv", "event*.csv"])
def test_events_that_are_no_plain_file(ledger: Path, what: str, named: str) -> None:
    """By their name or by a glob: there is no such event file."""
    put(ledger.parent / "events.csv", what)
    ledger.write_text(ledger.read_text().replace('"events.csv"', f'"{named}"'))
    errors = load_errors(ledger)
    assert f'main.beancount:4: no event file "{named}": write a path or a glob' in errors[-1]
