"""The month end, measured: sealed loads, close, verify and reports as shares of a load.

    python tests/benchmarks/month_end.py            100,000 events over 25 months, 24 of them closed
    python tests/benchmarks/month_end.py --quick    10,000 events

CPU time; it prints ratios beside their targets, asserts nothing and writes only to a temporary
folder.
"""

from __future__ import annotations

import json
import resource
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
from beancount_compute.close.loading import load
from beancount_compute.close.storage import Change, apply, locked
from beancount_compute.close.verifying import verify
from beancount_compute.closed.frozen_months import INDEX
from beancount_compute.economy.months import Month
from beancount_compute.reports.registry import REPORTS

HERE = Path(__file__).parent
LAST = "2025-12"


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
        (folder / "short").mkdir()
        _reports({"25 months": sealed, "3 months": write_csv(folder / "short", events)}, runs)


def _close_all(ledger: Path) -> float:
    """Close every month; how long the last one took, as a share of its load."""
    month, share = "2024-01", 0.0
    while month <= LAST:
        loaded, load_time = _timed(lambda: load(ledger))
        closing, prepared = _timed(lambda at=month, of=loaded: prepare(at, of))
        with locked(ledger.parent / "closed"):
            apply(ledger.parent / "closed", Change(closing.files))
        share = (load_time + prepared) / load_time
        month = Month.parse(month).next.name
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


def _reports(ledgers: dict[str, Path], runs: int) -> None:
    """What each report takes on top of the load: the whole command, less `bean-check` beside it.

    Both load the ledger anew: no command of ours goes on from Beancount's cache.
    """
    columns = "".join(f"{name:>12}" for name in ledgers)
    click.echo(f"\n{'on top of the load, s':32}{columns}")
    for name in REPORTS:
        options = ["--subscriber", "user-00001"] if name == "statement" else []
        found: list[float] = []
        for ledger in ledgers.values():
            report = ["beancount_compute.cli", "report", name, str(ledger), *options]
            check = ["beancount.scripts.check", "--no-cache", str(ledger)]
            found.append(statistics.median(_spent(report) - _spent(check) for _ in range(runs)))
        figures = "".join(f"{spent:12.2f}" for spent in found)
        click.echo(f"{'report ' + name:32}{figures}   target 1{_verdict(max(found) <= 1)}")


def _spent(module: list[str]) -> float:
    """The CPU time of a command from its start to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", *module], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    before = time.process_time()
    found = work()
    return found, time.process_time() - before


def _row(label: str, ratio: float, target: float) -> None:
    click.echo(f"{label:32} {ratio:8.2f}     target {target}{_verdict(ratio <= target)}")


def _verdict(reached: bool) -> str:
    return "" if reached else "  missed"


if __name__ == "__main__":
    main()
