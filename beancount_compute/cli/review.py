"""`bean-compute review`: what may be right but looks wrong, before a month is closed.

bean-compute review LEDGER                  all months that are open
bean-compute review LEDGER --month 2026-05  one, as if it were over
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from beancount_compute.cli.printing import say
from beancount_compute.cli.shell import (
    LEDGER,
    MonthToClose,
    load,
    refusing,
    show_errors,
    show_unanswered,
    width,
)
from beancount_compute.close.reviewed import reviewed
from beancount_compute.reports import counted, render, wrapped
from beancount_compute.review import Review, notes_of, table_of


@click.command(epilog="\b\nExample:\n  bean-compute review main.beancount --month 2026-05")
@click.argument("ledger", type=LEDGER)
@click.option("--month", type=MonthToClose(), help="Of this month alone, as if it were over.")
@refusing
def review(ledger: Path, month: str | None) -> None:
    """List what may be right but looks wrong in the open months of LEDGER: its findings.

    Each has an id, its figures and its place. Those that are right are answered in the ledger; a
    month is not closed before. Exits with 1 where one has no answer, and on any error.
    """
    loaded = load(ledger)
    show_errors(loaded.errors)
    found = reviewed(loaded, month or "")
    show_review(found)
    say(sentence(found, month or "the open months"))
    sys.exit(1 if loaded.errors or found.unanswered else 0)


def show_review(found: Review) -> None:
    """The findings: first those that are answered, then the others with the lines to paste."""
    answered = [each for each in found.judged if each.answer is not None]
    if answered:
        say(render([table_of(answered, "Answered")], width()) + "\n")
    show_unanswered(found.unanswered)
    for note in notes_of(found):
        say("\n".join(wrapped(f"Note: {note}.", width())) + "\n")


def sentence(found: Review, where: str) -> str:
    """What a review comes to."""
    if not found.judged:
        return f"The review finds nothing in {where}."
    many, left = len(found.judged), len(found.unanswered)
    without = "all answered" if not left else f"{left:,} without an answer"
    return f"The review has {counted(many, 'finding')} in {where}, {without}."
