"""What if, measured: three scenarios beside the books, as a multiple of one load of the ledger.

    python tests/benchmarks/whatif.py            100,000 events over three months
    python tests/benchmarks/whatif.py --quick    10,000 events

CPU time of whole processes, of their children too, each in one of its own, in turn; the median of
the runs. One load is `loader.load_file` in a process of its own. It prints the ratio beside its
target, asserts nothing and writes only to a temporary folder.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent))

from economy_of import write_csv

TARGET = 4
LOAD = "from beancount import loader; import sys; loader.load_file(sys.argv[1])"
SCENARIOS = {
    "prices-crash": '2026-02-01 custom "compute-scale" "plan-price" 0.50\n',
    "fees": (
        '2026-01-01 custom "compute-option" "seller-fee" 0.10\n'
        '2026-02-01 custom "compute-scale" "trade-price" 0.58\n'
    ),
    "no-market": '2026-01-01 custom "compute-plan" "pro" 200.00 USD 100000 CU\n',
}


@click.command()
@click.option("--events", default=100_000, show_default=True)
@click.option("--runs", default=3, show_default=True)
@click.option("--quick", is_flag=True, help="10,000 events.")
def main(events: int, runs: int, quick: bool) -> None:
    """Measure, and print the ratio."""
    events = 10_000 if quick else events
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = write_csv(folder, events)
        files = [folder / f"{name}.beancount" for name in SCENARIOS]
        for file, text in zip(files, SCENARIOS.values(), strict=True):
            file.write_text(text)
        load, what_if = (
            [sys.executable, "-c", LOAD, str(ledger)],
            [
                *(sys.executable, "-m", "beancount_compute.cli", "whatif"),
                *map(str, (ledger, *files)),
            ],
        )
        spent: dict[str, list[float]] = {"load": [], "whatif": []}
        for _ in range(runs):
            spent["load"].append(_spent(load))
            spent["whatif"].append(_spent(what_if))
        one, all_ = (statistics.median(each) for each in spent.values())
        click.echo(f"{events:,} events, {len(files)} scenarios; median of {runs} runs\n")
        verdict = "" if all_ / one <= TARGET else "  missed"
        click.echo(f"one load, CPU s                  {one:8.2f}")
        click.echo(f"whatif, CPU s                    {all_:8.2f}")
        click.echo(
            f"whatif, of one load              {all_ / one:8.2f}     target {TARGET}{verdict}"
        )


def _spent(command: list[str]) -> float:
    """The CPU time of a command and of all that it starts, without Beancount's cache."""
    env = {**os.environ, "BEANCOUNT_DISABLE_LOAD_CACHE": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
