"""Close: which months are sealed, how the next one ties out, what came late, what is wrong."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from beancount_compute.close.bulk_month import booked_in_bulk
from beancount_compute.close.open_month import counted_events
from beancount_compute.close.standing import not_begun
from beancount_compute.close.storage import CloseError
from beancount_compute.close.tie_outs import TieOut
from beancount_compute.closed import INDEX, Seal
from beancount_compute.economy import Month
from beancount_compute.fava_extension.asked import AT_COST
from beancount_compute.fava_extension.blocks import Block, copied, linked, words
from beancount_compute.fava_extension.loaded import LoadedBooks, LoadError, TiedOut
from beancount_compute.fava_extension.page import Page, in_a_sentence, place_in_editor
from beancount_compute.ledger import CLOSED, bulk_folders
from beancount_compute.reports import (
    CURRENCY,
    MONTH,
    Cell,
    Column,
    Measure,
    NotInBulk,
    Selection,
    Table,
)
from beancount_compute.reports.registry import CORRECTIONS

TICK, CROSS = "\u2713", "\u2717"
MOST_ERRORS = 100
MOST_TO_COPY = 10
_PLACE = re.compile(r"(.+?):([0-9]{1,9})(: .*)?", re.ASCII | re.DOTALL)
_SEALS = (
    MONTH,
    CURRENCY,
    Column("deferred", "deferred revenue", Measure.MONEY),
    Column("events", "events", Measure.COUNT),
    Column("seal", "seal"),
)
_HOW_TO_MEND: Block = {
    **words("Mend the first one first: it may cause others."),
    "go": {"view": "help", "topic": "errors"},
    "link": "How to mend them",
}
_ERRORS = (Column("place", "place"), Column("message", "error"))
_CAUSES = (Column("place", "place"), Column("tie_out", "tie-out"))


def month_end(page: Page) -> list[Block]:
    """The view, apart from the tie-outs, which the page asks for next."""
    for name in ("account", "filter", "plan", "subscriber"):
        page.ignores(name, because="months are closed whole")
    page.ignores("interval", because="months are closed one by one")
    page.conversion(AT_COST, because="deferred revenue is sealed at carrying amount")
    selection = page.asked.selection._replace(plan="")
    if page.asked.time:
        page.notes.append("The time filter chooses seals and corrections, not the tie-outs.")
    return [
        *_next(page.loaded),
        {"kind": "later", "endpoint": "ties", "caption": "Working out the tie-outs ..."},
        *_seals(page, selection),
        *_corrections(page, selection),
        *errors(page),
    ]


def _next(loaded: LoadedBooks) -> list[Block]:
    """The command that closes the next month, and what must be there before it."""
    month = loaded.months.next_to_close
    if month is None:
        return [words("Nothing was booked: there is no month to close yet.")]
    if not loaded.months.begun:
        return [words(f"{not_begun(month)}.")]
    ledger = str(loaded.options["filename"])
    name = shlex.quote(ledger)
    found: list[Block] = []
    folder = loaded.index_folder
    number = len(loaded.errors_of_ledger)
    if number == 1:
        found.append(words("The ledger has 1 error: a close stops until it is mended."))
    elif number:
        found.append(
            words(f"The ledger has {number:,} errors: a close stops until all are mended.")
        )
    if not folder:
        found.append(
            words("The ledger includes no index of closed months. Once, before the first:")
        )
        found.append(copied("Write the index", f"bean-compute close --init {name}"))
        found.append(copied("Add to the ledger", f'include "{CLOSED}/{INDEX}"'))
    usual = Path(ledger).resolve().parent / CLOSED
    into = "" if not folder or Path(folder).resolve() == usual else f" --into {shlex.quote(folder)}"
    command = f"bean-compute close {month} {name}{into}"
    last = loaded.derived_until
    if last < Month.parse(month).last:
        text = f"The books end on {last} so far: close {month} when the month is over."
        found.append(words(text))
    return [*found, copied(f"Close {month}", command)]


def ties(page: Page) -> list[Block]:
    """The tie-outs of the next month to close, each with a tick or its difference."""
    of_month = page.loaded.open_month
    if of_month is None:
        return []
    found = of_month.ties
    failed = [tie for tie in found if not tie.holds]
    hold = f"{len(found) - len(failed)} of {len(found)} hold"
    in_bulk = of_month.month in bulk_folders(page.loaded.options["include"])
    events = "booked in bulk" if in_bulk else counted_events(of_month.events, of_month.late)
    title = f"Tie-outs of {of_month.month}: {hold}, {events}"
    table = Table(title, _TIES, [_tie_row(tie) for tie in found], "tie-outs")
    block = page.numbers.table(table)
    marks = [TICK if tie.holds else CROSS for tie in found]
    labels = [_label(tie) for tie in found]
    for row, mark, word in zip(block["rows"], marks, labels, strict=True):
        row[0] = {"text": mark, "label": word, "tone": "good" if mark == TICK else "bad"}
    given = [tie for tie in found if tie.informational and tie.difference]
    remark = [words(_ONLY_SHOWN)] if given else []
    remark += [words(_IN_BULK)] if in_bulk else []
    return [block, *remark, *_differing(page, failed), *_findings(page, of_month)]


_IN_BULK = "bean-compute close ties out its Parquet files as well, lot by lot."
_ONLY_SHOWN = (
    "A tick beside a difference: it is only shown, and stops no close. That is a price which the "
    "ledger gives itself, in place of the average of the day's trades, or what Beancount's "
    "tolerance forgives in a transaction written by hand."
)


def _label(tie: TieOut) -> str:
    if not tie.holds:
        return "differs"
    return "only shown, does not stop a close" if tie.difference else "holds"


_TIES = (
    Column("holds", "holds"),
    Column("name", "tie-out"),
    Column("left_name", "left"),
    Column("left", "figure", Measure.PRICE),
    Column("right_name", "right"),
    Column("right", "figure", Measure.PRICE),
    Column("difference", "difference", Measure.PRICE),
    Column("about", "unit or currency"),
)


def _tie_row(tie: TieOut) -> tuple[Cell, ...]:
    difference = None if tie.right is None else tie.difference
    return (
        "",
        tie.name,
        tie.left_name,
        tie.left,
        tie.right_name,
        tie.right,
        difference,
        tie.about,
    )


def _differing(page: Page, failed: list[TieOut]) -> list[Block]:
    """The lines that cause the differences, leading into Fava's editor."""
    rows: list[tuple[Cell, ...]] = []
    links: list[Mapping[str, Any] | None] = []
    for tie in failed:
        for line in tie.lines[:MOST_ERRORS]:
            file, number, more = _place_of(line)
            here = str(page.loaded.folder / file)
            known = here in page.loaded.options["include"] and bool(number)
            shown = f"{page.loaded.named(file)}:{number}{more}" if known else line
            rows.append((shown, tie.name))
            links.append({"href": page.links.editor(here, int(number))} if known else None)
    if not rows:
        return []
    table = Table("What causes the differences", _CAUSES, rows, "differences")
    return [linked(page.numbers.table(table), "place", links)]


