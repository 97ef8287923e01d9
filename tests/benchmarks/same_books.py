"""Whether two versions of the package book, report and export the same, figure by figure.

    python -m tests.benchmarks.same_books ONE TWO          example ledgers and 45 random ones
    python -m tests.benchmarks.same_books ONE TWO --random 1000 --months 100
    python -m tests.benchmarks.same_books ONE TWO --ignore-metadata plan --ignore-metadata period

ONE and TWO are checkouts, each with a folder `beancount_compute`. Each version works in a process
of its own on the same ledgers: its own example ledgers, the golden ledgers and random ledgers of
this checkout. Of each it writes the printed books, all tables of all reports, the exports of the
closed months and what goes to standard error; then it closes months of those that load without
errors, and writes everything again. Lines of the metadata that is named with --ignore-metadata
are left out of the books. What is compared is one line a directive, a cell of a table, a row of an
export or a message.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from calendar import monthrange
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from difflib import unified_diff
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[2]
REPORTS = (
    "rollforward",
    "vintages",
    "lots",
    "revenue",
    "market",
    "economics",
    "aging",
    "release",
    "corrections",
    "disclosure",
)
BOOKED = re.compile(r"^(\d{4}-\d{2}-\d{2}) .*#compute-(?!opening)", re.MULTILINE)
DATED = re.compile(r"^(\d{4}-\d{2}-\d{2}) ", re.MULTILINE)
AS_OF = re.compile(r'^\S+ custom "compute-option" "as-of" (\S+)\n', re.MULTILINE)
METADATA = re.compile(r"^\s+([a-z][\w-]*):\s")
INCLUDE = 'include "closed/index.beancount"\n'
Found = dict[str, list[str]]  # what was written, line by line, by the name of what it is


# One side, in a process of its own


def run(*words: object) -> Any:
    """A command of `bean-compute` in this process."""
    from click.testing import CliRunner

    from beancount_compute.cli import main as commands

    return CliRunner().invoke(commands, [str(word) for word in words])


@contextmanager
def loaded_once() -> Iterator[None]:
    """Commands that only read find a ledger loaded that another one has loaded before."""
    from beancount import loader

    real = loader.load_file
    once = cache(real)

    def load(path: str, *more: Any, **options: Any) -> Any:
        entries, errors, known = once(path, *more, **options)
        return list(entries), list(errors), dict(known)

    loader.load_file = load
    try:
        yield
    finally:
        loader.load_file = real


class Side:
    """All that one version says of one ledger."""

    def __init__(self, ledger: Path, ignored: frozenset[str]) -> None:
        self.ledger = ledger
        self.ignored = ignored
        self.found: Found = {}

    def keep(self, name: str, lines: list[str], result: Any) -> None:
        """Keep what a command wrote, its messages and how it ended."""
        folder = str(self.ledger.parent)
        said = [line.replace(folder, "") for line in result.stderr.splitlines()]
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            said.append(f"{type(result.exception).__name__}: {result.exception}")
        self.found[name] = [line.replace(folder, "") for line in lines]
        self.found[f"messages of {name}"] = [*said, f"exit code {result.exit_code}"]

    def read(self, state: str) -> str:
        """The books and the reports; gives the books as printed."""
        with loaded_once():
            result = run("print", self.ledger)
            books: str = result.stdout
            self.keep(f"{state}: books", directives(books, self.ignored), result)
            self.found[f"{state}: metadata"] = keys(books, self.ignored)
            subscribers: set[str] = set()
            for name in REPORTS:
                result = run("report", name, self.ledger, "--format", "json")
                self.keep(f"{state}: {name}", cells(result.stdout), result)
                subscribers |= subscribers_of(result.stdout)
            for who in sorted(subscribers):
                words = ("report", "statement", self.ledger, "--subscriber", who)
                result = run(*words, "--format", "json")
                self.keep(f"{state}: statement of {who}", cells(result.stdout), result)
        return books

    def close(self, books: str, most: int) -> list[str]:
        """Close the first months, as many as can be; gives those that are closed."""
        booked = BOOKED.findall(books)
        text = self.ledger.read_text(encoding="utf-8")
        last = max([*DATED.findall(books), *AS_OF.findall(text)])
        end = date.fromisoformat(last).replace(day=monthrange(int(last[:4]), int(last[5:7]))[1])
        text = f'{AS_OF.sub("", text)}\n{end} custom "compute-option" "as-of" {end}\n{INCLUDE}'
        self.ledger.write_text(text, encoding="utf-8")
        run("close", "--init", self.ledger)
        closed: list[str] = []
        for month in months(min(booked)[:7], max(booked)[:7])[:most]:
            result = run("close", month, self.ledger)
            if result.exit_code:
                self.keep(f"closing {month}", [], result)
                break
            closed.append(month)
        return closed

    def export(self, closed: list[str]) -> None:
        """The closed months as journals, and the books that stand beside them."""
        for month in closed:
            for by in ("account", "plan", "subscriber"):
                result = run("export", month, self.ledger, "--format", "csv", "--by", by)
                self.keep(f"export of {month} by {by}", result.stdout.splitlines(), result)
        if closed:
            path = self.ledger.parent / "closed" / "books.beancount"
            text = path.read_text(encoding="utf-8")
            self.found["closed books"] = directives(text, self.ignored)


def work(ledger: Path, ignored: frozenset[str], most: int) -> Found:
    """All that is compared of a ledger."""
    side = Side(ledger, ignored)
    books = side.read("open")
    fine = side.found["messages of open: books"] == ["exit code 0"]
    if (ledger.parent / "closed").exists():
        side.export(sorted({path.name[:7] for path in ledger.parent.glob("closed/2*.beancount")}))
    elif fine and BOOKED.search(books):
        closed = side.close(books, most)
        if closed:
            side.read("closed")
            side.export(closed)
    return side.found


def months(first: str, last: str) -> list[str]:
    """The months from one to another."""
    found = [first]
    while found[-1] < last:
        year, month = int(found[-1][:4]), int(found[-1][5:])
        found.append(f"{year + month // 12}-{month % 12 + 1:02}")
    return found


def directives(text: str, ignored: frozenset[str]) -> list[str]:
    """One line for each directive, without the metadata that is ignored."""
    found: list[str] = []
    for line in text.splitlines():
        key = METADATA.match(line)
        if not line.strip() or (key and key[1] in ignored):
            continue
        line = " ".join(line.split())
        if text_begins(line):
            found.append(line)
        else:
            found[-1:] = [f"{found[-1] if found else ''} | {line}"]
    return found


def keys(text: str, ignored: frozenset[str]) -> list[str]:
    """The keys of metadata, and how often each is written."""
    found = Counter(key[1] for line in text.splitlines() if (key := METADATA.match(line)))
    return [f"{key}: {count}" for key, count in sorted(found.items()) if key not in ignored]


def text_begins(line: str) -> bool:
    return bool(re.match(r"\d{4}-\d{2}-\d{2} |option |plugin |include |;", line))


def cells(text: str) -> list[str]:
    """One line for each cell of each table."""
    if not text:
        return []
    return [
        f"{table['name']} {number} {' '.join(str(cell) for cell in list(row.values())[:2])} "
        f"{key} = {cell}"
        for table in json.loads(text)["tables"]
        for number, row in enumerate(table["rows"])
        for key, cell in row.items()
    ]


def subscribers_of(text: str) -> set[str]:
    """The subscribers that stand in the tables of a report."""
    return {
        row["subscriber"]
        for table in (json.loads(text)["tables"] if text else [])
        for row in table["rows"]
        if row.get("subscriber") and not row["subscriber"].startswith("(")
    }


def work_all(job: Path) -> None:
    """Work on the ledgers of a job, and write what was found of each beside it."""
    import beancount_compute

    asked = json.loads(job.read_text())
    package = Path(beancount_compute.__file__).resolve()
    assert package.is_relative_to(Path(asked["root"]).resolve()), f"{package} was imported"
    for name, ledger in asked["ledgers"].items():
        found = work(Path(ledger), frozenset(asked["ignored"]), asked["months"])
        (job.parent / f"{name}.json").write_text(json.dumps(found))


# Both sides


def write_ledgers(folder: Path, seeds: range) -> None:
    """Golden and random ledgers of this checkout."""
    from tests.laws.random_ledgers import write_ledger

    for path in sorted((ROOT / "tests" / "golden").glob("**/ledger.beancount")):
        shutil.copytree(path.parent, folder / f"golden-{path.parent.name}")
        ledger = folder / f"golden-{path.parent.name}"
        (ledger / "ledger.beancount").rename(ledger / "main.beancount")
    for seed in seeds:
        write_ledger(seed, folder / f"random-{seed}")


def begin(root: Path, folder: Path, ledgers: Path, ignored: list[str], most: int) -> Any:
    """Start the process of one side on ledgers of its own."""
    for source in (root / "example-ledgers", ledgers):
        for path in sorted(source.glob("*/main.beancount")):
            kind = "example-" if source is not ledgers else ""
            shutil.copytree(path.parent, folder / "ledgers" / f"{kind}{path.parent.name}")
    paths = {p.name: str(p / "main.beancount") for p in sorted((folder / "ledgers").iterdir())}
    asked = {"root": str(root), "ledgers": paths, "ignored": ignored, "months": most}
    job = folder / "job"
    job.write_text(json.dumps(asked))
    environment = os.environ | {"PYTHONPATH": str(root), "BEANCOUNT_DISABLE_LOAD_CACHE": "1"}
    words = [sys.executable, "-W", "ignore", __file__, "--side", str(job)]
    return subprocess.Popen(words, env=environment, cwd=folder)


def differences(name: str, one: Found, two: Found) -> Iterator[tuple[str, int, list[str]]]:
    """Kind, how many lines were compared, and those that differ, of one ledger."""
    for what in sorted(one.keys() | two.keys()):
        ours, theirs = one.get(what, []), two.get(what, [])
        diff = [] if ours == theirs else list(unified_diff(ours, theirs, lineterm="", n=0))[2:]
        marked = [f"{name}: {what}: {line}" for line in diff if not line.startswith("@@")]
        kind = "messages" if what.startswith("messages") else what.split(" of ")[0].split(" 2")[0]
        yield kind, max(len(ours), len(theirs)), marked


def show(one: Path, two: Path, most: int) -> int:
    """Print the table of comparisons and the first differences; how many there were."""
    compared: Counter[str] = Counter()
    differing: dict[str, list[str]] = {}
    names = sorted({path.name for side in (one, two) for path in side.glob("*.json")})
    for name in names:
        sides = [
            json.loads((side / name).read_text()) if (side / name).exists() else {}
            for side in (one, two)
        ]
        for kind, count, lines in differences(name.removesuffix(".json"), *sides):
            compared[kind] += count
            differing.setdefault(kind, []).extend(lines)
    click.echo(f"{len(names)} ledgers")
    for kind, count in sorted(compared.items()):
        click.echo(f"{kind:24} {count:>12,} compared {len(differing[kind]):>8,} differ")
    for lines in differing.values():
        for _, of_ledger in groupby(lines, lambda line: line.split(":")[0]):
            for line in list(of_ledger)[:most]:
                click.echo(line[:600])
    return sum(map(len, differing.values()))


@click.command()
@click.argument("roots", nargs=2, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--random", "count", default=45, show_default=True, help="How many random ledgers.")
@click.option("--first", default=0, show_default=True, help="The seed of the first of them.")
@click.option("--months", "most", default=3, show_default=True, help="How many months to close.")
@click.option("--ignore-metadata", "ignored", multiple=True, help="A key of no interest.")
@click.option("--show", "shown", default=3, show_default=True, help="Differences shown a ledger.")
def main(
    roots: tuple[Path, Path], count: int, first: int, most: int, ignored: tuple[str], shown: int
) -> None:
    """Compare the versions of the package below two ROOTS; exits with 1 where they differ."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ledgers").mkdir()
        write_ledgers(folder / "ledgers", range(first, first + count))
        sides = [folder / "one", folder / "two"]
        for side in sides:
            (side / "ledgers").mkdir(parents=True)
        running = [
            begin(root.resolve(), side, folder / "ledgers", list(ignored), most)
            for root, side in zip(roots, sides, strict=True)
        ]
        ends = [process.wait() for process in running]
        if any(ends):
            raise click.ClickException("one side stopped, see above")
        sys.exit(1 if show(*sides, shown) else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        work_all(Path(sys.argv[2]))
    else:
        main()
