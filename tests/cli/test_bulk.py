"""The face of `bean-compute bulk`: its bar on a terminal, its words, and its errors."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beancount_compute.cli import main
from tests.bulk.small_months import begin, events, subscription, trade, use

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
WROTE = """\
Wrote {folder}/bulk/2026-05: 4 rows read
                3   75.0%  by the kernel
                1   25.0%  by the engine
The books of 1 subscriber are the same by kernel and engine
Refused 1 row, not booked: {folder}/bulk/2026-05/refused.parquet says why
"""
ELSEWHERE = (
    "gs:// is none of the stores that are read: copy the files to one that speaks "
    "S3 (s3://bucket/path/*.parquet) or to this machine, or mount the storage as a folder"
)
NO_PARQUET = (
    "{folder}/main.beancount: not Parquet, or cut off (Parquet magic bytes not found in footer. "
    "Either the file is corrupted or this is not a parquet file): export it anew"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ledger, and a month of four rows, of which one is refused: nobody has met bob."""
    begin(tmp_path)
    rows = [subscription("01", "alice"), *(use("02", "alice", 1) for _ in range(2))]
    events(tmp_path, "2026-05", *rows, trade("03", "carol", "bob", 1, "1"))
    return tmp_path


def bulk(folder: Path, *more: str, path: str = "") -> Result:
    return CliRunner().invoke(main, arguments(folder, *more, path=path))


def arguments(folder: Path, *more: str, path: str = "") -> list[str]:
    ledger = str(folder / "main.beancount")
    return ["bulk", "2026-05", ledger, "--events", path or f"{folder}/*.parquet", *more]


def test_its_last_words_say_what_became_of_the_rows(folder: Path) -> None:
    """On a pipe nothing else is said, and nothing on the other stream."""
    result = bulk(folder)
    assert result.exit_code == 0, result.output
    assert result.stdout == WROTE.format(folder=folder)
    assert result.stderr == ""


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_on_a_terminal_a_bar_shows_rows_and_their_speed(folder: Path, columns: int) -> None:
    """It fits the terminal, and is gone at the end; what was written goes to the pipe."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "beancount_compute.cli", *arguments(folder)]
    env = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    env.pop("NO_COLOR", None)
    done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=env, text=True)
    os.close(theirs)
    shown = b""
    while part := _read(ours):
        shown += part
    os.close(ours)
    assert done.stdout is not None
    with done.stdout:
        assert done.stdout.read() == WROTE.format(folder=folder)
    assert done.wait() == 0
    lines = ESCAPES.sub("", shown.decode()).replace("\n", "\r").split("\r")
    assert any(
        re.search(r"Reading 2026-05 .* 4 of 4 rows +[\d,]+ a second", line) for line in lines
    )
    assert any(re.search(r"Booking 2026-05 .* 4 of 4 rows", line) for line in lines), lines
    assert max(map(len, lines)) <= columns
    assert shown.endswith(b"\x1b[1A\x1b[2K")  # the bar's line is erased


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other end is closed
        return b""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("gs://books/2026-05/*.parquet", ELSEWHERE),
        ("{folder}/no/*.parquet", "{folder}/no/*.parquet: no such file: name the month's"),
        ("{folder}", "{folder} is a folder: name its files, such as '{folder}/*.parquet'"),
        ("{folder}/main.beancount", NO_PARQUET),
    ],
)
def test_what_can_not_be_read_is_one_sentence(folder: Path, path: str, said: str) -> None:
    """With what to do, and nothing is written."""
    result = bulk(folder, path=path.format(folder=folder))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {said.format(folder=folder)}")
    assert result.stderr.count("\n") == 1
    assert sorted(each.name for each in (folder / "bulk").iterdir()) == []


def test_a_memory_limit_that_is_too_small_says_so(folder: Path) -> None:
    """Without the database's advice, which names settings that nobody can reach here."""
    result = bulk(folder, "--memory-limit", "1KB")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the memory limit is too small: give a larger --mem")
    assert "SET " not in result.stderr


def test_a_size_and_a_month_are_written_as_shown(folder: Path) -> None:
    """What is none says how one looks."""
    assert "'2' is no size: write one such as 2GB" in bulk(folder, "--memory-limit", "2").stderr
    result = CliRunner().invoke(main, ["bulk", "05-2026", *arguments(folder)[2:]])
    assert "05-2026 is not a month: write one such as 2026-05" in result.stderr
