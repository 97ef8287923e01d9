"""`bean-compute check | accounts | print | new`: a ledger looked at, written out, begun."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.resources import files
from itertools import islice
from pathlib import Path
from unicodedata import normalize

import click

from beancount_compute.cli.printing import hand_on, say
from beancount_compute.cli.shell import FOLDER, LEDGER, load, show_errors, width
from beancount_compute.closed import INDEX
from beancount_compute.economy import Role, like, quoted
from beancount_compute.ledger import booked_text
from beancount_compute.reports import (
    SUBSCRIBER,
    Books,
    Cell,
    Column,
    Table,
    csv_of,
    read_books,
    render,
)

PIECES_AT_ONCE = 1000
_ROLES = (Role.RECEIVABLE, Role.PAYABLE, Role.ALLOCATIONS, Role.TOKENS)
_COLUMNS_OF_ROLES = [  # on a narrow terminal the last go first
    Column(role.value, role.value, aside=at, whole=True) for at, role in enumerate(_ROLES)
]


@click.command(
    epilog="\b\nExample:\n  bean-compute accounts main.beancount --format csv > accounts.csv"
)
@click.argument("ledger", type=LEDGER)
@click.option("--subscriber", default="", help="Only of this subscriber.")
@click.option("--format", "form", type=click.Choice(["text", "csv"]), default="text")
def accounts(ledger: Path, subscriber: str, form: str) -> None:
    """List the subscribers of LEDGER with their component and accounts.

    A customer's payment goes against the receivable, a payout against the payable. An account with
    {plan} in its name is one for each plan. Errors of the ledger go to standard error; any makes
    the exit code 1.
    """
    loaded = load(ledger)
    show_errors(loaded.errors, to_stderr=True)
    books = read_books(loaded.entries, loaded.options)
    name = normalize("NFC", subscriber.strip())
    if name and name not in books.subscribers:
        meant = like(name, books.subscribers)
        raise click.UsageError(f"the ledger has no subscriber {quoted(name)}{meant}")
    table = accounts_table(books, [name] if name else books.subscribers)
    if form == "csv":
        hand_on(csv_of([table]))
    else:
        say(render([table], width()))
    sys.exit(1 if loaded.errors else 0)


def accounts_table(books: Books, names: Iterable[str]) -> Table:
    """The component and accounts of these subscribers: where to post what a customer pays."""
    component, account = books.accounts.component, books.accounts.account_of
    rows: list[tuple[Cell, ...]] = [
        (name, component(name), *(account(role, name) for role in _ROLES)) for name in sorted(names)
    ]
    header = (
        SUBSCRIBER._replace(whole=True),
        Column("component", "component", whole=True),
        *_COLUMNS_OF_ROLES,
    )
    return Table("Accounts of subscribers", header, rows, "accounts")


@click.command(
    name="print", epilog="\b\nExample:\n  bean-compute print main.beancount > booked.beancount"
)
@click.argument("ledger", type=LEDGER)
def print_(ledger: Path) -> None:
    """Print the booked LEDGER as plain Beancount text, which loads without the plugin.

    Errors of the ledger go to standard error; any makes the exit code 1.
    """
    loaded = load(ledger)
    show_errors(loaded.errors, to_stderr=True)
    pieces = booked_text(loaded.entries, loaded.options)
    while chunk := "".join(islice(pieces, PIECES_AT_ONCE)):
        hand_on(chunk)
    sys.exit(1 if loaded.errors else 0)


@click.command(epilog="\b\nExample:\n  bean-compute new books")
@click.argument("folder", type=FOLDER)
def new(folder: Path) -> None:
    """Write a small commented ledger to start from into FOLDER."""
    template = files("beancount_compute") / "new_ledger"
    names = ("main.beancount", "events.csv", f"closed/{INDEX}")
    try:
        there = [name for name in names if (folder / name).exists()]
        if there:
            raise click.ClickException(f"{folder / there[0]} exists already: name another folder")
        (folder / "closed").mkdir(parents=True, exist_ok=True)
        for name in names:
            text = (template / name).read_text(encoding="utf-8")
            with open(folder / name, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise click.ClickException(f"can't write to {folder}: {error.strerror}") from None
    say(f"Wrote {folder / names[0]} and {folder / names[1]}. Next:\n")
    say(f"  bean-check {folder / names[0]}\n  fava {folder / names[0]}")
