"""Ledgers whose months are closed, for tests: in this process, without the command line.

ledger = write(folder, MAY, "u-1,2026-05-20,,consumption,alice,,,200,CU,,,,,,,")
close(ledger, "2026-05")
loaded = load(ledger)
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from beancount.core.data import Directive, Open, Transaction
from click.testing import CliRunner, Result

from beancount_compute.cli import main
from beancount_compute.close.closing import INDEX_HEAD, Closing, prepare
from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.proving import prove
from beancount_compute.close.storage import BOOKS, Change, apply
from beancount_compute.closed.frozen_months import INDEX
from beancount_compute.ledger.text import booked_text
from tests.letting_go import let_go

HEAD = 'plugin "beancount_compute"\noption "operating_currency" "USD"\n'
INCLUDE = 'include "closed/index.beancount"\n'
COLUMNS = (
    "id,date,time,event,subscriber,counterparty,plan,units,commodity,price,paid,currency,"
    "expires,started,reverses,memo"
)
_IDLE_ZEROS = re.compile(r"(?<![\w.-])(-?\d+)(?:(\.\d*?[1-9])0+|\.0+)(?= [A-Z])")
_ROW_OF_PARQUET = re.compile(r'^  source: ".*\.parquet.* row \d+"\n', re.MULTILINE)


def write(folder: Path, text: str = "", *rows: str, files: dict[str, str] | None = None) -> Path:
    """A ledger with an empty index of closed months, and its events in `events.csv`.

    Its first three lines are the plugin, the currency and the index.
    """
    ledger = folder / "main.beancount"
    events = '2026-01-01 custom "compute-events" "events.csv"\n' if rows else ""
    ledger.parent.mkdir(parents=True, exist_ok=True)
    ledger.write_text(HEAD + INCLUDE + text + events)
    if rows:
        write_events(ledger, *rows)
    for name, content in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    begin(ledger)
    return ledger


def begin(ledger: Path) -> None:
    """Write the empty index of closed months beside a ledger."""
    (ledger.parent / "closed").mkdir(exist_ok=True)
    (ledger.parent / "closed" / INDEX).write_text(INDEX_HEAD)


def write_events(ledger: Path, *rows: str) -> None:
    """Put rows into the ledger's event file, in place of what it held."""
    (ledger.parent / "events.csv").write_text("\n".join([COLUMNS, *rows]) + "\n")


def add(ledger: Path, text: str) -> None:
    """Write more at the ledger's end."""
    with open(ledger, "a", encoding="utf-8") as file:
        file.write(text)


def close(ledger: Path, *months: str, loaded: Loaded | None = None, ties: bool = True) -> Closing:
    """Close months one after the other; all of their tie-outs must hold."""
    closing: Closing | None = None
    for month in months:
        closing = prepare(month, loaded or load(ledger))
        wrong = [tie for tie in closing.ties if not tie.holds]
        assert not (ties and wrong), (month, wrong)
        apply(ledger.parent / "closed", Change(closing.files))
        loaded = None
    if ties and closing is not None:
        proof = prove(ledger.parent / "closed" / BOOKS, closing.entries)
        assert not proof.errors and not proof.differences, proof
    return closing


def run(*words: object) -> Result:
    """The command line."""
    try:
        return CliRunner().invoke(main, [str(word) for word in words])
    finally:
        let_go()


def errors_of(loaded: Loaded, ledger: Path) -> list[str]:
    """The errors as `file:line: message`, with files as seen from the ledger."""
    folder = f"{ledger.parent}{os.sep}"
    return [
        f"{os.path.relpath(error.source['filename'], ledger.parent)}:{error.source['lineno']}: "
        f"{error.message.replace(folder, '')}"
        for error in loaded.errors
    ]


def load_errors(ledger: Path) -> list[str]:
    """The errors of a load."""
    return errors_of(load(ledger), ledger)


def printed(loaded: Loaded) -> str:
    """The printed books, without opens, idle zeros and the places of Parquet rows.

    An account is opened where it is first used, whoever uses it; the row of a Parquet file is no
    place any more once it is frozen.
    """
    entries = [entry for entry in loaded.entries if not isinstance(entry, Open)]
    text = _ROW_OF_PARQUET.sub("", "".join(booked_text(entries, loaded.options)))
    return re.sub("  +", "  ", without_idle_zeros(text))


def without_idle_zeros(text: str) -> str:
    """The text with amounts as short as they can be written: 7 CU for 7.00 CU."""
    return _IDLE_ZEROS.sub(r"\1\2", text)


def booked(entries: Iterable[Directive]) -> list[Transaction]:
    """The transactions that the plugin made, in the engine's order."""
    made = [each for each in entries if isinstance(each, Transaction) and "__order" in each.meta]
    return sorted(made, key=lambda each: each.meta["__order"])


def as_text(entry: Transaction) -> str:
    """A transaction on one line: what it is, and its postings."""
    tags = " ".join(f"#{tag.removeprefix('compute-')}" for tag in sorted(entry.tags))
    postings = "; ".join(
        f"{p.account.split(':')[-1] if p.cost is None else _pocket(p.account)} "
        f"{p.units.number:f} {p.units.currency}"
        + (f" {{{p.cost.number:f}, {p.cost.date}, {p.cost.label}}}" if p.cost else "")
        for p in entry.postings
        if p.units is not None
    )
    return f"{entry.date} {entry.meta.get('event')} {tags}: {postings}"


def _pocket(account: str) -> str:
    return "/".join(account.split(":")[-2:])


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, byte by byte."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
