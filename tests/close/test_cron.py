"""The script of an example that closes a month from cron, run for real."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.close.sealing import begin, run, write, write_events
from tests.close.test_closing import ROWS, TERMS

SCRIPT = Path(__file__).parents[2] / "example-ledgers" / "closed-quarter" / "close.sh"
MAIL = '#!/bin/sh\n[ -e "{folder}/no-mail" ] && exit 1\ncat >> "{folder}/mails"\n'
MAP = (
    "account,code,name\nAssets,1200,Receivable\nLiabilities,2400,Deferred\n"
    "Income,4000,Revenue\nExpenses,6990,Rounding\n"
)


class Cron:
    """The script in a folder of its own, with a mail command that only writes a file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.books = folder, folder / "books"
        self.ledger = write(self.books, TERMS, *ROWS, files={"accounts.csv": MAP})
        found = SCRIPT.read_text("utf-8")
        script, months = re.subn(r"(?m)^month=.*$", "month=$1", found)
        script, places = re.subn(r"/srv/", f"{folder}/", script)
        assert (months, places) == (1, 2)
        (folder / "seals").mkdir()
        (folder / "script").write_text(script)
        (folder / "bin").mkdir()
        (folder / "bin" / "mail").write_text(MAIL.format(folder=folder))
        (folder / "bin" / "mail").chmod(0o755)
        for words in ("init -q", "config user.name a", "config user.email a@b", "add .",
                      "commit -qm begin"):  # fmt: skip
            self.git(*words.split())

    def git(self, *words: str) -> str:
        return subprocess.check_output(["git", *words], cwd=self.books, text=True)

    def run(self, month: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(
            [str(self.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
        )
        words = ["sh", str(self.folder / "script"), month]
        env = {**os.environ, "PATH": path}
        return subprocess.run(words, env=env, capture_output=True, text=True, check=False)

    @property
    def mails(self) -> list[str]:
        return (self.folder / "mails").read_text().splitlines()

    @property
    def commits(self) -> list[str]:
        return self.git("log", "--format=%s").splitlines()


@pytest.fixture
def cron(tmp_path: Path) -> Cron:
    return Cron(tmp_path)


def test_the_script_makes_the_first_close_and_the_next(cron: Cron) -> None:
    """Each is committed and mailed; nothing but books lies in the repository."""
    (cron.books / ".main.beancount.picklecache").write_text("x")
    for month in ("2026-05", "2026-06"):
        done = cron.run(month)
        assert done.returncode == 0, done.stderr
    assert cron.commits == ["Close 2026-06", "Close 2026-05", "begin"]
    assert cron.mails[0].startswith("2026-05: 1 closed month gives the same books again")
    assert cron.mails[2].startswith("2026-05 to 2026-06: 2 closed months give the same books")
    files = cron.git("ls-files").split()
    assert "closed/2026-06-pack/index.html" in files and "gl/2026-06-xero-USD.csv" in files
    assert not [name for name in files if "lock" in name or "cache" in name]


def test_the_script_may_run_again(cron: Cron) -> None:
    """After a mail that failed the seal goes out with the next run, and nothing else changes."""
    (cron.folder / "no-mail").touch()
    assert cron.run("2026-05").returncode != 0
    assert cron.commits == ["Close 2026-05", "begin"]
    (cron.folder / "no-mail").unlink()
    for _ in range(2):
        done = cron.run("2026-05")
        assert done.returncode == 0, done.stderr
    assert cron.commits == ["Close 2026-05", "begin"]
    assert len(cron.mails) == 4 and cron.mails[:2] == cron.mails[2:]
    assert cron.git("status", "--porcelain", "--", ".", ":!*.picklecache") == ""


def test_the_script_stops_where_anything_differs(cron: Cron) -> None:
    """Nothing is committed or mailed then."""
    assert cron.run("2026-05").returncode == 0
    path = cron.books / "closed" / "2026-05.beancount"
    path.write_text(path.read_text().replace('"Mint"', '"Mind"').replace("200.00", "201.00", 1))
    assert cron.run("2026-06").returncode != 0
    assert cron.commits == ["Close 2026-05", "begin"] and len(cron.mails) == 2


def test_the_script_notices_that_history_was_closed_anew(cron: Cron) -> None:
    """The chain of such months is sound in itself; the seal that was kept is not in it."""
    assert cron.run("2026-05").returncode == 0
    kept = (cron.folder / "seals" / "newest").read_text().strip()
    assert kept == cron.mails[1].removeprefix("The newest seal: ")
    shutil.rmtree(cron.books / "closed")
    begin(cron.ledger)
    rows = [row.replace(",200,", ",100,") if row.startswith("u-1") else row for row in ROWS]
    write_events(cron.ledger, *rows)
    assert run("close", "2026-05", cron.ledger).exit_code == 0
    assert run("verify", cron.ledger).exit_code == 0
    done = cron.run("2026-06")
    assert done.returncode == 1
    assert kept in done.stderr
    assert cron.commits == ["Close 2026-05", "begin"]
