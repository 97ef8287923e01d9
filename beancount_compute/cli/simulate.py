"""`bean-compute simulate`: an economy that is made up, as an ordinary ledger.

bean-compute simulate two --subscribers 1000 --months 24 --seed 1 --regime market
"""

from __future__ import annotations

from pathlib import Path

import click

from beancount_compute.cli.printing import say
from beancount_compute.cli.shell import FOLDER, progress
from beancount_compute.reports import counted


@click.command(
    epilog="\b\nExample:\n  bean-compute simulate market --subscribers 1000 --months 24 --seed 1"
)
@click.argument("folder", type=FOLDER)
@click.option("--subscribers", type=click.IntRange(1, 1_000_000), default=1000, show_default=True)
@click.option("--months", type=click.IntRange(1, 120), default=24, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--regime",
    type=click.Choice(["market", "breakage"]),
    default="market",
    show_default=True,
    help="Whether units left unused become tokens, which may be sold, or lapse.",
)
@click.option(
    "--assumptions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file such as the assumptions.toml that is written; default: the usual ones.",
)
def simulate(
    folder: Path, subscribers: int, months: int, seed: int, regime: str, assumptions: Path | None
) -> None:
    """Write a simulated economy into FOLDER, as a ledger with event files.

    What it assumes is written beside it, as assumptions.toml: change it, and simulate again with
    --assumptions. The same seed and assumptions give the same bytes.
    """
    try:
        from beancount_compute.simulation.assumptions import (
            AssumptionError,
            read_assumptions,
            usual_text,
        )
        from beancount_compute.simulation.simulated_months import Regime
        from beancount_compute.simulation.written_ledger import (
            MOST_ROWS,
            SimulationAsked,
            write_simulation,
        )
    except ImportError as error:
        raise click.ClickException(
            f'{error.name} is not installed: pip install "beancount_compute[insight]"'
        ) from None
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.ClickException(f"{folder} is there already: name another folder")
    try:
        text = assumptions.read_text("utf-8") if assumptions else usual_text()
        assumed = read_assumptions(text)
    except (AssumptionError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{assumptions}: {error}") from None
    asked = SimulationAsked(assumed, Regime(regime), subscribers, months, seed)
    try:
        with progress("Simulating"):
            rows = write_simulation(folder, asked)
    except OSError as error:
        raise click.ClickException(f"can't write to {folder}: {error.strerror}") from None
    say(f"Wrote {folder / 'main.beancount'}: {counted(rows, 'event')} in {months} files. Next:\n")
    say(f"  bean-compute check {folder / 'main.beancount'}")
    if rows > MOST_ROWS:
        say(f"More than {MOST_ROWS:,} events load slowly: bean-compute bulk is for this")
