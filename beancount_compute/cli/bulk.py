"""`bean-compute bulk`: a month of events in Parquet, booked beside the ledger.

bean-compute bulk 2026-05 main.beancount --events 'events/2026-05/*.parquet'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from beancount_compute.cli.printing import say
from beancount_compute.cli.shell import FOLDER, LEDGER, MonthToClose, refusing
from beancount_compute.close.storage import CloseError
from beancount_compute.economy import Month
from beancount_compute.reports import counted

_SIZE = re.compile(r"[1-9][0-9]*(\.[0-9]+)? ?([KMGT]i?)?B", re.ASCII)


def _memory(_ctx: click.Context, _param: click.Parameter, text: str) -> str:
    if text and not _SIZE.fullmatch(text):
        raise click.BadParameter(f"{text!r} is no size: write one such as 2GB")
    return text


@click.command(
    epilog="\b\nExample:\n"
    "  bean-compute bulk 2027-01 main.beancount --events 'events/2027-01/*.parquet'"
)
@click.argument("month", type=MonthToClose())
@click.argument("ledger", type=LEDGER)
@click.option(
    "--events", multiple=True, required=True, help="Parquet files of the month: paths or globs."
)
@click.option("--into", type=FOLDER, help="The folder of the months; default: bulk.")
@click.option(
    "--memory-limit", default="", callback=_memory, help="Of the database, such as 2GB; it spills."
)
@click.option(
    "--prove",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    help="Subscribers of the kernel that the engine books too.",
)
@refusing
def bulk(
    month: str,
    ledger: Path,
    events: tuple[str, ...],
    into: Path | None,
    memory_limit: str,
    prove: int,
) -> None:
    """Book MONTH of events in Parquet by the terms of LEDGER, into a folder beside it.

    Goes on from the folder of the month before. Exits with 1, and writes nothing, where the ledger
    has errors or the files can't be read; events that are refused stand in refused.parquet.
    """
    try:
        from beancount_compute.bulk.month_run import MonthAsked, run_month
    except ImportError as error:
        raise CloseError(
            f'{error.name} is not installed: pip install "beancount_compute[bulk]"'
        ) from None
    asked = MonthAsked(ledger, Month.parse(month), events, into, memory_limit, prove)
    with _rows(f"Booking {month}") as told:
        outcome = run_month(asked, told)
    counts = outcome.counts
    read = max(1, counts["read"])
    say(f"Wrote {outcome.folder}: {counted(counts['read'], 'row')} read")
    for name in ("by the kernel", "by the engine", "repeated", "blank", "refused"):
        if counts.get(name):
            say(f"  {counts[name]:>15,}  {counts[name] / read:6.1%}  {name}")
    if counts.get("proved"):
        say(f"  {counts['proved']:,} subscribers of the kernel have the same books by the engine")
    if counts.get("refused"):
        say(f"Look into {outcome.folder / 'refused.parquet'}: what was refused is not booked")


class _RowsASecond(ProgressColumn):
    """How fast rows are booked, when that is known."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} a second" if task.speed else "")


@contextmanager
def _rows(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of rows done; nothing where no terminal would show it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, rows: None
        return
    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
        _RowsASecond(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=1)
        yield lambda done, rows: bar.update(task, completed=done, total=max(1, rows))
