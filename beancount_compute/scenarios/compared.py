"""The books beside scenarios: figures by row and by account, and what was refused.

    figure              currency    books   scenario   difference
    revenue of use      USD        156.00     126.00       -30.00
    breakage            USD         24.00      12.00       -12.00

Figures of income and expenses are those of the days asked for, balances those at their end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from beancount_compute.economy import Refusal, quoted
from beancount_compute.ledger import Accounts
from beancount_compute.reports import CURRENCY, MONTH, PLAN, Cell, Column, Measure, Table, counted
from beancount_compute.scenarios.figures_of_runs import (
    PartedBy,
    RunFigures,
    accounts_of,
    figures_of,
)
from beancount_compute.scenarios.scenario_file import Scenario


class RefusedBeside(NamedTuple):
    """How often something is refused for one reason, in the books and under a scenario."""

    scenario: str
    reason: str
    books: int
    with_scenario: int
    first: Refusal

    @property
    def row(self) -> tuple[Cell, ...]:
        """The same as the cells of a table."""
        more = self.with_scenario - self.books
        return (*self[:-1], more, str(self.first.place), self.first.message)


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
            for row in figures_of([self.books, run], self.by)
        ]
        accounts = [
            (scenario.name, *row)
            for scenario, run in self.scenarios
            for row in accounts_of([self.books, run], self.accounts)
        ]
        refused = [each.row for each in self.refused()]
        labels = (_SCENARIO, *_LABELS[self.by], _ROW)
        return [
            Table("Figures", (*labels, CURRENCY, *_BESIDE), figures, "figures"),
            Table("Accounts", (_SCENARIO, _ACCOUNT, CURRENCY, *_BESIDE), accounts, "accounts"),
            Table("Refused", (_SCENARIO, *_REFUSED), refused, "refused"),
        ]

    def side_by_side(self) -> list[Table]:
        """Figures and accounts, each with all scenarios beside the books in one row."""
        runs = [self.books, *(run for _, run in self.scenarios)]
        beside: list[Column] = [_BESIDE[0]]
        for number, (scenario, _) in enumerate(self.scenarios, 1):
            beside.append(Column(f"{OF_SCENARIO}{number}", scenario.name, Measure.MONEY))
            beside.append(Column(f"difference-{number}", "difference", Measure.MONEY))
        labels = (*_LABELS[self.by], _ROW, CURRENCY)
        figures, accounts = [*figures_of(runs, self.by)], [*accounts_of(runs, self.accounts)]
        return [
            Table("Figures", (*labels, *beside), figures, "figures"),
            Table("Accounts", (_ACCOUNT, CURRENCY, *beside), accounts, "accounts"),
        ]

    def within(self, first: str, last: str) -> WhatIf:
        """The same of some months, both included; of all days that it was worked out for."""
        scenarios = [(scenario, run.within(first, last)) for scenario, run in self.scenarios]
        return self._replace(books=self.books.within(first, last), scenarios=scenarios)

    @property
    def months(self) -> list[str]:
        """The months in which anything was booked, in the books or under a scenario."""
        runs = [self.books, *(run for _, run in self.scenarios)]
        return sorted({key.month for run in runs for key in run.sums} - {""})

    def refused(self) -> list[RefusedBeside]:
        """What is refused in the books or under a scenario, by reason, the most first."""
        return [
            RefusedBeside(scenario.name, *each)
            for scenario, run in self.scenarios
            for each in _refused(self.books.refusals, run.refusals)
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
        rows = [*_refused(self.books.refusals, run.refusals)]
        if not rows:
            return [f"{scenario.name}: nothing is refused."]
        return [
            f"{scenario.name}: {now} refused ({before} in the books), such as "
            f"{first.place}: {first.message}"
            for _, before, now, first in rows
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


BOOKS = "books"
OF_SCENARIO = "scenario-"  # the key of a column of a scenario's figures, before its number
_SCENARIO, _ROW = Column("scenario", "scenario"), Column("figure", "figure")
_ACCOUNT = Column("account", "account")
_LABELS: dict[PartedBy, tuple[Column, ...]] = {
    PartedBy.ALL: (),
    PartedBy.MONTH: (MONTH,),
    PartedBy.PLAN: (PLAN,),
    PartedBy.PROVIDER: (Column("provider", "provider"),),
}
_BESIDE = (
    Column(BOOKS, "books", Measure.MONEY),
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


def _refused(books: list[Refusal], run: list[Refusal]) -> Iterator[tuple[str, int, int, Refusal]]:
    """What was refused, counted by reason, with the first of each in the order of the books."""
    counts = [Counter(reason_of(each.message) for each in refusals) for refusals in (books, run)]
    first: dict[str, Refusal] = {}
    for each in [*run, *books]:
        first.setdefault(reason_of(each.message), each)
    for reason in sorted(first, key=lambda reason: (-counts[1][reason], reason)):
        before, now = (count[reason] for count in counts)
        yield (reason, before, now, first[reason])


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
