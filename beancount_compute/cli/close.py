"""`bean-compute close | verify | reopen | carry`: months frozen, proved, opened again, carried on.

bean-compute close 2026-05 LEDGER                    tie out, freeze and seal; write the close pack
bean-compute verify LEDGER                           work all closed months out again
bean-compute reopen 2026-05 LEDGER --reason "..."    open it and those behind it again
bean-compute carry LEDGER FOLDER --to 2027           the ledger of the next year
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from beancount_compute.cli.as_json import of_close, of_init, of_verify, write_json
from beancount_compute.cli.printing import say, shown
from beancount_compute.cli.shell import (
    FOLDER,
    FORMAT,
    LEDGER,
    MonthToClose,
    progress,
    refusing,
    show_errors,
    show_findings,
    show_notes,
    width,
)
from beancount_compute.close.carrying_over import carry
from beancount_compute.close.closing import Closing
from beancount_compute.close.difference import Difference
from beancount_compute.close.loading import CLOSED, Loaded, index_seen, load
from beancount_compute.close.open_month import counted_events
from beancount_compute.close.reopening import reopen as reopened
from beancount_compute.close.sealing import (
    CloseResult,
    NotClosed,
    begin,
    behind_a_link,
    close_month,
)
from beancount_compute.close.storage import BOOKS, CloseError, apply, locked
from beancount_compute.close.tie_outs import tables
from beancount_compute.close.verifying import verify as verified
from beancount_compute.close.verifying_bulk import months_in_bulk
from beancount_compute.closed import INDEX, Reopening
from beancount_compute.reports import counted, render

_SEAL = re.compile(r"(sha256:)?([0-9a-f]{64})", re.ASCII)


@click.command(epilog="\b\nExample:\n  bean-compute close 2026-12 main.beancount")
@click.argument("words", nargs=-1, required=True, metavar="MONTH LEDGER")
@click.option("--into", type=FOLDER, help="The folder of closed months; default: closed.")
@click.option("--pack", type=FOLDER, help="Where the close pack goes; default: MONTH-pack there.")
@click.option("--dry-run", is_flag=True, help="Show everything, write nothing.")
@click.option("--init", is_flag=True, help="Write an empty index to begin with; takes no MONTH.")
@FORMAT
@refusing
def close(
    words: tuple[str, ...],
    into: Path | None,
    pack: Path | None,
    dry_run: bool,
    init: bool,
    form: str,
) -> None:
    """Close MONTH of LEDGER: tie out, freeze and seal it, write the close pack.

    Stops with 1, and writes nothing, where anything disagrees, the ledger has errors, or a finding
    of the review has no answer. For a month that is closed already it only writes the pack, if that
    is gone or --pack names another place.
    """
    month, ledger = _month_and_ledger(words, init)
    if init:
        _begin(ledger, into or ledger.parent / CLOSED, form)
        return
    try:
        outcome = close_month(month, ledger, into, pack, dry_run=dry_run, step=progress)
    except CloseError as stopped:
        if form == "json":
            write_json(of_close(month, None, stopped, dry_run=dry_run))
        elif isinstance(stopped, NotClosed):
            _show_stopped(stopped)
        raise
    if form == "json":
        write_json(of_close(month, outcome, None, dry_run=dry_run))
    else:
        _show_result(outcome, dry_run=dry_run)


def _begin(ledger: Path, folder: Path, form: str) -> None:
    try:
        begin(ledger, folder)
    except CloseError as stopped:
        if form == "json":
            write_json(of_init(str(stopped), written=False))
        raise
    wrote, line = f"Wrote {folder / INDEX}. Add to {ledger}:", index_seen(ledger, folder)
    if form == "json":
        write_json(of_init(f'{wrote} include "{line}"', written=True))
    else:
        say(f'{wrote}\n\n  include "{line}"')


def _show_stopped(stopped: NotClosed) -> None:
    show_errors(stopped.errors)
    if stopped.closing is not None:
        _show(stopped.closing)
    for line in stopped.differences:
        say(f"{BOOKS}: {line}", err=True)


def _month_and_ledger(words: tuple[str, ...], init: bool) -> tuple[str, Path]:
    if len(words) != (1 if init else 2):
        raise click.UsageError("write  bean-compute close 2026-05 LEDGER, or close --init LEDGER")
    month = "" if init else MonthToClose().convert(words[0], None, None)
    ledger: Path = LEDGER.convert(words[-1], None, None)
    if not ledger.is_file():
        raise click.UsageError(f"{ledger} is no plain file: name a ledger")
    return month, ledger


def _show_result(outcome: CloseResult, *, dry_run: bool) -> None:
    seal, pack = outcome.seal, outcome.pack
    if outcome.closing is None:
        say(f"{seal.month} is closed already. Its seal:\n{seal.digest}")
        if outcome.pack_files is not None:
            verb = "Wrote its close pack to" if outcome.pack_files else "Its close pack is in"
            say(f"{verb} {pack}")
        return
    _show(outcome.closing)
    say("books.beancount loads with Beancount alone to the same balances and lots")
    if dry_run:
        say(f"Dry run: nothing was written. The seal would be\n{seal.digest}")
    else:
        say(f"Closed {seal.month}. Keep its seal elsewhere:\n{seal.digest}")


def _show(closing: Closing) -> None:
    in_bulk = f", {counted(closing.bulk.rows, 'row')} in bulk" if closing.bulk else ""
    say(f"{closing.month}: {counted_events(closing.events, closing.late)}{in_bulk}\n")
    say(f"{render(tables(closing.ties), width())}\n")
    show_findings(closing.review)
    show_notes(closing.review)


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
@click.option("--seal", callback=_seal, help="Prove that this seal is in the chain, and current.")
@FORMAT
@refusing
def verify(ledger: Path, seal: str, form: str) -> None:
    """Work all closed months of LEDGER out again, and compare them with what was frozen.

    Exits with 1 where they differ; changes nothing.
    """
    with progress(f"Loading {ledger.name}"):
        loaded = load(ledger)
    if form == "text":
        show_errors(loaded.errors)
    try:
        if loaded.errors and (hint := behind_a_link(ledger)):
            raise CloseError(hint)
        with progress("Working the closed months out again"):
            found = verified(loaded, ledger, seal)
        more, left_out = _booked_again(loaded, found)
        found += more
    except CloseError as stopped:
        if form == "json":
            write_json(_verify_as_json(loaded, [], str(stopped)))
        raise
    if form == "json":
        write_json(_verify_as_json(loaded, found, left_out=left_out))
    else:
        for each in found:
            say(": ".join(filter(None, (each.place, each.month, each.text))), err=True)
        if not found and not loaded.errors:
            say(_agreed(loaded))
        for each_left in left_out:
            say(each_left)
    sys.exit(1 if found or loaded.errors else 0)


def _booked_again(
    loaded: Loaded, found: Sequence[Difference]
) -> tuple[list[Difference], list[str]]:
    """What months in bulk say otherwise, booked again, and why some could not be.

    Of those whose files were changed it is known already.
    """
    told = {each.month for each in found}
    months = [each for each in months_in_bulk(loaded) if each[0] not in told]
    if not months:
        return [], []
    from beancount_compute.bulk.booked_again import Unbooked, booked_again

    more: list[Difference] = []
    left_out: list[str] = []
    for month, folder in months:
        with progress(f"Booking {month} again"):
            try:
                more += booked_again(month, folder, loaded, partial(say, err=True))
            except Unbooked as why:
                left_out.append(f"{month} was not booked again: {why}")
    return more, left_out


def _verify_as_json(
    loaded: Loaded, found: list[Difference], stopped: str = "", left_out: Sequence[str] = ()
) -> dict[str, object]:
    chain = loaded.booking.chain if loaded.booking else None
    sentence = stopped
    if not sentence and (found or loaded.errors):
        wrong = (counted(len(loaded.errors), "error"), counted(len(found), "difference"))
        sentence = f"Not all agrees: {' and '.join(wrong)}."
    return of_verify(
        " ".join([sentence or _agreed(loaded).partition("\n")[0] + ".", *left_out]),
        errors=loaded.errors,
        differences=found,
        closed=[seal.month for seal in chain.closed] if chain else [],
        seal=chain.head if chain and chain.closed else None,
        stopped=bool(stopped),
    )


def _agreed(loaded: Loaded) -> str:
    chain = loaded.booked.chain
    if not chain.closed:
        return "no month is closed yet: nothing to verify"
    first, last, many = chain.closed[0].month, chain.closed[-1].month, len(chain.closed)
    what = f"{first}: 1 closed month gives"
    if many > 1:
        what = f"{first} to {last}: {many} closed months give"
    return f"{what} the same books again\nThe newest seal: {chain.head}"


def _text(_ctx: click.Context, _param: click.Parameter, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of another encoding
        raise click.BadParameter(f"{shown(text)} is not UTF-8 text") from None
    return text


@click.command(
    epilog="\b\nExample:\n"
    "  bean-compute reopen 2026-12 main.beancount --reason 'an invoice came late'"
)
@click.argument("month", type=MonthToClose())
@click.argument("ledger", type=LEDGER)
@click.option("--reason", required=True, callback=_text, help="Why; it stands in the chain.")
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
            say(f"An earlier run was finished first: now closed are {_closed(loaded)}")
            if month not in [seal.month for seal in loaded.closed]:
                return
        found = reopened(month, reason, loaded)
        apply(folder, found.change)
    link: Reopening = found.link
    months = ", ".join(name for name, _ in link.seals)
    say(f"Reopened {months}; what was frozen lies in {folder / 'reopened'}")


def _closed(loaded: Loaded) -> str:
    months = [seal.month for seal in loaded.closed]
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
    say(f"Wrote {written}: {year} goes on from the books of {year - 1}")
