"""`bean-compute verify | reopen | carry`: closed months proved, opened again, carried on."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from beancount_compute.cli.months import FOLDER, MonthToClose, behind_a_link, loaded_from, refusing
from beancount_compute.cli.shell import LEDGER, progress, show_errors
from beancount_compute.close.carrying_over import carry
from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.reopening import reopen as reopened
from beancount_compute.close.storage import CloseError, apply, locked
from beancount_compute.close.verifying import verify as verified
from beancount_compute.closed.chain import Reopening
from beancount_compute.reports.tables import counted

_SEAL = re.compile(r"(sha256:)?([0-9a-f]{64})", re.ASCII)


def _seal(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str:
    """A seal as the index writes it; "" where none is asked for."""
    if text is None:
        return ""
    found = _SEAL.fullmatch(text.strip().lower())
    if found is None:
        raise click.BadParameter(
            f"{text!r} is no seal: write sha256: and the 64 digits that `close` printed"
        )
    return f"sha256:{found[2]}"


@click.command(epilog="\b\nExample:\n  bean-compute verify main.beancount")
@click.argument("ledger", type=LEDGER)
@click.option("--seal", callback=_seal, help="Prove that this seal is in the chain.")
@refusing
def verify(ledger: Path, seal: str) -> None:
    """Work all closed months of LEDGER out again, and compare them with what was frozen.

    Exits with 1 where they differ; changes nothing.
    """
    loaded = loaded_from(ledger)
    show_errors(loaded.errors)
    if loaded.errors and (hint := behind_a_link(ledger)):
        raise CloseError(hint)
    with progress("Working the closed months out again"):
        found = verified(loaded, ledger, seal)
    for each in found:
        place = f"{each.place}: " if each.place else ""
        month = f"{each.month}: " if each.month else ""
        click.echo(f"{place}{month}{each.text}", err=True)
    if not found and not loaded.errors:
        click.echo(_agreed(loaded))
    sys.exit(1 if found or loaded.errors else 0)


def _agreed(loaded: Loaded) -> str:
    assert loaded.booking is not None
    chain = loaded.booking.chain
    if not chain.closed:
        return "no month is closed yet: nothing to verify"
    first, last, many = chain.closed[0].month, chain.closed[-1].month, len(chain.closed)
    said = f"{first}: 1 closed month gives" if many == 1 else f"{first} to {last}: {many} closed"
    said += "" if many == 1 else " months give"
    return f"{said} the same books again\nThe newest seal: {chain.head}"


@click.command(
    epilog="\b\nExample:\n"
    "  bean-compute reopen 2026-12 main.beancount --reason 'an invoice came late'"
)
@click.argument("month", type=MonthToClose())
@click.argument("ledger", type=LEDGER)
@click.option("--reason", required=True, help="Why; it stands in the chain.")
@refusing
def reopen(month: str, ledger: Path, reason: str) -> None:
    """Open MONTH of LEDGER and the months behind it again; what was frozen is moved and kept."""
    loaded = load(ledger)
    booking = loaded.booking
    if booking is None or not booking.chain.folder:
        show_errors(loaded.errors)
        raise CloseError(behind_a_link(ledger) or f"{month} is not closed: none is")
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


def _closed(loaded: Loaded) -> str:
    booking = loaded.booking
    months = [seal.month for seal in booking.chain.closed] if booking else []
    return f"{months[0]} to {months[-1]}" if months else "no months"


@click.command(
    name="carry", epilog="\b\nExample:\n  bean-compute carry main.beancount --to 2027 next-year"
)
@click.argument("ledger", type=LEDGER)
@click.argument("folder", type=FOLDER)
@click.option("--to", "year", type=click.IntRange(1, 9998), required=True, help="The next year.")
@refusing
def carry_(ledger: Path, folder: Path, year: int) -> None:
    """Start the ledger of the next year in FOLDER: same terms, opening lots and balances."""
    loaded = load(ledger)
    if loaded.errors:
        show_errors(loaded.errors)
        errors = counted(len(loaded.errors), "error")
        raise CloseError(f"the ledger has {errors}: nothing was written")
    written = carry(loaded, year, folder)
    click.echo(f"Wrote {written}: {year} goes on from the books of {year - 1}")
