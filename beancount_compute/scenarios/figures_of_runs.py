"""The figures of runs, by row and by account: of the books, and of each scenario beside them.

    revenue of use      USD        156.00     126.00       -30.00

`ROWS` says which roles each figure is made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from beancount_compute.economy import POCKETS, WIDE, ZERO, Refusal, Role
from beancount_compute.ledger import Accounts
from beancount_compute.reports import Cell, money
from beancount_compute.scenarios.shared_by_plan import SHARED
from beancount_compute.scenarios.tally import SumKey, Tallied

BY_HAND = "hand-written postings at another cost"
NONE = "(none)"


class PartedBy(StrEnum):
    """What the figures are parted by."""

    ALL = "all"
    MONTH = "month"
    PLAN = "plan"
    PROVIDER = "provider"


class WhatIfRow(NamedTuple):
    """A figure: what was booked on accounts of some roles, or what other rows come to."""

    key: str
    title: str
    roles: tuple[Role, ...] = ()
    sign: int = -1  # of a debit
    balance: bool = False  # at the end of the days, not of them
    plus: tuple[str, ...] = ()  # rows that it adds up
    less: tuple[str, ...] = ()  # and takes off


# A row is all that there is to a figure.
ROWS: tuple[WhatIfRow, ...] = (
    WhatIfRow("revenue_of_use", "revenue of use", (Role.REVENUE,)),
    WhatIfRow("overage", "overage", (Role.OVERAGE,)),
    WhatIfRow("first_bill", "first bill", (Role.COST, Role.VARIANCE, Role.LAPSED), 1),
    WhatIfRow("lapsed_credits", "of it lapsed credits", (Role.LAPSED,), 1),
    WhatIfRow("margin", "margin", plus=("revenue_of_use", "overage"), less=("first_bill",)),
    WhatIfRow("second_bill", "second bill", (Role.DEPRECIATION,), 1),
    WhatIfRow("margin_after_both", "margin after both", plus=("margin",), less=("second_bill",)),
    WhatIfRow("breakage", "breakage", (Role.BREAKAGE,)),
    WhatIfRow("fees", "fees", (Role.FEES,)),
    WhatIfRow("partner_income", "partner income", (Role.PARTNER_INCOME,)),
    WhatIfRow("access", "access", (Role.ACCESS_REVENUE,)),
    WhatIfRow("refunds", "refunds", (Role.REFUNDS,)),
    WhatIfRow("disputes", "disputes", (Role.DISPUTES,)),
    WhatIfRow("bad_debt", "bad debt", (Role.BAD_DEBT,), 1),
    WhatIfRow("losses", "losses", (Role.LOSSES,), 1),
    WhatIfRow("recoveries", "recoveries", (Role.RECOVERIES,)),
    WhatIfRow("deferred_revenue", "deferred revenue at the end", tuple(POCKETS), balance=True),
)

OF_DAYS = frozenset(row.title for row in ROWS if not row.balance)
HEADLINES = ("margin after both", "margin", "revenue of use")  # the first that there is says most


class RunFigures(NamedTuple):
    """The figures of the books, or of a scenario."""

    sums: Tallied  # what was booked, and what people wrote
    by_hand: Tallied  # what hand-written postings took at another cost than they say
    refusals: list[Refusal]
    entries: int  # how many were booked
    shared: Tallied  # by plan, what is of none by itself; nothing where nobody asks

    def within(self, first: str, last: str) -> RunFigures:
        """The same of some months, both included, and of what lies before them."""
        parts = (self.sums, self.by_hand, self.shared)
        sums, by_hand, shared = (_within(each, first, last) for each in parts)
        return self._replace(sums=sums, by_hand=by_hand, shared=shared)


def _within(sums: Tallied, first: str, last: str) -> Tallied:
    """Sums of some months, and of what lies before them."""
    found: defaultdict[SumKey, Decimal] = defaultdict(lambda: ZERO)
    for key, number in sums.items():
        if key.month <= last:
            at = key if key.month >= first else key._replace(month="")
            found[at] = WIDE.add(found[at], number)
    return found


_ByRow = Mapping[tuple[str, str, str], Decimal]  # by label, row and currency


def figures_of(runs: Sequence[RunFigures], by: PartedBy) -> Iterator[tuple[Cell, ...]]:
    """The rows of figures that any run has: of the books, and of each scenario beside them."""
    months = sorted({key.month for each in runs for key in each.sums} - {""})
    of_runs = [_rows_of(each, by, months) for each in runs]
    found = {key for figures in of_runs for key, number in figures.items() if number}
    booked = {(row, currency) for _, row, currency in found}
    for row in [each for each in ROWS if each.less]:
        found = {key for key in found if key[1] != row.key or _shown(row, key[2], booked)}
    labels = {label for label, _, _ in found}
    order = [*(row.key for row in ROWS), BY_HAND]
    titles = {row.key: row.title for row in ROWS} | {BY_HAND: BY_HAND}
    for label in sorted(labels):
        for key in order:
            for currency in sorted({of for at, row, of in found if (at, row) == (label, key)}):
                at = (label, key, currency)
                head = () if by is PartedBy.ALL else (label or NONE,)
                numbers = [figures.get(at, ZERO) for figures in of_runs]
                yield (*head, titles[key], currency, *_beside(numbers, currency))


def _shown(row: WhatIfRow, currency: str, booked: set[tuple[str, str]]) -> bool:
    """Whether a row has something to take off."""
    return any((part, currency) in booked for part in row.less)


def _rows_of(run: RunFigures, by: PartedBy, months: list[str]) -> _ByRow:
    """All figures of a run."""
    found: defaultdict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)

    def add(labels: Iterable[str], row: str, currency: str, number: Decimal) -> None:
        for label in labels:
            at = (label, row, currency)
            found[at] = WIDE.add(found[at], number)

    sums = run.sums
    if by is PartedBy.PLAN:
        sums = {key: each for key, each in sums.items() if key.role not in SHARED} | run.shared
    for key, number in sums.items():
        for row in ROWS:
            if key.role not in row.roles or not (key.month or row.balance):
                continue
            labels = _labels(key, by, months if row.balance else [])
            add(labels, row.key, key.currency, number.copy_negate() if row.sign < 0 else number)
    for key, number in run.by_hand.items():
        if key.month:
            add(_labels(key, by, []), BY_HAND, key.currency, number)
    for row in ROWS:
        for sign, parts in ((1, row.plus), (-1, row.less)):
            for (label, part, currency), number in list(found.items()):
                if part in parts:
                    add([label], row.key, currency, number if sign > 0 else number.copy_negate())
    return found


def _labels(key: SumKey, by: PartedBy, months: list[str]) -> list[str]:
    """The labels of the rows in which a sum counts: a balance in all months from its own on."""
    match by:
        case PartedBy.ALL:
            return [""]
        case PartedBy.MONTH:
            return [month for month in months if month >= key.month] if months else [key.month]
        case PartedBy.PLAN:
            return [key.origin]
        case PartedBy.PROVIDER:
            return [key.provider]


def accounts_of(runs: Sequence[RunFigures], accounts: Accounts) -> Iterator[tuple[Cell, ...]]:
    """The accounts that any run has; what was taken by hand closes a run up to the books'."""
    roots = (accounts.roots.income, accounts.roots.expenses)
    of_runs: list[dict[tuple[str, str], Decimal]] = []
    for each in runs:
        found: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for key, number in each.sums.items():
            if key.month or not key.account.startswith(tuple(f"{root}:" for root in roots)):
                at = (key.account, key.currency)
                found[at] = WIDE.add(found[at], number)
        of_runs.append(found)
        for key, number in each.by_hand.items():
            at = (f"~{BY_HAND}", key.currency)
            found[at] = WIDE.subtract(found[at], number)
    for account, currency in sorted({at for found in of_runs for at in found}):
        numbers = [of.get((account, currency), ZERO) for of in of_runs]
        if any(numbers):
            yield (account.removeprefix("~"), currency, *_beside(numbers, currency))


def _beside(numbers: Sequence[Decimal], currency: str) -> tuple[Cell, ...]:
    """The books, then each scenario and its difference."""
    books, *scenarios = numbers
    cells = [books]
    for number in scenarios:
        cells += [number, WIDE.subtract(number, books)]
    return tuple([money(number or ZERO, currency) for number in cells])
