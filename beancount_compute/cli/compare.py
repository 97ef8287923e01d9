"""`bean-compute compare`: ledgers side by side, or many simulated economies under two regimes.

bean-compute compare market/main.beancount breakage/main.beancount
bean-compute compare --replications 100 --regime both --subscribers 1000 --months 24
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from beancount_compute.cli.assumed import (
    ASSUMPTIONS,
    LIKE,
    SUBSCRIBERS,
    assumptions_asked,
    insight_needed,
    without_errors,
)
from beancount_compute.cli.printing import hand_on, say
from beancount_compute.cli.shell import LEDGER, refusing, width
from beancount_compute.close.storage import CloseError
from beancount_compute.reports import Table, csv_of, json_of, read_books, render

if TYPE_CHECKING:
    from beancount_compute.simulation.comparison import ComparisonAsked


@click.command(
    epilog="\b\nExample:\n  bean-compute compare --replications 2 --subscribers 100 --months 6"
)
@click.argument("ledgers", nargs=-1, type=LEDGER, metavar="[LEDGER]...")
@click.option("--replications", type=click.IntRange(1, 100_000), help="Of each regime.")
@click.option(
    "--regime",
    type=click.Choice(["both", "market", "breakage"]),
    default="both",
    show_default=True,
)
@SUBSCRIBERS
@click.option("--months", type=click.IntRange(2, 120), default=24, show_default=True)
@ASSUMPTIONS
@LIKE
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("replications.csv"),
    show_default=True,
    help="Where each replication is kept: what was stopped goes on from there.",
)
@click.option("--format", "form", type=click.Choice(["text", "csv", "json"]), default="text")
@refusing
def compare(
    ledgers: tuple[Path, ...],
    replications: int | None,
    regime: str,
    subscribers: int | None,
    months: int,
    assumptions: Path | None,
    like: Path | None,
    keep: Path,
    form: str,
) -> None:
    """Put two or more LEDGERs side by side, or simulated economies under both regimes.

    With --replications each seed is simulated and booked by the engine under each regime; the
    interval holds 95 % of them, and `market is higher in` says in which share of the seeds it is.
    """
    if bool(ledgers) == bool(replications):
        raise click.UsageError("name two ledgers or more, or ask for --replications")
    with insight_needed():
        import beancount_compute.simulation.comparison as comparison
    if ledgers:
        if len(ledgers) < 2:
            raise click.UsageError("name two ledgers or more: one alone has nothing beside it")
        if assumptions or like:
            raise click.UsageError(
                "ledgers are as they are: --assumptions and --like are for --replications"
            )
        _show([_of_ledgers(ledgers)], form)
        return
    from beancount_compute.simulation.simulated_months import Regime

    assumed, subscribers = assumptions_asked(assumptions, like, subscribers)
    regimes = [*Regime] if regime == "both" else [Regime(regime)]
    asked = comparison.ComparisonAsked(assumed, regimes, subscribers, months, replications or 0)
    _show(_of_replications(asked, keep), form)


def _of_ledgers(ledgers: tuple[Path, ...]) -> Table:
    from beancount_compute.simulation.ledgers_compared import figures_of, side_by_side

    found = []
    for ledger in ledgers:
        loaded = without_errors(ledger)
        currency = (loaded.options["operating_currency"] or ["USD"])[0]
        books = read_books(loaded.entries, loaded.options)
        found.append(figures_of(str(ledger), books, currency))
    return side_by_side(found)


def _of_replications(asked: ComparisonAsked, keep: Path) -> list[Table]:
    from beancount_compute.simulation.comparison import KeptElsewhere, compared, replications
    from beancount_compute.simulation.simulated_months import TooManyPeople

    try:
        with _bar(asked.replications * len(asked.regimes)) as told:
            done = replications(asked, keep, told)
    except OSError as error:
        raise CloseError(f"{keep}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CloseError(f"{keep} is no text: name another file by --keep") from None
    except (KeptElsewhere, TooManyPeople) as error:
        raise CloseError(str(error)) from None
    except KeyboardInterrupt:
        raise CloseError(
            f"stopped: what is done stands in {keep}, and the same command goes on from there"
        ) from None
    return compared(asked, done)


def _show(tables: list[Table], form: str) -> None:
    if form == "text":
        say(render(tables, width()))
    else:
        hand_on(csv_of(tables) if form == "csv" else json_of("compare", {}, tables))


@contextmanager
def _bar(count: int) -> Iterator[Callable[[int], None]]:
    """A bar of replications done; nothing where no terminal would show it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Simulating", total=count)
        yield lambda done: bar.advance(task, done)
