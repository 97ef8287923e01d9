"""`bean-compute review`: what may be right but looks wrong, before a month is closed.

bean-compute review LEDGER                  all months that are open
bean-compute review LEDGER --month 2026-05  one, as if it were over
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from beancount_compute.cli.as_json import of_review, write_json
from beancount_compute.cli.printing import say
from beancount_compute.cli.shell import (
    FORMAT,
    LEDGER,
    MonthToClose,
    load,
    refusing,
    show_errors,
    show_findings,
    show_notes,
)
from beancount_compute.close.loading import Loaded
from beancount_compute.close.storage import CloseError
from beancount_compute.reports import counted, read_books
from beancount_compute.review import Review, review_month, review_open


@click.command(epilog="\b\nExample:\n  bean-compute review main.beancount --month 2026-05")
@click.argument("ledger", type=LEDGER)
@click.option("--month", type=MonthToClose(), help="Of this month alone, as if it were over.")
@FORMAT
@refusing
def review(ledger: Path, month: str | None, form: str) -> None:
    """List what may be right but looks wrong in the open months of LEDGER: its findings.

    Each has an id, its figures and its place. Those that are right are answered in the ledger; a
    month is not closed before. Exits with 1 where one has no answer, and on any error.
    """
    loaded = load(ledger)
    if form == "text":
        show_errors(loaded.errors)
    try:
        found = reviewed(loaded, month or "")
    except CloseError as error:
        if form == "json":
            write_json(of_review(str(error), month or "", loaded.errors, None))
        raise
    said = sentence(found, month or "the open months", len(loaded.errors))
    if form == "json":
        write_json(of_review(said, month or "", loaded.errors, found))
    else:
        show_findings(found)
        show_notes(found)
        say(said)
    sys.exit(1 if loaded.errors or found.unanswered else 0)


def reviewed(loaded: Loaded, month: str = "") -> Review:
    """The findings of a month, or of all open ones; raises `CloseError` without the plugin."""
    booking = loaded.booked
    books = read_books(loaded.entries, loaded.options)
    return review_month(booking, books, month) if month else review_open(booking, books)


def sentence(found: Review, where: str, errors: int) -> str:
    """What a review comes to; it does not see what the errors of a ledger left out."""
    wrong = f"; the ledger has {counted(errors, 'error')}" if errors else ""
    if not found.judged:
        return f"The review finds nothing in {where}{wrong}."
    many, left = len(found.judged), len(found.unanswered)
    without = "all answered" if not left else f"{left:,} without an answer"
    return f"The review has {counted(many, 'finding')} in {where}, {without}{wrong}."
