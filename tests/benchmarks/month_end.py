"""The month end, measured: sealed loads, close, verify and reports as shares of a load.

    python tests/benchmarks/month_end.py            100,000 events over 25 months, 24 of them closed
    python tests/benchmarks/month_end.py --quick    10,000 events

CPU time; it prints ratios beside their targets, asserts nothing and writes only to a temporary
folder.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))

from economy_of import TWO_YEARS, write_csv

from beancount_compute.close.closing import INDEX_HEAD, prepare
from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.storage import Change, apply, locked
from beancount_compute.close.verifying import verify
from beancount_compute.ledger.sealed.chain import next_month
from beancount_compute.ledger.sealed.files import INDEX
from beancount_compute.reports.books import Selection, no_cyclic_garbage, read_books
from beancount_compute.reports.registry import REPORTS
from beancount_compute.reports.text_face import render

HERE = Path(__file__).parent
LAST = "2025-12"
WIDTH = 120  # of the terminal that reports are shown on


@click.command()
@click.option("--events", default=100_000, show_default=True)
@click.option("--runs", default=3, show_default=True)
@click.option("--quick", is_flag=True, help="10,000 events.")
def main(events: int, runs: int, quick: bool) -> None:
    """Measure, and print the ratios."""
    events = 10_000 if quick else events
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = write_csv(folder, events, *TWO_YEARS)
        sealed = plain.with_name("sealed.beancount")
        sealed.write_text(plain.read_text() + f'include "closed/{INDEX}"\n')
        (folder / "closed").mkdir()
        (folder / "closed" / INDEX).write_text(INDEX_HEAD)
        last_close = _close_all(sealed)
        click.echo(f"{events:,} events over 25 months, 24 of them closed; median of {runs} runs\n")
        _sealed_load(plain, sealed, runs)
        loaded, load_time = _timed(lambda: load(sealed))
        _, verified = _timed(lambda: verify(loaded))
        _row("close, of one load", last_close, 3)
        _row("verify, of one load a year", verified / load_time / 2, 12)
        _reports(loaded)


def _close_all(ledger: Path) -> float:
    """Close every month; how long the last one took, as a share of its load."""
    month, share = "2024-01", 0.0
    while month <= LAST:
        loaded, load_time = _timed(lambda: load(ledger))
        closing, prepared = _timed(lambda at=month, of=loaded: prepare(at, of))
        with locked(ledger.parent / "closed"):
            apply(ledger.parent / "closed", Change(closing.files))
        share = (load_time + prepared) / load_time
        month = next_month(month)
    return share


def _sealed_load(plain: Path, sealed: Path, runs: int) -> None:
    figures: dict[str, list[dict[str, Any]]] = {"plain": [], "sealed": []}
    for _ in range(runs):
        for name, ledger in (("plain", plain), ("sealed", sealed)):
            command = [sys.executable, str(HERE / "one_load.py"), str(ledger)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            figures[name].append(json.loads(done.stdout))
    for key, label in (("whole", "sealed load, CPU"), ("peak", "sealed load, memory")):
        values = {
            name: statistics.median(each[key] for each in found) for name, found in figures.items()
        }
        _row(f"{label}, of unsealed", values["sealed"] / values["plain"], 1.3)


def _reports(loaded: Loaded) -> None:
    """What each report takes on top of the load: reading the books, its tables, and their text."""
    with no_cyclic_garbage():  # as the commands do
        books, reading = _timed(lambda: read_books(loaded.entries, loaded.options))
        click.echo(
            f"\n{'on top of the load, s':32} {'reading':>8} {'tables':>8} {'text':>8} {'all':>8}"
        )
        for name, report in REPORTS.items():
            subscriber = "user-00001" if name == "statement" else ""
            selection = Selection(None, None, subscriber)
            tables, folding = _timed(lambda of=report, at=selection: of.tables(books, at))
            _, showing = _timed(lambda of=tables: render(of, WIDTH))
            every = reading + folding + showing
            figures = "".join(f" {spent:8.2f}" for spent in (reading, folding, showing, every))
            click.echo(
                f"{'report ' + name:32}{figures}   target 1{'' if every <= 1 else '  missed'}"
            )


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    before = time.process_time()
    found = work()
    return found, time.process_time() - before


def _row(label: str, ratio: float, target: float) -> None:
    verdict = "" if ratio <= target else "  missed"
    click.echo(f"{label:32} {ratio:8.2f}     target {target}{verdict}")


if __name__ == "__main__":
    main()