def _findings(page: Page, of_month: TiedOut) -> list[Block]:
    """What the review of the month finds, and the lines that answer what is right."""
    month, review = of_month.month, of_month.review
    if not review.judged:
        return [words(f"The review finds nothing in {month}.")]
    rows: list[tuple[Cell, ...]] = []
    links: list[Mapping[str, Any] | None] = []
    for finding, answer in review.judged[:MOST_ERRORS]:
        file, line = finding.place.file, finding.place.line
        shown = f"{page.loaded.named(file)}:{line}"
        reason = answer.reason if answer else ""
        rows.append(("", finding.id, finding.kind, finding.text, shown, reason))
        links.append(place_in_editor(page, file, line))
    left = review.unanswered
    title = f"Findings of {month}: {len(review.answered)} of {len(review.judged)} answered"
    block = page.numbers.table(Table(title, _FINDINGS, rows, "findings"))
    for row, (_, answer) in zip(block["rows"], review.judged, strict=False):
        mark, word = (TICK, "answered") if answer else (CROSS, "without an answer")
        row[0] = {"text": mark, "label": word, "tone": "good" if answer else "bad"}
    found = [linked(block, "place", links)]
    if left:
        found.append(words(_HOW_TO_ANSWER))
        found += [copied(f"Answer {each.id}", each.line()) for each in left[:MOST_TO_COPY]]
    if len(left) > MOST_TO_COPY:
        found.append(words(f"And {len(left) - MOST_TO_COPY:,} more: bean-compute review."))
    return found


