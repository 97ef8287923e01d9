"""What a simulation assumes: the usual, those of a file, or those fitted to a ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from beancount_compute.cli.printing import say
from beancount_compute.cli.shell import LEDGER, load, show_errors
from beancount_compute.close.loading import Loaded
from beancount_compute.close.storage import CloseError
from beancount_compute.ledger import bulk_folders
from beancount_compute.reports import read_books

if TYPE_CHECKING:
    from beancount_compute.simulation.assumptions import Assumptions
    from beancount_compute.simulation.likeness import Likeness

ASSUMPTIONS = click.option(
    "--assumptions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file such as the assumptions.toml that `simulate` writes; default: the usual ones.",
)
LIKE = click.option(
    "--like",
    type=LEDGER,
    help="Fit the assumptions to a ledger, and say what could not be fitted.",
)
SUBSCRIBERS = click.option(
    "--subscribers",
    type=click.IntRange(1, 1_000_000),
    help="At first; default: 1000, or with --like as many as the ledger has at its end.",
)


class Assumed(NamedTuple):
    """The assumptions, and with how many subscribers they begin."""

    assumed: Assumptions
    subscribers: int


@contextmanager
def insight_needed() -> Iterator[None]:
    """Say how to get the extra where a module of it is not installed."""
    try:
        yield
    except ImportError as error:
        raise CloseError(
            f'{error.name} is not installed: pip install "beancount_compute[insight]"'
        ) from None


def assumptions_asked(
    assumptions: Path | None, ledger: Path | None, subscribers: int | None
) -> Assumed:
    """Read or fit them; raises `CloseError` for what is wrong with a file or a ledger."""
    if assumptions and ledger:
        raise click.UsageError("--like fits the assumptions: leave --assumptions out, or --like")
    from beancount_compute.simulation.assumptions import (
        AssumptionError,
        read_assumptions,
        usual_text,
    )

    if ledger:
        with insight_needed():
            likeness = _like(ledger)
        if likeness.not_fitted:
            say(f"Not fitted to {ledger}, or not like it:", err=True)
        for note in likeness.not_fitted:
            say(f"  {note}", err=True)
        return Assumed(read_assumptions(likeness.text), subscribers or max(1, likeness.there))
    try:
        text = assumptions.read_text("utf-8") if assumptions else usual_text()
        return Assumed(read_assumptions(text), subscribers or 1000)
    except AssumptionError as error:
        raise CloseError(f"{assumptions}: {error}") from None
    except UnicodeDecodeError:
        raise CloseError(f"{assumptions} is no text in UTF-8") from None


def _like(ledger: Path) -> Likeness:
    from beancount_compute.simulation.likeness import like
    from beancount_compute.simulation.seen_economy import NothingSeen

    try:
        return like(read_books(*_clean(ledger)), ledger.name)
    except NothingSeen as error:
        raise CloseError(f"{ledger}: {error}") from None


def _clean(ledger: Path) -> tuple[Any, Any]:
    """The directives and options of a ledger without errors, and without months in bulk."""
    loaded = without_errors(ledger)
    if bulk_folders(loaded.options["include"]):
        raise CloseError(f"{ledger} has months in bulk: --like reads single transactions")
    return loaded.entries, loaded.options


def without_errors(ledger: Path) -> Loaded:
    """A ledger; raises `CloseError` where it has errors."""
    loaded = load(ledger)
    show_errors(loaded.errors)
    if loaded.errors:
        raise CloseError(f"{ledger} has errors: mend them first")
    return loaded
