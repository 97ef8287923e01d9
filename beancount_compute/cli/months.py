"""What the commands of the month end share: months, folders, and what stops them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click

from beancount_compute.cli.shell import progress
from beancount_compute.close.loading import CLOSED, Loaded, load
from beancount_compute.close.standing import index_folder
from beancount_compute.close.storage import CloseError, locked
from beancount_compute.closed.chain import can_close
from beancount_compute.closed.files import INDEX
from beancount_compute.economy.months import Month

FOLDER = click.Path(file_okay=False, path_type=Path)


class MonthToClose(click.ParamType[str]):
    """A month such as 2026-05."""

    name = "month"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The month, or an error that shows how one is written."""
        text = str(value)
        try:
            month = Month.parse(text).name
        except ValueError:
            self.fail(f"{text} is not a month: write one such as 2026-05", param, ctx)
        if not can_close(month):
            self.fail(f"{text} is too late to be closed: the last month is 9999-11", param, ctx)
        return month


def refusing(command: Callable[..., None]) -> Callable[..., None]:
    """Show what stops a command as one line, and exit with 1."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except CloseError as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:  # such as no room for the trial of the books
            place = f" to {error.filename}" if error.filename else ""
            raise click.ClickException(f"can't write{place}: {error.strerror or error}") from None

    refuse.__doc__, refuse.__name__ = command.__doc__, command.__name__
    return refuse


@contextmanager
def ledger_and_folder(
    ledger: Path, into: Path | None, *, writes: bool
) -> Iterator[tuple[Loaded, Path]]:
    """The ledger, loaded while nobody else writes to its folder of closed months, and that folder.

    It is the folder asked for, else the one whose index the ledger includes, else `closed`.
    """
    folder = into or ledger.parent / CLOSED
    with locked(folder) if writes and (folder / INDEX).exists() else nullcontext():
        loaded = loaded_from(ledger)
        included = index_folder(loaded.options)
        if into is not None or not included or Path(included).resolve() == folder.resolve():
            yield loaded, folder
            return
    with locked(Path(included)) if writes else nullcontext():
        yield loaded_from(ledger), Path(included)


def loaded_from(ledger: Path) -> Loaded:
    """A ledger, loaded behind a progress bar."""
    with progress(f"Loading {ledger.name}"):
        return load(ledger)


def behind_a_link(ledger: Path) -> str:
    """What to do about a ledger that is a link, if its closed months lie beside the file itself."""
    real = ledger.resolve()
    if ledger.is_symlink() and (real.parent / CLOSED / INDEX).exists():
        return (
            f"{ledger} is a symbolic link, and its includes are looked for beside the link: "
            f"name the file itself, {os.path.relpath(real)}"
        )
    return ""
