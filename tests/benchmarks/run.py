"""The benchmark: how the plugin compares with Beancount loading the same books as text.

    python tests/benchmarks/run.py            100,000 events, and growth from 10,000 to 300,000
    python tests/benchmarks/run.py --quick    10,000 events

CPU time and peak memory of whole processes, each load in one of its own, in turn; the median of the
runs. It prints a table with the ratios, asserts nothing and writes only to a temporary folder.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))

from economy_of import write_csv, write_directives

HERE = Path(__file__).parent
TARGETS = {
    "csv": {"plugin": 0.04, "whole": 0.15, "peak": 0.35},
    "directives": {"plugin": 0.05, "whole": 0.25, "peak": 0.55},
}
GROWTH = (10_000, 30_000, 100_000, 300_000)


@click.command()
@click.option("--events", default=100_000, show_default=True)
@click.option("--runs", default=3, show_default=True)
@click.option("--quick", is_flag=True, help="10,000 events, no growth.")
def main(events: int, runs: int, quick: bool) -> None:
    """Measure, and print the ratios."""
    if quick:
        events = 10_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledgers = {
            "csv": write_csv(folder, events),
            "directives": write_directives(folder, events),
        }
        ledgers["text"] = _printed(ledgers["csv"], folder)
        figures = _measure(ledgers, runs)
        click.echo(f"{events:,} events, {figures['text']['transactions']:,.0f} transactions, ")
        click.echo(f"median of {runs} runs, CPU time and memory as shares of the text ledger's\n")
        _show(figures)
        if not quick:
            _show_growth(folder)


def _printed(ledger: Path, folder: Path) -> Path:
    text = folder / "text.beancount"
    command = [sys.executable, "-m", "beancount_compute.cli", "print", str(ledger)]
    with open(text, "w") as out:
        subprocess.run(command, stdout=out, check=True)
    return text


def _measure(ledgers: dict[str, Path], runs: int) -> dict[str, dict[str, float]]:
    loads: dict[str, list[dict[str, Any]]] = {name: [] for name in ledgers}
    for _ in range(runs):
        for name, ledger in ledgers.items():
            loads[name].append(_load(ledger))
    return {
        name: {key: statistics.median(load[key] for load in found) for key in found[0]}
        for name, found in loads.items()
    }


def _load(ledger: Path) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "one_load.py"), str(ledger)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    if figures["errors"]:
        raise click.ClickException(f"{ledger.name} loads with {figures['errors']} errors")
    return figures


def _show(figures: dict[str, dict[str, float]]) -> None:
    text = figures["text"]
    click.echo(f"{'':12} {'figure':14} {'seconds / MB':>14} {'ratio':>8} {'target':>8}")
    for name, targets in TARGETS.items():
        for key, label in (("plugin", "plugin's own"), ("whole", "whole load"), ("peak", "memory")):
            value, base = figures[name][key], text["peak" if key == "peak" else "whole"]
            unit = value / 1024 if key == "peak" else value
            ratio, target = value / base, targets[key]
            verdict = "" if ratio <= target else "  missed"
            click.echo(f"{name:12} {label:14} {unit:14.2f} {ratio:8.3f} {target:8.2f}{verdict}")
    click.echo(f"{'text':12} {'whole load':14} {text['whole']:14.2f} {1:8.3f}")
    click.echo(f"{'text':12} {'memory':14} {text['peak'] / 1024:14.2f} {1:8.3f}\n")


def _show_growth(folder: Path) -> None:
    """How the plugin's own time grows, as the exponent between the first and each size."""
    click.echo(f"{'events':>12} {'plugin, s':>12} {'exponent':>9}   target 1.1")
    first = 0.0
    for events in GROWTH:
        ledger = write_csv(folder, events)
        spent = statistics.median(_load(ledger)["plugin"] for _ in range(3))
        first = first or spent
        steps = math.log(events / GROWTH[0])
        exponent = f"{math.log(spent / first) / steps:9.2f}" if steps else " " * 9
        click.echo(f"{events:12,} {spent:12.2f} {exponent}")


if __name__ == "__main__":
    main()
