"""`bean-compute`: arguments in; text and an exit code out.

bean-compute check LEDGER     every error, then what is open, earned and whether it ties
bean-compute print LEDGER     the booked ledger as plain Beancount text
bean-compute report NAME ..   roll-forward, revenue, market and others, see reports/
bean-compute export MONTH ..  a month's journal for the general ledger
bean-compute new FOLDER       a small commented ledger to start from
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.resources import files
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import click
from beancount import loader
from beancount.core.data import BeancountError, Custom, Directive
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from beancount_compute.close_commands import COMMANDS
from beancount_compute.export_command import export_command
from beancount_compute.ledger.errors import ComputeError
from beancount_compute.ledger.event_directives import FORMS
from beancount_compute.ledger.plugin import PLUGIN
from beancount_compute.ledger.term_directives import TERM_TYPES
from beancount_compute.ledger.text import booked_text
from beancount_compute.report_command import Shell, report_command
from beancount_compute.reports.summary import summarise
from beancount_compute.reports.text_face import render

WRITTEN = {*FORMS, *TERM_TYPES, "compute-events"}
PIECES_AT_ONCE = 1000
LEDGER = click.Path(exists=True, dir_okay=False, path_type=Path)


class Loaded(NamedTuple):
    """A ledger as Beancount loads it."""

    entries: list[Directive]
    errors: list[BeancountError]
    options: dict[str, Any]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("beancount_compute"), message="%(version)s")
def main() -> None:
    """The books of the compute-token economy, beside bean-check and Fava."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name must not fail in a narrow encoding
            stream.reconfigure(errors="replace")


@main.command()
@click.argument("ledger", type=LEDGER)
def check(ledger: Path) -> None:
    """Load LEDGER, print every error, then what is open, earned and whether it ties.

    Exits with 1 on any error, and where units or money don't tie.
    """
    loaded = _load(ledger)
    _show_errors(loaded.errors, to_stderr=False)
    summary = summarise(loaded.entries, loaded.options)
    with _writing():
        click.echo(render(summary.tables(), _width()))
    sys.exit(1 if loaded.errors or not summary.ties else 0)


@main.command(name="print")
@click.argument("ledger", type=LEDGER)
def print_(ledger: Path) -> None:
    """Print the booked LEDGER as plain Beancount text, which loads without the plugin.

    Errors of the ledger go to standard error; any makes the exit code 1.
    """
    loaded = _load(ledger)
    _show_errors(loaded.errors, to_stderr=True)
    pieces = booked_text(loaded.entries, loaded.options)
    with _writing():
        while chunk := "".join(islice(pieces, PIECES_AT_ONCE)):
            click.echo(chunk.encode(), nl=False)
    sys.exit(1 if loaded.errors else 0)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def new(folder: Path) -> None:
    """Write a small commented ledger to start from into FOLDER."""
    template = files("beancount_compute") / "new_ledger"
    names = ("main.beancount", "events.csv")
    try:
        there = [name for name in names if (folder / name).exists()]
        if there:
            raise click.ClickException(f"{folder / there[0]} exists already: name another folder")
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            text = (template / name).read_text(encoding="utf-8")
            with open(folder / name, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise click.ClickException(f"can't write to {folder}: {error.strerror}") from None
    click.echo(f"Wrote {folder / names[0]} and {folder / names[1]}. Next:\n")
    click.echo(f"  bean-check {folder / names[0]}\n  fava {folder / names[0]}")


def _load(ledger: Path) -> Loaded:
    with _progress(f"Loading {ledger.name}"):
        entries, errors, options = loader.load_file(str(ledger))
    ours = [entry for entry in entries if isinstance(entry, Custom) and entry.type in WRITTEN]
    if ours and PLUGIN not in [name for name, _ in options["plugin"]]:
        message = (
            f'{ours[0].type}, but no line plugin "{PLUGIN}" in the ledger itself (one in an '
            "included file has no effect): nothing was booked"
        )
        errors = [*errors, ComputeError(ours[0].meta, message)]
    return Loaded(entries, errors, options)


@contextmanager
def _writing() -> Iterator[None]:
    """A full disk is an error of one line; a reader that has seen enough (`| head`) is none."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"can't write: {error.strerror}") from None


def _show_errors(errors: list[BeancountError], *, to_stderr: bool) -> None:
    for error in errors:
        source = error.source or {}
        place = f"{source.get('filename', '<unknown>')}:{source.get('lineno', 0)}"
        lines = [line.strip() for line in error.message.splitlines()]
        click.echo(f"{place}: {' '.join(line for line in lines if line)}", err=to_stderr)


@contextmanager
def _progress(what: str) -> Iterator[None]:
    """A bar that moves while something long is done; nothing where no terminal would show it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(what, total=None)
        yield


def _width() -> int:
    return Console().width if sys.stdout.isatty() else 80


for command in COMMANDS:
    main.add_command(command)
main.add_command(
    report_command(
        Shell(_load, lambda errors: _show_errors(errors, to_stderr=True), _writing, _width)
    )
)
main.add_command(
    export_command(_load, lambda errors: _show_errors(errors, to_stderr=True), _writing)
)


if __name__ == "__main__":
    main()
