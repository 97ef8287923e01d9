"""`bean-compute export`: a month's journal as files that a general ledger imports.

bean-compute export 2026-05 LEDGER --format csv                       to standard output
bean-compute export 2026-05 LEDGER --format xero --map accounts.csv --out gl
bean-compute export 2026-05 LEDGER --format xero --map accounts.csv --out gl --correction
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from beancount_compute.cli.printing import hand_on, say
from beancount_compute.cli.shell import FOLDER, LEDGER, MonthToClose, load, refusing, show_errors
from beancount_compute.close.general_ledger.account_map import (
    AccountMap,
    MapError,
    NoMap,
    Unmapped,
    read_map,
)
from beancount_compute.close.general_ledger.formats import By, LimitExceeded
from beancount_compute.close.general_ledger.month_export import (
    FORMATS,
    ExportRequest,
    File,
    rounding_account,
)
from beancount_compute.close.general_ledger.remembered_export import (
    Outgoing,
    outgoing,
    outgoing_correction,
    remember,
)
from beancount_compute.close.general_ledger.slots import Only
from beancount_compute.close.places_to_write import check_unread
from beancount_compute.close.standing import Months, months_of
from beancount_compute.economy import Month
from beancount_compute.ledger import BULK_TAG
from beancount_compute.reports import Books, read_books


@click.command(
    name="export",
    epilog="\b\nExample:\n"
    "  bean-compute export 2026-12 main.beancount --format quickbooks --out gl",
)
@click.argument("month", type=MonthToClose())
@click.argument("ledger", type=LEDGER)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), required=True)
@click.option(
    "--by", type=click.Choice([each.value for each in By]), default="account", show_default=True
)
@click.option(
    "--only",
    type=click.Choice([each.value for each in Only]),
    default="booked",
    show_default=True,
    help="What the plugin booked, or all transactions.",
)
@click.option("--correction", is_flag=True, help="The difference to what was exported before.")
@click.option(
    "--map", "accounts", type=LEDGER, help="CSV: account,code,name; a line covers a branch."
)
@click.option("--out", type=FOLDER, help="Folder to write to; csv goes to standard output.")
@click.option("--subsidiary", default="", help="Of NetSuite OneWorld.")
@refusing
def export_command(
    month: str,
    ledger: Path,
    form: str,
    by: str,
    only: str,
    correction: bool,
    accounts: Path | None,
    out: Path | None,
    subsidiary: str,
) -> None:
    """Write MONTH of LEDGER as balanced journals for a general ledger.

    Refuses a ledger with errors, accounts that the map leaves out, and a closed month that was
    exported with other figures before: what changed is its correction.
    """
    entries, errors, options, _ = load(ledger)
    if errors:
        show_errors(errors)
        raise click.ClickException(f"nothing exported: {ledger} has errors, see above")
    names = _map(accounts)
    known = names or (AccountMap({}) if FORMATS[form].needs_map else NoMap())
    request = ExportRequest(
        FORMATS[form], By(by), Only(only), known, rounding_account(options), subsidiary
    )
    books = read_books(entries, options)
    _check_by(books, month, By(by))
    months = months_of(entries, books)
    find = outgoing_correction if correction else outgoing
    try:
        found = find(books, months, Month.parse(month), request)
    except Unmapped as error:
        branches = sorted({books.accounts.branch(account) for account in error.accounts})
        raise click.ClickException(_what_to_map(branches, form, names)) from None
    except LimitExceeded as error:
        raise click.ClickException(str(error)) from None
    if not found.files:
        say(_nothing(books, month, correction=correction), err=True)
        return
    folder = None if out is None and form == "csv" else out or Path()
    if folder is not None:
        _check_folder(folder, months)
        check_unread(entries, options, [folder / each.name for each in found.files])
    if found.warning:
        say(found.warning, err=True)
    _hand_out(found, folder)


def _check_by(books: Books, month: str, by: By) -> None:
    """A journal in bulk has pooled accounts alone."""
    if by is By.ACCOUNT:
        return
    for entry in books.transactions:
        if BULK_TAG in entry.tags and Month.of(entry.date).name == month:
            raise click.ClickException(
                f"{month} was booked in bulk, and its journal has no lines by {by}: nothing was "
                "exported: take --by account; days.parquet of the month says the plans, "
                "movements.parquet the subscribers"
            )


def _check_folder(folder: Path, months: Months) -> None:
    closed = months.chain.folder
    if closed and folder.resolve().is_relative_to(Path(closed).resolve()):
        raise click.ClickException(
            f"{folder} holds closed months: nothing was exported: name another folder with --out"
        )


def _nothing(books: Books, month: str, *, correction: bool) -> str:
    if correction:
        return f"Nothing to correct: {month} says what was exported of it."
    if any(Month.of(entry.date).name == month for entry in books.transactions):
        return (
            f"Nothing to export: the plugin booked nothing in {month}; --only all takes the rest."
        )
    return f"Nothing to export: nothing was booked in {month}."


def _hand_out(found: Outgoing, folder: Path | None) -> None:
    """The files first, then the record of them: a run that was killed gives the same again."""
    if folder is None:
        hand_on(found.files[0].text)
    else:
        _write(found.files, folder)
    remember(found)


def _map(path: Path | None) -> AccountMap | None:
    if path is None:
        return None
    try:
        return read_map(path.read_text(encoding="utf-8"), str(path))
    except MapError as error:
        raise click.ClickException(str(error)) from None
    except UnicodeError:
        raise click.ClickException(
            f"can't read {path}: it is not UTF-8 text; save the map as CSV in UTF-8"
        ) from None
    except OSError as error:
        raise click.ClickException(f"can't read {path}: {error.strerror or error}") from None


def _what_to_map(accounts: list[str], form: str, names: AccountMap | None) -> str:
    """All that the map leaves out, as lines to complete and paste."""
    lines = "\n".join(f"{account},," for account in accounts)
    if names is not None:
        return f"not in the map; complete these lines (account,code,name) and add them:\n\n{lines}"
    return (
        f"{form} needs --map with a file such as this, completed (a line stands for all accounts "
        f"below it as well):\n\naccount,code,name\n{lines}"
    )


def _write(files: list[File], folder: Path) -> None:
    """Write all files or none; a file that holds something else is never overwritten."""
    parts: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = [each for each in files if not _is_there(folder / each.name, each.text)]
        for each in new:
            part, path = folder / f".{each.name}.part", folder / each.name
            part.unlink(missing_ok=True)  # of a run that was killed, or a link to elsewhere
            with open(part, "x", encoding="utf-8", newline="") as file:
                parts[part] = path
                file.write(each.text)
        for part, path in parts.items():
            os.replace(part, path)
    except OSError as error:
        raise click.ClickException(f"can't write to {folder}: {error.strerror}") from None
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    for each in files:
        verb = "Wrote" if each in new else "Unchanged:"
        say(f"{verb} {folder / each.name}")


def _is_there(path: Path, text: str) -> bool:
    if not path.exists():
        return False
    if path.read_bytes() == text.encode():
        return True
    raise click.ClickException(
        f"{path} exists already and holds something else: name another folder with --out, or "
        "move it away"
    )
