"""What the ledger states of a month and is frozen with it: answers to findings, control totals.

2026-05-31 custom "compute-accept" "f-3a91c2" "checked with billing, real spike"
2026-05-31 custom "compute-control" "consumption" 1204 350123 CU

The line stays in the ledger; the frozen one tells whether it was changed, added or taken away.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from beancount.core.data import Custom

from beancount_compute.closed.content import item_of
from beancount_compute.closed.frozen_months import Closed
from beancount_compute.closed.frozen_text import terms_in
from beancount_compute.economy import ControlTotal, Place
from beancount_compute.ledger import ACCEPT, CONTROL, Answer, Errors, place_of, string

STATED = frozenset([ACCEPT, CONTROL])


class Statement(NamedTuple):
    """A line as it is frozen, and where it stands."""

    date: date
    text: str
    place: Place

    @property
    def item(self) -> str:
        """The line by value."""
        (entry,) = terms_in(self.text)
        return item_of(entry._replace(meta={}))


def statements_of(answers: Iterable[Answer], controls: Iterable[ControlTotal]) -> list[Statement]:
    """What a ledger states, as it is frozen."""
    stated = [
        Statement(
            each.date,
            f'{each.date} custom "{ACCEPT}" {string(each.finding)} {string(each.reason)}\n',
            each.place,
        )
        for each in answers
    ]
    return [*stated, *(Statement(each.date, _control(each), each.place) for each in controls)]


def _control(each: ControlTotal) -> str:
    text = f'{each.date} custom "{CONTROL}" "{each.kind}" {each.rows}'
    for number, name in ((each.units, each.commodity), (each.money, each.currency)):
        if number is not None:
            text += f" {number:f} {name}"
    return text + "\n"


def check_statements(statements: Iterable[Statement], closed: Closed, errors: Errors) -> None:
    """Compare what the ledger states of closed months with what was frozen."""
    frozen: dict[str, tuple[str, Custom]] = {}
    for month in closed.months:
        for entry in month.text.terms:
            if entry.type in STATED:
                frozen[item_of(entry._replace(meta={}))] = (month.name, entry)
    gone = dict(frozen)
    for each in statements:
        if each.date > closed.last_day:
            continue
        item = each.item
        gone.pop(item, None)
        if item not in frozen:
            message = (
                f"this line of {each.date} is not in the closed month as it stands here: it was "
                "added or changed afterwards; restore what was there"
            )
            errors.add(each.place, message)
    for name, entry in gone.values():
        said = " ".join([entry.type, *(str(value) for value, _ in entry.values or ())])
        message = (
            f"gone from the ledger, or changed, after {name} was closed: {entry.date} {said}: "
            "restore it"
        )
        errors.add(place_of(entry.meta), message)
