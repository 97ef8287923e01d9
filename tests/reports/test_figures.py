"""Cells that contributions add up to, one by one or by the fields of facts; and back again."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import pytest

from beancount_compute.reports.figures import (
    Adding,
    CellAsked,
    Contribution,
    Figure,
    How,
    Layout,
    NotSummed,
    tabulate,
    trace,
)
from beancount_compute.reports.tables import CURRENCY, Column, Measure


class Earned(NamedTuple):
    """A fact."""

    plan: str
    currency: str
    what: str
    amount: Decimal
    at: int


FACTS = [
    Earned("pro", "USD", "use", Decimal(80), 0),
    Earned("pro", "USD", "cost", Decimal(16), 0),
    Earned("pro", "USD", "fees", Decimal("6.25"), 1),
    Earned("basic", "JPY", "use", Decimal(500), 2),
    Earned("basic", "JPY", "cost", Decimal(500), 3),
]
LAYOUT = Layout(
    "by-plan",
    "Earned by plan",
    (Column("plan", "plan"), CURRENCY),
    (
        Figure("cost", "cost", Measure.MONEY, ("-cost",)),
        Figure("gain", "gain", Measure.MONEY, ("use", "fees", "-cost")),
        Figure("share", "share", Measure.RATE, ("cost", "fees"), How.QUOTIENT, ("use",)),
        Figure("days", "days", Measure.DAYS, how=How.LEAST),
    ),
)
BY_FIELD = Adding("by-plan", FACTS, ("plan", "currency"), "what", "amount")
SINGLY = list(BY_FIELD.singly())


@pytest.mark.parametrize("contributions", [[BY_FIELD], SINGLY], ids=["by field", "singly"])
def test_what_is_taken_off_and_divided(contributions: list[Contribution]) -> None:
    """80.00 + 6.25 - 16.00 = 70.25; (16.00 + 6.25) / 80.00 = 0.278125; 500 JPY less 500 is zero."""
    (table,) = tabulate([LAYOUT], contributions)
    assert [tuple(map(str, row)) for row in table.rows] == [
        ("basic", "JPY", "-500", "0", "1", "None"),
        ("pro", "USD", "-16.00", "70.25", "0.278125", "None"),
    ]


def test_a_cell_leads_to_its_transactions() -> None:
    """The first adds 80 and takes 16 off; of a rate each has its share; days are not summed."""

    def behind(column: str) -> list[tuple[int, Decimal]]:
        return trace(LAYOUT, SINGLY, CellAsked("by-plan", ("pro", "USD"), column))

    assert behind("gain") == [(0, Decimal(64)), (1, Decimal("6.25"))]
    assert behind("cost") == [(0, Decimal(-16))]
    assert behind("share") == [(0, Decimal("0.2")), (1, Decimal("0.078125"))]
    with pytest.raises(NotSummed, match="counted from a day"):
        behind("days")


def test_rows_without_a_label_come_last() -> None:
    """By their labels, of which one may be missing; rows of nothing are left out."""
    labels = (Column("ends", "ends"), CURRENCY)
    layout = Layout("t", "T", labels, (Figure("use", "use", Measure.MONEY),))
    rows = [(None, "USD"), ("2026-07", "USD"), ("2026-06", "USD")]
    numbers = [Decimal(1), Decimal(2), Decimal(0)]
    found = [("t", row, "use", number, 0) for row, number in zip(rows, numbers, strict=True)]
    (table,) = tabulate([layout], found)
    assert [row[0] for row in table.rows] == ["2026-07", None]
