"""`bean-compute close`: a month tied out, frozen and sealed, or the empty index to begin with."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import click

from beancount_compute.cli.months import (
    FOLDER,
    MonthToClose,
    behind_a_link,
    ledger_and_folder,
    refusing,
)
from beancount_compute.cli.shell import LEDGER, progress, show_errors, width
from beancount_compute.close.closed_month import ClosedMonth, closed_month, seal_of
from beancount_compute.close.closing import INDEX_HEAD, Closing, prepare
from beancount_compute.close.loading import CLOSED, Loaded, check_included, index_seen, unreadable
from beancount_compute.close.pack import pack_files
from beancount_compute.close.proving import BOOKS_HEAD, prove
from beancount_compute.close.storage import BOOKS, Change, CloseError, apply, check_ours
from beancount_compute.close.tie_outs import tables
from beancount_compute.closed.chain import Seal
from beancount_compute.closed.files import INDEX
from beancount_compute.reports.tables import counted
from beancount_compute.reports.text_face import render


@click.command(epilog="\b\nExample:\n  bean-compute close 2026-12 main.beancount")
@click.argument("words", nargs=-1, required=True, metavar="MONTH LEDGER")
@click.option("--into", type=FOLDER, help="The folder of closed months; default: closed.")
@click.option("--pack", type=FOLDER, help="Where the close pack goes; default: MONTH-pack there.")
@click.option("--dry-run", is_flag=True, help="Show everything, write nothing.")
@click.option("--init", is_flag=True, help="Write an empty index to begin with; takes no MONTH.")
@refusing
def close(
    words: tuple[str, ...], into: Path | None, pack: Path | None, dry_run: bool, init: bool
) -> None:
    """Close MONTH of LEDGER: tie out, freeze and seal it, write the close pack.

    Stops with 1, and writes nothing, where anything disagrees or the ledger has errors. For a month
    that is closed already it only writes the pack, if that is gone or --pack names another place.
    """
    month, ledger = _month_and_ledger(words, init)
    if init:
        _init(ledger, into or ledger.parent / CLOSED)
        return
    with ledger_and_folder(ledger, into, writes=not dry_run) as (loaded, folder):
        show_errors(loaded.errors)
        if not dry_run:
            _check_index(folder, ledger, into)
        if loaded.errors:
            errors = counted(len(loaded.errors), "error")
            raise CloseError(f"the ledger has {errors}: nothing was written")
        check_included(loaded, ledger, folder)
        if seal := seal_of(loaded, month):
            _closed_already(seal, loaded, folder, pack, dry_run=dry_run)
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
    month = "" if init else MonthToClose().convert(words[0], None, None)
    ledger: Path = LEDGER.convert(words[-1], None, None)
    if not ledger.is_file():
        raise click.UsageError(f"{ledger} is no file: name a ledger")
    return month, ledger


def _init(ledger: Path, folder: Path) -> None:
    if reason := unreadable(ledger):
        raise CloseError(f"{ledger} can't be read as a ledger ({reason}): nothing was written")
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
        f'Wrote {folder / INDEX}. Add to {ledger}:\n\n  include "{index_seen(ledger, folder)}"'
    )


def _check_index(folder: Path, ledger: Path, into: Path | None) -> None:
    """Say how to write the index where there is none."""
    if (folder / INDEX).exists():
        return
    asked = f" --into {into}" if into else ""
    raise CloseError(
        behind_a_link(ledger)
        or f"no index of closed months in {folder}: write one with  bean-compute close --init "
        f"{ledger}{asked}"
    )


def _closed_already(
    seal: Seal, loaded: Loaded, folder: Path, pack: Path | None, *, dry_run: bool
) -> None:
    """Show the seal; write the pack where it is gone, or asked for in another place."""
    click.echo(f"{seal.month} is closed already. Its seal:\n{seal.digest}")
    place = pack or folder / f"{seal.month}-pack"
    if dry_run or (pack is None and place.exists()):
        return
    assert loaded.booking is not None
    with progress("Writing the close pack"):
        files = _pack(closed_month(seal, loaded, loaded.booking), loaded)
    new = [name for name in files if not (place / name).exists()]
    _write_pack(seal.month, files, folder, pack)
    click.echo(f"Wrote its close pack to {place}" if new else f"Its close pack is in {place}")


def _show(closing: Closing) -> None:
    late = f", {closing.late} of them late" if closing.late else ""
    click.echo(f"{closing.month}: {counted(closing.events, 'event')}{late}\n")
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


def _pack(closing: Closing | ClosedMonth, loaded: Loaded) -> dict[str, bytes]:
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
        apply(folder, Change({**closing.files, **_inside(closing.month, files)}))
        return
    for name, data in files.items():
        check_ours(pack / name, data)
    apply(folder, Change(closing.files))
    _write_pack(closing.month, files, folder, pack)


def _write_pack(month: str, files: dict[str, bytes], folder: Path, pack: Path | None) -> None:
    """Write what is not there yet; a file that holds something else is never overwritten."""
    if pack is None:
        apply(folder, Change(_inside(month, files)))
        return
    for name, data in files.items():
        check_ours(pack / name, data)
    pack.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (pack / name).write_bytes(data)


def _inside(month: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{month}-pack/{name}": data for name, data in files.items()}
