"""Findings as people read them: as a table, as lines by place, as lines to answer them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from beancount_compute.economy import Place
from beancount_compute.ledger import Answer
from beancount_compute.reports import Cell, Column, Table
from beancount_compute.review.finding import Finding
from beancount_compute.review.reviewing import Judged, Review

_COLUMNS = (
    Column("id", "finding", whole=True),
    Column("month", "month"),
    Column("kind", "kind"),
    Column("text", "what"),
    Column("place", "place", whole=True),
    Column("answer", "answer"),
)


def table_of(review: Review) -> Table:
    """The findings as a table, with files as the ledger's folder knows them."""
    rows: list[tuple[Cell, ...]] = [
        (
            each.id,
            each.month,
            each.kind,
            each.text,
            str(_as_seen_from(review.folder, each.place)),
            answer.reason if answer else "",
        )
        for each, answer in review.judged
    ]
    return Table("Findings", _COLUMNS, rows, "findings")


def _as_seen_from(folder: str, place: Place) -> Place:
    file = place.file
    if not os.path.isabs(file):
        return place
    return place._replace(file=os.path.relpath(file, folder).replace(os.sep, "/"))


def told(findings: Iterable[Finding]) -> list[str]:
    """Findings as lines, by place."""
    return [f"{each.place}: {each.id} {each.kind}: {each.text}" for each in findings]


def answers_told(judged: Iterable[Judged]) -> list[str]:
    """Findings with their answers, a line each."""
    return [
        f"{each.place}: {each.id} {each.kind}: {each.text}: answered: {answer.reason}"
        for each, answer in judged
        if answer is not None
    ]


def to_paste(findings: Iterable[Finding]) -> list[str]:
    """The lines of the ledger that answer findings; each wants a reason."""
    return [each.line() for each in findings]


def notes_of(review: Review) -> list[str]:
    """What is to say of answers that answer nothing."""
    months = {finding.id: finding.month for finding, _ in review.judged}
    return [_idle(answer, months.get(answer.finding, "")) for answer in review.idle]


def _idle(answer: Answer, month: str) -> str:
    text = f"{answer.place}: {answer.finding} is no finding of {answer.date:%Y-%m}"
    return f"{text}; it is one of {month}: date it in that month" if month else text
