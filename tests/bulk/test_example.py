"""The example ledger in bulk: what of it is kept is what its script and the command make today.

Its README is run as it stands, with the figures of April worked out apart, in tests/manual.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from pyarrow import parquet

from tests.bulk.small_months import files_of, month, subscription, trade, use
from tests.bulk.update_example import EXAMPLE, update

KEPT = Path("bulk") / "2026-03"


def test_what_is_kept_of_the_pilot_is_made_today(tmp_path: Path) -> None:
    """The rows of March from the seed, and its books from the rows, table by table.

    Where the files of a month have changed: `python -m tests.bulk.update_example`.
    """
    again = tmp_path / "bulk-month"
    shutil.copytree(EXAMPLE, again)
    events = again / "events" / "2026-03" / "00.parquet"
    before = parquet.read_table(events)
    shutil.rmtree(again / "events")
    subprocess.run([sys.executable, again / "make_events.py"], check=True, capture_output=True)
    assert parquet.read_table(events).equals(before)
    update(again)
    kept, made = files_of(EXAMPLE / KEPT), files_of(again / KEPT)
    assert kept.keys() == made.keys()
    for name in kept:
        if name.endswith(".parquet"):
            tables = [parquet.read_table(folder / KEPT / name) for folder in (EXAMPLE, again)]
            assert tables[0].equals(tables[1]), name
        elif name != "month.json":  # which tells of the ledger's own text
            assert kept[name] == made[name], name


def test_a_month_is_the_same_bytes_in_another_folder(tmp_path: Path) -> None:
    """Rows are named from the ledger's folder: nothing tells where the books were made."""
    rows = [subscription("01", "alice"), use("02", "alice", 1), trade("03", "alice", "bob", 1, "1")]
    made = []
    for name in ("here", "elsewhere/below"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        outcome = month(folder, "2026-05", *rows)
        made.append(files_of(outcome.folder))
        (refused,) = parquet.read_table(outcome.folder / "refused.parquet").to_pylist()
        assert (refused["file"], refused["row"]) == ("2026-05.parquet", 3)
    assert made[0] == made[1]