_FINDINGS = (
    Column("holds", "answered"),
    Column("finding", "finding"),
    Column("kind", "kind"),
    Column("text", "what"),
    Column("place", "place"),
    Column("answer", "answer"),
)
_HOW_TO_ANSWER = (
    "A close stops while one has no answer. Mend what is wrong; what is right, say why in the "
    "ledger, in place of the three dots."
)


def _place_of(line: str) -> tuple[str, str, str]:
    """File, number and what follows them, of `file:17` or `file:17: names no lot`."""
    found = _PLACE.fullmatch(line)
    return (found[1], found[2], found[3] or "") if found else (line, "", "")


def _seals(page: Page, selection: Selection) -> list[Block]:
    closed = page.loaded.months.chain.closed
    seals = [seal for seal in closed if selection.covers(Month.parse(seal.month).last)]
    in_bulk = bulk_folders(page.loaded.options["include"])
    rows = [row for seal in seals for row in _seal_rows(seal, in_bulk.get(seal.month))]
    if not rows:
        none = "in these days" if closed else "yet"
        return [words(f"No month is closed {none}.")]
    table = Table("Closed months", _SEALS, rows, "seals")
    return [page.numbers.table(table)]


def _seal_rows(seal: Seal, in_bulk: str | None) -> list[tuple[Cell, ...]]:
    """A month, a currency a row; of one in bulk the rows that its folder says were booked."""
    amounts: list[tuple[str, Cell]] = [(each.currency, each.number) for each in seal.deferred]
    events: Cell = seal.events
    if in_bulk is not None:
        try:
            events = booked_in_bulk(Month.parse(seal.month), Path(in_bulk), ()).rows
        except CloseError:
            events = None  # which is an error of the ledger, and shown as that
    return [
        (seal.month, currency, number, events, seal.digest)
        for currency, number in amounts or [("", None)]
    ]


def _corrections(page: Page, selection: Selection) -> list[Block]:
    try:
        tables = CORRECTIONS.tables(page.loaded.books, selection)
    except NotInBulk as error:
        return [words(in_a_sentence(error))]
    found = [page.numbers.paged(table, page.asked.page) for table in tables if table.rows]
    return found or [words("No late events, reversals or reopened months in these days.")]


def errors(page: Page) -> list[Block]:
    """The errors of the ledger, each with a link into Fava's editor; Fava's own below."""
    known = page.loaded.errors_of_ledger
    found = [_errors(page, known, "Errors", "errors"), _HOW_TO_MEND] if known else []
    of_fava = [each for each in page.loaded.errors if each.of_fava]
    if of_fava:
        found.append(_errors(page, of_fava, "Errors of Fava", "errors-of-fava"))
        found.append(words("Fava alone has these: Beancount and bean-compute do not see them."))
    return found if known else [words("The ledger has no errors."), *found]


def _errors(page: Page, known: Sequence[LoadError], title: str, name: str) -> Block:
    shown = known[:MOST_ERRORS]
    rows: list[tuple[Cell, ...]] = [
        (f"{page.loaded.named(each.file)}:{each.line}" if each.file else "", each.message)
        for each in shown
    ]
    more = f", the first {MOST_ERRORS}" if len(known) > MOST_ERRORS else ""
    block = page.numbers.table(Table(f"{title}: {len(known):,}{more}", _ERRORS, rows, name))
    links = [place_in_editor(page, each.file, each.line) for each in shown]
    return linked(block, "place", links)
