"""One tie-out, and all of a month as tables.

deferred revenue = cost of open lots | 280.00 | 270.00 | 10.00 | USD
  postings on pockets, at cost 280.00, open lots 270.00      ledger.beancount:17
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy import WIDE, ZERO, decimals_of, trim
from beancount_compute.reports import Cell, Column, Measure, Table, money

Side = tuple[str, Decimal]  # a figure, with its name
MOST_LINES = 20  # of one tie-out in the table, before the rest is only counted


class TieOut(NamedTuple):
    """Two figures that must agree; one that is only shown is informational, and may differ."""

    name: str
    about: str  # the unit or currency of the figures, or what they count
    left_name: str
    left: Decimal
    right_name: str
    right: Decimal | None  # None: a figure that stands alone
    difference: Decimal  # left - right, to the last digit
    lines: tuple[str, ...] = ()  # `file:line` of what causes it, as far as that can be told
    informational: bool = False

    @property
    def holds(self) -> bool:
        """Whether the month may be closed, as far as this goes."""
        return self.informational or not self.difference


def of_money(
    name: str,
    currency: str,
    left: Side,
    right: Side,
    lines: Iterable[str] = (),
    *,
    informational: bool = False,
) -> TieOut:
    """A tie-out of two amounts."""
    compared = _compared(name, currency, left, right, lines, decimals_of(currency))
    return compared._replace(informational=informational)


def of_units(
    name: str, commodity: str, left: Side, right: Side, lines: Iterable[str] = ()
) -> TieOut:
    """A tie-out of two numbers of units, or two counts."""
    return _compared(name, commodity, left, right, lines, 0)


def count(name: str, about: str, right_name: str, all_of_them: int, bad: Sequence[str]) -> TieOut:
    """A tie-out of how many there are with how many are as they must be; `bad` are lines."""
    found = Decimal(all_of_them)
    good = (right_name, found - len(bad))
    return of_units(name, about, (about, found), good, bad)


def figure(name: str, currency: str, number: Decimal) -> TieOut:
    """An amount that is only shown."""
    return TieOut(name, currency, name, money(number, currency), "", None, ZERO, (), True)


def _compared(
    name: str, about: str, left: Side, right: Side, lines: Iterable[str], decimals: int
) -> TieOut:
    """The lines are looked for only where the two sides differ."""
    (left_name, one), (right_name, other) = left, right
    difference = WIDE.subtract(one, other)
    one_side, other_side, between = [trim(each, decimals) for each in (one, other, difference)]
    kept = tuple(lines) if difference else ()
    return TieOut(name, about, left_name, one_side, right_name, other_side, between, kept)


def tables(ties: Sequence[TieOut]) -> list[Table]:
    """The tie-outs as a table, and where any fails, one that names its two sides and lines."""
    columns = (
        Column("tie-out", "tie-out"),
        Column("left", "left", Measure.MONEY),
        Column("right", "right", Measure.MONEY),
        Column("difference", "difference", Measure.MONEY),
        Column("about", ""),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            tie.name,
            tie.left,
            tie.right,
            None if tie.right is None else tie.difference,
            f"{tie.about}{_result(tie)}",
        )
        for tie in ties
    ]
    found = [Table("Tie-outs", columns, rows, "tie-outs")]
    failed = [tie for tie in ties if not tie.holds]
    if failed:
        found.append(_differences(failed))
    return found


def _result(tie: TieOut) -> str:
    if tie.holds:
        return " (shown)" if tie.right is not None and tie.difference else ""
    return " DIFFERS"


def _differences(failed: Sequence[TieOut]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for tie in failed:
        assert tie.right is not None  # a figure that stands alone can't fail
        rows.append((f"{tie.name}: {tie.left_name}", f"{tie.left:,f} {tie.about}"))
        rows.append((f"  {tie.right_name}", f"{tie.right:,f} {tie.about}"))
        rows += [("", line) for line in tie.lines[:MOST_LINES]]
        if len(tie.lines) > MOST_LINES:
            rows.append(("", f"and {len(tie.lines) - MOST_LINES:,} more"))
    return Table("Differences", (Column("figure", "figure"), Column("at", "")), rows, "differences")
