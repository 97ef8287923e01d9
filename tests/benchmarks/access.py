"""What access costs: a year of it beside a year of mints, and what those pay who sell none.

    python tests/benchmarks/access.py                    10,000 subscribers, 120,000 evening entries
    python tests/benchmarks/access.py --quick            1,000 subscribers
    python tests/benchmarks/access.py --before CHECKOUT  100,000 events without access, of both

The plugin's own CPU time, each load in a process of its own, in turn; the median of the ratios of
runs that stood beside each other. It asserts nothing and writes only to a temporary folder.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))

from economy_of import write_csv

HERE = Path(__file__).parent
SOLD = {
    "access": '2026-01-01 custom "compute-plan" "pro" 90.00 USD\n',
    "mints": '2026-01-01 custom "compute-plan" "pro" 90.00 USD 1000 CU\n  unused: "mint"\n',
}
YEAR = """\
option "operating_currency" "USD"
plugin "beancount_compute"
2026-01-01 custom "compute-option" "as-of" 2027-01-01
2026-01-01 custom "compute-events" "events.csv"
"""


@click.command()
@click.option("--people", default=10_000, show_default=True)
@click.option("--events", default=100_000, show_default=True)
@click.option("--runs", default=10, show_default=True)
@click.option("--quick", is_flag=True, help="1,000 subscribers, 10,000 events.")
@click.option("--before", type=click.Path(path_type=Path, exists=True), help="Another checkout.")
def main(people: int, events: int, runs: int, quick: bool, before: Path | None) -> None:
    """Measure, and print the ratio."""
    people, events = (1000, 10_000) if quick else (people, events)
    now = HERE.parents[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if before:
            ledger = write_csv(folder, events)
            click.echo(f"{events:,} events without access, this checkout beside {before.name}")
            _compare((now, ledger), (before.resolve(), ledger), runs, 1.05)
        else:
            ledgers = {sold: _year(folder / sold, plan, people) for sold, plan in SOLD.items()}
            click.echo(f"{people:,} subscribers, {12 * people:,} evenings beside as many mints")
            _compare((now, ledgers["access"]), (now, ledgers["mints"]), runs, 1)


def _year(folder: Path, plan: str, people: int) -> Path:
    """A year of monthly periods; all of them end on the last evening, or mint on the next day."""
    folder.mkdir()
    lines = [f"2026-01-01,subscription,user-{number:05},pro\n" for number in range(people)]
    (folder / "events.csv").write_text("date,event,subscriber,plan\n" + "".join(lines))
    ledger = folder / "main.beancount"
    ledger.write_text(YEAR + plan)
    return ledger


def _compare(one: tuple[Path, Path], other: tuple[Path, Path], runs: int, most: float) -> None:
    pairs = [(_load(*one), _load(*other)) for _ in range(runs)]
    for key, label in (("transactions", "transactions"), ("plugin", "own time, s")):
        medians = (
            statistics.median(each[key] for each in side) for side in zip(*pairs, strict=True)
        )
        click.echo(f"{label:14}" + "".join(f"{value:14,.2f}" for value in medians))
    ratios = sorted(each["plugin"] / beside["plugin"] for each, beside in pairs)
    ratio = statistics.median(ratios)
    verdict = "" if ratio <= most else "  missed"
    spread = f"{ratios[0]:.3f} to {ratios[-1]:.3f}"
    click.echo(f"{'ratio':14}{ratio:14.3f}   {spread}, target {most}{verdict}")


def _load(checkout: Path, ledger: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(HERE / "one_load.py"), str(ledger)],
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    if figures["errors"]:
        raise click.ClickException(f"{ledger} loads with {figures['errors']} errors")
    return figures


if __name__ == "__main__":
    main()
