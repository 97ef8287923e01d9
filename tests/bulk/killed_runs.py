"""Runs of a month that are killed at their n-th step of writing, and what the next one makes of it.

python -m tests.bulk.killed_runs FOLDER COUNT     one JSON object a kill

In a process of its own, which has used no thread yet, so that it can be forked.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

from beancount_compute.bulk import shard_run
from tests.bulk.small_months import begin, book, events, files_of, subscription, trade, use
from tests.close.test_kills import dying, in_child

PAIRS = [("alice", "bob"), ("carol", "dave"), ("erin", "frank")]


def write(folder: Path) -> None:
    """A ledger, and May twice: before a correction and after it. Three shards go by the engine."""
    begin(folder)
    rows = [subscription("01", name) for pair in PAIRS for name in (*pair, f"{pair[0]}-alone")]
    rows += [trade("10", *pair, 5, "0.25") for pair in PAIRS]
    events(folder, "2026-05", *rows, name="before")
    events(folder, "2026-05", *rows, use("20", "alice", 7), name="after")
    shard_run.shards_of = lambda part, rows: part // 2  # else one shard would hold all of them


def run(folder: Path, name: str) -> int:
    """Book a file of May; 0 where that could be done."""
    book(folder, "2026-05", folder / f"{name}.parquet", prove=2)
    return 0


def counting(folder: Path) -> int:
    """How many steps of writing a run makes."""
    made = dying(-1)
    run(folder, "after")
    return len(made)


def killed(folder: Path, at: int) -> int:
    dying(at)
    return run(folder, "after")


def seen(folder: Path) -> dict[str, str]:
    """What stands under the month's own name."""
    month = folder / "bulk" / "2026-05"
    return {name: data.hex() for name, data in files_of(month).items()} if month.exists() else {}


def report(folder: Path, count: int) -> Any:
    """The kills, each from a month that was booked before: what was there, and what came of it."""
    write(folder)
    assert in_child(lambda: run(folder, "before")) == 0
    shutil.copytree(folder / "bulk", folder / "kept")
    before = seen(folder)
    most = in_child(lambda: counting(folder))
    assert most is not None and 20 < most < 255
    after = seen(folder)
    chance = random.Random(str(count))
    half = most // 2  # in the second one what is kept of shards is removed
    steps = sorted(
        {chance.randrange(half, most), *chance.sample(range(half), min(half, count - 1))}
    )
    for at in steps:
        shutil.rmtree(folder / "bulk")
        shutil.copytree(folder / "kept", folder / "bulk")
        died = in_child(lambda at=at: killed(folder, at)) is None
        found = seen(folder)
        again = in_child(lambda: run(folder, "after"))
        yield {
            "at": at,
            "killed": died,
            "found": "before" if found == before else "after" if found == after else str(found),
            "again": again,
            "same": seen(folder) == after,
            "left": sorted(path.name for path in (folder / "bulk").iterdir()),
        }


if __name__ == "__main__":
    for each in report(Path(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(each), flush=True)
