"""The books beside scenarios: figures by row and by account, and what was refused.

    figure              currency    books   scenario   difference
    revenue of use      USD        156.00     126.00       -30.00
    breakage            USD         24.00      12.00       -12.00

Figures of income and expenses are those of the days asked for, balances those at their end.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from beancount_compute.economy import POCKETS, WIDE, ZERO, Refusal, Role, quoted
from beancount_compute.ledger import Accounts
from beancount_compute.reports import (
    CURRENCY,
    MONTH,
    PLAN,
    Cell,
    Column,
    Measure,
    Table,
    counted,
    money,
)
from beancount_compute.scenarios.scenario_file import Scenario
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
    WhatIfRow("deferred_revenue", "deferred revenue at the end", tuple(POCKETS), balance=True),
)


class RunFigures(NamedTuple):
    """The figures of the books, or of a scenario."""

    sums: Tallied  # what was booked, and what people wrote
    by_hand: Tallied  # what hand-written postings took at another cost than they say
    refusals: list[Refusal]
    entries: int  # how many were booked


class WhatIf(NamedTuple):
    """The books beside scenarios."""

    books: RunFigures
    scenarios: list[tuple[Scenario, RunFigures]]
    accounts: Accounts
    by: PartedBy

    def tables(self) -> list[Table]:
        """All figures, with the scenario as the first label."""
        figures = [
            (scenario.name, *row)
            for scenario, run in self.scenarios
            for row in _figures(self.books, run, self.by)
        ]
        accounts = [
            (scenario.name, *row)
            for scenario, run in self.scenarios
            for row in _accounts(self.books, run, self.accounts)
        ]
        refused = [
            (scenario.name, *row)
            for scenario, run in self.scenarios
            for row in _refused(self.books.refusals, run.refusals)
        ]
        labels = (_SCENARIO, *_LABELS[self.by], Column("figure", "figure"), CURRENCY)
        account = Column("account", "account")
        return [
            Table("Figures", (*labels, *_BESIDE), figures, "figures"),
            Table("Accounts", (_SCENARIO, account, CURRENCY, *_BESIDE), accounts, "accounts"),
            Table("Refused", (_SCENARIO, *_REFUSED), refused, "refused"),
        ]

    @property
    def sentence(self) -> str:
        """What was compared."""
        return f"{counted(len(self.scenarios), 'scenario')} beside the books; nothing was written."

    def nothing_booked(self) -> list[str]:
        """What to say of scenarios under which nothing can be booked."""
        return [
            f"under scenario {quoted(scenario.name)} nothing can be booked: "
            f"{counted(len(run.refusals), 'refusal')}, the first at {run.refusals[0].place}: "
            f"{run.refusals[0].message}"
            for scenario, run in self.scenarios
            if self.books.entries and not run.entries and run.refusals
        ]

    def refused_of(self, at: int) -> list[str]:
        """What was refused under a scenario, a line each, for people."""
        scenario, run = self.scenarios[at]
        rows = [row for row in _refused(self.books.refusals, run.refusals) if row[1] or row[2]]
        if not rows:
            return [f"{scenario.name}: nothing is refused."]
        return [
            f"{scenario.name}: {now} refused ({before} in the books), such as {place}: {message}"
            for _, before, now, _, place, message in rows
        ]

    def tables_of(self, at: int) -> list[Table]:
        """The tables of one scenario, for people: it stands in their titles."""
        scenario, _ = self.scenarios[at]
        found: list[Table] = []
        for table in self._replace(scenarios=[self.scenarios[at]]).tables()[:2]:
            columns, rows = table.columns[1:], [row[1:] for row in table.rows]
            title = f"{scenario.name}: {table.title.lower()}"
            found.append(table._replace(title=title, columns=columns, rows=rows))
        return found


_SCENARIO = Column("scenario", "scenario")
_LABELS: dict[PartedBy, tuple[Column, ...]] = {
    PartedBy.ALL: (),
    PartedBy.MONTH: (MONTH,),
    PartedBy.PLAN: (PLAN,),
    PartedBy.PROVIDER: (Column("provider", "provider"),),
}
_BESIDE = (
    Column("books", "books", Measure.MONEY),
    Column("with_scenario", "scenario", Measure.MONEY),
    Column("difference", "difference", Measure.MONEY),
)
_REFUSED = (
    Column("reason", "reason"),
    Column("books", "books", Measure.COUNT),
    Column("with_scenario", "scenario", Measure.COUNT),
    Column("difference", "difference", Measure.COUNT),
    Column("first", "first", whole=True),
    Column("message", "message", aside=1),
)
_ByRow = Mapping[tuple[str, str, str], Decimal]  # by label, row and currency


def _figures(books: RunFigures, run: RunFigures, by: PartedBy) -> Iterator[tuple[Cell, ...]]:
    """The rows of figures that either has, each beside the other."""
    months = sorted({key.month for each in (books, run) for key in each.sums} - {""})
    pair = [_rows_of(each, by, months) for each in (books, run)]
    found = {key for figures in pair for key, number in figures.items() if number}
    booked = {(row, currency) for _, row, currency in found}
    for row in [each for each in ROWS if each.less]:
        found = {key for key in found if key[1] != row.key or _shown(row, by, key[2], booked)}
    labels = {label for label, _, _ in found}
    order = [*(row.key for row in ROWS), BY_HAND]
    titles = {row.key: row.title for row in ROWS} | {BY_HAND: BY_HAND}
    for label in sorted(labels):
        for key in order:
            for currency in sorted({of for at, row, of in found if (at, row) == (label, key)}):
                at = (label, key, currency)
                head = () if by is PartedBy.ALL else (label or NONE,)
                numbers = [figures.get(at, ZERO) for figures in pair]
                yield (*head, titles[key], currency, *_beside(numbers, currency))


def _shown(row: WhatIfRow, by: PartedBy, currency: str, booked: set[tuple[str, str]]) -> bool:
    """Whether a row has something to take off: bills, which are of no plan."""
    return by is not PartedBy.PLAN and any((part, currency) in booked for part in row.less)


def _rows_of(run: RunFigures, by: PartedBy, months: list[str]) -> _ByRow:
    """All figures of a run."""
    found: defaultdict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)

    def add(labels: Iterable[str], row: str, currency: str, number: Decimal) -> None:
        for label in labels:
            at = (label, row, currency)
            found[at] = WIDE.add(found[at], number)

    for key, number in run.sums.items():
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


def _accounts(books: RunFigures, run: RunFigures, accounts: Accounts) -> Iterator[tuple[Cell, ...]]:
    """The accounts that either has, each beside the other; all of a run add up to the books'."""
    roots = (accounts.roots.income, accounts.roots.expenses)
    pair: list[dict[tuple[str, str], Decimal]] = []
    for each in (books, run):
        found: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for key, number in each.sums.items():
            if key.month or not key.account.startswith(tuple(f"{root}:" for root in roots)):
                at = (key.account, key.currency)
                found[at] = WIDE.add(found[at], number)
        pair.append(found)
        for key, number in each.by_hand.items():
            at = (f"~{BY_HAND}", key.currency)
            found[at] = WIDE.subtract(found[at], number)
    for account, currency in sorted(pair[0].keys() | pair[1].keys()):
        numbers = [of.get((account, currency), ZERO) for of in pair]
        if any(numbers):
            yield (account.removeprefix("~"), currency, *_beside(numbers, currency))


