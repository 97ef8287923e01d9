"""What the commands share: how a ledger is loaded, how errors and long work are shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import click
from beancount import loader
from beancount.core.data import BeancountError, Custom, Directive
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from beancount_compute.ledger.errors import ComputeError
from beancount_compute.ledger.event_directives import EVENT_TYPES
from beancount_compute.ledger.term_directives import TERM_TYPES
from beancount_compute.ledger.writing import ORDER
from beancount_compute.plugin import PLUGIN

LEDGER = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITTEN = {*EVENT_TYPES, *TERM_TYPES, "compute-events"}


class Loaded(NamedTuple):
    """A ledger as Beancount loads it."""

    entries: list[Directive]
    errors: list[BeancountError]
    options: dict[str, Any]


def load(ledger: Path) -> Loaded:
    """A ledger as Beancount loads it, behind a progress bar."""
    with progress(f"Loading {ledger.name}"):
        entries, errors, options = loader.load_file(str(ledger))
    ours = [entry for entry in entries if isinstance(entry, Custom) and entry.type in WRITTEN]
    if ours and PLUGIN not in [name for name, _ in options["plugin"]]:
        message = (
            f'{ours[0].type}, but no line plugin "{PLUGIN}" in the ledger itself (one in an '
            "included file has no effect): nothing was booked"
        )
        errors = [*errors, ComputeError(ours[0].meta, message)]
    return Loaded(entries, errors, options)


def say_if_empty(ledger: Path, loaded: Loaded) -> None:
    """Say on standard error that a ledger has nothing that could be reported."""
    ours = any(isinstance(entry, Custom) and entry.type in WRITTEN for entry in loaded.entries)
    if not ours and not any(ORDER in entry.meta for entry in loaded.entries):
        plugin = PLUGIN in [name for name, _ in loaded.options["plugin"]]
        lacks = "" if plugin else f', and no line plugin "{PLUGIN}"'
        click.echo(f"{ledger} has no compute- directives{lacks}: nothing to report", err=True)


def show_errors(errors: list[BeancountError], *, to_stderr: bool = True) -> None:
    """The errors of a ledger, one line each."""
    for error in errors:
        source = error.source or {}
        place = f"{source.get('filename', '<unknown>')}:{source.get('lineno', 0)}"
        lines = [line.strip() for line in error.message.splitlines()]
        click.echo(f"{place}: {' '.join(line for line in lines if line)}", err=to_stderr)


@contextmanager
def progress(what: str) -> Iterator[None]:
    """A bar that moves while something long is done; nothing where no terminal would show it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(what, total=None)
        yield


def width() -> int:
    """The columns of the terminal; 80 where there is none."""
    standard_output: TextIO | None = sys.stdout  # None where the shell closed it
    return Console().width if standard_output and standard_output.isatty() else 80
