"""Every block of the README and the manual is loaded, compared or run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from beancount import loader
from click.testing import CliRunner
from pyarrow import parquet

from beancount_compute.cli import main
from tests.manual.blocks import HEAD, PAGES, PLAN, README, ROOT, MarkedBlock, blocks, ledger_of

KINDS = {"beancount", "scenario", "csv", "console", "sh", "text"}
MARKS = {"", "booked", "wrong", "fails"}
ELSEWHERE = "python3 -m venv .venv"  # run by the gate
LINK = re.compile(r" \^\S+")
DECEMBER = f"""{HEAD}{PLAN}include "closed/index.beancount"
2026-12-01 custom "compute-allocation" "alice" "pro"
  id: "a-1"
2026-12-15 custom "compute-consumption" "alice" 250 CU
  id: "u-1"
"""
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
EXAMPLES = sorted((ROOT / "example-ledgers").glob("*/README.md"))


@every_page
def test_every_block_is_of_a_kind_that_is_checked(page: Path) -> None:
    """None slips through by a name that nobody looks for."""
    for block in blocks(page):
        assert block.kind in KINDS, f"{page.name}:{block.line}"
        assert block.more in MARKS or block.kind in ("csv", "scenario"), f"{page.name}:{block.line}"
        assert block.kind != "text" or page.stem == "developers"


@every_page
def test_the_ledger_of_a_page_loads(page: Path, tmp_path: Path) -> None:
    """Its blocks, one below the other beside its files, have no error."""
    for block in blocks(page, "csv"):
        path = tmp_path / block.more
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")
    ledger = tmp_path / "main.beancount"
    ledger.write_text(ledger_of(page), "utf-8")
    _, errors, _ = loader.load_file(str(ledger))
    assert [f"{each.source['lineno']}: {each.message}" for each in errors] == []


def entries_of(text: str) -> set[str]:
    """Each transaction and price of a printed ledger as one line, without links and metadata."""
    found: list[str] = []
    for line in text.splitlines():
        if re.match(r"\d{4}-\d{2}-\d{2} (\*|price)", line):
            found.append(LINK.sub("", line))
        elif found and re.match(r"  (Assets|Liabilities|Income|Expenses)", line):
            found[-1] += f" | {line}"
    return {" ".join(each.split()) for each in found}


@every_page
def test_what_a_page_shows_as_booked_is_booked(page: Path, tmp_path: Path) -> None:
    """By the quickstart, posting by posting; of what a unit costs, by the page's own ledger."""
    shown = "".join(each.text for each in blocks(page, "beancount") if each.more == "booked")
    ledger = ROOT / "example-ledgers" / "quickstart" / "main.beancount"
    own = ("access", "billing", "changes", "costs", "events", "money-back")
    if page.stem in own:
        ledger = tmp_path / "main.beancount"
        ledger.write_text(ledger_of(page), "utf-8")
    printed = CliRunner().invoke(main, ["print", str(ledger)])
    assert printed.exit_code == 0
    assert entries_of(shown) <= entries_of(printed.stdout)
    assert bool(entries_of(shown)) == (page.stem in ("README", "language", *own))


def commands_of(text: str) -> list[tuple[str, list[str]]]:
    """Each command of a console block, with the lines that are shown behind it."""
    found: list[tuple[str, list[str]]] = []
    for line in text.rstrip().splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line.rstrip())
    return found


def pattern(lines: list[str]) -> str:
    """What matches the lines shown; `...` stands for a part of a line, or for any lines."""
    parts = ["(?:.*\n)*?" if line == "..." else _of_line(line) for line in lines]
    return "".join(parts)


def _of_line(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split("...")) + "\n"


def write_use(folder: Path) -> None:
    """A file of one use, as a month in bulk reads it."""
    folder.mkdir(parents=True)
    row = {"id": "u-1", "date": "2027-01-20", "event": "consumption", "subscriber": "alice"}
    row |= {"units": "1", "commodity": "CU"}
    parquet.write_table(pa.Table.from_pylist([row]), folder / "uses.parquet")


class Shell:
    """A folder with the example ledgers, and the scripts of the package on the path."""

    def __init__(self, page: Path, folder: Path) -> None:
        examples = folder / "example-ledgers"
        shutil.copytree(ROOT / "example-ledgers", examples)
        self.folder = folder if page == README else examples
        if page in EXAMPLES:
            self.folder = examples / page.parent.name
        for block in blocks(page, "beancount"):
            if block.more == "wrong":
                (self.folder / "main.beancount").write_text(block.text, "utf-8")
        for block in blocks(page, "scenario"):
            (self.folder / block.more).write_text(block.text, "utf-8")
        if page.stem == "commands":
            (self.folder / "main.beancount").write_text(DECEMBER, "utf-8")
            (self.folder / "closed").mkdir()
            (self.folder / "closed" / "index.beancount").touch()
            (self.folder / "prices-crash.beancount").touch()
            write_use(self.folder / "events" / "2027-01")
        scripts = str(Path(sys.executable).parent)
        path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
        self._env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
        if page.stem == "commands":  # the first of them is `carry`
            code, output = self.run("bean-compute close 2026-12 main.beancount")
            assert code == 0, output

    def run(self, command: str) -> tuple[int, str]:
        """The exit code of a command, and all that it says, without the folder in paths."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        lines = [line.rstrip() for line in done.stdout.splitlines()]
        return done.returncode, "".join(f"{line}\n" for line in lines).replace(
            f"{self.folder}/", ""
        )


@every_page
def test_the_commands_of_a_page_print_what_it_shows(page: Path, tmp_path: Path) -> None:
    """In order, in one folder; output is compared line by line."""
    shell = Shell(page, tmp_path)
    for block in blocks(page):
        if block.kind == "sh" and not block.text.startswith(ELSEWHERE):
            code, output = shell.run(block.text)
            assert code == 0, output
        if block.kind == "console":
            check(shell, page, block)


def check(shell: Shell, page: Path, block: MarkedBlock) -> None:
    """Each command of a console block exits and prints as it is shown."""
    for command, shown in commands_of(block.text):
        code, output = shell.run(command)
        assert code == (1 if block.more == "fails" else 0), output
        assert re.fullmatch(pattern(shown), output), f"{page.name}: {command}\n{output}"


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.parent.name)
def test_the_commands_of_an_example_print_what_it_shows(page: Path, tmp_path: Path) -> None:
    """In its own folder; what is indented there only is for the eye."""
    shell = Shell(page, tmp_path)
    for block in blocks(page):
        assert (block.kind, block.more) == ("console", "")
        check(shell, page, block)


def test_only_two_blocks_are_run_elsewhere() -> None:
    """The two commands of the README, which install the package."""
    found = [
        (page.stem, block.text.split("\n")[0])
        for page in PAGES
        for block in blocks(page, "sh")
        if block.text.startswith(ELSEWHERE)
    ]
    assert [stem for stem, _ in found] == ["README", "README"]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["a", "b"], "a\nb\n", True),
        (["a", "...", "d"], "a\nb\nc\nd\n", True),
        (["a", "..."], "a\nb\n", True),
        (["sha256:..."], "sha256:19a8\n", True),
        (["a"], "a\nb\n", False),
        (["a", "c"], "a\nb\nc\n", False),
        (["1.00"], "1x00\n", False),
    ],
)
def test_what_is_shown_matches_only_what_it_says(
    shown: list[str], printed: str, same: bool
) -> None:
    """Lines that are left out are left out on purpose."""
    assert bool(re.fullmatch(pattern(shown), printed)) is same
