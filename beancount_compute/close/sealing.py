"""A month closed by one function, whoever asks for it: the command, a script, a page.

    close_month("2026-05", Path("main.beancount"))

    prepared -> tied out -> reviewed -> proved with Beancount alone, and with all plugins
    -> written, whole or not at all

What stops it is a `CloseError`, and then nothing was written. For a month that is closed already
only its pack is written, where that is gone or asked for in another place.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

from beancount.core.data import BeancountError

from beancount_compute.close.closing import (
    ATTRIBUTES_TEXT,
    INDEX_HEAD,
    Closing,
    next_to_close,
    prepare,
)
from beancount_compute.close.loading import (
    CLOSED,
    Loaded,
    check_included,
    load,
    unreadable,
)
from beancount_compute.close.open_month import books_with, written_until
from beancount_compute.close.other_plugins import (
    Trial,
    check_with_plugins,
    in_the_way,
    plugins_of,
)
from beancount_compute.close.pack import PAGE, is_sealed, pack_files
from beancount_compute.close.places_to_write import check_pack_place, check_unread
from beancount_compute.close.proving import BOOKS_HEAD, prove
from beancount_compute.close.standing import has_begun, index_folder, not_begun
from beancount_compute.close.storage import (
    ATTRIBUTES,
    BOOKS,
    BooksDiffer,
    Change,
    CloseError,
    apply,
    locked,
    writing_to,
)
from beancount_compute.close.tie_outs import tie_outs
from beancount_compute.closed import INDEX, Seal
from beancount_compute.economy import Month
from beancount_compute.reports import counted
from beancount_compute.review import review_month

Step = Callable[[str], AbstractContextManager[None]]  # shows that something long is done


class NotClosed(CloseError):
    """Why a month was not closed, with what was found on the way."""

    def __init__(
        self,
        reason: str,
        errors: Sequence[BeancountError] = (),
        closing: Closing | None = None,
        differences: Sequence[str] = (),
    ) -> None:
        super().__init__(reason)
        self.errors = errors  # of the ledger
        self.closing = closing  # the month, as far as it was worked out
        self.differences = differences  # of what is to be frozen, loaded with Beancount alone


class CloseResult(NamedTuple):
    """What became of a close."""

    seal: Seal
    closing: Closing | None  # None where the month was closed already
    pack: Path
    pack_files: list[str] | None  # new ones; None where the pack was left as it is


def _silently(what: str) -> AbstractContextManager[None]:
    return nullcontext()


def close_month(
    month: str,
    ledger: Path,
    into: Path | None = None,
    pack: Path | None = None,
    *,
    dry_run: bool = False,
    step: Step = _silently,
) -> CloseResult:
    """Close a month of a ledger; raises `CloseError`, and writes nothing, where that can't be.

    `into` is the folder of closed months, `pack` that of the close pack; a dry run does all but
    write.
    """
    with ledger_and_folder(ledger, into, writes=not dry_run, step=step) as (loaded, folder):
        _check(loaded, ledger, folder, into, writes=not dry_run)
        place = pack or folder / f"{month}-pack"
        if seal := _seal_of(loaded, month):
            new: list[str] | None = None
            if not dry_run and (pack is not None or _has_gaps(place, seal, loaded)):
                again = _pack_files(_closed_month(seal, loaded), loaded, step)
                files = _left_as_found(again, place)
                check_unread(loaded.entries, loaded.options, [place / name for name in files])
                check_pack_place(place, month, files, ledger.parent, folder)
                new = [name for name in files if not (place / name).exists()]
                _write(Change({}), files, folder, place)
            return CloseResult(seal, None, place, new)
        _check_begun(month, loaded)
        closing = _closing(month, loaded, ledger, folder, step)
        files = closing.pack
        names = [folder / name for name in closing.files]
        check_unread(loaded.entries, loaded.options, [*names, *(place / name for name in files)])
        check_pack_place(place, month, files, ledger.parent, folder)
        if not dry_run:
            _write(Change(closing.files), files, folder, place)
        return CloseResult(closing.seal, closing, place, list(files))


def _closing(month: str, loaded: Loaded, ledger: Path, folder: Path, step: Step) -> Closing:
    """A month worked out and proved, with all plugins of the ledger; nothing of it is written."""
    trial = Trial(ledger, folder, lambda again: _proved(month, again, folder))
    with step(f"Closing {month}"):
        try:
            closing = _proved(month, loaded, folder, with_pack=True)
        except (BooksDiffer, NotClosed) as stopped:
            if why := in_the_way(plugins_of(loaded), trial):
                stopped.args = (f"{why}\n{stopped}",)
            raise
    if many := len(closing.review.unanswered):
        what = f"{counted(many, 'finding')} without an answer"
        raise NotClosed(f"{month} has {what}: nothing was written", closing=closing)
    with step("Trying the ledger's other plugins"):
        check_with_plugins(loaded, trial, closing)
    return closing


def _proved(month: str, loaded: Loaded, folder: Path, *, with_pack: bool = False) -> Closing:
    """A month that ties out, and that Beancount alone loads to the same books."""
    closing = prepare(month, loaded, with_pack=with_pack)
    if not all(tie.holds for tie in closing.ties):
        raise NotClosed(f"{month} does not tie out: nothing was written", closing=closing)
    _prove(closing, loaded, folder)
    return closing


def begin(ledger: Path, folder: Path) -> None:
    """Write an empty index of closed months, for a ledger to include."""
    if reason := unreadable(ledger):
        raise CloseError(f"{ledger} can't be read as a ledger ({reason}): nothing was written")
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / INDEX).exists():
            raise CloseError(f"{folder / INDEX} exists already")
    with locked(folder):
        heads = {INDEX: INDEX_HEAD, BOOKS: BOOKS_HEAD, ATTRIBUTES: ATTRIBUTES_TEXT}
        apply(folder, Change({name: head.encode() for name, head in heads.items()}))


@contextmanager
def ledger_and_folder(
    ledger: Path, into: Path | None, *, writes: bool, step: Step = _silently
) -> Iterator[tuple[Loaded, Path]]:
    """The ledger, loaded while nobody else writes to its folder of closed months, and that folder.

    It is the folder asked for, else the one whose index the ledger includes, else `closed`.
    """

    def loaded_now() -> Loaded:
        with step(f"Loading {ledger.name}"):
            return load(ledger)

    folder = into or ledger.parent / CLOSED
    with locked(folder) if writes and (folder / INDEX).exists() else nullcontext():
        loaded = loaded_now()
        included = index_folder(loaded.options)
        if into is not None or not included or Path(included).resolve() == folder.resolve():
            yield loaded, folder
            return
    with locked(Path(included)) if writes else nullcontext():
        yield loaded_now(), Path(included)


def behind_a_link(ledger: Path) -> str:
    """What to do about a ledger that is a link, if its closed months lie beside the file itself."""
    real = ledger.resolve()
    if ledger.is_symlink() and (real.parent / CLOSED / INDEX).exists():
        return (
            f"{ledger} is a symbolic link, and its includes are looked for beside the link: "
            f"name the file itself, {os.path.relpath(real)}"
        )
    return ""


def _check(loaded: Loaded, ledger: Path, folder: Path, into: Path | None, *, writes: bool) -> None:
    """Refuse a ledger with errors, and one that has no index of closed months to write to."""
    if writes and not (folder / INDEX).exists():
        asked = f" --into {into}" if into else ""
        reason = behind_a_link(ledger) or (
            f"no index of closed months in {folder}: write one with  bean-compute close --init "
            f"{ledger}{asked}"
        )
        raise NotClosed(reason, loaded.errors)
    if loaded.errors:
        errors = counted(len(loaded.errors), "error")
        raise NotClosed(f"the ledger has {errors}: nothing was written", loaded.errors)
    check_included(loaded, ledger, folder)


def _check_begun(month: str, loaded: Loaded) -> None:
    """Refuse the month behind the last closed one where nothing has reached it yet."""
    booking = loaded.booking
    if (
        booking is not None
        and booking.terms.bulk_from is None  # else the month's folder says whether it is over
        and booking.chain.closed
        and month == next_to_close(booking)
        and not has_begun(month, loaded.entries, booking.terms.terms)
    ):
        raise CloseError(f"{not_begun(month)}: nothing was written")


def _seal_of(loaded: Loaded, month: str) -> Seal | None:
    return next((seal for seal in loaded.closed if seal.month == month), None)


def _closed_month(seal: Seal, loaded: Loaded) -> Closing:
    """A month that is closed already, from its frozen text; there is nothing of it to write."""
    booking = loaded.booked
    entries = [
        entry
        for month in booking.closed.months
        if month.name <= seal.month
        for entry in month.text.booked
    ]
    entries += written_until(Month.parse(seal.month).last, loaded)
    books = books_with(entries, loaded)
    events = [
        each for month in booking.closed.months if month.name == seal.month for each in month.events
    ]
    late = sum(booked is not None for _, booked in events)
    ties = tie_outs(books, seal.month, [event for event, _ in events])
    review = review_month(booking, books, seal.month)
    return Closing(seal.month, seal, {}, ties, entries, books, late, len(events), review)


def _prove(closing: Closing, loaded: Loaded, folder: Path) -> None:
    """Load the closed months, this one among them, with Beancount alone before any is written."""
    with tempfile.TemporaryDirectory() as name:
        for seal in loaded.closed:
            file = f"{seal.month}.beancount"
            shutil.copyfile(folder / file, Path(name) / file)
        for file, data in closing.files.items():
            (Path(name) / file).write_bytes(data)
        proof = prove(Path(name) / BOOKS, closing.entries)
    if found := proof.errors + proof.differences:
        reason = "the frozen months don't load to the same books: nothing was written"
        raise NotClosed(reason, closing=closing, differences=found)


def _pack_files(closing: Closing, loaded: Loaded, step: Step) -> dict[str, bytes]:
    with step("Writing the close pack"):
        return pack_files(
            closing.entries,
            loaded.options,
            closing.month,
            closing.seal.digest,
            closing.ties,
            books=closing.books,
            review=closing.review,
        )


def _left_as_found(files: Mapping[str, bytes], place: Path) -> Mapping[str, bytes]:
    """The files of a pack again, without those that lie there and that no seal covers.

    What is installed now may make another page, or other estimates.
    """
    return {
        name: data
        for name, data in files.items()
        if is_sealed(name) or not (place / name).is_file()
    }


def _has_gaps(place: Path, seal: Seal, loaded: Loaded) -> bool:
    """Whether a pack, or one of its files, is gone."""
    months = [each for each in loaded.booked.closed.months if each.name == seal.month]
    names = [name for month in months for name in month.files.pack_digests()]
    return not all((place / name).exists() for name in (*names, PAGE))


def _write(change: Change, files: Mapping[str, bytes], folder: Path, pack: Path) -> None:
    """Write a month and its pack; together where the pack lies in the folder of closed months.

    What is there already is never overwritten by something else.
    """
    within, root = pack.resolve(), folder.resolve()
    if within.is_relative_to(root):
        place = within.relative_to(root)
        inside = {(place / name).as_posix(): data for name, data in files.items()}
        apply(folder, change._replace(write={**change.write, **inside}))
        return
    if change.write:
        apply(folder, change)
    with writing_to(pack):
        pack.mkdir(parents=True, exist_ok=True)
    with locked(pack):
        apply(pack, Change(files))
