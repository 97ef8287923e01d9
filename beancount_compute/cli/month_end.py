"""`bean-compute close | verify | reopen | carry`: the month end on the command line."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from beancount_compute.cli.shell import LEDGER, progress, show_errors, width
from beancount_compute.close.carrying_over import carry
from beancount_compute.close.closing import INDEX_HEAD, Closing, prepare
from beancount_compute.close.loading import Loaded, check_included, load
from beancount_compute.close.pack import pack_files
from beancount_compute.close.proving import BOOKS_HEAD, prove
from beancount_compute.close.reopening import reopen as reopened
from beancount_compute.close.storage import (
    BOOKS,
    INDEX,
    Change,
    CloseError,
    apply,
    check_ours,
    locked,
)
from beancount_compute.close.tie_outs import tables
from beancount_compute.close.verifying import verify as verified
from beancount_compute.ledger.sealed.chain import Reopening, is_month
from beancount_compute.reports.text_face import render

FOLDER = click.Path(file_okay=False, path_type=Path)
CLOSED = "closed"


class Month(click.ParamType[str]):
    """A month such as 2026-05."""

    name = "month"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The month, or an error that shows how one is written."""
        if not is_month(str(value)):
            self.fail(f"{value} is not a month: write one such as 2026-05", param, ctx)
        return str(value)


