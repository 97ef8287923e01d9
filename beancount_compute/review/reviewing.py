"""A review: the findings of months, each with its answer where the ledger gives one.

    2026-05-31 custom "compute-accept" "f-3a91c2" "checked with billing, real spike"

An answer holds for findings of the month that its date lies in.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import localcontext
from typing import NamedTuple

from beancount_compute.booking import Booking
from beancount_compute.economy import USUAL, Month
from beancount_compute.ledger import Answer
from beancount_compute.reports import Books
from beancount_compute.review.finding import Finding
from beancount_compute.review.looked_at import LookedAt, looked_at
from beancount_compute.review.rules_of_review import RULES, WHEN_OVER


class Judged(NamedTuple):
    """A finding, and why it is right; None where nobody has said so."""

    finding: Finding
    answer: Answer | None


class Review(NamedTuple):
    """What was found in some months."""

    judged: list[Judged]
    idle: list[Answer]  # that answer no finding of their month
    folder: str = ""  # the ledger's

    @property
    def answered(self) -> list[Judged]:
        """The findings with an answer."""
        return [each for each in self.judged if each.answer is not None]

    @property
    def unanswered(self) -> list[Finding]:
        """The findings without an answer, which stop a close."""
        return [finding for finding, answer in self.judged if answer is None]


def findings(look: LookedAt, month: str) -> list[Finding]:
    """The findings of a month that is over, by place."""
    found = [finding for rule in RULES for finding in rule.rule(look, month)]
    return sorted(found, key=lambda each: (each.place, each.kind, each.about))


def review_month(booking: Booking, books: Books, month: str) -> Review:
    """The review of a month that is over.

    The first one with events takes in what stands before it, such as opening lots.
    """
    with localcontext(USUAL):
        look = looked_at(booking, books)
        months = [month]
        if not booking.chain.closed and month <= min(look.by_month, default=month):
            months = [name for name in months_of_review(look) if name < month] + months
        return _reviewed(look, booking.answers, months, over=month)


def review_open(booking: Booking, books: Books) -> Review:
    """The review of all months that are not closed, up to that of the last event."""
    with localcontext(USUAL):
        look = looked_at(booking, books)
        last = booking.chain.last_day
        months = [name for name in months_of_review(look) if Month.parse(name).last > last]
        before = months[-2] if len(months) > 1 else ""
        return _reviewed(look, booking.answers, months, over=before)


def months_of_review(look: LookedAt) -> list[str]:
    """The months from the first thing that is written to the last event."""
    days = [opening.date for opening in look.openings]
    days += [event.date for event in look.events]
    days += [Month.parse(month).first for month in look.bulk]
    ends = [*(look.booked(event) for event in look.events), *look.bulk]
    if not days:
        return []
    first = Month.of(min(days))
    return [month.name for month in first.to(Month.parse(max([*ends, first.name])))]


def _reviewed(look: LookedAt, answers: Iterable[Answer], months: list[str], over: str) -> Review:
    of_month: dict[tuple[str, str], Answer] = {}
    for answer in sorted(answers, key=lambda each: (each.date, each.place)):
        of_month.setdefault((Month.of(answer.date).name, answer.finding), answer)
    found = [
        Judged(each, of_month.get((each.month, each.id)))
        for month in months
        for each in findings(look, month)
    ]
    ids = {(each.finding.month, each.finding.id) for each in found}
    idle = [a for key, a in of_month.items() if key[0] in months and key not in ids]
    judged = [
        each
        for each in found
        if each.finding.month <= over or each.answer or each.finding.kind not in WHEN_OVER
    ]
    return Review(judged, idle, look.folder)
