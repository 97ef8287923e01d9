"""`bean-compute export`: a month's journal as files that a general ledger imports.

bean-compute export 2026-05 LEDGER --format csv                       to standard output
bean-compute export 2026-05 LEDGER --format xero --map accounts.csv --out gl
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from beancount_compute.cli.printing import hand_on, say
from beancount_compute.cli.shell import FOLDER, LEDGER, MonthToClose, load, show_errors
from beancount_compute.close.general_ledger.account_map import (
    AccountMap,
    MapError,
    NoMap,
    Unmapped,
    read_map,
)
from beancount_compute.close.general_ledger.formats import By, Format, LimitExceeded
from beancount_compute.close.general_ledger.month_export import (
    FORMATS,
    File,
    export,
    rounding_account,
)
from beancount_compute.close.standing import Months, months_of
from beancount_compute.economy import Month
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
@click.option("--map", "accounts", type=LEDGER, help="CSV: account,code,name")
@click.option("--out", type=FOLDER, help="Folder to write to; csv goes to standard output.")
@click.option("--subsidiary", default="", help="Of NetSuite OneWorld.")
def export_command(
    month: str,
    ledger: Path,
    form: str,
    by: str,
    accounts: Path | None,
    out: Path | None,
    subsidiary: str,
) -> None:
    """Write MONTH of LEDGER as balanced journals for a general ledger.

    Refuses a ledger with errors, and accounts that the map leaves out.
    """
    entries, errors, options, _ = load(ledger)
    if errors:
        show_errors(errors)
        raise click.ClickException(f"nothing exported: {ledger} has errors, see above")
    names = _map(accounts)
    books = read_books(entries, options)
    files = _export(books, options, Month.parse(month), FORMATS[form], By(by), names, subsidiary)
    if not files:
        say(f"Nothing to export: nothing was booked in {month}.", err=True)
        return
    if may_change(months_of(entries, books), month):
        say(f"Warning: {month} is not closed: its figures may change.", err=True)
    if out is None and form == "csv":
        hand_on(files[0].text)
    else:
        _write(files, out or Path())


def may_change(months: Months, month: str) -> bool:
    """Whether a month is one to close that is not closed, or was opened again.

    What stands before the first month to close is frozen with that one, never by itself.
    """
    closed = [seal.month for seal in months.chain.closed]
    first = closed[0] if closed else months.next_to_close
    return first is not None and month >= first and month not in closed


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


def _export(
    books: Books,
    options: dict[str, Any],
    month: Month,
    form: Format,
    by: By,
    names: AccountMap | None,
    subsidiary: str,
) -> list[File]:
    known = names or (AccountMap({}) if form.needs_map else NoMap())
    try:
        return export(books, month, form, by, known, rounding_account(options), subsidiary)
    except Unmapped as error:
        raise click.ClickException(_what_to_map(error.accounts, form, names)) from None
    except LimitExceeded as error:
        raise click.ClickException(str(error)) from None


def _what_to_map(accounts: list[str], form: Format, names: AccountMap | None) -> str:
    """All that the map leaves out, as lines to complete and paste."""
    lines = "\n".join(f"{account},," for account in accounts)
    if names is not None:
        return f"not in the map; complete these lines (account,code,name) and add them:\n\n{lines}"
    return (
        f"{form.name} needs --map with a file such as this, completed (a line stands for all "
        f"accounts below it as well):\n\naccount,code,name\n{lines}"
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
