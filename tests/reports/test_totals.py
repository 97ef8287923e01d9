"""Totals of rows of one unit and currency, by hand."""

from __future__ import annotations

import json
from decimal import Decimal

from beancount_compute.reports.books import Selection
from beancount_compute.reports.exchange import csv_of, json_of
from beancount_compute.reports.figures import Contribution, Figure, How, Layout, tabulate
from beancount_compute.reports.registry import REPORTS
from beancount_compute.reports.tables import CURRENCY, PLAN, Column, Measure, Table, rounded
from beancount_compute.reports.text_face import render
from tests.reports.story import STORY, books_of

GAIN = (
    Figure("gain", "gain", Measure.MONEY),
    Figure("share", "share", Measure.RATE, ("gain",), How.QUOTIENT, ("gross",)),
    Figure("low", "low", Measure.PRICE, how=How.LEAST),
    Figure("high", "high", Measure.PRICE, how=How.MOST),
    Figure("held", "held", Measure.UNITS, adds_up=False),
)
LAYOUT = Layout("gains", "Gains", (PLAN, CURRENCY), GAIN)


def table(*rows: str, layout: Layout = LAYOUT) -> Table:
    """Rows such as "pro USD gain=5 gross=10"; what adds nothing to a column is left out."""
    found: list[Contribution] = []
    for row in rows:
        plan, currency, *figures = row.split()
        for figure in figures:
            column, number = figure.split("=")
            found.append(("gains", (plan, currency), column, Decimal(number), 0))
    (only,) = tabulate([layout], found)
    return only


def test_sums_quotients_and_the_least_and_most_of_each_currency_with_several_rows() -> None:
    """5 + 6.004 of 10 + 12; EUR has one row, which needs no total; balances have none."""
    found = table(
        "pro USD gain=5 gross=10 low=0.3 high=0.3 held=7",
        "team USD gain=6.004 gross=12 low=0.2 high=0.25 held=8",
        "zero USD gain=0 gross=1000",
        "euro EUR gain=1 gross=4",
    )
    assert [row[0] for row in found.rows] == ["euro", "pro", "team"]
    assert found.totals == (
        ("total", "USD", *map(Decimal, ("11.004", "0.500182", "0.20", "0.30")), None),
    )


def test_rows_that_are_no_parts_of_a_whole_have_no_total() -> None:
    """Such as what is owed to and by the operator."""
    rows = ("pro USD gain=5", "team USD gain=6")
    assert table(*rows, layout=LAYOUT._replace(adds_up=False)).totals == ()
    aging = REPORTS["aging"].tables(books_of(STORY), Selection(), "totals")[0]
    assert len(aging.rows) == 2 and aging.totals == ()


def test_totals_stand_beside_the_rows_in_json_and_not_in_csv() -> None:
    """A program that adds up the rows of a CSV must not count all twice."""
    tables = REPORTS["revenue"].tables(books_of(STORY), Selection(), "by-month")
    (shown,) = json.loads(json_of("revenue", {}, tables))["tables"]
    assert [row["total"] for row in shown["rows"]] == ["240.00", "286.25"]
    (total,) = shown["totals"]
    assert (total["month"], total["currency"], total["total"]) == ("total", "USD", "526.25")
    assert "526.25" not in csv_of(tables)


def test_text_has_them_below_a_rule_and_rounds_amounts() -> None:
    """Half-even to the minor unit of the row's currency; prices and CSV keep their digits."""
    columns = (
        PLAN,
        CURRENCY,
        Column("a", "amount", Measure.MONEY),
        Column("p", "p", Measure.PRICE),
    )
    rows = [
        ("pro", "USD", Decimal("1.005"), Decimal("0.12345")),
        ("team", "USD", Decimal("-0.001"), None),
        ("team", "JPY", Decimal("7.50"), None),
    ]
    exact = Table("T", columns, rows, "t", (("total", "USD", Decimal("1.004"), None),))
    assert render([exact], 80).splitlines()[2:] == [
        "  plan    currency   amount         p",
        " ─────────────────────────────────────",
        "  pro     USD          1.00   0.12345",
        "  team    USD          0.00",
        "  team    JPY          8",
        " ─────────────────────────────────────",
        "  total   USD          1.00",
    ]
    assert [str(row[2]) for row in rounded(exact).rows] == ["1.00", "0.00", "8"]
    assert "1.005" in csv_of([exact])


def test_amounts_without_a_currency_keep_their_digits() -> None:
    """Nobody says what their minor unit would be."""
    exact = Table("T", (PLAN, Column("a", "a", Measure.MONEY)), [("pro", Decimal("1.0051"))])
    assert rounded(exact) is exact