def _beside(numbers: Sequence[Decimal], currency: str) -> tuple[Cell, ...]:
    books, scenario = numbers
    cells = (books, scenario, WIDE.subtract(scenario, books))
    return tuple([money(number or ZERO, currency) for number in cells])


def _refused(books: list[Refusal], run: list[Refusal]) -> Iterator[tuple[Cell, ...]]:
    """What was refused, counted by reason, with the first of each in the order of the books."""
    counts = [Counter(reason_of(each.message) for each in refusals) for refusals in (books, run)]
    first: dict[str, Refusal] = {}
    for each in [*run, *books]:
        first.setdefault(reason_of(each.message), each)
    for reason in sorted(first, key=lambda reason: (-counts[1][reason], reason)):
        before, now = (count[reason] for count in counts)
        refusal = first[reason]
        yield (reason, before, now, now - before, str(refusal.place), refusal.message)


_QUOTED = re.compile(r'"[^"]*"')
_LOT = re.compile(r"\{[^}]*\}")
_FIGURE = re.compile(r"(?<![\w-])-?\d[\d.,-]*")
_REPLACED: tuple[tuple[re.Pattern[str], str], ...] = (
    (_QUOTED, '"..."'),
    (_LOT, "{...}"),
    (_FIGURE, "..."),
)


def reason_of(message: str) -> str:
    """The reason in a message: what is wrong, without names, figures and what to write instead.

    "alice" uses 80 CU and holds 20 CU: write at most that  ->  "..." uses ... CU and holds ... CU
    """
    for pattern, instead in _REPLACED:
        message = pattern.sub(instead, message)
    return message.partition(": ")[0]
