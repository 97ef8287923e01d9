"""`bean-compute simulate`: an economy that is made up, as an ordinary ledger.

bean-compute simulate two --subscribers 1000 --months 24 --seed 1 --regime market
"""

from __future__ import annotations

from pathlib import Path

import click

from beancount_compute.cli.assumed import (
    ASSUMPTIONS,
    LIKE,
    SUBSCRIBERS,
    assumptions_asked,
    insight_needed,
)
from beancount_compute.cli.printing import say
from beancount_compute.cli.shell import FOLDER, progress, refusing
from beancount_compute.close.storage import CloseError
from beancount_compute.reports import counted


@click.command(
    epilog="\b\nExample:\n  bean-compute simulate market --subscribers 1000 --months 24 --seed 1"
)
@click.argument("folder", type=FOLDER)
@SUBSCRIBERS
@click.option("--months", type=click.IntRange(1, 120), default=24, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--regime",
    type=click.Choice(["market", "breakage"]),
    default="market",
    show_default=True,
    help="Whether units left unused become tokens, which may be sold, or lapse.",
)
@ASSUMPTIONS
@LIKE
@refusing
def simulate(
    folder: Path,
    subscribers: int | None,
    months: int,
    seed: int,
    regime: str,
    assumptions: Path | None,
    like: Path | None,
) -> None:
    """Write a simulated economy into FOLDER, as a ledger with event files.

    What it assumes is written beside it, as assumptions.toml: change it, and simulate again with
    --assumptions. The same seed and assumptions give the same bytes.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CloseError(f"{folder} is there already: name another folder")
    assumed, subscribers = assumptions_asked(assumptions, like, subscribers)
    with insight_needed():
        from beancount_compute.simulation.simulated_months import Regime, TooManyPeople
        from beancount_compute.simulation.written_ledger import (
            MOST_ROWS,
            SimulationAsked,
            write_simulation,
        )

    asked = SimulationAsked(assumed, Regime(regime), subscribers, months, seed)
    try:
        with progress("Simulating"):
            rows = write_simulation(folder, asked)
    except TooManyPeople as error:
        raise CloseError(f"{error} ({folder} holds the months before)") from None
    except OSError as error:
        raise CloseError(f"can't write to {folder}: {error.strerror}") from None
    say(
        f"Wrote {folder / 'main.beancount'}: {counted(rows, 'event')} in "
        f"{counted(months, 'file')}. Next:\n"
    )
    say(f"  bean-compute check {folder / 'main.beancount'}")
    if rows > MOST_ROWS:
        say(f"More than {MOST_ROWS:,} events load slowly: bean-compute bulk is for this")
