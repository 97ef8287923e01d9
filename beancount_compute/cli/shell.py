"""What the commands share: their arguments, how a ledger is loaded, what is long or stops them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click
from beancount.core.data import BeancountError, Custom
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from beancount_compute.bulk_books import CantReadMonths, journal_errors, read_all_books
from beancount_compute.cli.printing import in_one_line, say, shown
from beancount_compute.close.loading import Loaded
from beancount_compute.close.loading import load as load_silently
from beancount_compute.close.storage import CloseError
from beancount_compute.closed import can_close
from beancount_compute.economy import Month
from beancount_compute.ledger import EVENT_TYPES, ORDER, TERM_TYPES, ComputeError
from beancount_compute.plugin import PLUGIN
from beancount_compute.reports import Books, counted, wrapped
from beancount_compute.review import Review, answers_told, notes_of, to_paste, told

LEDGER = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
WRITTEN = {*EVENT_TYPES, *TERM_TYPES, "compute-events"}


class MonthToClose(click.ParamType[str]):
    """A month such as 2026-05."""

    name = "month"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The month, or an error that shows how one is written."""
        try:
            month = Month.parse(str(value)).name
        except ValueError:
            self.fail(f"{value} is not a month: write one such as 2026-05", param, ctx)
        if not can_close(month):
            self.fail(f"{month} is too late to be closed: the last month is 9999-11", param, ctx)
        return month


def refusing(command: Callable[..., None]) -> Callable[..., None]:
    """Show what stops a command as one line, and exit with 1."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except CloseError as error:
            raise click.ClickException(str(error)) from None

    refuse.__doc__, refuse.__name__ = command.__doc__, command.__name__
    return refuse


def load(ledger: Path) -> Loaded:
    """A ledger as Beancount loads it, behind a progress bar; never from a cache beside it.

    Such a file can run anything when it is read, and holds what an older release booked.
    """
    with progress(f"Loading {ledger.name}"):
        try:
            loaded = load_silently(ledger)
        except CloseError as error:  # such as a pipe among what it includes
            raise click.ClickException(str(error)) from None
    ours = [each for each in loaded.entries if isinstance(each, Custom) and each.type in WRITTEN]
    if ours and PLUGIN not in [name for name, _ in loaded.options["plugin"]]:
        message = (
            f'{ours[0].type}, but no line plugin "{PLUGIN}" in the ledger itself (one in an '
            "included file has no effect): nothing was booked"
        )
        loaded = loaded._replace(errors=[*loaded.errors, ComputeError(ours[0].meta, message)])
    return loaded


def read_with_bulk(loaded: Loaded) -> tuple[Books, list[BeancountError]]:
    """The books with their months in bulk, and the errors of these."""
    try:
        books = read_all_books(loaded.entries, loaded.options)
        return books, [*journal_errors(books, loaded.options)]
    except CantReadMonths as error:
        raise click.ClickException(str(error)) from None


def say_if_empty(ledger: Path, loaded: Loaded) -> None:
    """Say on standard error that a ledger has nothing that could be reported."""
    ours = any(isinstance(entry, Custom) and entry.type in WRITTEN for entry in loaded.entries)
    if not ours and not any(ORDER in entry.meta for entry in loaded.entries):
        plugin = PLUGIN in [name for name, _ in loaded.options["plugin"]]
        lacks = "" if plugin else f', and no line plugin "{PLUGIN}"'
        say(f"{ledger} has no compute- directives{lacks}: nothing to report", err=True)


def show_errors(errors: Sequence[BeancountError], *, to_stderr: bool = True) -> None:
    """The errors of a ledger, one line each."""
    for error in errors:
        source = error.source or {}
        place = f"{source.get('filename', '<unknown>')}:{source.get('lineno', 0)}"
        say(f"{place}: {in_one_line(error.message)}", err=to_stderr)


def show_findings(review: Review) -> None:
    """Findings, a line each: the answered ones, then the others with what to paste."""
    for line in answers_told(review.answered):
        say(line)
    if review.answered:
        say()
    left = review.unanswered
    if not left:
        return
    for line in told(left):
        say(line)
    lines = counted(len(left), "line")
    say(f"\nMend what is wrong. What is right, say why in the ledger ({lines}):\n")
    for line in to_paste(left):
        say(f"  {line}")
    say()


def show_notes(review: Review) -> None:
    """What is to say of answers that answer nothing."""
    for note in notes_of(review):
        say("\n".join(wrapped(f"Note: {note}.", width())) + "\n")


@contextmanager
def progress(what: str, *, still: bool = False) -> Iterator[None]:
    """A bar that moves while something long is done; nothing where no terminal would show it.

    One that stands `still` needs no thread, beside which no process can be forked.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, auto_refresh=not still) as bar:
        bar.add_task(escape(shown(what)), total=None)
        bar.refresh()
        yield


def width() -> int:
    """The columns of the terminal; 80 where there is none."""
    standard_output: TextIO | None = sys.stdout
    return Console().width if standard_output and standard_output.isatty() else 80
