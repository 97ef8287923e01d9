"""`bean-compute check`: every error, what is open and earned, whether all agrees.

bean-compute check LEDGER
bean-compute check LEDGER --format json
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from beancount_compute.cli.as_json import of_check, write_json
from beancount_compute.cli.printing import say
from beancount_compute.cli.shell import (
    FORMAT,
    LEDGER,
    load,
    read_with_bulk,
    say_if_empty,
    show_errors,
    show_findings,
    width,
)
from beancount_compute.close.loading import Loaded
from beancount_compute.reports import counted, render, wrapped
from beancount_compute.reports.summary import Summary, summary_of
from beancount_compute.review import Review, notes_of, review_open

MOST_FILES = 3  # of which rows were skipped, before the rest is only counted


@click.command(epilog="\b\nExample:\n  bean-compute check main.beancount")
@click.argument("ledger", type=LEDGER)
@FORMAT
def check(ledger: Path, form: str) -> None:
    """Load LEDGER, print every error, then what is open, earned and whether it ties.

    The findings of the review follow, and one sentence that says whether all agrees. Exits with 1
    on any error, and where units or money don't tie; a finding stops a close, and not this.
    """
    loaded = load(ledger)
    books, of_bulk = read_with_bulk(loaded)
    loaded.errors.extend(of_bulk)
    summary = summary_of(books, loaded.entries)
    review = Review([], [])
    if loaded.booking is not None:
        review = review_open(loaded.booking, books.singly)
    notes = [*summary.notes(), *_skipped(loaded, ledger), *notes_of(review)]
    agrees = summary.ties and not loaded.errors
    sentence = _sentence(loaded, summary, review)
    if form == "json":
        tables, errors = summary.tables(), loaded.errors
        write_json(
            of_check(
                sentence, agrees=agrees, errors=errors, tables=tables, review=review, notes=notes
            )
        )
        sys.exit(0 if agrees else 1)
    show_errors(loaded.errors, to_stderr=False)
    say_if_empty(ledger, loaded)
    say(render(summary.tables(), width()))
    if review.judged:
        say()
        show_findings(review)
    for note in notes:
        say("\n" + "\n".join(wrapped(f"Note: {note}.", width())))
    say("\n" + "\n".join(wrapped(sentence, width())))
    sys.exit(0 if agrees else 1)


def _sentence(loaded: Loaded, summary: Summary, review: Review) -> str:
    """Whether all agrees, and what does not."""
    left = len(review.unanswered)
    open_ones = f"{counted(left, 'finding')} without an answer" if left else ""
    wrong = [counted(len(loaded.errors), "error")] if loaded.errors else []
    wrong += [] if summary.ties else ["units or money that don't tie"]
    if wrong:
        return f"Not all agrees: {', '.join([*wrong, *filter(None, [open_ones])])}."
    return f"All agrees: no error, units and money tie; {open_ones or 'no finding is open'}."


def _skipped(loaded: Loaded, ledger: Path) -> Iterator[str]:
    """The rows of event files that say nothing, and were passed over."""
    skipped: Mapping[tuple[str, str], int] = loaded.booking.skipped if loaded.booking else {}
    by_what: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for (path, what), number in sorted(skipped.items()):
        by_what[what].append((os.path.relpath(path, ledger.parent), number))
    for what, files in sorted(by_what.items()):
        listed = [f"{number:,} in {path}" for path, number in files[:MOST_FILES]]
        rest = files[MOST_FILES:]
        if rest:
            others = counted(len(rest), "other file")
            listed.append(f"{sum(number for _, number in rest):,} in {others}")
        yield f"{what} were skipped: {', '.join(listed)}"
