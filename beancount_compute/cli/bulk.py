"""`bean-compute bulk`: a month of events in Parquet, booked beside the ledger.

bean-compute bulk 2026-05 main.beancount --events 'events/2026-05/*.parquet'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
from rich.table import Column
from rich.text import Text

from beancount_compute.cli.printing import say
from beancount_compute.cli.shell import FOLDER, LEDGER, MonthToClose, refusing
from beancount_compute.close.storage import CloseError
from beancount_compute.economy import Month
from beancount_compute.reports import counted

_SERVER = re.compile(r"sc://[^:/;]+(:[0-9]{1,5})?(/.*)?", re.ASCII)
_SIZE = re.compile(r"[1-9][0-9]*(\.[0-9]+)? ?([KMGT]i?)?B", re.ASCII)


def _memory(_ctx: click.Context, _param: click.Parameter, text: str) -> str:
    if text and not _SIZE.fullmatch(text):
        raise click.BadParameter(f"{text!r} is no size: write one such as 2GB")
    return text


def _engine(_ctx: click.Context, _param: click.Parameter, text: str) -> str:
    if text != "duckdb" and not _SERVER.fullmatch(text):
        raise click.BadParameter(f"{text!r} is no engine: write duckdb, or sc://host:15002")
    return text


@click.command(
    epilog="\b\nExample:\n"
    "  bean-compute bulk 2027-01 main.beancount --events 'events/2027-01/*.parquet'"
)
@click.argument("month", type=MonthToClose())
@click.argument("ledger", type=LEDGER)
@click.option(
    "--events",
    multiple=True,
    required=True,
    metavar="PATH",
    help="Parquet files of the month: paths, s3:// addresses or globs.",
)
@click.option("--into", type=FOLDER, help="The folder of the months; default: bulk.")
@click.option(
    "--memory-limit",
    default="",
    callback=_memory,
    metavar="SIZE",
    help="Of the database, such as 2GB; it spills.",
)
@click.option(
    "--prove",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    metavar="N",
    help="Subscribers of the kernel that the engine books too.",
)
@click.option("--detail", is_flag=True, help="Also write a row a leg: the engine books all.")
@click.option(
    "--engine",
    default="duckdb",
    show_default=True,
    callback=_engine,
    metavar="ENGINE",
    help="duckdb, or a server of Spark Connect: sc://host:15002.",
)
@refusing
def bulk(
    month: str,
    ledger: Path,
    events: tuple[str, ...],
    into: Path | None,
    memory_limit: str,
    prove: int,
    detail: bool,
    engine: str,
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
    asked = asked._replace(detail=detail, engine=engine)
    with _bar(month) as told:
        outcome = run_month(asked, told, say)
    counts = outcome.counts
    read = max(1, counts["read"])
    say(f"Wrote {outcome.folder}: {counted(counts['read'], 'row')} read")
    for name in ("by the kernel", "by the engine", "repeated", "blank"):
        if counts.get(name):
            say(f"  {counts[name]:>15,}  {counts[name] / read:6.1%}  {name}")
    if proved := counts.get("proved"):
        say(f"The books of {counted(proved, 'subscriber')} are the same by kernel and engine")
    if refused := counts.get("refused"):
        path = outcome.folder / "refused.parquet"
        say(f"Refused {counted(refused, 'row')}, not booked: {path} says why")


class _RowsDone(ProgressColumn):
    """How many rows are booked, of how many."""

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text("")
        return Text(f"{task.completed:,.0f} of {task.total:,.0f} rows")


class _RowsASecond(ProgressColumn):
    """How fast rows are read or booked; not of those that the kernel books at once."""

    def render(self, task: Task) -> Text:
        rows = task.completed - task.fields["begun"]
        return Text(f"{rows / task.elapsed:,.0f} a second" if rows and task.elapsed else "")


@contextmanager
def _bar(month: str) -> Iterator[Callable[..., None]]:
    """A bar of rows read, then booked; nothing where no terminal would show it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _silent
        return
    columns = (
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(None),  # as wide as all else leaves it
        _RowsDone(Column(no_wrap=True)),
        _RowsASecond(Column(no_wrap=True)),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task(f"Reading {month}", total=None, begun=0)
        booking = False

        def told(done: int, rows: int, *, reading: bool = False) -> None:
            nonlocal booking
            if not (reading or booking):
                booking = True
                what = f"Booking {month}"
                bar.reset(task, description=what, completed=done, begun=done)
            bar.update(task, completed=done, total=max(1, rows))
            if done >= rows:
                bar.refresh()

        yield told


def _silent(done: int, rows: int, *, reading: bool = False) -> None:
    """Nobody looks."""