def _refusing(command: Callable[..., None]) -> Callable[..., None]:
    """Show what stops a command as one line, and exit with 1."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except CloseError as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:  # such as no room for the trial of the books
            place = f" to {error.filename}" if error.filename else ""
            raise click.ClickException(f"can't write{place}: {error.strerror or error}") from None

    refuse.__doc__, refuse.__name__ = command.__doc__, command.__name__
    return refuse


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="MONTH LEDGER")
@click.option("--into", type=FOLDER, help="The folder of closed months; default: closed.")
@click.option("--pack", type=FOLDER, help="Where the close pack goes; default: MONTH-pack there.")
@click.option("--dry-run", is_flag=True, help="Show everything, write nothing.")
@click.option("--init", is_flag=True, help="Write an empty index to begin with; takes no MONTH.")
@_refusing
def close(
    words: tuple[str, ...], into: Path | None, pack: Path | None, dry_run: bool, init: bool
) -> None:
    """Close MONTH of LEDGER: tie out, freeze and seal it, write the close pack.

    Stops with 1, and writes nothing, where anything disagrees or the ledger has errors.
    """
    month, ledger = _month_and_ledger(words, init)
    if init:
        _init(ledger, into or ledger.parent / CLOSED)
        return
    folder = into or ledger.parent / CLOSED
    if not dry_run and not (folder / INDEX).exists():
        raise CloseError(
            f"no index of closed months in {folder}: write one with  bean-compute close --init "
            f"{ledger}"
        )
    with nullcontext() if dry_run else locked(folder):
        with progress(f"Loading {ledger.name}"):
            loaded = load(ledger)
        check_included(loaded, ledger, folder)
        _stop_on_errors(loaded)
        seal = _seal_of(loaded, month)
        if seal:
            click.echo(f"{month} is closed already. Its seal:\n{seal}")
            return
        with progress(f"Closing {month}"):
            closing = prepare(month, loaded)
        _show(closing)
        if not all(tie.holds for tie in closing.ties):
            raise CloseError(f"{month} does not tie out: nothing was written")
        _prove(closing, folder)
        with progress("Writing the close pack"):
            files = _pack(closing, loaded)
        if dry_run:
            click.echo(f"Dry run: nothing was written. The seal would be\n{closing.seal.digest}")
            return
        _write(closing, files, folder, pack)
    click.echo(f"Closed {month}. Keep its seal elsewhere:\n{closing.seal.digest}")


def _month_and_ledger(words: tuple[str, ...], init: bool) -> tuple[str, Path]:
    if len(words) != (1 if init else 2):
        raise click.UsageError("write  bean-compute close 2026-05 LEDGER, or close --init LEDGER")
    month = "" if init else Month().convert(words[0], None, None)
    ledger: Path = LEDGER.convert(words[-1], None, None)
    return month, ledger


def _init(ledger: Path, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / INDEX).exists():
            raise CloseError(f"{folder / INDEX} exists already")
        for name, head in ((INDEX, INDEX_HEAD), (BOOKS, BOOKS_HEAD)):
            check_ours(folder / name, head.encode())
            (folder / name).write_text(head, encoding="utf-8")
    except OSError as error:
        raise CloseError(f"can't write to {folder}: {error.strerror or error}") from None
    click.echo(
        f'Wrote {folder / INDEX}. Add to {ledger.name}:\n\n  include "{_seen(folder, ledger)}"'
    )


def _seen(folder: Path, ledger: Path) -> str:
    try:
        return str((folder / INDEX).resolve().relative_to(ledger.resolve().parent))
    except ValueError:
        return str((folder / INDEX).resolve())


def _stop_on_errors(loaded: Loaded) -> None:
    if loaded.errors:
        show_errors(loaded.errors)
        raise CloseError(f"the ledger has {len(loaded.errors)} errors: nothing was written")


def _seal_of(loaded: Loaded, month: str) -> str:
    booking = loaded.booking
    seals = booking.chain.closed if booking else []
    return next((seal.digest for seal in seals if seal.month == month), "")


def _closed(loaded: Loaded) -> str:
    booking = loaded.booking
    months = [seal.month for seal in booking.chain.closed] if booking else []
    return f"{months[0]} to {months[-1]}" if months else "no months"


def _show(closing: Closing) -> None:
    late = f", {closing.late} of them late" if closing.late else ""
    click.echo(f"{closing.month}: {closing.events:,} events{late}\n")
    click.echo(render(tables(closing.ties), width()))
    click.echo()


def _prove(closing: Closing, folder: Path) -> None:
    """Load the closed months with Beancount alone before anything is written."""
    with tempfile.TemporaryDirectory() as name:
        trial = Path(name)
        for path in folder.glob("*.beancount"):
            shutil.copy(path, trial)
        for file, data in closing.files.items():
            (trial / file).write_bytes(data)
        proof = prove(trial / BOOKS, closing.entries)
    if proof.errors or proof.differences:
        for line in proof.errors + proof.differences:
            click.echo(f"{BOOKS}: {line}", err=True)
        raise CloseError("the frozen months don't load to the same books: nothing was written")
    click.echo("books.beancount loads with Beancount alone to the same balances and lots")


def _pack(closing: Closing, loaded: Loaded) -> dict[str, bytes]:
    return pack_files(
        closing.entries,
        loaded.options,
        closing.month,
        closing.seal.digest,
        closing.ties,
        books=closing.books,
    )


def _write(closing: Closing, files: dict[str, bytes], folder: Path, pack: Path | None) -> None:
    if pack is None:
        inside = {f"{closing.month}-pack/{name}": data for name, data in files.items()}
        apply(folder, Change({**closing.files, **inside}))
        return
    for name, data in files.items():
        check_ours(pack / name, data)
    apply(folder, Change(closing.files))
    pack.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (pack / name).write_bytes(data)


@click.command()
@click.argument("ledger", type=LEDGER)
@click.option("--seal", default="", help="Prove that this seal is in the chain.")
@_refusing
def verify(ledger: Path, seal: str) -> None:
    """Work all closed months of LEDGER out again, and compare them with what was frozen.

    Exits with 1 where they differ; changes nothing.
    """
    loaded = load(ledger)
    with progress("Working the closed months out again"):
        found = verified(loaded, seal)
    show_errors(loaded.errors)
    for each in found:
        place = f"{each.place}: " if each.place else ""
        month = f"{each.month}: " if each.month else ""
        click.echo(f"{place}{month}{each.text}", err=True)
    assert loaded.booking is not None
    closed = loaded.booking.chain.closed
    if not found and not loaded.errors:
        click.echo(
            f"{closed[0].month} to {closed[-1].month}: {len(closed)} closed months give the same "
            f"books again\nThe newest seal: {loaded.booking.chain.head}"
        )
    sys.exit(1 if found or loaded.errors else 0)


@click.command()
@click.argument("month", type=Month())
@click.argument("ledger", type=LEDGER)
@click.option("--reason", required=True, help="Why; it stands in the chain.")
@_refusing
def reopen(month: str, ledger: Path, reason: str) -> None:
    """Open MONTH of LEDGER and the months behind it again; what was frozen is moved and kept."""
    booking = load(ledger).booking
    if booking is None or not booking.chain.folder:
        raise CloseError(f"{month} is not closed: none is")
    folder = Path(booking.chain.folder)
    with locked(folder):
        loaded = load(ledger)  # again: an earlier run may just have been finished
        if loaded.booking is not None and loaded.booking.chain.head != booking.chain.head:
            click.echo(f"An earlier run was finished first: now closed are {_closed(loaded)}")
            if month not in [seal.month for seal in loaded.booking.chain.closed]:
                return
        found = reopened(month, reason, loaded)
        apply(folder, found.change)
    link: Reopening = found.link
    months = ", ".join(name for name, _ in link.seals)
    click.echo(f"Reopened {months}; what was frozen lies in {folder / 'reopened'}")


@click.command(name="carry")
@click.argument("ledger", type=LEDGER)
@click.argument("folder", type=FOLDER)
@click.option("--to", "year", type=click.IntRange(1, 9998), required=True, help="The next year.")
@_refusing
def carry_(ledger: Path, folder: Path, year: int) -> None:
    """Start the ledger of the next year in FOLDER: same terms, opening lots and balances."""
    loaded = load(ledger)
    _stop_on_errors(loaded)
    written = carry(loaded, year, folder)
    click.echo(f"Wrote {written}: {year} goes on from the books of {year - 1}")
