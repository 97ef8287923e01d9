"""From figures to journals that balance exactly, and from long journals to several.

    TOK-2026-05-USD    Assets:Receivable         400.00
                       Income:Compute           -240.01
                       Liabilities:DeferredRev  -160.00
                       Expenses:Rounding           0.01     ; what the rounding leaves

A suite takes a journal of so many lines. A longer one is cut into parts: debits and credits are
taken in turn, and the line that overshoots is cut in two, so that each part balances exactly,
without a clearing account, and all parts together are the journal that was cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount_compute.close.general_ledger.account_map import AccountMap, Target, Unmapped
from beancount_compute.close.general_ledger.slots import Slot, SlotTotals, movement
from beancount_compute.economy import WIDE, ZERO

ROUNDING = "Rounding of the figures above"


class JournalLine(NamedTuple):
    """One line of a journal."""

    target: Target
    key: str  # the plan or subscriber, where the export names them
    amount: Decimal  # a debit is positive; a multiple of the minor unit
    description: str


class Journal(NamedTuple):
    """Lines of one currency that sum to exactly zero."""

    id: str
    date: date
    currency: str
    memo: str
    lines: tuple[JournalLine, ...]


def journals_of(
    figures: Mapping[Slot, SlotTotals], month: str, last: date, names: AccountMap, rounding: str
) -> list[Journal]:
    """One journal for each currency that moved, with the residual on the account `rounding`.

    Raises `Unmapped` with every account that the map leaves out.
    """
    merged, missing = _merged(figures, names)
    journals: list[Journal] = []
    for currency in sorted({slot.currency for slot in merged}):
        lines = [
            JournalLine(target, slot.key, amount, _description(target, slot.key))
            for slot, (target, of) in sorted(merged.items())
            if slot.currency == currency and (amount := movement(of, currency))
        ]
        residual = _residual(lines)
        if residual:
            target = names.find(rounding)
            if target is None:
                target = Target(rounding)
                missing.add(rounding)
            lines.append(JournalLine(target, "", residual, ROUNDING))
        if lines:
            name, memo = f"TOK-{month}-{currency}", f"Compute tokens, {month}"
            journals.append(Journal(name, last, currency, memo, tuple(lines)))
    if missing:
        raise Unmapped(missing)
    return journals


def _residual(lines: Iterable[JournalLine]) -> Decimal:
    """What the lines lack to sum to zero."""
    with localcontext(WIDE):
        return -sum((line.amount for line in lines), ZERO)


def _merged(
    figures: Mapping[Slot, SlotTotals], names: AccountMap
) -> tuple[dict[Slot, tuple[Target, SlotTotals]], set[str]]:
    """The figures by the general ledger's accounts, before rounding, and what is not mapped.

    An account that never moved in the month needs no line in the map.
    """
    merged: dict[Slot, tuple[Target, SlotTotals]] = {}
    missing: set[str] = set()
    with localcontext(WIDE):
        for slot, of in figures.items():
            target = names.find(slot.account)
            if target is None:  # stands for itself, so that the rounding is known all the same
                target = Target(slot.account)
                if of.before != of.end:
                    missing.add(slot.account)
            place = slot._replace(account=target.code)
            first, known = merged.get(place, (target, SlotTotals(ZERO, ZERO)))
            merged[place] = (first, SlotTotals(known.before + of.before, known.end + of.end))
    return merged, missing


def _description(target: Target, key: str) -> str:
    return f"{target.stands_for}, {key}" if key else target.stands_for


def parts_of(journal: Journal, most: int | None) -> list[Journal]:
    """The journal in parts of at most `most` lines (two or more), each of which balances."""
    if most is None or len(journal.lines) <= most:
        return [journal]
    parts = list(_cut(journal.lines, most))
    return [
        journal._replace(id=f"{journal.id}-{number}", lines=lines)
        for number, lines in enumerate(parts, 1)
    ]


def _cut(lines: Iterable[JournalLine], most: int) -> Iterator[tuple[JournalLine, ...]]:
    """Take a line from the side that lags behind; where a part is full, cut what overshoots."""
    places = list(enumerate(lines))
    debits = deque(pair for pair in places if pair[1].amount > 0)
    credits = deque(pair for pair in places if pair[1].amount < 0)
    with localcontext(WIDE):
        while debits or credits:
            part: dict[int, JournalLine] = {}
            balance = ZERO
            overshot = -1  # the line that brought the balance to the side on which it is
            while len(part) < most and (debits or credits):
                place, line = (credits if balance > 0 else debits).popleft()
                part[place] = line
                if balance * (balance + line.amount) <= 0:
                    overshot = place
                balance += line.amount
            if balance:
                line = part.pop(overshot)
                rest = line._replace(amount=balance)
                (debits if balance > 0 else credits).appendleft((overshot, rest))
                if line.amount != balance:
                    part[overshot] = line._replace(amount=line.amount - balance)
            yield tuple(part[place] for place in sorted(part))


def files_of(journals: Iterable[Journal], most: int | None) -> list[list[Journal]]:
    """The journals in files of at most `most` lines; none is broken, currencies stay apart."""
    files: list[list[Journal]] = []
    for journal in journals:
        last = files[-1] if files else []
        lines = sum(len(each.lines) for each in last) + len(journal.lines)
        together = last and last[0].currency == journal.currency
        if together and (most is None or lines <= most):
            last.append(journal)
        else:
            files.append([journal])
    return files
