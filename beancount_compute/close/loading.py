"""Ledgers as the month end loads them: without a cache, and with what the plugin worked with."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from datetime import date
from decimal import localcontext
from pathlib import Path
from typing import Any, NamedTuple

from beancount import loader
from beancount.core.data import BeancountError, Directive, entry_sortkey
from beancount.ops import validation
from beancount.parser import booking, parser

from beancount_compute.booking import Booking
from beancount_compute.close.storage import CloseError
from beancount_compute.closed import INDEX, Seal
from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import USUAL, quoted
from beancount_compute.ledger import CLOSED, MOST_LOOKED_AT, TooMuchToLookAt, paths_found
from beancount_compute.plugin import PLUGIN, Worked, work_out

_INCLUDE = re.compile(rb'include[ \t]+"([^"\n]+)"')

_book: Any = booking.book  # these two have no types
_validate: Any = validation.validate


class Loaded(NamedTuple):
    """A ledger as Beancount loads it, and what the plugin worked with."""

    entries: list[Directive]
    errors: list[BeancountError]
    options: dict[str, Any]
    booking: Booking | None

    @property
    def booked(self) -> Booking:
        """What the plugin worked with; raises `CloseError` where the ledger does not use it."""
        if self.booking is None:
            raise CloseError('the ledger has no line plugin "beancount_compute": nothing is booked')
        return self.booking

    @property
    def closed(self) -> list[Seal]:
        """The seals of the closed months."""
        return self.booking.chain.closed if self.booking else []


class Instead(NamedTuple):
    """What a trial takes in the place of what the ledger says."""

    plugins: Sequence[tuple[str, str | None]]
    indexes: tuple[Path, Path] | None = None  # of closed months: the ledger's, and another


def load(ledger: Path, instead: Instead | None = None, bulk_from: date | None = None) -> Loaded:
    """Load a ledger, without Beancount's cache; raises `CloseError` where that might never end.

    `bulk_from` is the first day of a month that is about to be booked in bulk.
    """
    check_plain(ledger)
    return load_sources([(os.path.abspath(ledger), True)], instead, bulk_from)


def load_sources(
    sources: list[tuple[str, bool]],
    instead: Instead | None = None,
    bulk_from: date | None = None,
) -> Loaded:
    """Load files or texts, each with whether it is a file, as Beancount's own loader does.

    That one calls the plugin by its name and keeps only entries and errors. So the steps of
    `beancount.loader` are taken one by one here, and ours is asked for what it worked with.
    """
    with localcontext(USUAL), no_cyclic_garbage():  # a plugin may change the one it finds
        entries, errors, options = loader._parse_recursive(sources, None)
        if instead:
            options["plugin"] = [*instead.plugins]
            if instead.indexes:
                entries = _with_index(entries, *instead.indexes)
        entries.sort(key=entry_sortkey)
        entries, more = _book(entries, options)
        path = list(sys.path)
        sys.path[:0] = options.get("pythonpath", [])
        try:
            entries, errors, worked = _transformed(entries, [*errors, *more], options, bulk_from)
        finally:
            sys.path[:] = path
        errors += _validate(entries, options)
    return Loaded(entries, errors, options, worked.booking if worked else None)


def _with_index(entries: list[Directive], index: Path, another: Path) -> list[Directive]:
    """The entries of a ledger with another index of closed months."""
    kept = [each for each in entries if Path(each.meta["filename"]).resolve() != index.resolve()]
    found, _, _ = parser.parse_file(str(another))
    return [*kept, *found]


def _transformed(
    entries: list[Directive],
    errors: list[BeancountError],
    options: dict[str, Any],
    bulk_from: date | None,
) -> tuple[list[Directive], list[BeancountError], Worked | None]:
    """What the plugins make of the entries, each after the other."""
    plugins = [*options["plugin"]]
    if options["plugin_processing_mode"] != "raw":
        plugins = [*loader.PLUGINS_PRE, *plugins, *loader.PLUGINS_AUTO, *loader.PLUGINS_POST]
    worked: Worked | None = None
    for name, config in plugins:
        if name == PLUGIN:
            found = work_out(entries, options, config, bulk_from)
            worked = worked or found  # a second line of it is an error and books nothing
            entries = sorted(found.entries, key=entry_sortkey)
            errors = [*errors, *found.errors]
        else:
            entries, errors = _run(name, config, entries, errors, options)
    return entries, errors, worked


def _run(
    name: str,
    config: str | None,
    entries: list[Directive],
    errors: list[BeancountError],
    options: dict[str, Any],
) -> tuple[list[Directive], list[BeancountError]]:
    """One plugin by Beancount's own function, with its errors where it can't be run."""
    alone = {"plugin": [(name, config)], "plugin_processing_mode": "raw"}
    whole = {key: options[key] for key in alone}
    options.update(alone)
    try:
        return loader.run_transformations(entries, errors, options, None)
    finally:
        options.update(whole)


def check_plain(ledger: Path) -> None:
    """Refuse a ledger that is, or includes, what is no plain file: a pipe is waited for for ever.

    Beancount would read it; so would it follow a glob over the whole disk.
    """
    waiting, seen = [os.path.abspath(ledger)], set()
    while waiting:
        path = os.path.realpath(waiting.pop())
        if path in seen or not os.path.exists(path):  # what is missing is Beancount's error
            continue
        seen.add(path)
        if not os.path.isfile(path):
            raise CloseError(f"{path} is no plain file, so that it is not read as a ledger")
        for name in _included(path):
            try:
                waiting += paths_found(name, os.path.dirname(path))
            except TooMuchToLookAt:
                raise CloseError(
                    f"{path}: include {quoted(name)} would look at more than {MOST_LOOKED_AT:,} "
                    "files and folders: write a path, or a glob that begins with a folder"
                ) from None


def _included(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            found = _INCLUDE.findall(file.read())
    except OSError:  # which Beancount will say
        return []
    return [os.fsdecode(name) for name in found if b"\0" not in name]


def unreadable(ledger: Path) -> str:
    """Why Beancount's parser can't read a file as a ledger; "" where it can, whatever it says."""
    try:
        ledger.read_text(encoding="utf-8")
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeError:
        return "it is not UTF-8 text"
    _, errors, _ = parser.parse_file(str(ledger))
    return f"line {errors[0].source['lineno']}: {errors[0].message}" if errors else ""


def index_seen(ledger: Path, folder: Path) -> str:
    """The index of closed months in a folder, as the ledger includes it."""
    index = folder.resolve() / INDEX
    return Path(os.path.relpath(index, ledger.parent.resolve())).as_posix()


def check_included(loaded: Loaded, ledger: Path, folder: Path) -> None:
    """Refuse a ledger that does not include the index."""
    index = (folder / INDEX).resolve()
    included = {Path(name).resolve() for name in loaded.options["include"]}
    if index not in included:
        init = f"bean-compute close --init {ledger}"
        if folder.resolve() != ledger.parent.resolve() / CLOSED:
            init += f" --into {folder}"
        there = "" if index.exists() else f"; write it first: {init}"
        raise CloseError(
            f"{ledger} does not include the index of closed months: add the line  "
            f'include "{index_seen(ledger, folder)}"{there}'
        )
