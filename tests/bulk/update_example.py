"""Book and close March of the example in bulk anew, where the files of a month have changed.

python -m tests.bulk.update_example
"""

from __future__ import annotations

import shutil
from pathlib import Path

from click.testing import CliRunner

from beancount_compute.cli import main

EXAMPLE = Path(__file__).parents[2] / "example-ledgers" / "bulk-month"
EVENTS = "events/2026-03/*.parquet"


def update(folder: Path) -> None:
    """In a folder with the example; what was made of April goes."""
    shutil.rmtree(folder / "closed", ignore_errors=True)
    shutil.rmtree(folder / "bulk" / "2026-04", ignore_errors=True)
    ledger = str(folder / "main.beancount")
    for arguments in (
        ["close", "--init", ledger],
        ["bulk", "2026-03", ledger, "--events", str(folder / EVENTS)],
        ["close", "2026-03", ledger],
    ):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
    shutil.rmtree(folder / "closed" / "2026-03-pack")


if __name__ == "__main__":
    update(EXAMPLE)
